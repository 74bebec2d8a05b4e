"""What people write down about their work: acknowledged, called, put off, why a value is missing.

Each function queues its rows and audit entries with the transaction's Writer; nothing here decides anything.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select, update

from pro_service.core.case import EscalationFacts
from pro_service.store.audit import Entry
from pro_service.store.participants import contact
from pro_service.store.participants.cases import Loaded, zone_of
from pro_service.store.participants.writer import Writer
from pro_service.store.schema import calls, escalations, participants, windows
from pro_service.store.session import Session
from pro_service.store.vault import opened, sealed


@dataclass(frozen=True, slots=True)
class TaskSubject:
    """The study, site and participant an escalation is about."""

    study_id: int
    site_id: int | None
    participant_id: int | None


def subject_of(session: Session, escalation_id: int) -> TaskSubject | None:
    """Return what this escalation is about; None if there is none with this id."""
    e = escalations.c
    row = session.execute(select(e.study_id, e.site_id, e.participant_id).where(e.id == escalation_id)).first()
    return None if row is None else TaskSubject(*row)


class Holder(NamedTuple):
    """Who has a task: ids of users, None where nobody."""

    acknowledged_by: int | None
    handed_to: int | None
    look_again_at: datetime | None


def holder(session: Session, escalation_id: int) -> Holder:
    """Return who has taken a task up, who it was handed to, and until when it is put off."""
    e = escalations.c
    statement = select(e.acknowledged_by, e.handed_to, e.look_again_at).where(e.id == escalation_id)
    return Holder(*session.execute(statement).one())


def acknowledge(writer: Writer, loaded: Loaded, escalation: EscalationFacts, reason: str | None = None) -> None:
    """Somebody has taken it up; it no longer goes up the ladder. A second time changes nothing.

    What was handed to somebody else is no longer theirs.
    """
    if escalation.acknowledged_at is not None or not escalation.open:
        return
    e, me = escalations.c, writer.actor.user_id
    handed_to = holder(writer.session, escalation.id).handed_to
    values: dict[str, Any] = {"acknowledged_at": writer.now, "acknowledged_by": me}
    changes: dict[str, tuple[object, object]] = {"acknowledged_at": (None, writer.now)}
    if handed_to not in (None, me):
        values |= {"handed_to": None, "handed_by": None, "handed_at": None}
        changes["handed_to"] = (handed_to, None)
    statement = update(escalations).where(e.id == escalation.id, e.acknowledged_at.is_(None))
    writer.session.execute(statement.values(**values))
    mark_changed(writer, loaded)
    writer.note(loaded, "acknowledge", "escalation", escalation.id, changes, reason)


def put_off(
    writer: Writer, loaded: Loaded, escalation_id: int, until: datetime | None, reason: str | None = None
) -> None:
    """Take it up again at `until`; None = it stands with the others again."""
    e, before = escalations.c, holder(writer.session, escalation_id).look_again_at
    writer.session.execute(update(escalations).where(e.id == escalation_id).values(look_again_at=until))
    mark_changed(writer, loaded)
    writer.note(loaded, "put_off", "escalation", escalation_id, {"look_again_at": (before, until)}, reason)


def hand_over(
    writer: Writer,
    loaded: Loaded,
    escalation: EscalationFacts,
    to: int,
    due_at: datetime,
    reason: str | None = None,
) -> None:
    """Give it to a colleague, who has not taken it up yet: until then it may go up the ladder, at `due_at`."""
    e, before = escalations.c, holder(writer.session, escalation.id)
    values = {"handed_to": to, "handed_by": writer.actor.user_id, "handed_at": writer.now, "due_at": due_at}
    none = {"acknowledged_at": None, "acknowledged_by": None}
    writer.session.execute(update(escalations).where(e.id == escalation.id).values(**values, **none))
    mark_changed(writer, loaded)
    changes: dict[str, tuple[object, object]] = {"handed_to": (before.handed_to, to)}
    if escalation.acknowledged_at is not None:
        changes["acknowledged_at"] = (escalation.acknowledged_at, None)
    if due_at != escalation.due_at:
        changes["due_at"] = (escalation.due_at, due_at)
    writer.note(loaded, "hand_over", "escalation", escalation.id, changes, reason)


@dataclass(frozen=True, slots=True)
class CallMade:
    """A telephone call that was made."""

    escalation_id: int | None
    window_id: int | None
    outcome: str
    call_back_at: datetime | None = None
    note: str | None = None
    """Free text; may unblind, so it is sealed with the participant's key."""


def record_call(writer: Writer, loaded: Loaded, made: CallMade) -> int:
    """Keep a call; return its row id. ValueError if there is a note and the participant's key is destroyed."""
    participant_id = loaded.case.participant.id
    row_id = next(writer.ids)
    note = None
    if made.note:
        if loaded.data_key is None:
            raise ValueError(f"call {row_id}: a note needs the participant's key")
        note = sealed(writer.vault.data_key(loaded.data_key, participant_id), made.note.encode(), note_place(row_id))
    writer.add(
        calls,
        {
            "id": row_id,
            "study_id": loaded.study_id,
            "participant_id": participant_id,
            "window_id": made.window_id,
            "escalation_id": made.escalation_id,
            "user_id": writer.actor.user_id,
            "called_at": writer.now,
            "outcome": made.outcome,
            "call_back_at": made.call_back_at,
            "note": note,
        },
    )
    mark_changed(writer, loaded)
    writer.note(loaded, "call", "call", row_id, {"outcome": (None, made.outcome), "window": (None, made.window_id)})
    return row_id


def note_place(call_id: int) -> str:
    """Where a call's note is sealed for."""
    return f"calls|note|{call_id}"


def missing_reason(writer: Writer, loaded: Loaded, window_id: int, reason: str) -> None:
    """Why a window has no answer (SDTM --REASND), as a person found out."""
    w = windows.c
    writer.session.execute(update(windows).where(w.id == window_id).values(missing_reason=reason))
    mark_changed(writer, loaded)
    writer.note(loaded, "explain", "window", window_id, {"missing_reason": (None, reason)})


def mark_changed(writer: Writer, loaded: Loaded) -> None:
    """Raise the participant's revision, and have their next check worked out at the end of the transaction."""
    p = participants.c
    statement = update(participants).where(p.id == loaded.case.participant.id)
    writer.session.execute(statement.values(revision=p.revision + 1))
    writer.check_again(loaded)


def resolve_unowned(writer: Writer, escalation_id: int, outcome: str) -> None:
    """End an escalation that is about no participant (a text from an unknown telephone)."""
    e = escalations.c
    row = writer.session.execute(select(e.study_id, e.resolved_at).where(e.id == escalation_id)).first()
    if row is None or row.resolved_at is not None:
        return
    values = {"resolved_at": writer.now, "resolved_by": writer.actor.user_id, "outcome": outcome}
    writer.session.execute(update(escalations).where(e.id == escalation_id).values(**values))
    entry = Entry("resolve", "escalation", escalation_id, {"outcome": (None, outcome)}, row.study_id)
    writer.audit(entry, zone_of("UTC"))


def telephone(writer: Writer, loaded: Loaded) -> str | None:
    """The participant's number in clear, and the audit row that says who looked; None without a number."""
    if loaded.phone is None or loaded.data_key is None:
        return None
    participant_id = loaded.case.participant.id
    key = writer.vault.data_key(loaded.data_key, participant_id)
    writer.note(loaded, "view_contact", "participant", participant_id, {"phone": (None, "shown")})
    return opened(key, loaded.phone, f"participants|phone|{participant_id}").decode()


def address(writer: Writer, loaded: Loaded) -> str | None:
    """The participant's e-mail address in clear, and the audit row that says who looked; None without an address."""
    found = contact.read_address(writer.session, writer.vault, loaded)
    if found is not None:
        changes = {"email": (None, "shown")}
        writer.note(loaded, "view_contact", "participant", loaded.case.participant.id, changes)
    return found
