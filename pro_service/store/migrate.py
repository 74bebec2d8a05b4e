"""Bringing a database to the schema this release speaks. Alembic is known here alone, and takes long to import."""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, insert, text

from pro_service import paths
from pro_service.core.problems import SetUpError
from pro_service.store.database import Sessions, refuse_shared
from pro_service.store.disk import require_room
from pro_service.store.readiness import REVISIONS, TEST, head, is_test, require_right_to_create, revision
from pro_service.store.schema import installation, metadata
from pro_service.store.session import Session
from pro_service.store.vault import make_keys, open_vault

Progress = Callable[[int, int], None]
"""Called with how many migrations are done, and how many there are."""
WAIT_SECONDS = 600
"""How long an upgrade waits for another one."""
_UPGRADING = 0x75706772
"""The number of the lock that is held while a database is being upgraded."""


class TestDatabaseError(SetUpError):
    """A database in use cannot be declared a test database, nor the reverse."""

    __test__ = False


def config() -> Config:
    """Alembic's configuration, with migrations found in the wheel or beside the package."""
    folder = paths.migrations()
    found = Config(str(folder / "alembic.ini"))
    found.set_main_option("script_location", str(folder).replace("%", "%%"))
    return found


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
    with engine.begin() as connection:
        session = Session(connection)
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


_OWNED_BY_OTHERS = text(
    "SELECT EXISTS (SELECT FROM pg_class WHERE relname = ANY(:names) AND relkind = 'r' "
    "AND relnamespace = current_schema()::regnamespace AND NOT pg_has_role(current_user, relowner, 'USAGE'))"
).bindparams(names=[REVISIONS, *metadata.tables])


def _mark_as_test(session: Session, *, new: bool) -> None:
    if is_test(session):
        return
    if not new:
        raise TestDatabaseError("not_a_new_database")
    session.execute(insert(installation).values(key=TEST, value="yes"))
