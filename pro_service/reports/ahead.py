"""What is coming and what can still be saved: windows that close soon, windows at risk, how long answers take.

Every figure reads an index range with a limit: if there is more than a page can count, it says "at least".
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from pro_service.core.case import BY_THEMSELVES
from pro_service.core.protocol import Protocol
from pro_service.core.schedule.status import AT_RISK, at_risk, status
from pro_service.reports.breakdown import Chosen, Shape
from pro_service.store.participants.cases import Loader
from pro_service.store.schema import IS_TEXT, TO_CONFIRM, messages, participants, responses, windows
from pro_service.store.schema import sites as sites_table
from pro_service.store.session import Session
from pro_service.store.studies import Sites

m, p, r, w = messages.c, participants.c, responses.c, windows.c

DAYS = 14
A_DAY = 50
"""How many windows that close on one day are counted: "50+"."""
SHOWN = 20
LISTED = 60
"""How many windows, or procedures to confirm, one list holds."""
SCAN = 500
"""How many windows, those that close first, are searched for those at risk."""
TEXTS, INVITED = 1000, 200
"""How many of the newest texts are searched for how many invitations."""
BOUNDS = tuple(timedelta(minutes=n) for n in (15, 60, 240, 720, 1440, 2880))
"""Ends of the classes of times to answer; the last class has no end."""


@dataclass(frozen=True, slots=True)
class Day:
    """How many windows close by the end of one of the site's days."""

    day: date
    windows: int
    more: bool
    """There are more than were counted."""


@dataclass(frozen=True, slots=True)
class Closing:
    """One window that closes in the days to come, answered or not."""

    participant: str
    window: str
    site: str
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Planned:
    """One participant whose procedure is still to be confirmed."""

    participant: str
    procedure_date: date


@dataclass(frozen=True, slots=True)
class AtRisk:
    """One window that can still be saved, but not for long."""

    participant: str
    window: str
    site: str
    zone: str
    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Risk:
    """Windows with 48 hours or less to their close and no answer, least time left first."""

    windows: tuple[AtRisk, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Times:
    """From the invitation to the first answer by text, link or card, of the windows invited last."""

    invited: int
    classes: tuple[int, ...]
    """One for each of BOUNDS, and one for what took longer."""
    quartiles: tuple[timedelta, timedelta, timedelta] | None

    @property
    def answered(self) -> int:
        """Windows that were answered by text, link or card."""
        return sum(self.classes)


def due(session: Session, study_id: int, now: datetime, zone: ZoneInfo, look: Chosen) -> list[Day]:
    """Return how many windows close on each of the coming days, today first.

    Windows of participants who have left are not counted.
    """
    today = now.astimezone(zone).date()
    days = [today + timedelta(days=n) for n in range(DAYS)]
    ends = [datetime.combine(day + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC) for day in days]
    given = {f"end{n}": end for n, end in enumerate([now, *ends])}
    found = {row.n: row for row in session.execute(_closing_statement(look.shape), given | look.given(study_id))}
    return [Day(day, found[n].counted, found[n].seen >= A_DAY) for n, day in enumerate(days)]


@lru_cache(maxsize=256)
def _closing_statement(shape: Shape) -> CompoundSelect[Any]:
    """Build (day, counted, looked at) of each day once: building it costs more than the database needs."""
    study: BindParameter[int] = bindparam("study")
    parts: list[Select[*tuple[Any, ...]]] = []
    for n in range(DAYS):
        # A window that closes at midnight closes on the day before it.
        start, end = (bindparam(f"end{number}", type_=w.closes_at.type) for number in (n, n + 1))
        closing = _unsettled(study, w.closes_at > start, w.closes_at <= end)
        closing = closing.order_by(w.closes_at).limit(A_DAY).subquery()
        which = [closing.c.code == bindparam("window")] if shape.window else []
        counted = func.count(case((and_(*_present(shape), *which), 1)))
        parts.append(
            select(literal_column(str(n)).label("n"), counted.label("counted"), func.count().label("seen"))
            .select_from(closing)
            .join(participants, p.id == closing.c.participant_id)
        )
    return union_all(*parts)


def closing(session: Session, study_id: int, now: datetime, until: datetime, sites: Sites) -> list[Closing]:
    """Return the windows that close before `until`, the soonest first; at most LISTED and one more.

    Those of participants who have left are not among them.
    """
    given = Chosen(sites).given(study_id) | {"now": now, "until": until}
    rows = session.execute(_listed_statement(Chosen(sites).shape), given)
    return [Closing(row.participant, row.code, row.site, row.closes_at) for row in rows]


@lru_cache(maxsize=4)
def _listed_statement(shape: Shape) -> Select[Any]:
    """Build (participant, window, site, its close) once."""
    now, until = bindparam("now", type_=w.closes_at.type), bindparam("until", type_=w.closes_at.type)
    near = _unsettled(bindparam("study"), w.closes_at > now, w.closes_at <= until)
    near = near.order_by(w.closes_at).limit(SCAN).subquery()
    return (
        select(p.code.label("participant"), near.c.code, sites_table.c.code.label("site"), near.c.closes_at)
        .join(participants, p.id == near.c.participant_id)
        .join(sites_table, sites_table.c.id == p.site_id)
        .where(*_present(shape))
        .order_by(near.c.closes_at, p.code)
        .limit(LISTED + 1)
    )


def to_confirm(session: Session, study_id: int, until: date, sites: Sites) -> list[Planned]:
    """Return participants with a procedure planned up to `until` and not confirmed, the earliest first.

    At most LISTED and one more.
    """
    statement = select(p.code, p.procedure_date).where(p.study_id == study_id, TO_CONFIRM, p.procedure_date <= until)
    if sites is not None:
        statement = statement.where(p.site_id.in_(sites))
    rows = session.execute(statement.order_by(p.procedure_date, p.code).limit(LISTED + 1))
    return [Planned(row.code, row.procedure_date) for row in rows]


def _unsettled(study_id: BindParameter[int], *more: ColumnElement[bool]) -> Any:
    columns = (w.id, w.participant_id, w.code, w.opens_at, w.closes_at)
    return select(*columns).where(w.study_id == study_id, w.settled.is_(None), w.cancelled_at.is_(None), *more)


def _present(shape: Shape) -> list[Any]:
    return [p.confirmed_at.is_not(None), p.withdrawn_at.is_(None), p.died_at.is_(None), *shape.person()]


def risk(session: Session, loader: Loader, study_id: int, protocol: Protocol, now: datetime, look: Chosen) -> Risk:
    """Return the windows at risk. The database finds the candidates; the rules decide."""
    codes = [point.code for point in protocol.time_points if point.prompted and look.window in (None, point.code)]
    primary = [item.id for item in protocol.items.values() if item.primary]
    given = look.given(study_id) | {"now": now, "soon": now + AT_RISK, "codes": codes, "primary": primary}
    order = {row.id: row.participant_id for row in session.execute(_risk_statement(look.shape), given)}
    found = []
    for loaded in loader.load(session, sorted(set(order.values())), lock=False, whole=False) if order else []:
        facts = loaded.case
        for window in facts.current:
            state = status(window, facts.participant, facts.protocol.primary(window.point), now)
            if window.id in order and at_risk(facts, window, state, now):
                site = facts.participant.site
                span = window.span
                found.append(
                    AtRisk(facts.participant.code, window.code, site.code, site.zone, span.opens_at, span.closes_at)
                )
    found.sort(key=lambda one: (one.closes_at, one.participant))
    return Risk(tuple(found[:SHOWN]), len(order) > SHOWN)


@lru_cache(maxsize=64)
def _risk_statement(shape: Shape) -> Select[Any]:
    """Build (window, participant) of those that may be at risk, least time left first."""
    now, soon = bindparam("now", type_=w.closes_at.type), bindparam("soon", type_=w.closes_at.type)
    closing = _unsettled(bindparam("study"), w.closes_at > now, w.closes_at <= soon).order_by(w.closes_at)
    near = closing.limit(SCAN).subquery()
    of_window = and_(r.window_id == near.c.id, r.item.in_(bindparam("primary", expanding=True)))
    unanswered = or_(~exists().where(of_window), exists().where(of_window, r.cleared))
    return (
        select(near.c.id, near.c.participant_id)
        .join(participants, p.id == near.c.participant_id)
        .where(near.c.opens_at <= now, near.c.code.in_(bindparam("codes", expanding=True)), unanswered)
        .where(*_present(shape))
        .order_by(near.c.closes_at, p.code)
        .limit(SHOWN + 1)
    )


def times(session: Session, study_id: int, now: datetime, look: Chosen) -> Times:
    """Return how long the windows that were invited last took to be answered."""
    rows = session.execute(_invited_statement(look.shape), look.given(study_id) | {"now": now}).all()
    return _times([(row.asked_at, row.first) for row in rows])


@lru_cache(maxsize=64)
def _invited_statement(shape: Shape) -> Select[Any]:
    """Build (asked at, first answered at) of the windows invited last."""
    newest = (
        select(m.window_id, m.participant_id, m.kind, func.coalesce(m.accepted_at, m.queued_at).label("asked_at"))
        .where(m.study_id == bindparam("study"), IS_TEXT)
        .where(m.queued_at <= bindparam("now", type_=m.queued_at.type))
        .order_by(m.queued_at.desc())
        .limit(TEXTS)
        .subquery()
    )
    first = (
        select(func.min(r.received_at))
        .where(r.window_id == newest.c.window_id, r.source.in_(BY_THEMSELVES), ~r.cleared)
        .scalar_subquery()
    )
    statement = (
        select(newest.c.asked_at, first.label("first"))
        .join(participants, p.id == newest.c.participant_id)
        .where(newest.c.kind == "invitation", *shape.person())
        .limit(INVITED)
    )
    if not shape.window:
        return statement
    return statement.join(windows, w.id == newest.c.window_id).where(w.code == bindparam("window"))


def _times(pairs: list[tuple[datetime, datetime | None]]) -> Times:
    spans = sorted(first - asked for asked, first in pairs if first is not None and first >= asked)
    classes = [0] * (len(BOUNDS) + 1)
    for span in spans:
        classes[bisect_left(BOUNDS, span)] += 1
    return Times(len(pairs), tuple(classes), _quartiles(spans))


def _quartiles(spans: list[timedelta]) -> tuple[timedelta, timedelta, timedelta] | None:
    """Return the smallest of the sorted values that a quarter, half and three quarters do not exceed."""
    if not spans:
        return None
    one, two, three = (spans[-(-len(spans) * n // 4) - 1] for n in (1, 2, 3))
    return one, two, three
