"""What the invented participants do with a text: read it, or not; answer in their own time and way, or do not."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from pro_service.core.case import PROMPTS
from pro_service.core.protocol import Protocol
from pro_service.core.replies import phrases
from pro_service.core.schedule.windows import next_allowed
from pro_service.gateways.outgoing import Outgoing
from pro_service.rehearsal.people import Person
from pro_service.rehearsal.temperaments import Crowd
from pro_service.rehearsal.virtual_time import LINK, Life
from pro_service.reports import ledger
from pro_service.reports.ledger import TextFacts
from pro_service.use_cases.participants import card_entry, survey

ASKS = frozenset({"question", "confirm-repeat", "corrected"})
"""Texts that ask the next question."""
REASKS = frozenset({"reask", "reask-2", "confirm-zero"})
LOST = "30005"
"""What a provider says of a number that is no longer anybody's."""
SOON = (1, 6)
"""Minutes until somebody who has the telephone in their hand goes on."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A form that somebody filled in: a thread shows it between the texts."""

    at: datetime
    answers: Mapping[str, int | None]


@dataclass(slots=True)
class Habits:
    """Lives the participants' lives."""

    life: Life
    protocol: Protocol
    crowd: Crowd
    people: Mapping[str, Person]
    """By telephone."""
    chance: random.Random
    forms: dict[str, list[Filled]] = field(default_factory=dict)
    """Participant -> the forms they filled in."""

    def read(self, outgoing: Outgoing) -> None:
        """Let a text arrive, or not, and somebody read it."""
        person = self.people[outgoing.to]
        if person.lost_at is not None and self.life.now >= person.lost_at:
            self.life.receipt(outgoing, "undelivered", LOST)
            return
        self.life.receipt(outgoing, "delivered")
        with self.life.rt.sessions.reading() as session:
            sent = ledger.sent(session, outgoing.message_id)
        link = LINK.search(outgoing.body)
        if link is not None and sent.window is not None:
            person.links[sent.window] = link[1]
        if sent.kind in PROMPTS:
            self._is_asked(person, sent)
        elif sent.frame in ASKS and sent.item is not None and self._does(person, "finish"):
            self._soon(partial(self._answers, person, sent))
        elif sent.frame in REASKS and sent.item is not None:
            self._soon(partial(self._answers, person, sent, plainly=not self._does(person, "range")))
        elif sent.frame == "confirm-change":
            self._soon(partial(self.life.text, person.phone, self.crowd.phrase("yes", person.language)))

    def _does(self, person: Person, deed: str) -> bool:
        return self.chance.random() < person.temperament.often(deed)

    def _soon(self, action: Callable[[], None]) -> None:
        self.life.after(timedelta(seconds=self.chance.randint(60 * SOON[0], 60 * SOON[1])), action)

    def _in_their_time(self, person: Person) -> datetime:
        kind = person.temperament
        wait = self.chance.randint(int(kind.after.total_seconds()), int(kind.within.total_seconds()))
        moment = self.life.now + timedelta(seconds=wait)
        if kind.hours is None:
            return moment
        inside = next_allowed(moment, kind.hours, person.zone)
        return inside + timedelta(seconds=wait) if inside != moment else moment

    def _is_asked(self, person: Person, sent: TextFacts) -> None:
        """An invitation or a reminder is read: what comes of it is decided once, and done later."""
        if person.temperament.number == "wrong":
            phrase = self.crowd.phrase("wrong_number", person.language)
            self.life.at(self._in_their_time(person), partial(self.life.text, person.phone, phrase))
        elif self._does(person, "invited" if sent.kind == "invitation" else "reminded"):
            self.life.at(self._in_their_time(person), partial(self._reacts, person, sent))
        elif sent.kind == "invitation" and self._does(person, "late") and sent.closes_at is not None:
            wait = self._in_their_time(person) - self.life.now
            self.life.at(sent.closes_at + wait, partial(self._reacts, person, sent))

    def _reacts(self, person: Person, sent: TextFacts) -> None:
        if self._does(person, "stops"):
            self.life.text(person.phone, self.crowd.phrase("stop", person.language))
        elif self._does(person, "alarms") and self.protocol.safety_words.get(person.language):
            self.life.text(person.phone, self.protocol.safety_words[person.language][-1])
        elif self._does(person, "declines") and self._has_form(person, sent.window):
            self.fills_in(person, sent.window, decline=True)
        elif self._does(person, "declines"):
            self.life.text(person.phone, self.crowd.phrase("decline", person.language))
        elif self._has_form(person, sent.window):
            self.fills_in(person, sent.window)
        else:
            self._answers(person, sent)

    # By text ---------------------------------------------------------------------------------------------------------

    def _answers(self, person: Person, sent: TextFacts, *, plainly: bool = False) -> None:
        if sent.item is None or sent.window is None:
            return
        value = person.feels(self.protocol, sent.window, sent.item, self.chance)
        said = str(value) if plainly else self._said(person, sent.item, value)
        self.life.text(person.phone, said)
        first = self.protocol.items[sent.item].primary
        if first and self._does(person, "twice"):
            # As some telephones do by themselves.
            self.life.after(timedelta(seconds=20), partial(self.life.text, person.phone, said))
        if first and self._does(person, "changes"):
            other = self._another(person, sent.window, sent.item)
            self.life.after(timedelta(minutes=8), partial(self.life.text, person.phone, str(other)))

    def _said(self, person: Person, item: str, value: int) -> str:
        if self._does(person, "range"):
            below = value == self.protocol.items[item].maximum
            return f"{value - 1}-{value}" if below else f"{value}-{value + 1}"
        if self._does(person, "words"):
            spoken = {number: word for word, number in phrases.NUMBERS.get(person.language, {}).items()}
            return spoken.get(value, str(value))
        return str(value)

    def _another(self, person: Person, window: str, item: str) -> int:
        rule, value = self.protocol.items[item], person.values[window, item]
        person.values[window, item] = value - 1 if value == rule.maximum else value + 1
        return person.values[window, item]

    # By form ---------------------------------------------------------------------------------------------------------

    def _has_form(self, person: Person, window: str | None) -> bool:
        """Whether there is a form to fill in: by the link of a text, or by the card, which is scanned for it."""
        if person.card and window is not None:
            found = card_entry.scan(self.life.rt, person.card, person.phone)
            if found is not None and found.token:
                person.links[window] = found.token
        return window in person.links

    def fills_in(self, person: Person, window: str | None, *, decline: bool = False) -> None:
        """Open the newest link of a window and send the form."""
        if window is None:
            return
        items = self.protocol.time_point(window).items
        answers: dict[str, int | None] = {}
        for item in items:
            skipped = decline and self.protocol.items[item].primary
            answers[item] = None if skipped else person.feels(self.protocol, window, item, self.chance)
            if not self._does(person, "finish"):
                break
        fields = {item: survey.DECLINED if value is None else str(value) for item, value in answers.items()}
        done = survey.submit(self.life.rt, person.links[window], fields)
        if done.form is not None and not done.faults:
            self.forms.setdefault(person.code, []).append(Filled(self.life.now, answers))

    def keeps_word(self, person: Person, window: str) -> None:
        """Answer after having said so on the telephone: by the link, or by a text to the last question."""
        item = self.protocol.time_point(window).items[0]
        if self._has_form(person, window):
            self.life.at(self._in_their_time(person), partial(self.fills_in, person, window))
        elif person.channel == "sms-reply":
            sent = TextFacts("call", "call", item, window, None)
            self.life.at(self._in_their_time(person), partial(self._answers, person, sent))
