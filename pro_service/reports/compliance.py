"""Compliance by time point: what was due and what came of it, in a fixed number of queries at any size.

Rates come from the tallies of settled windows, plus the few windows that have closed since the last tick, judged by the
same rules. Everything is ready for JSON.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TypedDict

from pro_service.core.case import Case
from pro_service.core.schedule.status import AFTER_OPENING, settled_as
from pro_service.reports import statements
from pro_service.store.participants.cases import Loader
from pro_service.store.session import Session
from pro_service.store.studies import Sites, newest_protocol

BATCH = 500


class ComplianceRow(TypedDict):
    """One time point: what was due and what came of it. Rates are n/N between 0 and 1, None where nothing was due."""

    code: str
    due: int
    completed_in_window: int
    late: int
    missed: int
    missed_before_enrolment: int
    partial: int
    declined: int
    rate_in_window: float | None
    rate_any: float | None


def compliance(
    session: Session, loader: Loader, study_id: int, now: datetime, sites: Sites = None, *, cap: int | None = None
) -> list[ComplianceRow]:
    """Return what was due in each time point of the newest protocol, and what came of it, at `now`.

    Windows that have closed since the last tick are judged here, of at most `cap` participants: so a page stays quick
    while a scheduler that stood still catches up (the page says "as of"). Windows of a procedure that nobody confirmed
    are not counted: nobody could answer them.
    """
    counts = _settled(session, study_id, sites)
    for code, settled in _unsettled(session, loader, study_id, now, sites, cap):
        counts[code, settled] += 1
    protocol = newest_protocol(session, loader, study_id)
    known = [] if protocol is None else [point.code for point in protocol.time_points]
    codes = [*known, *sorted({code for code, _ in counts} - set(known))]
    return [compliance_row(code, {settled: n for (of, settled), n in counts.items() if of == code}) for code in codes]


def compliance_row(code: str, counts: Mapping[str, int]) -> ComplianceRow:
    """Return the figures of one time point from its counts: how windows are counted (`settled_as`) -> how many."""
    left = sum(count for settled, count in counts.items() if settled.endswith(AFTER_OPENING))
    in_window, late = counts.get("completed_in_window", 0), counts.get("completed_late", 0)
    missed, partial, declined = (counts.get(name, 0) for name in ("missed", "partial", "declined"))
    due = in_window + late + missed + partial + declined + left
    return ComplianceRow(
        code=code,
        due=due,
        completed_in_window=in_window,
        late=late,
        missed=missed,
        missed_before_enrolment=counts.get("missed_before_enrolment", 0),
        partial=partial,
        declined=declined,
        rate_in_window=round(in_window / due, 4) if due else None,
        rate_any=round((in_window + late) / due, 4) if due else None,
    )


def left_during(row: ComplianceRow) -> int:
    """Return how many windows were due of participants who died or withdrew while they were open."""
    named = row["completed_in_window"] + row["late"] + row["missed"] + row["partial"] + row["declined"]
    return row["due"] - named


def _settled(session: Session, study_id: int, sites: Sites) -> Counter[tuple[str, str]]:
    statement = statements.settled_counts(limited=sites is not None)
    rows = session.execute(statement, statements.parameters(study_id, sites))
    return Counter({(code, settled): int(count) for code, settled, count in rows})


def _unsettled(
    session: Session, loader: Loader, study_id: int, now: datetime, sites: Sites, cap: int | None
) -> Iterator[tuple[str, str]]:
    """Yield (code, how it will be counted) of windows that have closed since the last tick."""
    closed = statements.closed_unsettled(limited=sites is not None, cap=cap)
    ids = session.scalars(closed, statements.parameters(study_id, sites) | {"now": now}).all()
    for start in range(0, len(ids), BATCH):
        for loaded in loader.load(session, ids[start : start + BATCH], lock=False, whole=False):
            yield from _judged(loaded.case, now)


def _judged(case: Case, now: datetime) -> Iterator[tuple[str, str]]:
    for window in case.current:
        if window.settled is None and window.span.closes_at <= now:
            yield window.code, settled_as(window, case.participant, case.protocol.primary(window.point), now)
