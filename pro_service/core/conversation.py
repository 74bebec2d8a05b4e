"""What a text from a participant calls for. A score is never guessed: what is not exact is asked again, then a person.

An answer is bound to a question: a number counts for the awaited item only if the provider had accepted that item's
question before the text arrived.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from pro_service.core import replies
from pro_service.core.answers import on_answers
from pro_service.core.case import Answer, Case, MessageFacts, WindowFacts
from pro_service.core.commands import (
    CancelTexts,
    Command,
    Escalate,
    HoldTexts,
    OptIn,
    OptOut,
    Send,
    Snooze,
    Unreachable,
)
from pro_service.core.decisions import escalate, may_text
from pro_service.core.windows import local_instant, next_allowed

CORRECTION = timedelta(minutes=10)
"""Another number this soon after an answer is about that answer."""
REPEAT = timedelta(seconds=60)
"""The same number this soon may be the telephone sending twice."""
HOLD = timedelta(hours=24)
"""How long a stop word inside a sentence holds automatic texts."""
REASKS = 2
ASIDES_AN_HOUR = 3
"""Automatic replies an hour that do not advance the conversation."""
TEXTS_AN_HOUR = 12
ASIDES = frozenset({"reask", "ack"})


@dataclass(frozen=True, slots=True)
class Reply:
    """One text as it came in. `arrived` is the instant that decides; `opt_out` is the provider's own word for it."""

    inbound_id: int
    text: str
    arrived: datetime
    media: int = 0
    opt_out: str | None = None


def on_reply(case: Case, reply: Reply, now: datetime) -> tuple[str, tuple[Command, ...]]:
    """Say how a text was read (a word without its content) and what it calls for."""
    turn = _Turn(case, reply, now)
    reading = turn.reading()
    return type(reading).__name__, tuple(_passed(case, turn.carry(reading), now))


def _passed(case: Case, commands: Iterator[Command], now: datetime) -> Iterator[Command]:
    """The gate: texts only to those who may be written to, and not too many of them."""
    hour_ago = now - timedelta(hours=1)
    recent = [message for message in case.messages if message.queued_at > hour_ago]
    asides = sum(message.kind in ASIDES for message in recent)
    open_again = False
    for command in commands:
        open_again = open_again or isinstance(command, OptIn)
        if isinstance(command, Send) and command.frame != "stopped":
            if not open_again and not may_text(case.participant):
                continue
            aside = command.kind in ASIDES and command.frame != "safety"
            if len(recent) >= TEXTS_AN_HOUR or (aside and asides >= ASIDES_AN_HOUR):
                continue
        yield command


def asked(case: Case, window: WindowFacts, item: str, arrived: datetime) -> bool:
    """Whether the provider had accepted a text that asks this item before `arrived`."""
    return _question(case, window, item, arrived) is not None


def _question(case: Case, window: WindowFacts, item: str, arrived: datetime) -> MessageFacts | None:
    """The newest text asking this item that the provider had accepted before `arrived`."""
    return next(
        (
            message
            for message in reversed(case.texts(window.id))
            if message.item == item and message.accepted_at is not None and message.accepted_at <= arrived
        ),
        None,
    )


class _Turn:
    """One text, the window it belongs to and the item it may answer."""

    def __init__(self, case: Case, reply: Reply, now: datetime) -> None:
        self.case, self.reply, self.now = case, reply, now
        self.window = self._window()
        self.awaited: str | None = None
        self.previous: Answer | None = None
        if self.window is not None:
            self.awaited = next(iter(self.window.missing()), None)
            texted = [a for a in self.window.answers.values() if a.given and a.item in self.window.point.items]
            self.previous = max(texted, key=lambda answer: answer.received_at, default=None)

    def _window(self) -> WindowFacts | None:
        """The open window; else the last closed one whose late answers are still kept."""
        arrived = self.reply.arrived
        spans = [window for window in self.case.current if window.point.prompted]
        for window in spans:
            if window.span.opens_at <= arrived < window.span.closes_at:
                return window
        late = [window for window in spans if window.span.closes_at <= arrived < window.span.late_until]
        return max(late, key=lambda window: window.span.closes_at, default=None)

    def reading(self) -> replies.Reading:
        """Read the text against the item it can answer now."""
        if self.reply.opt_out == "STOP":
            return replies.OptOut()
        if self.reply.opt_out == "START":
            return replies.OptIn()
        items = self.case.protocol.items
        item = items.get(self._target() or "")
        language = self.case.participant.language
        return replies.read(
            self.reply.text,
            language,
            item_min=0 if item is None else item.minimum,
            item_max=10 if item is None else item.maximum,
            media=self.reply.media,
            own_texts=tuple(self._own_texts()),
            safety_words=tuple(word for words in self.case.protocol.safety_words.values() for word in words),
        )

    def _target(self) -> str | None:
        """The item a number would be about: the awaited one if it was asked, else the one answered before."""
        if self.window is None:
            return None
        if self.awaited is not None and asked(self.case, self.window, self.awaited, self.reply.arrived):
            return self.awaited
        if self.awaited is None:
            return self.case.protocol.primary(self.window.point)
        return self.awaited if self.previous is None else self.previous.item

    def _own_texts(self) -> Iterator[str]:
        for item in self.case.protocol.items.values():
            yield from item.question.values()

    # What each reading calls for ------------------------------------------------------------------------------------

    def carry(self, reading: replies.Reading) -> Iterator[Command]:  # noqa: C901, PLR0912 -- one case a meaning
        """One `match`, so that no meaning is forgotten."""
        match reading:
            case replies.Score(value):
                yield from self._number(value)
            case replies.ConfirmZero():
                yield from self._unreadable("confirm-zero")
            case replies.Unreadable():
                yield from self._unreadable()
            case replies.OptOut():
                yield from self._opt_out()
            case replies.OptIn():
                yield OptIn()
                if self.reply.opt_out is None:
                    yield self._say("ack", "started")
            case replies.Help():
                yield self._say("ack", "help")
            case replies.OptOutMentioned():
                yield HoldTexts(self.now + HOLD)
                yield self._task("stop_word")
            case replies.WrongNumber():
                yield Unreachable("wrong_number")
                yield CancelTexts()
                yield self._task("wrong_number")
            case replies.CallMe():
                yield from self._call_me()
            case replies.Snooze(kind):
                yield from self._snooze(kind)
            case replies.Safety():
                yield self._say("ack", "safety")
                yield self._task("safety_word", level="ES")
            case replies.Tapback():
                return
            case replies.Proxy():
                yield self._say("ack", "proxy")
                yield self._task("proxy_answer")
            case replies.Media():
                yield self._say("ack", "media")
            case replies.Yes() | replies.No():
                yield from self._yes_or_no(yes=isinstance(reading, replies.Yes))
            case replies.Decline():
                yield from self._decline()
            case _:
                assert_never(reading)

    def _number(self, value: int) -> Iterator[Command]:
        window, awaited = self.window, self.awaited
        if self.case.participant.left_at is not None:
            yield self._task("answer_after_leaving")
        elif window is None:
            yield self._task("unscheduled_answer")
            yield self._say("ack", "unscheduled")
        elif awaited is None:
            yield from self._after_completion(window, value)
        else:
            question = _question(self.case, window, awaited, self.reply.arrived)
            if question is not None:
                yield from self._answer(window, awaited, value, question)
            elif self.previous is None:
                # Nothing was asked in a text yet: a number alone is no answer to it.
                yield self._ask("question")
            elif value != self.previous.value and self._soon():
                yield from self._record(window, self.previous.item, value, frame="corrected")
            elif value != self.previous.value:
                yield self._ask("question")

    def _soon(self) -> bool:
        return self.previous is not None and self.reply.arrived - self.previous.received_at <= CORRECTION

    def _answer(self, window: WindowFacts, item: str, value: int, question: MessageFacts) -> Iterator[Command]:
        """A number for the awaited item; the same number again within a minute is confirmed first."""
        before = self.previous
        if before is not None and before.item != item and before.value == value and question.frame != "confirm-repeat":
            asked_at = question.accepted_at or question.queued_at
            if self.reply.arrived - max(before.received_at, asked_at) <= REPEAT:
                yield self._ask("confirm-repeat", proposed=value)
                return
        yield from self._record(window, item, value)

    def _record(
        self, window: WindowFacts, item: str, value: int | None, *, frame: str | None = None
    ) -> Iterator[Command]:
        """Keep the answer and say what comes next: the next question, or thanks."""
        commands = on_answers(
            self.case,
            window,
            {item: value},
            source="sms",
            received_at=self.reply.arrived,
            now=self.now,
            inbound_id=self.reply.inbound_id,
        )
        # The conversation goes on in its own texts; prompts that wait are void once everything is answered.
        yield from commands
        left = [name for name in window.missing() if name != item]
        late = self.reply.arrived >= window.span.closes_at
        if frame is not None:
            kind = "question" if left else "thanks"
            yield self._say(kind, frame, item=left[0] if left else None, about=item, proposed=value)
        elif left:
            yield self._say("question", "question", item=left[0])
        else:
            yield self._say("thanks", "thanks-late" if late else "thanks")

    def _after_completion(self, window: WindowFacts, value: int) -> Iterator[Command]:
        primary = self.case.protocol.primary(window.point)
        if any(answer.value == value for answer in window.answers.values()):
            yield self._say("ack", "already")
        elif self._soon() and primary is not None and self.reply.arrived < window.span.closes_at:
            yield self._say("reask", "confirm-change", proposed=value, item=primary)
        else:
            yield self._task("number_after_completion", window=window)
            yield self._say("ack", "handed-over")

    def _yes_or_no(self, *, yes: bool) -> Iterator[Command]:
        """An answer to a question of ours that asked for yes; otherwise as unreadable as any other word."""
        window = self.window
        last = self.case.texts(window.id)[-1] if window is not None and self.case.texts(window.id) else None
        confirming = (
            last is not None
            and last.frame in ("confirm-change", "confirm-zero")
            and last.accepted_at is not None
            and last.accepted_at <= self.reply.arrived
            and self.reply.arrived - last.accepted_at <= HOLD
        )
        if window is None or last is None or last.item is None or not confirming:
            yield from self._unreadable()
        elif yes and self.reply.arrived < window.span.closes_at:
            yield from self._record(window, last.item, last.proposed)
        elif last.frame == "confirm-change":
            yield self._say("ack", "already")
        else:
            yield from self._unreadable()

    def _decline(self) -> Iterator[Command]:
        """Not wanting to answer is an answer to the question that was asked."""
        window, awaited = self.window, self.awaited
        if window is None or awaited is None or not asked(self.case, window, awaited, self.reply.arrived):
            yield from self._unreadable()
            return
        yield from on_answers(
            self.case,
            window,
            {awaited: None},
            source="sms",
            received_at=self.reply.arrived,
            now=self.now,
            inbound_id=self.reply.inbound_id,
        )
        left = [name for name in window.missing() if name != awaited]
        if left and awaited != self.case.protocol.primary(window.point):
            yield self._say("question", "question", item=left[0])
        else:
            yield self._say("thanks", "declined")

    def _unreadable(self, frame: str | None = None) -> Iterator[Command]:
        """Ask again twice at the most, then a person. A first question is asked, not asked again."""
        window, awaited = self.window, self.awaited
        if window is None or awaited is None:
            yield self._task("unreadable_reply", window=window)
            yield self._say("ack", "handed-over")
            return
        since = [m for m in self.case.texts(window.id) if m.kind == "reask" and m.item == awaited]
        if not since and not asked(self.case, window, awaited, self.reply.arrived):
            yield self._ask("question")
            return
        if len(since) < REASKS:
            yield self._ask(frame or ("reask-2" if since else "reask"), proposed=0 if frame else None)
            return
        task = self._task("unreadable_reply", window=window)
        if not self.case.escalated(task.key):
            yield task
            yield self._say("ack", "handed-over")

    def _opt_out(self) -> Iterator[Command]:
        if self.case.participant.opted_out_at is not None:
            return
        yield OptOut()
        yield CancelTexts()
        # The provider that read the word itself has acknowledged it already.
        if self.reply.opt_out is None and self.case.participant.has_phone:
            yield self._say("ack", "stopped")

    def _call_me(self) -> Iterator[Command]:
        window = self.window
        if window is not None and self.reply.arrived < window.span.closes_at:
            call = escalate(self.case, "E1", "asked_for_call", self.now, window)
            if not self.case.escalated(call.key):
                yield call
        else:
            yield self._task("asked_for_call", window=window)
        yield self._say("ack", "call-me")

    def _snooze(self, kind: str) -> Iterator[Command]:
        zone, hours = self.case.participant.zone, self.case.protocol.contact_hours
        local = self.reply.arrived.astimezone(zone)
        if kind == "hour":
            until = self.reply.arrived + timedelta(hours=1)
        elif kind == "tonight":
            until = local_instant(local.date(), local.time().replace(hour=18, minute=30, second=0, microsecond=0), zone)
        else:
            tomorrow = local.date() + timedelta(days=1)
            until = local_instant(tomorrow, local.time().replace(hour=10, minute=0, second=0, microsecond=0), zone)
        until = next_allowed(max(until, self.reply.arrived + timedelta(hours=1)), hours, zone)
        if self.window is not None and until < self.window.span.closes_at:
            yield Snooze(until)
            yield self._say("ack", "snoozed", when=until)
        else:
            yield from self._call_me()

    # Ways to speak --------------------------------------------------------------------------------------------------

    def _ask(self, frame: str, *, proposed: int | None = None) -> Send:
        kind = "question" if frame == "question" else "reask"
        return self._say(kind, frame, item=self.awaited, proposed=proposed)

    def _say(
        self,
        kind: str,
        frame: str,
        *,
        item: str | None = None,
        about: str | None = None,
        proposed: int | None = None,
        when: datetime | None = None,
    ) -> Send:
        """One reply to one text: its key is the text's."""
        return Send(
            key=f"r:{self.reply.inbound_id}",
            kind=kind,
            frame=frame,
            window_id=None if self.window is None else self.window.id,
            item=item,
            about=about,
            proposed=proposed,
            useful_until=self.now + timedelta(hours=2),
            inbound_id=self.reply.inbound_id,
            when=when,
        )

    def _task(self, reason: str, *, level: str = "E0", window: WindowFacts | None = None) -> Escalate:
        return escalate(self.case, "ES" if level == "ES" else "E0", reason, self.now, window or self.window)
