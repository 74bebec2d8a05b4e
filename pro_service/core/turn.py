"""One text from a participant in its place: the window it belongs to, what it may answer, and how we speak back.

An answer is bound to a question: a number counts for the awaited item only if the provider had accepted that item's
question before the text arrived.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pro_service.core.case import PENDING, Answer, Case, MessageFacts, WindowFacts
from pro_service.core.commands import Escalate, Send
from pro_service.core.decisions import escalate
from pro_service.core.protocol import LevelCode

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
class Turn:
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
    def of(cls, case: Case, reply: Reply, now: datetime) -> "Turn":
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
