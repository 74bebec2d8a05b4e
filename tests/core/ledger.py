"""Commands -> facts, without a database: what the store does, as a pure function on a case."""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from pro_service.core.case import PENDING, PROMPTS, Answer, Case, EscalationFacts, MessageFacts, State, WindowFacts
from pro_service.core.commands import (
    CancelTexts,
    Command,
    EndWindow,
    Escalate,
    HoldTexts,
    MoveCall,
    OptIn,
    OptOut,
    Record,
    Redate,
    Reopen,
    Resolve,
    Retract,
    Send,
    Settle,
    Snooze,
    Unreachable,
    Unresolve,
)


def fold(case: Case, command: Command, now: datetime, row_id: int) -> Case:  # noqa: C901, PLR0911, PLR0912 -- one case a command
    """The case once this command is written down as row `row_id`; a key that exists already is refused."""
    match command:
        case Send():
            return _sent(case, command, now, row_id)
        case Record():
            return _recorded(case, command)
        case Escalate():
            return _escalated(case, command, now, row_id)
        case MoveCall():
            return _moved(case, command)
        case Resolve(escalation_id, outcome):
            return _resolved(case, escalation_id, outcome, now)
        case Settle(window_id, settled):
            return with_window(case, replace(case.window(window_id), settled=settled))
        case EndWindow(window_id):
            return with_window(case, replace(case.window(window_id), cancelled_at=now))
        case CancelTexts(window_id, replies):
            for text in case.messages:
                asked = replies or text.kind in PROMPTS
                if not asked or window_id not in (None, text.window_id):
                    continue
                if text.state == "ready":
                    case = marked(case, text.id, "cancelled", now)
                elif text.state in PENDING:
                    case = with_text(case, replace(text, useful_until=min(now, text.useful_until or now)))
        case OptOut():
            return with_facts(case, opted_out_at=now)
        case OptIn():
            return with_facts(case, opted_out_at=None)
        case HoldTexts(until):
            return with_facts(case, texts_held_until=until)
        case Snooze(until):
            return with_facts(case, snoozed_until=until)
        case Unreachable():
            return with_facts(case, unreachable_at=now)
        case Reopen(window_id):
            return with_window(case, replace(case.window(window_id), settled=None))
        case Retract(escalation_id):
            return replace(case, escalations=tuple(e for e in case.escalations if e.id != escalation_id))
        case Redate(escalation_id, due_at):
            return _with_task(case, escalation_id, raised_at=now, due_at=due_at)
        case Unresolve(escalation_id):
            return _with_task(case, escalation_id, resolved_at=None, outcome=None)
        case _:
            assert_never(command)
    return case


def _with_task(case: Case, escalation_id: int, **facts: object) -> Case:
    changed = (replace(e, **facts) if e.id == escalation_id else e for e in case.escalations)  # type: ignore[arg-type]
    return replace(case, escalations=tuple(changed))


def with_facts(case: Case, **facts: object) -> Case:
    """The case with other facts of its participant."""
    return replace(case, participant=replace(case.participant, **facts))  # type: ignore[arg-type]


def with_window(case: Case, changed: WindowFacts) -> Case:
    """The case with one window changed."""
    windows = tuple(changed if window.id == changed.id else window for window in case.windows)
    return replace(case, windows=windows)


def with_text(case: Case, changed: MessageFacts) -> Case:
    """The case with one message changed."""
    return replace(case, messages=tuple(changed if text.id == changed.id else text for text in case.messages))


def marked(case: Case, message_id: int, state: State, now: datetime) -> Case:
    """The case with one message in another state."""
    found = next(text for text in case.messages if text.id == message_id)
    accepted = found.accepted_at or (now if state == "accepted" else None)
    moved = replace(found, state=state, accepted_at=accepted)
    return with_text(case, moved)


def _sent(case: Case, send: Send, now: datetime, row_id: int) -> Case:
    text = MessageFacts(
        id=row_id,
        window_id=send.window_id,
        kind=send.kind,
        frame=send.frame,
        item=send.item,
        proposed=send.proposed,
        state="ready",
        queued_at=now,
        accepted_at=None,
        useful_until=send.useful_until,
    )
    case = replace(case, messages=(*case.messages, text))
    if send.kind not in PROMPTS:
        return case
    return with_facts(case, snoozed_until=None, first_text_at=case.participant.first_text_at or now)


def _recorded(case: Case, record: Record) -> Case:
    if record.window_id is None:
        return case
    window = case.window(record.window_id)
    before = window.answers.get(record.item)
    answer = Answer(
        item=record.item,
        value=record.value,
        declined=record.declined,
        version=1 if before is None else before.version + 1,
        source=record.source,
        received_at=record.received_at,
        in_window=record.in_window,
    )
    return with_window(case, replace(window, answers={**window.answers, record.item: answer}))


def _escalated(case: Case, command: Escalate, now: datetime, row_id: int) -> Case:
    assert not case.escalated(command.key), command.key
    raised = EscalationFacts(
        id=row_id,
        window_id=command.window_id,
        level=command.level,
        reason=command.reason,
        key=command.key,
        raised_at=now,
        due_at=command.due_at,
        acknowledged_at=None,
        resolved_at=None,
        asked_at=None if command.wish is None else command.wish.asked_at,
        part_of_day=None if command.wish is None else command.wish.part,
    )
    return replace(case, escalations=(*case.escalations, raised))


def _moved(case: Case, command: MoveCall) -> Case:
    assert any(e.id == command.escalation_id and e.open for e in case.escalations)
    asked = {"asked_at": command.wish.asked_at, "part_of_day": command.wish.part, "due_at": command.due_at}
    moved = (replace(e, **asked) if e.id == command.escalation_id else e for e in case.escalations)  # type: ignore[arg-type]
    return replace(case, escalations=tuple(moved))


def _resolved(case: Case, escalation_id: int, outcome: str, now: datetime) -> Case:
    assert any(e.id == escalation_id and e.open for e in case.escalations)
    resolved = (replace(e, resolved_at=now, outcome=outcome) if e.id == escalation_id else e for e in case.escalations)
    return replace(case, escalations=tuple(resolved))
