"""The invented participants of the demonstration: who they are, and how they answer."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

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
