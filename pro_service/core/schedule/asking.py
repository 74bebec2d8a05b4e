"""How a participant is asked now, and what is true to say to them on the telephone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, cast

from pro_service.core.case import PROMPTS, Case, Participant, State, WindowFacts
from pro_service.core.protocol import Channel

Way: TypeAlias = Literal[Channel, "no-card", "calls", "no-texts", "bad-number", "no-number", "left"]
"""A channel where texts go out; else `left`, or why people call, or why nobody can."""

Before: TypeAlias = Literal[Channel, "calls", "no_texts", "no_card", "not_asked", "not_arrived"]
"""What happened in a window before a call: a channel where a text went out; else why none did, or that none arrived."""

LOST: frozenset[State] = frozenset({"undelivered", "failed"})
"""The provider took the text, and says that it did not arrive."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a call can truly begin with."""

    before: Before
    arrived: bool = False
    """The provider says that the text arrived; else nobody knows."""
    partly: bool = False
    """Some of the questions are answered."""
    has_card: bool = False
    """Somebody wrote down that the card was handed over, or it was used."""


def way_of_asking(person: Participant) -> Way:
    """Return how this participant is asked now: what closes the gate of texts, if anything does, decides."""
    if person.left_at is not None:
        return "left"
    if person.asked_by is not None:
        return "no-card" if person.lacks_card else person.asked_by
    if not person.has_phone:
        return "no-number"
    if not any((person.consented_at, person.email_consented_at, person.whatsapp_consented_at)):
        return "calls"
    return "bad-number" if person.opted_out_at is None else "no-texts"


def call_opening(case: Case, window: WindowFacts, number_since: datetime | None = None) -> Opening:
    """Return what happened to this participant in this window, for the person who calls about it.

    `number_since`: when the number there is now took another one's place. Texts before that went to somebody else.
    """
    person = case.participant
    partly, has_card = bool(window.answers) and bool(window.missing()), person.card_handed_at is not None
    sent = [
        text
        for text in case.texts(window.id)
        if text.kind in PROMPTS and text.accepted_at and (number_since is None or text.accepted_at > number_since)
    ]
    seen = [text for text in sent if text.state not in LOST]
    if person.opted_out_at is not None:
        return Opening("no_texts", partly=partly, has_card=has_card)
    if not any((person.consented_at, person.email_consented_at, person.whatsapp_consented_at)):
        return Opening("calls", partly=partly, has_card=has_card)
    if seen:
        arrived = any(text.state == "delivered" for text in seen)
        return Opening(cast("Channel", seen[-1].channel), arrived, partly, has_card)
    before: Before = "not_arrived" if sent else "no_card" if person.lacks_card else "not_asked"
    return Opening(before, partly=partly, has_card=has_card)
