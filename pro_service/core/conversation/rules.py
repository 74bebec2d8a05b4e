"""What a text from a participant calls for: what was meant, what follows, and the gate of every reply.

What answers a question is in `answering`; here are the wishes, and how often we may speak.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from operator import itemgetter
from typing import assert_never

from pro_service.core.case import PENDING, PROMPTS, Answer, Case, MessageFacts, State, WindowFacts
from pro_service.core.commands import (
    CancelTexts,
    Command,
    Escalate,
    HoldTexts,
    OptIn,
    OptOut,
    Record,
    Send,
    Snooze,
    Unreachable,
)
from pro_service.core.conversation.answers import on_answers
from pro_service.core.protocol import LevelCode
from pro_service.core.replies import reading as replies
from pro_service.core.schedule.agenda import escalate, may_text, primary_open
from pro_service.core.schedule.calendar import local_day
from pro_service.core.schedule.prompts import moved_prompt
from pro_service.core.schedule.windows import local_instant

CORRECTION = timedelta(minutes=10)
"""Another number this soon after an answer is about that answer."""
PATIENCE = timedelta(hours=2)
"""How long a reply of ours is worth sending."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One text as it came in. `arrived` is the instant that decides; `opt_out` is the provider's own word for it."""

    inbound_id: int
    text: str
    arrived: datetime
    media: int = 0
    opt_out: str | None = None


def asked(case: Case, window: WindowFacts, item: str, arrived: datetime) -> bool:
    """Whether the provider had accepted a text that asks this item before `arrived`."""
    return _question(case, window, item, arrived) is not None


def _question(case: Case, window: WindowFacts, item: str, arrived: datetime) -> MessageFacts | None:
    """The newest text asking this item that the provider had accepted before `arrived`, and that did not fail."""
    for message in reversed(case.texts(window.id)):
        accepted = message.accepted_at is not None and message.accepted_at <= arrived
        if message.item == item and accepted and message.state not in ("undelivered", "failed"):
            return message
    return None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One text, the window it belongs to and the item it may answer."""

    case: Case
    reply: Reply
    now: datetime
    window: WindowFacts | None
    """The open window; else the last closed one whose late answers are still kept."""
    awaited: str | None
    """The first item without an answer; None also where the deciding item was declined."""
    previous: Answer | None
    """The newest answer in the window, by whichever way it came."""

    @classmethod
    def of(cls, case: Case, reply: Reply, now: datetime) -> "Exchange":
        """Find the text's place."""
        window = _window(case, reply.arrived)
        if window is None:
            return cls(case, reply, now, None, None, None)
        primary = case.protocol.primary(window.point)
        declined = primary is not None and primary in window.answers and window.answers[primary].declined
        awaited = None if declined else next(iter(window.missing()), None)
        given = [window.answers[item] for item in window.point.items if window.given(item)]
        return cls(case, reply, now, window, awaited, max(given, key=lambda a: a.received_at, default=None))

    @property
    def soon(self) -> bool:
        """Whether the text came so soon after the newest answer that it may be about that one."""
        since = None if self.previous is None else self.reply.arrived - self.previous.received_at
        return since is not None and timedelta(0) <= since <= CORRECTION

    @property
    def question(self) -> MessageFacts | None:
        """The question a number answers, if it was asked before the text arrived."""
        if self.window is None or self.awaited is None:
            return None
        return _question(self.case, self.window, self.awaited, self.reply.arrived)

    @property
    def overtaken(self) -> bool:
        """Whether the last thing that could be read was not the awaited question but a change of another answer."""
        texts = () if self.window is None else self.case.texts(self.window.id)
        read = [m for m in texts if m.accepted_at is not None and m.accepted_at <= self.reply.arrived]
        last = max(read, key=lambda m: m.accepted_at or m.queued_at, default=None)
        return last is not None and last.frame == "confirm-change" and last.item != self.awaited

    @property
    def on_its_way(self) -> bool:
        """Whether the awaited question is being sent, or was accepted only after the text arrived."""
        return bool(self._under_way)

    @property
    def perhaps_seen(self) -> bool:
        """Whether the awaited question may have been read although nobody confirmed it before the text arrived.

        A provider's word that a text did not arrive is no proof: such reports are wrong now and then.
        """
        return self._said_to_have_failed or any(text.state != "ready" for text in self._under_way)

    @property
    def _said_to_have_failed(self) -> bool:
        texts = () if self.window is None else self.case.texts(self.window.id)
        return any(text.item == self.awaited and text.state in ("undelivered", "failed") for text in texts)

    @property
    def in_doubt(self) -> bool:
        """Whether the awaited question is under way, and nobody knows whether any of its texts left."""
        return self.on_its_way and all(text.state in ("sending", "uncertain") for text in self._under_way)

    @property
    def _under_way(self) -> tuple[MessageFacts, ...]:
        if self.window is None or self.awaited is None:
            return ()
        return tuple(
            text
            for text in self.case.texts(self.window.id)
            if text.item == self.awaited
            and (
                (text.state in PENDING and (text.useful_until is None or text.useful_until > self.now))
                or (text.accepted_at is not None and text.accepted_at > self.reply.arrived)
            )
        )

    @property
    def target(self) -> str | None:
        """The item a number would be about: the awaited one if it was asked, else the one answered before."""
        if self.window is None:
            return self.unscheduled_item
        if self.awaited is None:
            return self.case.protocol.primary(self.window.point)
        if self.question is None and self.previous is not None and self.soon:
            return self.previous.item
        return self.awaited

    @property
    def upcoming(self) -> bool:
        """Whether there is a window to come in which participants are asked."""
        return any(w.point.prompted and w.span.opens_at > self.reply.arrived for w in self.case.current)

    @property
    def unscheduled_item(self) -> str | None:
        """What a number outside every window is about: the deciding item of the next window, or of the last."""
        windows = [window for window in self.case.current if window.point.prompted]
        ahead = [window for window in windows if window.span.opens_at > self.reply.arrived]
        chosen = ahead[0] if ahead else windows[-1] if windows else None
        return None if chosen is None else self.case.protocol.primary(chosen.point)

    # Ways to speak --------------------------------------------------------------------------------------------------

    def ask(self, frame: str, *, proposed: int | None = None) -> Send:
        """Ask the awaited item, for the first time or again."""
        return self.say("question" if frame == "question" else "reask", frame, item=self.awaited, proposed=proposed)

    def say(
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
            useful_until=self.now + PATIENCE,
            inbound_id=self.reply.inbound_id,
            when=when,
        )

    def task(self, reason: str, level: LevelCode = "E0") -> Iterator[Escalate]:
        """Give this to a person, unless the same is a person's work already.

        A safety word is raised anew as soon as somebody has acknowledged the one before.
        """
        task = escalate(self.case, level, reason, self.now, self.window)
        same = (e for e in self.case.escalations if e.open and (e.level, e.reason) == (level, reason))
        if any(e.window_id == task.window_id and (level != "ES" or e.acknowledged_at is None) for e in same):
            return
        again = self.case.escalated(task.key)
        yield replace(task, key=f"{task.key}:i{self.reply.inbound_id}") if again else task

    def person(self, reason: str) -> Iterator[Escalate | Send]:
        """Give this to a person and say so, once."""
        for task in self.task(reason):
            yield task
            yield self.say("ack", "handed-over")


def _window(case: Case, arrived: datetime) -> WindowFacts | None:
    """The open window; else the last closed one whose late answers are still kept. None before the procedure."""
    if case.participant.confirmed_at is None:
        return None
    spans = [window for window in case.current if window.point.prompted]
    for window in spans:
        if window.span.opens_at <= arrived < window.span.closes_at:
            return window
    # Windows that closed before the enrolment ask nothing, not even late.
    enrolled = case.participant.enrolled_at
    late = [w for w in spans if w.span.closes_at <= arrived < w.span.late_until and w.span.closes_at > enrolled]
    return max(late, key=lambda window: window.span.closes_at, default=None)


REPEAT = timedelta(seconds=60)
"""The same number this soon may be the telephone sending twice."""
ECHO = timedelta(seconds=30)
"""The same where nobody knows yet that we asked anything: who reads the question and means it takes longer."""
CONFIRMED_WITHIN = timedelta(hours=24)
"""How long a yes is about the change we proposed."""
REASKS = ("reask", "reask-2")
"""Texts that ask again, in turn; after the last a person takes over."""
CONFIRM_ZERO = "confirm-zero"
CONFIRM_CHANGE = "confirm-change"
UNSEEN: frozenset[State] = frozenset({"ready", "cancelled", "refused"})
"""A text that no provider has taken: nobody can have read it."""


def number(turn: Exchange, value: int) -> Iterator[Command]:
    """Find which question a number answers; where it answers none, ask or give it to a person."""
    window, awaited, previous = turn.window, turn.awaited, turn.previous
    if window is None:
        yield from _unscheduled(turn, value)
    elif awaited is None:
        yield from _after_completion(turn, window, value)
    elif turn.question is not None and turn.overtaken:
        # About the change we proposed, or about the question before it: nobody can tell.
        yield turn.ask("question", proposed=value)
    elif turn.question is not None:
        yield from _answer(turn, window, awaited, value)
    elif turn.soon and previous is not None:
        if previous.value != value:
            yield from _another(turn, window, previous, value)
        elif _may_be_an_answer(turn, window, previous):
            yield turn.ask("confirm-repeat", proposed=value)
    elif not turn.on_its_way or turn.in_doubt:
        # Nothing was asked in a text yet, or nobody knows: a number alone is no answer to it.
        yield turn.ask("question", proposed=value)


def _may_be_an_answer(turn: Exchange, window: WindowFacts, previous: Answer) -> bool:
    """Whether a number given before may answer the next question, of which nobody knows yet whether it left.

    Passed over in silence, its writer would think that question answered, and mean another by the number after it.
    """
    if not turn.in_doubt or turn.reply.arrived - previous.received_at <= ECHO:
        return False
    texts = turn.case.texts(window.id)
    return not any(text.frame == "confirm-repeat" and text.queued_at >= previous.received_at for text in texts)


def _another(turn: Exchange, window: WindowFacts, previous: Answer, value: int) -> Iterator[Command]:
    """Correct the answer before; but where the next question may have been read, the number may be about that one."""
    if not turn.perhaps_seen:
        yield from _record(turn, window, previous.item, value, corrected=True)
        return
    texts = turn.case.texts(window.id)
    if any(text.frame == CONFIRM_CHANGE and text.queued_at >= previous.received_at for text in texts):
        yield turn.ask("question")
    else:
        yield turn.say("reask", CONFIRM_CHANGE, proposed=value, item=previous.item)


def yes_or_no(turn: Exchange, *, yes: bool) -> Iterator[Command]:
    """Read yes as the answer to a change we proposed; otherwise it is as unreadable as any other word."""
    window, last = turn.window, _proposal(turn)
    if window is None or last is None or last.item is None:
        # "Okay" after our thanks says nothing that anybody must read.
        if not (yes and window is not None and turn.awaited is None):
            yield from unreadable(turn)
    elif _may_mean_another(turn, window, last):
        yield from turn.person("unreadable_reply")
    elif yes:
        yield from _record(turn, window, last.item, last.proposed, corrected=True)
    else:
        yield turn.say("ack", "already")


def _proposal(turn: Exchange) -> MessageFacts | None:
    """The change we proposed, where nothing that can have been read came after it, and not too long ago."""
    texts = () if turn.window is None else turn.case.texts(turn.window.id)
    read = [(text.accepted_at, text) for text in texts if text.accepted_at is not None]
    read = [(accepted, text) for accepted, text in read if accepted <= turn.reply.arrived]
    if not read:
        return None
    accepted, last = max(read, key=itemgetter(0))
    fits = last.frame == CONFIRM_CHANGE and turn.reply.arrived - accepted <= CONFIRMED_WITHIN
    return last if fits else None


def _may_mean_another(turn: Exchange, window: WindowFacts, last: MessageFacts) -> bool:
    """Whether another change was proposed that may be the one that was read last.

    One of which nobody knows when it left, or whether; or one that was read while the newer one arrived.
    """
    quickly = last.accepted_at is not None and turn.reply.arrived - last.accepted_at <= ECHO
    about = (last.item, last.proposed)
    for text in turn.case.texts(window.id):
        if text.frame == CONFIRM_CHANGE and (text.item, text.proposed) != about:
            read = text.accepted_at is not None and text.accepted_at <= turn.reply.arrived
            if quickly if read else text.state not in UNSEEN:
                return True
    return False


def decline(turn: Exchange) -> Iterator[Command]:
    """Keep that the participant does not want to answer: an answer to the question that was asked."""
    window, awaited = turn.window, turn.awaited
    if window is None or awaited is None or turn.question is None:
        yield from unreadable(turn)
        return
    yield from _kept(turn, window, awaited, None)
    left = _left(window, awaited)
    if left is not None and awaited != turn.case.protocol.primary(window.point):
        yield turn.say("question", "question", item=left)
    else:
        yield turn.say("thanks", "declined")


def unreadable(turn: Exchange, *, zero: bool = False) -> Iterator[Command]:
    """Ask again twice at the most, then a person. A first question is asked, not asked again."""
    window, awaited = turn.window, turn.awaited
    if window is None or awaited is None or not may_text(turn.case.participant):
        yield from turn.person("unreadable_reply")
        return
    again = [m for m in turn.case.texts(window.id) if m.item == awaited and m.frame in (*REASKS, CONFIRM_ZERO)]
    if turn.question is None and not again:
        if not turn.on_its_way or turn.in_doubt:
            yield turn.ask("question")
    elif len(again) >= len(REASKS):
        yield from turn.person("unreadable_reply")
    elif zero and not again:
        yield turn.ask(CONFIRM_ZERO, proposed=0)
    else:
        yield turn.ask(REASKS[len(again)])


def _unscheduled(turn: Exchange, value: int) -> Iterator[Command]:
    """Keep a number that came outside every window, apart from the windows' answers."""
    item = turn.unscheduled_item
    if item is not None:
        yield Record(
            window_id=None,
            item=item,
            value=value,
            declined=False,
            source="sms",
            received_at=turn.reply.arrived,
            in_window=False,
            inbound_id=turn.reply.inbound_id,
        )
    if turn.upcoming:
        yield turn.say("ack", "unscheduled")
    else:
        yield from turn.person("unscheduled_answer")


def _answer(turn: Exchange, window: WindowFacts, item: str, value: int) -> Iterator[Command]:
    """Keep a number for the awaited item; the same number again within a minute is confirmed first."""
    if _is_echo(turn, value):
        if not turn.on_its_way:
            yield turn.ask("confirm-repeat", proposed=value)
        return
    yield from _record(turn, window, item, value)


def _is_echo(turn: Exchange, value: int) -> bool:
    """Whether a number may be the telephone's repetition of the text before: an answer, or what made us ask this."""
    before, question = turn.previous, turn.question
    if question is None or question.frame == "confirm-repeat":
        return False
    asked = question.accepted_at or question.queued_at
    if before is not None and before.value == value:
        return turn.reply.arrived - max(before.received_at, asked) <= REPEAT
    provoked = question.frame == "question" and question.proposed == value
    return provoked and turn.reply.arrived - asked <= ECHO


def _record(
    turn: Exchange, window: WindowFacts, item: str, value: int | None, *, corrected: bool = False
) -> Iterator[Command]:
    """Keep the answer and say what comes next: the next question, or thanks."""
    commands = tuple(_kept(turn, window, item, value))
    if not commands:
        # Nothing was changed, so nothing may be said to be: the window has closed over it.
        yield from turn.person("number_after_completion")
        return
    yield from commands
    left = _left(window, item)
    late = turn.reply.arrived >= window.span.closes_at
    if corrected:
        yield turn.say("question" if left else "thanks", "corrected", item=left, about=item, proposed=value)
    elif left is not None:
        yield turn.say("question", "question", item=left)
    else:
        yield turn.say("thanks", "thanks-late" if late else "thanks")


def _kept(turn: Exchange, window: WindowFacts, item: str, value: int | None) -> tuple[Command, ...]:
    return on_answers(
        turn.case,
        window,
        {item: value},
        source="sms",
        received_at=turn.reply.arrived,
        now=turn.now,
        inbound_id=turn.reply.inbound_id,
    )


def _left(window: WindowFacts, answered: str) -> str | None:
    """The next item without an answer, once `answered` is."""
    return next((item for item in window.missing() if item != answered), None)


def _after_completion(turn: Exchange, window: WindowFacts, value: int) -> Iterator[Command]:
    primary = turn.case.protocol.primary(window.point)
    if any(answer.value == value for answer in window.answers.values()):
        yield turn.say("ack", "already")
    elif turn.soon and primary is not None and turn.reply.arrived < window.span.closes_at:
        yield turn.say("reask", CONFIRM_CHANGE, proposed=value, item=primary)
    else:
        yield from turn.person("number_after_completion")


__all__ = ["Reply", "asked", "concerns_everyone", "on_reply"]

HOLD = timedelta(hours=24)
"""How long a stop word inside a sentence holds automatic texts."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ASIDES_AN_HOUR = 3
"""Automatic replies an hour that do not advance the conversation."""
ASIDES_A_DAY = 12
"""In a day: whoever is told so often and writes on is a machine, or needs a person."""
REPLIES_AN_HOUR = 12
ASIDES = frozenset({"reask", "ack"})
ALWAYS = frozenset({"stopped", "started", "safety"})
"""Frames that are no asides, however often."""
EVENING, MORNING = time(18, 30), time(10)
"""When one who said "tonight" or "tomorrow" is asked again, on the participant's clock."""


def on_reply(case: Case, reply: Reply, now: datetime) -> tuple[str, tuple[Command, ...]]:
    """Say how a text was read (a word without its content) and what it calls for."""
    turn = Exchange.of(case, reply, now)
    reading = _reading(turn)
    left = case.participant.left_at is not None
    commands = _after_leaving(turn, reading) if left else _carry(turn, reading)
    return type(reading).__name__, tuple(_passed(turn, commands))


def concerns_everyone(case: Case, reply: Reply, now: datetime) -> bool:
    """Whether a text is about the telephone, whoever of those who share it wrote it: stop, start, danger."""
    reading = _reading(Exchange.of(case, reply, now))
    return isinstance(reading, replies.OptOut | replies.OptIn | replies.WrongNumber | replies.Safety)


def _passed(turn: Exchange, commands: Iterable[Command]) -> Iterator[Command]:
    """The gate: texts only to those who may be written to, and not too many of them."""
    participant = turn.case.participant
    recent = [m for m in turn.case.messages if m.queued_at > turn.now - HOUR and m.kind not in PROMPTS]
    asides = sum(_is_aside(m.kind, m.frame) for m in recent)
    day = sum(_is_aside(m.kind, m.frame) for m in turn.case.messages if m.queued_at > turn.now - DAY)
    for command in commands:
        if isinstance(command, OptIn):
            participant = replace(participant, opted_out_at=None)
        if isinstance(command, Send) and participant.died_at is not None:
            continue  # Whoever reads this telephone now gets nothing from us, not even an acknowledgement.
        if isinstance(command, Send) and command.frame != "stopped":
            if not may_text(participant):
                continue
            too_many = _is_aside(command.kind, command.frame) and (asides >= ASIDES_AN_HOUR or day >= ASIDES_A_DAY)
            if too_many or len(recent) >= REPLIES_AN_HOUR:
                if command.kind == "reask":
                    yield from turn.task("unreadable_reply")
                continue
        yield command


def _is_aside(kind: str, frame: str) -> bool:
    return kind in ASIDES and frame not in ALWAYS


def _reading(turn: Exchange) -> replies.Reading:
    """Read the text against the item it can answer now; a word the provider read itself is taken from there."""
    known: dict[str | None, replies.Reading] = {
        "STOP": replies.OptOut(),
        "START": replies.OptIn(),
        "HELP": replies.Help(),
    }
    if turn.reply.opt_out in known:
        return known[turn.reply.opt_out]
    protocol = turn.case.protocol
    item = protocol.items.get(turn.target or "")
    return replies.read(
        turn.reply.text,
        turn.case.participant.language,
        item_min=0 if item is None else item.minimum,
        item_max=10 if item is None else item.maximum,
        media=turn.reply.media,
        own_texts=tuple(text for item in protocol.items.values() for text in item.question.values()),
        safety_words=tuple(word for words in protocol.safety_words.values() for word in words),
    )


def _after_leaving(turn: Exchange, reading: replies.Reading) -> Iterator[Command]:
    """Nothing is asked or kept of who died or withdrew; a person reads what still comes."""
    match reading:
        case replies.Tapback() | replies.Automatic():
            return
        case replies.OptOut():
            yield from _opt_out(turn)
        case replies.Safety():
            yield from turn.task("safety_word", "ES")
        case _:
            yield from turn.task("answer_after_leaving")


def _carry(turn: Exchange, reading: replies.Reading) -> Iterator[Command]:  # noqa: C901, PLR0912 -- one case a meaning
    """One `match`, so that no meaning is forgotten."""
    match reading:
        case replies.Score(value):
            yield from number(turn, value)
        case replies.ConfirmZero() | replies.Unreadable():
            yield from unreadable(turn, zero=isinstance(reading, replies.ConfirmZero))
        case replies.Yes() | replies.No():
            yield from yes_or_no(turn, yes=isinstance(reading, replies.Yes))
        case replies.Decline():
            yield from decline(turn)
        case replies.OptOut():
            yield from _opt_out(turn)
        case replies.OptIn():
            yield from _opt_in(turn)
        case replies.Help():
            yield from _help(turn)
        case replies.OptOutMentioned():
            yield HoldTexts(turn.now + HOLD)
            yield from turn.task("stop_word")
        case replies.WrongNumber():
            yield from _wrong_number(turn)
        case replies.CallMe():
            yield from _call_me(turn)
        case replies.Snooze(kind, hours):
            yield from _snooze(turn, kind, hours)
        case replies.Safety():
            yield turn.say("ack", "safety")
            yield from turn.task("safety_word", "ES")
        case replies.Proxy():
            yield turn.say("ack", "proxy")
            yield from turn.task("proxy_answer")
        case replies.Media():
            yield turn.say("ack", "media")
        case replies.Tapback() | replies.Automatic():
            return
        case _:
            assert_never(reading)


def _help(turn: Exchange) -> Iterator[Command]:
    # The provider that read the word itself has answered it already.
    if turn.reply.opt_out is None:
        yield turn.say("ack", "help")


def _wrong_number(turn: Exchange) -> Iterator[Command]:
    """Stop at once; somebody verifies the contact."""
    if turn.case.participant.unreachable_at is None:
        yield Unreachable("wrong_number")
        yield CancelTexts()
    yield from turn.task("wrong_number")


def _opt_out(turn: Exchange) -> Iterator[Command]:
    if turn.case.participant.opted_out_at is not None:
        return
    yield OptOut()
    yield CancelTexts()
    # The provider that read the word itself has acknowledged it already.
    if turn.reply.opt_out is None and turn.case.participant.has_phone:
        yield turn.say("ack", "stopped")


def _opt_in(turn: Exchange) -> Iterator[Command]:
    if turn.case.participant.opted_out_at is not None:
        yield OptIn()
    if turn.reply.opt_out is None:
        yield turn.say("ack", "started")


def _call_me(turn: Exchange) -> Iterator[Command]:
    """While an answer is missing it is the call task of the window; otherwise a task of its own."""
    case, window = turn.case, turn.window
    call = None
    if window is not None and turn.now < window.span.closes_at and primary_open(case, window):
        call = escalate(case, "E1", "asked_for_call", turn.now, window)
    if call is None or any(e.key == call.key and not e.open for e in case.escalations):
        yield from turn.task("asked_for_call")
    elif not case.escalated(call.key):
        yield call
    yield turn.say("ack", "call-me")


def _snooze(turn: Exchange, kind: str, hours: int) -> Iterator[Command]:
    """Move the next prompt to when the participant wants it; where none is left to be moved, somebody calls."""
    window, arrived = turn.window, turn.reply.arrived
    zone = turn.case.participant.zone
    today = local_day(arrived, zone)
    wish = arrived + hours * HOUR
    if kind == "tonight":
        wish = max(wish, local_instant(today, EVENING, zone))
    elif kind == "tomorrow":
        wish = local_instant(today + timedelta(days=1), MORNING, zone)
    moved = None
    if window is not None and may_text(turn.case.participant):
        moved = moved_prompt(turn.case, window, max(wish, turn.now))
    if moved is None:
        yield from _call_me(turn)
        return
    yield Snooze(moved)
    yield turn.say("ack", "snoozed", when=moved)
