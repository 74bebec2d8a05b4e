"""When people can be called: the parts of the day within the site's working hours, and a wish for one of them.

A part of the day is promised in hours that somebody works. Where nobody works in the evening, "evening" means the last
hour of the working day, and the participant is told the hours.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import NamedTuple, get_args

from pro_service.core.case import Case, EscalationFacts, Part
from pro_service.core.schedule.calendar import is_working, local_day
from pro_service.core.schedule.windows import local_instant

PARTS: tuple[Part, ...] = get_args(Part)
AT_LEAST = timedelta(hours=1)
"""So long a part of the day lasts within the working hours."""
TO_CALL = timedelta(minutes=30)
"""So long before the end of its hours a promised call falls due: the next on the ladder can still keep the promise."""
AHEAD = 30
"""How many days ahead a working day is looked for; no run of holidays is longer."""
_MIDNIGHT, _NOON, _LATE, _DAY = time(0), time(12), time(16), timedelta(days=1)
_BOUNDS: Mapping[Part, tuple[time, time]] = MappingProxyType(
    {"morning": (_MIDNIGHT, _NOON), "afternoon": (_NOON, _LATE), "evening": (_LATE, _MIDNIGHT)}
)
"""First and last of each part on the site's clock; a last of 00:00 is the end of the day."""
_USUAL: Mapping[Part, time] = MappingProxyType(
    {"morning": time(10), "afternoon": time(13, 30), "evening": time(16, 30)}
)
"""When staff call in each part, if its working hours allow."""


class CallHours(NamedTuple):
    """Two instants of one day, the last one excluded."""

    starts: datetime
    ends: datetime


def part_of_day(case: Case, moment: datetime) -> Part:
    """Return the part of the day at the site: to 12:00, to 16:00, and later, as far as its working hours allow."""
    day = local_day(moment, case.site_zone)
    if moment >= call_hours(case, "evening", day).starts:
        return "evening"
    return "afternoon" if moment >= call_hours(case, "afternoon", day).starts else "morning"


def call_hours(case: Case, part: Part | None, day: date) -> CallHours:
    """Return the site's working hours in a part of a day; None is the whole day.

    Where less than an hour of the part is worked, it is the working hour that is nearest to it.
    """
    working = case.protocol.working_hours
    whole = _hours(case, day, working.start, working.end)
    if part is None:
        return whole
    named = _hours(case, day, *_BOUNDS[part])
    starts, ends = max(whole.starts, named.starts), min(whole.ends, named.ends)
    if ends - starts >= AT_LEAST:
        return CallHours(starts, ends)
    if named.starts >= whole.ends - AT_LEAST:
        return CallHours(max(whole.starts, whole.ends - AT_LEAST), whole.ends)
    return CallHours(whole.starts, min(whole.ends, whole.starts + AT_LEAST))


def usual_call(case: Case, part: Part, day: date) -> datetime:
    """Return when staff call in this part of a day, within working hours."""
    hours = call_hours(case, part, day)
    usual = local_instant(day, _USUAL[part], case.site_zone)
    return max(hours.starts, min(usual, hours.ends - TO_CALL))


def wished_hours(
    case: Case, part: Part | None, now: datetime, *, tomorrow: bool = False, before: datetime | None = None
) -> CallHours | None:
    """Return the first hours on a working day in which a call can be made as it was asked for.

    Hours in which it could not fall due any more have passed, so it is the next working day; `tomorrow` begins there.
    None if there are none that end by `before`.
    """
    today = local_day(now, case.site_zone) + tomorrow * _DAY
    working = (day for day in (today + n * _DAY for n in range(AHEAD)) if is_working(day, case.holidays))
    ahead = (hours for hours in (call_hours(case, part, day) for day in working) if due_in(hours) > now)
    return next((hours for hours in ahead if before is None or hours.ends <= before), None)


def due_in(hours: CallHours) -> datetime:
    """Return when a call falls due that was promised in these hours."""
    return hours.ends - TO_CALL


def promised_hours(case: Case, task: EscalationFacts) -> CallHours | None:
    """Return the hours in which the participant was told that we call; None if that is any time, or not known any more.

    The first task of a wish falls due in them. It may have climbed since, or been handed over and be due later.
    """
    if task.asked_at is None or task.part_of_day is None:
        return None
    due_at = min(one.due_at for one in (task, *case.escalations) if one.asked_at == task.asked_at)
    day = local_day(due_at, case.site_zone)
    # The whole day, where that part of the day could not be kept before the close.
    told = (call_hours(case, part, day) for part in (task.part_of_day, None))
    return next((hours for hours in told if due_in(hours) == due_at), None)


def _hours(case: Case, day: date, start: time, end: time) -> CallHours:
    zone = case.site_zone
    last = day + _DAY if end == _MIDNIGHT else day
    return CallHours(local_instant(day, start, zone), local_instant(last, end, zone))
