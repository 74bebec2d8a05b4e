"""Every format holds what the CSV files hold: the same values, missing where they are, with labels."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pro_service.core.enrolment.redcap import open_export
from pro_service.core.problems import RejectedError
from pro_service.exports import formats
from pro_service.exports.formats import excel
from pro_service.exports.formats.finished import numbers, with_codes
from pro_service.exports.tables import Cell, Column
from tests.exports import sample

STATUS = next(column for column in sample.VISITS.columns if column.name == "status")


def as_number(column: Column, cell: Cell) -> object:
    """Return what a program for statistics holds of a cell."""
    if cell is None:
        return None
    if column.kind == "date":
        return date.fromisoformat(str(cell))
    if column.kind == "instant":
        return datetime.fromisoformat(str(cell)).astimezone(UTC).replace(tzinfo=None)
    return numbers(column).get(str(cell), float(cell) if isinstance(cell, int | Decimal) else cell)


def read_back(name: str, path: Path) -> tuple[list[dict[str, object]], Any]:
    """Return the rows of a file of a program for statistics, and what is said about its columns."""
    import pandas as pd  # noqa: PLC0415 -- large, and of these tests alone
    import pyreadstat  # noqa: PLC0415

    read: Any = {"dta": pyreadstat.read_dta, "sav": pyreadstat.read_sav, "xpt": pyreadstat.read_xport}[name]
    frame, meta = read(str(path))

    def plain(cell: Any) -> object:
        if cell == "" or pd.isna(cell):
            return None
        return cell.to_pydatetime() if hasattr(cell, "to_pydatetime") else cell

    return [{key: plain(cell) for key, cell in row.items()} for row in frame.to_dict("records")], meta


@pytest.mark.parametrize("name", ["dta", "sav", "xpt"])
def test_a_program_for_statistics_reads_the_values_and_labels_of_the_csv_files(name: str, tmp_path: Path) -> None:
    finished = sample.finished(tmp_path)
    written = formats.write(name, finished, tmp_path)
    assert [file.path for file in written] == [
        f"{name}/{table}.{name}" for table in ("answers", "participants", "visits")
    ]
    for table, cells in sample.SET:
        found, meta = read_back(name, tmp_path / name / f"{table.name}.{name}")
        columns = table.columns
        assert found == [
            {column.name: as_number(column, cell) for column, cell in zip(columns, row, strict=True)} for row in cells
        ]
        assert meta.column_names == [column.name for column in columns]
        assert meta.column_names_to_labels == {
            column.name: column.labels["en"] + (" (UTC)" if column.kind == "instant" else "") for column in columns
        }
        assert meta.table_name == table.name if name == "xpt" else meta.file_label == table.labels["en"]
        labels = {
            column.name: {numbers(column).get(str(code.value), code.value): code.labels["en"] for code in column.codes}
            for column in map(with_codes, columns)
            if column.codes
        }
        assert meta.variable_value_labels == ({} if name == "xpt" else labels)


def test_labels_are_turkish_where_asked_for_and_plain_letters_in_sas(tmp_path: Path) -> None:
    finished = sample.finished(tmp_path, "tr")
    for name, label in (("sav", "status nedir, ığüşöç İ"), ("xpt", "status nedir, igusoc I")):
        formats.write(name, finished, tmp_path)
        _, meta = read_back(name, tmp_path / name / f"visits.{name}")
        assert meta.column_names_to_labels["status"] == label


def test_a_text_that_a_format_would_cut_off_is_refused(tmp_path: Path) -> None:
    finished = sample.finished(tmp_path)
    path = finished.file(sample.PARTICIPANTS)
    path.write_text(path.read_text(encoding="utf-8") + f"P-003,{'ş' * 1_100},Europe/Istanbul,\n", encoding="utf-8")
    with pytest.raises(RejectedError) as refused:
        formats.write("dta", finished, tmp_path)
    assert refused.value.faults[0].code == "text_too_long"
    assert refused.value.faults[0].path == "participants.status"
    formats.write("sav", finished, tmp_path)
    assert read_back("sav", tmp_path / "sav" / "participants.sav")[0][2]["status"] == "ş" * 1_100


def test_a_workbook_holds_the_values_with_days_as_days_and_no_formula(tmp_path: Path) -> None:
    formats.write("xlsx", sample.finished(tmp_path), tmp_path)
    assert [path.name for path in (tmp_path / "xlsx").iterdir()] == ["data.xlsx"]
    book = openpyxl.load_workbook(tmp_path / "xlsx" / "data.xlsx")
    assert book.sheetnames == ["About", "visits", "participants", "answers", "codebook"]
    sheet = book["visits"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:O5")

    def shown(column: Column, cell: Cell) -> object:
        if cell is not None and column.kind == "date":
            return datetime.fromisoformat(str(cell))
        if cell is not None and column.kind == "instant":
            return datetime.fromisoformat(str(cell)).astimezone(UTC).replace(tzinfo=None)
        return float(cell) if isinstance(cell, Decimal) else "'=1+1" if cell == "=1+1" else cell

    head, *rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert head == [column.name for column in sample.VISITS.columns]
    assert rows == [[shown(*pair) for pair in zip(sample.VISITS.columns, row, strict=True)] for row in sample.ROWS]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "d"}
    assert [row[:2] for row in book["About"].iter_rows(values_only=True) if row[0] in ("Study", "visits")] == [
        ("Study", "DEMO"),
        ("visits", 4),
    ]


def test_a_table_that_no_sheet_can_hold_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    place = tmp_path / "xlsx"
    place.mkdir()
    with pytest.raises(RejectedError) as refused:
        excel.write_xlsx(sample.finished(tmp_path), place, lambda _done, _total: None, most=3)
    assert [(fault.code, fault.path) for fault in refused.value.faults] == [("too_many_rows_for_excel", "visits")]
    assert list(place.iterdir()) == []


def test_csv_for_excel_has_decimal_commas_and_no_formula_and_numbers_stay_numbers(tmp_path: Path) -> None:
    finished = sample.finished(tmp_path)
    rewritten = excel.rewrite_for_excel(finished)
    assert (rewritten[0].path, rewritten[0].rows) == ("data/visits.csv", 4)
    text = finished.file(sample.VISITS).read_bytes().decode()
    assert text.startswith("\ufeffparticipant;visit_number;")
    first, _, third, _ = csv.reader(text.splitlines()[1:], delimiter=";")
    assert first[11] == "'=1+1"
    assert third[10] == "-14,29"
    assert third[11] == sample.LONG


def table_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_redcap_project_can_take_the_visits_in(tmp_path: Path) -> None:
    written = formats.write("redcap", sample.finished(tmp_path), tmp_path)
    assert [file.rows for file in written if file.path == "redcap/records.csv"] == [len(sample.ROWS)]
    dictionary, events, mapping, records = (
        table_of(tmp_path / "redcap" / f"{name}.csv") for name in ("dictionary", "events", "mapping", "records")
    )
    assert len(dictionary[0]) == 18
    fields = {row["Variable / Field Name"]: row for row in dictionary}
    assert len(fields) == len(dictionary)
    assert dictionary[0]["Variable / Field Name"] == "participant"
    assert fields["p_status"]["Form Name"] == "pro_participant"
    assert fields["status"]["Field Type"] == "dropdown"
    choices = fields["status"]["Choices, Calculations, OR Slider Labels"].split(" | ")
    assert choices[0] == "not_scheduled, No window yet"
    assert len(choices) == len(STATUS.codes)
    assert fields["due"]["Field Type"] == "yesno"
    validated = {name: row["Text Validation Type OR Show Slider Number"] for name, row in fields.items()}
    assert validated["target_date"] == "date_ymd"
    assert validated["answered_at"] == "datetime_seconds_ymd"
    assert validated["nrs_avg_change"] == "number"
    # A label of more than 18 signs would be cut by REDCap, so all events are called by their number.
    assert [row["event_name"] for row in events] == ["Visit 1", "Visit 2"]
    assert [tuple(row.values()) for row in mapping] == [
        ("1", "visit_1_arm_1", "pro_participant"),
        ("1", "visit_1_arm_1", "pro_visit"),
        ("1", "visit_2_arm_1", "pro_visit"),
    ]
    known, faults = open_export((tmp_path / "redcap" / "records.csv").read_bytes())
    assert (faults, known and known.events) == ((), ("visit_1_arm_1", "visit_2_arm_1"))
    assert set(records[0]) == fields.keys() | {"redcap_event_name"}
    assert [(row["participant"], row["redcap_event_name"], row["p_status"]) for row in records[:2]] == [
        ("P-001", "visit_1_arm_1", "Ankara'da"),
        ("P-001", "visit_2_arm_1", ""),
    ]
    assert records[2]["answered_at"] == "2026-03-10 22:30:05"
    assert records[2]["nrs_avg_change"] == "-14.29"


def test_what_a_format_needs_is_said_before_anything_is_made() -> None:
    nothing: Callable[[str], None] = lambda _name: None  # noqa: E731
    found = formats.faults_of(["csv", "sav", "redcap", "xlsx", "sas"], nothing)
    assert [(fault.code, fault.path) for fault in found] == [
        ("format_needs_extra", "sav"),
        ("format_needs_extra", "xlsx"),
        ("format_unknown", "sas"),
    ]
    assert formats.faults_of(formats.FORMATS) == ()
