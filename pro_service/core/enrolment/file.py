"""Reads an enrolment file: bytes -> its columns and rows, or every fault of the whole file, with its remedy."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pro_service.core.enrolment.blinding import is_allocation
from pro_service.core.problems import Fault, closest

REQUIRED = ("participant", "site", "procedure_date", "language", "messaging_consent")
OPTIONAL = ("phone", "email", "timezone", "channel", "procedure_time")
BASELINE = "baseline_"
"""Columns of the baseline: this and the item's id, `baseline_nrs_avg` for NRS-AVG."""

LARGEST = 256 * 1024 * 1024
"""Bytes; a million participants take about a hundred million."""

SAVE_AS = 'in the spreadsheet choose "Save as" and the type "CSV UTF-8 (comma delimited)"'
_DELIMITERS = ",;\t"
_NO_TEXT = frozenset(range(32)) - frozenset(b"\t\n\r\f")

BLINDING = (
    "this looks like the allocation, and the allocation must never be in this system: nothing here could then reveal it"
)


@dataclass(frozen=True, slots=True)
class Record:
    """One row: the line it begins on, and its cells by column, without surrounding space."""

    line: int
    cells: dict[str, str]
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file whose columns are known; its rows are read one by one."""

    data: bytes
    """UTF-8."""
    delimiter: str
    first_line: int
    """The line of the header."""
    columns: tuple[str, ...]
    """In the file's order; empty for a column without a name."""

    def records(self) -> Iterator[Record]:
        """Yield every row that is not empty.

        A row that cannot be read carries faults; reading ends at broken quotes.
        """
        # Decoded as it is read: a text of the whole file would be in memory beside its bytes.
        lines = io.TextIOWrapper(io.BytesIO(self.data), encoding="utf-8-sig", newline="")
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        line = 0
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                remedy = 'a cell that begins with a quote must end with one, and a quote inside is written twice ("")'
                yield Record(line, {}, (Fault("", line, f"this line cannot be read: {error}", remedy),))
                return
            if cells is None:
                return
            if line > self.first_line and any(cell.strip() for cell in cells):
                yield self._record(line, cells)

    def _record(self, line: int, cells: Sequence[str]) -> Record:
        values = [cell.strip() for cell in cells]
        faults = []
        if len(values) < len(self.columns):
            fault = f"{len(values)} cells for {len(self.columns)} columns"
            faults.append(Fault("", line, fault, "give every row as many cells as there are columns"))
        named = [*self.columns, *[""] * (len(values) - len(self.columns))]
        if any(value for name, value in zip(named, values, strict=False) if not name):
            remedy = "name the column in the first line, take it out, or put quotes around what holds the separator"
            faults.append(Fault("", line, "a cell without a column", remedy))
        found = {name: value for name, value in zip(named, values, strict=False) if name}
        return Record(line, found, tuple(faults))


def read(data: bytes, baseline: Sequence[str]) -> tuple[Sheet | None, tuple[Fault, ...]]:
    """Return the sheet in these bytes, or every fault of its encoding and header.

    `baseline` are the items of the baseline. The sheet is None exactly if there are faults. Rows are not read yet.
    """
    text, faults = decode(data)
    if faults:
        return None, faults
    first_line, names_line, delimiter = header(text)
    if not names_line.strip():
        remedy = f"write the names of the columns in the first line: {', '.join(REQUIRED)}"
        return None, (Fault("", 1, "the file is empty" if not text.strip() else "the first line is empty", remedy),)
    try:
        names = next(csv.reader([names_line], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        return None, (Fault("", first_line, f"the first line cannot be read: {error}", "take the quotes out of it"),)
    columns = tuple("_".join(name.strip().lower().split()) for name in names)
    faults = tuple(_column_faults(columns, baseline, first_line))
    return (None if faults else Sheet(data, delimiter, first_line, columns)), faults


def decode(data: bytes) -> tuple[str, tuple[Fault, ...]]:
    """Return the file's text, or why it cannot be read."""
    refused = _not_a_text(data)
    if refused:
        return "", (Fault("", None, refused, SAVE_AS),)
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        fault = "the file is not UTF-8; it looks like Windows-1254 (Turkish) or another older alphabet"
        return "", (Fault("", line, fault, SAVE_AS),)


def columns_of(items: Sequence[str]) -> dict[str, str]:
    """Return column -> item of the baseline columns: `baseline_nrs_avg` -> `NRS-AVG`."""
    return {BASELINE + item.lower().replace("-", "_"): item for item in items}


def _not_a_text(data: bytes) -> str:
    if len(data) > LARGEST:
        return "the file is larger than 256 MB"
    if data.startswith(b"PK\x03\x04"):
        return "this is a spreadsheet's own format (xlsx, ods), not CSV"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4]:
        return "the file is UTF-16, not UTF-8"
    if not _NO_TEXT.isdisjoint(data):
        return "the file holds characters that no text has"
    return ""


def header(text: str) -> tuple[int, str, str]:
    """Return (line, names, delimiter).

    A first line `sep=;` is Excel's own; the delimiter is found by the names alone.
    """
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        names = line.strip("\r\n")
        if number == 1 and names.lower().startswith("sep=") and names[4:] and names[4] in _DELIMITERS:
            continue
        return number, names, max(_DELIMITERS, key=names.count)
    return 1, "", ","


def _column_faults(columns: Sequence[str], baseline: Sequence[str], line: int) -> Iterator[Fault]:
    known = (*REQUIRED, *OPTIONAL, *columns_of(baseline))
    for place, name in enumerate(columns):
        if not name:
            continue
        if name in columns[:place]:
            yield Fault(name, line, "this column is there twice", "take one of them out")
        elif name not in known and is_allocation(name):
            yield Fault(name, line, BLINDING, "take this column out of the file")
        elif name not in known:
            remedy = closest(name, known) or f"take it out; known columns: {', '.join(known)}"
            yield Fault(name, line, "unknown column", remedy)
    for name in REQUIRED:
        if name not in columns:
            yield Fault(name, line, "this column is missing", f'add a column "{name}"')
