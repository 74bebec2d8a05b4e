"""A change before it is made: what is and what will be, side by side, for the person who decides."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pro_service.core.case import PENDING, PROMPTS, Case, WindowFacts
from pro_service.core.changes.plan import Plan, after
from pro_service.core.changes.reschedule import Verdict
from pro_service.core.problems import Note
from pro_service.core.protocol import Site
from pro_service.core.schedule.forecast import forecast
from pro_service.core.schedule.status import Status, status

HIDDEN = frozenset({"has_phone"})


@dataclass(frozen=True, slots=True)
class AnswerThen:
    """One answer and how it will stand."""

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
    answers: tuple[AnswerThen, ...]


@dataclass(frozen=True, slots=True)
class StepThen:
    """One prompt or call: when it would come as things are, and when it will; None = not at all."""

    window: str
    step: str
    old_at: datetime | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class TextThen:
    """A text that was sent or waits: `counts` for the window, is `past`, `withdrawn`, `waits`, or `may_arrive`."""

    window: str | None
    kind: str
    at: datetime
    fate: str


@dataclass(frozen=True, slots=True)
class TaskThen:
    """An open task: how it ends; None = it stays somebody's work."""

    id: int
    window: str | None
    level: str
    reason: str
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """All consequences of one change. `revision` is the participant's at the time of looking."""

    participant: str
    action: str
    unchanged: bool
    facts: tuple[tuple[str, object, object], ...]
    """(what, as it is, as it will be); contact data masked."""
    windows: tuple[WindowPreview, ...]
    steps: tuple[StepThen, ...]
    texts: tuple[TextThen, ...]
    tasks: tuple[TaskThen, ...]
    notes: tuple[Note, ...]
    revision: int


def outlook(case: Case, made: Plan, now: datetime) -> Outlook:
    """Set the case as it is beside the case as the plan will leave it."""
    then = after(case, made, now)
    return Outlook(
        participant=case.participant.code,
        action=made.action,
        unchanged=made.unchanged,
        facts=tuple(_facts(case, made)),
        windows=windows_then(case, then, made, now),
        steps=tuple(_steps(case, then, now)),
        texts=tuple(_texts(case, then)),
        tasks=tuple(_tasks(case, then)),
        notes=made.notes,
        revision=case.participant.revision,
    )


def _facts(case: Case, made: Plan) -> Iterator[tuple[str, object, object]]:
    for name, value in made.facts.items():
        old = getattr(case.participant, name, None)
        before, then = _shown(old), _shown(value)
        if name not in HIDDEN and before != then:
            yield name, before, then


def _shown(value: object) -> object:
    if isinstance(value, Site):
        return value.code
    return value.key if isinstance(value, ZoneInfo) else value


def windows_then(case: Case, then: Case, made: Plan, now: datetime) -> tuple[WindowPreview, ...]:
    """Every time point as it is and as it will be."""
    return tuple(_windows(case, then, made, now))


def _windows(case: Case, then: Case, made: Plan, now: datetime) -> Iterator[WindowPreview]:
    judged = {one.span.code: one.answers for one in made.relaid.laid}
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
            answers=tuple(AnswerThen(j.answer.item, j.answer.received_at, j.verdict) for j in judged.get(code, ())),
        )


def _status(case: Case, window: WindowFacts, now: datetime) -> Status:
    return status(window, case.participant, case.protocol.primary(window.point), now)


def _steps(case: Case, then: Case, now: datetime) -> Iterator[StepThen]:
    old = {(one.window, one.step): one.at for one in forecast(case, now)}
    new = {(one.window, one.step): one.at for one in forecast(then, now)}
    order = dict(sorted({**old, **new}.items(), key=lambda pair: pair[1]))
    for window, step in order:
        yield StepThen(window, step, old.get((window, step)), new.get((window, step)))


def _texts(case: Case, then: Case) -> Iterator[TextThen]:
    """Prompts there are, and every text that is still to leave."""
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
        yield TextThen(window, text.kind, text.accepted_at or text.queued_at, fate)


def _tasks(case: Case, then: Case) -> Iterator[TaskThen]:
    coming = {escalation.id: escalation for escalation in then.escalations}
    for escalation in case.escalations:
        if escalation.open:
            window = None if escalation.window_id is None else case.window(escalation.window_id).code
            outcome = coming[escalation.id].outcome
            yield TaskThen(escalation.id, window, escalation.level, escalation.reason, outcome)
