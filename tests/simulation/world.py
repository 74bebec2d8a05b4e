"""What everybody in a run shares: the clock, chance, the weather, the ledger, and what is going to happen."""

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from tests.simulation.ledger import Ledger
from tests.simulation.weather import Weather
from tests.support import SetClock

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Happening = Callable[[], object]


@dataclass(slots=True)
class World:
    """One run's time and chance; everything that happens to people happens through `at`."""

    clock: SetClock
    end: datetime
    chance: random.Random
    weather: Weather
    ledger: Ledger
    events: list[tuple[datetime, int, Happening]] = field(default_factory=list)
    wrong_by: timedelta = timedelta()
    """By how much the product's clock is ahead of everybody else's."""
    order: Iterator[int] = field(default_factory=count)

    @property
    def now(self) -> datetime:
        """What time it is, whatever the product's clock says."""
        return self.clock.now - self.wrong_by

    def seconds(self) -> float:
        """Seconds that pass whatever anybody's clock says."""
        return (self.now - EPOCH).total_seconds()

    def at(self, moment: datetime, happening: Happening) -> None:
        """Let this happen then; what is already past happens next."""
        heapq.heappush(self.events, (moment, next(self.order), happening))

    def next(self) -> datetime | None:
        """When something happens next."""
        return self.events[0][0] if self.events else None

    def happen(self) -> None:
        """Let everything happen whose time has come."""
        while self.events and self.events[0][0] <= self.clock.now:
            heapq.heappop(self.events)[2]()
