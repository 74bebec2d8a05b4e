"""What the invented participants do with a text: read it or not, and answer in their own time and way or do not."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from pro_service.core.case import PROMPTS
from pro_service.core.protocol import CONVERSING, MEDIA, Protocol
from pro_service.core.providers import MAIL, WayOut, ways_of
from pro_service.core.replies.number_words import NUMBERS
from pro_service.core.schedule.windows import next_allowed
from pro_service.gateways.outgoing import Outgoing
from pro_service.rehearsal.people import Person
from pro_service.rehearsal.temperaments import Crowd
from pro_service.rehearsal.virtual_time import LINK, VirtualTime
from pro_service.reports import ledger
from pro_service.reports.ledger import TextFacts
from pro_service.use_cases.participants import card_entry, survey

ASKS = frozenset({"question", "not-counted", "confirm-repeat", "corrected"})
"""Texts that ask the next question."""
REASKS = frozenset({"reask", "reask-2", "confirm-zero"})
LOST: Mapping[WayOut, str] = {"sms": "30005", "whatsapp": "63024"}
"""Way -> the error that a provider reports for a number that is no longer in use."""
SOON = (1, 6)
"""Minutes until a participant who has the telephone in hand goes on."""


@dataclass(frozen=True, slots=True)
class FilledForm:
    """A form that a participant filled in; a thread shows it between the texts."""

    at: datetime
    answers: Mapping[str, int | None]


@dataclass(slots=True)
class Habits:
    """The behaviour of all participants, drawn from their temperaments."""

    virtual: VirtualTime
    protocol: Protocol
    crowd: Crowd
    people: Mapping[str, Person]
    """By telephone."""
    chance: random.Random
    forms: dict[str, list[FilledForm]] = field(default_factory=dict)
    """Participant -> the forms they filled in."""

    def read_text(self, outgoing: Outgoing) -> None:
        """Report whether a text arrived, and let the participant read it."""
        person = self.people[outgoing.to]
        if outgoing.to == person.email:
            self._read_mail(person, outgoing)
            return
        with self.virtual.rt.sessions.reading() as session:
            sent = ledger.text_facts(session, outgoing.message_id)
        if person.lost_at is not None and self.virtual.now >= person.lost_at:
            self.virtual.report_delivery(outgoing, "undelivered", LOST[sent.way], sent.way)
            return
        self.virtual.report_delivery(outgoing, "delivered", way=sent.way)
        link = LINK.search(outgoing.body)
        if link is not None and sent.window is not None:
            person.links[sent.window] = link[1]
        if sent.kind in PROMPTS:
            self._read_prompt(person, sent)
        elif sent.frame in ASKS and sent.item is not None and self._chooses(person, "finish"):
            self._after_minutes(partial(self._answer_by_text, person, sent))
        elif sent.frame in REASKS and sent.item is not None:
            self._after_minutes(partial(self._answer_by_text, person, sent, plainly=not self._chooses(person, "range")))
        elif sent.frame == "confirm-change":
            yes = self.crowd.phrase("yes", person.language)
            self._after_minutes(partial(self.virtual.send_reply, person.phone, yes, sent.way))

    def _read_mail(self, person: Person, outgoing: Outgoing) -> None:
        """Let a mail be read; nothing reports that it arrived, and a wrong number does not matter to it."""
        with self.virtual.rt.sessions.reading() as session:
            sent = ledger.text_facts(session, outgoing.message_id)
        link = LINK.search(outgoing.body)
        if link is not None and sent.window is not None:
            person.links[sent.window] = link[1]
        self._read_prompt(person, sent)

    def _chooses(self, person: Person, deed: str) -> bool:
        return self.chance.random() < person.temperament.often(deed)

    def _after_minutes(self, action: Callable[[], None]) -> None:
        self.virtual.schedule_after(timedelta(seconds=self.chance.randint(60 * SOON[0], 60 * SOON[1])), action)

    def _answering_time(self, person: Person) -> datetime:
        kind = person.temperament
        wait = self.chance.randint(int(kind.after.total_seconds()), int(kind.within.total_seconds()))
        moment = self.virtual.now + timedelta(seconds=wait)
        if kind.hours is None:
            return moment
        inside = next_allowed(moment, kind.hours, person.zone)
        return inside + timedelta(seconds=wait) if inside != moment else moment

    def _read_prompt(self, person: Person, sent: TextFacts) -> None:
        """Let an invitation or a reminder be read: what follows is decided now and done later."""
        if person.temperament.number == "wrong" and not _by_mail(sent):
            phrase = self.crowd.phrase("wrong_number", person.language)
            reply = partial(self.virtual.send_reply, person.phone, phrase, sent.way)
            self.virtual.schedule(self._answering_time(person), reply)
        elif self._chooses(person, "invited" if sent.kind == "invitation" else "reminded"):
            self.virtual.schedule(self._answering_time(person), partial(self._react, person, sent))
        elif sent.kind == "invitation" and self._chooses(person, "late") and sent.closes_at is not None:
            wait = self._answering_time(person) - self.virtual.now
            self.virtual.schedule(sent.closes_at + wait, partial(self._react, person, sent))

    def _react(self, person: Person, sent: TextFacts) -> None:
        if self._chooses(person, "stops"):
            if _by_mail(sent) and sent.window is not None:
                survey.stop(self.virtual.rt, person.links[sent.window])
            else:
                self._writes(person, sent, self.crowd.phrase("stop", person.language))
        elif self._chooses(person, "alarms") and self.protocol.safety_words.get(person.language):
            self._writes(person, sent, self.protocol.safety_words[person.language][-1])
        elif self._chooses(person, "declines") and self._has_form(person, sent.window):
            self.fill_in_form(person, sent.window, decline=True)
        elif self._chooses(person, "declines"):
            self._writes(person, sent, self.crowd.phrase("decline", person.language))
        elif self._has_form(person, sent.window):
            self.fill_in_form(person, sent.window)
        else:
            self._answer_by_text(person, sent)

    def _writes(self, person: Person, sent: TextFacts, words: str) -> None:
        """Answer a message the way it came; a mail, which nobody can answer, by text."""
        self.virtual.send_reply(person.phone, words, "sms" if _by_mail(sent) else sent.way)

    # By text ---------------------------------------------------------------------------------------------------------

    def _answer_by_text(self, person: Person, sent: TextFacts, *, plainly: bool = False) -> None:
        if sent.item is None or sent.window is None:
            return
        value = person.answer_in_mind(self.protocol, sent.window, sent.item, self.chance)
        said = str(value) if plainly else self._answer_words(person, sent.item, value)
        self._writes(person, sent, said)
        first = self.protocol.items[sent.item].primary
        if first and self._chooses(person, "twice"):
            # As some telephones do by themselves.
            self.virtual.schedule_after(timedelta(seconds=20), partial(self._writes, person, sent, said))
        if first and self._chooses(person, "changes"):
            other = str(self._other_value(person, sent.window, sent.item))
            self.virtual.schedule_after(timedelta(minutes=8), partial(self._writes, person, sent, other))

    def _answer_words(self, person: Person, item: str, value: int) -> str:
        if self._chooses(person, "range"):
            below = value == self.protocol.items[item].maximum
            return f"{value - 1}-{value}" if below else f"{value}-{value + 1}"
        if self._chooses(person, "words"):
            spoken = {number: word for word, number in NUMBERS.get(person.language, {}).items()}
            return spoken.get(value, str(value))
        return str(value)

    def _other_value(self, person: Person, window: str, item: str) -> int:
        rule, value = self.protocol.items[item], person.values[window, item]
        person.values[window, item] = value - 1 if value == rule.maximum else value + 1
        return person.values[window, item]

    # By form ---------------------------------------------------------------------------------------------------------

    def _has_form(self, person: Person, window: str | None) -> bool:
        """Whether there is a form to fill in: by the link of a text, or by the card, which is scanned for it."""
        if person.card and window is not None:
            found = card_entry.scan(self.virtual.rt, person.card, person.phone)
            if found is not None and found.token:
                person.links[window] = found.token
        return window in person.links

    def fill_in_form(self, person: Person, window: str | None, *, decline: bool = False) -> None:
        """Open the newest link of a window and send the form."""
        if window is None:
            return
        items = self.protocol.time_point(window).items
        answers: dict[str, int | None] = {}
        for item in items:
            skipped = decline and self.protocol.items[item].primary
            answers[item] = None if skipped else person.answer_in_mind(self.protocol, window, item, self.chance)
            if not self._chooses(person, "finish"):
                break
        fields = {item: survey.DECLINED if value is None else str(value) for item, value in answers.items()}
        done = survey.submit(self.virtual.rt, person.links[window], fields)
        if done.form is not None and not done.faults:
            self.forms.setdefault(person.code, []).append(FilledForm(self.virtual.now, answers))

    def answer_as_promised(self, person: Person, window: str) -> None:
        """Answer as promised in a call: by the link, or by a text to the last question."""
        item = self.protocol.time_point(window).items[0]
        if self._has_form(person, window):
            self.virtual.schedule(self._answering_time(person), partial(self.fill_in_form, person, window))
        elif asked := [channel for channel in person.ladder if channel in CONVERSING]:
            way = next(iter(ways_of(MEDIA[asked[0]])))
            sent = TextFacts("call", "call", item, window, None, way)
            self.virtual.schedule(self._answering_time(person), partial(self._answer_by_text, person, sent))


def _by_mail(sent: TextFacts) -> bool:
    return sent.way == MAIL
