"""When the cause of a task is gone, so that the task ends without anybody.

One table for every reason that can go away by itself. A reason that is not in it is ended by a person alone: a word
about safety, an answer that somebody must read, a window missed without an explanation.

A wish to be called that is the window's own call ends with its window, like every call about an answer. One that is a
task of its own ends once the participant was spoken to: an answer does not say that there is nothing left to ask.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

from pro_service.core.case import Case, EscalationFacts, MessageFacts, WindowFacts
from pro_service.core.protocol import MEDIA
from pro_service.core.schedule.status import primary_open

CLEARED = "cleared"
"""The outcome where what was wrong has cleared up."""
SPOKEN_TO = frozenset({"completed_now", "will_do_it", "refused_this_time", "wants_no_messages"})
"""Outcomes of a call in which the participant was spoken to; a call back at another time is still to be made."""
STARTED = "started"
"""The frame of the text that answers START or BAŞLA."""
NEW_NUMBER = "new_number"
"""The outcome where another number settled it."""
NO_CARD = "no_card"
"""The reason of a call in the place of a text that would have pointed to a card that does not exist."""
NO_END = "no_procedure_time"
"""The reason of the task that asks when a procedure that took place ended."""
NO_NUMBER = "no_way_to_ask"
"""The reason of the task about somebody without a telephone number."""

Rule: TypeAlias = Callable[[Case, EscalationFacts, datetime], str | None]


OF_A_RUNNING_STUDY = frozenset({"confirm_procedure", NO_END, NO_CARD, NO_NUMBER})
"""Reasons of tasks that prepare windows: in a closed study there are none to come."""


def cause_gone(case: Case, escalation: EscalationFacts, now: datetime) -> str | None:
    """Return the outcome of an open task whose cause is gone; None while it is somebody's work.

    A call that can save nothing any more is gone too: its window has closed, or gave way to another.
    """
    window = None if escalation.window_id is None else case.window(escalation.window_id)
    if window is not None and escalation.level in ("E1", "E2"):
        over = _window_over(case, window, now)
        if over is not None or is_of_window(escalation):
            return over
    if case.closed_at is not None and escalation.reason in OF_A_RUNNING_STUDY:
        return "window_closed"
    rule = CAUSES.get(escalation.reason)
    return (None if rule is None else rule(case, escalation, now)) or _ended_below(case, escalation, now)


def is_of_window(escalation: EscalationFacts) -> bool:
    """Whether this is the one escalation of its level in its window."""
    return escalation.key == f"{escalation.level}:w{escalation.window_id}"


def is_call_of_window(escalation: EscalationFacts) -> bool:
    """Whether this is a call to make in its window: its own, or one because there is no card."""
    return escalation.level in ("E1", "E2") and (
        is_of_window(escalation) or (escalation.reason == NO_CARD and escalation.window_id is not None)
    )


def rungs_below(case: Case, escalation: EscalationFacts) -> tuple[EscalationFacts, ...]:
    """Return the open tasks that this one was raised from, rung by rung: with it they are one matter.

    A window whose call became urgent has two of them open, and is one call to make.
    """
    below: list[EscalationFacts] = []
    for lower in case.escalations:
        if lower.open and (_climbed_to(lower, escalation) or _is_same_call(lower, escalation)):
            below += [one for one in (lower, *rungs_below(case, lower)) if one not in below]
    return tuple(below)


def _climbed_to(lower: EscalationFacts, higher: EscalationFacts) -> bool:
    """Whether one task was raised from another, because nobody had taken that up in time."""
    if lower.level >= higher.level:
        return False
    in_window = lower.window_id is not None and lower.window_id == higher.window_id
    return higher.key == f"{higher.level}:e{lower.id}" or (in_window and lower.reason == higher.reason)


def _is_same_call(lower: EscalationFacts, higher: EscalationFacts) -> bool:
    in_window = lower.window_id is not None and lower.window_id == higher.window_id
    return in_window and (lower.level, higher.level) == ("E1", "E2")


def _ended_below(case: Case, escalation: EscalationFacts, now: datetime) -> str | None:
    """Return how the task ended that this one was raised from."""
    for lower in case.escalations:
        if _climbed_to(lower, escalation):
            return cause_gone(case, lower, now) if lower.open else lower.outcome
    return None


def _window_over(case: Case, window: WindowFacts, now: datetime) -> str | None:
    if window.cancelled_at is not None:
        return "rescheduled" if case.closed_at is None or window.cancelled_at < case.closed_at else "window_closed"
    return _left(case) or ("window_closed" if window.span.closes_at <= now else None)


def _left(case: Case) -> str | None:
    person = case.participant
    if person.left_at is None:
        return None
    return "died" if person.left_at == person.died_at else "withdrew"


def _confirmed(case: Case, _: EscalationFacts, __: datetime) -> str | None:
    """Somebody said that the procedure took place, or it no longer matters."""
    return "confirmed" if case.participant.confirmed_at is not None else _left(case)


def _writable(case: Case, _: EscalationFacts, __: datetime) -> str | None:
    """The number is another one, or was found to be right."""
    return CLEARED if case.participant.unreachable_at is None else _left(case)


def _wants_texts_or_is_over(case: Case, escalation: EscalationFacts, now: datetime) -> str | None:
    """The participant asked for messages again, or nothing is left to be asked."""
    return _wants_texts(case, escalation, now) or ("window_closed" if case.asks_no_more(now) else None)


def _asked_again(case: Case, _: EscalationFacts, __: datetime) -> str | None:
    """A channel leads to the participant again."""
    led_to = case.participant.led_to
    reached = led_to is not None and case.participant.reached_by(MEDIA[led_to])
    return CLEARED if reached else _left(case)


def _wants_texts(case: Case, _: EscalationFacts, __: datetime) -> str | None:
    """The participant asked for texts again."""
    return CLEARED if case.participant.opted_out_at is None else _left(case)


def _spoken_to(case: Case, escalation: EscalationFacts, _: datetime) -> str | None:
    """The participant was spoken to after they had asked for it: how that call went."""
    asked = escalation.asked_at or escalation.raised_at
    since = (call.outcome for call in case.calls if call.called_at > asked and call.outcome in SPOKEN_TO)
    return next(since, None) or _left(case)


def _wants_texts_after_all(case: Case, escalation: EscalationFacts, _: datetime) -> str | None:
    """The participant wrote START after the sentence with a stop word.

    A STOP ends it not: the sentence may be a wish to leave the study, which is another matter.
    """
    started = any(text.frame == STARTED and text.queued_at > escalation.raised_at for text in case.messages)
    return CLEARED if started else _left(case)


def _has_card(case: Case, escalation: EscalationFacts, now: datetime) -> str | None:
    """The card was made, or the participant is asked by another channel: the next prompts are texts again.

    A participant who asked for the call meanwhile is still called.
    """
    if escalation.asked_at is not None:
        return _spoken_to(case, escalation, now)
    return None if case.participant.lacks_card else CLEARED


def _can_be_asked(case: Case, _: EscalationFacts, now: datetime) -> str | None:
    """There is a number, or mails ask, or nothing is left to be asked."""
    if case.participant.has_phone or case.participant.asked_by is not None:
        return CLEARED
    until = case.asks_until
    return _left(case) or ("window_closed" if until is None or until <= now else None)


def _end_known(case: Case, _: EscalationFacts, __: datetime) -> str | None:
    """The time when the procedure ended is known, or no longer matters."""
    return _left(case) or (None if case.without_end else CLEARED)


def _text_arrived(case: Case, escalation: EscalationFacts, _: datetime) -> str | None:
    """A later text arrived, or the answer that the text asked for is there."""
    later = any(text.state == "delivered" for text in _texts(case, escalation) if text.queued_at > escalation.raised_at)
    return CLEARED if later else _answered(case, escalation) or _left(case)


def _known_what_was_sent(case: Case, escalation: EscalationFacts, _: datetime) -> str | None:
    """Every text in doubt was accepted after all, was followed by one that was, or was withdrawn; or the answer came.

    A text that is sent again, or that ended without having left, is settled once a later one was accepted.
    """
    texts = _texts(case, escalation)
    latest = max((text.queued_at for text in texts if text.accepted_at is not None), default=None)
    missing = [text for text in texts if text.accepted_at is None and text.state != "cancelled"]
    doubt = any(text.state == "uncertain" for text in missing)
    open_still = [text for text in missing if text.state == "dead" or text.queued_at <= escalation.raised_at]
    if texts and not doubt and all(latest is not None and text.queued_at < latest for text in open_still):
        return CLEARED
    return _answered(case, escalation) or _left(case)


def _texts(case: Case, escalation: EscalationFacts) -> tuple[MessageFacts, ...]:
    """Return the texts that a task is about: those of its window; of the participant, where it is about no window."""
    return case.messages if escalation.window_id is None else case.texts(escalation.window_id)


def _answered(case: Case, escalation: EscalationFacts) -> str | None:
    if escalation.window_id is None:
        return None
    window = case.window(escalation.window_id)
    return "answered" if window.answers and not primary_open(case, window) else None


def _rules_work(_: Case, __: EscalationFacts, ___: datetime) -> str | None:
    """This question is part of the rules: where it is answered, they work for this participant."""
    return CLEARED


CAUSES: Mapping[str, Rule] = {
    "confirm_procedure": _confirmed,
    "bad_number": _writable,
    "bad_address": _asked_again,
    "wrong_number": _writable,
    "opted_out_at_provider": _wants_texts,
    "stopped": _wants_texts_or_is_over,
    "stop_word": _wants_texts_after_all,
    "asked_for_call": _spoken_to,
    NO_CARD: _has_card,
    NO_END: _end_known,
    NO_NUMBER: _can_be_asked,
    "not_delivered": _text_arrived,
    "uncertain_delivery": _known_what_was_sent,
    "rules_fault": _rules_work,
}
"""Reason of a task -> when its cause is gone."""
