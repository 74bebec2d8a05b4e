"""Find what is still open in a study, and have the next tick look at all its participants."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from pro_service.core.case import PENDING
from pro_service.store.schema import IS_TEXT, escalations, messages, participants, windows
from pro_service.store.session import Session

w, m, p, e = windows.c, messages.c, participants.c, escalations.c
_UNCOUNTED = (w.settled.is_(None), w.cancelled_at.is_(None))


@dataclass(frozen=True, slots=True)
class OpenTask:
    """One task that is still open; `participant`: a code, None where it is about nobody yet."""

    id: int
    participant: str | None
    level: str
    reason: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Rest:
    """What is still open in a study."""

    texts: int
    """Texts to participants that wait, or may be leaving."""
    open_windows: int
    """Windows that are open, and not counted."""
    windows_to_come: int
    closed_windows: int
    """Windows that have closed, and are not counted yet."""
    tasks: tuple[OpenTask, ...]

    @property
    def uncounted(self) -> int:
        """Every window that is not counted."""
        return self.open_windows + self.windows_to_come + self.closed_windows


def rest(session: Session, study_id: int, now: datetime) -> Rest:
    """Return what is still open in a study."""
    texts = select(func.count()).where(
        m.study_id == study_id, m.state.in_(sorted(PENDING)), IS_TEXT, m.participant_id.is_not(None)
    )
    uncounted = select(func.count()).where(w.study_id == study_id, *_UNCOUNTED)
    tasks = (
        select(e.id, p.code.label("participant"), e.level, e.reason, e.due_at)
        .select_from(escalations.outerjoin(participants, p.id == e.participant_id))
        .where(e.study_id == study_id, e.resolved_at.is_(None))
        .order_by(e.due_at, e.id)
    )
    return Rest(
        texts=_count(session.scalar(texts)),
        open_windows=_count(session.scalar(uncounted.where(w.opens_at <= now, w.closes_at > now))),
        windows_to_come=_count(session.scalar(uncounted.where(w.opens_at > now))),
        closed_windows=_count(session.scalar(uncounted.where(w.closes_at <= now))),
        tasks=tuple(OpenTask(*row) for row in session.execute(tasks)),
    )


def look_at_everybody(session: Session, study_id: int, now: datetime) -> None:
    """Have the next tick look at every participant of a study."""
    session.execute(update(participants).where(p.study_id == study_id).values(next_check_at=now))


def _count(found: int | None) -> int:
    return found or 0
