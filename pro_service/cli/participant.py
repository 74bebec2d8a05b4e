"""`pro-service participant …`: enrol, list, show, confirm, card; what staff change is in `change`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pro_service.cli import change
from pro_service.cli.answer import clear
from pro_service.cli.card import card, cards, handed
from pro_service.cli.contact_test import reach
from pro_service.cli.erase import erase, erase_again, erased
from pro_service.cli.terminal import (
    State,
    as_json,
    fault_as_json,
    given_file,
    of_study,
    opened,
    show_fault,
    show_json,
    show_table,
    who,
)
from pro_service.core.case import RUNG
from pro_service.core.enrolment.cells import quoted
from pro_service.core.problems import Problem, RejectedError, problem

MOST_SHOWN = 20
BIG = 2_000
"""Rows from which a progress bar says more than it disturbs."""


@click.group()
def participant() -> None:
    """The participants of a study."""


for _command in (card, cards, clear, handed, erase, erased, erase_again, reach):
    participant.add_command(_command)


@participant.command("import")
@given_file
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
@click.option(
    "--mapping",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="MAPPING.toml",
    help="FILE is a REDCap export; this says which of its columns is which of ours.",
)
@of_study
@as_json
@click.pass_obj
def import_file(
    state: State,
    file: Path,
    dry_run: bool,  # noqa: FBT001 -- click's
    mapping: Path | None,
    study_code: str | None,
) -> None:
    """Enrol everyone in a CSV file, or nobody: every faulty row is named.

    Columns: participant, site, procedure_date, language, messaging_consent; and as you need them phone, email,
    timezone, channel (sms-reply, sms-link, sms-card), procedure_time, baseline_nrs_avg, baseline_nrs_now. Who is
    enrolled already with the same row is unchanged, so that a file may be imported again.
    """
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import study  # noqa: PLC0415
    from pro_service.use_cases.enrolment import enrol  # noqa: PLC0415

    data = file.read_bytes()
    with opened(state) as rt, _bar(data, dry_run=dry_run) as progress:
        found = study.chosen(rt, study_code)
        actor = Actor(kind="staff", id=who(), source="cli")
        read = None if mapping is None else enrol.mapping_of(rt, found.id, mapping.read_bytes())
        done = enrol.enrol_file(rt, actor, found.id, data, dry_run=dry_run, progress=progress, mapping=read)
    if state.as_json:
        counts = {"enrolled": done.enrolled, "unchanged": done.unchanged, "cards": done.cards, "dry_run": dry_run}
        export = {"ignored": done.ignored, "waiting": done.waiting, "repeated": done.repeated} if mapping else {}
        show_json(counts | export | {"warnings": [fault_as_json(warning) for warning in done.warnings]})
        return
    _show_warnings(done.warnings)
    if mapping is not None:
        _show_export(done.ignored, done.waiting, done.repeated)
    verb = "would be enrolled" if dry_run else "enrolled"
    nothing = " Nothing was written." if dry_run else ""
    click.echo(f"{found.code}: {done.enrolled} {verb}, {done.unchanged} unchanged.{nothing}")
    if done.cards:
        click.echo(f"Cards to print: {done.cards}; no text is sent before. See pro-service participant cards --help")


def _show_export(ignored: tuple[str, ...], waiting: int, repeated: int) -> None:
    """What was left out of a REDCap export on purpose."""
    click.echo(f"Columns that were not read: {', '.join(ignored) or 'none'}.", err=True)
    if waiting:
        click.echo(f"Records without a row of the procedure's event, left for later: {waiting}.", err=True)
    if repeated:
        click.echo(f"Rows of repeated instruments, skipped: {repeated}.", err=True)


def _show_warnings(warnings: list[Problem]) -> None:
    for warning in warnings[:MOST_SHOWN]:
        show_fault(warning, "yellow", err=True)
    if len(warnings) > MOST_SHOWN:
        click.echo(f"… and {len(warnings) - MOST_SHOWN} more warnings: --json lists them.", err=True)


@contextmanager
def _bar(data: bytes, *, dry_run: bool) -> Iterator[Callable[[int], None] | None]:
    """A progress bar on standard error, where a person looks or the file is big."""
    lines = data.count(b"\n") + 1
    if not (sys.stderr.isatty() or lines > BIG):
        yield None
        return
    label = "Checking" if dry_run else "Enrolling"
    with click.progressbar(length=lines, label=label, file=sys.stderr) as bar:

        def reached(line: int) -> None:
            bar.update(line - bar.pos)

        yield reached
        reached(lines)


@participant.command("list")
@of_study
@as_json
@click.pass_obj
def list_all(state: State, study_code: str | None) -> None:
    """List a study's participants.

    `asked by` is how each is asked now: the channel where messages go; no-card, calls, no-texts or bad-number where
    people call; no-number where nobody can. `ladder` (--json) has each channel with its standing: asks, next (asks if
    the one before it leads nowhere), no-consent, no-address, failed, stopped or no-card.
    """
    from pro_service.use_cases import reporting, study  # noqa: PLC0415

    with opened(state) as rt:
        found = list(reporting.participant_rows(rt, study.chosen(rt, study_code).id))
    if state.as_json:
        show_json(found)
        return
    columns = ("participant", "site", "status", "procedure_date", "language", "asked_by", "card")
    show_table([name.replace("_", " ") for name in columns], [[row[name] for name in columns] for row in found])


@participant.command()
@click.argument("code")
@of_study
@as_json
@click.pass_obj
def show(state: State, code: str, study_code: str | None) -> None:
    """Show one participant: windows, texts, answers, derived values, tasks."""
    from pro_service.use_cases import reporting, study  # noqa: PLC0415

    with opened(state) as rt:
        story = reporting.participant_story(rt, study.chosen(rt, study_code).id, code)
    if story is None:
        raise RejectedError((problem("no_participant", "CODE", code=quoted(code)),))
    if state.as_json:
        show_json(story)
        return
    click.echo(f"{story['participant']}  {story['status']}  asked by {story['asked_by']}")
    if len(story["ladder"]) > 1:
        click.echo(f" {RUNG} ".join(f"{rung['channel']} ({rung['standing']})" for rung in story["ladder"]))
    parts: dict[str, Any] = {**story}
    for name, columns in STORY.items():
        rows = parts[name]
        click.echo(f"\n{name}" if rows else f"\n{name}: none")
        if rows:
            show_table([column.replace("_", " ") for column in columns], [[row[c] for c in columns] for row in rows])


STORY = {
    "windows": ("code", "target", "opens_at", "closes_at", "status"),
    "messages": ("kind", "window", "state", "queued_at", "sent_at"),
    "responses": ("window", "item", "value", "source", "received_at", "in_window", "version"),
    "derived": ("window", "item", "percent_reduction", "absolute_change", "responder30", "responder50", "reason"),
    "escalations": ("id", "window", "level", "raised_at", "due_at", "resolved_at", "outcome"),
}
"""Part of a participant's story -> the columns that fit a terminal; --json has all."""


@participant.command()
@click.argument("code")
@click.option(
    "--procedure-date",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="The day it took place, if it was not the planned one.",
)
@click.option("--procedure-time", metavar="HH:MM", default="", help="When it ended, on the site's clock.")
@of_study
@as_json
@click.pass_obj
def confirm(
    state: State, code: str, procedure_date: datetime | None, procedure_time: str, study_code: str | None
) -> None:
    """Say that the procedure took place: from now on this participant is asked."""
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import study  # noqa: PLC0415
    from pro_service.use_cases.participants import confirm as use_case  # noqa: PLC0415

    with opened(state) as rt:
        actor = Actor(kind="staff", id=who(), source="cli")
        day = None if procedure_date is None else procedure_date.date()
        done = use_case.confirm(rt, actor, study.chosen(rt, study_code).id, code, day, procedure_time.strip())
    if state.as_json:
        show_json(done)
    elif done.unchanged:
        click.echo(f"{done.participant}: was confirmed already, procedure {done.procedure_date}.")
    else:
        moved = f"; {done.windows} windows laid out anew" if done.rescheduled else ""
        click.echo(f"{done.participant}: confirmed, procedure {done.procedure_date}{moved}.")
    if done.without_end and not state.as_json:
        visits = ", ".join(done.without_end)
        click.echo(f"No window yet for {visits}: when did the procedure end? Say it with --procedure-time.")


change.add_to(participant)
