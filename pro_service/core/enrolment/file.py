"""Reads an enrolment file: bytes -> its columns and rows, or every fault of the whole file, with its remedy."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from types import MappingProxyType

from pro_service.core.enrolment.blinding import is_allocation
from pro_service.core.problems import Problem, nearest, problem
from pro_service.core.protocol import Medium
from pro_service.core.replies.folding import visible

REQUIRED = ("participant", "site", "procedure_date", "language", "messaging_consent")
OPTIONAL = ("phone", "email", "email_consent", "whatsapp_consent", "timezone", "channel", "procedure_time")
CONSENTS: Mapping[Medium, str] = MappingProxyType(
    {"sms": "messaging_consent", "email": "email_consent", "whatsapp": "whatsapp_consent"}
)
"""Medium -> the column that says since when the participant agrees to it."""
BASELINE = "baseline_"
"""Columns of the baseline: this and the item's id, `baseline_nrs_avg` for NRS-AVG."""

LARGEST = 256 * 1024 * 1024
"""Bytes; a million participants take about a hundred million."""

MOST_COLUMNS = 1_000
"""Of an enrolment file; it has about twenty."""

_DELIMITERS = ",;\t|^"
_DICTIONARY = frozenset({"variable / field name", "field_name"})
"""The first column of REDCap's list of a project's fields."""
_BEGINNING = 4_000_000
"""Characters in which the separator is looked for; a longer first line is none of a thousand columns."""
_BLANK_LINES = 100
"""Above the first row of a participant, at most, when the separator is looked for."""
_ABOVE = 20
"""How many lines are searched for the column names if they are not in the first."""
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_FORMATS = {
    **dict.fromkeys((b"<html", b"<!doctype", b"<table"), "HTML"),
    **dict.fromkeys((b'[{"', b'{"'), "JSON"),
    b"%pdf": "PDF",
    b"{\\rtf": "RTF",
}
"""How other formats begin, in small letters."""
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
            except csv.Error as error:
                yield Record(line, {}, (_unread("quotes", line, error),))
                return
            if cells is None:
                return
            if line > self.first_line and any(visible(cell) for cell in cells):
                yield self._record(line, cells)

    def _record(self, line: int, cells: Sequence[str]) -> Record:
        values = [_typed(visible(cell)) for cell in cells]
        faults = []
        if len(values) < len(self.columns):
            faults.append(problem("cells_missing", "", line, n=len(values), m=len(self.columns)))
        named = [*self.columns, *[""] * (len(values) - len(self.columns))]
        if any(value for name, value in zip(named, values, strict=False) if not name):
            faults.append(problem("cell_without_column", "", line))
        found = {name: value for name, value in zip(named, values, strict=False) if name}
        return Record(line, found, tuple(faults))


def _typed(cell: str) -> str:
    """Return what was typed into a cell that a spreadsheet was told to leave alone: `="001"`, `'001`."""
    if cell.startswith('="') and cell.endswith('"'):
        return cell[2:-1].strip()
    return cell.removeprefix("'")


def read(data: bytes, baseline: Sequence[str]) -> tuple[Sheet | None, tuple[Problem, ...]]:
    """Return the sheet in these bytes, or every fault of its encoding and header.

    `baseline` are the items of the baseline. The sheet is None exactly if there are faults. Rows are not read yet.
    """
    sheet, faults = open_sheet(data, MOST_COLUMNS)
    if sheet is None:
        return None, faults
    columns = tuple(map(_as_ours, sheet.columns))
    faults = tuple(_column_faults(columns, baseline, sheet.first_line))
    if any(fault.code == "column_missing" for fault in faults):
        faults = _instead(sheet, columns, faults)
    return (None if faults else replace(sheet, columns=columns)), faults


def _as_ours(name: str) -> str:
    return "_".join(visible(name).lower().split())


def _instead(sheet: Sheet, columns: Sequence[str], faults: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Return one fault that explains why our columns are missing, if there is one; else the faults one by one."""
    below = _names_below(sheet)
    if below is not None:
        return (problem("names_further_down", "", sheet.first_line, line=below),)
    if not any(columns):
        return (problem("empty_first_line", "", sheet.first_line, columns=REQUIRED),)
    if any(name == "record_id" or name.startswith("redcap_") for name in columns):
        allocations = (fault for fault in faults if fault.code == "column_allocation")
        return (*allocations, problem("export_unmapped", "", sheet.first_line))
    return faults


def _names_below(sheet: Sheet) -> int | None:
    """Return the number of the line below the first that names most of our columns; None if there is none."""
    beginning = sheet.data[: 64 * 1024].decode("utf-8-sig", errors="ignore").splitlines()[:_ABOVE]
    for number, line in enumerate(beginning, start=1):
        named = [{_as_ours(cell.strip('"')) for cell in line.split(sep)} for sep in _DELIMITERS]
        if number > sheet.first_line and any(len(names.intersection(REQUIRED)) > len(REQUIRED) // 2 for names in named):
            return number
    return None


def open_sheet(data: bytes, most: int) -> tuple[Sheet | None, tuple[Problem, ...]]:
    """Return the sheet in these bytes with its columns as they are named, `most` at most; or why it cannot be read.

    A first line `sep=;` is Excel's own. Else the separator is one by which the first row can be read at all.
    """
    text, faults = decode(data)
    if faults:
        return None, faults
    lines = io.StringIO(text, newline="")
    first, number = lines.readline().strip("\r\n"), 1
    start = 0
    if first.lower().startswith("sep=") and len(first) == len("sep=;") and first[-1] in _DELIMITERS:
        start, number = lines.tell(), 2
        first = lines.readline()
    if not visible(first):
        return None, (problem("empty_first_line" if text.strip() else "empty_file", "", 1, columns=REQUIRED),)
    readings = [_Reading.of(text[start : start + _BEGINNING], delimiter) for delimiter in _DELIMITERS]
    best = max(readings, key=_Reading.fit)
    if best.error is not None:
        return None, (_unread("quotes_in_first_line", number, best.error),)
    if one_line(best.names[0] if best.names else "").casefold() in _DICTIONARY:
        return None, (problem("data_dictionary", "", number),)
    if len(best.names) > most:
        return None, (problem("too_many_columns", "", number, n=len(best.names), most=most),)
    return Sheet(data, best.delimiter, number, tuple(map(one_line, best.names))), ()


def one_line(name: str) -> str:
    """Return a column's name as it is compared: a label of an export may hold line breaks, and a page sends others."""
    return " ".join(visible(name).split())


@dataclass(frozen=True, slots=True)
class _Reading:
    """The first two rows of a file, read by one separator."""

    delimiter: str
    names: Sequence[str] = ()
    row: Sequence[str] = ()
    error: csv.Error | None = None

    @classmethod
    def of(cls, text: str, delimiter: str) -> "_Reading":
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            names = next(reader, [])
        except csv.Error as error:
            return cls(delimiter, error=error)
        try:
            return cls(delimiter, names, next((row for row in islice(reader, _BLANK_LINES) if row), []))
        except csv.Error:
            return cls(delimiter, names)

    def fit(self) -> tuple[bool, bool, bool, int]:
        """Return how well this separator fits: no quotes are left in a name, the next row is as long, many columns."""
        whole = not any('"' in name for name in self.names)
        return self.error is None, whole, len(self.row) == len(self.names) > 1, len(self.names)


def _unread(code: str, line: int, error: csv.Error) -> Problem:
    """Return why a row cannot be read: a cell longer than the reader takes, else its quotation marks."""
    most = csv.field_size_limit()
    return problem("cell_too_long", "", line, most=most) if str(most) in str(error) else problem(code, "", line)


def decode(data: bytes) -> tuple[str, tuple[Problem, ...]]:
    """Return the file's text, or why it cannot be read."""
    begins = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    other = next((name for start, name in _FORMATS.items() if begins.startswith(start)), None)
    if other is not None:
        return "", (problem("not_csv", given=other),)
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
    if data.startswith(_SPREADSHEETS):
        return "spreadsheet"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4]:
        return "utf16"
    if data.removeprefix(b"\xef\xbb\xbf").lstrip()[:5].lower() == b"<?xml":
        return "xml"
    return None if _NO_TEXT.isdisjoint(data) else "no_text"


def _column_faults(columns: Sequence[str], baseline: Sequence[str], line: int) -> Iterator[Problem]:
    known = (*REQUIRED, *OPTIONAL, *columns_of(baseline))
    seen = set[str]()
    for name in columns:
        if not name:
            continue
        if name in seen:
            yield problem("column_twice", name, line)
        elif name not in known and is_allocation(name):
            yield problem("column_allocation", name, line)
        elif name not in known:
            yield problem("column_unknown", name, line, near=nearest(name, known), known=known)
        seen.add(name)
    for name in REQUIRED:
        if name not in columns:
            yield problem("column_missing", name, line, column=name)
