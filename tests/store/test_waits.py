"""Every wait has an end: each lock is held in turn by another process, or by one of our own threads."""

import fcntl
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from pro_service.store import database
from pro_service.store.database import Sessions, make_engine
from pro_service.store.unavailable import UNREACHABLE, why_unavailable

TWILIO_SECONDS = 15.0

HOLD_GATE = "import fcntl,sys;f=open(sys.argv[1]);fcntl.flock(f,fcntl.LOCK_EX);print(1,flush=True);sys.stdin.read()"
HOLD_DATABASE = (
    "import sys;from pro_service.store.database import sqlite_module;"
    "c=sqlite_module().connect(sys.argv[1],isolation_level=None);c.execute('BEGIN IMMEDIATE');"
    "print(1,flush=True);sys.stdin.read()"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the file of a database in a folder that the service makes."""
    return tmp_path / "var" / "pro.db"


@pytest.fixture
def sessions(file: Path) -> Iterator[Sessions]:
    """Return the ways to a database with one table, that has written once."""
    made = Sessions(make_engine(f"sqlite:///{file}", pool_size=1))
    with made.begin() as session:
        session.execute(text("CREATE TABLE t (x INTEGER)"))
    yield made
    made.close()


@contextmanager
def held(program: str, path: Path) -> Iterator[None]:
    """Have another process hold a lock until the end of the block, and do nothing else: as if it had frozen."""
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"1\n"
        yield
        process.kill()


def write(sessions: Sessions) -> None:
    """Write one row."""
    with sessions.begin() as session:
        session.execute(text("INSERT INTO t VALUES (1)"))


def seconds(what: Callable[[], None]) -> float:
    """Return how long it took."""
    began = time.monotonic()
    what()
    return time.monotonic() - began


def test_whoever_holds_the_gate_holds_up_one_writer_for_a_moment(sessions: Sessions, file: Path) -> None:
    with held(HOLD_GATE, Path(f"{file}.gate")):
        assert database.GATE_SECONDS <= seconds(lambda: write(sessions)) < TWILIO_SECONDS
        assert seconds(lambda: write(sessions)) < database.GATE_SECONDS
    write(sessions)
    with Path(f"{file}.gate").open() as free:
        fcntl.flock(free, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_whoever_holds_the_database_is_waited_for_in_vain_but_not_for_ever(sessions: Sessions, file: Path) -> None:
    def refused() -> None:
        with pytest.raises(UNREACHABLE) as fault:
            write(sessions)
        assert why_unavailable(fault.value) == "locked"

    with held(HOLD_DATABASE, file):
        assert seconds(refused) < TWILIO_SECONDS
    write(sessions)


def test_whoever_holds_every_connection_is_waited_for_in_vain_but_not_for_ever(sessions: Sessions) -> None:
    def refused() -> None:
        with pytest.raises(UNREACHABLE), sessions.glance():
            pass

    with ExitStack() as taken:
        for _ in range(2):
            taken.enter_context(sessions.glance())
        assert seconds(refused) < TWILIO_SECONDS


def test_all_waits_together_end_before_twilio_gives_up() -> None:
    assert database.GATE_SECONDS + database.POOL_SECONDS + database.BUSY_MS / 1000 < TWILIO_SECONDS


def test_the_folder_and_its_files_are_their_owners_alone(sessions: Sessions, file: Path) -> None:
    write(sessions)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (file.parent, *file.parent.iterdir())}
    assert modes.pop("var") == 0o700
    assert set(modes) >= {"pro.db", "pro.db.gate"}
    assert set(modes.values()) == {0o600}


def test_files_of_an_earlier_release_are_closed_to_others(file: Path) -> None:
    file.parent.mkdir(mode=0o755)
    gate = Path(f"{file}.gate")
    for path in (file, gate):
        path.touch(mode=0o644)
        path.chmod(0o644)
    make_engine(f"sqlite:///{file}").dispose()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (file.parent, file, gate)]
    assert modes == [0o700, 0o600, 0o600]
