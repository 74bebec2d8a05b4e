"""What people do: they read what is on their telephone, and answer in their own time and way, or do not."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from pro_service.core.case import Source
from pro_service.core.protocol import Protocol
from pro_service.gateways.outgoing import Outgoing
from tests.simulation import words
from tests.simulation.people import DEEDS, HABITS, Deed, Given, Meant, Person, feels
from tests.simulation.texts import Read, read
from tests.simulation.world import World

_CAME: Mapping[str, Source] = {"sms-card": "card", "email-link": "email"}
"""Channel -> how an answer comes by the form that it leads to; by a link in a text otherwise."""
ASKS = ("question", "not-counted", "reask", "reask-2", "confirm-zero", "confirm-repeat", "corrected")
ENDS = ("thanks", "thanks-late", "already", "declined")
HOLD = timedelta(hours=24)
SNOOZE = timedelta(hours=48)
"""A moment somebody asked for is at most tomorrow's; the prompt of that day may then fall into the next."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How people reach the service; each is somebody else's server, and may fail as one does."""

    text: Callable[[Person, str, Meant | None], None]
    form: Callable[[str, Mapping[str, str]], bool]
    """(token, fields): whether the page said that they were kept."""
    card: Callable[[Person], str | None]
    """The token of the form that the card leads to now."""
    stop: Callable[[Person, str], None]
    """Ends the messages, by the token of a mail."""
    in_the_air: Callable[[str], int]
    """How many texts are on their way to this number."""
    unseen: AbstractSet[str]
    """Numbers whose last text never arrived: the service believes that something was read that was not."""


@dataclass(slots=True)
class Habits:
    """Lives the participants' lives."""

    world: World
    protocol: Protocol
    ways: Ways

    def arrives(self, person: Person, text: Outgoing) -> None:
        """Let somebody read a text, and decide what to do."""
        found = read(text.body, person.language, self.protocol)
        window = person.window_at(self.world.clock.now)
        self.world.ledger.note(person.code, f"reads {found.frame} ({found.item}) in {window}")
        prompted = found.frame.startswith(("invitation", "reminder"))
        if found.frame in ENDS:
            person.asked = person.wanted = None
        if window is None:
            return
        came: Source = _CAME.get(found.frame.partition(".")[2], "web")
        link = self.ways.card(person) if came == "card" else found.link
        if link is not None:
            person.links[window] = (came, link)
            self._decide(person, partial(self._by_form, person, window))
        elif found.frame == "confirm-change":
            person.proposed = found
            self._after(partial(self._confirms, person, window, found))
        elif found.item is not None and (prompted or found.frame in ASKS):
            person.asked = person.wanted = (window, found)
            self._decide(person, partial(self._by_text, person, person.asked))

    def speaks_up(self, person: Person) -> None:
        """Let somebody write without having been asked just now, from a number that is known."""
        if person.number_at > self.world.clock.now or self._something_unread(person):
            return
        if person.wanted is not None:
            person.asked = person.wanted
            self._by_text(person, person.wanted, "answer")
            return
        value = self.world.chance.randint(0, 10)
        self.ways.text(person, str(value), Meant(None, "NRS-AVG", value))

    def answers_at_last(self, person: Person) -> None:
        """Let somebody answer the question or open the page that they were given before."""
        window = person.window_at(self.world.clock.now)
        if person.wanted is not None and not self._something_unread(person):
            person.asked = person.wanted
            self._by_text(person, person.wanted, "answer")
        elif window is not None and window in person.links:
            self._fills_in(person, window, "answer")

    def _something_unread(self, person: Person) -> bool:
        """Whether a number now could be taken for the answer to a question that its writer has not read."""
        return bool(self.ways.in_the_air(person.phone)) or person.phone in self.ways.unseen

    # In their own time -----------------------------------------------------------------------------------------------

    def _decide(self, person: Person, act: Callable[[Deed], None]) -> None:
        deed = self.world.chance.choices(DEEDS, HABITS[person.habit])[0]
        if deed != "nothing":
            self._after(partial(act, deed))

    def _after(self, act: Callable[[], None]) -> None:
        minutes = self.world.chance.choice((1, 3, 10, 40, 200, 200, 900, 2900))
        self.world.at(self.world.clock.now + timedelta(minutes=minutes * self.world.chance.random()), act)

    # By text ---------------------------------------------------------------------------------------------------------

    def _by_text(self, person: Person, asked: tuple[str, Read], deed: Deed) -> None:
        """Answer the question read last, unless something newer came or is about to."""
        if person.asked != asked:
            return
        if self.ways.in_the_air(person.phone):
            again = self.world.clock.now + timedelta(minutes=2)
            self.world.at(again, partial(self._by_text, person, asked, deed))
            return
        window, question = asked
        item = question.item or ""
        value = feels(person, window, item, self.world.chance, self.protocol)
        if deed in ("answer", "part"):
            self._answers(person, window, item, value)
        else:
            self._speaks(person, window, item, deed)

    def _answers(self, person: Person, window: str, item: str, value: int) -> None:
        chance, now = self.world.chance, self.world.clock.now
        meant = Meant(window, item, value)
        said = words.number(value, person.language, chance)
        self.ways.text(person, said, meant)
        person.asked = None
        if chance.random() < 0.1:
            twice = now + timedelta(seconds=chance.randrange(15))
            self.world.at(twice, partial(self.ways.text, person, said, meant))
        elif chance.random() < 0.15:
            soon = now + timedelta(seconds=chance.randrange(5, 400))
            self.world.at(soon, partial(self._thinks_again, person, window, item))

    def _thinks_again(self, person: Person, window: str, item: str) -> None:
        """Correct an answer by another number, with a word that says so or without, if nothing was read since."""
        if person.asked is not None or self._something_unread(person):
            return
        del person.values[window, item]
        value = feels(person, window, item, self.world.chance, self.protocol)
        bare = self.world.chance.random() < 0.5
        said = str(value) if bare else self.world.chance.choice(words.CORRECTION[person.language]).format(n=value)
        self.ways.text(person, said, Meant(window, item, value))

    def _confirms(self, person: Person, window: str, proposed: Read) -> None:
        """Say yes to a change that is meant; say no to another one, or let it be. What was proposed last counts."""
        item = proposed.item or ""
        if person.proposed is not proposed or self._something_unread(person):
            return
        if person.values.get((window, item)) == proposed.answer:
            self.ways.text(person, words.YES[person.language], Meant(window, item, proposed.answer))
        elif self.world.chance.random() < 0.5:
            self.ways.text(person, words.NO[person.language], None)

    def _speaks(self, person: Person, window: str, item: str, deed: Deed) -> None:
        """Say something that is no answer."""
        chance, now, language = self.world.chance, self.world.clock.now, person.language
        value = feels(person, window, item, chance, self.protocol)
        if deed == "garble":
            self.ways.text(person, words.garble(value, chance), None)
        elif deed == "decline":
            self.ways.text(person, words.DECLINE[language], Meant(window, item, None))
        elif deed == "stop":
            self.ways.text(person, chance.choice(words.STOP[language]), None)
            if chance.random() < 0.5:
                later = now + timedelta(days=chance.randrange(1, 25))
                self.world.at(later, partial(self.ways.text, person, words.START[language], None))
        elif deed == "later":
            person.hindered.append((now, now + SNOOZE))
            self.ways.text(person, chance.choice(words.LATER[language]), None)
        elif deed == "call":
            self.ways.text(person, chance.choice(words.CALL[language]), None)
        elif deed == "help":
            self.ways.text(person, words.HELP[language], None)
        else:
            person.hindered.append((now, now + HOLD + SNOOZE))
            self.ways.text(person, chance.choice(words.CHAT[language]), None)

    # On the page -----------------------------------------------------------------------------------------------------

    def _by_form(self, person: Person, window: str, deed: Deed) -> None:
        if deed in ("answer", "part", "decline", "garble"):
            self._fills_in(person, window, deed)
            if self.world.chance.random() < 0.2:
                self._after(partial(self._changes, person, window))
        elif person.mail and (deed == "stop" or person.number_at > self.world.clock.now):
            if deed == "stop":
                self.ways.stop(person, person.links[window][1])
        else:
            self._speaks(person, window, "NRS-AVG", deed)

    def _changes(self, person: Person, window: str) -> None:
        """Answer anew on the page: all of it, with one value changed."""
        person.values.pop((window, "NRS-AVG"), None)
        self._fills_in(person, window, "answer")

    def _fills_in(self, person: Person, window: str, deed: Deed) -> None:
        items = self.protocol.time_point(window).items
        values = {item: feels(person, window, item, self.world.chance, self.protocol) for item in items}
        source, link = person.links[window]
        if deed == "garble":
            self.ways.form(link, {item: f"{value}-{value}" for item, value in values.items()})
            return
        wanted: dict[str, int | None] = {**values}
        if deed == "part":
            wanted.pop(self.world.chance.choice(items))
        if deed == "decline":
            wanted[self.world.chance.choice(items)] = None
        fields = {item: "declined" if value is None else str(value) for item, value in wanted.items()}
        now: datetime = self.world.clock.now
        # Written down first: a page that breaks off may have kept them.
        person.given += [Given(source, now, Meant(window, item, value)) for item, value in wanted.items()]
        if not self.ways.form(link, fields):
            again = now + timedelta(minutes=self.world.chance.randrange(1, 600))
            self.world.at(again, partial(self._fills_in, person, window, deed))
