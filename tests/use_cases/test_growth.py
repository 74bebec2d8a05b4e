"""What is asked all the time never reads a whole table, however long a study has run."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import event

from pro_service.runtime import Runtime
from pro_service.store.schema import metadata
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.tick import tick
from tests import support

GROWING = ("participants", "windows", "messages", "attempts", "inbound", "responses", "escalations", "audit_trail")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Return a SQLite database: its plans can be read without figures about the tables."""
    return sqlite_url


def test_time_and_delivery_read_no_table_whole(rt: Runtime, study_id: int, clock: support.SetClock) -> None:
    said: list[tuple[str, Any]] = []

    def listen(_c: object, _cursor: object, statement: str, parameters: Any, _context: object, many: bool) -> None:  # noqa: FBT001
        if statement.startswith(("SELECT", "UPDATE")):
            said.append((statement, parameters[0] if many else parameters))

    support.enrolled(rt, study_id, "P-1", date(2026, 3, 2), phone="+4915123450001")
    tick(rt)
    event.listen(rt.sessions.engine, "before_cursor_execute", listen)
    for moment in ("2026-03-03 12:00", "2026-03-09 10:00", "2026-03-09 10:01"):
        clock.now = support.at(moment)
        tick(rt)
        deliver(rt)
    event.remove(rt.sessions.engine, "before_cursor_execute", listen)
    assert len(said) > 20
    scans = [f"SCAN {name}" for name in GROWING if name in metadata.tables]
    with rt.sessions.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        for statement, parameters in said:
            plan = [row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()]
            assert not [step for step in plan if step in scans], (statement, plan)
