"""When a safety task that is overdue alerts again, and at which hours somebody's telephone may be texted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from pro_service.core.protocol import Hours, Level
from pro_service.core.schedule.windows import end_of_hours, within

Frame: TypeAlias = Literal["overdue", "unfinished"]
"""What an alert says: nobody has taken the task up, or somebody did and it is still open."""

KIND = "staff"
"""Of every text to a member of staff."""

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Alert:
    """The alert whose moment came last; those before it are past and are not made up for."""

    at: datetime
    until: datetime
    """When the next one takes its place."""
    frame: Frame
    first: bool = False
    """It is for those at work only; every later one is for everybody, and the investigators."""


def newest_alert(due_at: datetime, acknowledged_at: datetime | None, rung: Level, now: datetime) -> Alert | None:
    """Return the alert that an open safety task calls for at `now`; None before its time. Alerts do not end.

    While nobody has taken the task up: when it is due, then every `due_hours` of its rung for a day, then once a day.
    Once somebody has: a day after that, not before the task is due, then once a day.
    """
    if acknowledged_at is not None:
        return _daily(max(due_at, acknowledged_at + DAY), now, "unfinished")
    if now < due_at:
        return None
    if now >= due_at + DAY:
        return _daily(due_at + DAY, now, "overdue")
    # Counted in working days, a rung says nothing about hours.
    apart = min(timedelta(hours=rung.due_hours or 24), DAY)
    at = due_at + (now - due_at) // apart * apart
    return Alert(at, min(at + apart, due_at + DAY), "overdue", first=at == due_at)


def _daily(start: datetime, now: datetime, frame: Frame) -> Alert | None:
    if now < start:
        return None
    at = start + (now - start) // DAY * DAY
    return Alert(at, at + DAY, frame)


def is_agreed_hour(moment: datetime, hours: Hours | None, zone: ZoneInfo) -> bool:
    """Whether a moment lies in the hours somebody agreed to; they may run past midnight. None: any hour."""
    if hours is None:
        return True
    if hours.start > hours.end and hours.end.hour + hours.end.minute > 0:
        return not within(moment, Hours(hours.end, hours.start), zone)
    return within(moment, hours, zone)


def text_until(alert: Alert, now: datetime, hours: Hours | None, zone: ZoneInfo) -> datetime:
    """Return until when the text of an alert may leave: the next alert, or the end of the agreed hours at `now`."""
    end = None if hours is None else end_of_hours(now, hours, zone)
    return alert.until if end is None else min(alert.until, end)
