"""Files with which a REDCap project takes the visits in: its data dictionary, events, their forms, and the records.

A longitudinal project of one arm, which is never a treatment: an event for each planned visit, a form `pro_visit` at
every event, and a form `pro_participant` at the first. Field names are our columns; where both tables have one of a
name, the participant's begins with `p_`. An instant is in UTC: REDCap knows no zones.
Codes are ours as they are, so that another version of this product does not change them.

Rules of the formats: https://redcap.vumc.org (Control Center help, *Data Dictionary*, *Import events*, *Data Import*).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pro_service.exports.csv_files import write_rows
from pro_service.exports.formats.finished import Finished, Progress, instant
from pro_service.exports.formats.plain_letters import plain
from pro_service.exports.tables import Cell, Column, Table

DICTIONARY = (
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
    "Text Validation Type OR Show Slider Number",
    "Text Validation Min",
    "Text Validation Max",
    "Identifier?",
    "Branching Logic (Show field only if...)",
    "Required Field?",
    "Custom Alignment",
    "Question Number (surveys only)",
    "Matrix Group Name",
    "Matrix Ranking?",
    "Field Annotation",
)
"""The columns of a data dictionary, as REDCap names them."""
RECORD, FORM_OF_PARTICIPANT, FORM_OF_VISIT = "participant", "pro_participant", "pro_visit"
VALIDATIONS = {"integer": "integer", "decimal": "number", "date": "date_ymd", "instant": "datetime_seconds_ymd"}
LONGEST_EVENT = 18
"""Signs of an event's name that REDCap keeps in its unique name."""
_UNFIT = re.compile(r"[^A-Za-z0-9]+")
_UNFIT_CODE = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, slots=True)
class Event:
    """A planned visit."""

    visit: str
    name: str
    """Letters, digits and single spaces: of these, REDCap makes a unique name in one way alone."""

    @property
    def unique(self) -> str:
        """Return the name that REDCap gives it."""
        return f"{self.name.lower().replace(' ', '_')}_arm_1"


def write_redcap(finished: Finished, folder: Path, progress: Progress) -> None:
    """Write dictionary.csv, events.csv, mapping.csv and records.csv into the folder."""
    tables = {table.name: table for table in finished.tables}
    visits, participants = tables["visits"], tables["participants"]
    taken = {column.name for column in visits.columns} - {RECORD}
    names = [column.name for column in participants.columns]
    fields = {name: f"p_{name}" if name in taken else name for name in names}
    events = _events(finished, visits)
    write_rows(folder, "dictionary.csv", DICTIONARY, _dictionary(finished, visits, participants, fields))
    offsets = ([event.name, "1", str(day), "0", "0"] for day, event in enumerate(events))
    write_rows(folder, "events.csv", ("event_name", "arm_num", "day_offset", "offset_min", "offset_max"), offsets)
    write_rows(folder, "mapping.csv", ("arm_num", "unique_event_name", "form"), _forms(events))
    write_rows(folder, "records.csv", *_records(finished, visits, participants, fields, events, progress))


def _events(finished: Finished, visits: Table) -> tuple[Event, ...]:
    """Return the planned visits in their order."""
    (visit,) = (column for column in visits.columns if column.name == "visit")
    # In English where there is any: an event keeps its name when a later set is labelled in another language.
    labels = [code.labels.get("en") or finished.said(code.labels) for code in visit.codes]
    names = [_UNFIT.sub(" ", plain(label)).strip() for label in labels]
    fit = len({name.lower() for name in names}) == len(names) and all(0 < len(name) <= LONGEST_EVENT for name in names)
    return tuple(
        Event(str(code.value), name if fit else f"Visit {number}")
        for number, (code, name) in enumerate(zip(visit.codes, names, strict=True), 1)
    )


def _forms(events: Sequence[Event]) -> Iterator[Sequence[str]]:
    for number, event in enumerate(events):
        if number == 0:
            yield ("1", event.unique, FORM_OF_PARTICIPANT)
        yield ("1", event.unique, FORM_OF_VISIT)


def _dictionary(
    finished: Finished, visits: Table, participants: Table, fields: Mapping[str, str]
) -> Iterator[Sequence[str]]:
    of_participant = {column.name: column for column in participants.columns}
    # The first field of a project is the record's own; here, the participant.
    for column in (of_participant.pop(RECORD), *of_participant.values()):
        yield _field(finished, column, fields[column.name], FORM_OF_PARTICIPANT)
    for column in visits.columns:
        if column.name != RECORD:
            yield _field(finished, column, column.name, FORM_OF_VISIT)


def _field(finished: Finished, column: Column, name: str, form: str) -> Sequence[str]:
    """Return a field's row of the data dictionary."""
    choices = " | ".join(f"{_raw(code.value)}, {_line(finished.said(code.labels))}" for code in column.codes)
    kind = "yesno" if column.kind == "boolean" else "dropdown" if choices else "text"
    is_text = kind == "text"
    bounded = is_text and column.kind == "integer"
    filled = {
        "Variable / Field Name": name,
        "Form Name": form,
        "Field Type": kind,
        "Field Label": _line(finished.said(column.questions) or finished.said(column.labels)),
        "Choices, Calculations, OR Slider Labels": choices if kind == "dropdown" else "",
        "Field Note": "UTC" if column.kind == "instant" else column.unit,
        "Text Validation Type OR Show Slider Number": VALIDATIONS.get(column.kind, "") if is_text else "",
        "Text Validation Min": str(column.minimum) if bounded and column.minimum is not None else "",
        "Text Validation Max": str(column.maximum) if bounded and column.maximum is not None else "",
        # Filled from here alone: an answer is corrected where it was given, with its audit trail.
        "Field Annotation": "" if name == RECORD else "@READONLY",
    }
    return [filled.get(title, "") for title in DICTIONARY]


def _line(text: str) -> str:
    """Return a text as a choice or a label holds it: in one line, without the sign that parts choices."""
    return " ".join(text.replace("|", "/").split())


def _records(
    finished: Finished,
    visits: Table,
    participants: Table,
    fields: Mapping[str, str],
    events: Sequence[Event],
    progress: Progress,
) -> tuple[Sequence[str], Iterable[Sequence[Cell]]]:
    """Return the head and the rows of the records: one a visit, the participant's own fields in the first of each."""
    unique = {event.visit: event.unique for event in events}
    of_participant = [column for column in participants.columns if column.name != RECORD]
    of_visit = [column for column in visits.columns if column.name != RECORD]
    head = (RECORD, "redcap_event_name", *(fields[column.name] for column in of_participant))
    key = [column.name for column in participants.columns].index(RECORD)
    who = {row[key]: _cells(participants, row) for row in finished.rows(participants)}
    nobody: Sequence[Cell] = [None] * len(of_participant)

    def rows() -> Iterator[Sequence[Cell]]:
        names = [column.name for column in visits.columns]
        total = len(who) * len(events)
        for number, row in enumerate(finished.rows(visits), 1):
            code, visit = row[names.index(RECORD)], str(row[names.index("visit")])
            is_first = visit == events[0].visit
            yield [code, unique[visit], *(who[code] if is_first else nobody), *_cells(visits, row)]
            if number % 10_000 == 0:
                progress(number, total)

    return (*head, *(column.name for column in of_visit)), rows()


def _cells(table: Table, row: Sequence[Cell]) -> Sequence[Cell]:
    """Return a row's cells as REDCap takes them, without the participant."""
    return [_cell(column, cell) for column, cell in zip(table.columns, row, strict=True) if column.name != RECORD]


def _cell(column: Column, cell: Cell) -> Cell:
    if cell is None:
        return None
    if column.kind == "instant":
        return instant(cell).strftime("%Y-%m-%d %H:%M:%S")
    return _raw(cell) if column.codes else cell


def _raw(value: Cell) -> str:
    """Return a code as REDCap allows one."""
    return _UNFIT_CODE.sub("_", str(value))
