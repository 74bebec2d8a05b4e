"""What a text from a participant calls for: what it means, what follows, and how often we may reply.

An answer is bound to a question: a number counts for the awaited item only if the provider had accepted that item's
question before the text arrived. A score is never guessed: what is not exact is asked again, then a person takes over.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from operator import itemgetter
from typing import assert_never

from pro_service.core.case import (
    BY_REPLY,
    PENDING,
    PROMPTS,
    Answer,
    Case,
    MessageFacts,
    Part,
    Source,
    State,
    WindowFacts,
)
from pro_service.core.commands import (
    Command,
    Escalate,
    HoldTexts,
    OptIn,
    Record,
    Send,
    Snooze,
)
from pro_service.core.conversation.answers import CORRECTION, PATIENCE, on_answers, with_records
from pro_service.core.conversation.call_wishes import ask_for_call
from pro_service.core.protocol import LevelCode, Medium
from pro_service.core.replies import reading
from pro_service.core.replies.corrections import corrects
from pro_service.core.schedule.agenda import escalate, may_converse, may_text, opt_out, wrong_telephone
from pro_service.core.schedule.asking import LOST
from pro_service.core.schedule.calendar import local_day
from pro_service.core.schedule.call_times import CallHours
from pro_service.core.schedule.prompts import moved_prompt
from pro_service.core.schedule.windows import local_instant

REPEAT = timedelta(seconds=60)
"""The same number this soon may be the telephone sending twice."""
ECHO = timedelta(seconds=30)
"""The same where it is not known yet whether our question left: reading it and answering takes longer than this."""
CONFIRMED_WITHIN = timedelta(hours=24)
"""How long a yes is about the change we proposed."""
HOLD = timedelta(hours=24)
"""How long a stop word inside a sentence holds automatic texts."""
EVENING, MORNING = time(18, 30), time(10)
"""When a participant who wrote "tonight" or "tomorrow" is asked again, in the participant's time zone."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REASKS = ("reask", "reask-2")
"""Texts that ask again, in turn; after the last a person takes over."""
CONFIRM_ZERO = "confirm-zero"
CONFIRM_CHANGE = "confirm-change"
NOT_COUNTED = "not-counted"
"""Asks the awaited item after a text that answered nothing, and says that it did not."""
UNSEEN: frozenset[State] = frozenset({"ready", "cancelled", "refused"})
"""A text that no provider has taken: nobody can have read it."""
ASIDES_AN_HOUR = 3
"""How many replies that do not advance the conversation may leave in an hour."""
ASIDES_A_DAY = 12
"""How many in a day. A sender who gets so many and writes on is a machine, or needs a person."""
REPLIES_AN_HOUR = 12
"""How many replies of any kind may leave in an hour."""
ASIDES = frozenset({"reask", "ack"})
"""Kinds of texts that do not advance the conversation."""
ALWAYS = frozenset({"stopped", "started", "safety"})
"""Frames that are never counted as asides."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One text as it came in. `arrived` is the instant that decides; `opt_out` is the provider's own word for it."""

    inbound_id: int
    text: str
    arrived: datetime
    media: int = 0
    opt_out: str | None = None
    medium: Medium = "sms"
    """What it came by, and is answered by."""

    @property
    def source(self) -> Source:
        """The source of an answer in it."""
        return BY_REPLY[self.medium]


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
    """The newest answer in the window, from any source."""

    @classmethod
    def for_reply(cls, case: Case, reply: Reply, now: datetime) -> "Exchange":
        """Return the text with its window and the item it may answer."""
        window = _window(case, reply.arrived)
        if window is None:
            return cls(case, reply, now, None, None, None)
        primary = case.protocol.primary(window.point)
        declined = primary is not None and primary in window.answers and window.answers[primary].declined
        awaited = None if declined else next(iter(window.missing()), None)
        given = [window.answers[item] for item in window.point.items if window.has_answer(item)]
        return cls(case, reply, now, window, awaited, max(given, key=lambda a: a.received_at, default=None))

    @property
    def soon_after_answer(self) -> bool:
        """Whether the text came so soon after the newest answer that it may be about that one."""
        since = None if self.previous is None else self.reply.arrived - self.previous.received_at
        return since is not None and timedelta(0) <= since <= CORRECTION

    @property
    def corrected_item(self) -> str | None:
        """The newest answered item whose value this text says it corrects; None if its words say no such thing."""
        if self.window is None or not corrects(self.reply.text):
            return None
        given = [self.window.answers[item] for item in self.window.point.items if self.window.has_answer(item)]
        before = sorted((a for a in given if a.received_at <= self.reply.arrived), key=lambda a: a.received_at)
        fits = (a.item for a in reversed(before) if isinstance(_read(self, a.item), reading.Score))
        return next(fits, None)

    @property
    def question(self) -> MessageFacts | None:
        """The question that a number answers, if it was asked before the text arrived."""
        if self.window is None or self.awaited is None:
            return None
        return _question(self.case, self.window, self.awaited, self.reply.arrived)

    @property
    def change_proposed_since(self) -> bool:
        """Whether the last text that could be read proposed to change another answer, after the awaited question."""
        texts = () if self.window is None else self.case.texts(self.window.id)
        read = [m for m in texts if m.accepted_at is not None and m.accepted_at <= self.reply.arrived]
        last = max(read, key=lambda m: m.accepted_at or m.queued_at, default=None)
        return last is not None and last.frame == CONFIRM_CHANGE and last.item != self.awaited

    @property
    def question_under_way(self) -> bool:
        """Whether the awaited question is being sent, or was accepted only after the text arrived."""
        return bool(self.questions_under_way)

    @property
    def question_perhaps_read(self) -> bool:
        """Whether the awaited question may have been read although nobody confirmed it before the text arrived.

        A provider's word that a text did not arrive is no proof: such reports are wrong now and then.
        """
        return self._question_reported_lost or any(text.state != "ready" for text in self.questions_under_way)

    @property
    def _question_reported_lost(self) -> bool:
        texts = () if self.window is None else self.case.texts(self.window.id)
        return any(text.item == self.awaited and text.state in LOST for text in texts)

    @property
    def question_in_doubt(self) -> bool:
        """Whether the awaited question is under way, and nobody knows whether any of its texts left."""
        return self.question_under_way and all(
            text.state in ("sending", "uncertain") for text in self.questions_under_way
        )

    @property
    def questions_under_way(self) -> tuple[MessageFacts, ...]:
        """The texts asking the awaited item that are being sent, or were accepted only after the text arrived."""
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
        if self.corrected_item is not None:
            return self.corrected_item
        if self.awaited is None:
            return self.case.protocol.primary(self.window.point)
        if self.question is None and self.previous is not None and self.soon_after_answer:
            return self.previous.item
        return self.awaited

    @property
    def has_window_ahead(self) -> bool:
        """Whether there is a window to come in which participants are asked."""
        return any(w.point.prompted and w.span.opens_at > self.reply.arrived for w in self.case.current)

    @property
    def unscheduled_item(self) -> str | None:
        """What a number outside every window is about: the deciding item of the next window, or of the last."""
        windows = [window for window in self.case.current if window.point.prompted]
        ahead = [window for window in windows if window.span.opens_at > self.reply.arrived]
        chosen = ahead[0] if ahead else windows[-1] if windows else None
        return None if chosen is None else self.case.protocol.primary(chosen.point)

    # What we send and raise -----------------------------------------------------------------------------------------

    def send_question(self, frame: str, *, proposed: int | None = None) -> Send:
        """Return the text that asks the awaited item, for the first time or again."""
        return self.send_reply(
            "question" if frame in ("question", NOT_COUNTED) else "reask", frame, item=self.awaited, proposed=proposed
        )

    def send_reply(
        self,
        kind: str,
        frame: str,
        *,
        item: str | None = None,
        about: str | None = None,
        proposed: int | None = None,
        when: datetime | None = None,
    ) -> Send:
        """Return one reply to this text. Its key is the text's, so a text is replied to once."""
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
            medium=self.reply.medium,
        )

    def raise_task(self, reason: str, level: LevelCode = "E0") -> Iterator[Escalate]:
        """Raise a task for staff, unless the same task is open already.

        A safety word raises another task once somebody has acknowledged the one before.
        """
        task = escalate(self.case, level, reason, self.now, self.window)
        same = (e for e in self.case.escalations if e.open and (e.level, e.reason) == (level, reason))
        if any(e.window_id == task.window_id and (level != "ES" or e.acknowledged_at is None) for e in same):
            return
        yield replace(task, key=self.case.free_key(task.key))

    def hand_over(self, reason: str) -> Iterator[Escalate | Send]:
        """Raise a task and tell the participant so, once."""
        for task in self.raise_task(reason):
            yield task
            yield self.send_reply("ack", "handed-over")


def on_reply(case: Case, reply: Reply, now: datetime) -> tuple[str, tuple[Command, ...]]:
    """Return how a text was read (the name of its meaning, never its content) and the commands that follow."""
    exchange = Exchange.for_reply(case, reply, now)
    meaning = _meaning(exchange)
    left = case.participant.left_at is not None or case.locked_at is not None
    commands = _commands_after_leaving(exchange, meaning) if left else _commands(exchange, meaning)
    return type(meaning).__name__, tuple(_gated(exchange, commands))


def concerns_everyone(case: Case, reply: Reply, now: datetime) -> bool:
    """Whether a text holds for everybody who shares the telephone: stop, start, wrong number, danger."""
    meaning = _meaning(Exchange.for_reply(case, reply, now))
    return isinstance(meaning, reading.OptOut | reading.OptIn | reading.WrongNumber | reading.Safety)


def ask_who_sent(case: Case, reply: Reply, now: datetime, frame: str) -> tuple[Command, ...]:
    """Return the text that asks who of those on a telephone wrote this; none to a machine, and none beyond the limits.

    None either where this participant may not be written to, or where the provider has answered.
    """
    exchange = Exchange.for_reply(case, reply, now)
    if reply.opt_out is not None or isinstance(_meaning(exchange), reading.Tapback | reading.Automatic):
        return ()
    return tuple(_gated(exchange, [exchange.send_reply("ack", frame)]))


def may_answer_text_in_doubt(case: Case, reply: Reply, now: datetime) -> bool:
    """Whether a reply looks like the answer to a text of ours that may or may not have left.

    The reply is read once that is known. Read earlier, a good answer would be asked for again.
    """
    if not any(_in_doubt_before(text, reply.arrived) for text in case.messages):
        return False
    exchange = Exchange.for_reply(case, reply, now)
    match _meaning(exchange):
        case reading.Yes() | reading.No():
            texts = () if exchange.window is None else case.texts(exchange.window.id)
            return any(text.frame == CONFIRM_CHANGE and _in_doubt_before(text, reply.arrived) for text in texts)
        case reading.Score() | reading.ConfirmZero() | reading.Decline() | reading.Unreadable():
            asked = exchange.question is not None or not exchange.question_in_doubt
            return not asked and any(_in_doubt_before(text, reply.arrived) for text in exchange.questions_under_way)
        case _:
            return False


def _in_doubt_before(text: MessageFacts, moment: datetime) -> bool:
    return text.state in ("sending", "uncertain") and text.queued_at <= moment


def was_asked(case: Case, window: WindowFacts, item: str, arrived: datetime) -> bool:
    """Whether the provider had accepted a text that asks this item before `arrived`."""
    return _question(case, window, item, arrived) is not None


# The place of a text --------------------------------------------------------------------------------------------------


def _window(case: Case, arrived: datetime) -> WindowFacts | None:
    """Return the open window; else the last closed one whose late answers are still kept.

    None before the procedure is confirmed, and outside every such window.
    """
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


def _question(case: Case, window: WindowFacts, item: str, arrived: datetime) -> MessageFacts | None:
    """Return the newest text asking this item that the provider had accepted before `arrived`, and that did not fail.

    None if there is none, or if another window was asked about since: nobody can say which of the two is meant.
    """
    if _asked_elsewhere(case, window, arrived):
        return None
    for message in reversed(case.texts(window.id)):
        accepted = message.accepted_at is not None and message.accepted_at <= arrived
        if message.item == item and accepted and message.state not in LOST:
            return message
    return None


def _asked_elsewhere(case: Case, window: WindowFacts, arrived: datetime) -> bool:
    """Whether the newest text that asks, of those accepted before `arrived`, is about another window.

    A wrong clock may have asked about a later one, or a question of an earlier one may have left late.
    """
    asked = [
        (text.accepted_at, text.window_id)
        for text in case.messages
        if text.window_id is not None
        and (text.item is not None or text.kind in PROMPTS)
        and text.accepted_at is not None
        and text.accepted_at <= arrived
        and text.state not in LOST
    ]
    newest = max(asked, key=itemgetter(0), default=None)
    return newest is not None and case.window(newest[1]).code != window.code


# What a text means ----------------------------------------------------------------------------------------------------


def _meaning(exchange: Exchange) -> reading.Reading:
    """Read the text against the item it can answer now; a word the provider read itself is taken from there."""
    known: dict[str | None, reading.Reading] = {
        "STOP": reading.OptOut(),
        "START": reading.OptIn(),
        "HELP": reading.Help(),
    }
    if exchange.reply.opt_out in known:
        return known[exchange.reply.opt_out]
    return _read(exchange, exchange.target)


def _read(exchange: Exchange, about: str | None) -> reading.Reading:
    """Read the text's words against an item."""
    protocol = exchange.case.protocol
    item = protocol.items.get(about or "")
    return reading.read(
        exchange.reply.text,
        exchange.case.participant.language,
        item_min=0 if item is None else item.minimum,
        item_max=10 if item is None else item.maximum,
        media=exchange.reply.media,
        own_texts=tuple(text for item in protocol.items.values() for text in item.question.values()),
        safety_words=tuple(word for words in protocol.safety_words.values() for word in words),
    )


def _commands(exchange: Exchange, meaning: reading.Reading) -> Iterator[Command]:  # noqa: C901, PLR0912 -- one case a meaning
    """Return what each meaning calls for; one `match`, so that none is forgotten."""
    match meaning:
        case reading.Score(value, wish):
            yield from _on_number(exchange, value) if wish is None else _on_number_and_wish(exchange, value, wish)
        case reading.ConfirmZero() | reading.Unreadable():
            yield from _on_unreadable(exchange, zero=isinstance(meaning, reading.ConfirmZero))
        case reading.Yes() | reading.No():
            yield from _on_yes_or_no(exchange, yes=isinstance(meaning, reading.Yes))
        case reading.Decline():
            yield from _on_decline(exchange)
        case reading.OptOut():
            yield from _on_opt_out(exchange)
        case reading.OptIn():
            yield from _on_opt_in(exchange)
        case reading.Help():
            yield from _on_help(exchange)
        case reading.OptOutMentioned():
            yield HoldTexts(exchange.now + HOLD)
            yield from exchange.raise_task("stop_word")
        case reading.WrongNumber():
            yield from _on_wrong_number(exchange)
        case reading.CallMe():
            yield from _on_call_me(exchange, meaning)
        case reading.Snooze(kind, hours):
            yield from _on_snooze(exchange, kind, hours)
        case reading.Safety():
            yield exchange.send_reply("ack", "safety")
            yield from exchange.raise_task("safety_word", "ES")
        case reading.Proxy():
            yield exchange.send_reply("ack", "proxy")
            yield from exchange.raise_task("proxy_answer")
        case reading.Media():
            yield exchange.send_reply("ack", "media")
        case reading.Tapback() | reading.Automatic():
            return
        case _:
            assert_never(meaning)


def _commands_after_leaving(exchange: Exchange, meaning: reading.Reading) -> Iterator[Command]:
    """Return what follows once a participant has died or withdrawn: nothing is asked or kept, and a person reads it."""
    match meaning:
        case reading.Tapback() | reading.Automatic():
            return
        case reading.OptOut():
            yield from _on_opt_out(exchange)
        case reading.Safety():
            yield from exchange.raise_task("safety_word", "ES")
        case _:
            yield from exchange.raise_task("answer_after_leaving")


# Numbers and other answers --------------------------------------------------------------------------------------------


def _on_number(exchange: Exchange, value: int) -> Iterator[Command]:
    """Find the question that a number answers; if it answers none, ask again or hand over to a person."""
    window, awaited = exchange.window, exchange.awaited
    if window is None:
        yield from _on_unscheduled_number(exchange, value)
    elif exchange.corrected_item is not None:
        yield from _on_correction(exchange, window, exchange.corrected_item, value)
    elif awaited is None:
        yield from _on_number_after_completion(exchange, window, value)
    elif exchange.question is not None and exchange.change_proposed_since:
        # The number may be about the change we proposed or about the question before it.
        yield exchange.send_question(NOT_COUNTED, proposed=value)
    elif exchange.question is not None:
        yield from _on_answer(exchange, window, awaited, value)
    else:
        yield from _on_number_before_question(exchange, window, value)


def _on_number_before_question(exchange: Exchange, window: WindowFacts, value: int) -> Iterator[Command]:
    """Say what becomes of a number that came before the awaited question was asked: it is no answer to it."""
    previous = exchange.previous
    if exchange.soon_after_answer and previous is not None:
        if previous.value != value:
            yield from _on_other_number(exchange, window, previous, value)
        elif _may_be_an_answer(exchange, window, previous):
            yield exchange.send_question("confirm-repeat", proposed=value)
        elif not exchange.question_under_way:
            # The next question was lost: without it nobody would ask until the reminder.
            yield exchange.send_question("question", proposed=value)
    elif not exchange.question_under_way or exchange.question_in_doubt:
        # No text has asked anything yet, or it is not known whether one did: the number answers nothing.
        yield exchange.send_question(NOT_COUNTED, proposed=value)


def _on_unscheduled_number(exchange: Exchange, value: int) -> Iterator[Command]:
    """Keep a number that came outside every window, apart from the windows' answers."""
    item = exchange.unscheduled_item
    if item is not None:
        yield Record(
            window_id=None,
            item=item,
            value=value,
            declined=False,
            source=exchange.reply.source,
            received_at=exchange.reply.arrived,
            in_window=False,
            inbound_id=exchange.reply.inbound_id,
        )
    if exchange.has_window_ahead:
        yield exchange.send_reply("ack", "unscheduled")
    else:
        yield from exchange.hand_over("unscheduled_answer")


def _on_number_after_completion(exchange: Exchange, window: WindowFacts, value: int) -> Iterator[Command]:
    """Acknowledge a number that is there already; propose the change or hand over if it is another one.

    Hand over as well what may answer a question about another window.
    """
    primary = exchange.case.protocol.primary(window.point)
    if _asked_elsewhere(exchange.case, window, exchange.reply.arrived):
        yield from exchange.hand_over("number_after_completion")
    elif any(answer.value == value for answer in window.answers.values()):
        yield exchange.send_reply("ack", "already")
    elif exchange.soon_after_answer and primary is not None and exchange.reply.arrived < window.span.closes_at:
        yield exchange.send_reply("reask", CONFIRM_CHANGE, proposed=value, item=primary)
    else:
        yield from exchange.hand_over("number_after_completion")


def _on_answer(exchange: Exchange, window: WindowFacts, item: str, value: int) -> Iterator[Command]:
    """Record a number for the awaited item; the same number again within a minute is confirmed first."""
    if _is_echo(exchange, value):
        if not exchange.question_under_way:
            yield exchange.send_question("confirm-repeat", proposed=value)
        return
    yield from _record_answer(exchange, window, item, value)


def _is_echo(exchange: Exchange, value: int) -> bool:
    """Whether the telephone may have sent the text before twice: an answer, or the number that made us ask."""
    before, question = exchange.previous, exchange.question
    if question is None or question.frame == "confirm-repeat":
        return False
    asked = question.accepted_at or question.queued_at
    if before is not None and before.value == value:
        return exchange.reply.arrived - max(before.received_at, asked) <= REPEAT
    # Also where another text asks the same by now, which nobody can have read so soon.
    texts = () if exchange.window is None else exchange.case.texts(exchange.window.id)
    asking = (text for text in texts if text.item == exchange.awaited and text.frame in ("question", NOT_COUNTED))
    provoked = [text for text in asking if text.proposed == value]
    return any(exchange.reply.arrived - (text.accepted_at or text.queued_at) <= ECHO for text in provoked)


def _may_be_an_answer(exchange: Exchange, window: WindowFacts, previous: Answer) -> bool:
    """Whether a repeated number may answer the next question, of which it is not known yet whether it left.

    If we ignored it, the participant would take that question as answered, and the next number as about another one.
    """
    if not exchange.question_in_doubt or exchange.reply.arrived - previous.received_at <= ECHO:
        return False
    texts = exchange.case.texts(window.id)
    return not any(text.frame == "confirm-repeat" and text.queued_at >= previous.received_at for text in texts)


def _on_other_number(exchange: Exchange, window: WindowFacts, previous: Answer, value: int) -> Iterator[Command]:
    """Propose another number as a change of the answer before it: it may also answer the next question, known by now.

    Once a change was proposed the next question is asked instead; after the close nothing can be changed.
    """
    if exchange.reply.arrived >= window.span.closes_at:
        yield from exchange.hand_over("number_after_completion")
    elif _proposed_since(exchange, window, previous):
        yield exchange.send_question(NOT_COUNTED, proposed=value)
    else:
        yield exchange.send_reply("reask", CONFIRM_CHANGE, proposed=value, item=previous.item)


def _on_correction(exchange: Exchange, window: WindowFacts, item: str, value: int) -> Iterator[Command]:
    """Make the change that a text says it makes; propose it where the text may be about something else."""
    changeable = exchange.reply.arrived < window.span.closes_at
    if window.answers[item].value == value:
        if exchange.awaited is None:
            yield exchange.send_reply("ack", "already")
        elif exchange.question is not None or not exchange.question_under_way or exchange.question_in_doubt:
            yield exchange.send_question(NOT_COUNTED, proposed=value)
    elif not changeable or (exchange.awaited is None and not exchange.soon_after_answer):
        yield from exchange.hand_over("number_after_completion")
    elif _is_plain_correction(exchange, window, item):
        yield from _record_answer(exchange, window, item, value, corrected=True)
    else:
        yield exchange.send_reply("reask", CONFIRM_CHANGE, proposed=value, item=item)


def _is_plain_correction(exchange: Exchange, window: WindowFacts, item: str) -> bool:
    """Whether a text that corrects comes right after the answer to this item, and nothing else was asked since."""
    previous = exchange.previous
    if previous is None or previous.item != item or not exchange.soon_after_answer or exchange.awaited is None:
        return False
    asked = exchange.question is not None or exchange.question_perhaps_read
    return not asked and not _proposed_since(exchange, window, previous)


def _proposed_since(exchange: Exchange, window: WindowFacts, previous: Answer) -> bool:
    """Whether a change was proposed after this answer."""
    texts = exchange.case.texts(window.id)
    return any(text.frame == CONFIRM_CHANGE and text.queued_at >= previous.received_at for text in texts)


def _on_yes_or_no(exchange: Exchange, *, yes: bool) -> Iterator[Command]:
    """Take yes or no as the answer to a change we proposed; without one it is as unreadable as any other word."""
    window, last = exchange.window, _proposed_change(exchange)
    if window is None or last is None or last.item is None:
        # "Okay" after our thanks needs no reader.
        if not (yes and window is not None and exchange.awaited is None):
            yield from _on_unreadable(exchange)
    elif _may_mean_other_change(exchange, window, last):
        yield from exchange.hand_over("unreadable_reply")
    elif yes:
        yield from _record_answer(exchange, window, last.item, last.proposed, corrected=True)
    elif exchange.awaited is not None:
        yield exchange.send_question("question")
    else:
        yield exchange.send_reply("ack", "already")


def _proposed_change(exchange: Exchange) -> MessageFacts | None:
    """Return the text that proposed a change, if it is recent and the last one that can have been read; else None."""
    texts = () if exchange.window is None else exchange.case.texts(exchange.window.id)
    read = [(text.accepted_at, text) for text in texts if text.accepted_at is not None]
    read = [(accepted, text) for accepted, text in read if accepted <= exchange.reply.arrived]
    if not read:
        return None
    accepted, last = max(read, key=itemgetter(0))
    fits = last.frame == CONFIRM_CHANGE and exchange.reply.arrived - accepted <= CONFIRMED_WITHIN
    return last if fits else None


def _may_mean_other_change(exchange: Exchange, window: WindowFacts, last: MessageFacts) -> bool:
    """Whether another proposed change may be the one that was read last.

    It may be one of which it is not known when or whether it left, or one that was read while the newer one arrived.
    """
    quickly = last.accepted_at is not None and exchange.reply.arrived - last.accepted_at <= ECHO
    about = (last.item, last.proposed)
    for text in exchange.case.texts(window.id):
        if text.frame == CONFIRM_CHANGE and (text.item, text.proposed) != about:
            read = text.accepted_at is not None and text.accepted_at <= exchange.reply.arrived
            if quickly if read else text.state not in UNSEEN:
                return True
    return False


def _on_decline(exchange: Exchange) -> Iterator[Command]:
    """Record that the participant does not want to answer the question that was asked."""
    window, awaited = exchange.window, exchange.awaited
    if window is None or awaited is None or exchange.question is None:
        yield from _on_unreadable(exchange)
        return
    yield from _answer_commands(exchange, window, awaited, None)
    left = _next_item(window, awaited)
    if left is not None and awaited != exchange.case.protocol.primary(window.point):
        yield exchange.send_reply("question", "question", item=left)
    else:
        yield exchange.send_reply("thanks", "declined")


def _on_unreadable(exchange: Exchange, *, zero: bool = False) -> Iterator[Command]:
    """Ask again twice at the most, then hand over to a person. A question that was never asked is asked first."""
    window, awaited = exchange.window, exchange.awaited
    if window is None or awaited is None or not may_converse(exchange.case.participant):
        yield from exchange.hand_over("unreadable_reply")
        return
    again = [m for m in exchange.case.texts(window.id) if m.item == awaited and m.frame in (*REASKS, CONFIRM_ZERO)]
    if exchange.question is None and not again:
        if not exchange.question_under_way or exchange.question_in_doubt:
            yield exchange.send_question(NOT_COUNTED)
    elif len(again) >= len(REASKS):
        yield from exchange.hand_over("unreadable_reply")
    elif zero and not again:
        yield exchange.send_question(CONFIRM_ZERO, proposed=0)
    else:
        yield exchange.send_question(REASKS[len(again)])


def _record_answer(
    exchange: Exchange, window: WindowFacts, item: str, value: int | None, *, corrected: bool = False
) -> Iterator[Command]:
    """Record the answer, then send the next question, or thanks."""
    commands = tuple(_answer_commands(exchange, window, item, value))
    if not commands:
        # The window has closed: nothing was recorded, so we must not say that it was.
        yield from exchange.hand_over("number_after_completion")
        return
    yield from commands
    left = _next_item(window, item)
    late = exchange.reply.arrived >= window.span.closes_at
    if corrected:
        yield exchange.send_reply("question" if left else "thanks", "corrected", item=left, about=item, proposed=value)
    elif left is not None:
        yield exchange.send_reply("question", "question", item=left)
    else:
        yield exchange.send_reply("thanks", "thanks-late" if late else "thanks")


def _answer_commands(exchange: Exchange, window: WindowFacts, item: str, value: int | None) -> tuple[Command, ...]:
    return on_answers(
        exchange.case,
        window,
        {item: value},
        source=exchange.reply.source,
        received_at=exchange.reply.arrived,
        now=exchange.now,
        inbound_id=exchange.reply.inbound_id,
    )


def _next_item(window: WindowFacts, answered: str) -> str | None:
    """Return the next item without an answer, apart from `answered`; None if there is none."""
    return next((item for item in window.missing() if item != answered), None)


# Wishes ---------------------------------------------------------------------------------------------------------------


def _on_help(exchange: Exchange) -> Iterator[Command]:
    # The provider that read the word itself has answered it already.
    if exchange.reply.opt_out is None:
        yield exchange.send_reply("ack", "help")


def _on_wrong_number(exchange: Exchange) -> Iterator[Command]:
    """Stop texts at once; a person verifies the contact."""
    yield from wrong_telephone(exchange.case.participant, "wrong_number")
    yield from exchange.raise_task("wrong_number")


def _on_opt_out(exchange: Exchange) -> Iterator[Command]:
    if exchange.case.participant.opted_out_at is not None:
        return
    yield from opt_out(exchange.case, exchange.now)
    # The provider that read the word itself has acknowledged it already.
    if exchange.reply.opt_out is None and exchange.case.participant.has_phone:
        yield exchange.send_reply("ack", "stopped")


def _on_opt_in(exchange: Exchange) -> Iterator[Command]:
    if exchange.case.participant.opted_out_at is not None:
        yield OptIn(exchange.reply.medium)
    held = exchange.case.participant.texts_held_until
    if held is not None and held > exchange.now:
        # The doubt whether texts are wanted held them.
        yield HoldTexts(exchange.now)
    if exchange.reply.opt_out is None:
        yield exchange.send_reply("ack", "started")


def _on_call_me(exchange: Exchange, wish: reading.CallMe) -> Iterator[Command]:
    """Raise a call, or move the one that is open, and say when we call."""
    commands, hours = _called(exchange, exchange.window, wish)
    yield from commands
    yield _told(exchange.send_reply("ack", "call-me" if hours is None else "call-me-at"), hours)


def _on_number_and_wish(exchange: Exchange, value: int, wish: reading.CallMe) -> Iterator[Command]:
    """Take the number, and raise a call that outlasts it: it ends the window's own call, but not what is to be said."""
    taken = tuple(_on_number(exchange, value))
    yield from (command for command in taken if not isinstance(command, Send))
    window = exchange.window
    if window is not None:
        window = with_records(window, [r for r in taken if isinstance(r, Record) and r.window_id == window.id])
    commands, hours = _called(exchange, window, wish)
    yield from commands
    reply = next((command for command in taken if isinstance(command, Send)), None)
    if reply is None:
        yield _told(exchange.send_reply("ack", "call-me" if hours is None else "call-me-at"), hours)
    else:
        yield _told(replace(reply, after="will-call" if hours is None else "will-call-at"), hours)


def _called(
    exchange: Exchange, window: WindowFacts | None, wish: reading.CallMe
) -> tuple[tuple[Command, ...], CallHours | None]:
    return ask_for_call(exchange.case, window, exchange.reply.arrived, exchange.now, wish.part, tomorrow=wish.tomorrow)


def _told(reply: Send, hours: CallHours | None) -> Send:
    """Return the reply that says in which hours we call."""
    return reply if hours is None else replace(reply, when=hours.starts, until=hours.ends)


def _on_snooze(exchange: Exchange, kind: str, hours: int) -> Iterator[Command]:
    """Move the next prompt to when the participant wants it; if none can be moved, raise a call."""
    window, arrived = exchange.window, exchange.reply.arrived
    zone = exchange.case.participant.zone
    today = local_day(arrived, zone)
    wish = arrived + hours * HOUR
    if kind == "tonight":
        wish = max(wish, local_instant(today, EVENING, zone))
    elif kind == "tomorrow":
        wish = local_instant(today + timedelta(days=1), MORNING, zone)
    moved = None
    if window is not None and may_converse(exchange.case.participant):
        moved = moved_prompt(exchange.case, window, max(wish, exchange.now))
    if moved is None:
        evening: Part | None = "evening" if kind == "tonight" else None
        yield from _on_call_me(exchange, reading.CallMe(evening, tomorrow=kind == "tomorrow"))
        return
    yield Snooze(moved)
    yield exchange.send_reply("ack", "snoozed", when=moved)


# How often we may reply -----------------------------------------------------------------------------------------------


def _gated(exchange: Exchange, commands: Iterable[Command]) -> Iterator[Command]:
    """Drop texts to a participant who may not be written to, and replies beyond the limits of an hour and a day."""
    participant = exchange.case.participant
    recent = [m for m in exchange.case.messages if m.queued_at > exchange.now - HOUR and m.kind not in PROMPTS]
    asides = sum(_is_aside(m.kind, m.frame) for m in recent)
    day = sum(_is_aside(m.kind, m.frame) for m in exchange.case.messages if m.queued_at > exchange.now - DAY)
    for command in commands:
        if isinstance(command, OptIn):
            participant = replace(participant, opted_out_at=None)
        if isinstance(command, Send) and participant.died_at is not None:
            continue  # Somebody else reads this telephone now: send nothing, not even an acknowledgement.
        if isinstance(command, Send) and command.frame != "stopped":
            if not may_text(participant, command.medium):
                continue
            too_many = _is_aside(command.kind, command.frame) and (asides >= ASIDES_AN_HOUR or day >= ASIDES_A_DAY)
            if too_many or len(recent) >= REPLIES_AN_HOUR:
                if command.kind == "reask":
                    yield from exchange.raise_task("unreadable_reply")
                continue
        yield command


def _is_aside(kind: str, frame: str) -> bool:
    return kind in ASIDES and frame not in ALWAYS
