"""What a window and a participant are at an instant: worked out from facts, never stored."""

from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from pro_service.core.case import Case, Participant, WindowFacts

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
"""Of a window; worked out by `status`."""
ParticipantStatus: TypeAlias = Literal["planned", "active", "paused", "opted_out", "withdrawn", "died", "finished"]

AFTER_OPENING = "_after_opening"
"""Suffix of `settled` for a participant who left while the window was open."""
AT_RISK = timedelta(hours=48)
"""An open window without an answer is at risk this long before it closes."""


def status(window: WindowFacts, participant: Participant, primary: str | None, now: datetime) -> Status:
    """Return what a window is at `now`; `primary` is the id of the item that decides completion, if there is one."""
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


def settled_as(window: WindowFacts, participant: Participant, primary: str | None, now: datetime) -> str:
    """Return how a closed window is counted: its status, plus `AFTER_OPENING` if the participant left during it.

    Such a window was due all the same.
    """
    result = status(window, participant, primary, now)
    left = participant.left_at
    if result in ("withdrawn", "died") and left is not None and left >= window.span.opens_at:
        return result + AFTER_OPENING
    return result


def primary_open(case: Case, window: WindowFacts) -> bool:
    """Whether the item that decides completion still has no answer."""
    primary = case.protocol.primary(window.point)
    return bool(window.missing()) if primary is None else not window.has_answer(primary)


def at_risk(case: Case, window: WindowFacts, state: str, now: datetime) -> bool:
    """Whether little time is left to save an open window: 48 hours or less, and the deciding item unanswered."""
    running = window.span.opens_at <= now < window.span.closes_at
    return (
        running
        and state in ("open", "partial")
        and window.point.prompted
        and window.span.closes_at - now <= AT_RISK
        and primary_open(case, window)
    )


def participant_status(case: Case, now: datetime) -> ParticipantStatus:
    """Return what a participant is at `now`: the first status that fits, from what cannot change to what can."""
    person: Participant = case.participant
    if person.died_at is not None:
        return "died"
    if person.withdrawn_at is not None:
        return "withdrawn"
    if person.confirmed_at is None:
        return "planned"
    current = case.current
    if current and all(window.span.closes_at <= now for window in current):
        return "finished"
    if person.opted_out_at is not None:
        return "opted_out"
    if person.paused_at is not None and (person.paused_until is None or person.paused_until > now):
        return "paused"
    return "active"


def _unanswered(window: WindowFacts, participant: Participant) -> Status:
    return "missed_before_enrolment" if window.span.closes_at <= participant.enrolled_at else "missed"
