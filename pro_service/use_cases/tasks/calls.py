"""What coordinators do about open work: telephone, say how it went, end it, say why a value is missing."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from pro_service.core.case import Case, EscalationFacts, WindowFacts
from pro_service.core.changes.model import Die, Withdraw
from pro_service.core.changes.plan import plan_change
from pro_service.core.commands import CancelTexts, Command, OptOut, Resolve
from pro_service.core.conversation.answers import on_answers
from pro_service.core.schedule.agenda import escalate, savable, wrong_telephone
from pro_service.core.schedule.causes import rungs_below
from pro_service.core.schedule.retries import LONGEST, next_attempt
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.participants import cases, tasks
from pro_service.store.participants.cases import Loaded
from pro_service.store.participants.writer import Writer
from pro_service.use_cases.transaction import Transaction, transaction

Outcome: TypeAlias = Literal[
    "completed_now",
    "will_do_it",
    "call_back_at",
    "no_answer",
    "busy",
    "wrong_person",
    "not_in_service",
    "refused_this_time",
    "wants_no_messages",
    "withdraws",
    "moved",
    "hospitalised",
    "died",
    "language_barrier",
]
"""How a call ended (protocol: escalation ladder)."""

MissingReason: TypeAlias = Literal[
    "not_asked",
    "not_delivered",
    "unreachable",
    "refused_this_visit",
    "too_ill",
    "hospitalised",
    "withdrew",
    "died",
    "language_or_ability",
    "site_error",
    "enrolled_after_window",
    "other",
]
"""Why a value is missing, as SDTM --REASND wants to know it."""

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
MISSING_REASONS: tuple[MissingReason, ...] = get_args(MissingReason)
FAILED: frozenset[str] = frozenset({"no_answer", "busy", "wrong_person"})
"""Nobody spoke to the participant: counted towards `failed_calls`."""
FINAL: frozenset[str] = frozenset({"withdraws", "died"})
"""Ends everything; asks for a note that says how one knows."""

RefusedCode: TypeAlias = Literal[
    "resolved",
    "needs_note",
    "needs_time",
    "time_passed",
    "time_after_close",
    "enter_the_answers",
    "unknown_outcome",
    "taken",
    "too_far",
    "safety",
    "no_colleague",
    "yourself",
    "away",
    "still_to_be_called",
    "own_page",
    "to_explain",
    "not_missed",
]


class WorkRefusedError(Exception):
    """What was asked cannot be done with this task; `code` says why, and nothing was written."""

    def __init__(self, code: RefusedCode) -> None:
        super().__init__(code)
        self.code = code


class StaleError(Exception):
    """The participant changed after the form was made; nothing was written."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"the participant is at revision {revision} now")
        self.revision = revision


@dataclass(frozen=True, slots=True)
class CallResult:
    """How a call ended, in the caller's words."""

    outcome: Outcome
    call_back_at: datetime | None = None
    note: str | None = None


def acknowledge(rt: Runtime, actor: Actor, escalation_id: int, *, reason: str = "") -> None:
    """Take a task up: it no longer goes up the ladder. One that was handed to somebody else is yours then.

    Taking up what one has changes nothing. KeyError if there is none, WorkRefusedError if it ended or another has it.
    """
    with task_transaction(rt, actor, escalation_id) as (tx, loaded, escalation):
        check_open(escalation)
        by = tasks.holder(tx.session, escalation_id).acknowledged_by
        if escalation.acknowledged_at is not None and by != actor.user_id:
            raise WorkRefusedError("taken")
        tasks.acknowledge(tx.writer, loaded, escalation, reason.strip() or None)


def record(rt: Runtime, actor: Actor, escalation_id: int, result: CallResult, *, revision: int | None = None) -> None:
    """Keep a call and do what its outcome asks for.

    KeyError (no such task), StaleError (the participant has changed since `revision`), WorkRefusedError.
    """
    with task_transaction(rt, actor, escalation_id, revision) as (tx, loaded, escalation):
        _check(loaded.case, escalation, result, tx.now)
        _keep(tx, loaded, escalation, result)
        _OUTCOMES.get(result.outcome, _stays_open)(tx, loaded, escalation, result)


def _check(case: Case, escalation: EscalationFacts, result: CallResult, now: datetime) -> None:
    check_open(escalation)
    if result.outcome not in OUTCOMES:
        raise WorkRefusedError("unknown_outcome")
    if result.outcome == "completed_now":
        raise WorkRefusedError("enter_the_answers")
    if result.outcome in FINAL and not (result.note or "").strip():
        raise WorkRefusedError("needs_note")
    if result.outcome == "call_back_at":
        check_time(of_window(case, escalation), result.call_back_at, now)


def check_time(window: WindowFacts | None, at: datetime | None, now: datetime) -> None:
    """Refuse a time to come back to this that is none, over, after the close of an open window, or too far away."""
    if at is None:
        raise WorkRefusedError("needs_time")
    if at <= now:
        raise WorkRefusedError("time_passed")
    if window is not None and now < window.span.closes_at <= at:
        raise WorkRefusedError("time_after_close")
    if at > now + LONGEST:
        raise WorkRefusedError("too_far")


def _keep(tx: Transaction, loaded: Loaded, escalation: EscalationFacts, result: CallResult) -> None:
    back = result.call_back_at if result.outcome == "call_back_at" else None
    note = (result.note or "").strip() or None
    tasks.record_call(
        tx.writer, loaded, tasks.CallMade(escalation.id, escalation.window_id, result.outcome, back, note)
    )
    tasks.acknowledge(tx.writer, loaded, escalation)


def _stays_open(tx: Transaction, loaded: Loaded, escalation: EscalationFacts, result: CallResult) -> None:
    """The call is kept, and the task stays: will do it, moved, hospitalised, language barrier."""


def _nobody(tx: Transaction, loaded: Loaded, escalation: EscalationFacts, result: CallResult) -> None:
    """Try again at another part of the day; after several calls in vain the lead gets a task."""
    del result
    case, window = loaded.case, of_window(loaded.case, escalation)
    again = next_attempt(case, window, tx.now, wished=escalation.part_of_day)
    tasks.put_off(tx.writer, loaded, escalation.id, again)
    _count_call_in_vain(tx, loaded, window)


def _count_call_in_vain(tx: Transaction, loaded: Loaded, window: WindowFacts | None) -> None:
    case = loaded.case
    if window is None:
        return
    in_vain = sum(call.window_id == window.id and call.outcome in FAILED for call in case.calls) + 1
    lead = escalate(case, "E2", "failed_calls", tx.now, window)
    if in_vain >= case.protocol.failed_calls and not case.escalated(lead.key):
        tx.carry_out(loaded, [lead])


def _call_back(tx: Transaction, loaded: Loaded, escalation: EscalationFacts, result: CallResult) -> None:
    tasks.put_off(tx.writer, loaded, escalation.id, result.call_back_at)


def _refused(tx: Transaction, loaded: Loaded, escalation: EscalationFacts, result: CallResult) -> None:
    """Not this time: the deciding item is declined, prompts stop, the window's calls end."""
    window = of_window(loaded.case, escalation)
    commands: tuple[Command, ...] = ()
    if window is not None and loaded.case.locked_at is None:
        primary = loaded.case.protocol.primary(window.point)
        items = window.missing() if primary is None else (primary,)
        commands = on_answers(
            loaded.case,
            window,
            {item: None for item in items if not window.has_answer(item)},
            source="telephone",
            received_at=tx.now,
            now=tx.now,
            entered_by=tx.writer.actor.user_id,
        )
    ended = {command.escalation_id for command in commands if isinstance(command, Resolve)}
    rest = () if escalation.id in ended else (Resolve(escalation.id, result.outcome),)
    with_outcome = (replace(c, outcome=result.outcome) if isinstance(c, Resolve) else c for c in commands)
    tx.carry_out(loaded, (*with_outcome, *rest))


def _no_messages(tx: Transaction, loaded: Loaded, escalation: EscalationFacts, result: CallResult) -> None:
    """No more texts; one may still telephone, so the task stays."""
    del escalation, result
    if loaded.case.participant.opted_out_at is None:
        tx.carry_out(loaded, (OptOut(), CancelTexts()))


def _wrong_number(tx: Transaction, loaded: Loaded, escalation: EscalationFacts, result: CallResult) -> None:
    """The number is somebody else's: not another text goes to it, and a task asks for the right one.

    The same follows when a text from that number says so. The call stays: it is made with the right number.
    """
    case = loaded.case
    window = of_window(case, escalation)
    tx.carry_out(loaded, wrong_telephone(case.participant, result.outcome))
    task = escalate(case, "E0", "wrong_number", tx.now, window)
    if not any(one.open and (one.level, one.reason) == (task.level, task.reason) for one in case.escalations):
        tx.carry_out(loaded, [replace(task, key=case.free_key(task.key))])
    _count_call_in_vain(tx, loaded, window)


def _no_such_number(tx: Transaction, loaded: Loaded, escalation: EscalationFacts, result: CallResult) -> None:
    """Neither calls nor texts reach anybody: no more texts, and the investigator gets a task."""
    case = loaded.case
    tx.carry_out(loaded, wrong_telephone(case.participant, result.outcome))
    pattern = escalate(case, "E4", "no_channel", tx.now, of_window(case, escalation))
    if not case.escalated(pattern.key):
        tx.carry_out(loaded, [pattern])


def _left(tx: Transaction, loaded: Loaded, escalation: EscalationFacts, result: CallResult) -> None:
    """Withdrawn or died: nothing goes out any more, and the open work about the participant ends."""
    person = loaded.case.participant
    if person.died_at is not None or (result.outcome == "withdraws" and person.withdrawn_at is not None):
        tx.carry_out(loaded, [Resolve(escalation.id, result.outcome)])
        return
    change = Die() if result.outcome == "died" else Withdraw("study")
    planned = plan_change(loaded.case, change, tx.now)
    if planned.facts:
        tx.writer.change(loaded, planned.facts, planned.action, "told in a call; see its note")
    tx.carry_out(loaded, planned.commands)


_OUTCOMES: dict[str, Callable[[Transaction, Loaded, EscalationFacts, CallResult], None]] = {
    "no_answer": _nobody,
    "busy": _nobody,
    "wrong_person": _wrong_number,
    "call_back_at": _call_back,
    "refused_this_time": _refused,
    "wants_no_messages": _no_messages,
    "not_in_service": _no_such_number,
    "withdraws": _left,
    "died": _left,
}


def resolve(
    rt: Runtime,
    actor: Actor,
    escalation_id: int,
    outcome: str = "done",
    *,
    reason: str = "",
    revision: int | None = None,
) -> None:
    """End a task by saying how; a call that could still save its window ends otherwise, or for a `reason`.

    KeyError if there is none, StaleError (the participant has changed since `revision`), WorkRefusedError.
    """
    with rt.sessions.reading() as session:
        found = tasks.subject_of(session, escalation_id)
    if found is not None and found.participant_id is None:
        with transaction(rt, actor, rt.clock()) as tx:
            tasks.resolve_unowned(tx.writer, escalation_id, outcome)
        return
    with task_transaction(rt, actor, escalation_id, revision) as (tx, loaded, escalation):
        check_open(escalation)
        window, why = of_window(loaded.case, escalation), reason.strip() or None
        to_call = escalation.level in ("E1", "E2") and window is not None and savable(loaded.case, window, tx.now)
        if to_call and why is None:
            raise WorkRefusedError("still_to_be_called")
        tasks.acknowledge(tx.writer, loaded, escalation)
        tasks.mark_changed(tx.writer, loaded)
        end_matter(tx, loaded, escalation, outcome, why)


def explain_missing(
    rt: Runtime,
    actor: Actor,
    escalation_id: int,
    reason: MissingReason,
    *,
    said: str = "",
    revision: int | None = None,
) -> None:
    """Say why a missed window has no answer, and what else is to be `said` of it; this ends the task.

    KeyError if there is none, StaleError, WorkRefusedError if it has ended or the reason is none of MISSING_REASONS.
    """
    with task_transaction(rt, actor, escalation_id, revision) as (tx, loaded, escalation):
        check_open(escalation)
        if reason not in MISSING_REASONS:
            raise WorkRefusedError("unknown_outcome")
        if escalation.window_id is not None:
            tasks.missing_reason(tx.writer, loaded, escalation.window_id, reason)
        tasks.acknowledge(tx.writer, loaded, escalation)
        end_matter(tx, loaded, escalation, reason, said.strip() or None)


def end_matter(
    tx: Transaction, loaded: Loaded, escalation: EscalationFacts, outcome: str, reason: str | None = None
) -> None:
    """End a task, and the open tasks of the levels below it, which are about the same matter."""
    for task in (escalation, *rungs_below(loaded.case, escalation)):
        tx.writer.resolve(loaded, task.id, outcome, reason)


def show_telephone(
    rt: Runtime, actor: Actor, study_id: int, code: str, sites: Collection[int] | None = None
) -> str | None:
    """The participant's number, once, with an audit row of who looked; None without one. KeyError if not to be seen."""
    return _shown(rt, actor, study_id, code, sites, tasks.telephone)


def show_address(
    rt: Runtime, actor: Actor, study_id: int, code: str, sites: Collection[int] | None = None
) -> str | None:
    """The participant's e-mail address, as `show_telephone` shows the number."""
    return _shown(rt, actor, study_id, code, sites, tasks.address)


def _shown(
    rt: Runtime,
    actor: Actor,
    study_id: int,
    code: str,
    sites: Collection[int] | None,
    contact: Callable[[Writer, Loaded], str | None],
) -> str | None:
    with transaction(rt, actor, rt.clock()) as tx:
        found = cases.find(tx.session, study_id, code)
        if found is None:
            raise KeyError(code)
        loaded = rt.loader.one(tx.session, found)
        if sites is not None and loaded.site_id not in sites:
            raise KeyError(code)
        return contact(tx.writer, loaded)


def check_open(escalation: EscalationFacts) -> None:
    """Refuse a task that has ended."""
    if not escalation.open:
        raise WorkRefusedError("resolved")


@contextmanager
def task_transaction(
    rt: Runtime, actor: Actor, escalation_id: int, revision: int | None = None
) -> Iterator[tuple[Transaction, Loaded, EscalationFacts]]:
    """One transaction about one task, with its participant's row taken."""
    with transaction(rt, actor, rt.clock()) as tx:
        found = tasks.subject_of(tx.session, escalation_id)
        if found is None or found.participant_id is None:
            raise KeyError(escalation_id)
        loaded = rt.loader.one(tx.session, found.participant_id)
        if revision is not None and loaded.case.participant.revision != revision:
            raise StaleError(loaded.case.participant.revision)
        escalation = next((e for e in loaded.case.escalations if e.id == escalation_id), None)
        if escalation is None:
            # A wrong clock had raised it, and it was taken back: the rules do not see it any more.
            raise WorkRefusedError("resolved")
        yield tx, loaded, escalation


def of_window(case: Case, escalation: EscalationFacts) -> WindowFacts | None:
    """The window a task is about."""
    return None if escalation.window_id is None else case.window(escalation.window_id)
