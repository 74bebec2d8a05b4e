"""Figures as of the last tick, which is what the pages say of them: counted once, and told until the next."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

MINUTE = timedelta(minutes=1)
"""A scheduler that stands still keeps no figure for longer."""
MOST = 256

Figures = TypeVar("Figures")


@dataclass(frozen=True, slots=True)
class _Counted:
    tick: datetime
    at: datetime
    figures: Any


@dataclass(slots=True)
class AsOf:
    """What was counted for each question (a study, its filters) since the last tick; of one web server."""

    _found: dict[Hashable, _Counted] = field(default_factory=dict)

    def told(self, question: Hashable, tick: datetime | None, now: datetime, count: Callable[[], Figures]) -> Figures:
        """The figures of a question as of `tick`; counted now if they were not since, or a minute ago."""
        known = self._found.get(question)
        if known is not None and known.tick == tick and timedelta(0) <= now - known.at < MINUTE:
            return cast("Figures", known.figures)
        figures = count()
        if tick is not None:
            if len(self._found) >= MOST:
                self._found.clear()
            self._found[question] = _Counted(tick, now, figures)
        return figures
