"""Whether a clock is believed: a step too long for an outage needs another clock, or a person, who agrees.

Once something was decided by a wrong clock its rows say so for ever: a window counted as missed is a participant whom
nobody asks any more. Waiting for a second opinion costs hours at most.
"""

from datetime import datetime, timedelta
from typing import Literal, TypeAlias

STEP = timedelta(hours=1)
"""A step of more than this since the service was last alive asks for a second clock."""
AGREES = timedelta(minutes=5)
"""Two clocks that differ by no more than this agree: an answer may have been under way for a while."""
OUTAGE = timedelta(days=14)
"""A step that may have been an outage where there is no second clock; a longer one is for a person."""

Doubt: TypeAlias = Literal["disputed", "ahead", "behind"]
"""Why a clock is not believed: another one says otherwise, or its step is longer than an outage."""


def is_step(now: datetime, last: datetime | None) -> bool:
    """Whether a second clock is to be asked. `last`: when the service was last alive by a clock that was believed."""
    return last is None or abs(now - last) > STEP


def doubt(now: datetime, last: datetime | None, second: datetime | None) -> Doubt | None:
    """Return why `now` is not believed; None if it is.

    A `second` clock that agrees ends every doubt, also the one that rows from the future would raise.
    """
    if not is_step(now, last):
        return None
    if second is not None:
        return None if abs(now - second) <= AGREES else "disputed"
    if last is None or abs(now - last) <= OUTAGE:
        return None
    return "ahead" if now > last else "behind"
