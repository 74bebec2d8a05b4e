"""How often Verimor may be asked anything: one bucket for receipts, people's texts, credit and headers together."""

from threading import Lock
from time import monotonic

from pro_service.gateways.outgoing import Unavailable

PER_MINUTE, BURST = 20.0, 10
KEPT_BACK = 3
"""Questions that only those for people's texts may use: these come first."""


class Allowance:
    """A bucket that fills by itself. Safe between threads."""

    def __init__(self, per_minute: float = PER_MINUTE, burst: int = BURST) -> None:
        """Begin full."""
        self._rate, self._burst = per_minute / 60, float(burst)
        self._left, self._at = self._burst, monotonic()
        self._lock = Lock()

    def take(self, *, ours: bool) -> None:
        """Take one question, at once or not at all: raise Unavailable. `ours`: it asks for what people wrote."""
        with self._lock:
            now = monotonic()
            self._left, self._at = min(self._burst, self._left + (now - self._at) * self._rate), now
            if self._left < (1 if ours else 1 + KEPT_BACK):
                raise Unavailable
            self._left -= 1
