"""`pro-service demo`: the demonstration study."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import click

from pro_service.cli.terminal import State, as_json, opened, show_json


def _bar(shown: ExitStack) -> Callable[[int, int], None]:
    """A progress bar that appears with the first day: a second call lives through none."""
    bars: list[Any] = []

    def lived(done: int, days: int) -> None:
        if not bars:
            bar = click.progressbar(length=days, label="Living through a hundred days", file=sys.stderr)
            bars.append(shown.enter_context(bar))
        bars[0].update(done - bars[0].pos)

    return lived


@click.command()
@as_json
@click.pass_obj
def demo(state: State) -> None:
    """Make the study DEMO with 42 invented participants, once, and say how to sign in."""
    from pro_service.use_cases import demo as use_case  # noqa: PLC0415

    with opened(state) as rt:
        try:
            with ExitStack() as shown:
                login = use_case.seed(rt, _bar(shown))
        except use_case.NotADemoError as error:
            click.echo(f"pro-service: this database holds the study {error}; a demonstration needs its own", err=True)
            raise click.exceptions.Exit(1) from None
    if state.as_json:
        show_json(asdict(login))
        return
    click.echo(f"Demo login             {login.email}  {login.password}")
