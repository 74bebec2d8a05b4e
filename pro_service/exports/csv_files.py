"""CSV files of a data set: comma, LF, UTF-8 without a mark, an empty cell for what is missing; hashed as they grow."""

import csv
import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pro_service.exports.tables import Cell, Table

CHUNK = 2_000
"""Rows that are written together."""


class WrittenFile(NamedTuple):
    """A file of the set, as the manifest lists it."""

    path: str
    """Relative to the set's folder, with slashes."""
    rows: int | None
    """Without the head; None of a file that is no table."""
    sha256: str
    """In hexadecimal."""
    size: int
    """In bytes."""


def write_table(folder: Path, table: Table, rows: Iterable[Sequence[Cell]]) -> WrittenFile:
    """Write a table into its file; OSError if the disk is full or does not let it."""
    return write_rows(folder, table.path, [column.name for column in table.columns], rows)


def write_rows(folder: Path, path: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> WrittenFile:
    """Write a CSV file with a head, readable by its owner alone."""
    page, digest, count, size = io.StringIO(), hashlib.sha256(), 0, 0
    line = csv.writer(page, lineterminator="\n")
    line.writerow(head)
    with private(folder / path) as file:
        for part in _parts(rows):
            line.writerows(part)
            count += len(part)
            data = page.getvalue().encode()
            digest.update(data)
            size += file.write(data)
            page.seek(0)
            page.truncate()
    return WrittenFile(path, count, digest.hexdigest(), size)


def write_text(folder: Path, path: str, text: str) -> WrittenFile:
    """Write a file of text, readable by its owner alone."""
    data = text.encode()
    with private(folder / path) as file:
        file.write(data)
    return WrittenFile(path, None, hashlib.sha256(data).hexdigest(), len(data))


def written(folder: Path, path: str, rows: int | None = None) -> WrittenFile:
    """Return what the manifest says of a file that is there already."""
    with (folder / path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return WrittenFile(path, rows, digest, file.tell())


def private(file: Path) -> io.BufferedWriter:
    """Open a new file that nobody else on this machine can read, and the folders above it."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _parts(rows: Iterable[Sequence[Cell]]) -> Iterator[list[Sequence[Cell]]]:
    """Yield the rows some at a time; once at least, so that the head is written."""
    source = iter(rows)
    part = list(islice(source, CHUNK))
    yield part
    while len(part) == CHUNK:
        part = list(islice(source, CHUNK))
        yield part
