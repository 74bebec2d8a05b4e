"""Derived outcomes of a study: pairs of values counted by the database, never per arm, and values by participant.

What was due comes from the tallies. Pairs are counted over all current answers, which takes a second or more in a study
of many thousands: pages cache the counts for a while and say as of when.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, select

from pro_service.core.protocol import Protocol
from pro_service.core.scores import Outcome, Pair, outcome
from pro_service.reports.story import derived_values
from pro_service.store.participants import cases
from pro_service.store.participants.cases import Loader
from pro_service.store.participants.counts import NOT_DUE
from pro_service.store.schema import participants, responses, tallies, windows
from pro_service.store.session import Session
from pro_service.store.studies import Sites

BATCH = 200
"""How many participants' values are worked out together, for a file."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What was due and what was answered, by site, as of one moment."""

    at: datetime
    due: Mapping[tuple[int, str], int] = field(default_factory=dict)
    """By (site id, window)."""
    pairs: Mapping[tuple[int, str, str], Mapping[Pair, int]] = field(default_factory=dict)
    """By (site id, window, item)."""


def counts(session: Session, study_id: int, protocol: Protocol, now: datetime) -> Counts:
    """Count everything of a study that has closed."""
    t = tallies.c
    due: Counter[tuple[int, str]] = Counter()
    wanted = select(t.site_id, t.code, t["count"].label("n")).where(t.study_id == study_id, t.status.not_in(NOT_DUE))
    for row in session.execute(wanted):
        due[row.site_id, row.code] += row.n
    found: dict[tuple[int, str, str], dict[Pair, int]] = {}
    if protocol.baseline is not None:
        for row in session.execute(_pairs(study_id, protocol.baseline.code)):
            found.setdefault((row.site_id, row.code, row.item), {})[row.before, row.value] = row.n
    return Counts(now, due, found)


def outcomes(found: Counts, protocol: Protocol, sites: Sites, window: str | None) -> list[Outcome]:
    """Return every item of every window after the baseline, of these sites and this window."""
    baseline = protocol.baseline
    if baseline is None:
        return []
    made = []
    for point in protocol.time_points:
        if point.code == baseline.code or window not in (None, point.code):
            continue
        due = sum(n for (site, code), n in found.due.items() if code == point.code and _meant(site, sites))
        for item in point.items:
            pairs: Counter[Pair] = Counter()
            for (site, code, asked), counted in found.pairs.items():
                if (code, asked) == (point.code, item) and _meant(site, sites):
                    pairs.update(counted)
            made.append(outcome(point.code, item, due, pairs, compared=item in baseline.items))
    return made


def lines(
    session: Session, loader: Loader, study_id: int, now: datetime, sites: Sites, after: str
) -> tuple[list[tuple[str, str, str, Any]], str | None]:
    """Return derived values of the next participants after a code, and where to go on.

    Each is (participant, site, window, value).
    """
    ids = cases.ids_by_code(session, study_id, after, BATCH)
    last, found = None, []
    for loaded in loader.load(session, ids, lock=False) if ids else ():
        person = loaded.case.participant
        last = max(last or "", person.code)
        if _meant(loaded.site_id, sites):
            found += [
                (person.code, person.site.code, code, value)
                for code, value in derived_values(loaded.case, now)
                if _was_due(loaded.case.current, code)
            ]
    found.sort(key=lambda line: line[0])
    return found, last if len(ids) == BATCH else None


def _was_due(current: Collection[Any], code: str) -> bool:
    return any(one.code == code and one.settled is not None and one.settled not in NOT_DUE for one in current)


def _meant(site: int, sites: Sites) -> bool:
    return sites is None or site in sites


def _pairs(study_id: int, baseline: str) -> Select[Any]:
    """Build (site, window, item, baseline value, value, how many) of current values in windows that were due."""
    r, w, b, v = responses.c, windows.c, responses.alias("b").c, windows.alias("v").c
    newer, newer_before = responses.alias("newer").c, responses.alias("newer_before").c
    newest = select(func.max(newer.version)).where(newer.window_id == r.window_id, newer.item == r.item)
    newest_before = select(func.max(newer_before.version)).where(
        newer_before.window_id == b.window_id, newer_before.item == b.item
    )
    site = participants.c.site_id
    return (
        select(site, w.code, r.item, b.value.label("before"), r.value, func.count().label("n"))
        .select_from(responses)
        .join(windows, w.id == r.window_id)
        .join(participants, participants.c.id == r.participant_id)
        .outerjoin(v.id.table, and_(v.participant_id == r.participant_id, v.code == baseline, v.cancelled_at.is_(None)))
        .outerjoin(
            b.id.table,
            and_(b.window_id == v.id, b.item == r.item, b.version == newest_before.scalar_subquery()),
        )
        .where(r.study_id == study_id, r.value.is_not(None), r.version == newest.scalar_subquery())
        .where(w.code != baseline, w.cancelled_at.is_(None), w.settled.is_not(None), w.settled.not_in(NOT_DUE))
        .group_by(site, w.code, r.item, b.value, r.value)
    )
