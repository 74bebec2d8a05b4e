"""How much room is left on the disks on which this service writes, and refusing what would not fit."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from pro_service.core.problems import SetUpError

MEGABYTE = 1_000_000
SPARE = 10 * MEGABYTE
"""Bytes that must be left on a disk beside what is to be written."""
LITTLE_SPACE, NO_SPACE = 1000 * MEGABYTE, 100 * MEGABYTE
"""Free bytes below which a disk is to be minded, and below which it is as good as full."""


@dataclass(frozen=True, slots=True)
class Disk:
    """One disk: what is written on it (`database`, `backups`), and bytes."""

    holds: tuple[str, ...]
    free: int
    wanted: int
    """Below this many free bytes it is to be minded: also where another copy of the database would not fit."""

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
