"""The faults of a network, drawn from a seed so that the same faults can be had again."""

import random
from dataclasses import dataclass
from enum import Enum, auto
from threading import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How often each fault occurs: shares between 0 and 1 of the messages created, times in seconds."""

    seed: int = 0
    too_many_requests: float = 0.0  # 429, not accepted
    retry_after: int = 1
    unavailable: float = 0.0  # 503, not accepted
    accept_then_500: float = 0.0
    accept_then_hang: float = 0.0
    late_accept: float = 0.0  # hangs first and accepts when the client has long gone
    hang_seconds: float = 30.0
    list_lag_seconds: float = 0.0  # how long a new message is missing from lists
    duplicate_callbacks: float = 0.0
    reordered_callbacks: float = 0.0  # the final state before the one on the way
    callback_first: float = 0.0  # the first callback arrives before the response
    repeats_refused_late: float = 0.0  # Verimor: the same words are taken again, and only then refused


class Fate(Enum):
    """What happens to one request to create a message."""

    GOOD = auto()
    TOO_MANY_REQUESTS = auto()
    UNAVAILABLE = auto()
    ACCEPT_THEN_500 = auto()
    ACCEPT_THEN_HANG = auto()
    LATE_ACCEPT = auto()


class Dice:
    """Draws from the seed; may be used by several threads."""

    def __init__(self, faults: Faults) -> None:
        """Begin at the seed."""
        self.faults = faults
        self._random = random.Random(faults.seed)  # noqa: S311 (not a secret: the same day again)
        self._lock = Lock()

    def fate(self) -> Fate:
        """Draw what happens to one request."""
        shares = {
            Fate.TOO_MANY_REQUESTS: self.faults.too_many_requests,
            Fate.UNAVAILABLE: self.faults.unavailable,
            Fate.ACCEPT_THEN_500: self.faults.accept_then_500,
            Fate.ACCEPT_THEN_HANG: self.faults.accept_then_hang,
            Fate.LATE_ACCEPT: self.faults.late_accept,
        }
        drawn = self._draw()
        for fate, share in shares.items():
            if drawn < share:
                return fate
            drawn -= share
        return Fate.GOOD

    def happens(self, share: float) -> bool:
        """Draw whether something that happens to this share of messages happens to this one."""
        return share > 0 and self._draw() < share

    def _draw(self) -> float:
        with self._lock:
            return self._random.random()
