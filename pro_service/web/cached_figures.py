"""Figures that are counted once and shown for a while: as of the last tick, or for as long as they are worth."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, TypeVar, cast

A_MINUTE = timedelta(minutes=1)
"""How long figures as of a tick are kept while the scheduler stands still."""
MOST_QUESTIONS = 256

Figures = TypeVar("Figures")


@dataclass(frozen=True, slots=True)
class _Counted:
    tick: datetime | None
    counted_at: datetime
    kept_until: datetime
    figures: Any


@dataclass(slots=True)
class CachedFigures:
    """What one web server counted for each question (a study, its filters).

    Figures are kept for `kept_for`. With `worth`, what took a second to count is kept for that many seconds, and for
    `kept_for` at most. One thread counts the answer to a question; the others wait for it.
    """

    clock: Callable[[], datetime]
    kept_for: timedelta
    worth: int | None = None
    _counted: dict[Hashable, _Counted] = field(default_factory=dict)
    _counting: dict[Hashable, Lock] = field(default_factory=dict)

    def figures(self, question: Hashable, count: Callable[[datetime], Figures]) -> Figures:
        """Return the figures of a question; `count` is given the present moment, if they have to be counted."""
        with self._counting.setdefault(question, Lock()):
            return self._figures(question, None, self.clock(), count)

    def as_of(
        self, tick: datetime | None, now: datetime, question: Hashable, count: Callable[[datetime], Figures]
    ) -> Figures:
        """Return the figures of a question as of this tick. Before the first tick nothing is kept."""
        if tick is None:
            return count(now)
        with self._counting.setdefault(question, Lock()):
            return self._figures(question, tick, now, count)

    def _figures(
        self, question: Hashable, tick: datetime | None, now: datetime, count: Callable[[datetime], Figures]
    ) -> Figures:
        known = self._counted.get(question)
        # A clock that was set back has everything counted again.
        if known is not None and known.tick == tick and known.counted_at <= now < known.kept_until:
            return cast("Figures", known.figures)
        figures = count(now)
        if len(self._counted) >= MOST_QUESTIONS:
            self._counted.clear()
            self._counting.clear()
        self._counted[question] = _Counted(tick, now, now + self._kept_for(now), figures)
        return figures

    def _kept_for(self, began: datetime) -> timedelta:
        if self.worth is None:
            return self.kept_for
        return min((self.clock() - began) * self.worth, self.kept_for)
