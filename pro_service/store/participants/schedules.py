"""A participant's schedule when it changes: new windows beside the old ones, which are kept and cancelled."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

from sqlalchemy import insert, select, update

from pro_service.core.changes.reschedule import Rescheduled
from pro_service.core.protocol import Window
from pro_service.store.participants import typed_reasons
from pro_service.store.participants.cases import Loaded
from pro_service.store.participants.enrolment import told_window, window_row
from pro_service.store.participants.writer import Writer
from pro_service.store.schema import AnyRow, participants, responses, schedule_changes, windows
from pro_service.store.session import Session
from pro_service.store.vault import Vault

w = windows.c

Changes: TypeAlias = dict[str, tuple[object, object]]
"""Field -> (old, new), as the trail says it."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a participant's windows are counted from."""

    procedure_date: date
    procedure_end: datetime | None
    zone: str
    """Of the site."""
    version_id: int


@dataclass(frozen=True, slots=True)
class ScheduleChange:
    """One time the windows of a participant were replaced by new ones."""

    schedule: int
    cause: str
    changed_at: datetime
    actor: str
    reason: str | None
    before: Basis
    then: Basis


def of_another_version(session: Session, study_id: int, version_id: int) -> Sequence[tuple[int, str]]:
    """(id, code) of a study's participants who keep another version than this one, by code."""
    p = participants.c
    asked = select(p.id, p.code).where(p.study_id == study_id, p.protocol_version_id != version_id)
    return [(row.id, row.code) for row in session.execute(asked.order_by(p.code))]


def basis(loaded: Loaded) -> Basis:
    """What the windows are counted from as things are."""
    person = loaded.case.participant
    return Basis(person.procedure_date, person.procedure_end, person.site.zone, loaded.protocol_version_id)


def lay_anew(writer: Writer, loaded: Loaded, rescheduled: Rescheduled) -> tuple[int, Changes]:
    """Cancel the windows that end and write the new ones.

    Return the number of the schedule that holds, and what the trail says of the windows. They are written at once, so
    that reloaded facts show the new schedule.
    """
    number, connection = loaded.schedule + 1, writer.session.connection()
    if not (rescheduled.ended or rescheduled.new_windows):
        return loaded.schedule, {}
    ended = [window.id for window in rescheduled.ended]
    connection.execute(update(windows).where(w.id.in_(ended)).values(cancelled_at=writer.now))
    rows = [_row(writer, loaded, number, one.span) for one in rescheduled.new_windows]
    if rows:
        connection.execute(insert(windows), rows)
    new = [told_window(row["id"], one.span) for row, one in zip(rows, rescheduled.new_windows, strict=True)]
    return number, {"windows": ([[window.id, window.code] for window in rescheduled.ended], new)}


def _row(writer: Writer, loaded: Loaded, number: int, span: Window) -> dict[str, Any]:
    row = window_row(loaded.study_id, loaded.case.participant.id, number, span)
    return row | {"id": next(writer.ids)}


def keep_version(writer: Writer, loaded: Loaded, following: Collection[int]) -> Changes:
    """Let windows that do not follow the participant to another version keep their version.

    Return the changes for the trail.
    """
    keep = (w.participant_id == loaded.case.participant.id) & w.protocol_version_id.is_(None)
    statement = update(windows).where(keep, w.id.not_in(following))
    kept = statement.values(protocol_version_id=loaded.protocol_version_id).returning(w.id, w.code)
    rows = sorted([row.id, row.code] for row in writer.session.execute(kept))
    return {"windows_kept": (None, rows)} if rows else {}


def remember(
    writer: Writer, loaded: Loaded, number: int, cause: str, bases: tuple[Basis, Basis], reason: str | None
) -> None:
    """Keep why schedule `number` holds, and what it was counted from before and is now."""
    before, now = bases
    writer.add(
        schedule_changes,
        {
            "study_id": loaded.study_id,
            "participant_id": loaded.case.participant.id,
            "schedule": number,
            "cause": cause,
            "changed_at": writer.now,
            "actor": writer.actor.id,
            "reason": writer.sealed_reason(loaded, reason),
            "old_procedure_date": before.procedure_date,
            "procedure_date": now.procedure_date,
            "old_procedure_end": before.procedure_end,
            "procedure_end": now.procedure_end,
            "old_zone": before.zone,
            "zone": now.zone,
            "old_version_id": before.version_id,
            "version_id": now.version_id,
        },
    )


def history(session: Session, vault: Vault, participant_id: int) -> Sequence[ScheduleChange]:
    """Return each time this participant's windows were replaced by new ones, oldest first."""
    s = schedule_changes.c
    rows = session.execute(select(schedule_changes).where(s.participant_id == participant_id).order_by(s.id)).all()
    known = typed_reasons.known(session, vault, (row.reason for row in rows))
    return [
        ScheduleChange(
            schedule=row.schedule,
            cause=row.cause,
            changed_at=row.changed_at,
            actor=row.actor,
            reason=known.get(row.reason, row.reason),
            before=Basis(row.old_procedure_date, row.old_procedure_end, row.old_zone, row.old_version_id),
            then=Basis(row.procedure_date, row.procedure_end, row.zone, row.version_id),
        )
        for row in rows
    ]


Given: TypeAlias = tuple[str, datetime, str, int | None]
"""(item, received at, source, value): enough to know an answer again."""


def origins(session: Session, participant_id: int) -> Mapping[Given, AnyRow]:
    """Who entered each answer and which text brought it: (id, entered by, inbound id)."""
    r = responses.c
    asked = select(r.id, r.item, r.received_at, r.source, r.value, r.entered_by, r.inbound_id)
    rows = session.execute(asked.where(r.participant_id == participant_id).order_by(r.id)).all()
    return {(row.item, row.received_at, row.source, row.value): row for row in rows}
