"""Rows by the hundred thousand, past SQLAlchemy: the driver's executemany, or COPY."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table

Row = Sequence[Any]


def insert(connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert rows of driver values."""
    driver: Any = connection.connection.driver_connection
    names = ", ".join(columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        driver.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)  # noqa: S608 -- our own names
        return
    with driver.cursor().copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def converters(connection: Connection, table: Table) -> dict[str, Callable[[Any], Any]]:
    """Column -> what turns a value into the driver's."""
    found = {}
    for column in table.columns:
        processor = column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
        found[column.name] = processor or (lambda value: value)
    return found
