"""What will follow if nobody answers: each prompt and each call with its moment, by the rules themselves."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pro_service.core.case import PROMPTS, Case, EscalationFacts, MessageFacts
from pro_service.core.commands import CancelTexts, Command, Escalate, Resolve, Send, Settle
from pro_service.core.decisions import next_moment, on_time
from pro_service.core.leaving import folded

MOST = 400
"""So many looks reach the end of any protocol; a rule that never ends must not hold a page."""
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Foretold:
    """One prompt or call to come."""

    window: str
    step: str
    """`invitation` …, or `call`."""
    at: datetime


def forecast(case: Case, now: datetime) -> tuple[Foretold, ...]:
    """Every prompt and every window's call from `now` on, in order, as long as nobody answers or takes anything up."""
    return tuple(_lived(case, now))


def _lived(case: Case, now: datetime) -> Iterator[Foretold]:
    at, number = now, -1
    for _ in range(MOST):
        for command in on_time(case, at):
            number -= 1
            told = _told(case, command, at)
            if told is not None:
                yield told
            case = _written(case, command, at, number)
        coming = next_moment(case, at + _INSTANT)
        if coming is None:
            return
        at = coming


def _told(case: Case, command: Command, at: datetime) -> Foretold | None:
    if isinstance(command, Send) and command.kind in PROMPTS and command.window_id is not None:
        return Foretold(case.window(command.window_id).code, command.kind, at)
    if isinstance(command, Escalate) and command.level in ("E1", "E2") and command.window_id is not None:
        window = case.window(command.window_id)
        first = not any(e.window_id == window.id and e.level in ("E1", "E2") for e in case.escalations)
        return Foretold(window.code, "call", at) if first else None
    return None


def _written(case: Case, command: Command, at: datetime, number: int) -> Case:
    """The case once a command is written, and a text has been accepted at once."""
    if isinstance(command, Send):
        about = (command.window_id, command.kind, command.frame, command.item, command.proposed)
        text = MessageFacts(number, *about, "accepted", at, at, command.useful_until)
        person = replace(case.participant, first_text_at=case.participant.first_text_at or at, snoozed_until=None)
        return replace(case, messages=(*case.messages, text), participant=person)
    if isinstance(command, Escalate):
        raised = EscalationFacts(
            number, command.window_id, command.level, command.reason, command.key, at, command.due_at, at, None
        )
        return replace(case, escalations=(*case.escalations, raised))
    known = isinstance(command, CancelTexts | Resolve | Settle)
    return folded(case, [command], at) if known else case
