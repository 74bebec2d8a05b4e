"""The wall clock, under guard: one that jumps against the monotonic clock is believed again only after a while."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock

JUMP = timedelta(seconds=5)
"""More than a clock that is being adjusted drifts between two looks."""
DISTRUST = timedelta(minutes=2)
"""How long nothing is sent by a clock that jumped."""


def wall() -> datetime:
    """The system's time, in UTC."""
    return datetime.now(UTC)


class GuardedClock:
    """Tells the time, and remembers when it jumped. A machine that slept has jumped too."""

    def __init__(self, now: Callable[[], datetime] = wall, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Begin to watch."""
        self._wall, self._monotonic = now, monotonic
        self._lock = Lock()
        self._last = (now(), monotonic())
        self._until = -1.0
        self._jumped: timedelta | None = None

    def __call__(self) -> datetime:
        """The time now."""
        with self._lock:
            now, ticks = self._wall(), self._monotonic()
            off = now - self._last[0] - timedelta(seconds=ticks - self._last[1])
            self._last = (now, ticks)
            if abs(off) > JUMP:
                self._distrust(off)
            return now

    def distrust(self, off: timedelta) -> None:
        """Somebody else's clock says that this one is off by so much."""
        with self._lock:
            self._distrust(off)

    def _distrust(self, off: timedelta) -> None:
        self._jumped = off
        self._until = self._monotonic() + DISTRUST.total_seconds()

    @property
    def held(self) -> bool:
        """Whether nothing may be sent by this clock yet."""
        self()
        return self._monotonic() < self._until

    def jump(self) -> timedelta | None:
        """The last jump, told once; None if there was none since."""
        with self._lock:
            jumped, self._jumped = self._jumped, None
            return jumped
