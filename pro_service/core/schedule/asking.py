"""How a participant is asked now, and what is true to say to them on the telephone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, cast

from pro_service.core.case import CONSENTED, UNREACHABLE, Case, Participant, State, WindowFacts
from pro_service.core.protocol import MEDIA, Channel

Way: TypeAlias = Literal[Channel, "no-card", "calls", "no-texts", "bad-number", "no-number", "left"]
"""A channel where texts go out; else `left`, or why people call, or why nobody can."""

Before: TypeAlias = Literal[Channel, "calls", "no_texts", "no_card", "not_asked", "not_arrived"]
"""What happened in a window before a call: a channel where a text went out; else why none did, or that none arrived."""

Standing: TypeAlias = Literal["asks", "no-card", "next", "no-consent", "no-address", "failed", "stopped"]
"""Whether a channel of the ladder asks now, would be the next, or why it does not; `stopped`: no channel asks."""

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


@dataclass(frozen=True, slots=True)
class Rung:
    """One channel of a ladder, and whether it asks."""

    channel: Channel
    standing: Standing
    since: datetime | None = None
    """Since when its medium leads nowhere, if it does."""


def rungs(person: Participant) -> tuple[Rung, ...]:
    """Return the ladder with the channel that asks now, and why those before it do not."""
    return tuple(_rung(person, channel) for channel in person.ladder)


def _rung(person: Participant, channel: Channel) -> Rung:
    medium = MEDIA[channel]
    if getattr(person, CONSENTED[medium]) is None:
        return Rung(channel, "no-consent")
    if not person.agreed_to(medium):
        return Rung(channel, "no-address")
    if not person.reached_by(medium):
        return Rung(channel, "failed", getattr(person, UNREACHABLE[medium]))
    if person.asked_by is None:
        return Rung(channel, "stopped")
    if channel != person.asked_by:
        return Rung(channel, "next")
    return Rung(channel, "no-card" if person.lacks_card else "asks")


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
    if person.opted_out_at is not None:
        return "no-texts"
    return "bad-number" if any(rung.standing == "failed" for rung in rungs(person)) else "calls"


def call_opening(case: Case, window: WindowFacts) -> Opening:
    """Return what happened to this participant in this window, for the person who calls about it.

    What went to a number or an address that another one has replaced since, went to somebody else.
    """
    person = case.participant
    partly, has_card = bool(window.answers) and bool(window.missing()), person.card_handed_at is not None
    prompts = [text for text in case.texts(window.id) if text.accepted_at is not None]
    sent = [text for text in prompts if text.medium is not None and not text.before(person.since(text.medium))]
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
