"""What to mind about a procedure date: it is said, and refuses nothing."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from pro_service.core.calendar import local_day, working_days_between
from pro_service.core.changes import Note
from pro_service.core.protocol import Protocol, Window

_MOMENT = timedelta(microseconds=1)


def concerns(
    protocol: Protocol, day: date, windows: Iterable[Window], zone: ZoneInfo, holidays: frozenset[date]
) -> Iterator[Note]:
    """A procedure or a last window outside the study's time, and windows in which nobody works."""
    laid = list(windows)
    starts, ends = protocol.starts, protocol.ends
    last = max((local_day(window.closes_at - _MOMENT, zone) for window in laid), default=day)
    if starts is not None and day < starts:
        yield Note("before_start", {"day": day, "start": starts}, "procedure_date")
    if ends is not None and day > ends:
        yield Note("after_end", {"day": day, "end": ends}, "procedure_date")
    elif ends is not None and last > ends:
        yield Note("last_after_end", {"last": last, "end": ends}, "procedure_date")
    for window in laid:
        first, final = local_day(window.opens_at, zone), local_day(window.closes_at - _MOMENT, zone)
        if protocol.time_point(window.code).prompted and not working_days_between(first, final, holidays):
            yield Note("no_working_day", {"window": window.code, "first": first, "last": final}, "procedure_date")
