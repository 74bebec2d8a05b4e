"""Bringing a database to the schema this release speaks, and saying whether it answers and is at that schema."""

import errno
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, insert, select, text, update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from pro_service import paths
from pro_service.core.problems import SetUpError
from pro_service.store import heartbeats
from pro_service.store.database import Sessions, refuse_shared
from pro_service.store.disk import require_room
from pro_service.store.schema import installation, metadata
from pro_service.store.unavailable import UNREACHABLE, Cause, why_unavailable
from pro_service.store.vault import make_keys, open_vault

TEST = "test"
UNFINISHED = "pro_service_unfinished"
"""A table without columns: as long as it is there, the database is being made from another one."""
TRIED = "write_tried"
"""The key of the row that is written only to see whether the database takes a write."""

Progress = Callable[[int, int], None]
"""Called with how many migrations are done, and how many there are."""
WAIT_SECONDS = 600
"""How long an upgrade waits for another one."""
_UPGRADING = 0x75706772
"""The number of the lock that whoever upgrades a database holds."""


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
        return revision_of(connection)


def revision_of(connection: Connection) -> str | None:
    """Return the revision of this connection's database; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def is_known(wanted: str) -> bool:
    """Whether this release knows a revision: not one of a newer release."""
    return wanted in {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}


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


def upgrade(
    engine: Engine,
    data_keys: tuple[tuple[str, bytes], ...],
    *,
    test: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> tuple[str | None, str]:
    """Migrate to the newest revision and make the keys of a new database; return (revision before, after).

    All migrations are one transaction: whatever ends it early leaves the database as it was. `test` marks a *new*
    database as one whose clock may be set by PRO_SERVICE_NOW. TestDatabaseError if the database already holds a study.
    WrongKeyError if the settings' keys do not open it.
    """
    before = revision(engine)
    lay_out(engine, progress)
    with Session(engine) as session, session.begin():
        make_keys(session, data_keys)
        open_vault(session, data_keys)
        if test:
            _mark_as_test(session, new=before is None)
    return before, head()


def lay_out(engine: Engine, progress: Progress = lambda _done, _total: None) -> None:
    """Bring the tables to the newest revision."""
    alembic, done = config(), itertools.count(1)
    missing = ScriptDirectory.from_config(alembic).iterate_revisions("head", revision(engine) or "base")
    total = sum(1 for _ in missing)
    alembic.attributes["applied"] = lambda **_step: progress(next(done), total)
    with engine.connect() as connection:
        alembic.attributes["connection"] = connection
        command.upgrade(alembic, "head")
        if connection.in_transaction():
            connection.commit()


@contextmanager
def alone(engine: Engine, waiting: Callable[[], None]) -> Iterator[None]:
    """Let one upgrade of this database run at a time; `waiting` is called if another one is running.

    Raise SetUpError or OperationalError if that one does not end. On SQLite, other writers wait in the same queue.
    """
    if engine.dialect.name == "sqlite":
        with ExitStack() as entered:
            try:
                entered.enter_context(Sessions(engine).alone_in_line(WAIT_SECONDS, waiting))
            except TimeoutError:
                raise SetUpError("database_locked") from None
            yield
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(text(f"SELECT pg_try_advisory_lock({_UPGRADING})")):
            waiting()
            connection.execute(text(f"SET lock_timeout = {WAIT_SECONDS * 1000}"))
            connection.execute(text(f"SELECT pg_advisory_lock({_UPGRADING})"))
        try:
            yield
        finally:
            # The connection goes back to a pool: what it holds must not.
            connection.invalidate()


def refuse_unable(engine: Engine) -> None:
    """Raise SetUpError if an upgrade could not be finished, before it begins: rights, a pooler, room on the disk."""
    if engine.dialect.name == "sqlite":
        file = Path(engine.url.database or "")
        if not all(os.access(path, os.W_OK) for path in (file, file.parent)):
            raise SetUpError("database_forbidden")
        # A migration that makes tables anew writes each page twice: into the log, and from there into the file.
        require_room(file.parent, 2 * file.stat().st_size, "upgrade_no_room")
        return
    refuse_shared(engine)
    with engine.connect() as connection:
        if connection.scalar(text("SELECT pg_is_in_recovery()")):
            raise SetUpError("database_read_only")
        require_right_to_create(connection)
        if connection.scalar(_OWNED_BY_OTHERS):
            raise SetUpError("role_owns_not")


def require_right_to_create(connection: Connection) -> None:
    """SetUpError if this role of PostgreSQL may make no tables."""
    if not connection.scalar(text("SELECT has_schema_privilege(current_schema(), 'CREATE')")):
        raise SetUpError("role_may_not_create")


_OWNED_BY_OTHERS = text(
    "SELECT EXISTS (SELECT FROM pg_class WHERE relname = ANY(:names) AND relkind = 'r' "
    "AND relnamespace = current_schema()::regnamespace AND NOT pg_has_role(current_user, relowner, 'USAGE'))"
).bindparams(names=["alembic_version", *metadata.tables])


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


def _mark_as_test(session: Session, *, new: bool) -> None:
    if is_test(session):
        return
    if not new:
        raise TestDatabaseError("not_a_new_database")
    session.execute(insert(installation).values(key=TEST, value="yes"))
