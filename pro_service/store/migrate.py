"""Bringing a database to the schema this release speaks, and saying whether it answers and is at that schema."""

import errno
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from pro_service import paths
from pro_service.core.problems import SetUpError
from pro_service.store import heartbeats
from pro_service.store.database import Sessions
from pro_service.store.schema import installation
from pro_service.store.unavailable import UNREACHABLE, Cause, why_unavailable
from pro_service.store.vault import make_keys, open_vault

TEST = "test"
TRIED = "write_tried"
"""What is written where it is only tried whether anything can be."""


class BehindError(SetUpError):
    """The database's schema is not the one this release speaks."""


class TestDatabaseError(SetUpError):
    """A database in use cannot be declared a test database, nor the reverse."""

    __test__ = False


@dataclass(frozen=True, slots=True)
class Database:
    """The state of the database; `beat_at`: when the scheduler was last alive, None if never or unknown."""

    reachable: bool
    current: bool
    beat_at: datetime | None


def config() -> Config:
    """Alembic's configuration, with migrations found in the wheel or beside the package."""
    folder = paths.migrations()
    found = Config(str(folder / "alembic.ini"))
    found.set_main_option("script_location", str(folder).replace("%", "%%"))
    return found


@cache
def head() -> str:
    """The newest revision this release knows: read once, for a release's migrations do not change while it runs."""
    return ScriptDirectory.from_config(config()).get_current_head() or ""


def revision(engine: Engine) -> str | None:
    """The revision the database is at; None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def require_current(engine: Engine) -> None:
    """BehindError, naming the command, unless the schema is this release's."""
    found, wanted = revision(engine), head()
    if found != wanted:
        raise BehindError("schema_behind", revision=found or "none", wanted=wanted)


def upgrade(engine: Engine, data_keys: tuple[tuple[str, bytes], ...], *, test: bool = False) -> tuple[str | None, str]:
    """Migrate to the newest revision and make the keys of a new database; return (revision before, after).

    `test` marks a *new* database as one whose clock may be set by PRO_SERVICE_NOW. TestDatabaseError if the database
    already holds a study. WrongKeyError if the settings' keys do not open it.
    """
    before = revision(engine)
    alembic = config()
    with engine.connect() as connection:
        alembic.attributes["connection"] = connection
        command.upgrade(alembic, "head")
        if connection.in_transaction():
            connection.commit()
    with Session(engine) as session, session.begin():
        make_keys(session, data_keys)
        open_vault(session, data_keys)
        if test:
            _mark_as_test(session, new=before is None)
    return before, head()


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

    Tried with a file that gets no name: whoever opens and closes the database's own file ends SQLite's locks on it.
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
    """Return why the database takes no write; None if it does. What is written says nothing and holds no instant."""
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


def _mark_as_test(session: Session, *, new: bool) -> None:
    if is_test(session):
        return
    if not new:
        raise TestDatabaseError("not_a_new_database")
    session.execute(insert(installation).values(key=TEST, value="yes"))
