"""What time calls for: one glance that an idle tick costs, and who is due."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnClause, Connection, bindparam, literal_column, or_, select

from pro_service.store.bulk import ask
from pro_service.store.messages import digests
from pro_service.store.participants import contact_tests
from pro_service.store.schema import inbound, participants
from pro_service.store.session import Session

p, i = participants.c, inbound.c


class Due(NamedTuple):
    """What there is to do now."""

    work: bool
    """Time calls for something about a participant, or a text waits to be read."""
    tests: bool
    """A test of reachability is to be decided."""
    digests: bool
    """A site's morning has come."""


def anything(connection: Connection, now: datetime) -> Due:
    """What there is to do: one question, a handful of index look-ups."""
    return Due(*map(bool, ask(connection, _ANYTHING, {"now": now})))


def participants_due(session: Session, now: datetime, limit: int) -> Sequence[int]:
    """Participants whose `next_check_at` has passed, longest first: one index range."""
    first: ColumnClause[int] = literal_column(str(int(limit)))
    return session.scalars(select(p.id).where(p.next_check_at <= now).order_by(p.next_check_at).limit(first)).all()


# Ordered and limited in so many words: a plan that PostgreSQL makes for any value takes a third of a table for due, and
# reads all of it.
_ANYTHING = select(
    or_(
        select(p.id)
        .where(p.next_check_at <= bindparam("now"))
        .order_by(p.next_check_at)
        .limit(literal_column("1"))
        .scalar_subquery()
        .is_not(None),
        select(i.id).where(i.interpreted_at.is_(None)).exists(),
    ),
    contact_tests.DUE.exists(),
    digests.DUE.exists(),
)
