"""H7: the two large files of a data set, beside queries written by hand whose rows go straight into a CSV file."""

import csv
import gc
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC
from pathlib import Path
from typing import Any

from pro_service.exports.csv_files import WrittenFile, write_table
from pro_service.reports.data_set import frame
from pro_service.reports.data_set.tables import tables_with_rows
from pro_service.runtime import Runtime
from pro_service.store import studies
from tests.bench import crowd
from tests.bench.places import NOW, STUDY, Kind, Places, check
from tests.bench.rounds import LIMIT, OURS, Line, Plan, line, take_turns
from tests.bench.stories import Story

MEGABYTE = 1024
FETCHED = 2_000
"""Rows that the hand-written program holds at once."""
BY_HAND = {
    "answers": """
        SELECT r.id, p.code, s.code, w.code, w.schedule, r.item, r.version, r.value, r.declined, r.cleared, r.source,
               r.received_at, r.recorded_at, r.in_window, r.entered_by, r.reason IS NOT NULL, r.inbound_id
        FROM responses r JOIN participants p ON p.id = r.participant_id JOIN sites s ON s.id = p.site_id
        JOIN windows w ON w.id = r.window_id ORDER BY p.code, w.opens_at, r.item, r.version
    """,
    "visits": """
        SELECT p.code, s.code, w.code, w.schedule, w.settled, w.missing_reason, w.target, w.opens_at, w.closes_at,
               w.late_until, p.language, a.answered_at, a.recorded_at, a.avg, a.now, a.pgic, a.versions, a.in_window,
               m.sent, m.reminders, m.delivered, m.first_at, c.made, b.avg, b.avg - a.avg
        FROM windows w JOIN participants p ON p.id = w.participant_id JOIN sites s ON s.id = p.site_id
        LEFT JOIN (SELECT window_id, max(received_at) AS answered_at, max(recorded_at) AS recorded_at,
                          max(CASE WHEN item = 'NRS-AVG' THEN value END) AS avg,
                          max(CASE WHEN item = 'NRS-NOW' THEN value END) AS now,
                          max(CASE WHEN item = 'PGIC' THEN value END) AS pgic,
                          count(*) AS versions, min(CASE WHEN in_window THEN 1 ELSE 0 END) AS in_window
                   FROM responses GROUP BY window_id) a ON a.window_id = w.id
        LEFT JOIN (SELECT window_id, count(accepted_at) AS sent, min(accepted_at) AS first_at,
                          sum(CASE WHEN kind <> 'invitation' THEN 1 ELSE 0 END) AS reminders,
                          sum(CASE WHEN state = 'delivered' THEN 1 ELSE 0 END) AS delivered
                   FROM messages WHERE kind LIKE 'reminder%' OR kind = 'invitation' GROUP BY window_id) m
               ON m.window_id = w.id
        LEFT JOIN (SELECT window_id, count(*) AS made FROM calls GROUP BY window_id) c ON c.window_id = w.id
        LEFT JOIN (SELECT r.participant_id, max(r.value) AS avg FROM responses r JOIN windows v ON v.id = r.window_id
                   WHERE v.code = 'V0' AND r.item = 'NRS-AVG' GROUP BY r.participant_id) b ON b.participant_id = p.id
        WHERE w.cancelled_at IS NULL ORDER BY p.code, w.opens_at
    """,
}


def measure(places: Places, plan: Plan, kind: Kind, stories: tuple[Story, ...]) -> Iterator[Line]:
    """For each number of participants, how long a row of answers.csv and of visits.csv takes, and the memory."""
    found: dict[str, list[Line]] = {name: [] for name in BY_HAND}
    for size in plan.sizes:
        with ExitStack() as stack:
            rt = stack.enter_context(places.runtime(kind))
            crowd.gather(rt, stories, due=0, ahead=size)
            # What made the crowd is no part of a program that exports: its heap must not be searched meanwhile.
            gc.collect()
            gc.freeze()
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            for name, lines in found.items():
                lines.append(_table(rt, kind, name, folder, plan.rounds))
    for lines in found.values():
        yield from lines


def _table(rt: Runtime, kind: Kind, name: str, folder: Path, rounds: int) -> Line:
    rows: dict[str, int] = {}
    grown: list[float] = []

    def ours(number: int) -> float:
        before, began = _resident(), time.perf_counter()
        rows[OURS] = _ours(rt, name, folder / f"ours-{number}").rows or 0
        took = (time.perf_counter() - began) / rows[OURS]
        # Of the first turn alone: the query by hand sorts all rows in memory, and the most there was stays.
        grown.append(_resident() - before)
        return took

    def by_hand(number: int) -> float:
        began = time.perf_counter()
        rows[LIMIT] = _by_hand(rt, BY_HAND[name], folder / f"{name}-{number}.csv")
        return (time.perf_counter() - began) / rows[LIMIT]

    turns: dict[str, Callable[[int], float]] = {OURS: ours, LIMIT: by_hand}
    times = take_turns(turns, rounds)
    check(rows[OURS] >= rows[LIMIT] > 0, "rows are missing")
    return line(f"H7 {name}.csv", kind, rows[OURS], "/s", times, **{"MB grown": round(grown[0], 1)})


def _ours(rt: Runtime, name: str, folder: Path) -> WrittenFile:
    with rt.sessions.reading() as session:
        found = next(one for one in studies.all_studies(session) if one.code == STUDY)
        wanted = frame.frame_of(session, rt.loader, found.id, STUDY, NOW.astimezone(UTC), None)
        table, rows = next(one for one in tables_with_rows(session, rt.loader, wanted) if one[0].name == name)
        return write_table(folder, table, rows)


def _by_hand(rt: Runtime, statement: str, file: Path) -> int:
    with rt.sessions.engine.connect() as connection, file.open("w", encoding="utf-8", newline="") as target:
        driver: Any = connection.connection.driver_connection
        named = {} if rt.sessions.sqlite else {"name": "by_hand"}
        cursor, writer, count = driver.cursor(**named), csv.writer(target), 0
        cursor.execute(statement)
        while page := cursor.fetchmany(FETCHED):
            writer.writerows(page)
            count += len(page)
        cursor.close()
    return count


def _resident() -> float:
    """Return the most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE
