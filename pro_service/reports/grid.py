"""The grid of participants × windows: one keyset page, judged by the same rules as everything else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, or_, select, tuple_

from pro_service.core.case import Case, WindowFacts
from pro_service.core.schedule.status import AT_RISK, ParticipantStatus, at_risk, participant_status, status
from pro_service.reports import statements
from pro_service.reports.breakdown import asked_by
from pro_service.store.participants.cases import Loader
from pro_service.store.participants.counts import channel_of
from pro_service.store.schema import participants, windows
from pro_service.store.session import Session
from pro_service.store.studies import Sites, newest_protocol

PAGE = 44
SCAN = 1000
"""How many participants are searched for one page of a filter; the next page goes on from there."""

NOT_APPLICABLE = frozenset({"missed_before_enrolment", "withdrawn", "died", "cancelled"})
SHAPES = (
    "at_risk",
    "open",
    "partial",
    "upcoming",
    "completed_in_window",
    "completed_late",
    "declined",
    "missed",
    "not_applicable",
)
"""The shapes of the legend."""


class Cell(NamedTuple):
    """One window of one participant."""

    status: str
    shape: str
    """One of SHAPES."""
    opens_at: datetime
    closes_at: datetime
    answered_at: datetime | None
    """When the last answer that counts arrived."""


@dataclass(frozen=True, slots=True)
class GridRow:
    """One participant."""

    code: str
    site: str
    zone: str
    """The site's."""
    status: ParticipantStatus
    procedure_date: date
    channel: str
    """How they are asked: a channel, or `calls`."""
    cells: Mapping[str, Cell]
    """By time point; a window that does not exist is missing."""
    without_end: frozenset[str]
    """Time points whose window is missing because the end of the procedure is not known."""


@dataclass(frozen=True, slots=True)
class Grid:
    """One page of the grid."""

    codes: tuple[str, ...]
    """Time points of the newest protocol, in order."""
    rows: tuple[GridRow, ...]
    after: str | None
    """The code that the next page begins after, in the order of this list; None = this is the last page."""


Order: TypeAlias = Literal["code", "-code", "procedure", "-procedure"]
"""Of the participants, `-`: the last first. Only orders that an index carries: a page costs the same at any size."""
ORDERS: tuple[Order, ...] = get_args(Order)


@dataclass(frozen=True, slots=True)
class Look:
    """What to search for; all of it is in the page's address."""

    after: str | None = None
    state: str | None = None
    """One of SHAPES: participants with at least one such window."""
    search: str | None = None
    """Beginning of a participant's code."""
    channel: str | None = None
    """How participants are asked: a channel, or `calls`."""
    window: str | None = None
    """A time point: the state is looked for in this window alone, and no other is shown."""
    order: Order = "code"


def participants_page(
    session: Session,
    loader: Loader,
    study_id: int,
    now: datetime,
    sites: Sites = None,
    look: Look = Look(),
    *,
    size: int = PAGE,
) -> Grid:
    """Return one page of participants, in the order of `look`; a fixed number of queries at any size."""
    protocol = newest_protocol(session, loader, study_id)
    points = () if protocol is None else protocol.time_points
    codes = tuple(point.code for point in points if look.window in (None, point.code))
    found, after = _page_ids(session, study_id, now, sites, look, size)
    loaded = loader.load(session, found, lock=False, whole=False) if found else []
    by_id = {one.case.participant.id: _row(one.case, now) for one in loaded}
    rows = [by_id[key] for key in found if key in by_id]
    if look.state:
        rows = [row for row in rows if any(row.cells[c].shape == look.state for c in codes if c in row.cells)]
    return Grid(codes, tuple(rows), after)


def _page_ids(
    session: Session, study_id: int, now: datetime, sites: Sites, look: Look, size: int
) -> tuple[list[int], str | None]:
    """Return the ids of one page's participants, and the code after which the next page goes on."""
    given = statements.parameters(study_id, sites) | {"begins": _beginning(look.search or "")}
    begun = _place(session, study_id, look)
    statement = _ordered(look.order, sites is not None, look.search is not None, bool(begun))
    if look.state is None and look.channel is None:
        rows = session.execute(statement.limit(bindparam("most")), given | begun | {"most": size + 1}).all()
        return [row.id for row in rows[:size]], rows[size - 1].code if len(rows) > size else None
    return _filtered(session, statement, given | begun, look, now, size)


def _place(session: Session, study_id: int, look: Look) -> dict[str, object]:
    """Return where the page goes on: the values of its order's columns; empty = from the start.

    The address holds the code alone. The date is looked up, so it is right even if it changed between two pages.
    """
    if look.after is None:
        return {}
    if look.order.endswith("code"):
        return {"after_code": look.after}
    p = participants.c
    day = session.scalar(select(p.procedure_date).where(p.study_id == study_id, p.code == look.after))
    return {} if day is None else {"after_code": look.after, "after_procedure_date": day}


def _beginning(text: str) -> str:
    """Return the LIKE pattern of everything that begins with a text."""
    for sign in ("/", "%", "_"):
        text = text.replace(sign, f"/{sign}")
    return f"{text}%"


@lru_cache(maxsize=32)
def _ordered(order: Order, limited: bool, searched: bool, begun: bool) -> Select[*tuple[Any, ...]]:  # noqa: FBT001 -- the cache's key
    """Build the list of participants in an order once: building it costs more than the database needs."""
    p = participants.c
    last_first = order.startswith("-")
    columns = [p.code] if order.endswith("code") else [p.procedure_date, p.code]
    statement = select(p.id, p.code, p.procedure_date).where(p.study_id == bindparam("study"))
    if begun:
        here, place = tuple_(*columns), tuple_(*(bindparam(f"after_{c.name}", type_=c.type) for c in columns))
        statement = statement.where(here < place if last_first else here > place)
    if searched:
        statement = statement.where(p.code.like(bindparam("begins"), escape="/"))
    if limited:
        statement = statement.where(p.site_id.in_(bindparam("sites", expanding=True)))
    return statement.order_by(*(column.desc() if last_first else column for column in columns))


def _filtered(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    given: Mapping[str, object],
    look: Look,
    now: datetime,
    size: int,
) -> tuple[list[int], str | None]:
    """Return the first that match of the first SCAN: a filter that few match never reads the whole study."""
    scan = statement.limit(SCAN).subquery()
    columns = [scan.c.code] if look.order.endswith("code") else [scan.c.procedure_date, scan.c.code]
    in_order = [column.desc() if look.order.startswith("-") else column for column in columns]
    found = select(scan.c.id, scan.c.code).order_by(*in_order).limit(size + 1)
    if look.state is not None:
        may = _may_be_in_state(look.state, look.window, now)
        found = found.where(
            exists().where(windows.c.participant_id == scan.c.id, windows.c.cancelled_at.is_(None), may)
        )
    if look.channel is not None:
        found = found.where(exists().where(participants.c.id == scan.c.id, *asked_by(look.channel)))
    rows = session.execute(found, given).all()
    if len(rows) > size:
        return [row.id for row in rows[:size]], rows[size - 1].code
    last = session.execute(statement.offset(SCAN - 1).limit(1), given).first()
    return [row.id for row in rows], None if last is None else last.code


def _may_be_in_state(state: str, window: str | None, now: datetime) -> ColumnElement[bool]:
    """Return the condition that a window may be in this state; the rules decide whether it is."""
    may = _may_be_somewhere(state, now)
    return may if window is None else and_(may, windows.c.code == window)


def _may_be_somewhere(state: str, now: datetime) -> ColumnElement[bool]:
    w = windows.c
    running = and_(w.opens_at <= now, w.closes_at > now)
    match state:
        case "upcoming":
            return w.opens_at > now
        case "open":
            return running
        case "at_risk":
            return and_(running, w.closes_at <= now + AT_RISK)
        case "partial":
            return or_(running, w.settled == "partial", and_(w.settled.is_(None), w.closes_at <= now))
        case "not_applicable":
            return or_(w.settled.is_(None), w.settled.not_in(("completed_in_window", "missed", "partial")))
        case _:
            return or_(w.settled == state, w.settled.is_(None))


def _row(case: Case, now: datetime) -> GridRow:
    return GridRow(
        code=case.participant.code,
        site=case.participant.site.code,
        zone=case.participant.site.zone,
        status=participant_status(case, now),
        procedure_date=case.participant.procedure_date,
        channel=channel_of(case.participant),
        cells={window.code: cell(case, window, now) for window in case.current},
        without_end=frozenset(point.code for point in case.without_end),
    )


def cell(case: Case, window: WindowFacts, now: datetime) -> Cell:
    """Return one window, judged by the rules."""
    state = status(window, case.participant, case.protocol.primary(window.point), now)
    shape = "not_applicable" if state in NOT_APPLICABLE else state
    return Cell(
        status=state,
        shape="at_risk" if at_risk(case, window, state, now) else shape,
        opens_at=window.span.opens_at,
        closes_at=window.span.closes_at,
        answered_at=max((answer.received_at for answer in window.answers.values() if answer.given), default=None),
    )
