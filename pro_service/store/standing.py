"""Whether this is still the database it was: which server's history it follows, and what time that server has."""

from contextlib import suppress
from datetime import datetime

from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pro_service.store.schema import installation

k = installation.c
TIMELINE = "timeline"


def timeline(connection: Connection) -> str | None:
    """The history a PostgreSQL server writes: a standby that takes over begins another one. None: nobody can tell."""
    if connection.dialect.name != "postgresql":
        return None
    # The first eight digits of a write-ahead log file's name.
    name = connection.execute(text("SELECT pg_walfile_name(pg_current_wal_lsn())")).scalar_one()
    return str(name)[:8]


def known_timeline(session: Session) -> str | None:
    """The history this database followed when it was last looked at."""
    return session.scalar(select(k.value).where(k.key == TIMELINE))


def remember_timeline(session: Session, value: str) -> None:
    """From now on it follows this one."""
    if session.connection().execute(update(installation).where(k.key == TIMELINE).values(value=value)).rowcount == 0:
        # Another that started in the same instant may have been first, and has written the same.
        with suppress(IntegrityError), session.begin_nested():
            session.execute(insert(installation).values(key=TIMELINE, value=value))


def server_time(connection: Connection) -> datetime | None:
    """What time the database server has; None where it has no clock of its own."""
    if connection.dialect.name != "postgresql":
        return None
    now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now
