"""Data sets taken while a trial goes on: they agree with the report, and come out the same when it is over."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pro_service.core.scores import Derived
from pro_service.exports.tables import Cell
from pro_service.reports import outcomes
from pro_service.reports.compliance import compliance, left_during
from pro_service.reports.data_set import frame
from pro_service.reports.data_set.tables import tables_with_rows
from pro_service.runtime import Runtime
from tests.simulation.clocks import counted_early
from tests.simulation.ledger import Ledger

OFTEN = 0.02
"""After so many of the beats a data set is taken."""
INSTANT = timedelta(microseconds=1)
Rows = dict[str, list[tuple[Cell, ...]]]


class DataSets:
    """Takes data sets with a chance of its own, so that nothing else in a run changes with it."""

    def __init__(self, seed: int, ledger: Ledger, study_id: int) -> None:
        self.chance, self.ledger, self.study_id = random.Random(f"data set {seed}"), ledger, study_id  # noqa: S311
        self.taken: list[tuple[datetime, Rows]] = []

    def perhaps(self, rt: Runtime) -> None:
        """Take one, if chance wants it.

        Not while a window is counted that has not closed: the report counts it, until the clock is repaired.
        """
        now = rt.clock().astimezone(UTC)
        if self.chance.random() < OFTEN and not counted_early(rt, now):
            self._compare(rt, now)
            # What else happens at this very instant is still to come.
            before = now - INSTANT
            self.taken.append((before, self._read(rt, before)))

    def look_again(self, rt: Runtime) -> None:
        """See that every set is still what it was."""
        for as_of, kept in self.taken:
            again = self._read(rt, as_of)
            for table, rows in kept.items():
                for was, now in _differences(rows, again[table]):
                    self.ledger.broken("a data set comes out the same again", table, f"as of {as_of}: {was} → {now}")
                    return

    def _read(self, rt: Runtime, as_of: datetime) -> Rows:
        with rt.sessions.reading() as session:
            wanted = frame.frame_of(session, rt.loader, self.study_id, "SIM", as_of, None)
            return {
                table.name: [tuple(row) for row in rows] for table, rows in tables_with_rows(session, rt.loader, wanted)
            }

    def _compare(self, rt: Runtime, now: datetime) -> None:
        """Compare the visits with what the report says at the same instant."""
        with rt.sessions.reading() as session:
            wanted = frame.frame_of(session, rt.loader, self.study_id, "SIM", now, None)
            tables = {table.name: (table, rows) for table, rows in tables_with_rows(session, rt.loader, wanted)}
            table, rows = tables["visits"]
            names = [column.name for column in table.columns]
            visits = [dict(zip(names, row, strict=True)) for row in rows]
            reported = compliance(session, rt.loader, self.study_id, now)
            derived, _ = outcomes.lines(session, rt.loader, self.study_id, now, None, "")
        self._compare_derived({(str(one["participant"]), str(one["visit"])): one for one in visits}, derived)
        for row in reported:
            due = [visit for visit in visits if visit["visit"] == row["code"] and visit["due"]]
            status = Counter(str(visit["status"]) for visit in due)
            found = (
                *(len(due), status["completed_in_window"], status["completed_late"], status["missed"]),
                *(status["partial"], status["declined"], status["withdrawn"] + status["died"]),
            )
            said = (
                *(row["due"], row["completed_in_window"], row["late"], row["missed"], row["partial"]),
                *(row["declined"], left_during(row)),
            )
            if found != said:
                self.ledger.broken("a data set agrees with the report", str(row["code"]), f"{found} ≠ {said}")

    def _compare_derived(
        self, visits: Mapping[tuple[str, str], Mapping[str, Cell]], lines: Iterable[tuple[str, str, str, Derived]]
    ) -> None:
        """Compare the derived values with those of the outcomes' file."""
        for participant, _site, code, value in lines:
            row, slug = visits[participant, code], value.item.lower().replace("-", "_")
            if f"{slug}_resp" in row:
                found: tuple[object, ...] = (row[f"{slug}_resp"],)
                said: tuple[object, ...] = (value.pgic_responder,)
            else:
                found = tuple(row[f"{slug}_{name}"] for name in ("base", "change", "pct", "resp30", "resp50", "why"))
                said = (
                    *(value.baseline, value.absolute_change, value.percent_reduction),
                    *(value.responder30, value.responder50, value.reason),
                )
            if found != said:
                self.ledger.broken("a data set agrees with the outcomes", f"{participant} {code}", f"{found} ≠ {said}")


def _differences(
    before: Sequence[tuple[Cell, ...]], after: Sequence[tuple[Cell, ...]]
) -> Iterator[tuple[object, object]]:
    for was, now in zip(before, after, strict=False):
        if was != now:
            cells = [(place, old, new) for place, (old, new) in enumerate(zip(was, now, strict=True)) if old != new]
            yield was[:5], cells
    if len(before) != len(after):
        yield len(before), len(after)
