"""Tables of the data set and their columns: what a cell holds, what its codes mean, and why it may be empty.

A cell is a text, a whole number, a Decimal or None. None is the only missing value, and an empty cell in a CSV file.
Days and instants are texts of ISO 8601, instants in UTC to the second (`2026-03-10T06:00:00Z`); yes and no are 1 and 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

Cell: TypeAlias = str | int | Decimal | None
Kind: TypeAlias = Literal["text", "code", "integer", "decimal", "boolean", "date", "instant"]
"""What a cell holds. `code`: one of the column's codes, a word or a whole number; `integer` may have labels too."""
Words: TypeAlias = Mapping[str, str]
"""Language -> text."""


@dataclass(frozen=True, slots=True)
class Code:
    """One value of a column that has a meaning of its own."""

    value: str | int
    labels: Words


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Its name is legal in R, SAS, Stata, SPSS and REDCap: `^[a-z][a-z0-9_]{0,25}$`."""

    name: str
    kind: Kind
    labels: Words
    codes: tuple[Code, ...] = ()
    """All values of a `code`; of an `integer` either a label for every value from `minimum` to `maximum`, or none."""
    unit: str = ""
    questions: Words = field(default_factory=dict)
    """The instrument's wording, where the column holds its answer."""
    minimum: int | None = None
    maximum: int | None = None
    missing: Words = field(default_factory=dict)
    """What an empty cell means."""
    derived_from: tuple[str, ...] = ()
    """Columns that this one is worked out from."""
    formula: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One file of the data set."""

    name: str
    """`visits`; the file is `data/visits.csv`."""
    labels: Words
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    """Columns that together name a row; rows are sorted by participant, visit, item and version."""
    folder: str = "data"

    @property
    def path(self) -> str:
        """The CSV file, relative to the set's folder."""
        return f"{self.folder}/{self.name}.csv"
