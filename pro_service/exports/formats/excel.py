"""One workbook for people, written by XlsxWriter, and CSV as Excel reads it where a comma stands in a number.

A day is a day, an instant a time in UTC. A text that Excel would run as a formula has an apostrophe before it; a number
never has.
"""

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from pro_service.core.problems import Problem, RejectedError, problem
from pro_service.exports import words
from pro_service.exports.csv_files import WrittenFile, private, written
from pro_service.exports.formats.finished import Finished, Progress, day, instant
from pro_service.exports.tables import Cell, Column, Table

ROWS = 1_048_576
"""Of a sheet, its head among them: Excel's own limit."""
TEXT = 32_767
"""Signs in a cell."""
RUNS = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so is a formula to a spreadsheet (OWASP: CSV injection)."""
BATCH = 10_000
WIDEST = 44
_WIDTHS = {"date": 12, "instant": 20}
_Cell = TypeVar("_Cell")


def harmless(cell: _Cell) -> _Cell | str:
    """Return the cell as a spreadsheet may have it: a text that would run is quoted, a number never is.

    A program for statistics reads a quoted number as a text, and calculates as if the value were missing.
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(RUNS) else cell


# --- CSV -------------------------------------------------------------------------------------------------------------


def rewrite_for_excel(finished: Finished) -> tuple[WrittenFile, ...]:
    """Write the set's CSV files anew as Excel opens them where a comma stands in a number, as in Turkish and German.

    With the mark of UTF-8, semicolons, decimal commas, and texts guarded. Make all other formats before.
    """
    files = []
    for table in finished.tables:
        path, count = finished.file(table), 0
        draft = path.with_suffix(".draft")
        with private(draft) as data, io.TextIOWrapper(data, encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=";", lineterminator="\n")
            writer.writerow([column.name for column in table.columns])
            for count, row in enumerate(finished.rows(table), 1):  # noqa: B007 -- counted for the manifest
                writer.writerow([_with_comma(cell) for cell in row])
        draft.replace(path)
        files.append(written(finished.folder, table.path, count))
    return tuple(files)


def _with_comma(cell: Cell) -> Cell:
    return str(cell).replace(".", ",") if isinstance(cell, Decimal) else harmless(cell)


# --- XLSX ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Size:
    """How large the sheet of a table becomes."""

    rows: int = 0
    widths: list[int] = field(default_factory=list)
    """Of its columns, in signs."""


def write_xlsx(finished: Finished, folder: Path, progress: Progress, *, most: int = ROWS - 1) -> None:
    """Write data.xlsx into the folder: what it is, a sheet for each table, and the codebook if the set has one.

    RejectedError, with nothing written, if a table has more than `most` rows, or a cell more signs than it can hold.
    """
    import xlsxwriter

    sizes = [_measured(finished, table) for table in finished.tables]
    if faults := tuple(_too_many(finished, sizes, most)):
        raise RejectedError(faults)
    kept_as_text = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    options = {"constant_memory": True, "tmpdir": os.fspath(folder), **kept_as_text}
    with xlsxwriter.Workbook(folder / "data.xlsx", options) as book:
        looks = _Looks(
            head=book.add_format({"bold": True, "bottom": 1}),
            title=book.add_format({"bold": True, "font_size": 14}),
            kinds={
                "date": book.add_format({"num_format": "yyyy-mm-dd"}),
                "instant": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            },
        )
        _introduce(book, looks, finished, sizes)
        written, total = 0, sum(size.rows for size in sizes)
        for table, size in zip(finished.tables, sizes, strict=True):
            sheet = _sheet(book, looks, table.name, [column.name for column in table.columns], size)
            for number, row in enumerate(finished.rows(table), 1):
                _write_row(sheet, looks, number, table.columns, row)
                if number % BATCH == 0:
                    progress(written + number, total)
            written += size.rows
            progress(written, total)
        _codebook(book, looks, finished)


@dataclass(frozen=True, slots=True)
class _Looks:
    """Formats of the workbook's cells."""

    head: Any
    title: Any
    kinds: dict[str, Any]


def _measured(finished: Finished, table: Table) -> _Size:
    """Return the size of a table. RejectedError if a text is too long for a cell."""
    size = _Size(widths=[len(column.name) + 3 for column in table.columns])
    for row in finished.rows(table):
        size.rows += 1
        for place, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
            if cell is None:
                continue
            wide = _WIDTHS.get(column.kind) or len(str(cell)) + 1
            if wide > TEXT:
                where = f"{table.name}.{column.name}"
                raise RejectedError((problem("text_too_long", where, size=wide - 1, format="xlsx", most=TEXT - 1),))
            size.widths[place] = max(size.widths[place], min(wide, WIDEST))
    return size


def _too_many(finished: Finished, sizes: list[_Size], most: int) -> Iterator[Problem]:
    for table, size in zip(finished.tables, sizes, strict=True):
        if size.rows > most:
            yield problem("too_many_rows_for_excel", table.name, rows=size.rows, most=most)


def _introduce(book: Any, looks: _Looks, finished: Finished, sizes: list[_Size]) -> None:
    """Write the first sheet: what the workbook is and what its sheets are."""

    def said(name: str) -> str:
        return finished.said(words.word("workbook", name))

    sheet = book.add_worksheet(said("about"))
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 12)
    sheet.set_column(2, 2, 90)
    sheet.write_string(0, 0, said("title"), looks.title)
    lines: list[tuple[str, ...]] = [(said(name), fact) for name, fact in finished.facts.items()]
    lines += [(), *((said(note),) for note in ("codes", "missing", "times", "guarded"))]
    for number, line in enumerate(lines, 2):
        for place, text in enumerate(line):
            sheet.write_string(number, place, str(harmless(text)))
    first = len(lines) + 3
    for place, name in enumerate(("sheet", "rows", "holds")):
        sheet.write_string(first, place, said(name), looks.head)
    for number, (table, size) in enumerate(zip(finished.tables, sizes, strict=True), first + 1):
        sheet.write_url(number, 0, f"internal:'{table.name}'!A1", string=table.name)
        sheet.write_number(number, 1, size.rows)
        sheet.write_string(number, 2, finished.said(table.labels))


def _sheet(book: Any, looks: _Looks, name: str, head: list[str], size: _Size) -> Any:
    """Return a new sheet with its head: it stays in sight, and filters."""
    sheet = book.add_worksheet(name)
    for place, wide in enumerate(size.widths):
        sheet.set_column(place, place, wide)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, size.rows, len(head) - 1)
    for place, text in enumerate(head):
        sheet.write_string(0, place, text, looks.head)
    return sheet


def _write_row(sheet: Any, looks: _Looks, number: int, columns: tuple[Column, ...], row: tuple[Cell, ...]) -> None:
    for place, (column, cell) in enumerate(zip(columns, row, strict=True)):
        if cell is None:
            continue
        if column.kind == "date":
            sheet.write_datetime(number, place, day(cell), looks.kinds["date"])
        elif column.kind == "instant":
            sheet.write_datetime(number, place, instant(cell).replace(tzinfo=None), looks.kinds["instant"])
        elif isinstance(cell, str):
            sheet.write_string(number, place, harmless(cell))
        else:
            sheet.write_number(number, place, cell)


def _codebook(book: Any, looks: _Looks, finished: Finished) -> None:
    """Write the codebook's sheet from its file, if the set has one."""
    path = finished.folder / "codebook.csv"
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="") as file:
        head, *lines = list(csv.reader(file))
    widths = [min(WIDEST, max(len(text) for text in texts) + 2) for texts in zip(head, *lines, strict=True)]
    sheet = _sheet(book, looks, "codebook", head, _Size(len(lines), widths))
    for number, line in enumerate(lines, 1):
        for place, text in enumerate(line):
            sheet.write_string(number, place, harmless(text))
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{len(lines) + 1}"})
