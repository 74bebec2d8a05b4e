"""Texts that only a person can read: which they are, which window a score may belong to, what may be answered.

Staff never write to a participant in words of their own: every answer is a text of the study and passes the same gate
as all others (decision 15).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pro_service.core.case import Case, WindowFacts
from pro_service.core.commands import CallWish, Command, Escalate, Record, Resolve, Send
from pro_service.core.conversation.answers import editable
from pro_service.core.conversation.rules import Exchange, Reply
from pro_service.core.providers import FACTS, WayOut
from pro_service.core.schedule.agenda import STOPPED, escalate, may_text
from pro_service.core.schedule.causes import is_call_of_window
from pro_service.core.schedule.status import primary_open
from pro_service.core.schedule.windows import next_allowed


@dataclass(frozen=True, slots=True)
class Received:
    """A text that is answered, by what it came by."""

    id: int
    way: WayOut
    at: datetime


ALWAYS = {
    "OptOutMentioned": "stop_word",
    "Proxy": "proxy_answer",
    "Media": "picture",
    "WrongNumber": "wrong_number",
    "Safety": "safety_word",
}
"""Readings that a person looks at whatever else follows -> why."""
UNDERSTOOD = frozenset({"asked_for_call", "score_threshold", STOPPED})
"""Escalations that a text can cause although it was understood."""
READING = frozenset(
    {"unreadable_reply", "number_after_completion", "unscheduled_answer", "answer_after_leaving", "proxy_answer"}
    | {"shared_telephone"}
)
"""Tasks that are nothing but "read this": they end when the last text that waits has been dealt with."""
ASKS = "reask"
ANSWERS = (ASKS, "media", "proxy", "handed-over", "call-me", "help", "unscheduled")
"""Texts a person may choose as an answer, by the name of their template."""


def reason_for_person(case: Case, reading: str, commands: Sequence[Command]) -> str | None:
    """Return why a person has to look at a text that was read like this; None if the rules did all it called for."""
    raised = (c.reason for c in commands if isinstance(c, Escalate) and c.reason not in UNDERSTOOD)
    reason = next(raised, None) or ALWAYS.get(reading)
    if reason is not None:
        return reason
    if case.participant.left_at is not None or case.locked_at is not None:
        return "answer_after_leaving" if reading not in ("Tapback", "Automatic", "OptOut") else None
    if reading in ("Tapback", "Automatic") or not all(_is_apart(command) for command in commands):
        return None
    # Nothing followed: perhaps because the same is a person's work already.
    return next((e.reason for e in case.escalations if e.open and e.reason in READING), None)


def _is_apart(command: Command) -> bool:
    """Whether a command keeps a number outside every window, which answers nothing."""
    return isinstance(command, Record) and command.window_id is None


def windows_for(case: Case, arrived: datetime) -> tuple[WindowFacts, ...]:
    """Return the windows whose answers a text that arrived then may give or change; it counts by its own arrival."""
    return tuple(window for window in case.current if window.point.prompted and editable(window, "sms", arrived))


def sendable_answers(case: Case, received: Received, now: datetime) -> tuple[str, ...]:
    """Return the names of the texts that may be sent now; none outside contact hours or to a closed gate.

    Nor where nothing but templates may go any more, for no answer is one.
    """
    facts = FACTS[received.way]
    over = facts.session is not None and now >= received.at + facts.session
    if over or not may_text(case.participant, facts.medium) or next_sending_time(case, now) > now:
        return ()
    exchange = _exchange_now(case, received, now)
    asks = exchange.window is not None and exchange.awaited is not None and now < exchange.window.span.closes_at
    return tuple(name for name in ANSWERS if name != ("unscheduled" if asks else ASKS))


def next_sending_time(case: Case, now: datetime) -> datetime:
    """Return when a text that the participant does not wait for may go: now, or at the start of contact hours."""
    return next_allowed(now, case.protocol.contact_hours, case.participant.zone)


def answer_text(case: Case, received: Received, name: str, now: datetime) -> Send:
    """Return the text with this name, once for each received text; raise ValueError if it may not be sent now."""
    if name not in sendable_answers(case, received, now):
        raise ValueError(name)
    exchange = _exchange_now(case, received, now)
    send = exchange.send_question(name) if name == ASKS else exchange.send_reply("ack", name)
    return replace(send, key=f"m:{received.id}:{name}", contact_hours=True)


def _exchange_now(case: Case, received: Received, now: datetime) -> Exchange:
    return Exchange.for_reply(case, Reply(received.id, "", now, medium=FACTS[received.way].medium), now)


def call_task(case: Case, inbound_id: int, now: datetime) -> Escalate | None:
    """Return a call about this text: the window's own while its answer is missing.

    None if such a call is open already.
    """
    window = next((w for w in case.current if w.point.prompted and w.span.opens_at <= now < w.span.closes_at), None)
    if window is not None and primary_open(case, window):
        if any(e.open and e.window_id == window.id and is_call_of_window(e) for e in case.escalations):
            return None
        call = escalate(case, "E1", "asked_for_call", now, window)
        if not case.escalated(call.key):
            return replace(call, wish=CallWish(now))
    task = escalate(case, "E0", "asked_for_call", now, window)
    return replace(task, key=f"{task.key}:i{inbound_id}", wish=CallWish(now))


def resolve_reading_tasks(case: Case) -> tuple[Resolve, ...]:
    """Return the end of the tasks about reading texts, once no text of the participant waits any more."""
    return tuple(
        Resolve(e.id, "done")
        for e in case.escalations
        if e.open and e.reason in READING and _is_about_participant(e.key)
    )


def resolve_tasks_about_text(case: Case, inbound_id: int) -> tuple[Resolve, ...]:
    """Return the end of the tasks about this one text, whose sender nobody knew."""
    mark = f":i{inbound_id}:"
    return tuple(Resolve(e.id, "done") for e in case.escalations if e.open and e.reason in READING and mark in e.key)


def _is_about_participant(key: str) -> bool:
    """Whether a task is about the participant, and not about one text from a telephone that others have too."""
    return ":p" not in key.partition(":i")[2]
