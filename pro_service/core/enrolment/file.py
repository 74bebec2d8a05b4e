"""Reads an enrolment file: bytes -> its columns and rows, or every fault of the whole file, with its remedy."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pro_service.core.enrolment.blinding import is_allocation
from pro_service.core.problems import Problem, nearest, problem
from pro_service.core.replies.folding import visible

REQUIRED = ("participant", "site", "procedure_date", "language", "messaging_consent")
OPTIONAL = ("phone", "email", "timezone", "channel", "procedure_time")
BASELINE = "baseline_"
"""Columns of the baseline: this and the item's id, `baseline_nrs_avg` for NRS-AVG."""

LARGEST = 256 * 1024 * 1024
"""Bytes; a million participants take about a hundred million."""

_DELIMITERS = ",;\t"
_NO_TEXT = frozenset(range(32)) - frozenset(b"\t\n\r\f")


@dataclass(frozen=True, slots=True)
class Record:
    """One row: the line it begins on, and its cells by column, `visible`."""

    line: int
    cells: dict[str, str]
    faults: tuple[Problem, ...] = ()


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
            except csv.Error:
                yield Record(line, {}, (problem("quotes", "", line),))
                return
            if cells is None:
                return
            if line > self.first_line and any(visible(cell) for cell in cells):
                yield self._record(line, cells)

    def _record(self, line: int, cells: Sequence[str]) -> Record:
        values = [visible(cell) for cell in cells]
        faults = []
        if len(values) < len(self.columns):
            faults.append(problem("cells_missing", "", line, n=len(values), m=len(self.columns)))
        named = [*self.columns, *[""] * (len(values) - len(self.columns))]
        if any(value for name, value in zip(named, values, strict=False) if not name):
            faults.append(problem("cell_without_column", "", line))
        found = {name: value for name, value in zip(named, values, strict=False) if name}
        return Record(line, found, tuple(faults))


def read(data: bytes, baseline: Sequence[str]) -> tuple[Sheet | None, tuple[Problem, ...]]:
    """Return the sheet in these bytes, or every fault of its encoding and header.

    `baseline` are the items of the baseline. The sheet is None exactly if there are faults. Rows are not read yet.
    """
    text, faults = decode(data)
    if faults:
        return None, faults
    first_line, names_line, delimiter = header(text)
    if not names_line.strip():
        return None, (problem("empty_first_line" if text.strip() else "empty_file", "", 1, columns=REQUIRED),)
    try:
        names = next(csv.reader([names_line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None, (problem("quotes_in_first_line", "", first_line),)
    columns = tuple("_".join(visible(name).lower().split()) for name in names)
    faults = tuple(_column_faults(columns, baseline, first_line))
    return (None if faults else Sheet(data, delimiter, first_line, columns)), faults


def decode(data: bytes) -> tuple[str, tuple[Problem, ...]]:
    """Return the file's text, or why it cannot be read."""
    refused = _not_a_text(data)
    if refused:
        return "", (problem(refused),)
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return "", (problem("not_utf8", "", line),)


def columns_of(items: Sequence[str]) -> dict[str, str]:
    """Return column -> item of the baseline columns: `baseline_nrs_avg` -> `NRS-AVG`."""
    return {BASELINE + item.lower().replace("-", "_"): item for item in items}


def _not_a_text(data: bytes) -> str | None:
    if len(data) > LARGEST:
        return "too_large"
    if data.startswith(b"PK\x03\x04"):
        return "spreadsheet"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4]:
        return "utf16"
    return None if _NO_TEXT.isdisjoint(data) else "no_text"


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


def _column_faults(columns: Sequence[str], baseline: Sequence[str], line: int) -> Iterator[Problem]:
    known = (*REQUIRED, *OPTIONAL, *columns_of(baseline))
    for place, name in enumerate(columns):
        if not name:
            continue
        if name in columns[:place]:
            yield problem("column_twice", name, line)
        elif name not in known and is_allocation(name):
            yield problem("column_allocation", name, line)
        elif name not in known:
            yield problem("column_unknown", name, line, near=nearest(name, known), known=known)
    for name in REQUIRED:
        if name not in columns:
            yield problem("column_missing", name, line, column=name)
