"""What a text that was refused or did not arrive calls for: a person, and no more of what cannot work."""

from datetime import datetime

from pro_service.core.case import Case
from pro_service.core.commands import CancelTexts, Command, OptOut, Unreachable
from pro_service.core.decisions import escalate

FOR_GOOD = frozenset({"bad_number"})
"""Classes of failure after which this telephone is not written to again."""


def on_failure(case: Case, window_id: int | None, kind: str, now: datetime) -> tuple[Command, ...]:
    """Say what a failed text calls for; `kind` is its class (`gateways.codes`). Once a window and reason."""
    commands: list[Command] = []
    reason = "not_delivered"
    if kind == "opted_out":
        reason = "opted_out_at_provider"
        if case.participant.opted_out_at is None:
            commands += [OptOut(), CancelTexts()]
    elif kind in FOR_GOOD:
        reason = "bad_number"
        if case.participant.unreachable_at is None:
            commands += [Unreachable(kind), CancelTexts()]
    window = None if window_id is None else case.window(window_id)
    task = escalate(case, "E0", reason, now, window)
    return (*commands, *(() if case.escalated(task.key) else (task,)))
