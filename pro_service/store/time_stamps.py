"""Time stamps of seals, as the authority outside answered."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from pro_service.store.schema import audit_timestamps
from pro_service.store.session import Session

t = audit_timestamps.c


@dataclass(frozen=True, slots=True)
class Stamped:
    """One time stamp: the number of its seal, when it was stored, and the authority's answer."""

    seal: int
    stored_at: datetime
    response: bytes


def newest(session: Session) -> Stamped | None:
    """Return the time stamp of the newest seal that has one."""
    row = session.execute(select(audit_timestamps).order_by(t.seal.desc()).limit(1)).first()
    return None if row is None else Stamped(row.seal, row.stored_at, bytes(row.response))


def after(session: Session, seal: int) -> Iterator[Stamped]:
    """Return the time stamps of the seals after this number, in their order."""
    asked = select(audit_timestamps).where(t.seal > seal).order_by(t.seal).execution_options(yield_per=100)
    for row in session.execute(asked):
        yield Stamped(row.seal, row.stored_at, bytes(row.response))


def add(session: Session, stamped: Stamped) -> None:
    """Store a time stamp; nothing happens if another process has stored one of this seal."""
    values = {"seal": stamped.seal, "stored_at": stamped.stored_at, "response": stamped.response}
    try:
        with session.begin_nested():
            session.execute(insert(audit_timestamps).values(values))
    except IntegrityError:
        return
