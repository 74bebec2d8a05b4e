"""The demonstration: 42 invented participants whose last hundred days the real use cases run through in virtual time.

Nothing is written past the rules: a virtual clock runs from the first procedure to now, the real tick, delivery,
replies and forms do the work, and invented participants answer on invented telephones. A few are enrolled at the very
end, inside open windows, so that their texts leave through the configured provider at once.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo

from pro_service import paths
from pro_service.core.protocol import Medium, Protocol, Role
from pro_service.core.routes import CARD
from pro_service.gateways.outgoing import Outgoing
from pro_service.rehearsal.virtual_time import LINK, Progress, VirtualTime
from pro_service.reports.escalations import EscalationRow
from pro_service.runtime import Runtime
from pro_service.store import audit, studies
from pro_service.use_cases import reporting, study
from pro_service.use_cases.enrolment import enrol
from pro_service.use_cases.participants import card, card_entry, entry, survey
from pro_service.use_cases.staff import accounts
from pro_service.use_cases.tasks import calls
from pro_service.use_cases.tick import beat

STUDY = "DEMO"
ROLES: tuple[Role, ...] = get_args(Role)
DEMO_ACTOR = audit.Actor(kind="system", id="demo", source="cli")
SEED = 7
PARTICIPANTS = 42
NEWLY_ENROLLED = 8
"""How many of them are enrolled now, inside open windows."""
BEGAN = timedelta(days=120)
"""How long ago the study was loaded."""
TURKISH = frozenset({34, 36, 38})
"""Numbers of those among them who have a Turkish telephone, where somebody is configured who carries texts there."""
LADDERS: Mapping[Medium, Mapping[int, str]] = {
    "whatsapp": {35: "whatsapp", 37: "whatsapp>sms-reply"},
    "email": {38: "sms-link>email-link", 41: "email-link"},
}
"""Medium -> number -> ladder of those among them who agreed to it, where it is configured."""
UNANSWERED = frozenset({0, 1, 2, 4, 5, 8})
"""Numbers of the participants who have not answered and whose window closes soon: those to call today."""
PROCEDURE_ENDED = time(14, 0)
ENROLLED_AT = time(15, 0)
CARD_WORD = {"tr": "art", "en": "card"}
"""The word by which a text that points to the card is recognised: Kartınız, kartta."""
Habit: TypeAlias = Literal["prompt", "reminded", "partial", "silent", "declines", "stops"]
HABITS: tuple[Habit, ...] = ("prompt",) * 12 + ("reminded",) * 5 + ("silent",) * 4 + ("partial", "declines", "stops")


class NotADemoError(Exception):
    """The database holds another study; the demonstration is not mixed with it."""


@dataclass(frozen=True, slots=True)
class Account:
    """How to sign in to the demonstration in one role. The password is of the demonstration alone."""

    role: Role
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class Demo:
    """The demonstration: how to sign in to it, and whether this call made it."""

    accounts: tuple[Account, ...]
    participants: int
    made: bool


ACCOUNTS = tuple(Account(role, f"{role}@demo.example", f"demo-{role}") for role in ROLES)


def add_accounts(rt: Runtime) -> dict[Role, int]:
    """Add an account for every role, those that are missing; return role -> user id."""

    def user_id(account: Account) -> int:
        study_code = None if account.role == "administrator" else STUDY
        known = (account.email, account.password, account.role, study_code)
        return accounts.add_user(rt, DEMO_ACTOR, *known, language="en", in_public=True).user_id

    return {account.role: user_id(account) for account in ACCOUNTS}


def seed(rt: Runtime, progress: Progress | None = None) -> Demo:
    """Make the demonstration once; a second call changes nothing. Raise NotADemoError if there is another study."""
    with rt.sessions.reading() as session:
        known = studies.all_studies(session)
        enrolled = sum(studies.enrolled(session, found.id) for found in known)
    others = [found.code for found in known if found.code != STUDY]
    if others:
        raise NotADemoError(", ".join(others))
    if enrolled:
        add_accounts(rt)  # a demonstration of an earlier release has fewer
        return Demo(ACCOUNTS, enrolled, made=False)
    _Past(rt).run(progress or (lambda _done, _all: None))
    return Demo(ACCOUNTS, PARTICIPANTS, made=True)


# The invented participants -------------------------------------------------------------------------------------------
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
    """What a telephone reads from the card's QR code."""

    def cells(self, zone: ZoneInfo, enrolled: datetime) -> dict[str, str]:
        """Return the row of the enrolment file."""
        consented = enrolled.astimezone(zone).isoformat(timespec="seconds")
        return {
            "participant": self.code,
            "site": self.site,
            "procedure_date": self.procedure.isoformat(),
            "language": self.language,
            "messaging_consent": consented,
            "phone": self.phone,
            "channel": self.channel,
            "whatsapp_consent": consented if "whatsapp" in self.channel else "",
            "email": f"{self.code.lower()}@participants.example" if "email-link" in self.channel else "",
            "email_consent": consented if "email-link" in self.channel else "",
            "procedure_time": "" if enrolled.astimezone(zone).date() > self.procedure else f"{PROCEDURE_ENDED:%H:%M}",
            "baseline_nrs_avg": str(self.pain),
            "baseline_nrs_now": str(max(self.pain - 1, 0)),
        }


def invent(number: int, today: date, sites: Sequence[str], chance: random.Random) -> Person:
    """Return an invented participant; the last few had the procedure so long ago that a window is open now."""
    habit = chance.choice(HABITS)
    new = number - (PARTICIPANTS - NEWLY_ENROLLED)
    ago = (7, 8, 7, 31, 30, 8, 7, 92)[new] if new >= 0 else _days_ago(number)
    return Person(
        code=f"P-{number + 1:03d}",
        phone=f"+1202555{100 + number:04d}",
        site=chance.choice(sites),
        language="tr" if chance.random() < 0.6 else "en",  # noqa: PLR2004
        channel=_channel(number),
        procedure=today - timedelta(days=ago),
        habit="silent" if number in UNANSWERED else habit,
        pain=chance.randint(4, 9),
    )


def asks(question: str, body: str) -> bool:
    """Whether a text asks this question, by its first line."""
    return question.splitlines()[0] in body


def _channel(number: int) -> str:
    """Return the channel: most reply, some get a link, a few answer with the card."""
    if number % 4 == 0:
        return "sms-link"
    return "sms-card" if number % 8 == 6 else "sms-reply"  # noqa: PLR2004 -- so that some windows of theirs are open


def _days_ago(number: int) -> int:
    """Return how many days ago the procedure was: some windows are open, some close soon, most are over."""
    near = (10, 9, 10, 8, 37, 36, 35, 104, 103, 101, 1, 3)
    return near[number] if number < len(near) else 12 + (number - len(near)) * 5


# Their last hundred days ---------------------------------------------------------------------------------------------
class _Past:
    """The virtual past of the demonstration."""

    def __init__(self, rt: Runtime) -> None:
        self.real, self.end = rt, rt.clock()
        self.random = random.Random(SEED)  # noqa: S311 -- invented people, the same every time
        self.virtual = VirtualTime(rt, self.end)
        self.rt = self.virtual.rt
        self.people: dict[str, Person] = {}
        self.protocol: Protocol
        self.study_id: int
        self.coordinator: audit.Actor

    def run(self, progress: Progress) -> None:
        """Load the study, run through the past, and enrol the last participants now."""
        text = (paths.protocols() / "demo.toml").read_text(encoding="utf-8")
        # The study and its staff were there before the first participant.
        self.virtual.clock.now = self.end - BEGAN
        self.study_id = study.load(self.rt, DEMO_ACTOR, text).study.id
        with self.rt.sessions.reading() as session:
            protocol = studies.newest_protocol(session, self.rt.loader, self.study_id)
        if protocol is None:
            raise LookupError(STUDY)
        self.protocol = protocol
        user_id = add_accounts(self.rt)["coordinator"]
        self.coordinator = audit.Actor("staff", f"user:{user_id}", "dashboard", user_id=user_id)
        for number in range(PARTICIPANTS):
            self._plan_participant(number)
        self._plan_mornings(min(person.procedure for person in self.people.values()))
        self.virtual.run(self.end, self._read, progress)
        self.virtual.clock.now = self.end
        # From now on texts go where the installation sends them.
        self.rt = replace(self.rt, texts=self.real.texts, mail=self.real.mail)
        domestic = self.rt.carriers.to("TR") != self.rt.carriers.to("US")
        agreed = {n: one for medium in self.rt.carriers.media for n, one in LADDERS.get(medium, {}).items()}
        for number, person in list(enumerate(self.people.values()))[-NEWLY_ENROLLED:]:
            telephone = f"+90555100{number:04d}" if domestic and number in TURKISH else person.phone
            self._enrol(replace(person, phone=telephone, channel=agreed.get(number, person.channel)), self.end)
        beat(self.real, "tick")

    def _plan_participant(self, number: int) -> None:
        """Invent one participant; all but the last few are enrolled on the day of their procedure."""
        chance = self.random
        person = invent(number, self.end.date(), tuple(self.protocol.sites), chance)
        self.people[person.phone] = person
        if number < PARTICIPANTS - NEWLY_ENROLLED:
            zone = ZoneInfo(self.protocol.sites[person.site].zone)
            enrolled = datetime.combine(person.procedure, ENROLLED_AT, tzinfo=zone).astimezone(UTC)
            self.virtual.schedule(enrolled, partial(self._enrol, person, enrolled))
            if chance.random() < 0.9:  # noqa: PLR2004 -- sometimes nobody asks
                self.virtual.schedule(enrolled + timedelta(minutes=5), partial(self._enter_first_score, person))

    def _enrol(self, person: Person, moment: datetime) -> None:
        zone = ZoneInfo(self.protocol.sites[person.site].zone)
        enrol.enrol_one(self.rt, DEMO_ACTOR, self.study_id, person.cells(zone, min(moment, self.end)))
        if person.channel == CARD:
            # Printed and handed over before they leave the clinic.
            person.card = card.show(self.rt, self.coordinator, self.study_id, person.code).scanned
            card.hand_over(self.rt, self.coordinator, self.study_id, [person.code])

    def _enter_first_score(self, person: Person) -> None:
        """Enter the scores of the first hour, which a nurse asks at the bedside."""
        values = {"NRS-NOW": str(self._score(person)), "PGIC": str(self.random.randint(1, 4))}
        filled = entry.Filled(values=values, mode="clinic")
        entry.enter(self.rt, self.coordinator, self.study_id, person.code, "V1H", filled)

    # What participants do with their telephones ----------------------------------------------------------------------

    def _read(self, text: Outgoing) -> None:
        """Let the participant read a text that has arrived, and answer after a while."""
        self.virtual.report_delivery(text, "delivered")
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
        self.virtual.schedule_after(timedelta(minutes=minutes), action)

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
        self.virtual.send_reply(person.phone, words)

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

    def _plan_mornings(self, first: date) -> None:
        """Plan staff's work on every morning but the last two: today's tasks are still open."""
        day = first
        while day < self.end.date() - timedelta(days=1):
            self.virtual.schedule(datetime.combine(day, time(8), tzinfo=UTC), self._do_morning_tasks)
            day += timedelta(days=1)

    def _do_morning_tasks(self) -> None:
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

    def _call(self, task: EscalationRow) -> None:
        outcome = self.random.choice(("no_answer", "no_answer", "completed", "will_do_it"))
        if outcome != "completed" or task["window"] is None or task["participant"] is None:
            result = calls.CallResult("will_do_it" if outcome == "will_do_it" else "no_answer")
            calls.record(self.rt, self.coordinator, task["id"], result)
            return
        person = next(p for p in self.people.values() if p.code == task["participant"])
        values = {"NRS-AVG": str(self._score(person)), "PGIC": str(self.random.randint(1, 5))}
        filled = entry.Filled(values=values, mode="telephone", task=task["id"])
        entry.enter(self.rt, self.coordinator, self.study_id, person.code, task["window"], filled)
