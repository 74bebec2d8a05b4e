"""Whether the database answers and speaks this release's schema."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pro_service.store import heartbeats, migrate
from pro_service.store.database import Sessions

UNREACHABLE = (OperationalError, InterfaceError, PoolTimeoutError)
"""What is raised when the database cannot be reached just now."""


@dataclass(frozen=True, slots=True)
class Database:
    """The state of the database; `beat_at`: when the scheduler was last alive, None if never or unknown."""

    reachable: bool
    current: bool
    beat_at: datetime | None


def look(sessions: Sessions, beat: str) -> Database:
    """Ask the database; never raises because it is away."""
    try:
        if migrate.revision(sessions.engine) != migrate.head():
            return Database(reachable=True, current=False, beat_at=None)
        with sessions.reading() as session:
            return Database(reachable=True, current=True, beat_at=heartbeats.last(session, beat))
    except UNREACHABLE:
        return Database(reachable=False, current=False, beat_at=None)


def write(sessions: Sessions, beat: str, now: datetime, every: timedelta) -> bool:
    """Whether the database takes a write: a heartbeat, at most one in `every`."""
    try:
        with sessions.glance() as connection:
            last = heartbeats.at(connection, beat)
        if last is not None and abs(now - last) < every:
            return True
        with sessions.begin() as session:
            heartbeats.beat(session, beat, now)
    except UNREACHABLE:
        return False
    return True
