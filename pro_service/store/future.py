"""Rows from the future, left by a clock that ran ahead: whatever they say, they happened by now.

Other processes write at the same time, and their clocks may be a little ahead; that does not count as the future.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Column, ColumnElement, Table, and_, case, func, literal, or_, select, update

from pro_service.core.case import PROMPTS, WRONG_CLOCK
from pro_service.core.trusted_time import AGREES
from pro_service.store.messages.channels import LONGEST_REST
from pro_service.store.schema import (
    attempts,
    channels,
    escalations,
    heartbeats,
    messages,
    participants,
    studies,
    windows,
)
from pro_service.store.session import Session

RECENT = timedelta(days=62)
"""A text that was queued longer ago is not looked at again."""
OPEN = ("sending", "uncertain")
"""States of a text that may or may not have left."""
a, c, e, h, m, p, w = attempts.c, channels.c, escalations.c, heartbeats.c, messages.c, participants.c, windows.c


def participants_ahead(session: Session, after: int, limit: int) -> Sequence[int]:
    """Return ids, in their order and above `after`, of participants with a window: time decides about no others."""
    ahead = select(w.id).where(w.participant_id == p.id, w.cancelled_at.is_(None)).exists()
    return session.scalars(select(p.id).where(p.id > after, ahead).order_by(p.id).limit(limit)).all()


def bring_back(session: Session, now: datetime) -> int:
    """Set instants that lie in the future to now; return how many rows had one.

    Not those of participants, their windows and the tasks that time raised: the rules decide about these.
    """
    changed = _bring_back(session, heartbeats, now, (h.at,))
    for study_id in (None, *session.scalars(select(studies.c.id))):
        of_study = m.study_id.is_(None) if study_id is None else m.study_id == study_id
        recent = and_(of_study, m.queued_at > now - RECENT)
        # A text that was queued now may wait for days: only one queued in the future has its next try moved.
        waits = update(messages).where(recent, m.queued_at > now + AGREES, m.state == "ready", m.kind.not_in(PROMPTS))
        session.execute(waits.values(next_try_at=now))
        # A prompt whose fate nobody knows keeps its moment: if it never left, it was queued too early to go again.
        known = or_(m.state.not_in(OPEN), m.kind.not_in(PROMPTS))
        dates = m.queued_at, m.accepted_at, m.sent_at, m.ended_at
        changed += _bring_back(session, messages, now, dates, recent, known)
    # When the call began is unknown now. The moment stays: the key by which a provider knows the attempt is made of it.
    begun = update(attempts).where(a.started_at > now + AGREES, a.message_id.in_(select(m.id).where(m.state.in_(OPEN))))
    begun = begun.where(or_(a.error.is_(None), a.error != WRONG_CLOCK))
    changed += session.execute(begun.values(error=WRONG_CLOCK)).rowcount
    changed += _bring_back(session, escalations, now, (e.acknowledged_at, e.resolved_at, e.handed_at))
    changed += _bring_back(
        session, escalations, now, (e.raised_at, e.due_at), e.participant_id.is_(None), e.raised_at > now
    )
    # Moments are reserved less far ahead than a channel rests.
    far = now + LONGEST_REST
    rests = update(channels).where(or_(c.stopped_until > far, c.free_at > far))
    return changed + session.execute(rests.values(stopped_until=None, free_at=None)).rowcount


def _bring_back(
    session: Session, table: Table, now: datetime, columns: Sequence[Column[datetime]], *which: ColumnElement[bool]
) -> int:
    late = or_(*(column > now + AGREES for column in columns))
    values = {column.name: case((column > now + AGREES, literal(now, column.type)), else_=column) for column in columns}
    return session.execute(update(table).where(late, *which).values(values)).rowcount


def any_beat_ahead(session: Session, now: datetime) -> bool:
    """Whether a heartbeat lies in the future."""
    return bool(session.scalar(select(func.count()).select_from(heartbeats).where(h.at > now + AGREES)))
