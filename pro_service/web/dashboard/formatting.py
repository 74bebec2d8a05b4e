"""What coordinators read for each code: states, reasons, outcomes, and time left, in their language."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import get_month_names
from flask import request

from pro_service.reports.grid import Cell
from pro_service.reports.today import Task
from pro_service.store.participants.cases import zone_of
from pro_service.web.dashboard.vocabulary import vocabulary
from pro_service.web.i18n import MINUTE, beside, day, language, second_at
from pro_service.web.i18n import gettext as _
from pro_service.web.scope import Scope
from pro_service.wording import local

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LITTLE_TIME = timedelta(days=2)
"""With less time than this left, a window is shown as at risk."""
LEFT = frozenset({"withdrawn", "died", "cancelled", "missed_before_enrolment"})
"""States of windows in which nothing is to be answered any more."""
IN_HOURS = 72
"""Up to so many hours, time left is told in hours."""
CODES: Mapping[str, str] = {
    "level": "level",
    "reason": "reason",
    "outcome": "outcome",
    "missing_reason": "missing",
    "settled": "status",
    "state": "state",
    "kind": "kind",
    "source": "source",
    "mode": "source",
    "channel": "channel",
    "channel_2": "channel",
    "channel_3": "channel",
    "role": "role",
    "part_of_day": "wish",
    "page": "page",
    "error": "failure",
    "language": "tongue",
}
"""Fields whose values are codes, and the vocabulary that has the words for them."""


def word(kind: str, code: str) -> str:
    """Return what a code of this kind is called; the code itself where it has no word."""
    return word_or_code(vocabulary(language())[kind], code)


def word_or_code(known: Mapping[str, str], code: str) -> str:
    """Return the word of a code; the code itself where it has none."""
    return known.get(code) or code.replace("_", " ")


def why(task: Task, reasons: Mapping[str, str] | None = None, wishes: Mapping[str, str] | None = None) -> str:
    """Return why a task was raised, and the wish to be called that it carries; `reasons`, `wishes`: where at hand."""
    reason = word_or_code(reasons or words("reason"), task.reason)
    if task.wish is None:
        return reason
    wish = word_or_code(wishes or words("wish"), task.wish)
    return wish if task.reason == "asked_for_call" else f"{reason} · {wish}"


def words(kind: str) -> Mapping[str, str]:
    """Return every code of a kind with its word."""
    return vocabulary(language())[kind]


def time_left(moment: datetime, now: datetime, times: Mapping[str, str] | None = None) -> str:
    """`17 h left`, `3 d left`, `40 min left`; what has passed is `2 h ago`. `times`: the words, where at hand."""
    unit, n = measured(abs(moment - now))
    return (times or words("time"))[unit + (" left" if moment >= now else " ago")].format(n=n)


def has_little_time(moment: datetime, now: datetime) -> bool:
    """Return whether so little time is left until then that the page has to say so."""
    return moment - now < LITTLE_TIME


def window_shape(status: str, *, at_risk: bool = False) -> str:
    """Return the shape that is drawn for a window in this state."""
    if at_risk:
        return "at_risk"
    return "not_applicable" if status in LEFT else status


def overdue(moment: datetime, now: datetime) -> str:
    """Return how long there is until something is due, or for how long it has been."""
    unit, n = measured(abs(moment - now))
    span = word("time", unit).format(n=n)
    return (_("due in {time}") if moment > now else _("overdue by {time}")).format(time=span)


def measured(span: timedelta) -> tuple[str, int]:
    """Return the unit in which people tell a span, and how many of it."""
    if span < HOUR:
        return "min", max(int(span / MINUTE), 1)
    return ("h", int(span / HOUR)) if span <= IN_HOURS * HOUR else ("d", span // DAY)


def short_day(instant: datetime, zone: ZoneInfo) -> str:
    """Return `20 Jan`: quick enough for a page full of them."""
    return day_and_month(local(instant, zone).date())


def day_and_month(day: date) -> str:
    """Return a day of the calendar as `20 Jan`."""
    return _day_and_month(day, _months(language()))


def _day_and_month(day: date, months: Mapping[int, str]) -> str:
    return f"{day.day} {months[day.month]}"


def short_moment(instant: datetime, zone: ZoneInfo) -> str:
    """Return `20 Jan 18:30`."""
    return _short_moment(instant, zone, _months(language()))


def _short_moment(instant: datetime, zone: ZoneInfo, months: Mapping[int, str]) -> str:
    at = local(instant, zone)
    return beside(f"{at.day} {months[at.month]} {at.hour:02}:{at.minute:02}", zone)


def share_left(opens: datetime, closes: datetime, now: datetime) -> int:
    """Return how much of a window is left, in percent, for a bar that empties."""
    return max(0, min(100, round(100 * ((closes - now) / (closes - opens)))))


def percent(n: float, of: float) -> int:
    """Return `n` of `of` in whole percent."""
    return round(100 * n / of)


def with_percent_sign(n: int) -> str:
    """Return a percentage as the reader's language writes it."""
    return f"%{n}" if language() == "tr" else f"{n} %"


def side_by_side(parts: Iterable[tuple[str, int]], most: int) -> list[tuple[str, str, str]]:
    """Return what a bar of parts is drawn of, to the scale of `most`: (tone, from, width), in percent."""
    drawn, at = [], 0.0
    for tone, n in parts:
        if n and most:
            width = 100 * n / most
            drawn.append((tone, f"{at:.2f}", f"{width:.2f}"))
            at += width
    return drawn


def from_below(parts: Iterable[tuple[str, int]], most: int) -> list[tuple[str, str, str]]:
    """Return what a column of parts is drawn of, to the scale of `most`: (tone, from above, height), in percent."""
    drawn, at = [], 100.0
    for tone, n in parts:
        if n and most:
            height = 100 * n / most
            at -= height
            drawn.append((tone, f"{at:.2f}", f"{height:.2f}"))
    return drawn


def trail_value(
    name: str, given: object, zone: ZoneInfo, instant: Callable[[datetime, ZoneInfo], str] = second_at
) -> str:
    """Return a value of a field of the audit trail as people read it; an instant by the clock of `zone`."""
    match given:
        case None:
            return "–"
        case bool():
            return _("yes") if given else _("no")
        case [[int(), str(code), *_], *more]:
            # Windows and answers as the trail tells of them: the id, then the code.
            return ", ".join([code, *([trail_value(name, more, zone, instant)] if more else [])])
        case list():
            return ", ".join(trail_value(name, one, zone, instant) for one in given) or "–"
        case dict():
            return ", ".join(f"{key} {trail_value(name, one, zone, instant)}" for key, one in given.items()) or "–"
        case _:
            text = str(given)
            return words(CODES[name]).get(text, text) if name in CODES else _time(text, zone, instant)


def fact(name: str, given: object, zone: ZoneInfo) -> str:
    """Return the value of a fact about a participant as people read it: as in the audit trail, without seconds."""
    return trail_value(name, given, zone, short_moment)


def _time(text: str, zone: ZoneInfo, instant: Callable[[datetime, ZoneInfo], str]) -> str:
    """Return a day or an instant as the reader writes it; every other text as it is."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return day(date.fromisoformat(text))
        if re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", text):
            moment = datetime.fromisoformat(text)
            return instant(moment if moment.tzinfo else moment.replace(tzinfo=UTC), zone)
    except ValueError:
        return text
    return text


class CellWriter:
    """Puts cells of the grid into words; looks the words up once for a page full of them."""

    def __init__(self, now: datetime) -> None:
        self._now, self._months = now, _months(language())
        self._words = vocabulary(language())

    def __call__(self, cell: Cell, zone: ZoneInfo) -> tuple[str, str]:
        """Return (what stands in the cell, what its title adds)."""
        name, times = self._words["status"][cell.status], self._words["time"]
        if cell.shape in ("at_risk", "open"):
            word_or_code = times["closes"].format(
                state=self._words["shape"][cell.shape], when=self._at(cell.closes_at - MINUTE, zone)
            )
            return time_left(cell.closes_at, self._now, times), word_or_code
        if cell.status == "upcoming":
            day = _day_and_month(local(cell.opens_at, zone).date(), self._months)
            return day, times["opens"].format(state=name, when=self._at(cell.opens_at, zone))
        at = self._at(cell.closes_at - MINUTE if cell.answered_at is None else cell.answered_at, zone)
        if cell.status == "completed_late" and cell.answered_at is not None:
            days = max((cell.answered_at - cell.closes_at) // DAY + 1, 1)
            return times["late"].format(n=days), f"{name}: {at}"
        return self._words["short"][cell.status], f"{name}: {at}"

    def _at(self, instant: datetime, zone: ZoneInfo) -> str:
        return _short_moment(instant, zone, self._months)


@lru_cache(maxsize=8)
def _months(code: str) -> Mapping[int, str]:
    return dict(get_month_names("abbreviated", locale=code))


def times(now: datetime) -> dict[str, object]:
    """Return what templates ask of time, seen from `now`."""
    return {
        "time_left": lambda moment: time_left(moment, now),
        "overdue": lambda moment: overdue(moment, now),
        "share_left": lambda opens, closes: share_left(opens, closes, now),
        "little_time": lambda moment: has_little_time(moment, now),
        "last_minute": lambda moment: moment - MINUTE,
        "instant": datetime.fromisoformat,
        "now": now,
    }


def zone_of_task(task: Task, scope: Scope) -> ZoneInfo:
    """Return the zone of the task's site; the page's if it has no site."""
    return scope.zone if task.site is None else zone_of(task.site.zone)


def form_made_at() -> datetime | None:
    """Return when the form that was sent had been made; None if it does not say so."""
    try:
        made = datetime.fromisoformat(request.form.get("made", ""))
    except ValueError:
        return None
    return made.astimezone(UTC) if made.tzinfo is not None else None


def local_time(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the instant of a local time as a browser sends it (`2026-03-09T14:30`); None if it is none."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (given if given.tzinfo is not None else given.replace(tzinfo=zone)).astimezone(UTC)
