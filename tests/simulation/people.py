"""The participants of a run: who they are, how they are inclined, and what they mean by what they say."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from pro_service.core.case import Source
from pro_service.core.protocol import Protocol, Window
from pro_service.core.providers import WayOut
from pro_service.core.schedule.windows import schedule
from tests.simulation.texts import Read

Deed: TypeAlias = Literal["answer", "part", "garble", "decline", "stop", "later", "call", "chat", "help", "nothing"]
DEEDS: tuple[Deed, ...] = ("answer", "part", "garble", "decline", "stop", "later", "call", "chat", "help", "nothing")

HABITS: Mapping[str, tuple[int, ...]] = {
    "prompt": (90, 2, 2, 0, 0, 2, 0, 0, 0, 4),
    "reminded": (45, 5, 0, 0, 0, 5, 0, 0, 0, 45),
    "silent": (2, 0, 0, 0, 0, 0, 0, 0, 0, 98),
    "unclear": (30, 5, 50, 0, 0, 0, 2, 8, 2, 3),
    "reluctant": (30, 10, 5, 25, 0, 10, 5, 5, 0, 10),
    "leaving": (30, 0, 5, 0, 40, 5, 0, 5, 0, 15),
    "putting off": (35, 0, 0, 0, 0, 50, 5, 0, 0, 10),
    "anything": (30, 8, 8, 8, 8, 8, 8, 8, 6, 8),
}
"""Habit -> how often each of DEEDS follows a text that asks."""
ZONES = ("Europe/Istanbul", "Europe/Berlin", "Europe/London", "America/New_York", "America/Santiago", "Asia/Baku")


FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Meant:
    """An answer as somebody meant it. `window` None: about no window, only how it is now."""

    window: str | None
    item: str
    value: int | None
    """None: prefers not to answer."""


@dataclass(frozen=True, slots=True)
class Given:
    """An answer that came by another way than a text: by which, and when."""

    source: str
    at: datetime
    meant: Meant


@dataclass(slots=True)
class Person:
    """One participant, with the truth about what they meant and what may be done to them."""

    code: str
    phone: str
    site: str
    site_zone: ZoneInfo
    zone: ZoneInfo
    language: str
    channel: str
    consents: bool
    """To texts."""
    habit: str
    planned: date
    """The procedure date at enrolment."""
    took_place: date
    enrols_at: datetime
    confirms_at: datetime | None
    """None: nobody ever says that the procedure took place, unless it was enrolled as done."""
    confirmed_at: datetime | None = None
    spans: dict[str, Window] = field(default_factory=dict)
    values: dict[tuple[str, str], int] = field(default_factory=dict)
    said: dict[str, Meant | None] = field(default_factory=dict)
    """Id of a text -> what was meant by it; None: nothing that is an answer."""
    given: list[Given] = field(default_factory=list)
    stopped_at: datetime | None = None
    """Since when the product knows that no texts are wanted."""
    lost_at: datetime | None = None
    """Since when it knows that the number is not theirs, or nobody's: until they have another."""
    left_at: datetime | None = None
    asked: tuple[str, Read] | None = None
    """(window, the question read last) until it is answered."""
    proposed: Read | None = None
    """The change of an answer that was proposed last."""
    wanted: tuple[str, Read] | None = None
    """The same, until somebody says that the answer is there: whatever is written now, is about that."""
    number_at: datetime = FOREVER
    """When the telephone number is given: at the enrolment, later or never."""
    card_at: datetime = FOREVER
    """When the card of somebody who answers with one is made and handed over."""
    mail: str = ""
    """The address of somebody who agrees to mails; empty: they do not."""
    chats: bool = False
    """Whether they agree to WhatsApp messages."""
    writes_by: WayOut = "sms"
    """People answer where they read."""
    ladder: str = ""
    """Their channels in order, where there is more than texts."""
    card: str = ""
    """What a telephone reads off the card; empty until there is one."""
    links: dict[str, tuple[Source, str]] = field(default_factory=dict)
    """Window -> what led to its form last, a text or the card, and the token of that link."""
    hindered: list[tuple[datetime, datetime]] = field(default_factory=list)
    """Stretches of time in which texts were not wanted, put off, held or paused; see `unasked` for those that last."""

    def lay_out(self, protocol: Protocol, day: date) -> None:
        """Take up the windows that follow from this procedure date."""
        spans = schedule(protocol, day, self.site_zone)
        self.spans = {span.code: span for span in spans if protocol.time_point(span.code).prompted}

    @property
    def agrees(self) -> bool:
        """Whether they agreed to any kind of message."""
        return self.consents or self.chats or bool(self.mail)

    @property
    def reached_at(self) -> datetime:
        """Since when something leads to them: a number, a card where that is what they answer with, or a mail."""
        if self.mail:
            return self.enrols_at
        return max(self.number_at, self.card_at if self.channel == "sms-card" else self.number_at)

    @property
    def unasked(self) -> list[tuple[datetime, datetime]]:
        """Stretches of time in which a missing prompt is explained."""
        lost = None if self.mail else self.lost_at
        return [*self.hindered, *((at, FOREVER) for at in (self.stopped_at, lost) if at is not None)]

    def stops(self, now: datetime) -> None:
        """No more texts are wanted."""
        self.stopped_at = self.stopped_at or now

    def starts(self, now: datetime) -> None:
        """Texts are wanted again."""
        if self.stopped_at is not None:
            self.hindered.append((self.stopped_at, now))
        self.stopped_at = None

    def loses_number(self, now: datetime) -> None:
        """The number is found not to be theirs."""
        self.lost_at = self.lost_at or now

    def gets_number(self, now: datetime) -> None:
        """They have another number: it ends what was said of the one before, and no wish to get no texts."""
        if self.lost_at is not None:
            self.hindered.append((self.lost_at, now))
        self.lost_at, self.number_at = None, now

    def window_at(self, moment: datetime) -> str | None:
        """The window one thinks of at this moment: the open one, else the last that one may still answer late."""
        for code, span in self.spans.items():
            if span.opens_at <= moment < span.closes_at:
                return code
        late = [code for code, span in self.spans.items() if span.closes_at <= moment < span.late_until]
        return late[-1] if late else None

    def cells(self) -> dict[str, str]:
        """The row of the enrolment file."""
        local = self.enrols_at.astimezone(self.site_zone)
        return {
            "participant": self.code,
            "site": self.site,
            "procedure_date": self.planned.isoformat(),
            "language": self.language,
            "messaging_consent": local.isoformat(timespec="seconds") if self.consents else "",
            "phone": self.phone if self.number_at <= self.enrols_at else "",
            "timezone": self.zone.key,
            "channel": (self.ladder or self.channel) if self.agrees else "",
            **({"email": self.mail, "email_consent": local.isoformat(timespec="seconds")} if self.mail else {}),
            **({"whatsapp_consent": local.isoformat(timespec="seconds")} if self.chats else {}),
            "baseline_nrs_avg": str(self.values["V0", "NRS-AVG"]),
            "baseline_nrs_now": str(self.values["V0", "NRS-NOW"]),
        }


def _later(chance: random.Random, moment: datetime, at_once: float) -> datetime:
    """Return when something that is due at this moment is done: at once, some days or weeks later, or never."""
    drawn = chance.random()
    if drawn < at_once:
        return moment
    return moment + timedelta(hours=chance.randrange(1, 900)) if drawn < (1 + at_once) / 2 else FOREVER


MAILED = 0.4
"""So many of those without a card agree to mails."""
CHATTING = 0.25
"""So many of them agree to WhatsApp messages."""


def invent(
    number: int, chance: random.Random, first: date, protocol: Protocol, luck: random.Random, chatting: random.Random
) -> Person:
    """Invent one participant whose procedure is planned for one of the first days.

    `luck` and `chatting`: chance for mails and for WhatsApp messages.
    """
    site = chance.choice(list(protocol.sites.values()))
    site_zone = ZoneInfo(site.zone)
    planned = first + timedelta(days=chance.randrange(11))
    enrolled_on = planned + timedelta(days=chance.choice((0, 0, 0, 0, -4, -1, 2, 8, 9, 12, 20, 33, 100)))
    enrols_at = datetime.combine(enrolled_on, time(chance.randrange(8, 20)), tzinfo=site_zone).astimezone(UTC)
    took_place, confirms_at = planned, None
    if enrolled_on < planned:
        moved = chance.choice((0, 0, 0, 1, 5))
        took_place += timedelta(days=moved)
        late = timedelta(days=chance.choice((0, 0, 1, 6, 12)), hours=chance.randrange(9))
        confirms_at = datetime.combine(took_place, time(12), tzinfo=site_zone).astimezone(UTC) + late
        if chance.random() < 0.2:
            confirms_at = None
    person = Person(
        code=f"P-{number:03d}",
        phone=f"+1202555{100 + number:04d}",
        site=site.code,
        site_zone=site_zone,
        zone=chance.choice((site_zone, site_zone, ZoneInfo(chance.choice(ZONES)))),
        language=chance.choice(("tr", "en")),
        channel=chance.choice(("sms-reply", "sms-reply", "sms-link", "sms-card")),
        consents=chance.random() < 0.9,
        habit=chance.choice(list(HABITS)),
        planned=planned,
        took_place=took_place,
        enrols_at=enrols_at,
        confirms_at=confirms_at,
    )
    person.number_at = _later(chance, enrols_at, 0.85)
    if person.channel != "sms-card" and luck.random() < MAILED:
        person.mail = f"reader-{number}@example.org"
        # Address and telephone of the same person: either may come first, and some have no other channel than mails.
        person.ladder = luck.choice(("email-link", f"email-link>{person.channel}", f"{person.channel}>email-link"))
    if person.channel != "sms-card" and chatting.random() < CHATTING:
        person.chats, others = True, person.ladder or person.channel
        alone = "whatsapp" if not person.mail else f"whatsapp>{others}"
        person.ladder = chatting.choice((alone, f"whatsapp>{others}", f"{others}>whatsapp"))
    if person.channel == "sms-card":
        person.card_at = _later(chance, enrols_at, 0.5)
    for item in ("NRS-AVG", "NRS-NOW"):
        person.values["V0", item] = chance.randint(0, 10)
    person.lay_out(protocol, planned)
    return person


def feels(person: Person, window: str, item: str, chance: random.Random, protocol: Protocol) -> int:
    """The value that somebody has in mind for an item of a window; the same each time, until they change their mind."""
    rule = protocol.items[item]
    if (window, item) not in person.values:
        person.values[window, item] = chance.randint(rule.minimum, rule.maximum)
    return person.values[window, item]
