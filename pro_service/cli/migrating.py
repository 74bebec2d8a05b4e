"""`pro-service study migrate`: participants moved to the newest version of the protocol, shown before it is so."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from pro_service.cli.terminal import State, as_json, of_study, opened, show_fault, show_json, show_table, who
from pro_service.core.problems import note_fault, note_words

MOST_SHOWN = 40


@click.command()
@click.option("--participant", "codes", metavar="CODE", multiple=True, help="Only this one; may be given again.")
@click.option("--reason", metavar="T", required=True, help="Why; kept in the audit trail.")
@click.option("--dry-run", is_flag=True, help="Show what it means for each participant, change nothing.")
@of_study
@as_json
@click.pass_obj
def migrate(state: State, codes: tuple[str, ...], reason: str, dry_run: bool, study_code: str | None) -> None:  # noqa: FBT001 -- click's
    """Move participants to the newest version of the protocol: windows not yet closed are laid out by it.

    Answers are kept and judged anew; windows that have closed stay as they are. Who is moved already is left alone, so
    that it may be said again after an interruption.
    """
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import study  # noqa: PLC0415
    from pro_service.use_cases.participants import migrate as migrating  # noqa: PLC0415

    with opened(state) as rt, _bar(dry_run=dry_run) as progress:
        found = study.chosen(rt, study_code)
        actor = Actor(kind="staff", id=who(), source="cli")
        done = migrating.migrate(rt, actor, found.id, reason, codes=codes, dry_run=dry_run, progress=progress)
    if state.as_json:
        migrants = [
            {"participant": one.participant, "windows": one.windows, "notes": [note_words(n)[0] for n in one.notes]}
            for one in done.migrants
        ]
        counts = {"version": done.version, "unchanged": done.unchanged, "dry_run": dry_run}
        show_json(counts | {"migrated": migrants})
        return
    _show(done)
    verb = "would be moved" if dry_run else "moved"
    nothing = " Nothing was changed." if dry_run else ""
    click.echo(f"{found.code}: {len(done.migrants)} {verb} to version {done.version}.{nothing}")


def _show(done: Any) -> None:
    rows = [
        (one.participant, window.code, window.old_closes_at, window.opens_at, window.closes_at, window.status)
        for one in done.migrants
        for window in one.windows
    ]
    if rows:
        show_table(("participant", "window", "closed", "opens", "closes", "will be"), rows[:MOST_SHOWN])
    if len(rows) > MOST_SHOWN:
        click.echo(f"… and {len(rows) - MOST_SHOWN} more windows: --json lists them.")
    for one in done.migrants[:MOST_SHOWN]:
        for note in one.notes:
            show_fault(note_fault(note), "yellow", err=True)


@contextmanager
def _bar(*, dry_run: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on standard error, where a person looks."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1, label="Looking at" if dry_run else "Moving", file=sys.stderr) as bar:

        def reached(number: int, of: int) -> None:
            bar.length = of
            bar.update(number - bar.pos)

        yield reached
