"""Virtual time: the real use cases run through invented days, and nothing leaves the process.

The demonstration and the rehearsal share it. A clock jumps from one moment at which something happens to the next;
texts arrive at once on telephones inside the process, and the caller decides what participants do with them.
"""

import heapq
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

from pro_service.core.providers import FACTS, Arrival, Facts, Receipt, WayOut
from pro_service.gateways.nowhere import NowhereGateway
from pro_service.gateways.outgoing import Accepted, Gateway, Outgoing
from pro_service.runtime import Runtime
from pro_service.store.messages import waiting
from pro_service.store.participants import cases
from pro_service.use_cases import safety_alerts
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tick import tick

Progress = Callable[[int, int], None]
"""(days done, days in all)."""

LINK = re.compile(r"/q/([\w-]+)")
"""The address in a text, by the token of the form it opens."""

RETRY_AFTER = timedelta(minutes=1)
"""How soon something is tried again that was due and could not be done."""


@dataclass(slots=True)
class VirtualClock:
    """A clock that shows the instant it was set to."""

    now: datetime

    def __call__(self) -> datetime:
        """Return the instant."""
        return self.now


@dataclass(slots=True)
class Telephones(NowhereGateway):
    """A telephone network inside the process: it takes every text and keeps those that were not read yet."""

    arrived: list[Outgoing] = field(default_factory=list)
    facts: Facts = FACTS["sms"]

    def send(self, outgoing: Outgoing) -> Accepted:
        """Take a text. Its id follows from the message's id, so that a second run gives the same."""
        self.arrived.append(outgoing)
        return Accepted(sid_of(outgoing, self.facts.way), "queued")


def sid_of(outgoing: Outgoing, way: WayOut = "sms") -> str:
    """Return the id under which the network took this text."""
    return f"{'' if way == 'sms' else f'{way}:'}SM{outgoing.message_id:032x}"


class VirtualTime:
    """A stretch of virtual time, and what is planned in it."""

    def __init__(
        self, rt: Runtime, now: datetime, mail: Gateway | None = None, ways: Sequence[WayOut] = ("sms",)
    ) -> None:
        self.clock = VirtualClock(now)
        self.telephones = Telephones()
        # One telephone shows what comes by every way.
        texts = {way: Telephones(self.telephones.arrived, FACTS[way]) for way in ways}
        self.rt = replace(rt, clock=self.clock, texts=texts, mail=mail)
        self.faults = 0
        """How often the rules failed for a participant."""
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = count()
        self._texts = count(1)

    @property
    def now(self) -> datetime:
        """The virtual present."""
        return self.clock.now

    def schedule(self, moment: datetime, action: Callable[[], None]) -> None:
        """Plan an action at a moment; of two at the same moment the one planned first goes first."""
        heapq.heappush(self._events, (moment, next(self._order), action))

    def schedule_after(self, wait: timedelta, action: Callable[[], None]) -> None:
        """Plan an action after a while."""
        self.schedule(self.now + wait, action)

    def send_reply(self, phone: str, words: str, way: WayOut = "sms") -> None:
        """Let a participant write to the study."""
        said = {"from": phone, "body": words}
        said_at = f"{'' if way == 'sms' else f'{way}:'}SM{next(self._texts):031x}d"
        receive.receive(self.rt, Arrival(way, said_at, phone, words, said))

    def report_delivery(self, outgoing: Outgoing, status: str, error: str = "", way: WayOut = "sms") -> None:
        """Let the network report what became of a text."""
        said = Receipt(sid_of(outgoing, way), status, error, outgoing.token)
        receive.take_receipt(self.rt, said, FACTS[way].provider)

    def run(self, end: datetime, read: Callable[[Outgoing], None], progress: Progress) -> None:
        """Go from one moment at which something happens to the next until `end`.

        `read` is called for every text that arrives, `progress` with the days done and the days in all.
        """
        start = self.clock.now = min((moment for moment, _, _ in self._events), default=end)
        days, before = (end - start).days, None
        while True:
            due = self._due()
            moments = [moment for moment, _, _ in self._events[:1]]
            if due is not None:
                moments.append(self.now + RETRY_AFTER if due == before and due <= self.now else due)
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
        if self.rt.mail is not None:
            # Nobody here has left a telephone.
            safety_alerts.alert(self.rt)
        deliver(self.rt)
        texts = list(self.telephones.arrived)
        self.telephones.arrived.clear()
        # They were sent side by side: in the order in which they were decided a life lived again is the same.
        for text in sorted(texts, key=lambda outgoing: outgoing.message_id):
            read(text)

    def _due(self) -> datetime | None:
        with self.rt.sessions.reading() as session:
            moments = [cases.earliest_check(session), waiting.next_try(session)]
            if self.rt.mail is not None:
                moments.append(safety_alerts.next_moment(self.rt, session))
        return min((moment for moment in moments if moment is not None), default=None)
