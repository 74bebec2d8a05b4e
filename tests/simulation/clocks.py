"""A clock that jumps for one tick and is right again: by minutes, hours, days and months, ahead and back."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select

from pro_service.core.commands import Reopen
from pro_service.core.schedule.agenda import next_moment
from pro_service.core.schedule.wrong_clock import undo
from pro_service.core.trusted_time import AGREES
from pro_service.runtime import Runtime
from pro_service.store import heartbeats
from pro_service.store.schema import heartbeats as beats
from pro_service.store.schema import participants
from tests.simulation.weather import Weather

SIZES = tuple(timedelta(minutes=minutes) for minutes in (7, 50, 3 * 60, 17 * 60, 2 * 1440, 6 * 1440, 13 * 1440))
MONTHS = (timedelta(days=20), timedelta(days=200))
SETTLED = timedelta(hours=2)
"""So soon after the clock is right again everything is undone, where nothing is down."""
ALIVE = timedelta(minutes=1)
SELDOM = timedelta(hours=12)
"""The scheduler beats every minute; it is written down as often as it matters to a rule about weeks."""


@dataclass(slots=True)
class Clocks:
    """The jumps of one run, drawn from chance of their own, so that nothing else of a run changes with them."""

    chance: random.Random
    start: datetime
    end: datetime
    jumps: list[tuple[datetime, timedelta]] = field(default_factory=list)
    alive_at: datetime | None = None
    quiet_until: datetime | None = None
    """What one jump did is looked at before the next one."""

    def __post_init__(self) -> None:
        """Draw the jumps."""
        minutes = (self.end - self.start) // timedelta(minutes=1)
        for _ in range(self.chance.choice((0, 1, 2, 4))):
            by = self.chance.choice((*SIZES, *SIZES, *MONTHS)) * self.chance.choice((1, 1, 1, -1))
            self.jumps.append((self.start + timedelta(minutes=self.chance.randrange(minutes)), by))
        self.jumps.sort()

    def jump(self, now: datetime) -> timedelta | None:
        """Return by how much the clock is wrong for this tick; None if it is right."""
        due = [by for at, by in self.jumps if at <= now]
        if not due or (self.quiet_until is not None and now < self.quiet_until):
            return None
        self.jumps, self.quiet_until = self.jumps[len(due) :], now + 2 * SETTLED
        return due[-1]

    def alive(self, rt: Runtime, weather: Weather, now: datetime) -> None:
        """Write down when the scheduler was last alive before this beat: a moment ago, or before it was down."""
        at = now - ALIVE
        down = (o.start for o in weather.outages if o.down in ("scheduler", "everything") and o.start <= at < o.end)
        at = min([at, *down])
        if self.alive_at is None or at - self.alive_at >= SELDOM:
            self.alive_at = at
            with rt.sessions.begin() as session:
                last = heartbeats.last(session, "tick")
                if last is None or last < at:
                    heartbeats.beat(session, "tick", at)


def counted_early(rt: Runtime, now: datetime) -> bool:
    """Whether a wrong clock has counted a window before its close, and nobody took that back yet."""
    with rt.sessions.reading() as session:
        loaded = rt.loader.load(session, session.scalars(select(participants.c.id)).all(), lock=False)
    return any(isinstance(command, Reopen) for one in loaded for command in undo(one.case, now))


def left_behind(rt: Runtime, now: datetime) -> Iterator[tuple[str, str]]:
    """Give (participant or part, what) that a wrong clock has decided and nobody took back."""
    with rt.sessions.reading() as session:
        loaded = rt.loader.load(session, session.scalars(select(participants.c.id)).all(), lock=False)
        ahead = session.scalar(select(func.count()).select_from(beats).where(beats.c.at > now + AGREES))
    for one in loaded:
        code, following = one.case.participant.code, next_moment(one.case, now)
        yield from ((code, str(command)) for command in undo(one.case, now))
        if following is not None and not one.faults and (one.next_check_at is None or one.next_check_at > following):
            yield code, f"is looked at {one.next_check_at}, not {following}"
    if ahead:
        yield "heartbeats", f"{ahead} from the future"
