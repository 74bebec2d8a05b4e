"""How often somebody may enter a wrong card code: so seldom that guessing is hopeless, and never blocked for good."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pro_service.core.card_code import CODES


@dataclass(frozen=True, slots=True)
class Allowance:
    """A number of wrong tries at once, and one more after each `every`."""

    burst: int
    every: timedelta

    def admits(self, owed_until: datetime | None, now: datetime) -> bool:
        """Whether one more try is allowed now."""
        return self._owed(owed_until, now) <= now + self.every * (self.burst - 1)

    def owed_after(self, owed_until: datetime | None, now: datetime) -> datetime:
        """Return until when tries are owed after one more wrong try."""
        return self._owed(owed_until, now) + self.every

    def again_at(self, owed_until: datetime) -> datetime:
        """Return the first instant at which one more try is allowed."""
        return owed_until - self.every * (self.burst - 1)

    def nearly_spent(self, owed_until: datetime | None, now: datetime) -> bool:
        """Whether four fifths are used up: honest mistakes alone do not come to that."""
        return self._owed(owed_until, now) - now >= self.every * self.burst * 0.8

    def _owed(self, owed_until: datetime | None, now: datetime) -> datetime:
        """Return the owed time of a stored instant.

        More than twice the maximum was stored before a clock was set back, and does not count.
        """
        if owed_until is None or owed_until > now + self.every * self.burst * 2:
            return now
        return max(owed_until, now)

    def most_in(self, span: timedelta) -> float:
        """Return the most wrong tries that a span of time allows."""
        return self.burst + span.total_seconds() / self.every.total_seconds()


ADDRESS = Allowance(burst=10, every=timedelta(minutes=10))
"""Of one network address (IPv4) or network (IPv6 /64)."""
EVERYBODY = Allowance(burst=60, every=timedelta(minutes=5))
"""Of all addresses together."""
ACQUAINTED = Allowance(burst=24, every=timedelta(hours=1))
"""Beyond that, of all addresses from which a right code came lately: nobody else can use it up."""
LATELY = timedelta(days=180)
"""How long an address counts as one from which a right code came."""


def chance_of_a_hit(codes: int, span: timedelta) -> float:
    """Return the highest chance to hit any of this many codes in a span, if every allowance is used up."""
    return codes * (EVERYBODY.most_in(span) + ACQUAINTED.most_in(span)) / CODES
