"""Today: who can still be saved, what else is somebody's work, how the windows stand, and whether time is passing."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, and_, exists, func, or_, select, union_all
from sqlalchemy.orm import Session

from pro_service.core.protocol import LevelCode, Protocol, Site, TimePoint
from pro_service.store import schema
from pro_service.store.cases import Loader
from pro_service.store.reports import ComplianceRow, Sites, compliance, heartbeat
from pro_service.store.schema import calls, escalations, messages, participants, users, windows

QUEUE = 20
PER_LEVEL = 10
CAP = 1000
"""Counts stop here: a page says "999+"."""
UNSETTLED = 200
"""So many participants' windows are judged for the rates while a scheduler that stood still catches up."""
CALLS: tuple[LevelCode, ...] = ("E1", "E2")
LEVELS: tuple[LevelCode, ...] = ("ES", "E4", "E2", "E1", "E0", "E3")
SILENCE = timedelta(minutes=15)
"""A scheduler silent for longer is reported."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that was tried: a text (`kind`, its state) or a call (`call`, its outcome)."""

    kind: str
    result: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Task:
    """One open escalation, with what a person needs to know before they take it up."""

    id: int
    level: LevelCode
    reason: str
    participant: str | None
    site: Site | None
    point: TimePoint | None
    opens_at: datetime | None
    closes_at: datetime | None
    raised_at: datetime
    due_at: datetime
    save_by: datetime | None
    look_again_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Today:
    """What the first page shows, at one instant."""

    now: datetime
    heartbeat: datetime | None
    queue: tuple[Task, ...]
    """Open calls that can still save a window, least time left first; those put off until later come last."""
    queue_count: int
    tasks: tuple[Task, ...]
    """Everything else that is open: safety first, then by level, by when it is due."""
    counts: dict[LevelCode, int]
    """Open escalations per level, up to CAP."""
    rates: list[ComplianceRow]
    open_windows: int
    """Up to CAP."""
    next_opening: tuple[datetime, str, Site] | None
    """(when, participant, site) of a window that opens next; looked up only when nobody is to be called."""

    @property
    def silent(self) -> bool:
        """Whether time does not pass: the scheduler has been silent too long."""
        return self.heartbeat is None or self.now - self.heartbeat > SILENCE


def today(session: Session, loader: Loader, study_id: int, now: datetime, sites: Sites = None) -> Today:
    """The first page, at `now`; a fixed number of queries."""
    saving = _rows(session, _queue(study_id, now, sites))
    queue = _tasks(session, loader, saving[:QUEUE])
    others = _tasks(session, loader, _rows(session, _others(study_id, now, sites)))
    return Today(
        now=now,
        heartbeat=heartbeat(session),
        queue=tuple(sorted(queue, key=lambda task: (_put_off(task, now), task.save_by or task.due_at))),
        queue_count=_count(session, _queue(study_id, now, sites, CAP)),
        tasks=tuple(sorted(others, key=lambda task: (LEVELS.index(task.level), task.due_at))),
        counts=_counts(session, study_id, sites),
        rates=compliance(session, loader, study_id, now, sites, cap=UNSETTLED),
        open_windows=_count(session, _open_windows(study_id, now, sites)),
        next_opening=None if saving else _next_opening(session, loader, study_id, now, sites),
    )


def _put_off(task: Task, now: datetime) -> bool:
    return task.look_again_at is not None and task.look_again_at > now


def task(session: Session, loader: Loader, study_id: int, escalation_id: int, sites: Sites = None) -> Task | None:
    """One escalation, open or not; None if there is none one may see."""
    e = escalations.c
    statement = select(e.id).where(e.id == escalation_id, e.study_id == study_id)
    if sites is not None:
        statement = statement.where(e.site_id.in_(sites))
    found = _tasks(session, loader, _rows(session, statement))
    return found[0] if found else None


def _queue(study_id: int, now: datetime, sites: Sites, limit: int = QUEUE + 1) -> Select[int]:
    e = escalations.c
    statement = select(e.id).where(e.study_id == study_id, e.resolved_at.is_(None), e.save_by > now)
    # A window whose call became urgent has two of them open, and is one call to make.
    urgent = escalations.alias("urgent")
    same = and_(urgent.c.participant_id == e.participant_id, urgent.c.window_id == e.window_id)
    overtaken = exists().where(same, urgent.c.level == "E2", urgent.c.resolved_at.is_(None))
    statement = statement.where(or_(e.level == "E2", and_(e.level == "E1", ~overtaken)))
    statement = statement.order_by(e.save_by, e.due_at).limit(limit)
    return statement if sites is None else statement.where(e.site_id.in_(sites))


def _others(study_id: int, now: datetime, sites: Sites) -> Select[int]:
    """The first of each level, by when they are due."""
    e = escalations.c
    parts = []
    for level in LEVELS:
        part = select(e.id).where(e.study_id == study_id, e.resolved_at.is_(None), e.level == level)
        if level in CALLS:
            part = part.where(e.save_by.is_(None) | (e.save_by <= now))
        if sites is not None:
            part = part.where(e.site_id.in_(sites))
        parts.append(select(part.order_by(e.due_at).limit(PER_LEVEL).subquery()))
    return select(union_all(*parts).subquery())


def _counts(session: Session, study_id: int, sites: Sites) -> dict[LevelCode, int]:
    e = escalations.c
    parts = []
    for level in LEVELS:
        part = select(e.id).where(e.study_id == study_id, e.resolved_at.is_(None), e.level == level)
        if sites is not None:
            part = part.where(e.site_id.in_(sites))
        parts.append(select(func.count()).select_from(part.limit(CAP).subquery()).scalar_subquery())
    row = session.execute(select(*parts)).one()
    return dict(zip(LEVELS, row, strict=True))


def _open_windows(study_id: int, now: datetime, sites: Sites) -> Select[int]:
    w = windows.c
    statement = (
        select(w.id)
        .where(w.study_id == study_id, w.settled.is_(None), w.cancelled_at.is_(None))
        .where(w.closes_at > now, w.opens_at <= now)
        .limit(CAP)
    )
    if sites is None:
        return statement
    return statement.join(participants, participants.c.id == w.participant_id).where(participants.c.site_id.in_(sites))


def _count(session: Session, statement: Select[int]) -> int:
    return session.execute(select(func.count()).select_from(statement.subquery())).scalar_one()


def _rows(session: Session, ids: Select[int]) -> Sequence[Row[Any]]:
    """Escalations with what surrounds them, in the order of `ids`."""
    found = session.scalars(ids).all()
    if not found:
        return []
    e, p, w = escalations.c, participants.c, windows.c
    statement = (
        select(
            escalations, p.code.label("participant"), p.protocol_version_id, schema.sites.c.code.label("site"),
            w.code.label("window"), w.opens_at, w.closes_at, users.c.email.label("who"),
        )
        .outerjoin(participants, p.id == e.participant_id)
        .outerjoin(schema.sites, schema.sites.c.id == e.site_id)
        .outerjoin(windows, w.id == e.window_id)
        .outerjoin(users, users.c.id == e.acknowledged_by)
        .where(e.id.in_(found))
    )  # fmt: skip
    by_id = {row.id: row for row in session.execute(statement)}
    return [by_id[key] for key in found]


def _tasks(session: Session, loader: Loader, rows: Iterable[Row[Any]]) -> list[Task]:
    rows = list(rows)
    tried = _attempts(session, [row.window_id for row in rows if row.window_id is not None])
    return [_task(session, loader, row, tuple(tried[row.window_id])) for row in rows]


def _task(session: Session, loader: Loader, row: Row[Any], attempts: tuple[Attempt, ...]) -> Task:
    protocol: Protocol | None = None
    if row.protocol_version_id is not None:
        protocol = loader.protocol_of(session, row.protocol_version_id)
    return Task(
        id=row.id,
        level=row.level,
        reason=row.reason,
        participant=row.participant,
        site=None if protocol is None else protocol.sites.get(row.site),
        point=None if protocol is None or row.window is None else protocol.time_point(row.window),
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        raised_at=row.raised_at,
        due_at=row.due_at,
        save_by=row.save_by,
        look_again_at=row.look_again_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.who,
        attempts=attempts,
    )


def _attempts(session: Session, window_ids: list[int]) -> dict[int | None, list[Attempt]]:
    """Texts and calls about these windows, oldest first."""
    tried: dict[int | None, list[Attempt]] = defaultdict(list)
    if not window_ids:
        return tried
    m, c = messages.c, calls.c
    texts = select(m.window_id, m.kind, m.state, m.queued_at).where(m.window_id.in_(window_ids), m.channel == "sms")
    made = select(c.window_id, c.outcome, c.called_at).where(c.window_id.in_(window_ids))
    for window_id, kind, state, at in session.execute(texts):
        tried[window_id].append(Attempt(kind, state, at))
    for window_id, outcome, at in session.execute(made):
        tried[window_id].append(Attempt("call", outcome, at))
    for attempts in tried.values():
        attempts.sort(key=lambda attempt: attempt.at)
    return tried


def _next_opening(
    session: Session, loader: Loader, study_id: int, now: datetime, sites: Sites
) -> tuple[datetime, str, Site] | None:
    """The window that opens next among the first that close: exact in a study one can look over."""
    w, p = windows.c, participants.c
    ahead = (
        select(w.opens_at, w.participant_id)
        .where(w.study_id == study_id, w.settled.is_(None), w.cancelled_at.is_(None))
        .where(w.closes_at > now, w.opens_at > now)
        .order_by(w.closes_at)
        .limit(CAP)
        .subquery()
    )
    statement = (
        select(ahead.c.opens_at, p.code, p.protocol_version_id, schema.sites.c.code.label("site"))
        .join(participants, p.id == ahead.c.participant_id)
        .join(schema.sites, schema.sites.c.id == p.site_id)
        .where(p.withdrawn_at.is_(None), p.died_at.is_(None))
        .order_by(ahead.c.opens_at, p.code)
        .limit(1)
    )
    if sites is not None:
        statement = statement.where(p.site_id.in_(sites))
    row = session.execute(statement).first()
    if row is None:
        return None
    return row.opens_at, row.code, loader.protocol_of(session, row.protocol_version_id).sites[row.site]
