"""Whether a database answers, is at the schema that this release speaks, is whole, and takes a write."""

import errno
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, inspect, select, text, update
from sqlalchemy.exc import ProgrammingError

from pro_service import paths
from pro_service.core.problems import SetUpError
from pro_service.store import heartbeats
from pro_service.store.database import Sessions
from pro_service.store.schema import installation
from pro_service.store.session import Session
from pro_service.store.unavailable import UNREACHABLE, Cause, why_unavailable

TEST = "test"
UNFINISHED = "pro_service_unfinished"
"""A table without columns: as long as it is there, the database is being made from another one."""
TRIED = "write_tried"
"""The key of the row that is written only to see whether the database takes a write."""

REVISIONS = "alembic_version"
"""The table in which alembic keeps the revision of a database."""


class BehindError(SetUpError):
    """The database's schema is not the one this release speaks."""


@dataclass(frozen=True, slots=True)
class Database:
    """The state of the database; `beat_at`: when the scheduler was last alive, None if never or unknown."""

    reachable: bool
    current: bool
    beat_at: datetime | None


@cache
def known_revisions() -> frozenset[str]:
    """Return every revision that this release knows: migrations are numbered, and a file is named for its number.

    Read once, for a release's migrations do not change while it runs.
    """
    return frozenset(file.name.partition("_")[0] for file in (paths.migrations() / "versions").glob("[0-9]*.py"))


def head() -> str:
    """Return the newest revision this release knows."""
    return max(known_revisions())


def is_known(wanted: str) -> bool:
    """Whether this release knows a revision: not one of a newer release."""
    return wanted in known_revisions()


def revision(engine: Engine) -> str | None:
    """The revision the database is at; None for an empty one."""
    with engine.connect() as connection:
        return revision_of(connection)


def revision_of(connection: Connection) -> str | None:
    """Return the revision of this connection's database; None for an empty one."""
    if not inspect(connection).has_table(REVISIONS):
        return None
    found: str | None = connection.scalar(text(f"SELECT version_num FROM {REVISIONS}"))  # noqa: S608 -- our own name
    return found


def require_current(engine: Engine, *, finished: bool = True) -> None:
    """BehindError, naming the command, unless the schema is this release's.

    SetUpError where the database is still being made; not for those who make it (`finished` is False).
    """
    if finished:
        require_finished(engine)
    found, wanted = revision(engine), head()
    if found != wanted:
        raise BehindError("schema_behind", revision=found or "none", wanted=wanted)


def require_finished(engine: Engine) -> None:
    """SetUpError if a restore into this database, or a copy, has not ended."""
    with engine.connect() as connection:
        if is_unfinished(connection):
            raise SetUpError("database_unfinished")


def is_unfinished(connection: Connection) -> bool:
    """Whether this database is still being made from another one. On SQLite it is a file under another name then."""
    if connection.dialect.name == "sqlite":
        return False
    return bool(connection.scalar(text(f"SELECT to_regclass('{UNFINISHED}') IS NOT NULL")))


def mark_unfinished(connection: Connection) -> None:
    """Let no program open this database."""
    connection.execute(text(f"CREATE TABLE {UNFINISHED} ()"))


def mark_finished(connection: Connection) -> None:
    """Let programs open it."""
    connection.execute(text(f"DROP TABLE {UNFINISHED}"))


def require_right_to_create(connection: Connection) -> None:
    """SetUpError if this role of PostgreSQL may make no tables."""
    if not connection.scalar(text("SELECT has_schema_privilege(current_schema(), 'CREATE')")):
        raise SetUpError("role_may_not_create")


def is_test(session: Session) -> bool:
    """Whether this database was made with `db upgrade --test`."""
    return session.scalar(select(installation.c.value).where(installation.c.key == TEST)) == "yes"


def check_database(sessions: Sessions, beat: str) -> Database:
    """Ask the database; never raises because it is away."""
    try:
        if revision(sessions.engine) != head():
            return Database(reachable=True, current=False, beat_at=None)
        with sessions.reading() as session:
            return Database(reachable=True, current=True, beat_at=heartbeats.last(session, beat))
    except UNREACHABLE:
        return Database(reachable=False, current=False, beat_at=None)


def write(sessions: Sessions, beat: str, now: datetime, every: timedelta) -> Cause | None:
    """Return why the database takes no write; None if it does: a heartbeat, at most one in `every`."""
    try:
        with sessions.glance() as connection:
            last = heartbeats.last_beat(connection, beat)
        if last is not None and abs(now - last) < every:
            return None
        with sessions.begin() as session:
            heartbeats.beat(session, beat, now)
    except (*UNREACHABLE, ProgrammingError) as fault:
        if (cause := why_unavailable(fault)) is None:
            raise
        return "read_only" if cause == "disk" and _turned_read_only(sessions) else cause
    return None


def _turned_read_only(sessions: Sessions) -> bool:
    """Whether a file system has turned read-only under an open database: SQLite calls that a fault of the disk.

    Tried with a file that gets no name. To open and close the database's own file would end SQLite's locks on it.
    """
    database = sessions.engine.url.database
    if not sessions.sqlite or not database:
        return False
    try:
        os.close(os.open(Path(database).parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as fault:
        return fault.errno == errno.EROFS
    except AttributeError:  # not on every system
        return False
    return False


def try_to_write(sessions: Sessions) -> Cause | None:
    """Return why the database takes no write; None if it takes one. What is written means nothing."""
    key, value = installation.c.key, installation.c.value
    try:
        with sessions.begin() as session:
            before = session.scalar(select(value).where(key == TRIED))
            after = "even" if before == "odd" else "odd"
            if before is None:
                session.execute(insert(installation).values(key=TRIED, value=after))
            else:
                session.execute(update(installation).where(key == TRIED).values(value=after))
    except (*UNREACHABLE, ProgrammingError) as fault:
        if (cause := why_unavailable(fault)) is None:
            raise
        return cause
    return None
