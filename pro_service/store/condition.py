"""What the database says about the condition of the service: what waits, since when, and whose work is open."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from pro_service.store import heartbeats
from pro_service.store.schema import escalations, inbound, messages, participants


@dataclass(frozen=True, slots=True)
class Condition:
    """Counts and instants; None where there is nothing."""

    studies_in_use: bool
    """Whether anybody is enrolled."""
    beat_at: datetime | None
    unread: int
    """Texts that nobody has read yet."""
    unread_since: datetime | None
    ready_since: datetime | None
    """Since when the oldest message waits that is due, or was tried in vain and is put off."""
    dead_channels: int
    """Open tasks of level E0."""
    faulty: int
    """Participants at whom the rules have failed."""


def look(session: Session, beat: str, now: datetime) -> Condition:
    """The condition at this instant; `beat` is the heartbeat that must go on."""
    i, m, e, p = inbound.c, messages.c, escalations.c, participants.c
    unread = session.execute(select(func.count(), func.min(i.received_at)).where(i.interpreted_at.is_(None))).one()
    # A try in vain puts the next one off: by that moment alone, a provider that is away would look like nothing to do.
    since = case((m.attempt > 0, m.queued_at), else_=m.next_try_at)
    ready = select(func.min(since)).where(m.state == "ready", or_(m.next_try_at <= now, m.attempt > 0))
    open_e0 = select(func.count()).select_from(escalations).where(e.level == "E0", e.resolved_at.is_(None))
    return Condition(
        studies_in_use=session.execute(select(p.id).limit(1)).first() is not None,
        beat_at=heartbeats.last(session, beat),
        unread=unread[0],
        unread_since=unread[1],
        ready_since=session.scalar(ready),
        dead_channels=session.execute(open_e0).scalar_one(),
        faulty=session.execute(select(func.count()).select_from(participants).where(p.faults > 0)).scalar_one(),
    )
