"""The disks on which this service writes: how much room is left, and folders that are there whole or not at all."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from pro_service.core.problems import SetUpError

MEGABYTE = 1_000_000
SPARE = 10 * MEGABYTE
"""Bytes that must be left on a disk beside what is to be written."""
LITTLE_SPACE, NO_SPACE = 1000 * MEGABYTE, 100 * MEGABYTE
"""Free bytes below which a warning is due, and below which a disk counts as full."""
PART = ".pro-service.part"
"""How names of folders end in which something is made that is not whole yet."""


@dataclass(frozen=True, slots=True)
class Disk:
    """One disk: what is written on it (`database`, `backups`), and bytes."""

    holds: tuple[str, ...]
    free: int
    wanted: int
    """A warning is due below this many free bytes, and where another copy of the database would not fit."""

    @property
    def minded(self) -> bool:
        """Whether it is nearly full."""
        return self.free < self.wanted


def disks(database_url: str, backup_dir: Path) -> Iterator[Disk]:
    """Return the disks of this machine on which a SQLite database and the backups are; a server's disk is its own."""
    url = make_url(database_url)
    file = Path(url.database or "") if url.get_backend_name() == "sqlite" and url.database else None
    size = file.stat().st_size if file is not None and file.is_file() else 0
    places = ([] if file is None else [("database", file.parent)]) + [("backups", backup_dir)]
    found: dict[int, list[tuple[str, Path]]] = {}
    for what, folder in places:
        there = next((one for one in (folder, *folder.parents) if one.is_dir()), None)
        if there is not None:
            found.setdefault(there.stat().st_dev, []).append((what, there))
    for holds in found.values():
        free = shutil.disk_usage(holds[0][1]).free
        yield Disk(tuple(what for what, _ in holds), free, max(LITTLE_SPACE, size))


def require_room(folder: Path, needed: int, code: str) -> None:
    """Raise SetUpError (`code`) if a disk has fewer free bytes than are needed, and some to spare."""
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE:
        raise SetUpError(code, needed=(needed + SPARE) // MEGABYTE + 1, free=free // MEGABYTE)


@contextmanager
def part_of(whole: Path) -> Iterator[Path]:
    """Give a new folder beside `whole`, its owner's alone, that is gone after the block unless it was renamed.

    Folders that killed processes have left beside it are deleted as well: nobody holds a lock on those.
    """
    whole.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in whole.parent.glob(f".*{PART}"):
        with suppress(OSError), _locked(left):
            shutil.rmtree(left, ignore_errors=True)
    part = Path(tempfile.mkdtemp(prefix=f".{whole.name}.", suffix=PART, dir=whole.parent))
    with _locked(part):
        try:
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock; OSError if somebody else does."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(opened)


def sync(path: Path) -> None:
    """Have the disk keep a file or folder as it is now."""
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
