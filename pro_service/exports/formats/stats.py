"""Stata, SPSS and SAS transport files, written by pyreadstat: codes become labelled numbers, days and instants dates.

An instant is kept in UTC, so that those of all sites compare; its label says so. A column of words (a status, a mode)
holds numbers from 1, in the order of its codes. A transport file of SAS cannot carry labels of values:
`scripts/read.sas` has them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pro_service.core.problems import RejectedError, problem
from pro_service.exports.formats.finished import Finished, Progress, day, instant, numbers, with_codes
from pro_service.exports.formats.plain_letters import plain
from pro_service.exports.tables import Cell, Column, Table


@dataclass(frozen=True, slots=True)
class Program:
    """How a program for statistics counts time, and how many bytes its texts and labels may have."""

    name: str
    epoch: date
    per_day: int
    """Units in a day, where a day is counted."""
    per_second: int
    """Units in a second, where an instant is counted."""
    day_format: str
    instant_format: str
    text: int
    label: int
    value_label: int
    table_label: int

    def days(self, cell: Cell) -> float:
        """Return a day as the program counts it."""
        return (day(cell) - self.epoch).days * self.per_day

    def instants(self, cell: Cell) -> float:
        """Return an instant as the program counts it, in UTC."""
        began = datetime(self.epoch.year, self.epoch.month, self.epoch.day, tzinfo=UTC)
        return (instant(cell) - began).total_seconds() * self.per_second


STATA = Program("dta", date(1960, 1, 1), 1, 1_000, "%td", "%tc", 2_045, 80, 32_000, 80)
"""Version 118, of Stata 14 and later: UTF-8."""
SPSS = Program("sav", date(1582, 10, 14), 86_400, 1, "SDATE10", "DATETIME20", 32_767, 255, 120, 64)
SAS = Program("xpt", date(1960, 1, 1), 1, 1, "DATE9", "DATETIME20", 32_767, 255, 0, 40)
"""Version 8: names of more than 8 signs and texts of more than 200 bytes, which version 5 cuts off without a word."""


def write_dta(finished: Finished, folder: Path, progress: Progress) -> None:
    """Write a .dta file for each table into the folder."""
    import pyreadstat

    for table, path, frame in _frames(finished, folder, STATA, progress):
        values = _value_labels(finished, table, STATA)
        pyreadstat.write_dta(frame, path, version=14, variable_value_labels=values, **_shown(finished, table, STATA))


def write_sav(finished: Finished, folder: Path, progress: Progress) -> None:
    """Write a .sav file for each table into the folder."""
    import pyreadstat

    for table, path, frame in _frames(finished, folder, SPSS, progress):
        values = _value_labels(finished, table, SPSS)
        scale = {column.name: _measure(column) for column in table.columns}
        labels = {"variable_value_labels": values, "variable_measure": scale, **_shown(finished, table, SPSS)}
        pyreadstat.write_sav(frame, path, **labels)


def write_xpt(finished: Finished, folder: Path, progress: Progress) -> None:
    """Write a .xpt file of version 8 for each table into the folder."""
    import pyreadstat

    for table, path, frame in _frames(finished, folder, SAS, progress):
        shown = _shown(finished, table, SAS)
        pyreadstat.write_xport(frame, path, table_name=table.name, file_format_version=8, **shown)


def _frames(
    finished: Finished, folder: Path, program: Program, progress: Progress
) -> Iterator[tuple[Table, Path, Any]]:
    """Yield each table with the file it goes to and its rows."""
    for number, table in enumerate(finished.tables):
        progress(number, len(finished.tables))
        yield table, folder / f"{table.name}.{program.name}", _frame(finished, table, program)
    progress(len(finished.tables), len(finished.tables))


def _frame(finished: Finished, table: Table, program: Program) -> Any:
    """Return a table's rows as a data frame of numbers and texts. RejectedError if the program cannot hold a text."""
    import pandas as pd

    converters = [_converter(table, column, program) for column in table.columns]
    cells: list[list[object]] = [[] for _ in table.columns]
    for row in finished.rows(table):
        for values, convert, cell in zip(cells, converters, row, strict=True):
            values.append(None if cell is None else convert(cell))
    columns = zip(table.columns, cells, strict=True)
    return pd.DataFrame({column.name: pd.Series(values, dtype=_type(column)) for column, values in columns})


def _converter(table: Table, column: Column, program: Program) -> Callable[[Cell], object]:
    if known := numbers(column):
        return lambda cell: known[str(cell)]
    match column.kind:
        case "date":
            return program.days
        case "instant":
            return program.instants
        case "text" | "code":
            return lambda cell: _fitting(table, column, program, cell)
        case _:
            return lambda cell: cell


def _fitting(table: Table, column: Column, program: Program, cell: Cell) -> Cell:
    if isinstance(cell, str) and (size := len(cell.encode())) > program.text:
        place = f"{table.name}.{column.name}"
        raise RejectedError((problem("text_too_long", place, size=size, format=program.name, most=program.text),))
    return cell


def _type(column: Column) -> str:
    """Return what the data frame calls the column's type; all but texts can hold nothing at all."""
    if column.kind in ("decimal", "date", "instant"):
        return "float64"
    is_text = column.kind == "text" or (column.kind == "code" and not column.codes)
    return "str" if is_text else "Int32"


def _shown(finished: Finished, table: Table, program: Program) -> dict[str, Any]:
    """Return how the program shows a table and its columns."""
    formats = {"date": program.day_format, "instant": program.instant_format}
    return {
        "file_label": cut(_spelt(finished.said(table.labels), program), program.table_label),
        "column_labels": {column.name: label_of(finished, column, program) for column in table.columns},
        "variable_format": {column.name: formats[column.kind] for column in table.columns if column.kind in formats},
    }


def label_of(finished: Finished, column: Column, program: Program) -> str:
    """Return the label of a column as the program shows it."""
    zone = " (UTC)" if column.kind == "instant" else ""
    return cut(_spelt(finished.said(column.labels), program), program.label - len(zone)) + zone


def value_labels(finished: Finished, column: Column, program: Program) -> dict[int | float, str]:
    """Return number -> label of a column that has codes: each of its numbers has one."""
    known = numbers(column)
    return {
        int(known.get(str(code.value), code.value)): cut(finished.said(code.labels), program.value_label)
        for code in column.codes
    }


def _value_labels(finished: Finished, table: Table, program: Program) -> dict[str, dict[int | float, str]]:
    columns = map(with_codes, table.columns)
    return {column.name: value_labels(finished, column, program) for column in columns if column.codes}


def _measure(column: Column) -> str:
    if column.kind in ("text", "code", "boolean"):
        return "nominal"
    return "ordinal" if column.codes else "scale"


def cut(text: str, most: int) -> str:
    """Return a text of at most so many bytes, without half a letter."""
    return text.encode()[:most].decode(errors="ignore")


def _spelt(text: str, program: Program) -> str:
    """Return a label, for SAS in plain letters: it reads a transport file in whatever alphabet its session has."""
    return plain(text) if program is SAS else text
