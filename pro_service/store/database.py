"""Connections: SQLite with the settings that make it safe, PostgreSQL through psycopg; one gate for waiting writers.

`Sessions.begin()` is the unit of work for writing, `Sessions.reading()` for looking. On SQLite writing starts with
BEGIN IMMEDIATE, so that facts are read under the lock that will write; reading is deferred and cannot write.
"""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from pro_service.core.problems import SetUpError
from pro_service.store.session import Session

FIXED = ((3, 51, 3), (3, 50, 7), (3, 44, 6))
"""SQLite releases from which a WAL file with two connections cannot be corrupted any more (per branch)."""

# Together below the 15 seconds after which Twilio takes a webhook as failed.
GATE_SECONDS = 2.0
"""How long a writer stands in line; then it asks SQLite itself, because nothing depends on the gate."""
POOL_SECONDS = 4.0
"""How long to wait for a free connection."""
BUSY_MS = 7_000
"""How long to wait for a lock of the database."""
CONNECT_SECONDS = 5
ALIVE_SECONDS = 1.0
"""So long a connection that was used counts as alive."""
USED_AT = "used_at"
GATE_POLL_SECONDS = 0.002
HELD_POLL_SECONDS = 0.1
MODE = "sqlite_mode"
READ_ONLY = "read_only"
"""Whether nothing can be written through a connection just now."""


def sqlite_module() -> ModuleType:
    """The driver: sqlcipher3 (used unencrypted) brings a fixed SQLite; the standard library's where it is not built."""
    try:
        from sqlcipher3 import dbapi2  # noqa: PLC0415 -- not built for every platform
    except ImportError:
        return sqlite3
    return dbapi2  # type: ignore[no-any-return]


def wal_is_safe(version: tuple[int, int, int]) -> bool:
    """Whether this SQLite release may use write-ahead logging with several connections."""
    for fixed in FIXED:
        if version >= fixed and (fixed == FIXED[0] or version[:2] == fixed[:2]):
            return True
    return version < (3, 7, 0)


def make_engine(url: str, *, pool_size: int = 10, lasting: bool = True) -> Engine:
    """An engine that hides parameters in its errors and logs.

    Not `lasting`: a SQLite file that is thrown away need not outlive a power cut, and nothing waits for the disk.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(
            parsed,
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=POOL_SECONDS,
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "tcp_user_timeout": BUSY_MS,
                "options": f"-c lock_timeout={BUSY_MS}",
            },
        )
        # Before SQLAlchemy's own first questions, which fail on an answer in no encoding.
        event.listen(engine, "connect", _refuse_other_letters, insert=True)
        event.listen(engine, "connect", _prepare_nothing_where_shared)
        _ping_after_a_pause(engine)
        return engine
    if parsed.database:
        # Where no folder can be made, opening the file says so, as for every other database out of reach.
        with suppress(OSError):
            _make_private(Path(parsed.database))
    engine = create_engine(
        parsed,
        module=sqlite_module(),
        hide_parameters=True,
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=POOL_SECONDS,
        connect_args={"timeout": BUSY_MS / 1000, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare)
    if not lasting:
        event.listen(engine, "connect", _hurry)
    event.listen(engine, "begin", _begin)
    return engine


def _refuse_other_letters(connection: Any, _record: object) -> None:
    """Raise SetUpError if the database cannot hold every letter, as one made by a server without a locale."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding not in (None, "UTF8"):
        raise SetUpError("database_encoding", encoding=encoding)


def _ping_after_a_pause(engine: Engine) -> None:
    """Ask whether a connection is alive before it is used again, unless it was used just now.

    A page takes eight from the pool, and asking each took a seventh of its time.
    """

    @event.listens_for(engine, "checkin")
    def given_back(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[USED_AT] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def taken(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        used_at = record.info.get(USED_AT)
        if used_at is None or time.monotonic() - used_at <= ALIVE_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as fault:
            # The server was restarted, say: the others are of no use either.
            raise InvalidatePoolError from fault


def _prepare_nothing_where_shared(connection: Any, _record: object) -> None:
    """A pooler such as pgbouncer may give each transaction another server connection, which lacks what was prepared."""
    connection.autocommit = True
    behind = connection.execute("SELECT pg_backend_pid()").fetchone()[0]
    connection.autocommit = False
    if behind != connection.info.backend_pid:
        connection.prepare_threshold = None


def refuse_shared(engine: Engine) -> None:
    """Raise SetUpError if a pooler gives connections to others between two transactions: no lock lasts longer then."""
    if _shares_connections(engine):
        raise SetUpError("connections_shared")


def _shares_connections(engine: Engine) -> bool:

    def backend(connection: Connection) -> int:
        return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())

    if engine.dialect.name == "sqlite":
        return False
    with engine.connect() as first:
        mine = backend(first)
        if mine == first.connection.driver_connection.info.backend_pid:  # type: ignore[union-attr]
            return False
        first.commit()
        with engine.connect() as second:
            return backend(second) == mine or backend(first) != mine


def _make_private(database: Path) -> None:
    """The database and its folder are their owner's alone: it holds answers and, encrypted, telephones.

    A folder that was there before may be anybody's, and stays as it is, unless it is called `var`: that one is ours.
    """
    if str(database) == ":memory:":
        return
    folder = database.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.name == "var":
        _close_to_others(folder, 0o700)
    if not database.exists():
        database.touch(mode=0o600)
    for ending in ("", "-wal", "-shm", "-journal", ".gate"):
        _close_to_others(Path(f"{database}{ending}"), 0o600)


def _close_to_others(path: Path, mode: int) -> None:
    """Take from others what they may do; nothing where there is no such file, or it is not ours."""
    with suppress(OSError):
        if path.stat().st_mode & 0o077:
            path.chmod(mode)


def _prepare(connection: Any, _record: object) -> None:
    """Set one SQLite connection up; transactions are begun by us, not by the driver."""
    connection.isolation_level = None
    cursor = connection.cursor()
    major, minor, patch = (int(part) for part in cursor.execute("SELECT sqlite_version()").fetchone()[0].split("."))
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    cursor.execute(f"PRAGMA journal_mode = {'WAL' if wal_is_safe((major, minor, patch)) else 'DELETE'}")
    # With NORMAL a power cut can forget a committed intent, and the text would be sent twice.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # Else INSERT OR REPLACE walks past the audit triggers.
    cursor.execute("PRAGMA recursive_triggers = ON")
    cursor.execute("PRAGMA cache_size = -65536")
    # A batch changes pages all over the file: checkpoints every 4 MB write the same ones again and again.
    cursor.execute("PRAGMA wal_autocheckpoint = 4000")
    cursor.close()


def _hurry(connection: Any, _record: object) -> None:
    """Let one connection leave writing to the operating system."""
    connection.cursor().execute("PRAGMA synchronous = OFF").close()


def _begin(connection: Connection) -> None:
    mode = connection.get_execution_options().get(MODE)
    if mode == "glance":
        return
    reading = mode == "reading"
    # Only where it changes: this pragma makes SQLite forget every statement that the connection has prepared.
    if connection.info.get(READ_ONLY) is not reading:
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reading else 'OFF'}")
        connection.info[READ_ONLY] = reading
    connection.exec_driver_sql("BEGIN DEFERRED" if reading else "BEGIN IMMEDIATE")


class Sessions:
    """The ways to the database: `begin` to change it, `reading` to look at it, `glance` for a single question."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.sqlite = engine.dialect.name == "sqlite"
        steady = {} if self.sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reading = engine.execution_options(**{MODE: "reading"}, **steady)
        alone = {} if self.sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._glancing = engine.execution_options(**{MODE: "glance"}, **alone)
        self._gate = _Gate(engine.url.database) if self.sqlite and engine.url.database else None

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One transaction that writes: commits at the end, rolls back on any exception."""
        if self._gate is None:
            with self.engine.begin() as connection:
                yield Session(connection)
        else:
            with self._gate.in_line(), self.engine.begin() as connection:
                yield Session(connection)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One consistent look; nothing can be written."""
        with self._reading.begin() as connection:
            yield Session(connection)

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """For one SELECT, without a transaction around it: whether there is anything to do is asked all the time."""
        with self._glancing.connect() as connection:
            yield connection

    @contextmanager
    def apart(self) -> Iterator[Connection]:
        """For statements that may not run inside a transaction; other writers wait meanwhile."""
        with ExitStack() as entered:
            if self._gate is not None:
                entered.enter_context(self._gate.in_line())
            connection = entered.enter_context(self._glancing.connect())
            if self.sqlite:
                connection.exec_driver_sql("PRAGMA query_only = OFF")
                connection.info[READ_ONLY] = False
            yield connection

    @contextmanager
    def alone_in_line(self, seconds: float, waiting: Callable[[], None]) -> Iterator[None]:
        """On SQLite: stand in front of other writers' line for long; TimeoutError if somebody else does until then."""
        if self._gate is None:
            yield
        else:
            with self._gate.held(seconds, waiting):
                yield

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()
        if self._gate is not None:
            self._gate.close()


class _Gate:
    """Writers wait here in line instead of in SQLite's back-off. Nothing depends on it to be right.

    So nobody waits for ever either: after `GATE_SECONDS` a writer goes on, and SQLite says whether it may. Where a
    process that holds the line has stopped, those who come after it do not wait for it again.
    """

    def __init__(self, database: str) -> None:
        self._lock = threading.Lock()
        self._path = Path(f"{database}.gate") if database != ":memory:" else None
        self._file: int | None = None
        self._stuck = False
        """Whether the last wait for the file was in vain."""

    @contextmanager
    def in_line(self) -> Iterator[None]:
        """Let the block run when those before have written, or when they take too long."""
        until = time.monotonic() + GATE_SECONDS
        if not self._lock.acquire(timeout=GATE_SECONDS):
            yield
            return
        try:
            locked = self._stand_in_line(until)
            try:
                yield
            finally:
                if locked and self._file is not None:
                    fcntl.flock(self._file, fcntl.LOCK_UN)
        finally:
            self._lock.release()

    def _stand_in_line(self, until: float) -> bool:
        """Return whether the file is locked by us."""
        if self._path is None:
            return False
        # A full disk or a folder that cannot be written: SQLite itself will say so, and in words of its own.
        with suppress(OSError):
            if self._file is None:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            while not self._locked(self._file):
                if self._stuck or time.monotonic() >= until:
                    self._stuck = True
                    return False
                time.sleep(GATE_POLL_SECONDS)
            self._stuck = False
            return True
        return False

    @contextmanager
    def held(self, seconds: float, waiting: Callable[[], None]) -> Iterator[None]:
        """Hold the file while the block runs; TimeoutError if another process does for so long."""
        if self._path is None:
            yield
            return
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            until = time.monotonic() + seconds
            told = False
            while not self._locked(file):
                if time.monotonic() > until:
                    raise TimeoutError
                if not told:
                    waiting()
                    told = True
                time.sleep(HELD_POLL_SECONDS)
            yield
        finally:
            os.close(file)

    @staticmethod
    def _locked(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None
