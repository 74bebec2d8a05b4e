"""How many attempts may fail before the next ones are refused: so few that guessing is hopeless, and never for good.

Two kinds of limit. A `Counter` allows so many failures in a span, counted from a row each: enough for passwords and
codes of the second factor, which are tried at one account.

An `Allowance` is for card codes, which anybody may try at all participants at once. It is one instant: until when the
failures so far are paid off. A failure adds `every` to it, time pays one off per `every`, and at most `burst` may be
owed at once. So in any span no more than `most_in` are let through, and the instant is all that has to be kept. (GCRA,
ITU-T I.371, Annex A.) A provider that answers only so many questions is asked within one too.

There are so many long codes that only a flood is refused, from one address or from many: wrong ones keep nobody out.
The short codes of earlier releases are too few for that, and are counted apart.

Wherever attempts are counted by address, `network_of` that address is counted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_network
from typing import Literal

from pro_service.core.addresses import ip_of
from pro_service.core.card_code import CODES, SHORT_CODES


class ThrottledError(Exception):
    """Too many attempts failed: nothing was checked. The next one is admitted at `again_at`."""

    def __init__(self, again_at: datetime) -> None:
        super().__init__("too many attempts failed")
        self.again_at = again_at


PREFIX = 64
"""How many bits of an IPv6 address name the network: its owner may choose the others."""


def network_of(address: str) -> str:
    """Return what an address counts as: IPv4 whole, also where it is written as IPv6; IPv6 by its network."""
    found = ip_of(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((int(found) >> (128 - PREFIX) << (128 - PREFIX), PREFIX)))
    return address if found is None else str(found)


@dataclass(frozen=True, slots=True)
class Counter:
    """So many failures within `SPAN`."""

    most: int

    def admits(self, failures: int) -> bool:
        """Whether one more may be tried after so many failures within `SPAN`."""
        return failures < self.most


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many failures at once, and one more each `every`."""

    burst: int
    every: timedelta

    def admits(self, owed_until: datetime | None, now: datetime) -> bool:
        """Whether one more try is allowed now."""
        return self._owed(owed_until, now) <= now + self.every * (self.burst - 1)

    def owed_after(self, owed_until: datetime | None, now: datetime) -> datetime:
        """Return until when is owed once one more attempt failed."""
        return self._owed(owed_until, now) + self.every

    def again_at(self, owed_until: datetime) -> datetime:
        """Return the first instant at which one more is admitted."""
        return owed_until - self.every * (self.burst - 1)

    def nearly_spent(self, owed_until: datetime | None, now: datetime) -> bool:
        """Whether four fifths are used up: honest mistakes alone do not come to that."""
        return self._owed(owed_until, now) - now >= self.every * self.burst * 0.8

    def most_in(self, span: timedelta) -> float:
        """Return the most failures that a span of time can hold."""
        return self.burst + span.total_seconds() / self.every.total_seconds()

    def _owed(self, owed_until: datetime | None, now: datetime) -> datetime:
        """Return the owed time of a stored instant.

        More than twice the maximum was stored before a clock was set back, and does not count.
        """
        if owed_until is None or owed_until > now + self.every * self.burst * 2:
            return now
        return max(owed_until, now)


# --- accounts --------------------------------------------------------------------------------------------------------

Kind = Literal["login", "code", "confirm", "forgot"]
"""What is tried at an account: a password, a code of the second factor, the password once more, a mail with a reset."""
SPAN = timedelta(minutes=15)
"""How long a failure counts. One span for every counter, so that one DELETE drops what no counter counts."""
ACCOUNT_FAILURES: dict[Kind, Counter] = {
    "login": Counter(10),
    "code": Counter(5),
    "confirm": Counter(5),
    "forgot": Counter(3),
}
"""Of one account: from then on it refuses places it does not know; a browser its owner signed in from is let in.

A code has six digits, so it is guessed less often; mails with a reset are asked for less often still.
"""
ADDRESS_FAILURES = Counter(30)
"""Of one network address (`network_of`), at any account."""
BROWSER_FAILURES = Counter(10)
"""Of a browser in which this very account signed in before."""

# --- card codes ------------------------------------------------------------------------------------------------------

FLOOD = Allowance(burst=50_000, every=timedelta(milliseconds=5))
"""Of long codes, at one web server: 200 a second. Not by address, for a clinic and its patients may share one."""
SERVERS = 3
"""Web servers that the chance is worked out for."""

# Of short codes, which are on cards of earlier releases alone:
ADDRESS = Allowance(burst=10, every=timedelta(minutes=10))
"""Of one network address (`network_of`)."""
EVERYBODY = Allowance(burst=60, every=timedelta(minutes=10))
"""Of all addresses together."""
ACQUAINTED = Allowance(burst=24, every=timedelta(hours=1))
"""Beyond that, of all addresses from which a right code came lately: nobody else can use it up."""
LATELY = timedelta(days=180)
"""How long an address counts as one from which a right code came."""


def chance_of_a_hit(long: int, short: int, span: timedelta) -> float:
    """Return the greatest chance to hit any of so many codes in a span, for somebody who uses up every allowance."""
    hit_long = long * SERVERS * FLOOD.most_in(span) / CODES
    hit_short = short * (EVERYBODY.most_in(span) + ACQUAINTED.most_in(span)) / SHORT_CODES
    return hit_long + hit_short
