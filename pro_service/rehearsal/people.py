"""The invented participants of a rehearsal: who they are, when they are enrolled, and what they answer."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pro_service.core.enrolment.file import columns_of
from pro_service.core.ladder import CALLS, Ladder, read
from pro_service.core.protocol import MEDIA, Protocol
from pro_service.core.schedule.calendar import is_working, local_day
from pro_service.core.schedule.windows import schedule
from pro_service.rehearsal.temperaments import Temperament
from pro_service.runtime import holidays_of

AREAS = (202, 212, 213, 301, 303, 305, 312, 313, 404, 415, 503, 512, 602, 617, 702, 713, 718, 801, 919, 972)
NUMBERS_EACH = 100
MOST = len(AREAS) * NUMBERS_EACH
"""So many telephone numbers are reserved for fiction in these areas (555-0100 to 555-0199)."""
PROCEDURE_ENDS, ENROLLED_AT = time(14), time(15)


def ladder_of(channel: str) -> Ladder:
    """Return the channels that are written so, in their order; none for `calls`."""
    return () if channel == CALLS else read(channel)[0]


@dataclass(slots=True)
class Person:
    """One invented participant."""

    code: str
    phone: str
    site: str
    zone: ZoneInfo
    language: str
    channel: str
    """A ladder as an enrolment file has it, or `calls`."""
    procedure: date
    temperament: Temperament
    values: dict[tuple[str, str], int] = field(default_factory=dict)
    """(window, item) -> the answer they have in mind."""
    links: dict[str, str] = field(default_factory=dict)
    """Window -> token of the newest link to its form."""
    card: str = ""
    """What the picture of their printed card holds, where they have one."""

    @property
    def ladder(self) -> Ladder:
        """The channels by which they are asked, in their order; none where people telephone."""
        return ladder_of(self.channel)

    @property
    def email(self) -> str:
        """Their address, which leads nowhere."""
        return f"{self.code.lower()}@participants.invalid"

    @property
    def enrolled_at(self) -> datetime:
        """When they are enrolled: after the procedure, on its day."""
        return datetime.combine(self.procedure, ENROLLED_AT, tzinfo=self.zone).astimezone(UTC)

    @property
    def lost_at(self) -> datetime | None:
        """From when on texts to them do not arrive any more; None = never."""
        lost = self.temperament.number == "lost"
        return self.enrolled_at + self.temperament.lost_after if lost else None

    def cells(self, protocol: Protocol) -> dict[str, str]:
        """Return the row of the enrolment file."""
        media = {MEDIA[channel] for channel in self.ladder}
        agreed = self.enrolled_at.astimezone(self.zone).isoformat(timespec="seconds")
        baseline = protocol.baseline
        columns = columns_of(baseline.items if baseline else ())
        values = {
            column: str(self.values[baseline.code, item]) for column, item in columns.items() if baseline is not None
        }
        return values | {
            "participant": self.code,
            "site": self.site,
            "procedure_date": self.procedure.isoformat(),
            "language": self.language,
            "messaging_consent": agreed if "sms" in media else "",
            "whatsapp_consent": agreed if "whatsapp" in media else "",
            "email": self.email if "email" in media else "",
            "email_consent": agreed if "email" in media else "",
            "phone": self.phone,
            "channel": self.channel if media else "",
            "procedure_time": f"{PROCEDURE_ENDS:%H:%M}",
        }

    def answer_in_mind(self, protocol: Protocol, window: str, item: str, chance: random.Random) -> int:
        """Return the answer they have in mind, mostly better than the baseline.

        It is the same each time, until they change it.
        """
        if (window, item) not in self.values:
            rule, baseline = protocol.items[item], protocol.baseline
            before = self.values.get((baseline.code, item)) if baseline else None
            width = rule.maximum - rule.minimum
            most = rule.minimum + round(width * 0.55) if before is None else before
            least = rule.minimum if before is None else before - round(width * 0.6)
            self.values[window, item] = min(max(chance.randint(least, most), rule.minimum), rule.maximum)
        return self.values[window, item]


def invent(
    protocol: Protocol,
    crowd: Sequence[Temperament],
    channels: Sequence[str],
    days: Mapping[str, Sequence[date]],
    wanted: int,
    chance: random.Random,
) -> list[Person]:
    """Return this many participants; `days` are the days of procedures at each site. Earlier ones have lower codes."""
    kinds = temperaments_by_share(crowd, wanted)
    chance.shuffle(kinds)
    sites = list(protocol.sites.values())
    people = []
    for number, kind in enumerate(kinds):
        site = sites[number % len(sites)]
        open_days = days[site.code]
        person = Person(
            code=f"P-{number + 1:03d}",
            phone=f"+1{AREAS[number // NUMBERS_EACH]}555{100 + number % NUMBERS_EACH:04d}",
            site=site.code,
            zone=ZoneInfo(site.zone),
            language=chance.choice(protocol.languages),
            channel=_channel(kind, channels, chance),
            procedure=open_days[number * len(open_days) // wanted],
            temperament=kind,
        )
        if protocol.baseline is not None:
            for item in protocol.baseline.items:
                rule = protocol.items[item]
                low = rule.minimum + round((rule.maximum - rule.minimum) * 0.4)
                person.values[protocol.baseline.code, item] = chance.randint(low, max(low, rule.maximum - 1))
        people.append(person)
    return people


def _channel(kind: Temperament, channels: Sequence[str], chance: random.Random) -> str:
    fitting = [channel for channel in channels if kind.channel in ladder_of(channel)]
    if fitting:
        return fitting[0]
    return chance.choice(channels)


def temperaments_by_share(crowd: Sequence[Temperament], wanted: int) -> list[Temperament]:
    """Return temperaments in proportion to their shares (largest remainder), each at least once if there is room."""
    present = [kind for kind in crowd if kind.share]
    floor = 1 if wanted >= len(present) else 0
    left, whole = wanted - floor * len(present), sum(kind.share for kind in present)
    quota = {kind.code: left * kind.share / whole for kind in present}
    counts = {code: floor + int(part) for code, part in quota.items()}
    rest = sorted(present, key=lambda kind: (int(quota[kind.code]) - quota[kind.code], kind.code))
    for kind in rest[: wanted - sum(counts.values())]:
        counts[kind.code] += 1
    return [kind for kind in present for _ in range(counts[kind.code])]


def days_of_procedures(protocol: Protocol, first: date, days: int) -> dict[str, list[date]]:
    """Return site -> its working days among the first `days`; its very first day if none of them is one."""
    found = {}
    for site in protocol.sites.values():
        span = (first + timedelta(days=ahead) for ahead in range(days))
        found[site.code] = [day for day in span if is_working(day, holidays_of(site.country))] or [first]
    return found


def longest_follow_up(protocol: Protocol, first: date) -> int:
    """Return the days from a procedure to the close of its last window."""
    zone = ZoneInfo(next(iter(protocol.sites.values())).zone)
    windows = schedule(protocol, first, zone)
    return max(((local_day(window.closes_at, zone) - first).days for window in windows), default=0)
