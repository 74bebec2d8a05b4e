"""Whether this is still the database it was, whether its texts reach people, and whether the clock is believed.

Which server's history it follows, what time that server has, and why nothing is decided by our clock at the moment.
"""

from contextlib import suppress
from datetime import datetime
from typing import Literal, TypeAlias

from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from pro_service.store.schema import installation
from pro_service.store.session import Session

k = installation.c
TIMELINE = "timeline"
DOUBT = "clock_doubt"
"""Why the clock is not believed, as long as it is not; no row = it is."""

TEXTS_GO_TO = "texts_go_to"
Reached: TypeAlias = Literal["people", "simulated"]
"""Whose telephones the texts of a database go to: it is one or the other, for good."""


def reached(session: Session) -> str | None:
    """Whose telephones the texts of this database went to; None before the first."""
    return session.scalar(select(k.value).where(k.key == TEXTS_GO_TO))


def note_reached(session: Session, whose: Reached) -> None:
    """Note whose telephones a text goes to, unless that is noted already."""
    if reached(session) is None:
        _keep(session, TEXTS_GO_TO, whose)


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
    _keep(session, TIMELINE, value)


def clock_doubt(asking: Session | Connection) -> str | None:
    """Why nothing is decided by our clock; None where it is believed."""
    found: str | None = asking.execute(select(k.value).where(k.key == DOUBT)).scalar()
    return found


def doubt_clock(session: Session, why: str) -> bool:
    """Note that the clock is not believed, and why; False if that is noted already."""
    if clock_doubt(session) == why:
        return False
    _keep(session, DOUBT, why)
    return True


def believe_clock(session: Session) -> bool:
    """Note that the clock is believed; False if it was."""
    return session.execute(delete(installation).where(k.key == DOUBT)).rowcount > 0


def _keep(session: Session, key: str, value: str) -> None:
    if session.execute(update(installation).where(k.key == key).values(value=value)).rowcount == 0:
        # Another that looked in the same instant may have been first, and has written the same.
        with suppress(IntegrityError), session.begin_nested():
            session.execute(insert(installation).values(key=key, value=value))


def server_time(connection: Connection) -> datetime | None:
    """What time the database server has; None where it has no clock of its own."""
    if connection.dialect.name != "postgresql":
        return None
    now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now


def is_elsewhere(connection: Connection) -> bool:
    """Whether the database server is another machine, as far as its address tells: its clock is another one then."""
    if connection.dialect.name != "postgresql":
        return False
    # Neither address is known where a socket of this machine is used.
    return bool(connection.execute(text("SELECT inet_server_addr() <> inet_client_addr()")).scalar_one())
