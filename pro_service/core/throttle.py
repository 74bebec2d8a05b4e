"""How often somebody may be wrong about an entry code: so seldom that guessing is hopeless, and never for good.

Each limit is one instant: until when the wrong tries so far are paid off. A wrong try adds `every` to it, time pays
one off per `every`, and at most `burst` may be owed at once. So in any span no more than `most_in` are let through,
however many web servers ask, and the instant is all that has to be stored. (GCRA, ITU-T I.371, Annex A.)
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pro_service.core.card_code import CODES


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many wrong tries at once, and one more each `every`."""

    burst: int
    every: timedelta

    def admits(self, owed_until: datetime | None, now: datetime) -> bool:
        """Whether one more may be tried now."""
        return self._owed(owed_until, now) <= now + self.every * (self.burst - 1)

    def after(self, owed_until: datetime | None, now: datetime) -> datetime:
        """Until when is owed once one more try was wrong."""
        return self._owed(owed_until, now) + self.every

    def again_at(self, owed_until: datetime) -> datetime:
        """The first instant at which one more is admitted."""
        return owed_until - self.every * (self.burst - 1)

    def nearly_spent(self, owed_until: datetime | None, now: datetime) -> bool:
        """Whether four fifths are owed: honest mistakes alone do not come to that."""
        return self._owed(owed_until, now) - now >= self.every * self.burst * 0.8

    def _owed(self, owed_until: datetime | None, now: datetime) -> datetime:
        """What counts of a stored instant. More than twice what can be owed was stored before a clock was set back."""
        if owed_until is None or owed_until > now + self.every * self.burst * 2:
            return now
        return max(owed_until, now)

    def most_in(self, span: timedelta) -> float:
        """The most wrong tries that a span of time can hold."""
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
    """The most that the chance to hit any of so many codes in a span can be, for whoever uses up every allowance."""
    return codes * (EVERYBODY.most_in(span) + ACQUAINTED.most_in(span)) / CODES
