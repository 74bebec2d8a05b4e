"""The doors in: texts, callbacks and forms on their way, where webhooks may be down or a process killed."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from pro_service.core.providers import Arrival, WayOut
from pro_service.gateways.twilio.hooks import receipt_of, text_of
from pro_service.runtime import Runtime
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.inbound.pull import pull
from pro_service.use_cases.participants import card_entry, survey
from tests.simulation import words
from tests.simulation.carrier import Carrier
from tests.simulation.people import Meant, Person
from tests.simulation.watch import Watch
from tests.simulation.world import World

RETRIED = timedelta(minutes=1)
"""How long a provider goes on calling a webhook that does not answer; after that the list alone has the text."""
FETCHED = timedelta(minutes=10)


@dataclass(slots=True)
class Doors:
    """Brings in what people and the provider send, again and again where it was not taken."""

    world: World
    rt: Runtime
    carriers: Mapping[WayOut, Carrier]
    watch: Watch
    killable: Callable[[str], AbstractContextManager[list[str]]]
    """A process that may be killed; what it gives stays empty then."""
    hear: Callable[[Runtime, Arrival], object] = receive.receive

    def text(self, person: Person, body: str, meant: Meant | None) -> None:
        """Let somebody write."""
        said = self.carriers[person.writes_by].write(person.phone, body)
        sid = text_of(said).provider_id
        person.said[sid] = meant
        self.world.ledger.note(person.code, f"writes {body!r} as …{sid[-4:]}, meaning {meant}")
        if body == words.START[person.language]:
            # Whichever way it comes in, texts may be sent from now on.
            person.starts(self.world.clock.now)
        self._deliver_inbound(person, said)

    def _deliver_inbound(self, person: Person, said: Mapping[str, str]) -> None:
        """Bring a text to the webhook, and again until it is taken."""
        kept = False
        if not self.world.weather.down("webhooks", at=self.world.clock.now):
            with self.killable("receive") as done:
                self.hear(self.rt, text_of(said))
                done.append("kept")
            kept = bool(done)
        if not kept:
            self._fetched_or_again(person, said)
            return
        self.watch.heard(person, said["Body"])
        if self.world.chance.random() < self.world.weather.receipts / 4:
            again = self.world.clock.now + timedelta(seconds=self.world.chance.randrange(900))
            self.world.at(again, partial(self.hear, self.rt, text_of(said)))

    def _fetched_or_again(self, person: Person, said: Mapping[str, str]) -> None:
        """A text that the webhook did not take comes again, or the service fetches it by itself."""
        back = self._webhooks_back()
        if self.world.chance.random() < 0.5 and back - self.world.clock.now <= RETRIED:
            self.world.at(back, partial(self._deliver_inbound, person, said))
        else:
            self._fetch_soon(person, said)

    def _fetch_soon(self, person: Person, said: Mapping[str, str]) -> None:
        """Replies are fetched every ten minutes; looked at here only while one is missing."""
        soon = self.world.clock.now + FETCHED * (1 if self.world.chance.random() < 0.3 else self.world.chance.random())
        self.world.at(soon, partial(self._fetch, person, said))

    def _fetch(self, person: Person, said: Mapping[str, str]) -> None:
        if not self.world.weather.down("scheduler", at=self.world.clock.now):
            with self.killable("pull"):
                pull(self.rt)
        if self.watch.kept(text_of(said).provider_id):
            self.world.ledger.note(person.code, f"…{said['MessageSid'][-4:]} was fetched")
            self.watch.heard(person, said["Body"])
        else:
            self._fetch_soon(person, said)

    def _webhooks_back(self) -> datetime:
        now = self.world.clock.now
        ends = [
            o.end for o in self.world.weather.outages if o.start <= now < o.end and o.down in ("webhooks", "everything")
        ]
        return max([now, *ends]) + timedelta(seconds=5)

    def callback(self, token: str, said: dict[str, str]) -> None:
        """Bring a status callback; while webhooks are down it is lost."""
        if self.world.weather.down("webhooks", at=self.world.clock.now):
            return
        self.world.ledger.note("callback", f"…{said['MessageSid'][-4:]} {said['MessageStatus']}")
        with self.killable("receipt"):
            if not receive.take_receipt(self.rt, receipt_of(token, said), "twilio"):
                self.world.ledger.broken("a callback finds its attempt", "callback", said["MessageSid"])

    def card(self, person: Person) -> str | None:
        """Scan the card; gives the token of the form it leads to, None where the page did not answer or had none."""
        if not person.card or self.world.weather.down("webhooks", at=self.world.clock.now):
            return None
        code, _, mark = person.card.partition("#")[2].partition(".")
        found = None
        with self.killable("card"):
            found = card_entry.enter(self.rt, code, (mark,), person.phone)
        return None if found is None else found.token or None

    def stop(self, person: Person, token: str) -> None:
        """Let somebody press the button that ends mails; nothing happens where the page does not answer."""
        if self.world.weather.down("webhooks", at=self.world.clock.now):
            return
        self.world.ledger.note(person.code, "ends the messages on a page")
        with self.killable("stop") as done:
            survey.stop(self.rt, token)
            done.append("stopped")
        if done:
            person.stops(self.world.clock.now)

    def form(self, token: str, fields: Mapping[str, str]) -> bool:
        """Send a form in; False where the page did not answer."""
        if self.world.weather.down("webhooks", at=self.world.clock.now):
            return False
        with self.killable("form") as done:
            survey.submit(self.rt, token, fields)
            done.append("answered")
        return bool(done)
