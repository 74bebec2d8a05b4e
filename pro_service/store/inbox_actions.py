"""What people did with texts that no rule understood: each thing once a text, append-only, audited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pro_service.store.audit import Entry
from pro_service.store.cases import Loaded, zone_of
from pro_service.store.records import Writer
from pro_service.store.schema import escalations, inbox_actions, users


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that was done with a text."""

    action: str
    at: datetime
    who: str | None
    """E-mail of the member of staff; None for the command line."""
    detail: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that is being done with a text."""

    inbound_id: int
    action: str
    detail: str | None = None
    reason: str | None = None
    changes: Mapping[str, tuple[object, object]] | None = None


def done(session: Session, inbound_id: int) -> Sequence[Done]:
    """What was done with this text, in order."""
    a = inbox_actions.c
    statement = (
        select(a.action, a.at, users.c.email, a.detail, a.reason)
        .outerjoin(users, users.c.id == a.user_id)
        .where(a.inbound_id == inbound_id)
        .order_by(a.id)
    )
    return [Done(*row) for row in session.execute(statement)]


def keep(writer: Writer, study_id: int, loaded: Loaded | None, act: Act) -> None:
    """Keep what is being done, with its audit row; a second time the same is refused by the table's own constraint."""
    participant_id = None if loaded is None else loaded.case.participant.id
    writer.add(
        inbox_actions,
        {
            "study_id": study_id,
            "inbound_id": act.inbound_id,
            "participant_id": participant_id,
            "user_id": writer.actor.user_id,
            "at": writer.now,
            "action": act.action,
            "detail": act.detail,
            "reason": act.reason,
        },
    )
    changes = {"detail": (None, act.detail)} | dict(act.changes or {})
    zone = zone_of("UTC") if loaded is None else loaded.case.site_zone
    action = f"inbox_{act.action}"
    entry = Entry(action, "inbound", act.inbound_id, changes, study_id, participant_id, act.reason)
    writer.audit(entry, zone)


def strangers_tasks(session: Session, sender_index: bytes, study_id: int) -> Sequence[int]:
    """Open tasks "possible participant" about this telephone."""
    e = escalations.c
    mine = e.dedup_key.like(f"E0:possible_participant:{sender_index.hex()[:24]}:%")
    return session.scalars(select(e.id).where(mine, e.study_id == study_id, e.resolved_at.is_(None))).all()
