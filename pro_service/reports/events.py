"""What happened to one participant, newest first: texts, replies, answers, calls, tasks, changes, contact tests.

Every source is asked for as many rows as a page holds, from one place in time on, so a page costs the same however long
the story is. Neither contact data nor words are read here; values are read only for readers who may see them.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias, get_args

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, or_, select

from pro_service.core.case import Case
from pro_service.core.schedule.prompts import skipped_prompts
from pro_service.core.schedule.status import status
from pro_service.reports.participant import SHOWN
from pro_service.store.participants import typed_reasons
from pro_service.store.schema import (
    AnyRow,
    attempts,
    audit_trail,
    calls,
    escalations,
    inbound,
    messages,
    reach_tests,
    receipts,
    responses,
    users,
    windows,
)
from pro_service.store.session import Session
from pro_service.store.vault import Vault

Kind: TypeAlias = Literal["window", "change", "message", "reach", "reply", "answer", "call", "task"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order in which they are shown if they happened at the same instant."""
SHOWN_AS_EVENTS = frozenset(
    {
        "queue",
        "answer",
        "escalate",
        "resolve",
        "acknowledge",
        "put_off",
        "settle",
        "cancel",
        "call",
        "send",
        "receipt",
        "reconcile",
        "read",
        "reach_begin",
        "reach_confirm",
        "reach_fail",
    }
)
"""Actions of the audit trail that are left out here, because their facts are events of their own."""
_MAIL = "email"
_a, _c, _e, _i, _m, _r, _t, _w = (
    audit_trail.c,
    calls.c,
    escalations.c,
    inbound.c,
    messages.c,
    responses.c,
    reach_tests.c,
    windows.c,
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the story: the last event of a page."""

    at: datetime
    kind: Kind
    id: int

    @property
    def order(self) -> tuple[datetime, int, int]:
        """What events are sorted by."""
        return self.at, KINDS.index(self.kind), self.id


@dataclass(frozen=True, slots=True)
class Step:
    """One moment of something that took a while: of a text's delivery, of a task, of a test."""

    at: datetime
    word: str
    """A code: a state of a text, or what was done with a task."""
    error: str | None = None
    who: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerVersion:
    """One version of one answer. `value` is None if the reader may not see it."""

    item: str
    version: int
    value: int | None
    declined: bool
    cleared: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, in codes; pages put them into words."""

    mark: Mark
    word: str
    """A code: the kind of a text, an outcome, an action, a level."""
    window: str | None = None
    window_id: int | None = None
    state: str | None = None
    """What came of it, where something can."""
    who: str | None = None
    """A member of staff, by mail address."""
    by: str | None = None
    """Of a change: the kind of actor; of a text: the way out by which it went or came."""
    detail: str | None = None
    """Another code: a reason, a channel, a failure."""
    until: datetime | None = None
    """To be called back, due, or at an end."""
    note: str | None = None
    """A reason as it was typed: free text."""
    steps: tuple[Step, ...] = ()
    answers: tuple[AnswerVersion, ...] = ()
    in_window: bool = True
    facts: tuple[tuple[str, object, object], ...] = ()
    """(field, before, since) of a change, those that staff may read."""
    folded: tuple["Event", ...] = ()
    """Mails to staff about one task on one day (UTC), newest first: an alert every two hours to three people is 18."""

    @property
    def at(self) -> datetime:
        """When."""
        return self.mark.at


@dataclass(frozen=True, slots=True)
class StoryQuery:
    """Which part of a story to read."""

    kinds: Collection[Kind] = KINDS
    before: Mark | None = None
    limit: int = 300
    scores: bool = False
    """Whether values are read."""


@dataclass(frozen=True, slots=True)
class EventPage:
    """What a participant's page shows."""

    every: list[Event]
    """The newest of all kinds, for the line of time."""
    page: list[Event]
    """One page of the wanted events, and one more if there are older ones."""
    steps: Mapping[int, tuple[Step, ...]]
    """Of the page's texts."""


def event_page(session: Session, vault: Vault, case: Case, now: datetime, wanted: StoryQuery) -> EventPage:
    """Return the newest events of all kinds, the wanted page, and the steps of its texts."""
    every = events(session, case, now, StoryQuery(scores=wanted.scores))
    newest = wanted.before is None and wanted.kinds == KINDS
    page = every[: wanted.limit] if newest else events(session, case, now, wanted)
    return EventPage(every, with_reasons(session, vault, page), steps_of_texts(session, page))


def with_reasons(session: Session, vault: Vault, shown: Sequence[Event]) -> list[Event]:
    """Return the same events with the reasons that people typed in place of the references to them."""
    reasons = {event.note for event in shown} | {one.reason for event in shown for one in event.answers}
    known = typed_reasons.known(session, vault, reasons)
    if not known:
        return list(shown)
    return [
        replace(
            event,
            note=known.get(event.note, event.note),
            answers=tuple(replace(one, reason=known.get(one.reason, one.reason)) for one in event.answers),
        )
        for event in shown
    ]


def events(session: Session, case: Case, now: datetime, wanted: StoryQuery) -> list[Event]:
    """Return the newest `limit` events of the wanted kinds before the mark, newest first."""
    readers: Mapping[Kind, Callable[[Session, int, StoryQuery], list[Event]]] = {
        "change": _changes,
        "message": _messages,
        "reach": _tests,
        "reply": _replies,
        "answer": _answers,
        "call": _calls,
        "task": _tasks,
    }
    found = [
        event
        for kind, read in readers.items()
        if kind in wanted.kinds
        for event in read(session, case.participant.id, wanted)
    ]
    if "window" in wanted.kinds:
        found += [event for event in _windows(case, now) if wanted.before is None or _before(event, wanted.before)]
    return sorted(found, key=lambda event: event.mark.order, reverse=True)[: wanted.limit]


def steps_of_texts(session: Session, shown: Iterable[Event]) -> Mapping[int, tuple[Step, ...]]:
    """Return what became of these texts: message id -> steps, oldest first; two queries for all of them."""
    ids = [event.mark.id for event in shown if event.mark.kind == "message"]
    found: dict[int, list[Step]] = defaultdict(list)
    if not ids:
        return {}
    for row in session.execute(select(attempts).where(attempts.c.message_id.in_(ids))):
        found[row.message_id].append(Step(row.started_at, "attempt", row.error))
    for row in session.execute(select(receipts).where(receipts.c.message_id.in_(ids))):
        found[row.message_id].append(Step(row.received_at, row.status, row.error))
    return {key: tuple(sorted(steps, key=lambda step: step.at)) for key, steps in found.items()}


# One reader for each source ------------------------------------------------------------------------------------------


def _page(statement: Select[Any], at: ColumnElement[datetime], key: Any, kind: Kind, wanted: StoryQuery) -> Select[Any]:
    """Limit a statement to the newest rows before the mark."""
    mark = wanted.before
    if mark is not None:
        mine, read = KINDS.index(kind), KINDS.index(mark.kind)
        if mine == read:
            statement = statement.where(and_(at <= mark.at, or_(at < mark.at, key < mark.id)))
        else:
            statement = statement.where(at <= mark.at if mine < read else at < mark.at)
    return statement.order_by(at.desc(), key.desc()).limit(wanted.limit)


def _windows(case: Case, now: datetime) -> Iterable[Event]:
    for window in case.current:
        span = window.span
        if span.opens_at <= now:
            yield Event(Mark(span.opens_at, "window", window.id), "opened", window.code, window.id)
        for moment, kind in skipped_prompts(case, window, now):
            yield Event(Mark(moment, "window", window.id), "skipped", window.code, window.id, kind)
        if span.closes_at <= now:
            state = status(window, case.participant, case.protocol.primary(window.point), now)
            yield Event(Mark(span.closes_at, "window", window.id), "closed", window.code, window.id, state)


def _messages(session: Session, person: int, wanted: StoryQuery) -> list[Event]:
    statement = _sent(person).where(_m.channel != _MAIL)
    rows = session.execute(_page(statement, _m.queued_at, _m.id, "message", wanted))
    return [*map(_message, rows), *_mails(session, person, wanted)]


def _mails(session: Session, person: int, wanted: StoryQuery) -> list[Event]:
    """Return the mails to staff, those about one task on one day (UTC) as one event."""
    day = func.substr(cast(_m.queued_at, String), 1, 10)
    together = (
        select(_m.escalation_id, func.max(_m.queued_at).label("at"), func.max(_m.id).label("id"))
        .add_columns(func.min(_m.id).label("first"), func.count().label("count"))
        .where(_m.participant_id == person, _m.channel == _MAIL)
        .group_by(_m.escalation_id, day)
        .subquery()
    )
    t = together.c
    groups = session.execute(_page(select(together), t.at, t.id, "message", wanted)).all()
    if not groups:
        return []
    about = or_(*(_m.id.between(group.first, group.id) for group in groups))
    found: dict[int | None, list[Event]] = defaultdict(list)
    for row in session.execute(_sent(person).where(_m.channel == _MAIL, about).order_by(_m.id.desc())):
        found[row.escalation_id].append(_message(row))
    events_of = []
    for group in groups:
        mails = [one for one in found[group.escalation_id] if group.first <= one.mark.id <= group.id]
        events_of.append(mails[0] if len(mails) == 1 else replace(mails[0], folded=tuple(mails)))
    return events_of


def _sent(person: int) -> Select[Any]:
    columns = [_m.id, _m.kind, _m.state, _m.channel, _m.queued_at, _m.ended_at, _m.error, _m.window_id]
    statement = select(*columns, _m.escalation_id, _w.code)
    return statement.outerjoin(windows, _w.id == _m.window_id).where(_m.participant_id == person)


def _message(row: AnyRow) -> Event:
    return Event(
        Mark(row.queued_at, "message", row.id),
        row.kind,
        row.code,
        row.window_id,
        row.state,
        detail=row.error,
        by=row.channel,
        until=row.ended_at,
    )


def _tests(session: Session, person: int, wanted: StoryQuery) -> list[Event]:
    statement = (
        select(reach_tests, users.c.email).outerjoin(users, users.c.id == _t.user_id).where(_t.participant_id == person)
    )
    found = []
    for row in session.execute(_page(statement, _t.started_at, _t.id, "reach", wanted)):
        steps = [Step(row.confirmed_at, "confirmed")] if row.confirmed_at else []
        steps += [Step(row.failed_at, "failed")] if row.failed_at else []
        state = "confirmed" if row.confirmed_at else "failed" if row.failed_at else None
        found.append(
            Event(
                Mark(row.started_at, "reach", row.id),
                "reach",
                state=state,
                who=row.email,
                until=row.expires_at,
                detail=row.confirmed_by or row.failure,
                steps=tuple(sorted(steps, key=lambda step: step.at)),
            )
        )
    return found


def _replies(session: Session, person: int, wanted: StoryQuery) -> list[Event]:
    statement = select(_i.id, _i.channel, _i.received_at, _i.reading, _i.handed_at, _i.handled_at).where(
        _i.participant_id == person
    )
    return [
        Event(
            Mark(row.received_at, "reply", row.id),
            row.reading or "unread",
            state=None if row.handed_at is None else "handled" if row.handled_at else "waits",
            by=row.channel,
        )
        for row in session.execute(_page(statement, _i.received_at, _i.id, "reply", wanted))
    ]


def _answers(session: Session, person: int, wanted: StoryQuery) -> list[Event]:
    """Return answers as events; what came together (one form, one text) is one event."""
    together = (
        select(_r.received_at, _r.window_id, _r.source, _r.entered_by, _r.in_window, func.max(_r.id).label("id"))
        .where(_r.participant_id == person)
        .group_by(_r.received_at, _r.window_id, _r.source, _r.entered_by, _r.in_window)
        .subquery()
    )
    t = together.c
    statement = select(together, _w.code, users.c.email).outerjoin(windows, _w.id == t.window_id)
    statement = statement.outerjoin(users, users.c.id == t.entered_by)
    rows = session.execute(_page(statement, t.received_at, t.id, "answer", wanted)).all()
    parts = _answer_versions(session, person, [row.received_at for row in rows], scores=wanted.scores)
    return [
        Event(
            Mark(row.received_at, "answer", row.id),
            row.source,
            row.code,
            row.window_id,
            who=row.email,
            answers=tuple(parts[row.received_at, row.window_id, row.source]),
            in_window=row.in_window,
        )
        for row in rows
    ]


def _answer_versions(
    session: Session, person: int, moments: Sequence[datetime], *, scores: bool
) -> Mapping[tuple[datetime, int | None, str], list[AnswerVersion]]:
    """Return the versions that came at these moments; values are read only with `scores`."""
    found: dict[tuple[datetime, int | None, str], list[AnswerVersion]] = defaultdict(list)
    columns = [_r.received_at, _r.window_id, _r.source, _r.item, _r.version, _r.declined, _r.cleared, _r.reason]
    statement = select(*columns, *([_r.value] if scores else [])).order_by(_r.id)
    for row in session.execute(statement.where(_r.participant_id == person, _r.received_at.in_(moments))):
        value = row.value if scores else None
        version = AnswerVersion(row.item, row.version, value, row.declined, row.cleared, row.reason)
        found[row.received_at, row.window_id, row.source].append(version)
    return found


def _calls(session: Session, person: int, wanted: StoryQuery) -> list[Event]:
    statement = (
        select(_c.id, _c.called_at, _c.outcome, _c.call_back_at, _c.window_id, _w.code, users.c.email)
        .outerjoin(windows, _w.id == _c.window_id)
        .join(users, users.c.id == _c.user_id)
        .where(_c.participant_id == person)
    )
    return [
        Event(
            Mark(row.called_at, "call", row.id),
            row.outcome,
            row.code,
            row.window_id,
            who=row.email,
            until=row.call_back_at,
        )
        for row in session.execute(_page(statement, _c.called_at, _c.id, "call", wanted))
    ]


def _tasks(session: Session, person: int, wanted: StoryQuery) -> list[Event]:
    took, ended = users.alias("took"), users.alias("ended")
    statement = (
        select(
            _e.id,
            _e.level,
            _e.reason,
            _e.raised_at,
            _e.due_at,
            _e.acknowledged_at,
            _e.resolved_at,
            _e.outcome,
            _e.window_id,
            _w.code,
            took.c.email.label("took_by"),
            ended.c.email.label("ended_by"),
        )
        .outerjoin(windows, _w.id == _e.window_id)
        .outerjoin(took, took.c.id == _e.acknowledged_by)
        .outerjoin(ended, ended.c.id == _e.resolved_by)
        .where(_e.participant_id == person)
    )
    found = []
    for row in session.execute(_page(statement, _e.raised_at, _e.id, "task", wanted)):
        steps = [Step(row.acknowledged_at, "acknowledge", who=row.took_by)] if row.acknowledged_at else []
        steps += [Step(row.resolved_at, "resolve", row.outcome, row.ended_by)] if row.resolved_at else []
        found.append(
            Event(
                Mark(row.raised_at, "task", row.id),
                row.level,
                row.code,
                row.window_id,
                detail=row.reason,
                state="ended" if row.resolved_at else "open",
                until=row.due_at,
                steps=tuple(steps),
            )
        )
    return found


def _changes(session: Session, person: int, wanted: StoryQuery) -> list[Event]:
    columns = (_a.id, _a.at, _a.actor_kind, _a.actor, _a.action, _a.entity, _a.changes, _a.reason)
    statement = select(*columns).where(
        _a.participant_id == person, _a.entity != "page", _a.action.not_in(SHOWN_AS_EVENTS)
    )
    rows = session.execute(_page(statement, _a.at, _a.id, "change", wanted)).all()
    known = _staff(session, rows)
    return [
        Event(
            Mark(row.at, "change", row.id),
            row.action,
            by=row.actor_kind,
            who=known.get(row.actor),
            # The words of a query stand on the page of queries, for those who may read them.
            note=None if row.entity == "query" else row.reason,
            facts=tuple((name, *pair) for name, pair in json.loads(row.changes).items() if name in SHOWN),
        )
        for row in rows
    ]


def _staff(session: Session, rows: Sequence[AnyRow]) -> Mapping[str, str]:
    """Return `user:3` -> the mail address of that account."""
    ids = {row.actor.removeprefix("user:") for row in rows if row.actor.startswith("user:")}
    numbers = [int(one) for one in ids if one.isdigit()]
    if not numbers:
        return {}
    rows_of = session.execute(select(users.c.id, users.c.email).where(users.c.id.in_(numbers)))
    return {f"user:{row.id}": row.email for row in rows_of}


def _before(event: Event, mark: Mark) -> bool:
    return event.mark.order < mark.order
