"""Working days: when a person can be expected to act. Holidays come as a set of dates; no country is known here."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from pro_service.core.protocol import Hours, TimePoint, Window
from pro_service.core.schedule.windows import SHARED, local_instant

_DAY = timedelta(days=1)
_MIDNIGHT = time(0)
_SATURDAY = 5


def is_of_machine(zone: str) -> bool:
    """Whether a time zone is whatever this machine is set to, or none, and no place's: `localtime`, `Factory`."""
    return zone.casefold().removeprefix("posix/").removeprefix("right/") in {"localtime", "factory", "posixrules"}


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """Return the calendar date of an instant in a zone."""
    return instant.astimezone(zone).date()


def is_working(day: date, holidays: frozenset[date]) -> bool:
    """Whether a day is Monday to Friday and no public holiday."""
    return day.weekday() < _SATURDAY and day not in holidays


def working_day_after(day: date, n: int, holidays: frozenset[date]) -> date:
    """Return the n-th working day after `day`; for n = 0 `day` itself, or the next working day if it is none."""
    if n == 0 and is_working(day, holidays):
        return day
    left = max(n, 1)
    while left:
        day += _DAY
        left -= is_working(day, holidays)
    return day


def working_days_between(first: date, last: date, holidays: frozenset[date]) -> int:
    """Return how many working days there are from `first` to `last`, both included; 0 if `last` is earlier."""
    return sum(is_working(day, holidays) for day in _days(first, last))


@lru_cache(maxsize=SHARED)
def last_working_moment(
    not_after: datetime, after: datetime, at: time, zone: ZoneInfo, holidays: frozenset[date]
) -> datetime | None:
    """Return the last local time `at` on a working day, later than `after` and not later than `not_after`.

    None if there is none.
    """
    return max(_working_moments(after, not_after, at, zone, holidays), default=None)


def call_moment(
    point: TimePoint,
    window: Window,
    invitation_at: datetime | None,
    zone: ZoneInfo,
    holidays: frozenset[date],
) -> tuple[datetime, bool]:
    """Return when the call task of a window falls due, and whether it goes straight to the lead (level E2).

    The last working `call_at` at or before its nominal moment and after the invitation. If there is none, the first one
    before the window closes; if there is none either, the nominal moment (never before the invitation), to the lead. It
    is always before the close: simply moved forward, the call task of a short window would fall after it.

    `invitation_at` is None for a participant who gets no texts: then the call may fall anywhere in the window. Raise
    ValueError if the time point has no call.
    """
    if point.call_after is None:
        raise ValueError(f"{point.code} has no call task")
    asked = window.opens_at if invitation_at is None else invitation_at
    last = window.closes_at - timedelta(minutes=1)
    nominal = min(local_instant(window.target + point.call_after * _DAY, point.call_at, zone), last)
    moved_back = last_working_moment(nominal, asked, point.call_at, zone, holidays)
    if moved_back is not None:
        return moved_back, False
    before_close = min(_working_moments(asked, last, point.call_at, zone, holidays), default=None)
    if before_close is not None:
        return before_close, False
    return min(max(nominal, asked), last), True


@lru_cache(maxsize=SHARED)
def due_instant(
    working_days: int | None,
    plain_hours: int | None,
    at: datetime,
    zone: ZoneInfo,
    hours: Hours,
    holidays: frozenset[date],
) -> datetime:
    """Return the instant at which an escalation raised at `at` falls due; never before `at`.

    That is `plain_hours` later if they are given. Otherwise it is the end of working `hours` on the n-th working day
    after today; n = 0 is the end of today, or of the next working day if today is none or its working hours are over.
    """
    if plain_hours is not None:
        return at + timedelta(hours=plain_hours)
    today = local_day(at, zone)
    end = _end_of(working_day_after(today, working_days or 0, holidays), hours, zone)
    return end if end > at else _end_of(working_day_after(today, 1, holidays), hours, zone)


def _end_of(day: date, hours: Hours, zone: ZoneInfo) -> datetime:
    return local_instant(day + _DAY if hours.end == _MIDNIGHT else day, hours.end, zone)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + ahead * _DAY for ahead in range((last - first).days + 1))


def _working_moments(
    after: datetime, not_after: datetime, at: time, zone: ZoneInfo, holidays: frozenset[date]
) -> Iterator[datetime]:
    for day in _days(local_day(after, zone), local_day(not_after, zone)):
        moment = local_instant(day, at, zone)
        if is_working(day, holidays) and after < moment <= not_after:
            yield moment
