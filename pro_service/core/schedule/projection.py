"""What a case looks like once commands are applied, and what the withdrawal or death of a participant calls for."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from pro_service.core.case import PENDING, PROMPTS, Case, EscalationFacts, MessageFacts, Participant, WindowFacts
from pro_service.core.commands import CancelTexts, Command, Resolve, Settle, Unresolve
from pro_service.core.schedule.status import settled_as

REINSTATED = "reinstated"
"""The reason of a task that is open again after a withdrawal or a death was undone."""
BY_LEAVING = frozenset({"died", "withdraws"})
CALLS = frozenset({"E1", "E2"})


def leaving_commands(case: Case, gone: Participant, now: datetime) -> tuple[Command, ...]:
    """Return what the withdrawal or death of `gone` (the participant with that fact) calls for.

    Nothing that waits is sent, not even a reply. Open tasks end; after a withdrawal, safety tasks stay. Windows that
    were counted are counted again, because the day may lie before their close.
    """
    died = gone.died_at is not None
    ended = [e for e in case.escalations if e.open and (died or e.level != "ES")]
    return (
        CancelTexts(replies=True),
        *(Resolve(escalation.id, "died" if died else "withdraws") for escalation in ended),
        *_counted_again(case, gone, now),
    )


def erasing_commands(case: Case, gone: Participant, now: datetime) -> tuple[Command, ...]:
    """Return the commands that an erasure calls for; `gone` is the participant with the erasure and the leaving set.

    They are those of leaving, and they end every task, because nobody can be called.
    """
    ended = leaving_commands(case, gone, now)
    known = {command.escalation_id for command in ended if isinstance(command, Resolve)}
    safety = (e for e in case.escalations if e.open and e.id not in known)
    return (*ended, *(Resolve(escalation.id, "withdraws") for escalation in safety))


def returning_commands(case: Case, back: Participant, now: datetime) -> tuple[Command, ...]:
    """Return what it calls for that `back` (the participant without that fact) has not left after all.

    The tasks that leaving ended are open again, but for calls about windows that have closed since; where a withdrawal
    still holds, the safety tasks alone. Windows are counted again. What is sent, the rules decide as time passes.
    """
    closed = {window.id for window in case.windows if window.cancelled_at or window.span.closes_at <= now}
    ended = [e for e in case.escalations if not e.open and e.outcome in BY_LEAVING]
    if back.left_at is not None:
        ended = [e for e in ended if e.level == "ES"]
    return (
        *(Unresolve(e.id, REINSTATED) for e in ended if not (e.level in CALLS and e.window_id in closed)),
        *_counted_again(case, back, now),
    )


def _counted_again(case: Case, gone: Participant, now: datetime) -> Iterable[Settle]:
    for window in case.current:
        if window.settled is not None:
            settled = settled_as(window, gone, case.protocol.primary(window.point), now)
            if settled != window.settled:
                reason = {"withdrawn": "withdrew", "died": "died"}.get(settled.split("_", 1)[0])
                yield Settle(window.id, settled, reason)


def apply_commands(case: Case, decided: Iterable[Command], now: datetime) -> Case:
    """Return the case with these commands applied: texts cancelled, tasks ended, windows counted.

    Raise TypeError for any other command: a change by staff calls for none.
    """
    for command in decided:
        match command:
            case CancelTexts(window_id, replies):
                waiting = (_with_cancelling(text, window_id, now, replies=replies) for text in case.messages)
                case = replace(case, messages=tuple(waiting))
            case Resolve(escalation_id, outcome):
                ended = (_with_end(e, escalation_id, outcome, now) for e in case.escalations)
                case = replace(case, escalations=tuple(ended))
            case Unresolve(escalation_id):
                again = (
                    replace(e, resolved_at=None, outcome=None) if e.id == escalation_id else e for e in case.escalations
                )
                case = replace(case, escalations=tuple(again))
            case Settle(window_id, settled):
                counted = (_with_settlement(w, window_id, settled) for w in case.windows)
                case = replace(case, windows=tuple(counted))
            case _:
                message = f"a change by staff calls for no {type(command).__name__}"
                raise TypeError(message)
    return case


def _with_cancelling(text: MessageFacts, window_id: int | None, now: datetime, *, replies: bool) -> MessageFacts:
    about = window_id is None or text.window_id == window_id
    if not about or text.state not in PENDING or not (replies or text.kind in PROMPTS):
        return text
    if text.state == "ready":
        return replace(text, state="cancelled")
    # It may be leaving at this moment; if it did not leave, it is not sent any more.
    return replace(text, useful_until=now if text.useful_until is None else min(now, text.useful_until))


def _with_end(escalation: EscalationFacts, escalation_id: int, outcome: str, now: datetime) -> EscalationFacts:
    return replace(escalation, resolved_at=now, outcome=outcome) if escalation.id == escalation_id else escalation


def _with_settlement(window: WindowFacts, window_id: int, settled: str) -> WindowFacts:
    return replace(window, settled=settled) if window.id == window_id else window
