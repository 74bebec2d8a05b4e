"""Tests of whether a text reaches a participant: begun, confirmed, failed; each fact is written once."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, or_, select, update

from pro_service.core.conversation.contact_test import By, Failure, ReachTest
from pro_service.store.schema import AnyRow, messages, reach_tests
from pro_service.store.session import Session
from pro_service.store.vault import token_hash

t, m = reach_tests.c, messages.c
LOST = ("undelivered", "failed", "refused", "dead", "expired", "cancelled")


def latest(session: Session, participant_id: int) -> ReachTest | None:
    """The newest test of a participant."""
    return newest(session, [participant_id]).get(participant_id)


def newest(session: Session, ids: Collection[int]) -> Mapping[int, ReachTest]:
    """The newest test of each of these participants who have one."""
    rows: Sequence[AnyRow] = session.execute(_TESTS, {"ids": list(ids)}).all()
    return {who: ReachTest(*facts) for who, *facts in rows}


def by_token(session: Session, token: str) -> tuple[int, int] | None:
    """(participant id, test id) of the test whose text carried this token."""
    row = session.execute(select(t.participant_id, t.id).where(t.token == token_hash(token))).first()
    return None if row is None else (row[0], row[1])


def message_with(session: Session, key: str) -> int:
    """The row of the outbox with this key."""
    return int(session.scalars(select(m.id).where(m.dedup_key == key)).one())


def confirm(session: Session, test_id: int, now: datetime, by: By) -> bool:
    """Say that it was confirmed; False if it had been."""
    mine = update(reach_tests).where(t.id == test_id, t.confirmed_at.is_(None))
    return session.execute(mine.values(confirmed_at=now, confirmed_by=by)).rowcount > 0


def fail(session: Session, test_id: int, now: datetime, failure: Failure) -> bool:
    """Say that it failed; False if it was decided before."""
    mine = update(reach_tests).where(t.id == test_id, t.confirmed_at.is_(None), t.failed_at.is_(None))
    return session.execute(mine.values(failed_at=now, failure=failure)).rowcount > 0


def due(session: Session, now: datetime) -> Sequence[int]:
    """Participants with an open test whose time is over, or whose text was lost."""
    return session.scalars(DUE.order_by(t.participant_id), {"now": now}).all()


# In order, so that the newest is kept last.
_TESTS = (
    select(
        *(t.participant_id, t.id, t.started_at, t.expires_at, t.confirmed_at, t.confirmed_by, t.failed_at, t.failure),
        *(m.state, m.channel),
    )
    .join(messages, m.id == t.message_id)
    .where(t.participant_id.in_(bindparam("ids", expanding=True)))
    .order_by(t.id)
)
_OPEN = and_(t.confirmed_at.is_(None), t.failed_at.is_(None))
DUE = (
    select(t.participant_id)
    .join(messages, m.id == t.message_id)
    .where(_OPEN, or_(t.expires_at <= bindparam("now"), *(m.state == state for state in LOST)))
)
