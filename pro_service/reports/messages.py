"""The ledger of messages: one keyset page, the history of one message, and outcomes of the newest by route and reason.

It holds participant codes, kinds, states and instants; never a text and never a number.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, case, func, or_, select, true

from pro_service.reports.funnel import FAILED, SENT
from pro_service.store.confirmations import HELD
from pro_service.store.messages.waiting import READY
from pro_service.store.schema import IS_TEXT, AnyRow, attempts, messages, participants, receipts, sites, windows
from pro_service.store.session import Session
from pro_service.store.studies import Sites

a, m, p, t, w = attempts.c, messages.c, participants.c, receipts.c, windows.c

PAGE = 20
COLUMNS = (
    m.id,
    m.participant_id,
    m.window_id,
    m.kind,
    m.channel,
    m.state,
    m.error,
    m.segments,
    m.queued_at,
    m.accepted_at,
    m.ended_at,
)
SCAN = 1000
"""How many messages are searched for one page of a filter."""
NEWEST = 300
"""How many texts are counted by route."""


@dataclass(frozen=True, slots=True)
class Sought:
    """Which messages to show; all of it is in the page's address."""

    sites: Sites = None
    participant: str | None = None
    """The whole code."""
    window: str | None = None
    kind: str | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Queued before this instant."""
    after: tuple[datetime, int] | None = None
    """(queued at, id) of the last message of the page before."""


@dataclass(frozen=True, slots=True)
class Page:
    """Messages, newest first."""

    rows: tuple[AnyRow, ...]
    after: tuple[datetime, int] | None
    """Where the next page goes on; None = this is the last."""


@dataclass(slots=True)
class Route:
    """Texts to one country by one channel."""

    country: str
    channel: str
    sent: int = 0
    delivered: int = 0
    failed: int = 0
    segments: int = 0


@dataclass(frozen=True, slots=True)
class Traffic:
    """What became of the newest texts that match."""

    routes: tuple[Route, ...]
    reasons: tuple[tuple[str, str, str, str, int], ...]
    """(state, error, country, channel, how many) of texts that did not arrive, most frequent first."""
    texts: int
    more: bool
    """There are more than were counted."""


@dataclass(frozen=True, slots=True)
class Event:
    """One moment in the history of a message."""

    at: datetime
    kind: str
    word: str = ""
    """A state of ours or a status of the provider."""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Life:
    """One message from the queue to its end."""

    row: AnyRow
    events: tuple[Event, ...]


def page(session: Session, study_id: int, sought: Sought, *, size: int = PAGE) -> Page:
    """Return one page of the ledger; a fixed number of queries at any size."""
    given = _values(session, study_id, sought) | {"most": size + 1}
    rows = session.execute(_page(_shape(sought)), given).all()
    if len(rows) > size:
        return Page(tuple(rows[:size]), (rows[size - 1].queued_at, rows[size - 1].id))
    last = session.execute(_last(_shape(sought)), given).first() if _shape(sought).narrow else None
    return Page(tuple(rows), None if last is None else (last.queued_at, last.id))


class _Shape(NamedTuple):
    """What of `Sought` is used: all that a statement depends on, which costs more to build than to answer."""

    sites: bool
    window: bool
    kind: bool
    state: bool
    participant: bool
    since: bool
    until: bool
    after: bool

    @property
    def narrow(self) -> bool:
        """Whether the filter asks for less than the whole index range."""
        return self.sites or self.window or self.kind or self.state


def _shape(sought: Sought) -> _Shape:
    return _Shape(*(getattr(sought, name) is not None for name in _Shape._fields))


def _values(session: Session, study_id: int, sought: Sought) -> dict[str, Any]:
    at, row_id = sought.after or (None, None)
    given: dict[str, Any] = {"study": study_id, "at": at, "row": row_id}
    given |= {name: getattr(sought, name) for name in ("window", "kind", "state", "since", "until")}
    if sought.sites is not None:
        given["sites"] = list(sought.sites)
    if sought.participant is not None:
        of_code = select(p.id).where(p.study_id == study_id, p.code == sought.participant)
        given["participant"] = session.scalar(of_code) or 0
    return given


@lru_cache(maxsize=256)
def _page(shape: _Shape) -> Select[Any]:
    scan = _scan(shape)
    near = (scan.limit(SCAN) if shape.narrow else scan.limit(bindparam("most"))).subquery()
    return (
        select(
            near.c.id,
            near.c.kind,
            near.c.channel,
            near.c.state,
            near.c.error,
            near.c.segments,
            near.c.queued_at,
            near.c.accepted_at,
            near.c.ended_at,
            p.code.label("participant"),
            w.code.label("window"),
            sites.c.code.label("site"),
        )
        .outerjoin(participants, p.id == near.c.participant_id)
        .outerjoin(windows, w.id == near.c.window_id)
        .outerjoin(sites, sites.c.id == p.site_id)
        .where(*_fitting(near.c, shape))
        .order_by(near.c.queued_at.desc(), near.c.id.desc())
        .limit(bindparam("most"))
    )


@lru_cache(maxsize=256)
def _last(shape: _Shape) -> Select[Any]:
    """Build the last message that one page of a filter looks at."""
    return _scan(shape).offset(SCAN - 1).limit(1)


def _scan(shape: _Shape) -> Select[Any]:
    """Build the messages of the study by when they were queued, newest first: one range of one index."""
    # Never the words: a thousand of them would be copied for nothing.
    statement = select(*COLUMNS).where(m.study_id == bindparam("study")).order_by(m.queued_at.desc(), m.id.desc())
    if shape.participant:
        statement = statement.where(m.participant_id == bindparam("participant"))
    if shape.since:
        statement = statement.where(m.queued_at >= bindparam("since"))
    if shape.until:
        statement = statement.where(m.queued_at < bindparam("until"))
    if shape.after:
        at: BindParameter[datetime] = bindparam("at", type_=m.queued_at.type)
        statement = statement.where(m.queued_at <= at, or_(m.queued_at < at, m.id < bindparam("row")))
    return statement


def _fitting(columns: Any, shape: _Shape) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if shape.sites:
        found.append(p.site_id.in_(bindparam("sites", expanding=True)))
    if shape.window:
        found.append(w.code == bindparam("window"))
    if shape.kind:
        found.append(columns.kind == bindparam("kind"))
    if shape.state:
        found.append(columns.state == bindparam("state"))
    return found


def traffic(session: Session, study_id: int, sought: Sought) -> Traffic:
    """Return the newest texts that match, by route and by reason."""
    every = replace(sought, after=None)
    return _traffic(session.execute(_routes(_shape(every)), _values(session, study_id, every)).all())


@lru_cache(maxsize=256)
def _routes(shape: _Shape) -> Select[Any]:
    """Build how many of the newest texts match, their segments, and how many were looked at, by route and reason."""
    near = _scan(shape).where(IS_TEXT).limit(NEWEST).subquery()
    kind = (p.phone_country, p.channel, near.c.state, near.c.error)
    fits = and_(true(), *_fitting(near.c, shape))
    return (
        select(*kind, func.count(case((fits, 1))), func.sum(case((fits, near.c.segments), else_=0)), func.count())
        .select_from(near)
        .join(participants, p.id == near.c.participant_id)
        .outerjoin(windows, w.id == near.c.window_id)
        .group_by(*kind)
    )


def _traffic(rows: Sequence[AnyRow]) -> Traffic:
    routes: dict[tuple[str, str], Route] = {}
    reasons: Counter[tuple[str, str, str, str]] = Counter()
    for country, channel, state, error, n, segments, _ in rows:
        if not n:
            continue
        route = routes.setdefault((country or "", channel), Route(country or "", channel))
        route.sent += n if state in SENT else 0
        route.segments += int(segments) if state in SENT else 0
        route.delivered += n if state == "delivered" else 0
        route.failed += n if state in FAILED else 0
        if state in FAILED:
            reasons[state, error or "", country or "", channel] += n
    ordered = sorted(routes.values(), key=lambda route: (-route.sent, route.country, route.channel))
    frequent = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    fit, looked_at = sum(row[4] for row in rows), sum(row[6] for row in rows)
    return Traffic(tuple(ordered), tuple((*key, n) for key, n in frequent), fit, looked_at >= NEWEST)


def life(session: Session, study_id: int, message_id: int, seen: Sites = None) -> Life | None:
    """Return one message with everything known about it; None if there is none that may be seen."""
    statement = (
        select(
            m.id,
            m.kind,
            m.frame,
            m.item,
            m.channel,
            m.state,
            m.error,
            m.segments,
            m.attempt,
            m.resends,
            m.queued_at,
            m.accepted_at,
            m.sent_at,
            m.ended_at,
            m.useful_until,
            m.provider_status,
            and_(READY, HELD).label("held"),
            p.code.label("participant"),
            p.phone_country,
            w.code.label("window"),
            w.closes_at,
            sites.c.code.label("site"),
        )
        .outerjoin(participants, p.id == m.participant_id)
        .outerjoin(windows, w.id == m.window_id)
        .outerjoin(sites, sites.c.id == p.site_id)
        .where(m.id == message_id, m.study_id == study_id)
    )
    row = session.execute(statement if seen is None else statement.where(p.site_id.in_(seen))).first()
    return None if row is None else Life(row, tuple(_events(session, row)))


def _events(session: Session, row: AnyRow) -> list[Event]:
    found = [Event(row.queued_at, "queued")]
    for tried in session.execute(select(attempts).where(a.message_id == row.id).order_by(a.number)):
        found.append(Event(tried.started_at, "attempt", tried.outcome or "", tried.error))
        if tried.missed_at is not None:
            found.append(Event(tried.missed_at, "missed"))
    said = session.execute(select(t.status, t.error, t.received_at).where(t.message_id == row.id)).all()
    found += [Event(one.received_at, "receipt", one.status, one.error) for one in said]
    if row.accepted_at is not None:
        found.append(Event(row.accepted_at, "accepted"))
    if row.ended_at is not None:
        found.append(Event(row.ended_at, "ended", row.state, row.error))
    order = ("queued", "attempt", "missed", "accepted", "receipt", "ended")
    return sorted(found, key=lambda event: (event.at, order.index(event.kind)))
