"""A real Litestream, which copies a SQLite database to another folder as it changes."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers import places

PROGRAM = Path(sys.executable).parent / "litestream"
_WITHIN = 30.0  # seconds


@contextmanager
def replicating(database: Path, replica: Path, log: Path) -> Iterator[None]:
    """Copy a database into a folder while the block runs, and what was written last when it ends."""
    with log.open("wb") as output:
        command = (places.existing(PROGRAM), "replicate", database, f"file://{replica}")
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        try:
            _wait(process, replica, log)
            yield
        finally:
            process.terminate()
            process.wait(_WITHIN)


def _wait(process: subprocess.Popen[bytes], replica: Path, log: Path) -> None:
    """Wait until the first copy is there."""
    deadline = time.monotonic() + _WITHIN
    while not any(replica.rglob("*.ltx")):
        if process.poll() is not None or time.monotonic() > deadline:
            raise places.PeerMissingError(f"Litestream did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)


def restore(replica: Path, database: Path) -> None:
    """Put the newest copy into a file that is not there yet."""
    command = (places.existing(PROGRAM), "restore", "-o", database, f"file://{replica}")
    subprocess.run(command, capture_output=True, check=True)
