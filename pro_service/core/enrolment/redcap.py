"""Reads a REDCap export through a column mapping: bytes -> the rows of an enrolment, or every fault in it.

An export is CSV in UTF-8, headers raw or labelled, one row an event of a record (`redcap_event_name`, raw
`baseline_arm_1`, labelled `Baseline (Arm 1: Everybody)`), one more for each instance of a repeating event and one for
each of a repeated instrument; a checkbox is a column an option, `consent___1`, with 1 or Checked. Rows of a record that
say different things are a fault, unless the mapping takes the newest. The event is used to choose rows and never
stored. An export of more than one arm is refused: in REDCap an arm is often the treatment group, which the person who
imports must not see.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from pro_service.core.enrolment.blinding import Passed, is_telling, may_tell, none_passed
from pro_service.core.enrolment.cells import CellError, quoted
from pro_service.core.enrolment.file import Record, Sheet, open_sheet
from pro_service.core.enrolment.redcap_mapping import (
    DATES,
    FORMATS,
    LAST,
    SYSTEM,
    Column,
    ColumnMapping,
    looks_like_allocation,
)
from pro_service.core.problems import Problem, nearest, problem

EVENTS = ("redcap_event_name", "Event Name")
REPEATS = ("redcap_repeat_instrument", "Repeat Instrument")
INSTANCES = ("redcap_repeat_instance", "Repeat Instance")
TICKED, UNTICKED = frozenset({"1", "Checked"}), frozenset({"", "0", "Unchecked"})
MISSING = frozenset(
    {
        *("NI", "INV", "UNK", "NASK", "ASKU", "NAV", "MSK", "NA", "NAVU", "NP", "QS", "QI", "TRC", "UNC", "DER"),
        *("PINF", "NINF", "OTH"),
    }
)
"""The missing-data codes that REDCap proposes; a project may have others."""
NAMED = frozenset({"participant", "site", "language", "channel"})
"""Columns of codes, which may well be spelled like one of those."""
MOST_EVENTS = 12
MOST_COLUMNS = 10_000
"""Of an export: a project of many instruments and checkboxes has some thousand."""
OF_EXPORTS = {"empty_file": "export_empty", "empty_first_line": "export_empty", "quotes_in_first_line": "export_quotes"}
"""What a fault of a file is for one that REDCap has written."""
_ARM = re.compile(r"_arm_(\d+)[a-z]?$|\(Arm (\d+): ", re.IGNORECASE)
_QUICK_LOOK = re.compile(rb"(?i)sham|placebo|plasebo|verum")
"""Whether any cells have to be checked: in a large file that takes long."""
_CLOCK = re.compile(r"(\d{1,2}:\d{2})(?::\d{2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Export:
    """An export whose first line was read."""

    sheet: Sheet
    columns: tuple[str, ...]
    """As the first line names them."""
    events: tuple[str, ...] = ()
    """Names of events, in the file's order."""

    @property
    def repeats(self) -> bool:
        """Whether a record may have several rows of one event."""
        return bool(_named(self.columns, INSTANCES) or self.events)


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of an enrolment, and what was left out on purpose."""

    records: tuple[Record, ...] = field(repr=False)
    ignored: tuple[str, ...]
    """Columns of the export that nothing is read from."""
    waiting: int = 0
    """Records without a row of the procedure's event yet."""
    repeated: int = 0
    """Rows of repeated instruments that nothing was read from."""
    concerns: tuple[Problem, ...] = ()
    """Columns, read or not, that may tell the allocation."""


def open_export(data: bytes, passed: Passed = none_passed) -> tuple[Export | None, tuple[Problem, ...]]:
    """Return the export in these bytes, or why it cannot be used: no CSV, an allocation in it, several arms."""
    sheet, faults = open_sheet(data, MOST_COLUMNS)
    if sheet is None:
        return None, tuple(replace(fault, code=OF_EXPORTS.get(fault.code, fault.code)) for fault in faults)
    columns, line = sheet.columns, sheet.first_line
    if not any(columns):
        return None, (problem("export_empty", "", line),)
    allocations = [name for name in columns if looks_like_allocation(name, passed)]
    if allocations:
        return None, tuple(problem("export_allocation", name, line) for name in allocations)
    events = _events(sheet)
    arms = {next(filter(None, found.groups())) for name in events if (found := _ARM.search(name))}
    if len(arms) > 1:
        return None, (problem("export_arms", _named(columns, EVENTS), line, n=len(arms)),)
    return Export(sheet, columns, events), ()


def read_rows(
    data: bytes, mapping: ColumnMapping, passed: Passed = none_passed
) -> tuple[Found | None, tuple[Problem, ...]]:
    """Return the rows of the enrolment in an export; None exactly if the export as a whole has faults.

    Faults of single rows are in the rows, as in any enrolment file.
    """
    export, faults = open_export(data, passed)
    if export is None:
        return None, faults
    faults = (*_column_faults(export, mapping), *(_telling_cells(export) if _QUICK_LOOK.search(data) else ()))
    if faults:
        return None, faults
    groups = _grouped(export, mapping)
    records = tuple(_converted(group.main, group, mapping) for group in groups if group.main)
    used = {*mapping.named(), *EVENTS, *REPEATS, *INSTANCES}
    ignored = tuple(dict.fromkeys(name for name in export.columns if name and name not in used))
    read = {name for name in mapping.named() if name.casefold() not in SYSTEM} - {mapping.theirs("participant")}
    unread = sum(row.instrument and not row.says(read) for group in groups for row in group.rows)
    unsure = (name for name in dict.fromkeys(export.columns) if name.casefold() not in SYSTEM and may_tell(name))
    concerns = tuple(problem("export_may_tell", name, export.sheet.first_line) for name in unsure)
    return Found(records, ignored, sum(not group.main for group in groups), unread, concerns), ()


def _telling_cells(export: Export) -> Iterator[Problem]:
    """Yield each column, read or not, with a cell that names an arm; not the cell or row, which would unblind."""
    telling = lru_cache(maxsize=10_000)(is_telling)
    found = dict[str, None]()
    for record in export.sheet.records():
        found |= dict.fromkeys(name for name, cell in record.cells.items() if name not in found and telling(cell))
    yield from (problem("export_names_arm", name, export.sheet.first_line) for name in found)


def _events(sheet: Sheet) -> tuple[str, ...]:
    name = _named(sheet.columns, EVENTS)
    return tuple(dict.fromkeys(record.cells.get(name, "") for record in sheet.records())) if name else ()


def _named(columns: Sequence[str], known: Sequence[str]) -> str:
    return next((name for name in known if name in columns), "")


def _column_faults(export: Export, mapping: ColumnMapping) -> Iterator[Problem]:
    line = export.sheet.first_line
    for name in dict.fromkeys(mapping.named()):
        if export.columns.count(name) > 1:
            yield problem("export_column_twice", name, line)
        elif name not in export.columns:
            yield problem("export_column_missing", name, line, near=nearest(name, export.columns))
    wanted = {mapping.event, *(column.event for column in mapping.columns.values())} - {""}
    has_events = _named(export.columns, EVENTS)
    some = export.events[:MOST_EVENTS]
    if has_events and not mapping.event:
        yield problem("event_not_named", has_events, line, events=some)
    for name in sorted(wanted):
        if name not in export.events:
            code = "event_unknown" if has_events else "no_events"
            yield problem(code, "event", line, event=quoted(name), events=some)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of an export, and where it stands among those of its record."""

    record: Record
    event: str
    instrument: bool
    """Of a repeated instrument."""
    instance: int
    """Of a repeating event or instrument; 0 for the only one."""

    def says(self, columns: Iterable[str]) -> bool:
        """Whether any of these columns has a value here."""
        return any(self.record.cells.get(name) for name in columns)


@dataclass(slots=True)
class _Group:
    """The rows of one record."""

    rows: list[_Row] = field(default_factory=list)
    main: _Row | None = None
    """The row that stands for the record: the first of the procedure's event. None: there is none yet."""


def _grouped(export: Export, mapping: ColumnMapping) -> list[_Group]:
    """Return the records of an export. A row that stands where another one of its record does is one of its own."""
    event, repeat, number = (_named(export.columns, names) for names in (EVENTS, REPEATS, INSTANCES))
    groups, known = list[_Group](), dict[str, _Group]()
    for read in export.sheet.records():
        cells = {name: "" if value in mapping.empty else value for name, value in read.cells.items()}
        record = replace(read, cells=cells)
        instance = record.cells.get(number, "")
        row = _Row(
            record,
            record.cells.get(event, "") if event else "",
            bool(repeat and record.cells.get(repeat)),
            int(instance) if instance.isdecimal() else 0,
        )
        key = record.cells.get(mapping.theirs("participant"), "")
        # A line that cannot be read belongs to no event, and must not be passed over.
        if record.faults or not key:
            groups.append(_Group([row], row if record.faults or row.event == mapping.event else None))
            continue
        group = known.get(key)
        stands = row.event == mapping.event and (not row.instrument or row.says([mapping.theirs("procedure_date")]))
        if group is None or (stands and group.main is not None and not row.instance and not group.main.instance):
            group = _Group()
            groups.append(group)
            known.setdefault(key, group)
        group.rows.append(row)
        if stands and (group.main is None or (group.main.instrument and not row.instrument)):
            group.main = row
    return groups


def _converted(main: _Row, group: _Group, mapping: ColumnMapping) -> Record:
    """Return one record in our columns, with its faults."""
    record = main.record
    if record.faults:
        return record
    cells, faults = {}, []
    for name, column in mapping.columns.items():
        rows = _rows_of(group, column, mapping) or [Record(record.line, {})]
        try:
            cells[name] = _agreed(name, column, rows)
        except CellError as error:
            cells[name] = ""
            faults.append(error.problem.at(name, rows[-1].line))
    return Record(record.line, {"messaging_consent": ""} | cells, tuple(faults))


def _rows_of(group: _Group, column: Column, mapping: ColumnMapping) -> list[Record]:
    """Return the rows of a record that say something in this column, the newest last.

    With `instance = "last"` that is the newest alone.
    """
    event = column.event or mapping.event
    rows = sorted((row for row in group.rows if row.event == event), key=lambda row: row.instance)
    said = [row.record for row in rows if row.says((column.source, column.when))]
    if (column.instance or mapping.instance) == LAST:
        return said[-1:]
    return said


def _agreed(name: str, column: Column, rows: Sequence[Record]) -> str:
    """Return the value in which these rows agree. Raise CellError if they do not, or one cannot be read."""
    found = [_cell(name, column, row) for row in rows]
    if len({_signs(value) if name == "phone" else value for value in found}) > 1:
        raise CellError("rows_differ", lines=tuple(row.line for row in rows), column=name)
    return found[-1]


def _signs(phone: str) -> str:
    return "".join(sign for sign in phone if sign.isalnum() or sign == "+")


def _cell(name: str, column: Column, row: Record) -> str:
    """Return the value of one of our columns. Raise CellError if it cannot be read."""
    if column.when:
        ticked = row.cells.get(column.when, "")
        if not column.when_is and ticked not in TICKED | UNTICKED:
            raise CellError("no_checkbox", box=column.when, given=quoted(ticked))
        if ticked != column.when_is if column.when_is else ticked in UNTICKED:
            return ""
    value = column.always or row.cells.get(column.source, "")
    if column.when and not value:
        raise CellError("ticked_and_empty", box=column.when, column=column.source)
    if value in MISSING and name not in NAMED and value not in column.values:
        raise CellError("missing_data_code", given=quoted(value))
    for sign, instead in column.replace.items():
        value = value.replace(sign, instead)
    if column.values and value:
        if value not in column.values:
            raise CellError("value_not_mapped", given=quoted(value), known=tuple(column.values))
        value = column.values[value]
    if name in DATES:
        return _dated(value, column.format)
    return _timed(value, column.format) if name == "procedure_time" else value


def _dated(value: str, form: str) -> str:
    """Return a date as our own files write it. Raise CellError for any other text."""
    if not value:
        return ""
    found = _pattern(form or FORMATS[0]).fullmatch(value)
    if found is None:
        raise CellError("date_not_as_mapped", given=quoted(value), format=form or FORMATS[0])
    return f"{found['Y']}-{int(found['M']):02}-{int(found['D']):02}"


def _timed(value: str, form: str) -> str:
    """Return a time of day without its seconds, alone or after a date."""
    dated = _pattern(form or FORMATS[0]).fullmatch(value)
    clock = dated["clock"] or "" if dated else value
    found = _CLOCK.fullmatch(clock)
    return found[1] if found else clock


@lru_cache(maxsize=32)
def _pattern(form: str) -> re.Pattern[str]:
    parts = {"YYYY": r"(?P<Y>\d{4})", "MM": r"(?P<M>\d{1,2})", "DD": r"(?P<D>\d{1,2})"}
    pattern = re.escape(form)
    for sign, part in parts.items():
        pattern = pattern.replace(sign, part)
    return re.compile(pattern + r"(?:[ T](?P<clock>\d{1,2}:\d{2}(?::\d{2})?))?", re.ASCII)
