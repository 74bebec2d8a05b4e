"""The enrolment file as a file: alphabets, separators, columns, rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pro_service.core.enrolment.blinding import is_allocation
from pro_service.core.enrolment.file import one_line, open_sheet, read
from pro_service.core.problem_words import BLINDING
from pro_service.core.problems import words
from pro_service.core.replies.folding import visible

ITEMS = ("NRS-AVG", "NRS-NOW")
HEADER = "participant,site,procedure_date,language,messaging_consent"
ROW = "P-001,IST,2026-03-02,tr,2026-03-02"


def faults_of(data: bytes) -> str:
    sheet, faults = read(data, ITEMS)
    assert (sheet is None) == bool(faults)
    return "\n".join(f"{fault.line} {fault.path}: {' → '.join(words(fault))}" for fault in faults)


def cells_of(text: str, encoding: str = "utf-8") -> list[dict[str, str]]:
    sheet, faults = read(text.encode(encoding), ITEMS)
    assert sheet is not None, faults
    return [record.cells for record in sheet.records()]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_way_a_spreadsheet_writes_utf8_is_read(delimiter: str, encoding: str, end: str) -> None:
    text = end.join((HEADER, ROW, "")).replace(",", delimiter)
    assert cells_of(text, encoding)[0]["participant"] == "P-001"


def test_a_comma_in_a_row_does_not_change_the_separator() -> None:
    row = cells_of(f"{HEADER};email\n{ROW};a,b,c,d,e".replace(",site", ";site").replace(",", ";", 8))
    assert row[0]["site"] == "IST"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^"])
@pytest.mark.parametrize(
    "name", ["Pain, back; hip|thigh^calf\tfoot", "Pain, a, b, c", "two\r\nlines", 'a "word", b', "İ; ş"]
)
def test_a_separator_inside_quotes_separates_nothing(delimiter: str, name: str) -> None:
    labels = ["Record ID", name, "Date"]
    text = "\r\n".join(
        delimiter.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in (labels, "123")
    )
    sheet, faults = open_sheet(text.encode(), 3)
    assert sheet is not None, faults
    assert sheet.columns == tuple(map(one_line, labels))
    assert [list(record.cells.values()) for record in sheet.records()] == [["1", "2", "3"]]


def test_a_separator_without_quotes_is_known_by_the_row_below() -> None:
    sheet, _ = open_sheet(b"Record ID;Back, hip, or thigh, or calf;Date\n1;2;3\n", 3)
    assert sheet is not None
    assert sheet.delimiter == ";"


def test_a_header_of_fifty_thousand_columns_is_refused_at_once() -> None:
    wide = ",".join([HEADER, *(f"c{number}" for number in range(50_000))]).encode()
    assert "50005 columns, and at most 1000 are read" in faults_of(wide)


def test_a_cell_that_is_too_long_is_said_with_its_line_and_no_word_of_quotes_that_match() -> None:
    for cell in ("x" * 140_000, "x\n" * 70_000):
        sheet, _ = read(f'{HEADER}\n{ROW}\n"{cell}",IST,2026-03-02,tr,\n'.encode(), ITEMS)
        assert sheet is not None
        *_, last = sheet.records()
        assert [(one.code, one.line) for one in last.faults] == [("cell_too_long", 3)]
    assert "more than 131072 characters" in faults_of(f'"{"x" * 140_000}",site'.encode())


def test_the_line_that_names_the_separator_is_skipped() -> None:
    assert cells_of(f"sep=;\n{HEADER}\n{ROW}".replace(",", ";"))[0]["language"] == "tr"


@pytest.mark.parametrize(
    "data, said",
    [
        (f"{HEADER}\nP-ş,".encode("cp1254"), "not UTF-8"),
        (HEADER.encode("utf-16"), "UTF-16"),
        (HEADER.encode("utf-16-le"), "UTF-16"),
        (b"PK\x03\x04rest", "spreadsheet's own format"),
        (HEADER.encode() + b"\n\x00\x01", "no text has"),
    ],
)
def test_what_is_no_utf8_is_refused_with_the_way_to_save_it(data: bytes, said: str) -> None:
    assert said in faults_of(data)
    assert "CSV UTF-8" in faults_of(data)


@pytest.mark.parametrize(
    "data", [b'<?xml version="1.0"?>\n<ODM/>', b'"Variable / Field Name";"Form Name"\nrecord_id;a', b"field_name,form"]
)
def test_a_project_or_its_list_of_fields_is_no_file_of_participants(data: bytes) -> None:
    assert "export the data (a report)" in faults_of(data)


def test_the_line_of_the_first_foreign_letter_is_named() -> None:
    assert faults_of(f"{HEADER}\n{ROW}\nP-ğ".encode("cp1254")).startswith("3 ")


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"   \n"])
def test_an_empty_file_is_told_what_its_first_line_holds(data: bytes) -> None:
    assert "procedure_date" in faults_of(data)


@pytest.mark.parametrize(
    "column",
    [
        *("arm", "Arm", "Study Arm", "group", "treatment", "TREATMENT_GROUP", "randomisation", "randomization_no"),
        *("allocation", "kol", "Çalışma kolu", "grup", "Tedavi", "randomizasyon", "RANDOMİZASYON", "ARMCD", "trt01p"),
        *("hasta grubu", "placebo", "plasebo", "Tedavi Grubu", "müdahale"),
    ],
)
def test_a_column_that_looks_like_the_allocation_is_refused(column: str) -> None:
    assert is_allocation(column)
    assert BLINDING in faults_of(f"{HEADER},{column}\n{ROW},A".encode())


@pytest.mark.parametrize("column", [*HEADER.split(","), "phone", "email", "timezone", "channel", "procedure_time"])
def test_no_column_of_ours_looks_like_the_allocation(column: str) -> None:
    assert not is_allocation(column)


def test_what_cannot_be_seen_is_in_no_name_and_no_cell() -> None:
    rows = cells_of(f"\ufeff\u200b{HEADER}\n\u200eP-0\u00ad１,IST\u2060,２０２６-03-02,tr,\n\u200b,\ufeff,,,\n")
    assert [tuple(row.values()) for row in rows] == [("P-01", "IST", "2026-03-02", "tr", "")]


def test_a_sign_that_could_change_a_number_stays() -> None:
    assert visible("7²½①") == "7²½①"
    assert visible(" İstanbul\u200d’da ") == "İstanbul’da"


def test_every_fault_of_the_header_is_said_at_once() -> None:
    said = faults_of(b"participant,sites,participant,phones\n")
    for part in ('did you mean "site"?', 'did you mean "phone"?', "there twice", "procedure_date", "messaging_consent"):
        assert part in said


def test_baseline_columns_are_those_of_the_baselines_items() -> None:
    assert "unknown column" in faults_of(f"{HEADER},baseline_pgic".encode())
    assert faults_of(f"{HEADER},baseline_nrs_avg".encode()) == ""


def test_a_row_keeps_the_line_it_begins_on() -> None:
    sheet, _ = read(f'{HEADER},email\n"P\n1",a,b,c,d,e\n\nP-2,a,b,c,d,e\n'.encode(), ITEMS)
    assert sheet is not None
    assert [record.line for record in sheet.records()] == [2, 5]


def test_broken_quotes_and_uneven_rows_are_faults_of_their_line() -> None:
    sheet, _ = read(f'{HEADER}\nP-1,a\nP-2,a,b,c,d,e\nP-3,"a\n'.encode(), ITEMS)
    assert sheet is not None
    assert [(record.line, bool(record.faults)) for record in sheet.records()] == [(2, True), (3, True), (4, True)]


@given(st.binary() | st.text().map(str.encode) | st.binary().map(lambda rest: f"{HEADER}\n".encode() + rest))
def test_arbitrary_bytes_are_read_or_refused_and_never_crash(data: bytes) -> None:
    sheet, faults = read(data, ITEMS)
    assert (sheet is None) == bool(faults)
    if sheet is not None:
        assert all(record.line >= 1 for record in sheet.records())
