"""`pro-service demo`: the demonstration study."""

import sys
from dataclasses import asdict

import click

from pro_service.cli.terminal import State, as_json, opened, show_json


@click.command()
@as_json
@click.pass_obj
def demo(state: State) -> None:
    """Make the study DEMO with 42 invented participants, once, and say how to sign in."""
    from pro_service.use_cases import demo as use_case  # noqa: PLC0415

    with opened(state) as rt:
        try:
            with click.progressbar(length=1, label="Living through a hundred days", file=sys.stderr) as bar:

                def lived(done: int, days: int) -> None:
                    bar.length = days
                    bar.update(done - bar.pos)

                login = use_case.seed(rt, lived)
        except use_case.NotADemoError as error:
            click.echo(f"pro-service: this database holds the study {error}; a demonstration needs its own", err=True)
            raise click.exceptions.Exit(1) from None
    if state.as_json:
        show_json(asdict(login))
        return
    click.echo(f"Demo login             {login.email}  {login.password}")
