"""The demonstration: 42 invented participants whose last hundred days are lived through by the real use cases.

Nothing is written past the rules: a virtual clock runs from the first procedure to now, the real tick, delivery,
replies and forms do the work, and invented participants answer on invented telephones. A few are enrolled at the very
end, inside open windows, so that their texts leave through the configured provider at once.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from pro_service import paths
from pro_service.core.protocol import Protocol
from pro_service.core.routes import CARD
from pro_service.gateways.outgoing import Outgoing
from pro_service.rehearsal.virtual_time import LINK, Life, Progress
from pro_service.reports import compliance
from pro_service.runtime import Runtime
from pro_service.store import audit, studies
from pro_service.use_cases import reporting, study
from pro_service.use_cases.enrolment import enrol
from pro_service.use_cases.participants import card, card_entry, entry, survey
from pro_service.use_cases.staff import accounts
from pro_service.use_cases.tasks import calls
from pro_service.use_cases.tick import beat

PARTICIPANTS = 42
NEW = 8
"""So many are enrolled now, inside open windows."""
SILENT = frozenset({0, 1, 2, 4, 5, 8})
"""Whose window closes soon and who have not answered: whom to call today."""
PROCEDURE_ENDED = time(14, 0)

Habit: TypeAlias = Literal["prompt", "reminded", "partial", "silent", "declines", "stops"]
HABITS: tuple[Habit, ...] = ("prompt",) * 12 + ("reminded",) * 5 + ("silent",) * 4 + ("partial", "declines", "stops")


@dataclass(slots=True)
class Person:
    """One invented participant: how they are asked, and how they answer."""

    code: str
    phone: str
    site: str
    language: str
    channel: str
    procedure: date
    habit: Habit
    pain: int
    asked: int = 0
    card: str = ""
    """What a telephone reads off the card."""

    def cells(self, zone: ZoneInfo, enrolled: datetime) -> dict[str, str]:
        """The row of the enrolment file."""
        return {
            "participant": self.code,
            "site": self.site,
            "procedure_date": self.procedure.isoformat(),
            "language": self.language,
            "messaging_consent": enrolled.astimezone(zone).isoformat(timespec="seconds"),
            "phone": self.phone,
            "channel": self.channel,
            "procedure_time": "" if enrolled.astimezone(zone).date() > self.procedure else f"{PROCEDURE_ENDED:%H:%M}",
            "baseline_nrs_avg": str(self.pain),
            "baseline_nrs_now": str(max(self.pain - 1, 0)),
        }


def invent(number: int, today: date, sites: Sequence[str], chance: random.Random) -> Person:
    """One invented participant; the last few had the procedure so long ago that a window is open now."""
    habit = chance.choice(HABITS)
    new = number - (PARTICIPANTS - NEW)
    ago = (7, 8, 7, 31, 30, 8, 7, 92)[new] if new >= 0 else _days_ago(number)
    return Person(
        code=f"P-{number + 1:03d}",
        phone=f"+1202555{100 + number:04d}",
        site=chance.choice(sites),
        language="tr" if chance.random() < 0.6 else "en",  # noqa: PLR2004
        channel=_channel(number),
        procedure=today - timedelta(days=ago),
        habit="silent" if number in SILENT else habit,
        pain=chance.randint(4, 9),
    )


def _channel(number: int) -> str:
    """Most reply, some get a link, a few answer with the card."""
    if number % 4 == 0:
        return "sms-link"
    return "sms-card" if number % 8 == 6 else "sms-reply"  # noqa: PLR2004 -- so that some windows of theirs are open


def asks(question: str, body: str) -> bool:
    """Whether a text asks this question: by its first line."""
    return question.splitlines()[0] in body


def _days_ago(number: int) -> int:
    """When the participant had the procedure: some windows are open, some close today or tomorrow, most are over."""
    near = (10, 9, 10, 8, 37, 36, 35, 104, 103, 101, 1, 3)
    return near[number] if number < len(near) else 12 + (number - len(near)) * 5


STUDY = "DEMO"
EMAIL = "coordinator@demo.example"
PASSWORD = "demo-coordinator"  # noqa: S105 -- of the demonstration alone, printed where it is made
SEED = 7
CLI = audit.Actor(kind="system", id="demo", source="cli")
CARD_WORD = {"tr": "art", "en": "card"}
"""By this a text is known that points to the card: Kartınız, kartta."""
ENROLLED_AT = time(15, 0)


class NotADemoError(Exception):
    """The database holds a study that is not the demonstration: nothing is mixed with it."""


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """How to sign in to the demonstration, and whether it was made now."""

    email: str
    password: str
    participants: int
    made: bool


def seed(rt: Runtime, progress: Progress | None = None) -> DemoLogin:
    """Make the demonstration once; a second call changes nothing. NotADemoError beside another study."""
    with rt.sessions.reading() as session:
        known = studies.all_studies(session)
        enrolled = sum(studies.enrolled(session, found.id) for found in known)
    others = [found.code for found in known if found.code != STUDY]
    if others:
        raise NotADemoError(", ".join(others))
    if enrolled:
        return DemoLogin(EMAIL, PASSWORD, enrolled, made=False)
    _Past(rt).live(progress or (lambda _done, _all: None))
    return DemoLogin(EMAIL, PASSWORD, PARTICIPANTS, made=True)


class _Past:
    """The virtual past of the demonstration."""

    def __init__(self, rt: Runtime) -> None:
        self.real, self.end = rt, rt.clock()
        self.random = random.Random(SEED)  # noqa: S311 -- invented people, the same every time
        self.life = Life(rt, self.end)
        self.rt = self.life.rt
        self.people: dict[str, Person] = {}
        self.protocol: Protocol
        self.study_id: int
        self.coordinator: audit.Actor

    def live(self, progress: Progress) -> None:
        """Load the study, live through the past, and enrol the last ones now."""
        text = (paths.protocols() / "demo.toml").read_text(encoding="utf-8")
        self.study_id = study.load(self.rt, CLI, text).study.id
        with self.rt.sessions.reading() as session:
            protocol = compliance.protocol_of(session, self.rt.loader, self.study_id)
        if protocol is None:
            raise LookupError(STUDY)
        self.protocol = protocol
        added = accounts.add_user(self.rt, CLI, EMAIL, PASSWORD, "coordinator", study=STUDY, language="en")
        self.coordinator = audit.Actor("staff", f"user:{added.user_id}", "dashboard", user_id=added.user_id)
        for number in range(PARTICIPANTS):
            self._plan(number)
        self._mornings(min(person.procedure for person in self.people.values()))
        self.life.live(self.end, self._read, progress)
        self.life.clock.now = self.end
        for person in list(self.people.values())[-NEW:]:
            self._enrol(person, self.end)
        beat(self.real, "tick")

    def _plan(self, number: int) -> None:
        """Invent one participant; all but the last few are enrolled on the day of their procedure."""
        chance = self.random
        person = invent(number, self.end.date(), tuple(self.protocol.sites), chance)
        self.people[person.phone] = person
        if number < PARTICIPANTS - NEW:
            zone = ZoneInfo(self.protocol.sites[person.site].zone)
            enrolled = datetime.combine(person.procedure, ENROLLED_AT, tzinfo=zone).astimezone(UTC)
            self.life.at(enrolled, partial(self._enrol, person, enrolled))
            if chance.random() < 0.9:  # noqa: PLR2004 -- the ward is sometimes busy
                self.life.at(enrolled + timedelta(minutes=5), partial(self._an_hour_later, person))

    def _enrol(self, person: Person, moment: datetime) -> None:
        zone = ZoneInfo(self.protocol.sites[person.site].zone)
        enrol.enrol_one(self.rt, CLI, self.study_id, person.cells(zone, min(moment, self.end)))
        if person.channel == CARD:
            # Printed and handed over before they leave the clinic.
            person.card = card.show(self.rt, self.coordinator, self.study_id, person.code).scanned

    def _an_hour_later(self, person: Person) -> None:
        """The nurse asks at the bedside."""
        values = {"NRS-NOW": str(self._score(person)), "PGIC": str(self.random.randint(1, 4))}
        filled = entry.Filled(values=values, mode="clinic")
        entry.enter(self.rt, self.coordinator, self.study_id, person.code, "V1H", filled)

    # What people do with their telephones ----------------------------------------------------------------------------

    def _read(self, text: Outgoing) -> None:
        """Let somebody read a text that has arrived, and answer in their own time."""
        self.life.receipt(text, "delivered")
        person = self.people[text.to]
        link = LINK.search(text.body)
        asked = [item for item in self.protocol.items.values() if asks(item.question[person.language], text.body)]
        if link is not None:
            self._react(person, partial(self._fill_in, person, link[1]))
        elif person.card and CARD_WORD[person.language] in text.body:
            self._react(person, partial(self._scan, person))
        elif asked and asked[0].primary:
            self._react(person, partial(self._answer, person))
        elif asked and person.habit != "partial":
            self._after(3, partial(self._text, person, str(self.random.randint(1, 4))))

    def _react(self, person: Person, answer: Callable[[], None]) -> None:
        person.asked += 1
        forgets = person.habit == "reminded" and person.asked % 2 == 1
        if person.habit != "silent" and not forgets and self.random.random() < 0.9:  # noqa: PLR2004
            self._after(self.random.randint(4, 200), answer)

    def _after(self, minutes: int, action: Callable[[], None]) -> None:
        self.life.after(timedelta(minutes=minutes), action)

    def _answer(self, person: Person) -> None:
        self._text(person, self._words(person))

    def _score(self, person: Person) -> int:
        return max(person.pain - self.random.randint(0, 5), 0)

    def _words(self, person: Person) -> str:
        if person.habit == "stops" and person.asked > 2:  # noqa: PLR2004
            return "DUR" if person.language == "tr" else "STOP"
        if person.habit == "declines":
            return "cevap vermek istemiyorum" if person.language == "tr" else "prefer not to answer"
        score = self._score(person)
        return str(score) if self.random.random() < 0.9 else f"{score}-{score + 1}"  # noqa: PLR2004

    def _text(self, person: Person, words: str) -> None:
        self.life.text(person.phone, words)

    def _scan(self, person: Person) -> None:
        found = card_entry.scan(self.rt, person.card, person.phone)
        if found is not None and found.token:
            self._fill_in(person, found.token)

    def _fill_in(self, person: Person, token: str) -> None:
        score = "declined" if person.habit == "declines" else str(self._score(person))
        fields = {item.id: score for item in self.protocol.items.values() if item.primary}
        if person.habit != "partial":
            fields |= {i.id: str(self.random.randint(1, 4)) for i in self.protocol.items.values() if i.minimum == 1}
        survey.submit(self.rt, token, fields)

    # What the coordinator does in the morning ------------------------------------------------------------------------

    def _mornings(self, first: date) -> None:
        """Every morning but the last two: today's work is still to be done."""
        day = first
        while day < self.end.date() - timedelta(days=1):
            self.life.at(datetime.combine(day, time(8), tzinfo=UTC), self._work_through)
            day += timedelta(days=1)

    def _work_through(self) -> None:
        called: set[tuple[str | None, str | None]] = set()
        for task in reporting.escalation_rows(self.rt, self.study_id, open_only=True):
            if task["level"] in ("E1", "E2"):
                whose = (task["participant"], task["window"])
                if whose not in called:
                    self._call(task)
                called.add(whose)
            elif task["level"] == "E3":
                calls.explain_missing(self.rt, self.coordinator, task["id"], "unreachable")
            else:
                calls.resolve(self.rt, self.coordinator, task["id"])

    def _call(self, task: compliance.EscalationRow) -> None:
        outcome = self.random.choice(("no_answer", "no_answer", "completed", "will_do_it"))
        if outcome != "completed" or task["window"] is None or task["participant"] is None:
            told = calls.CallResult("will_do_it" if outcome == "will_do_it" else "no_answer")
            calls.record(self.rt, self.coordinator, task["id"], told)
            return
        person = next(p for p in self.people.values() if p.code == task["participant"])
        values = {"NRS-AVG": str(self._score(person)), "PGIC": str(self.random.randint(1, 5))}
        filled = entry.Filled(values=values, mode="telephone", task=task["id"])
        entry.enter(self.rt, self.coordinator, self.study_id, person.code, task["window"], filled)
