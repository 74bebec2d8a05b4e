"""Many rows into one table: past the statement compiler, which costs more than the database does."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, LargeBinary, Table

Convert = Callable[[Any], Any]
REMEMBERED = 1 << 16
"""Values whose conversion is kept: rows of one batch share most of their instants."""


class Bulk:
    """Inserts rows of one shape. Every row names the same columns in the same order."""

    def __init__(self, connection: Connection, table: Table, columns: Sequence[str]) -> None:
        dialect = connection.dialect
        self._connection = connection
        mark = "?" if dialect.paramstyle == "qmark" else "%s"
        quoted = ", ".join(dialect.identifier_preparer.format_column(table.c[name]) for name in columns)
        self._statement = f"INSERT INTO {table.name} ({quoted}) VALUES ({', '.join([mark] * len(columns))})"  # noqa: S608 -- names of our own tables
        self._converts: list[tuple[int, Convert]] = []
        for at, name in enumerate(columns):
            kind = table.c[name].type
            # Bytes are understood as they are, and no two ciphertexts are alike: nothing to convert or remember.
            convert = None if isinstance(kind, LargeBinary) else kind.dialect_impl(dialect).bind_processor(dialect)
            if convert is not None:
                self._converts.append((at, lru_cache(REMEMBERED)(convert)))

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert these rows in one round."""
        parameters = []
        for row in rows:
            values = list(row.values())
            for at, convert in self._converts:
                if values[at] is not None:
                    values[at] = convert(values[at])
            parameters.append(tuple(values))
        self._connection.exec_driver_sql(self._statement, parameters)
