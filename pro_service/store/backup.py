"""A database as a file: a consistent copy of it while it is in use, and an empty place into which a copy is put.

SQLite writes its own copy (VACUUM INTO); for PostgreSQL pg_dump and pg_restore do, which must not be older than the
server. Whatever ends early leaves nothing that could be taken for whole: files are made under another name, and a
PostgreSQL database is marked as unfinished until everything is in it.
"""

import errno
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, inspect, make_url, text
from sqlalchemy.exc import DBAPIError

from pro_service.core.problems import SetUpError
from pro_service.settings import environment
from pro_service.store import erasures, keys, readiness
from pro_service.store.database import Sessions, make_engine, refuse_shared, sqlite_module
from pro_service.store.disk import part_of, require_room, sync
from pro_service.store.manifests import FILE
from pro_service.store.schema import AnyRow
from pro_service.store.session import Session
from pro_service.store.unavailable import why_unavailable


@dataclass(frozen=True, slots=True)
class Facts:
    """What a copy holds, as of the same instant as the copy."""

    engine: str
    engine_version: str
    schema_revision: str
    data_key_ids: tuple[str, ...]
    """Ids of the keys of the settings that open it."""
    erased: Sequence[AnyRow]
    """Rows of `erasures`; see `erasures.all_erased`."""


# --- making a copy ---------------------------------------------------------------------------------------------------


def save(engine: Engine, folder: Path, programs: Path | None) -> Facts:
    """Write a consistent copy into a folder while others go on writing; return what it holds.

    SetUpError: no room, no right to read everything, pg_dump missing or of another version. What else the disk does is
    for the caller, by `said_plainly`.
    """
    file = folder / FILE[engine.dialect.name]
    facts = _save_sqlite(engine, file) if engine.dialect.name == "sqlite" else _save_postgres(engine, file, programs)
    file.chmod(0o600)
    return facts


def _save_sqlite(engine: Engine, file: Path) -> Facts:
    with Sessions(engine).glance() as connection:
        require_room(file.parent, size(connection), "no_room")
        # Others read and write meanwhile; what was deleted or erased is not in the free space of the copy.
        connection.exec_driver_sql("VACUUM INTO ?", (str(file),))
    # As a file that nobody changes: nothing is made beside it.
    address = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
    copy = create_engine("sqlite://", creator=lambda: sqlite_module().connect(address, uri=True))
    try:
        with copy.connect() as connection:
            return _facts(connection, sqlite_module().sqlite_version)
    finally:
        copy.dispose()


def _save_postgres(engine: Engine, file: Path, programs: Path | None) -> Facts:
    refuse_shared(engine)
    steady = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with steady.connect() as connection:
        require_room(file.parent, size(connection), "no_room")
        version = _server_version(connection)
        # With a newer one the backup could not be restored on this server: the newer pg_restore says things to it that
        # it does not know, and the older one does not read the file.
        tool = _tool("pg_dump", programs, _major(version), _major(version))
        # This transaction does nothing while pg_dump works, and a server may end those that do nothing.
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
        schema = connection.scalar(text("SELECT current_schema()"))
        facts = _facts(connection, version)
        ours = ("--format=custom", "--no-owner", "--no-privileges", f"--schema={schema}", f"--snapshot={snapshot}")
        _run(tool, *ours, f"--file={file}", connection=connection)
        return facts


def _facts(connection: Connection, version: str) -> Facts:
    session = Session(connection)
    # A backup is made before an upgrade too: earlier schemas have neither table.
    known = inspect(connection).has_table
    return Facts(
        engine=connection.dialect.name,
        engine_version=version,
        schema_revision=readiness.revision_of(connection) or "",
        data_key_ids=tuple(sorted(keys.in_use(session, known))),
        erased=erasures.all_erased(session) if known("erasures") else (),
    )


def size(connection: Connection) -> int:
    """Return how many bytes a copy has at most."""
    if connection.dialect.name == "sqlite":
        pages, free, each = (
            int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * each
    tables = (
        "SELECT coalesce(sum(pg_table_size(oid)), 0) FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
    )
    return int(connection.execute(text(f"{tables} AND relkind = 'r'")).scalar_one())


# --- an empty place --------------------------------------------------------------------------------------------------


@contextmanager
def empty_place(url: str) -> Iterator[str]:
    """Give the address at which a new database is made; it is at `url` once the block ends well.

    An exception inside leaves nothing at `url`. After a kill a PostgreSQL database may hold something: no program
    opens it, and the next that is to be made there begins anew. SetUpError: there is something at `url`, or it cannot
    be written.
    """
    if url.startswith("sqlite"):
        with said_plainly():
            yield from _new_file(Path(make_url(url).database or ""))
    else:
        yield from _empty_database(url)


def _new_file(file: Path) -> Iterator[str]:
    if _holds_something(file):
        raise SetUpError("target_not_empty")
    with part_of(file) as part:
        made = part / file.name
        yield f"sqlite:///{made}"
        with closing(sqlite_module().connect(str(made))) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
        sync(made)
        # Of an empty database that a program has opened; they belong to it, and would be read with the new one.
        for ending in ("-wal", "-shm"):
            Path(f"{file}{ending}").unlink(missing_ok=True)
        made.replace(file)
        sync(file.parent)


def _holds_something(file: Path) -> bool:
    """Whether there is anything but an empty database, which every program makes that is started without one."""
    if not file.exists():
        return False
    if not file.is_file():
        return True
    try:
        with closing(sqlite_module().connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    except sqlite_module().DatabaseError:
        return True


def _empty_database(url: str) -> Iterator[str]:
    engine = make_engine(url)
    try:
        refuse_shared(engine)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # Held until the end, so that an unfinished database of somebody who is at work is not taken for a left one.
            if not connection.scalar(text(f"SELECT pg_try_advisory_lock({_MAKING})")):
                raise SetUpError("target_in_use")
            if readiness.is_unfinished(connection):
                _empty(connection)
            elif connection.scalar(_ANYTHING):
                raise SetUpError("target_not_empty")
            readiness.require_right_to_create(connection)
            readiness.mark_unfinished(connection)
            try:
                yield url
            except BaseException:
                _empty(connection)
                raise
            readiness.mark_finished(connection)
    finally:
        engine.dispose()


_MAKING = 0x6D616B65
"""The number of the lock that is held while an empty database is being filled."""
_OF_NO_EXTENSION = "NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = o.oid AND d.deptype = 'e')"
_TABLES = (
    "FROM pg_class o WHERE o.relnamespace = current_schema()::regnamespace AND o.relkind IN ('r', 'p', 'S', 'v', 'm') "
    f"AND {_OF_NO_EXTENSION}"
)
_FUNCTIONS = f"FROM pg_proc o WHERE o.pronamespace = current_schema()::regnamespace AND {_OF_NO_EXTENSION}"
_ANYTHING = text(f"SELECT EXISTS (SELECT {_TABLES}) OR EXISTS (SELECT {_FUNCTIONS})")
_DROP = text(
    "SELECT format('DROP %s IF EXISTS %s CASCADE', CASE o.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' "
    f"WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, o.oid::regclass) {_TABLES} "
    f"UNION ALL SELECT format('DROP FUNCTION IF EXISTS %s CASCADE', o.oid::regprocedure) {_FUNCTIONS}"
)


def _empty(connection: Connection) -> None:
    """Drop, in one transaction, everything that was put into a database that was empty before."""
    statements = connection.scalars(_DROP).all()
    if statements:
        connection.exec_driver_sql(f"DO $empty$ BEGIN {'; '.join(statements)}; END $empty$")


def load(url: str, file: Path, version: str, programs: Path | None) -> None:
    """Put a copy that `save` made into the place that `empty_place` gave: all of it, or nothing.

    `version` is that of the engine on which the copy was made. Raise SetUpError if there is no room, if the server is
    older than that, or if pg_restore is missing or too old.
    """
    if url.startswith("sqlite"):
        place = Path(make_url(url).database or "")
        require_room(place.parent, file.stat().st_size, "no_room")
        shutil.copyfile(file, place)
        place.chmod(0o600)
        return
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            server = _server_version(connection)
            schema = connection.scalar(text("SELECT current_schema()"))
            if _major(server) < _major(version):
                raise SetUpError("server_older", server=server, version=version)
            tool = _tool("pg_restore", programs, _major(version), _major(server))
            ours = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", f"--schema={schema}")
            _run(tool, *ours, str(file), connection=connection, target=True)
    finally:
        engine.dispose()


# --- what goes wrong -------------------------------------------------------------------------------------------------

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


@contextmanager
def said_plainly() -> Iterator[None]:
    """Raise SetUpError where a copy cannot be written: it is not the database's own disk that is full."""
    try:
        yield
    except DBAPIError as fault:
        if (cause := why_unavailable(fault)) in {"full", "disk"}:
            raise SetUpError("backup_disk_full") from None
        if cause == "not_opened":
            raise SetUpError("backup_not_writable") from None
        raise
    except OSError as fault:
        if fault.errno in _NO_ROOM:
            raise SetUpError("backup_disk_full") from None
        if fault.errno in _NOT_OURS:
            raise SetUpError("backup_not_writable") from None
        raise


# --- PostgreSQL's own programs ---------------------------------------------------------------------------------------


def _server_version(connection: Connection) -> str:
    return str(connection.scalar(text("SHOW server_version"))).split()[0]


def _major(version: str) -> int:
    return int(re.split(r"\D", version, maxsplit=1)[0])


def _tool(name: str, programs: Path | None, oldest: int, newest: int) -> str:
    """Return the program of this name. SetUpError: it is not there, or of none of these versions."""
    found = shutil.which(name if programs is None else str(programs / name))
    if found is None:
        raise SetUpError("tool_missing", tool=name)
    asked = (found, "--version")
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout  # noqa: S603 -- of the settings
    version = re.search(r"\) ([\d.]+)", said)
    if version is None or not oldest <= _major(version[1]) <= newest:
        needed = f"{oldest}" if oldest == newest else f"{oldest} to {newest}"
        raise SetUpError(
            "tool_of_other_version", tool=name, version="?" if version is None else version[1], needed=needed
        )
    return found


def _run(tool: str, *arguments: str, connection: Connection, target: bool = False) -> None:
    """Run a program on the database of this connection. SetUpError if it fails; its own words may hold data."""
    # What the address says and no more: the driver's library may know options that an older program does not.
    _, told = connection.dialect.create_connect_args(connection.engine.url)
    given = {name: str(value) for name, value in told.items() if name not in {"password", "context"}}
    # The password is in no argument: everybody on this machine can read those.
    secret = {"PGPASSWORD": str(told["password"])} if told.get("password") else {}
    address = " ".join(f"{name}='{_quoted(value)}'" for name, value in given.items())
    command = [tool, f"--dbname={address}", "--no-password", *arguments]
    surroundings = environment(LC_MESSAGES="C", **secret)
    done = subprocess.run(  # noqa: S603 -- a program of the settings
        command, env=surroundings, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode == 0:
        return
    if "No space left on device" in done.stderr:
        raise SetUpError("database_full" if target else "backup_disk_full")
    if "permission denied" in done.stderr:
        raise SetUpError("role_may_not_create" if target else "role_may_not_read")
    raise SetUpError("tool_failed", tool=Path(tool).name, status=done.returncode)


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")
