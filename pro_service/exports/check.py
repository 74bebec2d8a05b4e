"""A data set against its own manifest and codebook: every hash, every row and every cell, without a database.

Files are read once, from a folder or a ZIP file, line by line; nothing is unpacked. What a cell holds is never said.
"""

import csv
import hashlib
import json
import os
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path, PurePosixPath
from stat import S_ISLNK
from typing import IO, Any, TypeAlias, get_args

from pro_service.core.problems import Problem, RejectedError, problem
from pro_service.exports import codebook, datapackage
from pro_service.exports.tables import Kind

MANIFEST = "manifest.json"
MOST = 10
"""So many findings of one kind in one column are kept; the others are counted."""
MOST_KINDS = 1000
"""So many kinds of findings, in different files and columns, are kept."""
MOST_FILES = 10_000
LONGEST = 1 << 20
"""Bytes of a line; a line of a data set has some thousand."""
LARGEST = 1 << 26
"""Bytes of a file that is read as a whole: manifest, codebook, data package."""
DENSEST = 200
"""A ZIP file that holds more than so many times its size is no data set: one of a large study holds 30 times."""
_CHUNK = 1 << 18
_MOST_KNOWN = 10_000
"""So many different cells of a column are remembered as right."""
_FIRST = "participant"
"""What rows are sorted by first, in every file that has it; then by their key."""
_BOM = b"\xef\xbb\xbf"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,25}")
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_INTEGER = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,18})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_OF_CODEBOOK = ("file", "column", "position", "type", "minimum", "maximum", "code", "missing_means")

Progress: TypeAlias = Callable[[int, int], None]
"""Called with bytes (read, in all)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between a data set and what it says of itself."""

    problem: Problem
    file: str
    line: int | None = None
    """From 1, the header included; of a row over several lines the last."""
    column: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check has read, and all that it found."""

    files: int
    rows: int
    findings: tuple[Finding, ...]
    more: int
    """So many findings are like those in `findings`, and not among them."""


def check(place: Path, progress: Progress | None = None) -> Checked:
    """Compare a data set, a folder or a ZIP file, with its manifest and codebook.

    Raise RejectedError for what is no data set, or a ZIP file that is not safe to read.
    """
    found = _Found()
    with _opened(place, found) as files:
        listed = _manifest(files, found)
        for path in sorted(files.sizes.keys() - listed.keys() - {MANIFEST}):
            found.add("set_file_unlisted", path)
        separator, tables = _codebook(files, found)
        keys = _keys(files, found)
        read = _Reading(found, separator, tables, keys, progress, sum(files.sizes.values()))
        for path, entry in listed.items():
            if path in files.sizes:
                read.file(files, path, entry)
            else:
                found.add("set_file_missing", path)
        for path in tables.keys() - listed.keys():
            found.add("set_described_missing", path)
    kept, more = found.all()
    return Checked(len(listed), read.rows, kept, more)


# --- what was found ---------------------------------------------------------------------------------------------------


class _Found:
    """Findings, of each kind in each column the first few, and how many there are."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._beyond = 0

    def add(self, code: str, file: str, line: int | None = None, column: str = "", /, **values: object) -> None:
        kind = (code, file, column)
        if kind not in self._counts and len(self._counts) >= MOST_KINDS:
            self._beyond += 1
            return
        self._counts[kind] += 1
        if self._counts[kind] <= MOST:
            self._kept.append(Finding(problem(code, "", line, **values), _shown(file), line, _shown(column)))

    def all(self) -> tuple[tuple[Finding, ...], int]:
        """Return those that were kept, by file and line, and how many more there are."""
        ordered = sorted(self._kept, key=lambda one: (one.file, one.line or 0))
        return tuple(ordered), self._counts.total() + self._beyond - len(ordered)


def _shown(name: str) -> str:
    """Return a name from a file of unknown origin as a terminal can show it."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:200])


# --- where the files are ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of a set, by their paths in it."""

    sizes: Mapping[str, int]
    open: Callable[[str], IO[bytes]]

    def whole(self, path: str) -> bytes | None:
        """Return what a small file holds; None if it is not there, too large or damaged."""
        if path not in self.sizes or self.sizes[path] > LARGEST:
            return None
        try:
            with self.open(path) as file:
                return file.read(LARGEST + 1)
        except _UNREADABLE:
            return None


_UNREADABLE = (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError)


@contextmanager
def _opened(place: Path, found: _Found) -> Iterator[_Files]:
    if place.is_dir():
        yield _folder(place, found)
        return
    try:
        archive = zipfile.ZipFile(place)
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise RejectedError((problem("set_no_zip"),)) from None
    with archive:
        yield _zipped(archive, place.stat().st_size)


def _folder(place: Path, found: _Found) -> _Files:
    sizes: dict[str, int] = {}
    for folder, inside, names in os.walk(place):
        for name in (*names, *(one for one in inside if (Path(folder) / one).is_symlink())):
            file = Path(folder) / name
            path = file.relative_to(place).as_posix()
            if file.is_symlink() or not file.is_file():
                # A link could lead anywhere, a pipe would never end.
                found.add("set_no_file", path)
                continue
            sizes[path] = file.stat().st_size
            if len(sizes) > MOST_FILES:
                raise RejectedError((problem("set_too_many_files", most=MOST_FILES),))
    return _Files(sizes, lambda path: (place / path).open("rb"))


def _zipped(archive: zipfile.ZipFile, size: int) -> _Files:
    entries = archive.infolist()
    if len(entries) > MOST_FILES:
        raise RejectedError((problem("set_too_many_files", most=MOST_FILES),))
    # What is declared bounds what is read: no entry gives more bytes than it says.
    if sum(entry.file_size for entry in entries) > DENSEST * size + LONGEST:
        raise RejectedError((problem("set_zip_bomb", times=DENSEST),))
    inside: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = PurePosixPath(entry.filename)
        if name.is_absolute() or ".." in name.parts or "\\" in entry.filename or ":" in entry.filename:
            raise RejectedError((problem("set_zip_names"),))
        plain = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) and not entry.flag_bits & 1
        if not plain or S_ISLNK(entry.external_attr >> 16) or entry.filename in inside:
            raise RejectedError((problem("set_zip_foreign"),))
        if not entry.is_dir():
            inside[entry.filename] = entry
    # Somebody may have packed the folder, not what is in it.
    tops = {PurePosixPath(name).parts[0] for name in inside}
    top = f"{tops.pop()}/" if len(tops) == 1 and MANIFEST not in inside else ""
    by_path = {name.removeprefix(top): entry for name, entry in inside.items()}
    return _Files({path: entry.file_size for path, entry in by_path.items()}, lambda path: archive.open(by_path[path]))


# --- what the set says of itself --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Listed:
    sha256: str
    rows: int | None


def _manifest(files: _Files, found: _Found) -> dict[str, _Listed]:
    """Return what the manifest lists; RejectedError if there is none, or none that can be read."""
    text = files.whole(MANIFEST)
    if text is None:
        raise RejectedError((problem("set_no_manifest"),))
    entries = _json(text).get("files")
    if not isinstance(entries, list):
        raise RejectedError((problem("set_manifest_unreadable"),))
    listed: dict[str, _Listed] = {}
    for entry in entries:
        match entry:
            case {"path": str(path), "sha256": str(sha256), "rows": int() | None as rows} if (
                path not in listed and _SHA256.fullmatch(sha256)
            ):
                if all(_PART.fullmatch(part) for part in path.split("/")):
                    listed[path] = _Listed(sha256, rows)
                else:
                    found.add("set_file_name", path)
            case _:
                found.add("set_manifest_entry", MANIFEST)
    return listed


def _json(text: bytes) -> dict[str, Any]:
    """Return an object; an empty one if the text is none."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


@dataclass(slots=True)
class _Column:
    name: str
    kind: Kind
    may_be_empty: bool
    minimum: Decimal | None
    maximum: Decimal | None
    codes: dict[str, int] = field(default_factory=dict)
    """Each with its place."""
    right: set[str] = field(default_factory=set)
    """Cells that were looked at and are right."""
    decimal_mark: str = "."


_Tables: TypeAlias = dict[str, list[_Column]]


def _codebook(files: _Files, found: _Found) -> tuple[str, _Tables]:
    """Return what separates cells in this set, and the columns of each file."""
    text = files.whole(codebook.FILE)
    tables: _Tables = {}
    if text is None:
        found.add("set_codebook_missing", codebook.FILE)
        return codebook.SEPARATOR, tables
    lines = text.removeprefix(_BOM).decode(errors="replace").splitlines()
    separator = codebook.FOR_EXCEL if lines and lines[0].startswith("file;") else codebook.SEPARATOR
    reader = csv.DictReader(lines, delimiter=separator, restval="", restkey="")
    if not set(_OF_CODEBOOK) <= set(reader.fieldnames or ()):
        found.add("set_codebook_row", codebook.FILE, 1)
        return separator, tables
    try:
        for row in reader:
            if not _take(tables, row, found):
                found.add("set_codebook_row", codebook.FILE, reader.line_num)
    except csv.Error:
        found.add("set_unreadable", codebook.FILE, reader.line_num)
    if separator == codebook.FOR_EXCEL:
        for column in (column for columns in tables.values() for column in columns):
            column.decimal_mark = codebook.EXCEL_MARK
    return separator, tables


def _take(tables: _Tables, row: Mapping[str, str], found: _Found) -> bool:
    """Add a column, or a code to the newest column; False if the row is neither."""
    columns = tables.setdefault(row["file"], [])
    if row["code"]:
        if columns and columns[-1].name == row["column"]:
            columns[-1].codes.setdefault(row["code"], len(columns[-1].codes))
            return True
        return False
    limits = (row["minimum"], row["maximum"])
    known = row["type"] in get_args(Kind) and all(not limit or _DECIMAL.fullmatch(limit) for limit in limits)
    if not known or row["position"] != str(len(columns) + 1):
        return False
    if not _NAME.fullmatch(row["column"]) or row["column"] in {one.name for one in columns}:
        found.add("set_column_name", row["file"], None, row["column"])
    least, most = (Decimal(limit) if limit else None for limit in limits)
    kind: Any = row["type"]
    columns.append(_Column(row["column"], kind, bool(row["missing_means"]), least, most))
    return True


def _keys(files: _Files, found: _Found) -> dict[str, list[str]]:
    """Return the columns that name a row, by file."""
    text = files.whole(datapackage.FILE)
    resources = {} if text is None else _json(text)
    keys: dict[str, list[str]] = {}
    try:
        for resource in resources["resources"]:
            keys[str(resource["path"])] = [str(name) for name in resource["schema"].get("primaryKey", ())]
    except (KeyError, TypeError, AttributeError):
        found.add("set_datapackage", datapackage.FILE)
    return keys


# --- the files --------------------------------------------------------------------------------------------------------


class _NotTextError(Exception):
    """A file is not made of lines of UTF-8."""


class _Lines:
    """The lines of a file, hashed on the way."""

    def __init__(self, file: IO[bytes], reached: Callable[[int], None]) -> None:
        self._file, self._reached = file, reached
        self.sha256 = hashlib.sha256()
        self.at = 0
        """The line that was read last, from 1."""
        self.since = 0
        """Lines since somebody last set this to 0: a row over very many would fill the memory."""
        self.bom = self.returns = False

    def __iter__(self) -> Iterator[str]:
        rest = b""
        for chunk in self._chunks():
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield self._text(line + b"\n")
            if len(rest) > LONGEST:
                raise _NotTextError
        if rest:
            yield self._text(rest)

    def drain(self) -> None:
        """Read what is left, for its hash."""
        for _ in self._chunks():
            pass

    def _chunks(self) -> Iterator[bytes]:
        while chunk := self._file.read(_CHUNK):
            self.sha256.update(chunk)
            self._reached(len(chunk))
            yield chunk

    def _text(self, line: bytes) -> str:
        self.at += 1
        self.since += 1
        if self.at == 1 and line.startswith(_BOM):
            self.bom, line = True, line[len(_BOM) :]
        if line.endswith(b"\r\n"):
            self.returns = True
        if self.since > MOST_FILES:
            raise _NotTextError
        try:
            return line.decode()
        except UnicodeDecodeError:
            raise _NotTextError from None


class _Reading:
    """Reads the files of a set, each once."""

    def __init__(
        self,
        found: _Found,
        separator: str,
        tables: _Tables,
        keys: Mapping[str, Sequence[str]],
        progress: Progress | None,
        size: int,
    ) -> None:
        self._found, self._separator, self._tables, self._keys = found, separator, tables, keys
        self._progress, self._size, self._done = progress, size, 0
        self.rows = 0

    def file(self, files: _Files, path: str, listed: _Listed) -> None:
        """Compare one file with the manifest, and a table with the codebook too."""
        try:
            with files.open(path) as opened:
                lines = _Lines(opened, self._reached)
                rows = self._table(path, lines) if path.endswith(".csv") else None
                lines.drain()
        except _UNREADABLE:
            self._found.add("set_unreadable", path)
            return
        if lines.sha256.hexdigest() != listed.sha256:
            self._found.add("set_hash", path)
        if rows is not None and rows != listed.rows:
            self._found.add("set_rows", path, None, "", rows=rows, listed="–" if listed.rows is None else listed.rows)

    def _reached(self, more: int) -> None:
        self._done += more
        if self._progress is not None:
            self._progress(self._done, self._size)

    def _table(self, path: str, lines: _Lines) -> int | None:
        """Check every row of a CSV file; return how many there are, None where they cannot be told apart."""
        columns = self._tables.get(path)
        # What REDCap reads is the same in a set for Excel.
        ours = columns is not None or path == codebook.FILE
        separator = self._separator if ours else codebook.SEPARATOR
        if columns is None and path != codebook.FILE and path.startswith(("data/", "paper/")):
            self._found.add("set_undescribed", path)
        reader = csv.reader(lines, delimiter=separator, strict=True)
        count = 0
        try:
            header = next(reader, [])
            checked = None if columns is None else _Rows(path, columns, self._keys.get(path, ()), self._found)
            if checked is not None and header != [column.name for column in checked.columns]:
                self._found.add("set_header", path, 1)
                checked = None
            for cells in reader:
                lines.since = 0
                count += 1
                if checked is not None:
                    checked.row(reader.line_num, cells)
        except (_NotTextError, csv.Error):
            self._found.add("set_unreadable", path, lines.at or None)
            return None
        if lines.returns or lines.bom != (separator == codebook.FOR_EXCEL):
            self._found.add("set_line_ends", path)
        self.rows += count if columns is not None else 0
        return count


# --- cells ------------------------------------------------------------------------------------------------------------


class _Rows:
    """Checks the rows of one table, one after the other."""

    def __init__(self, path: str, columns: Sequence[_Column], key: Sequence[str], found: _Found) -> None:
        self.columns = columns
        self._path, self._found = path, found
        at = {column.name: place for place, column in enumerate(columns)}
        if not key or not set(key) <= at.keys():
            found.add("set_no_key", path)
            key = ()
        elif _FIRST in at and _FIRST not in key:
            key = (_FIRST, *key)
        self._key = [(at[name], columns[at[name]]) for name in key]
        self._before: tuple[object, ...] | None = None

    def row(self, line: int, cells: Sequence[str]) -> None:
        """Check one row: its width, each cell, and that it comes after the one before."""
        if len(cells) != len(self.columns):
            self._found.add("set_width", self._path, line, "", cells=len(cells), columns=len(self.columns))
            return
        for column, cell in zip(self.columns, cells, strict=True):
            if cell not in column.right and (code := _wrong(column, cell)) is not None:
                values = {"kind": column.kind, "minimum": column.minimum, "maximum": column.maximum}
                self._found.add(code, self._path, line, column.name, **values)
        if self._key:
            self._in_order(line, cells)

    def _in_order(self, line: int, cells: Sequence[str]) -> None:
        """Rows ascend by their key, so none is there twice."""
        try:
            now = tuple(_rank(column, cells[place]) for place, column in self._key)
        except (ValueError, KeyError):
            return  # said of the cell
        before, self._before = self._before, now
        if before is not None and now <= before:
            self._found.add("set_key_twice" if now == before else "set_order", self._path, line)


def _wrong(column: _Column, cell: str) -> str | None:
    """Return what is wrong with a cell; remember it if nothing is."""
    code = _fault(column, cell)
    if code is None and len(column.right) < _MOST_KNOWN:
        column.right.add(cell)
    return code


def _fault(column: _Column, cell: str) -> str | None:
    if not cell:
        return None if column.may_be_empty else "set_cell_empty"
    if column.kind == "code":
        return None if cell in column.codes else "set_code_unknown"
    if column.kind == "decimal" and column.decimal_mark != ".":
        cell = "" if "." in cell else cell.replace(column.decimal_mark, ".")
    if not _IS[column.kind](cell):
        return "set_cell_kind"
    if column.kind in ("integer", "decimal"):
        value = Decimal(cell)
        if column.minimum is not None and value < column.minimum:
            return "set_below"
        if column.maximum is not None and value > column.maximum:
            return "set_above"
        if column.codes and cell not in column.codes:
            return "set_code_unknown"
    return None


def _is_date(cell: str) -> bool:
    if not _DATE.fullmatch(cell):
        return False
    try:
        date.fromisoformat(cell)
    except ValueError:
        return False
    return True


def _is_instant(cell: str) -> bool:
    if not _INSTANT.fullmatch(cell):
        return False
    try:
        datetime.fromisoformat(cell)
    except ValueError:
        return False
    return True


_IS: Mapping[Kind, Callable[[str], bool]] = {
    "text": lambda cell: "\x00" not in cell,
    "integer": lambda cell: _INTEGER.fullmatch(cell) is not None,
    "decimal": lambda cell: _DECIMAL.fullmatch(cell) is not None,
    "boolean": lambda cell: cell in ("0", "1"),
    "date": _is_date,
    "instant": _is_instant,
}


def _rank(column: _Column, cell: str) -> tuple[object, ...]:
    """Return where a cell stands among others of its column: empty ones first, codes in their order.

    Raise ValueError or KeyError for a cell that is wrong.
    """
    if not cell:
        return ()
    if column.kind == "code":
        return (column.codes[cell],)
    if column.kind in ("integer", "decimal", "boolean"):
        if not _DECIMAL.fullmatch(cell):
            raise ValueError
        return (Decimal(cell),)
    return (cell,)  # instants are all in UTC, and sort as texts
