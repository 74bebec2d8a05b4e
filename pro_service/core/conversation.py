"""What a text from a participant calls for: what was meant, what follows, and the gate of every reply.

What answers a question is in `answering`; here are the wishes, and how often we may speak.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import assert_never

from pro_service.core import answering, replies
from pro_service.core.calendar import local_day
from pro_service.core.case import PROMPTS, Case
from pro_service.core.commands import CancelTexts, Command, HoldTexts, OptIn, OptOut, Send, Snooze, Unreachable
from pro_service.core.decisions import escalate, may_text, primary_open
from pro_service.core.prompts import moved_prompt
from pro_service.core.turn import Reply, Turn, asked
from pro_service.core.windows import local_instant

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
    turn = Turn.of(case, reply, now)
    reading = _reading(turn)
    left = case.participant.left_at is not None
    commands = _after_leaving(turn, reading) if left else _carry(turn, reading)
    return type(reading).__name__, tuple(_passed(turn, commands))


def concerns_everyone(case: Case, reply: Reply, now: datetime) -> bool:
    """Whether a text is about the telephone, whoever of those who share it wrote it: stop, start, danger."""
    reading = _reading(Turn.of(case, reply, now))
    return isinstance(reading, replies.OptOut | replies.OptIn | replies.WrongNumber | replies.Safety)


def _passed(turn: Turn, commands: Iterable[Command]) -> Iterator[Command]:
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


def _reading(turn: Turn) -> replies.Reading:
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


def _after_leaving(turn: Turn, reading: replies.Reading) -> Iterator[Command]:
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


def _carry(turn: Turn, reading: replies.Reading) -> Iterator[Command]:  # noqa: C901, PLR0912 -- one case a meaning
    """One `match`, so that no meaning is forgotten."""
    match reading:
        case replies.Score(value):
            yield from answering.number(turn, value)
        case replies.ConfirmZero() | replies.Unreadable():
            yield from answering.unreadable(turn, zero=isinstance(reading, replies.ConfirmZero))
        case replies.Yes() | replies.No():
            yield from answering.yes_or_no(turn, yes=isinstance(reading, replies.Yes))
        case replies.Decline():
            yield from answering.decline(turn)
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


def _help(turn: Turn) -> Iterator[Command]:
    # The provider that read the word itself has answered it already.
    if turn.reply.opt_out is None:
        yield turn.say("ack", "help")


def _wrong_number(turn: Turn) -> Iterator[Command]:
    """Stop at once; somebody verifies the contact."""
    if turn.case.participant.unreachable_at is None:
        yield Unreachable("wrong_number")
        yield CancelTexts()
    yield from turn.task("wrong_number")


def _opt_out(turn: Turn) -> Iterator[Command]:
    if turn.case.participant.opted_out_at is not None:
        return
    yield OptOut()
    yield CancelTexts()
    # The provider that read the word itself has acknowledged it already.
    if turn.reply.opt_out is None and turn.case.participant.has_phone:
        yield turn.say("ack", "stopped")


def _opt_in(turn: Turn) -> Iterator[Command]:
    if turn.case.participant.opted_out_at is not None:
        yield OptIn()
    if turn.reply.opt_out is None:
        yield turn.say("ack", "started")


def _call_me(turn: Turn) -> Iterator[Command]:
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


def _snooze(turn: Turn, kind: str, hours: int) -> Iterator[Command]:
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
