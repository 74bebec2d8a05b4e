"""When to take work up again: the next call, a task that is put off, a task handed to a colleague."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, get_args

from pro_service.core.case import Case, EscalationFacts, Part, WindowFacts
from pro_service.core.schedule.calendar import due_instant, is_working, local_day, working_day_after
from pro_service.core.schedule.call_times import PARTS, part_of_day, usual_call
from pro_service.core.schedule.windows import local_instant

Later: TypeAlias = Literal["hour", "afternoon", "morning"]
"""To when a task is put off: by an hour, to this afternoon, to the morning of the next working day."""
LATER: tuple[Later, ...] = get_args(Later)

APART = timedelta(hours=2)
"""How long after a failed call the next one comes at the earliest."""
AHEAD = 10
"""How many days ahead another attempt is suggested; most windows close earlier."""
SOON = timedelta(minutes=30)
LONGEST = timedelta(days=14)
"""No task is put off for longer."""
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def next_attempt(
    case: Case, window: WindowFacts | None, now: datetime, *, wished: Part | None = None
) -> datetime | None:
    """Return when to call again if a call now fails: on a working day, before the close; None if there is no time.

    The next in the part of the day that the participant `wished`; else the first moment in a part in which nobody has
    called about this window; if all were tried, in the part that was tried least.
    """
    about = None if window is None else window.id
    tried = Counter(part_of_day(case, call.called_at) for call in case.calls if call.window_id == about)
    tried[part_of_day(case, now)] += 1

    def in_turn(moment: datetime) -> tuple[bool, int, datetime]:
        part = part_of_day(case, moment)
        return wished is not None and part != wished, tried[part], moment

    ahead = [moment for moment in _call_times(case, now) if window is None or _saves(window, moment, now)]
    return min(ahead, key=in_turn, default=None)


def _call_times(case: Case, now: datetime) -> Iterator[datetime]:
    today = local_day(now, case.site_zone)
    for day in (today + n * _DAY for n in range(AHEAD)):
        if is_working(day, case.holidays):
            moments = (usual_call(case, part, day) for part in PARTS)
            yield from (moment for moment in moments if moment >= now + APART)


def _saves(window: WindowFacts, moment: datetime, now: datetime) -> bool:
    """Whether an open window is still open at that moment."""
    return window.span.closes_at <= now or moment < window.span.closes_at


def put_off_to(case: Case, code: Later, now: datetime) -> datetime | None:
    """Return the instant a choice means; None if there is no such time any more (an afternoon that is over)."""
    zone, today = case.site_zone, local_day(now, case.site_zone)
    if code == "hour":
        return now + _HOUR
    if code == "afternoon":
        moments = (usual_call(case, part, today) for part in PARTS[1:])
        return next((moment for moment in moments if moment >= now + SOON), None)
    tomorrow = working_day_after(today, 1, case.holidays)
    return local_instant(tomorrow, case.protocol.working_hours.start, zone)


def put_off_choices(case: Case, window: WindowFacts | None, now: datetime) -> tuple[tuple[Later, datetime], ...]:
    """Return the times to which a task may be put off: none at or after the close of a window that is open."""
    meant = ((code, put_off_to(case, code, now)) for code in LATER)
    return tuple((code, moment) for code, moment in meant if moment and (window is None or _saves(window, moment, now)))


def handed_due_at(case: Case, escalation: EscalationFacts, now: datetime) -> datetime:
    """When a task that is handed to a colleague falls due: as before, else by the end of the working day.

    The colleague must be able to take it up before it goes up the ladder. A safety task keeps its due date.
    """
    if escalation.level == "ES":
        return escalation.due_at
    today = due_instant(0, None, now, case.site_zone, case.protocol.working_hours, case.holidays)
    return max(escalation.due_at, today) if escalation.due_at <= now else escalation.due_at
