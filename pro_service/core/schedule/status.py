"""What a window is at an instant: worked out from facts, never stored."""

from datetime import datetime
from typing import Literal, TypeAlias

from pro_service.core.case import Participant, WindowFacts

Status: TypeAlias = Literal[
    "upcoming",
    "open",
    "partial",
    "completed_in_window",
    "completed_late",
    "declined",
    "missed",
    "missed_before_enrolment",
    "withdrawn",
    "died",
    "cancelled",
]
"""What a window is at an instant. Worked out by `status`, never stored."""

AFTER_OPENING = "_after_opening"
"""Suffix of `settled` for a participant who left while the window was open: it was due all the same."""


def status(window: WindowFacts, participant: Participant, primary: str | None, now: datetime) -> Status:
    """Say what a window is at `now`. Depends on facts alone; `primary` is the id of the deciding item."""
    if window.cancelled_at is not None:
        return "cancelled"
    answers, items = window.answers, window.point.items
    lead = answers.get(primary) if primary else None
    # In one pass: a page of the grid asks this for some hundreds of windows.
    asked = [answer for item in items if (answer := answers.get(item)) is not None and answer.given]
    complete = len(asked) == len(items)
    if (lead is not None and lead.declined) or (complete and all(answer.declined for answer in asked)):
        return "declined"
    if complete:
        late = any(not answer.in_window for answer in asked)
        return "completed_late" if late else "completed_in_window"
    left = participant.left_at
    if left is not None and left < window.span.closes_at:
        return "died" if left == participant.died_at else "withdrawn"
    if now < window.span.opens_at:
        return "upcoming"
    if now < window.span.closes_at:
        return "partial" if asked else "open"
    if primary is None or (lead is not None and lead.value is not None):
        return "partial" if asked else _unanswered(window, participant)
    return _unanswered(window, participant)


def _unanswered(window: WindowFacts, participant: Participant) -> Status:
    return "missed_before_enrolment" if window.span.closes_at <= participant.enrolled_at else "missed"


def settled_as(window: WindowFacts, participant: Participant, primary: str | None, now: datetime) -> str:
    """How a closed window is counted: its status, with those who left during it marked as due."""
    result = status(window, participant, primary, now)
    left = participant.left_at
    if result in ("withdrawn", "died") and left is not None and left >= window.span.opens_at:
        return result + AFTER_OPENING
    return result
