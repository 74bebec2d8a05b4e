"""Rates by time point, site, channel and month, and complete cases: what has closed, counted with its denominators.

Counts come from `closings` and from the few windows that have closed since the last tick, judged by the same rules: a
fixed number of queries at any size.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, case, func, select

from pro_service.core.routes import CARD
from pro_service.core.schedule.status import settled_as
from pro_service.reports import statements
from pro_service.reports.compliance import BATCH, ComplianceRow, compliance_row
from pro_service.store.participants.cases import Loaded, Loader
from pro_service.store.participants.counts import CALLS, WHOLE, channel_of, completeness, month_of
from pro_service.store.participants.ladder import led_to
from pro_service.store.schema import closings, participants
from pro_service.store.session import Session
from pro_service.store.studies import Sites, newest_protocol

c, p = closings.c, participants.c

UNSETTLED = 100
"""How many participants with windows that closed since the last tick are judged for a page."""


class Closing(NamedTuple):
    """What tells closed windows apart."""

    site_id: int
    code: str
    channel: str
    month: str
    status: str


def asked_by(channel: str | None) -> list[ColumnElement[bool]]:
    """Return the conditions on a participant's row of being asked by a channel or by `calls`; None = any."""
    if channel is None:
        return []
    asked = case((and_(led_to() == CARD, p.card_made_at.is_(None)), CALLS), else_=func.coalesce(led_to(), CALLS))
    return [asked == channel]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a page of figures is about; all of it is in the page's address."""

    sites: Sites = None
    channel: str | None = None
    """A channel of participants, or `calls`."""
    window: str | None = None
    """A time point."""

    def person(self) -> list[ColumnElement[bool]]:
        """Return the conditions on a participant's row."""
        sites = [] if self.sites is None else [p.site_id.in_(self.sites)]
        return [*sites, *asked_by(self.channel)]

    @property
    def shape(self) -> "Shape":
        """Return what the statement depends on; a statement is built once for each shape, as building costs most."""
        return Shape(self.sites is not None, self.channel, self.window is not None)

    def given(self, study_id: int) -> dict[str, Any]:
        """Return the values of the parameters of a statement of this shape."""
        given = statements.parameters(study_id, self.sites)
        return given if self.window is None else given | {"window": self.window}

    def fits(self, key: Closing) -> bool:
        """Whether windows counted like this are chosen."""
        return self.channel in (None, key.channel) and self.window in (None, key.code)


class Shape(NamedTuple):
    """What a statement depends on, without values: `study`, `sites` and `window` are its parameters."""

    limited: bool
    channel: str | None
    window: bool

    def person(self) -> list[ColumnElement[bool]]:
        """Return the conditions on a participant's row."""
        sites = [p.site_id.in_(bindparam("sites", expanding=True))] if self.limited else []
        return [*sites, *asked_by(self.channel)]


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The figures of everything chosen, and of its parts."""

    all: ComplianceRow
    windows: tuple[ComplianceRow, ...]
    """In the protocol's order."""
    sites: Mapping[int, ComplianceRow]
    channels: Mapping[str, ComplianceRow]
    months: Mapping[str, ComplianceRow]
    """By the month of the target, oldest first; months in which nothing was due are left out."""
    so_far: Mapping[str, ComplianceRow]
    """All up to the end of each of these months."""
    complete: tuple[int, int] | None
    """(complete cases, cases whose deciding windows were all due and have closed); None where a filter cuts cases."""


def breakdown(session: Session, loader: Loader, study_id: int, now: datetime, look: Chosen) -> Breakdown:
    """Return the figures of everything that has closed at `now`."""
    counts = _settled(session, study_id, look.sites)
    counts.update(_unsettled(session, loader, study_id, now, look.sites))
    seen = {key: n for key, n in counts.items() if key.code != WHOLE and look.fits(key)}
    whole = _statuses(counts, lambda key: key.code == WHOLE)
    codes = _parts(seen, "code")
    months = {month: row for month, row in _parts(seen, "month").items() if row["due"]}
    return Breakdown(
        all=compliance_row("", _statuses(seen)),
        windows=tuple(
            codes.get(code, compliance_row(code, {})) for code in _codes(session, loader, study_id, look, codes)
        ),
        sites=_parts(seen, "site_id"),
        channels=_parts(seen, "channel"),
        months=months,
        so_far=_so_far(seen, months),
        complete=None if look.channel or look.window else (whole["complete"], whole.total()),
    )


def _settled(session: Session, study_id: int, sites: Sites) -> Counter[Closing]:
    statement = select(*(c[name] for name in Closing._fields), c.count.label("n")).where(c.study_id == study_id)
    if sites is not None:
        statement = statement.where(c.site_id.in_(sites))
    return Counter({Closing(*row[:-1]): row[-1] for row in session.execute(statement)})


def _unsettled(session: Session, loader: Loader, study_id: int, now: datetime, sites: Sites) -> Counter[Closing]:
    """Yield how windows that have closed since the last tick will be counted."""
    closed = statements.closed_unsettled(limited=sites is not None, cap=UNSETTLED)
    ids = session.scalars(closed, statements.parameters(study_id, sites) | {"now": now}).all()
    found: Counter[Closing] = Counter()
    for start in range(0, len(ids), BATCH):
        for loaded in loader.load(session, ids[start : start + BATCH], lock=False, whole=False):
            _judge(loaded, now, found)
    return found


def _judge(loaded: Loaded, now: datetime, found: Counter[Closing]) -> None:
    case, judged = loaded.case, dict[int, str]()
    for window in case.current:
        if window.settled is None and window.span.closes_at <= now:
            status = settled_as(window, case.participant, case.protocol.primary(window.point), now)
            judged[window.id] = status
            found[Closing(loaded.site_id, window.code, channel_of(case.participant), month_of(window), status)] += 1
    for whole, change in ((completeness(case, {}), -1), (completeness(case, judged), 1)):
        if whole is not None:
            found[Closing(loaded.site_id, WHOLE, "", "", whole)] += change


def _codes(session: Session, loader: Loader, study_id: int, look: Chosen, seen: Iterable[str]) -> Sequence[str]:
    protocol = newest_protocol(session, loader, study_id)
    known = [] if protocol is None else [point.code for point in protocol.time_points]
    return [code for code in (*known, *sorted(set(seen) - set(known))) if look.window in (None, code)]


def _statuses(counts: Mapping[Closing, int], which: Any = None) -> Counter[str]:
    found: Counter[str] = Counter()
    for key, n in counts.items():
        if which is None or which(key):
            found[key.status] += n
    return found


def _parts(counts: Mapping[Closing, int], name: str) -> dict[Any, ComplianceRow]:
    parts: dict[Any, Counter[str]] = {}
    for key, n in counts.items():
        parts.setdefault(getattr(key, name), Counter())[key.status] += n
    return {part: compliance_row(str(part), statuses) for part, statuses in sorted(parts.items())}


def _so_far(counts: Mapping[Closing, int], months: Iterable[str]) -> dict[str, ComplianceRow]:
    by_month: dict[str, Counter[str]] = {}
    for key, n in counts.items():
        by_month.setdefault(key.month, Counter())[key.status] += n
    total: Counter[str] = Counter()
    found = {}
    for month in months:
        total.update(by_month[month])
        found[month] = compliance_row(month, total)
    return found
