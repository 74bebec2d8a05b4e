"""Virtual time: days that never were, lived through by the real use cases; nothing leaves the process.

The demonstration and the rehearsal share it. A clock jumps from one moment that matters to the next; texts arrive on
telephones inside the process at once, and whoever invents the people says what they do with them.
"""

import heapq
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

from pro_service.gateways.nowhere import NowhereGateway
from pro_service.gateways.outgoing import Accepted, Gateway, Outgoing
from pro_service.runtime import Runtime
from pro_service.store.messages import waiting
from pro_service.store.participants import cases
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tick import tick

Progress = Callable[[int, int], None]
"""(days lived through, days in all)."""

LINK = re.compile(r"/q/([\w-]+)")
"""The address in a text, by the token of the form it opens."""

AGAIN = timedelta(minutes=1)
"""What was due and could not be done is tried again so soon."""


@dataclass(slots=True)
class VirtualClock:
    """A clock that shows what it was set to."""

    now: datetime

    def __call__(self) -> datetime:
        """Read it."""
        return self.now


@dataclass(slots=True)
class Telephones(NowhereGateway):
    """A telephone network inside the process: it takes every text, and remembers which have not been read."""

    arrived: list[Outgoing] = field(default_factory=list)

    def send(self, outgoing: Outgoing) -> Accepted:
        """Take a text; its id follows from the message's, so that a life lived again is the same."""
        self.arrived.append(outgoing)
        return Accepted(sid_of(outgoing), "queued")


def sid_of(outgoing: Outgoing) -> str:
    """The id under which the network took this text."""
    return f"SM{outgoing.message_id:032x}"


class Life:
    """A stretch of virtual time, and what is going to happen in it."""

    def __init__(self, rt: Runtime, now: datetime, mail: Gateway | None = None) -> None:
        self.clock = VirtualClock(now)
        self.telephones = Telephones()
        self.rt = replace(rt, clock=self.clock, sms=self.telephones, mail=mail)
        self.faults = 0
        """Participants the rules stumbled over."""
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = count()
        self._texts = count(1)

    @property
    def now(self) -> datetime:
        """The virtual present."""
        return self.clock.now

    def at(self, moment: datetime, action: Callable[[], None]) -> None:
        """Let something happen at a moment; of two at the same moment the one that was said first."""
        heapq.heappush(self._events, (moment, next(self._order), action))

    def after(self, wait: timedelta, action: Callable[[], None]) -> None:
        """Let something happen a while from now."""
        self.at(self.now + wait, action)

    def text(self, phone: str, words: str) -> None:
        """Somebody writes to the study."""
        said = {"MessageSid": f"SM{next(self._texts):031x}d", "From": phone, "Body": words, "NumMedia": "0"}
        receive.receive(self.rt, said)

    def receipt(self, outgoing: Outgoing, status: str, error: str = "") -> None:
        """The network says what became of a text."""
        token = str(outgoing.callback_url).rpartition("/")[2]
        said = {"MessageSid": sid_of(outgoing), "MessageStatus": status, "ErrorCode": error}
        receive.take_receipt(self.rt, token, said)

    def live(self, end: datetime, read: Callable[[Outgoing], None], progress: Progress) -> None:
        """Go from one moment that matters to the next until `end`; `read` is called for every text that arrives."""
        start = self.clock.now = min((moment for moment, _, _ in self._events), default=end)
        days, before = (end - start).days, None
        while True:
            due = self._due()
            moments = [moment for moment, _, _ in self._events[:1]]
            if due is not None:
                moments.append(self.now + AGAIN if due == before and due <= self.now else due)
            before = due
            moment = min(moments, default=end)
            if moment >= end:
                progress(days, days)
                return
            self.clock.now = max(moment, self.now)
            self._beat(read)
            progress((self.now - start).days, days)

    def _beat(self, read: Callable[[Outgoing], None]) -> None:
        while self._events and self._events[0][0] <= self.now:
            heapq.heappop(self._events)[2]()
        self.faults += tick(self.rt).faults
        deliver(self.rt)
        texts, self.telephones.arrived = self.telephones.arrived, []
        # They were sent side by side: in the order in which they were decided a life lived again is the same.
        for text in sorted(texts, key=lambda outgoing: outgoing.message_id):
            read(text)

    def _due(self) -> datetime | None:
        with self.rt.sessions.reading() as session:
            moments = (cases.earliest_check(session), waiting.next_try(session))
        return min((moment for moment in moments if moment is not None), default=None)
