"""A wish to be called: which task it makes or moves, and the hours in which the participant is told that we call."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pro_service.core.case import Case, EscalationFacts, Part, WindowFacts
from pro_service.core.commands import CallWish, Command, Escalate, MoveCall
from pro_service.core.schedule.agenda import escalate, savable
from pro_service.core.schedule.calendar import last_working_moment
from pro_service.core.schedule.call_times import CallHours, due_in, wished_hours
from pro_service.core.schedule.causes import is_call_of_window

REASON = "asked_for_call"
TWICE = timedelta(minutes=1)
"""The same wish this soon is one wish: a button was pressed twice, a telephone sent a text twice."""


def ask_for_call(
    case: Case,
    window: WindowFacts | None,
    asked_at: datetime,
    now: datetime,
    part: Part | None = None,
    *,
    tomorrow: bool = False,
) -> tuple[tuple[Command, ...], CallHours | None]:
    """Return what a wish to be called brings about, and the hours in which we call; None = any working hours.

    While an answer is missing it is the window's own call, before the close. Otherwise, and where nobody works before
    the close, it is a task of its own, which no answer and no close ends. A call that is open already is moved: a
    second wish takes the place of the first and makes no second task.
    """
    closes_at = None
    if window is not None and window.span.opens_at <= now and savable(case, window, now):
        closes_at = window.span.closes_at
    hours = wished_hours(case, part, now, tomorrow=tomorrow, before=closes_at)
    if hours is None and closes_at is not None:
        # Rather at another time than after the close.
        hours = wished_hours(case, None, now, before=closes_at)
        if hours is None:
            closes_at, hours = None, wished_hours(case, part, now, tomorrow=tomorrow)
    promised = None if part is None and not tomorrow else hours
    asked = _Asked(case, window, now, closes_at, promised)
    wish = CallWish(asked_at, part, promised.starts if promised is not None and promised.starts > now else None)
    there = [task for task in case.escalations if asked.is_served_by(task)]
    moved = tuple(MoveCall(task.id, asked.due_at(task), wish) for task in there if not asked.is_known(task, part))
    return moved if there else (asked.new_task(wish),), promised


@dataclass(frozen=True, slots=True)
class _Asked:
    """A wish to be called, and what is known when it comes."""

    case: Case
    window: WindowFacts | None
    now: datetime
    closes_at: datetime | None
    """The close before which the call has to be made; None where no close ends it."""
    promised: CallHours | None

    def is_served_by(self, task: EscalationFacts) -> bool:
        """Whether this is an open call that the wish is about: the window's own, or one that was asked for."""
        if not task.open or task.window_id != (None if self.window is None else self.window.id):
            return False
        return self.closes_at is not None if is_call_of_window(task) else task.reason == REASON

    def is_known(self, task: EscalationFacts, part: Part | None) -> bool:
        """Whether this is the same wish once more: a button that was pressed twice."""
        if task.asked_at is None or self.now - task.asked_at > TWICE:
            return False
        return (task.part_of_day, task.due_at) == (part, self.due_at(task))

    def due_at(self, task: EscalationFacts) -> datetime:
        """Return when an open call falls due; a wish for any time never puts it off."""
        if self.promised is not None:
            return due_in(self.promised)
        return min(task.due_at, self._at_any_time(escalate(self.case, task.level, REASON, self.now, self.window)))

    def new_task(self, wish: CallWish) -> Escalate:
        """Return the task of a wish where no call is open."""
        task = escalate(self.case, "E0", REASON, self.now, self.window)
        if self.closes_at is not None:
            call = escalate(self.case, "E1", REASON, self.now, self.window)
            task = task if self.case.escalated(call.key) else call
        due_at = self._at_any_time(task) if self.promised is None else due_in(self.promised)
        return replace(task, key=self.case.free_key(task.key), due_at=due_at, wish=wish)

    def _at_any_time(self, task: Escalate) -> datetime:
        """Return when a call at any time falls due: by the end of the last working hours before the close."""
        if self.closes_at is None:
            return task.due_at
        case = self.case
        end = case.protocol.working_hours.end
        last = last_working_moment(self.closes_at, self.now, end, case.site_zone, case.holidays)
        return task.due_at if last is None else min(task.due_at, last)
