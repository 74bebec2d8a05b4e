"""`clock`: whether the clock is believed, and a person's word that it is right."""

from collections.abc import Mapping
from typing import Any

import click

from pro_service.cli.terminal import State, opened, who
from pro_service.core.problems import words


@click.group()
def clock() -> None:
    """Whether the service believes its clock: nothing is decided or sent by one that may be wrong."""


@clock.command()
@click.pass_obj
def show(state: State) -> None:
    """Say what time it is here, and whether that is believed."""
    from pro_service.use_cases import trusted_time  # noqa: PLC0415

    with opened(state) as rt:
        now = f"{rt.clock():%Y-%m-%dT%H:%M:%SZ}"
        doubt = trusted_time.noted_doubt(rt)
        click.echo(f"{now}, believed." if doubt is None else f"{now}; {'; '.join(words(doubt))}.")


@clock.command()
@click.option("--reason", required=True, help="Why it is right; saved in the audit trail.")
@click.pass_obj
def accept(state: State, reason: str) -> None:
    """Believe the clock as it is now: you have looked at it. Where another clock disagrees, set this one instead."""
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import trusted_time  # noqa: PLC0415

    with opened(state) as rt:
        accepted = trusted_time.accept(rt, Actor(kind="staff", id=who(), source="cli"), reason)
        now = f"{rt.clock():%Y-%m-%dT%H:%M:%SZ}"
        click.echo(
            f"Believed from now on: it is {now}." if accepted else f"The clock is believed already: it is {now}."
        )


def say_doubt(rt: Any) -> None:
    """Say on the error output that nothing was done, and why, where the clock is not believed."""
    from pro_service.use_cases import trusted_time  # noqa: PLC0415

    doubt = trusted_time.noted_doubt(rt)
    if doubt is not None:
        click.echo(f"pro-service: nothing was decided or sent: {'; '.join(words(doubt))}", err=True)


def say_undone(counts: Mapping[str, int]) -> None:
    """Say on the error output what a wrong clock had decided and was undone."""
    if any(counts.values()):
        found = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
        click.echo(f"pro-service: undone what a wrong clock had decided: {found}", err=True)
