"""Rows and changes that wait for the end of their transaction, written in bulk: a handful of statements a batch."""

from collections import defaultdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Table, Update, bindparam, insert, update
from sqlalchemy.orm import Session

from pro_service.store.bulk import Bulk, change
from pro_service.store.cases import look
from pro_service.store.closings import Closings
from pro_service.store.schema import (
    audit_trail,
    escalations,
    links,
    messages,
    participants,
    responses,
    tallies,
    windows,
)

Row = dict[str, Any]

ORDER: tuple[Table, ...] = (escalations, messages, links, responses)
"""Parents before children; the audit trail comes last of all."""


class Pending:
    """What one transaction will write."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = defaultdict(list)
        """Table name -> new rows."""
        self.tallies: dict[tuple[int, int, str, str], int] = defaultdict(int)
        """(study id, site id, time point, settled as) -> by how many it changes."""
        self.closings = Closings()
        self.settled: list[Row] = []
        self.resolved: list[Row] = []
        self.cancelled: list[Row] = []
        self.touched: dict[int, Row] = {}
        """Participant id -> new values; every change counts the revision up, even one of no column."""
        self.moments: dict[int, datetime | None] = {}
        """Participant id -> when to look again, where nothing else of the row changes."""

    def write(self, session: Session) -> None:
        """Write everything, once."""
        connection = session.connection()
        others = [name for name in self.rows if name != audit_trail.name]
        for name in sorted(others, key=_place):
            self._insert(session, audit_trail.metadata.tables[name])
        for statement, rows in ((_SETTLE, self.settled), (_RESOLVE, self.resolved), (_CANCEL, self.cancelled)):
            change(connection, statement, rows)
            rows.clear()
        self._move_tallies(session)
        self.closings.write(session)
        self._touch(session)
        look(session, self.moments)
        self.moments.clear()
        self._insert(session, audit_trail)

    def _insert(self, session: Session, table: Table) -> None:
        # Rows of one shape go together: an executemany takes its columns from the first.
        alike: dict[tuple[str, ...], list[Row]] = defaultdict(list)
        for row in self.rows.pop(table.name, []):
            alike[tuple(row)].append(row)
        for columns, rows in alike.items():
            Bulk(session.connection(), table, columns).write(rows)

    def _move_tallies(self, session: Session) -> None:
        for (study_id, site_id, code, status), by in sorted(self.tallies.items()):
            t = tallies.c
            key = (t.study_id == study_id) & (t.site_id == site_id) & (t.code == code) & (t.status == status)
            moved = session.connection().execute(update(tallies).where(key).values(count=t.count + by))
            if moved.rowcount == 0:
                row = {"study_id": study_id, "site_id": site_id, "code": code, "status": status, "count": by}
                session.connection().execute(insert(tallies).values(row))
        self.tallies.clear()

    def _touch(self, session: Session) -> None:
        alike: dict[tuple[str, ...], list[Row]] = defaultdict(list)
        for key, values in self.touched.items():
            row = {f"p_{name}": value for name, value in values.items()}
            alike[tuple(sorted(values))].append(row | {"p_id": key})
        for names, rows in alike.items():
            change(session.connection(), _touching(names), rows)
        self.touched.clear()


def _place(name: str) -> int:
    names = [table.name for table in ORDER]
    return names.index(name) if name in names else len(names)


@lru_cache(maxsize=64)
def _touching(names: tuple[str, ...]) -> Update:
    """Change these columns of a participant."""
    p = participants.c
    new: dict[str, Any] = {name: bindparam(f"p_{name}") for name in names}
    return update(participants).where(p.id == bindparam("p_id")).values(**new, revision=p.revision + 1)


_SETTLE = (
    update(windows)
    .where(windows.c.id == bindparam("w_id"))
    .values(settled=bindparam("w_settled"), missing_reason=bindparam("w_reason"))
)
_RESOLVE = (
    update(escalations)
    .where(escalations.c.id == bindparam("e_id"), escalations.c.resolved_at.is_(None))
    .values(resolved_at=bindparam("e_at"), resolved_by=bindparam("e_by"), outcome=bindparam("e_outcome"))
)
_CANCEL = (
    update(messages)
    .where(messages.c.id == bindparam("m_id"), messages.c.state == "ready")
    .values(state="cancelled", ended_at=bindparam("m_at"))
)
