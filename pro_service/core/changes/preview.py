"""The preview of a change: what is and what will be, side by side, for the person who decides."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pro_service.core.case import PENDING, PROMPTS, Case, WindowFacts
from pro_service.core.changes.plan import Plan, case_after
from pro_service.core.changes.reschedule import Verdict
from pro_service.core.problems import Problem
from pro_service.core.protocol import Site
from pro_service.core.schedule.forecast import forecast
from pro_service.core.schedule.status import Status, status

HIDDEN = frozenset({"has_phone", "has_email", "phone_since", "email_since"})
"""Facts that say whether there is a number or an address, which is shown itself, masked."""


@dataclass(frozen=True, slots=True)
class AnswerPreview:
    """One answer, and how it will count."""

    item: str
    received_at: datetime
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class WindowPreview:
    """One time point now and then; None where there is no such window."""

    code: str
    old_target: date | None
    old_opens_at: datetime | None
    old_closes_at: datetime | None
    old_status: Status | None
    target: date | None
    opens_at: datetime | None
    closes_at: datetime | None
    status: Status | None
    moved: bool
    answers: tuple[AnswerPreview, ...]


@dataclass(frozen=True, slots=True)
class StepPreview:
    """One prompt or call: when it comes without the change, and when with it; None = not at all."""

    window: str
    step: str
    old_at: datetime | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class TextPreview:
    """A text that was sent or waits: `counts` for the window, is `past`, `withdrawn`, `waits`, or `may_arrive`."""

    window: str | None
    kind: str
    at: datetime
    fate: str


@dataclass(frozen=True, slots=True)
class TaskPreview:
    """An open task and how it ends; None = it stays open."""

    id: int
    window: str | None
    level: str
    reason: str
    outcome: str | None


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """All consequences of one change. `revision` is the participant's when the preview was made."""

    participant: str
    action: str
    unchanged: bool
    facts: tuple[tuple[str, object, object], ...]
    """(what, as it is, as it will be); contact data masked."""
    windows: tuple[WindowPreview, ...]
    steps: tuple[StepPreview, ...]
    texts: tuple[TextPreview, ...]
    tasks: tuple[TaskPreview, ...]
    notes: tuple[Problem, ...]
    revision: int


def preview_change(case: Case, planned: Plan, now: datetime) -> ChangePreview:
    """Return the case as it is beside the case as the plan will leave it."""
    then = case_after(case, planned, now)
    return ChangePreview(
        participant=case.participant.code,
        action=planned.action,
        unchanged=planned.unchanged,
        facts=tuple(_facts(case, planned)),
        windows=preview_windows(case, then, planned, now),
        steps=tuple(_steps(case, then, now)),
        texts=tuple(_texts(case, then)),
        tasks=tuple(_tasks(case, then)),
        notes=planned.notes,
        revision=case.participant.revision,
    )


def _facts(case: Case, planned: Plan) -> Iterator[tuple[str, object, object]]:
    for name, value in planned.facts.items():
        old = getattr(case.participant, name, None)
        before, then = _shown(old), _shown(value)
        if name not in HIDDEN and before != then:
            yield name, before, then


def _shown(value: object) -> object:
    if isinstance(value, Site):
        return value.code
    return value.key if isinstance(value, ZoneInfo) else value


def preview_windows(case: Case, then: Case, planned: Plan, now: datetime) -> tuple[WindowPreview, ...]:
    """Return every time point as it is and as it will be."""
    return tuple(_windows(case, then, planned, now))


def _windows(case: Case, then: Case, planned: Plan, now: datetime) -> Iterator[WindowPreview]:
    judged = {one.span.code: one.answers for one in planned.rescheduled.new_windows}
    before = {window.code: window for window in case.current}
    coming = {window.code: window for window in then.current}
    for code in dict.fromkeys([*before, *coming]):
        old, new = before.get(code), coming.get(code)
        yield WindowPreview(
            code=code,
            old_target=None if old is None else old.span.target,
            old_opens_at=None if old is None else old.span.opens_at,
            old_closes_at=None if old is None else old.span.closes_at,
            old_status=None if old is None else _status(case, old, now),
            target=None if new is None else new.span.target,
            opens_at=None if new is None else new.span.opens_at,
            closes_at=None if new is None else new.span.closes_at,
            status=None if new is None else _status(then, new, now),
            moved=code in judged or new is None,
            answers=tuple(AnswerPreview(j.answer.item, j.answer.received_at, j.verdict) for j in judged.get(code, ())),
        )


def _status(case: Case, window: WindowFacts, now: datetime) -> Status:
    return status(window, case.participant, case.protocol.primary(window.point), now)


def _steps(case: Case, then: Case, now: datetime) -> Iterator[StepPreview]:
    old = {(one.window, one.step): one.at for one in forecast(case, now)}
    new = {(one.window, one.step): one.at for one in forecast(then, now)}
    order = dict(sorted({**old, **new}.items(), key=lambda pair: pair[1]))
    for window, step in order:
        yield StepPreview(window, step, old.get((window, step)), new.get((window, step)))


def _texts(case: Case, then: Case) -> Iterator[TextPreview]:
    """Yield the prompts there are, and every text that is still to leave."""
    coming = {text.id: text for text in then.messages}
    counting = {text.id for window in then.current for text in then.texts(window.id)}
    for text in case.messages:
        if text.kind not in PROMPTS and text.state not in PENDING:
            continue
        window = None if text.window_id is None else case.window(text.window_id).code
        if text.state == "ready":
            fate = "withdrawn" if coming[text.id].state == "cancelled" else "waits"
        elif text.state in PENDING:
            fate = "may_arrive"
        elif text.accepted_at is None:
            continue
        else:
            fate = "counts" if text.id in counting else "past"
        yield TextPreview(window, text.kind, text.accepted_at or text.queued_at, fate)


def _tasks(case: Case, then: Case) -> Iterator[TaskPreview]:
    coming = {escalation.id: escalation for escalation in then.escalations}
    for escalation in case.escalations:
        if escalation.open:
            window = None if escalation.window_id is None else case.window(escalation.window_id).code
            outcome = coming[escalation.id].outcome
            yield TaskPreview(escalation.id, window, escalation.level, escalation.reason, outcome)
