"""What goes wrong in one run, and when: outages, leaps of time, faults of the provider, kills. Drawn from the seed."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

Down: TypeAlias = Literal["scheduler", "delivery", "provider", "webhooks", "everything"]
Fate: TypeAlias = Literal[
    "taken",
    "busy",
    "away",
    "refused",
    "turned away",
    "lost",
    "taken, then lost",
    "late",
    "killed",
    "frozen",
    "killed early",
]

OUTAGES: tuple[Down, ...] = ("scheduler", "delivery", "provider", "webhooks", "everything")
FATES: tuple[Fate, ...] = (
    *("busy", "away", "refused", "turned away", "lost"),
    *("taken, then lost", "late", "killed", "frozen"),
)
SHARES = (6, 6, 2, 1, 6, 6, 4, 6, 6)
"""How often each of FATES comes, among the faults."""


@dataclass(frozen=True, slots=True)
class Outage:
    """Something does not work from `start` until `end`; "everything" is a machine that sleeps."""

    down: Down
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Weather:
    """What goes wrong in one run."""

    outages: tuple[Outage, ...]
    faults: float
    """How likely a text meets one of FATES instead of being taken."""
    kills: float
    """How likely the process ends at one boundary of a transaction."""
    meetings: float
    """How likely another worker is at work in the middle of what one does."""
    receipts: float
    """How likely a status callback is doubled, early, out of order or contradicted."""

    def down(self, *names: Down, at: datetime) -> bool:
        """Whether one of these does not work at this instant."""
        known = (*names, "everything")
        return any(outage.down in known and outage.start <= at < outage.end for outage in self.outages)

    def over(self, at: datetime, until: datetime) -> bool:
        """Whether any outage touches this stretch of time."""
        return any(outage.start <= until and outage.end >= at for outage in self.outages)


LONG: tuple[Down, ...] = ("scheduler", "delivery", "everything")


def long_outage(chance: random.Random, start: datetime, end: datetime) -> tuple[Outage, ...]:
    """Draw, for some runs, one outage of 1 to 15 days: often it lies over a moment at which somebody is to be asked."""
    if chance.random() < 0.6:
        return ()
    begins = start + timedelta(minutes=chance.randrange((end - start) // timedelta(minutes=1)))
    days = chance.choice((1.0, 1.5, 2.0, 3.0, 5.0, 9.0, 15.0)) * chance.uniform(0.9, 1.1)
    return (Outage(chance.choice(LONG), begins, min(begins + timedelta(days=days), end)),)


CALM = Weather((), 0, 0, 0, 0)


def forecast(chance: random.Random, start: datetime, end: datetime) -> Weather:
    """Draw the weather of a run: a calm one, an ordinary one or a storm."""
    storm = chance.choice((0.0, 0.5, 1.0, 1.0))
    days = (end - start).days
    outages = []
    for _ in range(round(storm * chance.randint(2, 10))):
        begins = start + timedelta(minutes=chance.randrange(days * 24 * 60))
        down = chance.choice(OUTAGES)
        # While a provider is away every text is tried again and again: hours of it show as much as days.
        hours = chance.choice((0.1, 0.5, 2, 6) if down == "provider" else (0.1, 0.5, 2, 6, 14, 30, 80, 140))
        # At the end of a run everything is up: what waited then gets its chance.
        until = min(begins + timedelta(hours=hours * chance.uniform(0.5, 1.5)), end)
        outages.append(Outage(down, begins, until))
    return Weather(
        outages=tuple(sorted(outages, key=lambda outage: outage.start)),
        faults=storm * chance.choice((0.05, 0.15, 0.4)),
        kills=storm * chance.choice((0.0, 0.004, 0.02)),
        meetings=storm * chance.choice((0.0, 0.02, 0.1)),
        receipts=chance.choice((0.0, 0.2, 0.6)),
    )


def fate(chance: random.Random, weather: Weather, at: datetime) -> Fate:
    """Draw what becomes of one text that is handed to the provider now."""
    if weather.down("provider", at=at):
        return chance.choice(("away", "lost"))
    if chance.random() >= weather.faults:
        return "taken"
    return chance.choices(FATES, SHARES)[0]
