"""Litestream beside the service, as the documentation describes it: what it brings back, and what it holds up."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import event, make_url

from pro_service.runtime import Runtime, open_runtime
from pro_service.store import erasures, transfer
from pro_service.use_cases.trail.verify import verify
from tests import support
from tests.peers import litestream


def test_litestream_brings_back_every_row_and_erasures_wait_for_it(rt: Runtime, study_id: int, tmp_path: Path) -> None:
    replica, back = tmp_path / "replica", tmp_path / "back.db"
    database = Path(make_url(rt.settings.database_url).database or "")
    event.listen(rt.sessions.engine, "checkout", _impatient)
    with litestream.replicating(database, replica, tmp_path / "log"):
        for number in range(10):
            support.enrolled(rt, study_id, f"P-{number}", date(2026, 1, 5), procedure_time="")
        # It holds the log of the database, in which erased values may still stand.
        assert not erasures.scrub(rt.sessions)
    litestream.restore(replica, back)
    again = open_runtime(replace(rt.settings, database_url=f"sqlite:///{back}"))
    with rt.sessions.reading() as before, again.sessions.reading() as after:
        assert transfer.different(transfer.amounts(before), transfer.amounts(after)) == []
    assert verify(again).findings == ()
    again.close()
    assert erasures.scrub(rt.sessions)


def _impatient(connection: Any, _record: object, _proxy: object) -> None:
    connection.execute("PRAGMA busy_timeout = 100")
