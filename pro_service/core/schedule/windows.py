"""Windows: one participant's time spans, counted from the procedure date, and the local times inside them."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import count
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from pro_service.core.iso8601 import instant_text, offset_text
from pro_service.core.protocol import Hours, Offset, Protocol, TimePoint, Window

_DAY = timedelta(days=1)
_MIDNIGHT = time(0)

SHARED = 16_384
"""So many instants of days and hours are remembered: the participants of a batch share most of theirs."""


@dataclass(frozen=True, slots=True)
class Days:
    """The local calendar days of a time point, first and last included."""

    target: date
    first: date
    last: date
    clamped: bool
    """The month's end moved the target (31 Jan + P1M)."""


FactName: TypeAlias = Literal[
    "anchor", "rule", "target", "clamped_from", "first_day", "last_day", "opens", "closes", "late_until", "zone"
]


@dataclass(frozen=True, slots=True)
class Fact:
    """One part of the answer to "why this date?": dates and instants in ISO 8601, rules as ISO 8601 durations."""

    name: FactName
    value: str


def schedule(
    protocol: Protocol, procedure_date: date, zone: ZoneInfo, procedure_end: datetime | None = None
) -> tuple[Window, ...]:
    """Return the windows of the protocol's time points for one procedure date, in the protocol's order.

    Windows of days are whole local days of the site's zone: they open at the first instant of the first day and close,
    exclusively, at the first instant after the last. Windows of minutes exist once `procedure_end` (aware) is known.

    A late answer is kept until the next message window opens, or until the end of the day `late` after the target,
    whichever is earlier; if there is neither, it is not kept. For clinic windows this is the time in which staff may
    still enter a value, kept as outside the window; another clinic window does not end it, because nobody is asked
    there.

    Raise ValueError if `procedure_end` has no zone.
    """
    if procedure_end is not None and procedure_end.tzinfo is None:
        raise ValueError("the end of the procedure needs a time zone")
    return tuple(
        _window(point, protocol.time_points[index + 1 :], procedure_date, zone, procedure_end)
        for index, point in enumerate(protocol.time_points)
        if point.minutes is None or procedure_end is not None
    )


def days_of(point: TimePoint, procedure_date: date) -> Days:
    """Return the local calendar days of a time point after a procedure on this date."""
    target, clamped = add_offset(procedure_date, point.target)
    return Days(target, target - point.before * _DAY, target + point.after * _DAY, clamped)


def add_offset(day: date, offset: Offset) -> tuple[date, bool]:
    """Add whole months, clamped to the month's end, then days; return the day, and whether it was clamped.

    31 January + P1M is the last of February; 30 November + P3M too.
    """
    month = day.year * 12 + day.month - 1 + offset.months
    year, month = divmod(month, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last)) + offset.days * _DAY, day.day > last


def explain(window: Window, protocol: Protocol, procedure_date: date, zone: ZoneInfo) -> tuple[Fact, ...]:
    """Return why this window has these dates, as facts for a page to put into words.

    `anchor` is the procedure date, or the instant of the procedure's end for a window of minutes; `rule` is what the
    protocol adds to it; `clamped_from` is the day of the month that the target month does not have. `first_day` and
    `last_day` are counted from the target, `opens` and `closes` from the anchor.
    """
    return explain_point(window, protocol.time_point(window.code), procedure_date, zone)


def explain_point(window: Window, point: TimePoint, procedure_date: date, zone: ZoneInfo) -> tuple[Fact, ...]:
    """Return the same for a window of any version of the protocol, by its time point."""
    if point.minutes is not None and window.target_at is not None:
        facts = _facts_of_minutes(window.target_at, point.minutes)
    else:
        facts = _facts_of_days(point, window, procedure_date)
    if window.late_until > window.closes_at:
        facts.append(Fact("late_until", instant_text(window.late_until)))
    return (*facts, Fact("zone", zone.key))


@lru_cache(maxsize=SHARED)
def local_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the UTC instant of a local time; in a clock-change gap it moves forward, of two in a fold it is the first.

    Python's fold=0 reads a time inside a gap with the offset before the gap, which is RFC 5545's rule (3.3.5): 02:30
    becomes 03:30. A midnight that does not exist (Santiago, Beirut) becomes the first instant of its day.
    """
    return datetime.combine(day, at.replace(fold=0), tzinfo=zone).astimezone(UTC)


def within(moment: datetime, hours: Hours, zone: ZoneInfo) -> bool:
    """Whether a moment falls inside local hours: start included, end excluded, end 00:00 = midnight."""
    at = moment.astimezone(zone).time()
    return hours.start <= at and (hours.end == _MIDNIGHT or at < hours.end)


@lru_cache(maxsize=SHARED)
def next_allowed(moment: datetime, hours: Hours, zone: ZoneInfo) -> datetime:
    """Return the first moment at or after `moment` inside local hours: itself, or the next start of the hours."""
    if within(moment, hours, zone):
        return moment
    today = moment.astimezone(zone).date()
    for ahead in count():
        first = datetime.combine(today + ahead * _DAY, hours.start, tzinfo=zone)
        # Both readings of a start that happens twice: the first may be past already. Where the start falls
        # into a gap, the earlier reading lies before the hours and is not within them.
        for start in (first.astimezone(UTC), first.replace(fold=1).astimezone(UTC)):
            if start >= moment and within(start, hours, zone):
                return start
    raise AssertionError("unreachable: hours are not empty")


def end_of_hours(moment: datetime, hours: Hours, zone: ZoneInfo) -> datetime | None:
    """Return when the local hours around `moment` end; None if they last the whole day."""
    if hours.start == hours.end == _MIDNIGHT:
        return None
    day = moment.astimezone(zone).date()
    end = local_instant(day + timedelta(days=1) if hours.end == _MIDNIGHT else day, hours.end, zone)
    return end if end > moment else local_instant(day + timedelta(days=1), hours.end, zone)


def _window(
    point: TimePoint,
    later: Sequence[TimePoint],
    procedure_date: date,
    zone: ZoneInfo,
    procedure_end: datetime | None,
) -> Window:
    days = days_of(point, procedure_date)
    target, target_at = days.target, None
    opens_at = local_instant(days.first, _MIDNIGHT, zone)
    closes_at = local_instant(days.last + _DAY, _MIDNIGHT, zone)
    if point.minutes is not None and procedure_end is not None:
        end = procedure_end.astimezone(UTC)
        target_at, opens_at, closes_at = (end + timedelta(minutes=minutes) for minutes in point.minutes)
        target = target_at.astimezone(zone).date()
    late_day = _late_day(point, later, procedure_date)
    return Window(
        code=point.code,
        target=target,
        target_at=target_at,
        opens_at=opens_at,
        closes_at=closes_at,
        late_until=closes_at if late_day is None else max(closes_at, local_instant(late_day, _MIDNIGHT, zone)),
        clamped=days.clamped,
    )


def _facts_of_days(point: TimePoint, window: Window, procedure_date: date) -> list[Fact]:
    clamped_from = [Fact("clamped_from", str(procedure_date.day))] if window.clamped else []
    return [
        Fact("anchor", procedure_date.isoformat()),
        Fact("rule", offset_text(point.target)),
        Fact("target", window.target.isoformat()),
        *clamped_from,
        Fact("first_day", offset_text(Offset(days=-point.before))),
        Fact("last_day", offset_text(Offset(days=point.after))),
    ]


def _facts_of_minutes(target_at: datetime, minutes: tuple[int, int, int]) -> list[Fact]:
    target, first, last = minutes
    return [
        Fact("anchor", instant_text(target_at - timedelta(minutes=target))),
        Fact("rule", f"PT{target}M"),
        Fact("target", instant_text(target_at)),
        Fact("opens", f"PT{first}M"),
        Fact("closes", f"PT{last}M"),
    ]


def _late_day(point: TimePoint, later: Sequence[TimePoint], procedure_date: date) -> date | None:
    """Return the first day on which a late answer is no longer kept; None if it never is."""
    ends = [days_of(other, procedure_date).first for other in later if other.prompted][:1]
    if point.late is not None:
        ends.append(add_offset(days_of(point, procedure_date).target, point.late)[0] + _DAY)
    return min(ends, default=None)
