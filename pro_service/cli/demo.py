"""`pro-service demo`: the demonstration study."""

from contextlib import ExitStack
from dataclasses import asdict

import click

from pro_service.cli.terminal import State, as_json, opened, progress_bar, show_json, show_table


@click.command()
@as_json
@click.pass_obj
def demo(state: State) -> None:
    """Make the study DEMO with 42 invented participants, once, and say how to sign in."""
    from pro_service.rehearsal import demo as use_case  # noqa: PLC0415

    with opened(state) as rt:
        try:
            with ExitStack() as shown:
                made = use_case.seed(rt, progress_bar(shown, "Running 100 days"))
        except use_case.NotADemoError as error:
            click.echo(f"pro-service: this database holds the study {error}; a demonstration needs its own", err=True)
            raise click.exceptions.Exit(1) from None
    if state.as_json:
        show_json(asdict(made))
        return
    show_table(
        ("Sign in as", "e-mail", "password"),
        [(account.role, account.email, account.password) for account in made.accounts],
    )
