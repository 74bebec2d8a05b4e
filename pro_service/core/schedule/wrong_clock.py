"""What a clock that ran ahead has decided about one participant, and how it is undone.

What time alone had decided is taken back, and is decided again when its time comes. What somebody did meanwhile (a word
about safety, a telephone call, an answer) stays: it only happened earlier than its row says.
"""

from collections.abc import Iterator
from datetime import datetime

from pro_service.core.case import PROMPTS, Case, EscalationFacts
from pro_service.core.commands import CancelTexts, Command, Redate, Reopen, Retract, Unresolve
from pro_service.core.schedule.agenda import escalate
from pro_service.core.trusted_time import AGREES

BY_TIME = "window_closed"
"""The one outcome that time alone gives a task."""
BY_CLOSE = frozenset({("E3", "missed"), ("E4", "missed_in_a_row")})
"""Levels and reasons of tasks that the close of a window raises, once."""
BY_CALLS = frozenset({"failed_calls", "no_channel"})
"""Reasons of tasks that follow from what somebody heard on the telephone."""


def undo(case: Case, now: datetime) -> Iterator[Command]:
    """Yield what takes back whatever was decided about this participant later than `now`; nothing if nothing was.

    What another process has decided a moment ago, or one whose clock is a little ahead, is no such thing.
    """
    late = now + AGREES
    for window in case.current:
        ended = case.closed_at is not None and case.closed_at <= late
        if window.settled is not None and window.span.closes_at > late and not ended:
            yield Reopen(window.id)
    for task in case.escalations:
        if task.raised_at > late:
            yield Retract(task.id) if _comes_again(case, task, now) else Redate(task.id, _due_at(case, task, now))
        elif task.resolved_at is not None and task.resolved_at > late and task.outcome == BY_TIME:
            yield Unresolve(task.id)
    early = (text for text in case.messages if text.state == "ready" and text.kind in PROMPTS and text.queued_at > late)
    for window_id in sorted({text.window_id for text in early if text.window_id is not None}):
        yield CancelTexts(window_id)


def _comes_again(case: Case, task: EscalationFacts, now: datetime) -> bool:
    """Whether time raises this task again when its moment comes; a window that has closed meanwhile is closed once.

    What a close raises takes over a wish to be called from the task before it, which is open again then, with the wish.
    """
    if (task.level, task.reason) in BY_CLOSE:
        return task.window_id is None or case.window(task.window_id).span.closes_at > now
    of_ladder = task.level in ("E1", "E2", "E3", "E4") and task.asked_at is None and task.reason not in BY_CALLS
    return of_ladder or task.reason == "confirm_procedure"


def _due_at(case: Case, task: EscalationFacts, now: datetime) -> datetime:
    window = None if task.window_id is None else case.window(task.window_id)
    return escalate(case, task.level, task.reason, now, window).due_at
