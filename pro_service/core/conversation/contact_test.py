"""The contact test: whether a text reaches a participant, tried before they leave the clinic.

Facts are stored; the state of a test is worked out from them.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from pro_service.core.case import UNREACHABLE, Case, Participant, State
from pro_service.core.commands import CancelTexts, Command, Send, Unreachable
from pro_service.core.conversation.answers import CORRECTION
from pro_service.core.protocol import Medium
from pro_service.core.providers import FACTS, WayOut
from pro_service.core.replies.folding import plain
from pro_service.core.schedule.agenda import escalate, may_text

KIND = "reach"
FRAME = "reach-test"
USUAL = timedelta(minutes=30)
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(hours=24)
LATE = timedelta(hours=24)
"""How long after the start a confirming word is about the test, and never a score."""
Failure: TypeAlias = Literal["undelivered", "unconfirmed", "staff"]
By: TypeAlias = Literal["reply", "link", "staff"]
TestState: TypeAlias = Literal["waiting", "confirmed", "confirmed_late", "failed"]

CONFIRMING = frozenset(
    {"1", "evet", "tamam", "ok", "okay", "okey", "oldu", "geldi", "aldim", "mesaj geldi", "mesaji aldim", "ulasti"}
    | {"yes", "yep", "received", "got it", "i got it", "it arrived", "evet geldi", "yes i got it", "bir", "one"},
)
"""Folded; the test asks for `1`, and people answer as people do."""
_LOST: frozenset[State] = frozenset({"undelivered", "failed", "refused", "dead", "expired", "cancelled"})
_NOT_SENT: frozenset[State] = frozenset({"ready", "refused", "expired", "cancelled"})


@dataclass(frozen=True, slots=True)
class ReachTest:
    """One test, with what became of its text."""

    id: int
    started_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None
    confirmed_by: By | None
    failed_at: datetime | None
    failure: Failure | None
    text: State
    way: WayOut = "sms"
    """By which the text went."""

    @property
    def medium(self) -> Medium:
        """What was tested."""
        return FACTS[self.way].medium

    @property
    def open(self) -> bool:
        """Whether it is still to be decided."""
        return self.confirmed_at is None and self.failed_at is None


def state(test: ReachTest) -> TestState:
    """Return the state of a test, worked out from its facts."""
    if test.failed_at is not None:
        return "failed" if test.confirmed_at is None else "confirmed_late"
    return "waiting" if test.confirmed_at is None else "confirmed"


def failure(test: ReachTest, now: datetime) -> Failure | None:
    """Return why an open test has failed by `now`; None if it has not."""
    if not test.open:
        return None
    if now >= test.expires_at:
        return "unconfirmed"
    return "undelivered" if test.text in _LOST else None


def confirms(test: ReachTest, text: str, arrived: datetime) -> bool:
    """Whether a text that arrived then confirms the test, or confirms it again; then it answers no question."""
    # The reader's patterns take long to make; most who know of tests read no text.
    from pro_service.core.replies.numbers import courteous  # noqa: PLC0415

    if courteous(plain(text)) not in CONFIRMING or not test.started_at <= arrived <= test.started_at + LATE:
        return False
    if test.confirmed_at is not None:
        return arrived - test.confirmed_at <= CORRECTION
    return test.text not in _NOT_SENT


def frame(case: Case) -> str:
    """Return the frame of a test's text, by the participant's channel.

    If neither a reply nor a link works, staff look at the telephone.
    """
    channel = case.participant.asked_by
    return f"{FRAME}.{channel}" if channel in ("sms-reply", "sms-link", "whatsapp") else FRAME


def medium(person: Participant) -> Medium:
    """Return what a test would try now: the telephone, on WhatsApp where the participant is asked there."""
    return "whatsapp" if person.asked_by == "whatsapp" else "sms"


def may_begin(person: Participant) -> bool:
    """Whether a test may be tried: the participant may be written to by what it would try."""
    return may_text(person, medium(person))


def text(case: Case, test_id: int, until: datetime) -> Send:
    """Return the text of a test, sent at once because the participant is there.

    Raise ValueError if the participant may not be written to.
    """
    by = medium(case.participant)
    if not may_text(case.participant, by):
        raise ValueError(test_id)
    return Send(key=f"t:{test_id}", kind=KIND, frame=frame(case), useful_until=until, medium=by)


def closed_by(case: Case, test: ReachTest | None) -> bool:
    """Whether a failed test is the only reason why texts have stopped."""
    if test is None or test.failed_at is None:
        return False
    return bool(getattr(case.participant, UNREACHABLE[test.medium]) == test.failed_at)


def on_failed(case: Case, test: ReachTest, now: datetime) -> tuple[Command, ...]:
    """Return what a failed test calls for: no more texts, a call for every window, and a task now.

    Nothing for somebody who has left meanwhile: no text and no call is to come.
    """
    if case.participant.left_at is not None:
        return ()
    commands: list[Command] = []
    if getattr(case.participant, UNREACHABLE[test.medium]) is None:
        commands += [Unreachable("reach_test", test.medium), CancelTexts()]
    task = escalate(case, "E0", "reach_failed", now)
    key = f"{task.key}:t{test.id}"
    return (*commands, *(() if case.escalated(key) else (replace(task, key=key),)))
