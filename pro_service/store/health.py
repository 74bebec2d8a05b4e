"""Whether the database answers and speaks this release's schema."""

from dataclasses import dataclass
from datetime import datetime

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
