"""The morning's digest: on which days and when it is written, and what comes first in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pro_service.core.protocol import Hours, LevelCode
from pro_service.core.schedule.calendar import is_working, local_day, working_day_after
from pro_service.core.schedule.windows import end_of_hours, local_instant, within

CALLS: frozenset[LevelCode] = frozenset({"E1", "E2"})
LISTED = 25
"""How many tasks one mail lists: nobody works through more before opening the dashboard."""


@dataclass(frozen=True, slots=True)
class Task:
    """One open escalation, as a digest names it."""

    id: int
    study: str
    participant: str | None
    window: str | None
    level: LevelCode
    due_at: datetime
    save_by: datetime | None
    zone: ZoneInfo
    """Of its site."""
    reason: str = ""


def next_start(after: datetime, hours: Hours, zone: ZoneInfo, holidays: frozenset[date]) -> datetime:
    """Return the first start of working hours on a working day that is later than `after`."""
    day = working_day_after(local_day(after, zone), 0, holidays)
    start = local_instant(day, hours.start, zone)
    return start if start > after else local_instant(working_day_after(day, 1, holidays), hours.start, zone)


def working_until(now: datetime, hours: Hours, zone: ZoneInfo, holidays: frozenset[date]) -> datetime | None:
    """Return until when the working hours last in which `now` lies; None outside them, and on days off."""
    today = local_day(now, zone)
    if not is_working(today, holidays) or not within(now, hours, zone):
        return None
    return end_of_hours(now, hours, zone) or local_instant(today + timedelta(days=1), time(0), zone)


def ordered(tasks: Iterable[Task], now: datetime) -> Sequence[Task]:
    """Return each task once: safety first, then windows that a call can save by the time left, then by due date.

    A window with an urgent call has two calls open and needs only one: the urgent one is listed.
    """
    by_id = {task.id: task for task in tasks}
    urgent = {(task.study, task.participant, task.window) for task in by_id.values() if task.level == "E2"}
    kept = [
        task
        for task in by_id.values()
        if task.level != "E1" or (task.study, task.participant, task.window) not in urgent
    ]
    return sorted(kept, key=lambda task: _place(task, now))


def saves(task: Task, now: datetime) -> bool:
    """Whether a call can still save the window."""
    return task.level in CALLS and task.save_by is not None and task.save_by > now


def hours_left(until: datetime, now: datetime) -> int:
    """Return the whole hours from now until then; 0 if there is less than one, or none."""
    return max((until - now) // timedelta(hours=1), 0)


def _place(task: Task, now: datetime) -> tuple[bool, bool, datetime, int]:
    saving = saves(task, now)
    return task.level != "ES", not saving, task.save_by if saving and task.save_by else task.due_at, task.id
