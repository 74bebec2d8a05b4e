"""The rows of the first page in words: what is left to save a visit, what was tried, what else is open."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from pro_service.store.report_today import Task
from pro_service.web.dashboard_words import measured, said, share_left, time_left, words
from pro_service.web.i18n import gettext as _
from pro_service.web.i18n import ngettext

SHOUTS = timedelta(days=2)
"""With less time than this left, a row shouts."""


class Saving(NamedTuple):
    """A call that can still save a window."""

    task: Task
    shape: str
    tone: str
    """Of the bar that empties."""
    left: str
    share: int
    """Of the window, in percent."""
    reason: str
    tried: str
    """`2 texts, 1 call: No answer`."""


class Open(NamedTuple):
    """Any other open task."""

    task: Task
    level: str
    reason: str
    due: str
    late: bool


class RowWriter:
    """Puts tasks into words; looks the words up once for a page full of them."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._times, self._reasons, self._levels = words("time"), words("reason"), words("level")
        self._outcomes = words("outcome")
        self._due_in, self._overdue_by = _("due in {time}"), _("overdue by {time}")
        self._tried: dict[tuple[int, int], str] = {}

    def saving(self, tasks: Iterable[Task]) -> list[Saving]:
        """The queue; every task in it has a window and an end."""
        return [self._saving(task, task.save_by or task.due_at) for task in tasks]

    def _saving(self, task: Task, until: datetime) -> Saving:
        risk = until - self._now < SHOUTS
        opens, closes = task.opens_at or task.raised_at, task.closes_at or until
        return Saving(
            task=task,
            shape="at_risk" if risk else "open",
            tone="risk" if risk else "open",
            left=time_left(until, self._now, self._times),
            share=share_left(opens, closes, self._now),
            reason=said(self._reasons, task.reason),
            tried=self._what_was_tried(task),
        )

    def _what_was_tried(self, task: Task) -> str:
        calls = [attempt for attempt in task.attempts if attempt.kind == "call"]
        counted = len(task.attempts) - len(calls), len(calls)
        told = self._tried.get(counted)
        if told is None:
            texts, called = counted
            told = ngettext("%(num)s text", "%(num)s texts", texts) % {"num": texts}
            told += ", " + ngettext("%(num)s call", "%(num)s calls", called) % {"num": called}
            self._tried[counted] = told
        return f"{told}: {said(self._outcomes, calls[-1].result)}" if calls else told

    def open(self, tasks: Iterable[Task]) -> list[Open]:
        """What else is open."""
        return [
            Open(
                task=task,
                level=said(self._levels, task.level),
                reason=said(self._reasons, task.reason),
                due=self._due(task.due_at),
                late=task.due_at < self._now,
            )
            for task in tasks
        ]

    def _due(self, moment: datetime) -> str:
        unit, n = measured(abs(moment - self._now))
        told = self._due_in if moment > self._now else self._overdue_by
        return told.format(time=self._times[unit].format(n=n))
