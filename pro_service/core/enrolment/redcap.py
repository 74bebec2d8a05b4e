"""Reads a REDCap export through a column mapping: bytes -> the rows of an enrolment, or every fault in it.

An export is CSV in UTF-8, headers raw or labelled, one row an event of a record (`redcap_event_name`, raw
`baseline_arm_1`, labelled `Baseline (Arm 1: Everybody)`) and one more for each repeated instrument; a checkbox is a
column an option, `consent___1`, with 1 or Checked. The event is used to choose rows and never stored. An export of more
than one arm is refused: in REDCap an arm is often the treatment group, which the person who imports must not see.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from pro_service.core.enrolment.cells import CellError, quoted
from pro_service.core.enrolment.file import Record, Sheet, decode, header
from pro_service.core.enrolment.redcap_mapping import (
    DATES,
    FORMATS,
    Column,
    ColumnMapping,
    looks_like_allocation,
)
from pro_service.core.problems import Problem, nearest, problem

EVENTS = ("redcap_event_name", "Event Name")
REPEATS = ("redcap_repeat_instrument", "Repeat Instrument")
TICKED, UNTICKED = frozenset({"1", "Checked"}), frozenset({"", "0", "Unchecked"})
MOST_EVENTS = 12
_ARM = re.compile(r"_arm_(\d+)[a-z]?$|\(Arm (\d+): ", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2}:\d{2})(?::\d{2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Export:
    """An export whose first line was read."""

    sheet: Sheet
    columns: tuple[str, ...]
    """As the first line names them."""
    events: tuple[str, ...] = ()
    """Names of events, in the file's order."""


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of an enrolment, and what was left out on purpose."""

    records: tuple[Record, ...] = field(repr=False)
    ignored: tuple[str, ...]
    """Columns of the export that nothing is read from."""
    waiting: int = 0
    """Records without a row of the procedure's event yet."""
    repeated: int = 0
    """Rows of repeated instruments."""


def open_export(data: bytes) -> tuple[Export | None, tuple[Problem, ...]]:
    """Return the export in these bytes, or why it cannot be used: no CSV, an allocation in it, several arms."""
    text, faults = decode(data)
    if faults:
        return None, faults
    line, names, delimiter = header(text)
    try:
        columns = tuple(name.strip() for name in next(csv.reader([names], delimiter=delimiter, strict=True), []))
    except csv.Error:
        return None, (problem("export_quotes", "", line),)
    if not any(columns):
        return None, (problem("export_empty", "", line),)
    allocations = [name for name in columns if looks_like_allocation(name)]
    if allocations:
        return None, tuple(problem("export_allocation", name, line) for name in allocations)
    sheet = Sheet(data, delimiter, line, columns)
    events = _events(sheet)
    arms = {next(filter(None, found.groups())) for name in events if (found := _ARM.search(name))}
    if len(arms) > 1:
        return None, (problem("export_arms", _named(columns, EVENTS), line, n=len(arms)),)
    return Export(sheet, columns, events), ()


def read_rows(data: bytes, mapping: ColumnMapping) -> tuple[Found | None, tuple[Problem, ...]]:
    """Return the rows of the enrolment in an export; None exactly if the export as a whole has faults.

    Faults of single rows are in the rows, as in any enrolment file.
    """
    export, faults = open_export(data)
    if export is None:
        return None, faults
    faults = tuple(_column_faults(export, mapping))
    if faults:
        return None, faults
    main, others, repeated = _grouped(export, mapping)
    records = tuple(_converted(record, others.get(_record_id(record, mapping), {}), mapping) for record in main)
    ids = {_record_id(record, mapping) for record in main}
    used = {*mapping.named(), *EVENTS, *REPEATS}
    ignored = tuple(dict.fromkeys(name for name in export.columns if name and name not in used))
    return Found(records, ignored, sum(key not in ids for key in others), repeated), ()


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


def _record_id(record: Record, mapping: ColumnMapping) -> str:
    return record.cells.get(mapping.theirs("participant"), "")


def _grouped(export: Export, mapping: ColumnMapping) -> tuple[list[Record], Mapping[str, Mapping[str, Record]], int]:
    """Return (rows of the procedure's event, record -> event -> its row, rows of repeated instruments)."""
    event, repeat = _named(export.columns, EVENTS), _named(export.columns, REPEATS)
    main, every, repeated = [], defaultdict[str, dict[str, Record]](dict), 0
    for record in export.sheet.records():
        if repeat and record.cells.get(repeat):
            repeated += 1
            continue
        name = record.cells.get(event, "") if event else ""
        # A line that cannot be read belongs to no event, and must not be passed over.
        if record.faults or name == mapping.event:
            main.append(record)
        if not record.faults:
            every[_record_id(record, mapping)].setdefault(name, record)
    return main, every, repeated


def _converted(record: Record, rows: Mapping[str, Record], mapping: ColumnMapping) -> Record:
    """Return one row in our columns, with its faults."""
    if record.faults:
        return record
    cells, faults = {}, []
    for name, column in mapping.columns.items():
        row = rows.get(column.event) if column.event else record
        try:
            cells[name] = "" if row is None else _cell(name, column, row)
        except CellError as error:
            cells[name] = ""
            faults.append(error.problem.at(name, record.line if row is None else row.line))
    return Record(record.line, {"messaging_consent": ""} | cells, tuple(faults))


def _cell(name: str, column: Column, row: Record) -> str:
    """Return the value of one of our columns. Raise CellError if it cannot be read."""
    if column.when:
        ticked = row.cells.get(column.when, "")
        if ticked not in TICKED | UNTICKED:
            raise CellError("no_checkbox", box=column.when, given=quoted(ticked))
        if ticked in UNTICKED:
            return ""
    value = column.always or row.cells.get(column.source, "")
    if column.when and not value:
        raise CellError("ticked_and_empty", box=column.when, column=column.source)
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
