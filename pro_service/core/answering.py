"""What a text about an answer calls for: a number, yes or no, a refusal, or something nobody can read.

A score is never guessed: what is not exact is asked again, then a person takes over.
"""

from collections.abc import Iterator
from datetime import timedelta
from operator import itemgetter

from pro_service.core.answers import on_answers
from pro_service.core.case import Answer, MessageFacts, State, WindowFacts
from pro_service.core.commands import Command, Record
from pro_service.core.decisions import may_text
from pro_service.core.turn import Turn

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


def number(turn: Turn, value: int) -> Iterator[Command]:
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


def _may_be_an_answer(turn: Turn, window: WindowFacts, previous: Answer) -> bool:
    """Whether a number given before may answer the next question, of which nobody knows yet whether it left.

    Passed over in silence, its writer would think that question answered, and mean another by the number after it.
    """
    if not turn.in_doubt or turn.reply.arrived - previous.received_at <= ECHO:
        return False
    texts = turn.case.texts(window.id)
    return not any(text.frame == "confirm-repeat" and text.queued_at >= previous.received_at for text in texts)


def _another(turn: Turn, window: WindowFacts, previous: Answer, value: int) -> Iterator[Command]:
    """Correct the answer before; but where the next question may have been read, the number may be about that one."""
    if not turn.perhaps_seen:
        yield from _record(turn, window, previous.item, value, corrected=True)
        return
    texts = turn.case.texts(window.id)
    if any(text.frame == CONFIRM_CHANGE and text.queued_at >= previous.received_at for text in texts):
        yield turn.ask("question")
    else:
        yield turn.say("reask", CONFIRM_CHANGE, proposed=value, item=previous.item)


def yes_or_no(turn: Turn, *, yes: bool) -> Iterator[Command]:
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


def _proposal(turn: Turn) -> MessageFacts | None:
    """The change we proposed, where nothing that can have been read came after it, and not too long ago."""
    texts = () if turn.window is None else turn.case.texts(turn.window.id)
    read = [(text.accepted_at, text) for text in texts if text.accepted_at is not None]
    read = [(accepted, text) for accepted, text in read if accepted <= turn.reply.arrived]
    if not read:
        return None
    accepted, last = max(read, key=itemgetter(0))
    fits = last.frame == CONFIRM_CHANGE and turn.reply.arrived - accepted <= CONFIRMED_WITHIN
    return last if fits else None


def _may_mean_another(turn: Turn, window: WindowFacts, last: MessageFacts) -> bool:
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


def decline(turn: Turn) -> Iterator[Command]:
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


def unreadable(turn: Turn, *, zero: bool = False) -> Iterator[Command]:
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


def _unscheduled(turn: Turn, value: int) -> Iterator[Command]:
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


def _answer(turn: Turn, window: WindowFacts, item: str, value: int) -> Iterator[Command]:
    """Keep a number for the awaited item; the same number again within a minute is confirmed first."""
    if _is_echo(turn, value):
        if not turn.on_its_way:
            yield turn.ask("confirm-repeat", proposed=value)
        return
    yield from _record(turn, window, item, value)


def _is_echo(turn: Turn, value: int) -> bool:
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
    turn: Turn, window: WindowFacts, item: str, value: int | None, *, corrected: bool = False
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


def _kept(turn: Turn, window: WindowFacts, item: str, value: int | None) -> tuple[Command, ...]:
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


def _after_completion(turn: Turn, window: WindowFacts, value: int) -> Iterator[Command]:
    primary = turn.case.protocol.primary(window.point)
    if any(answer.value == value for answer in window.answers.values()):
        yield turn.say("ack", "already")
    elif turn.soon and primary is not None and turn.reply.arrived < window.span.closes_at:
        yield turn.say("reask", CONFIRM_CHANGE, proposed=value, item=primary)
    else:
        yield from turn.person("number_after_completion")
