"""Every row of a database into an empty one of this release's schema, on whichever engine; and whether it came over."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, text, update

from pro_service.store.bulk import Bulk
from pro_service.store.database import Sessions
from pro_service.store.schema import AnyRow, installation, metadata, studies
from pro_service.store.session import Session
from pro_service.store.standing import TIMELINE

Progress = Callable[[int, int], None]
"""Called with how many rows were copied, and how many there are."""
BLOCK = 2_000
"""Rows that are read and written in one round."""
NEXT_ID = "next_id"
OF_THE_ENGINE = (NEXT_ID, TIMELINE)
"""Facts about one engine: SQLite's counter of row ids, which is a sequence on PostgreSQL, and a server's history."""


def copy(source: Session, target: Sessions, progress: Progress) -> Mapping[str, str]:
    """Copy every row, in one transaction of the target; return table -> what its rows amount to. See `amounts`."""
    done = 0
    total = sum(source.scalar(select(func.count()).select_from(table)) or 0 for table in metadata.sorted_tables)
    sums: dict[str, str] = {}
    with target.begin() as session:
        # Migrations write a few rows of their own.
        for table in reversed(metadata.sorted_tables):
            session.execute(delete(table))
        for table in metadata.sorted_tables:
            bulk = Bulk(session.connection(), table, table.c.keys())
            amount = _Amount()
            for block in _blocks(source, table):
                for row in block:
                    amount.add(row)
                bulk.write([_as_written(table, row) for row in block])
                done += len(block)
                progress(done, total)
            sums[table.name] = amount.total
        # A locked study takes no answers: so its lock comes after them.
        for study_id, locked_at in source.execute(select(studies.c.id, studies.c.locked_at)).all():
            session.execute(update(studies).where(studies.c.id == study_id).values(locked_at=locked_at))
        _go_on_counting(session, _next_id(source))
    return sums


def amounts(session: Session) -> Mapping[str, str]:
    """Return table -> a hash over its rows, whatever their order: equal on both engines for equal rows."""
    sums: dict[str, str] = {}
    for table in metadata.sorted_tables:
        amount = _Amount()
        for block in _blocks(session, table):
            for row in block:
                amount.add(row)
        sums[table.name] = amount.total
    return sums


class _Amount:
    """Adds the hashes of rows up."""

    def __init__(self) -> None:
        self._sum = 0

    def add(self, row: AnyRow) -> None:
        self._sum += int.from_bytes(hashlib.sha256(repr(tuple(row)).encode()).digest())

    @property
    def total(self) -> str:
        return f"{self._sum:x}"


def _blocks(session: Session, table: Table) -> Any:
    statement = select(table)
    if table is installation:
        statement = statement.where(installation.c.key.not_in(OF_THE_ENGINE))
    return session.execute(statement.execution_options(yield_per=BLOCK)).partitions()


def _as_written(table: Table, row: AnyRow) -> dict[str, Any]:
    values = dict(zip(table.c.keys(), row, strict=True))
    return values | {"locked_at": None} if table is studies else values


def _next_id(session: Session) -> int:
    """Return the row id that the source would hand out next."""
    if session.get_bind().dialect.name == "postgresql":
        statement = "SELECT CASE WHEN is_called THEN last_value + 1 ELSE last_value END FROM row_ids"
        return int(session.scalar(text(statement)) or 1)
    return int(session.scalar(select(installation.c.value).where(installation.c.key == NEXT_ID)) or 1)


def _go_on_counting(session: Session, next_id: int) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT setval('row_ids', :next, false)"), {"next": next_id})
    else:
        session.execute(insert(installation).values(key=NEXT_ID, value=str(next_id)))


def different(one: Mapping[str, str], other: Mapping[str, str]) -> Sequence[str]:
    """Return the tables whose rows are not the same."""
    return sorted(table for table, total in one.items() if other.get(table) != total)
