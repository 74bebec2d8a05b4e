"""A finished set of CSV files, read cell by cell as its tables say: what every other format is made from."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

from pro_service.exports import words
from pro_service.exports.tables import Cell, Column, Table, Words

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (done, of how many)."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A set whose CSV files are written."""

    folder: Path
    tables: tuple[Table, ...]
    language: str = "en"
    """In which columns and codes are labelled."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the set is, for its reader: `study`, `as_of` (as the words of the workbook call them) -> what it is."""

    def file(self, table: Table) -> Path:
        """Return the CSV file of a table."""
        return self.folder / table.path

    def rows(self, table: Table) -> Iterator[tuple[Cell, ...]]:
        """Yield the rows of a table. ValueError if its file is not one of this table."""
        readers = [_reader(column) for column in table.columns]
        with self.file(table).open(encoding="utf-8", newline="") as file:
            lines = csv.reader(file)
            if next(lines, None) != [column.name for column in table.columns]:
                raise ValueError(f"{table.path} does not have the columns of its table")
            for line in lines:
                yield tuple(read(cell) if cell else None for read, cell in zip(readers, line, strict=True))

    def said(self, text: Words) -> str:
        """Return a text in the set's language; where it has none, in English or the first it has."""
        return text.get(self.language) or text.get("en") or next(iter(text.values()), "")


def with_codes(column: Column) -> Column:
    """Return the column with the codes that its kind has: a 0 is a no and a 1 a yes."""
    return replace(column, codes=words.codes("yes")) if column.kind == "boolean" and not column.codes else column


def numbers(column: Column) -> Mapping[str, int]:
    """Return the numbers that stand for a column's words where only numbers have labels: from 1, in their order."""
    return {code.value: number for number, code in enumerate(column.codes, 1) if isinstance(code.value, str)}


def day(cell: Cell) -> date:
    """Return the day in a cell."""
    return date.fromisoformat(str(cell))


def instant(cell: Cell) -> datetime:
    """Return the instant in a cell."""
    return datetime.fromisoformat(str(cell)).astimezone(UTC)


def _reader(column: Column) -> Callable[[str], Cell]:
    if column.kind in ("integer", "boolean") or any(isinstance(code.value, int) for code in column.codes):
        return int
    return Decimal if column.kind == "decimal" else str
