"""`pro-service keys …`: what each key wraps, and wrapping everything with the newest one."""

from contextlib import ExitStack
from dataclasses import asdict

import click

from pro_service.cli.terminal import State, as_json, opened, progress_bar, show_json, show_table, who

BIG = 2_000
"""A rotation of this many values or more shows a progress bar."""
MOST_SHOWN = 20


@click.group()
def keys() -> None:
    """The keys of DATA_KEYS."""


@keys.command("list")
@as_json
@click.pass_obj
def all_keys(state: State) -> None:
    """Show for each key how many keys of participants and of the installation it wraps, and whether it may go."""
    from pro_service.use_cases.keys import all_keys as use_case  # noqa: PLC0415

    with opened(state) as rt:
        found = use_case(rt)
    if state.as_json:
        show_json([asdict(one) for one in found])
        return
    show_table(
        ("key", "newest", "since", "participants", "installation", "may go"),
        [
            (
                one.key,
                one.newest,
                one.since,
                sum(many for where, many in one.uses.items() if where != "installation.value"),
                one.uses.get("installation.value", 0),
                one.may_go,
            )
            for one in found
        ],
    )


@keys.command()
@click.option("--dry-run", is_flag=True, help="Only count what would be wrapped anew.")
@as_json
@click.pass_obj
def rotate(state: State, *, dry_run: bool) -> None:
    """Wrap everything with the newest key of DATA_KEYS, while the service runs.

    First put a new key before the old one in DATA_KEYS, and start every program again. After an
    interruption, run the command again. Afterwards `doctor` says when the old key may go.
    """
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases.keys import rotate as use_case  # noqa: PLC0415

    with opened(state) as rt, ExitStack() as shown:
        progress = progress_bar(shown, "Wrapping", least=BIG)
        done = use_case(rt, Actor(kind="staff", id=who(), source="cli"), dry_run=dry_run, progress=progress)
    if state.as_json:
        show_json(asdict(done) | {"dry_run": dry_run})
    elif dry_run:
        click.echo(f"{done.values} wrapped keys would be wrapped with {done.key}. Nothing was changed.")
    else:
        click.echo(f"{done.values} wrapped keys are wrapped with {done.key} now.")
        for where, rows in done.damaged.items():
            some = ", ".join(map(str, rows[:MOST_SHOWN])) + (" …" if len(rows) > MOST_SHOWN else "")
            click.echo(f"{len(rows)} of {where} cannot be read and stay as they were: {some}", err=True)
    if done.damaged:
        raise click.exceptions.Exit(1)
