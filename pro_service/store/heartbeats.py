"""When each beat was last alive."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from pro_service.store.schema import heartbeats
from pro_service.store.session import Session

h = heartbeats.c
_LAST = select(h.at).where(h.name == bindparam("name"))


def beat(session: Session, name: str, now: datetime) -> None:
    """Write down that `name` is alive."""
    if session.execute(update(heartbeats).where(h.name == name).values(at=now)).rowcount == 0:
        try:
            with session.begin_nested():
                session.execute(insert(heartbeats).values(name=name, at=now))
        except IntegrityError:
            return


def began(name: str) -> str:
    """Return the name under which it is kept when the work of `name` began that ended with its last beat."""
    return f"{name} began"


def forget(session: Session, name: str) -> None:
    """Let `name` never have been alive: what is done now and then is due."""
    session.execute(delete(heartbeats).where(h.name == name))


def last_beat(connection: Connection, name: str) -> datetime | None:
    """When `name` was last alive, as a single question."""
    return connection.scalar(select(h.at).where(h.name == name))


def newest(connection: Connection, names: Collection[str]) -> datetime | None:
    """When any of these was last alive."""
    found: datetime | None = connection.scalar(select(func.max(h.at)).where(h.name.in_(names)))
    return found


def last(session: Session, name: str) -> datetime | None:
    """When `name` was last alive; None if never."""
    return session.scalar(_LAST, {"name": name})


def all_beats(session: Session) -> dict[str, datetime]:
    """Name -> when it was last alive."""
    return {row.name: row.at for row in session.execute(select(h.name, h.at))}
