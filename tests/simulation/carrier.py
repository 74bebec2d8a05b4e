"""The telephone company of a run: it takes texts or fails at them, tells what became of them, and can be asked.

It stands in for Twilio at the gateway's interface. What it has taken is the truth that the product is held against.
"""

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from pro_service.core.providers import FACTS, MAIL, Arrival, Facts
from pro_service.gateways.outgoing import Accepted, Forgotten, Outgoing, Record, Refused, Unavailable, Uncertain
from pro_service.gateways.twilio.hooks import WHATSAPP, text_of
from tests.simulation.breaking import KilledError
from tests.simulation.weather import Fate, fate
from tests.simulation.world import World

OURS = "+15005550006"
LATE = timedelta(seconds=60)
"""A text that the provider takes after it broke off the connection is taken this soon."""
LAG = timedelta(seconds=50)
"""So soon the provider's list shows what was taken: together with LATE, before it is asked about a text."""
LEASE = timedelta(seconds=60)
FAILURES = (
    *((30003, "later"), (30005, "other_channel"), (30007, "blocked"), (30008, "later"), (21610, "opted_out")),
    *((30022, "busy"), (30023, "daily_limit"), (30034, "configuration")),
)
ON_WHATSAPP = (
    *((63003, "other_channel"), (63014, "opted_out"), (63016, "template"), (63018, "busy"), (63024, "other_channel")),
    *((63038, "daily_limit"), (63049, "marketing"), (63007, "configuration")),
)


class Meanwhile(Protocol):
    """Others go on for a while, in the middle of what one worker does."""

    def __call__(self, lasts: timedelta) -> None:
        """Let so much time pass."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """One text that the provider has taken over."""

    sid: str
    outgoing: Outgoing
    facts: Facts
    """What carried it."""
    handed_at: datetime
    """When our call began, by the product's clock: what the product is answerable for."""
    left_at: datetime
    """The same moment by everybody else's clock."""
    at: datetime


@dataclass(slots=True)
class Carrier:
    """Takes texts, remembers them, and sends status callbacks and replies."""

    world: World
    meanwhile: Meanwhile
    handed: Callable[[Outgoing], None]
    """Told of every text at the moment it is handed over, before anything becomes of it."""
    took: Callable[["Taken"], None]
    """Told of every text at the moment it is taken over."""
    arrived: Callable[[Outgoing, Facts], None]
    """Told of every text at the moment it is on its telephone, and of what carried it."""
    callback: Callable[[str, dict[str, str]], None]
    """Takes (token, parameters) of a status callback; fails as a web server does."""
    taken: list[Taken] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    written: list[Arrival] = field(default_factory=list)
    on_the_way: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Number -> texts that are in the air."""
    unseen: set[str] = field(default_factory=set)
    """Numbers whose last text was taken over and never arrived."""
    interrupted: set[int] = field(default_factory=set)
    """Messages whose call broke off before they were taken."""
    luck: random.Random = field(default_factory=lambda: random.Random(14))  # noqa: S311 -- apart from other chance
    number: int = 0
    elsewhere: bool = False
    facts: Facts = FACTS["sms"]
    pace: float | None = None

    @property
    def mark(self) -> str:
        """What stands before numbers, and before ids as we keep them."""
        return WHATSAPP if self.facts.way == "whatsapp" else ""

    # The gateway -----------------------------------------------------------------------------------------------------

    def send(self, outgoing: Outgoing) -> Accepted:
        """Take one text, or fail at it as the run's weather wants it."""
        now = self.world.now
        handed_at = self.world.clock.now
        self.handed(outgoing)
        become = self._worse(outgoing, fate(self.world.chance, self.world.weather, now))
        if become != "taken":
            self.world.ledger.note("carrier", f"message {outgoing.message_id}: {become}")
        self._refuse(become)
        if become == "late":
            self.on_the_way[outgoing.to] += 1
            after = LATE * self.world.chance.random()
            self.world.at(now + after, partial(self._take, outgoing, handed_at, now, late=True))
            raise Uncertain(504)
        sid = self._take(outgoing, handed_at, now)
        if become == "taken, then lost":
            raise Uncertain(500)
        if become == "killed":
            message = "after the provider took the text"
            raise KilledError(message)
        if become == "frozen":
            self.meanwhile(self.world.chance.choice((0.05, 0.5, 1.5, 4, 30)) * LEASE)
        return Accepted(sid, "queued")

    def _worse(self, outgoing: Outgoing, become: Fate) -> Fate:
        """Interrupt a text again that was interrupted before, more often than chance would."""
        if outgoing.message_id in self.interrupted and become == "taken" and self.world.weather.faults:
            become = self.luck.choice(("taken", "lost", "killed early"))
        if become in ("lost", "killed early"):
            self.interrupted.add(outgoing.message_id)
        return become

    def _refuse(self, become: Fate) -> None:
        """Raise what stands for a text that was certainly, or perhaps, not taken."""
        if become == "busy":
            raise Unavailable(429, self.world.chance.choice((None, 1.0, 30.0)))
        if become == "away":
            raise Unavailable(None)
        if become == "refused":
            raise self.world.chance.choice((Refused(21266), Refused(21617, "template"), Refused(21614, "bad_number")))
        if become == "turned away":
            raise self.world.chance.choice((Refused(20003, "credentials"), Refused(21606, "configuration")))
        if become == "killed early":
            message = "before the provider took the text"
            raise KilledError(message)
        if become == "lost":
            raise Uncertain(self.world.chance.choice((None, 500, 503)))

    def _take(self, outgoing: Outgoing, handed_at: datetime, left_at: datetime, *, late: bool = False) -> str:
        if late:
            self.on_the_way[outgoing.to] -= 1
        now = self.world.now
        self.number += 1
        sid = f"{self.mark}SM{self.number:032x}"
        self.taken.append(Taken(sid, outgoing, self.facts, handed_at, left_at, now))
        self.took(self.taken[-1])
        self.records.append(Record(sid, "queued", outgoing.to, outgoing.body, now))
        self.world.ledger.note("carrier", f"message {outgoing.message_id}: taken as …{sid[-4:]}")
        self._carry(outgoing, sid)
        return sid

    # What becomes of a text ------------------------------------------------------------------------------------------

    def _carry(self, outgoing: Outgoing, sid: str) -> None:
        """Bring the text to its telephone, or fail to; tell about it, in whatever order."""
        world, chance = self.world, self.world.chance
        fails = chance.random() < world.weather.faults / 8
        after = timedelta(seconds=chance.choice((2, 5, 20)))
        if fails:
            self.unseen.add(outgoing.to)
        else:
            self.on_the_way[outgoing.to] += 1
            world.at(world.now + after, partial(self._arrive, outgoing))
        if not fails and chance.random() < 0.4:
            return
        failures = ON_WHATSAPP if self.mark else FAILURES
        told = [("undelivered", str(chance.choice(failures)[0]))] if fails else [("delivered", "")]
        if chance.random() < 0.3:
            told.insert(0, ("sent", ""))
        if chance.random() < world.weather.receipts:
            told = self._muddled(told)
            if chance.random() < 0.5:
                self._tell(outgoing, sid, *told.pop(0))  # before the response
        for status, error in told:
            after += timedelta(seconds=chance.choice((0, 1, 7, 600)))
            world.at(world.now + after, partial(self._tell, outgoing, sid, status, error))

    def _muddled(self, told: list[tuple[str, str]]) -> list[tuple[str, str]]:
        chance = self.world.chance
        more = chance.choice(([], [("queued", "")], [("sending", ""), ("sent", "")], [("undelivered", "30008")], told))
        both = [*told, *more]
        chance.shuffle(both)
        return both

    def _arrive(self, outgoing: Outgoing) -> None:
        self.on_the_way[outgoing.to] -= 1
        self.unseen.discard(outgoing.to)
        self.arrived(outgoing, self.facts)

    def _tell(self, outgoing: Outgoing, sid: str, status: str, error: str) -> None:
        token = outgoing.token
        said = {"MessageSid": sid.removeprefix(self.mark), "MessageStatus": status, "To": self.mark + outgoing.to}
        said |= {"ErrorCode": error} if error else {}
        self.callback(token, said)

    # What it can be asked --------------------------------------------------------------------------------------------

    def write(self, number: str, body: str) -> dict[str, str]:
        """Take a text from a person; gives what its webhook says."""
        self.number += 1
        said = {
            "MessageSid": f"SM{self.number:032x}",
            "From": self.mark + number,
            "To": self.mark + OURS,
            "Body": body,
            "NumMedia": "0",
        }
        self.written.append(text_of(said, self.world.now))
        return said

    def fetch(self, sid: str) -> Record | None:
        """Read one text back."""
        self._asked()
        read = [Record(one.provider_id, "received", one.to, one.body, one.at) for one in self.written]
        return next((record for record in (*self.records, *read) if record.sid == sid), None)

    def recall(self, token: str, to: str, body: str, created_after: datetime) -> list[Record]:  # noqa: ARG002
        """List what one telephone got since then, and holds this text."""
        return [one for one in self.list_sent(created_after) if one.to == to and body in one.body]

    def list_sent(self, created_after: datetime) -> list[Record]:
        """List what was sent since then; the newest may not be on the list yet."""
        shown = self._shown()
        return [one for one in self.records[::-1] if one.created_at and created_after <= one.created_at <= shown]

    def pull(self, created_after: datetime) -> list[Arrival]:
        """List what people wrote since then; the newest may not be on the list yet."""
        shown = self._shown()
        return [one for one in self.written[::-1] if one.at and created_after <= one.at <= shown]

    def forget(self, sid: str) -> Forgotten:
        """Forget one text."""
        self._asked()
        self.records = [record for record in self.records if record.sid != sid]
        self.written = [arrival for arrival in self.written if arrival.provider_id != sid]
        return "deleted"

    def close(self) -> None:
        """There is nothing to close."""

    def _shown(self) -> datetime:
        self._asked()
        return self.world.now - LAG * self.world.chance.random()

    def _asked(self) -> None:
        if self.world.weather.down("provider", at=self.world.now):
            raise Unavailable(503)


@dataclass(slots=True)
class Mail:
    """A mail host that is sometimes away; `read` is told of every mail to staff that was taken.

    Mails to participants count with the carrier's texts: what is given twice under one reference is one mail.
    """

    world: World
    read: Callable[[], None]
    carrier: Carrier
    luck: random.Random
    """Chance of its own, for mails to participants."""
    taken: list[Outgoing] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    def send(self, outgoing: Outgoing) -> Accepted:
        """Take one mail."""
        if outgoing.unsubscribe:
            return self._to_participant(outgoing)
        if self.world.chance.random() < self.world.weather.faults:
            raise self.world.chance.choice((Unavailable(421), Uncertain(None)))
        self.taken.append(outgoing)
        self.read()
        return Accepted(f"mail-{len(self.taken)}", "accepted")

    def _to_participant(self, outgoing: Outgoing) -> Accepted:
        handed_at, now = self.world.clock.now, self.world.now
        self.carrier.handed(outgoing)
        drawn = self.luck.random() if self.world.weather.faults else 1.0
        if drawn < 0.05:
            raise Unavailable(421)
        if drawn < 0.1 and outgoing.reference not in self.known:
            # Not of a mail that it has taken before: that address is there.
            raise Refused("NO_MAILBOX", "bad_number") if drawn < 0.08 else Refused("ADDRESS_REFUSED", "blocked")
        if drawn < 0.13:
            raise Uncertain(None)
        sid = f"<{outgoing.reference}@example.org>"
        if outgoing.reference not in self.known:
            self.known.add(outgoing.reference)
            self.carrier.taken.append(Taken(sid, outgoing, FACTS[MAIL], handed_at, now, self.world.now))
            self.carrier.took(self.carrier.taken[-1])
            after = timedelta(seconds=self.luck.choice((5, 60, 900)))
            self.world.at(self.world.now + after, partial(self.carrier.arrived, outgoing, FACTS[MAIL]))
        self.world.ledger.note("mail", f"message {outgoing.message_id}: taken")
        if drawn < 0.16:
            raise Uncertain(None)
        if drawn < 0.18:
            message = "after the relay took the mail"
            raise KilledError(message)
        return Accepted(sid, "accepted")
