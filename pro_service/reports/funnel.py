"""The funnel of prompts, step by step: expected, sent, delivered, answered.

A step is expected of a window once its moment has passed: of participants who agreed to messages, were enrolled by then
and had not left. Answered means: by text, link or card, after this prompt and before the next.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, case, func, select

from pro_service.core.case import BY_THEMSELVES, PROMPTS
from pro_service.core.protocol import Hours, Protocol, Step
from pro_service.core.schedule.windows import local_instant, next_allowed
from pro_service.reports.breakdown import Chosen, Shape
from pro_service.store.participants.cases import zone_of
from pro_service.store.participants.ladder import led_to
from pro_service.store.schema import IS_TEXT, AnyRow, messages, participants, responses, windows
from pro_service.store.session import Session

m, p, r, w = messages.c, participants.c, responses.c, windows.c

PEOPLE = 60
"""Up to so many participants all windows are counted; of a larger study those open now, …"""
WINDOWS = 60
"""… so many that close first …"""
OPEN, SCAN = 120, 1000
"""… of the first so many that are open (where one looks at a part of the study: of all) and have not closed yet, of so
many that have not closed."""
SENT = frozenset({"accepted", "sent", "delivered", "undelivered", "failed", "uncertain"})
FAILED = frozenset({"undelivered", "failed", "refused", "dead", "expired"})


@dataclass(slots=True)
class StepFlow:
    """One step of one window: how often it was expected, and what came of it."""

    window: str
    step: str
    expected: int = 0
    unneeded: int = 0
    """Answered before its moment."""
    sent: int = 0
    delivered: int = 0
    failed: int = 0
    answered: int = 0

    @property
    def withheld(self) -> int:
        """Expected, needed and not sent.

        Stopped, paused, unreachable, no card yet, another text that day, or a fault of ours.
        """
        return max(self.expected - self.unneeded - self.sent, 0)


@dataclass(frozen=True, slots=True)
class Funnel:
    """All steps in the protocol's order."""

    steps: tuple[StepFlow, ...]
    windows: int
    """How many windows were looked at."""
    whole: bool
    """Whether these are all windows so far; else those open now that close first."""


def funnel(
    session: Session, study_id: int, protocol: Protocol, now: datetime, look: Chosen, *, people: int = PEOPLE
) -> Funnel:
    """Return what should have been sent, and what became of it."""
    codes = [point.code for point in protocol.time_points if point.steps and look.window in (None, point.code)]
    rows, whole = _windows(session, study_id, now, look, codes, people)
    ids = [row.id for row in rows]
    answers = {row.window_id: row for row in session.execute(_FIRST_ANSWERS, {"ids": ids})} if ids else {}
    prompts: dict[int, list[AnyRow]] = defaultdict(list)
    for row in session.execute(_PROMPTS, {"ids": ids}) if ids else ():
        prompts[row.window_id].append(row)
    flows = {
        (point.code, step.name): StepFlow(point.code, step.name)
        for point in protocol.time_points
        if point.code in codes
        for step in point.steps
    }
    for row in rows:
        _expect(row, answers.get(row.id), protocol, now, flows)
        _follow(row.code, prompts[row.id], answers.get(row.id), flows)
    return Funnel(tuple(flows.values()), len(rows), whole)


def _windows(
    session: Session, study_id: int, now: datetime, look: Chosen, codes: list[str], most: int
) -> tuple[list[AnyRow], bool]:
    given = look.given(study_id) | {"now": now, "codes": codes}
    people = session.scalars(_people(look.shape), given | {"most": most + 1}).all()
    if len(people) <= most:
        return list(session.execute(_THEIRS, {"now": now, "codes": codes, "people": list(people)})), True
    return list(session.execute(_running(look.shape), given)), False


@lru_cache(maxsize=64)
def _people(shape: Shape) -> Select[Any]:
    """Return the first participants who are asked by text."""
    return (
        select(p.id).where(p.study_id == bindparam("study"), *_texted(shape)).order_by(p.code).limit(bindparam("most"))
    )


@lru_cache(maxsize=64)
def _running(shape: Shape) -> Select[Any]:
    """Return the windows that are open, those first that close first."""
    # The index alone is read so far: of a study with a hundred thousand windows ahead most are not open yet.
    near = (
        select(w.id, w.opens_at, w.closes_at)
        .where(w.study_id == bindparam("study"), w.settled.is_(None), w.cancelled_at.is_(None), w.closes_at > _NOW)
        .order_by(w.closes_at)
        .limit(SCAN)
        .subquery()
    )
    open_now = select(near.c.id).where(near.c.opens_at <= _NOW)
    if not any(shape):
        open_now = open_now.order_by(near.c.closes_at).limit(OPEN)
    return _BEGUN.where(w.id.in_(open_now), *_texted(shape)).order_by(w.closes_at).limit(WINDOWS)


def _texted(shape: Shape) -> list[ColumnElement[bool]]:
    return [led_to().is_not(None), p.confirmed_at.is_not(None), *shape.person()]


_NOW: BindParameter[datetime] = bindparam("now", type_=w.opens_at.type)
_BEGUN = (
    select(w.id, w.code, w.target, w.opens_at, w.closes_at, p.zone, p.enrolled_at, p.confirmed_at, p.withdrawn_at)
    .add_columns(p.died_at)
    .join(participants, p.id == w.participant_id)
    .where(w.cancelled_at.is_(None), w.opens_at <= _NOW, w.code.in_(bindparam("codes", expanding=True)))
)
_THEIRS = _BEGUN.where(p.id.in_(bindparam("people", expanding=True)))


_ANSWERED_AT = case((r.source.in_(BY_THEMSELVES), r.received_at))
_IDS: BindParameter[list[int]] = bindparam("ids", expanding=True)
_FIRST_ANSWERS = (
    select(r.window_id, func.min(r.received_at).label("first"), func.min(_ANSWERED_AT).label("told"))
    .where(r.window_id.in_(_IDS), ~r.cleared)
    .group_by(r.window_id)
)
_PROMPTS = (
    select(m.window_id, m.kind, m.state, m.queued_at)
    .where(m.window_id.in_(_IDS), m.kind.in_(PROMPTS), IS_TEXT)
    .order_by(m.queued_at)
)


def _expect(
    row: AnyRow, answer: AnyRow | None, protocol: Protocol, now: datetime, flows: Mapping[tuple[str, str], StepFlow]
) -> None:
    left = min((at for at in (row.withdrawn_at, row.died_at) if at is not None), default=None)
    here, until = max(row.enrolled_at, row.confirmed_at), min(now, row.closes_at)
    for step in protocol.time_point(row.code).steps:
        moment = _moment(row.target, row.opens_at, zone_of(row.zone), step, protocol.contact_hours)
        if here <= moment <= until and (left is None or moment < left):
            flow = flows[row.code, step.name]
            flow.expected += 1
            flow.unneeded += answer is not None and answer.first <= moment


@lru_cache(maxsize=4096)
def _moment(target: date, opens_at: datetime, zone: ZoneInfo, step: Step, hours: Hours) -> datetime:
    planned = local_instant(target + timedelta(days=step.after), step.at, zone)
    return next_allowed(max(planned, opens_at), hours, zone)


def _follow(code: str, prompts: list[AnyRow], answer: AnyRow | None, flows: Mapping[tuple[str, str], StepFlow]) -> None:
    answered_at = None if answer is None else answer.told
    for number, prompt in enumerate(prompts):
        flow = flows.get((code, prompt.kind))
        if flow is None:
            continue
        flow.sent += prompt.state in SENT
        flow.delivered += prompt.state == "delivered"
        flow.failed += prompt.state in FAILED
        until = prompts[number + 1].queued_at if number + 1 < len(prompts) else None
        if answered_at is not None and answered_at >= prompt.queued_at and (until is None or answered_at < until):
            flow.answered += 1
