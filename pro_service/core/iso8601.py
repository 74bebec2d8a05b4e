"""Texts of ISO 8601: durations as a study file writes them (`P1W`, `-P3D`, `P3M`, `PT45M`), and instants."""

import re
from datetime import UTC, datetime, timedelta
from typing import overload

from pro_service.core.protocol import Offset

_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?=.)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?",
    re.ASCII,
)
_MOST_DAYS = 3660
_MOST_MONTHS = 120


class DurationError(ValueError):
    """A text is no duration that can be used here; `code` says why, as `core.problems` knows it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse_offset(text: str) -> Offset:
    """Return the offset: `P1M` is one calendar month, `-P3D` three days before.

    Raise DurationError for hours, and for more than ten years.
    """
    parts = _parts(text)
    if parts["hours"] or parts["minutes"]:
        raise DurationError("duration_of_hours")
    sign = -1 if text.startswith("-") else 1
    months = parts["years"] * 12 + parts["months"]
    days = parts["weeks"] * 7 + parts["days"]
    if months > _MOST_MONTHS or days > _MOST_DAYS:
        raise DurationError("duration_too_long")
    return Offset(months=sign * months, days=sign * days)


def parse_span(text: str) -> timedelta:
    """Return the length of time: `PT24H` and `P1D` are 24 hours.

    Raise DurationError for months and years, whose length varies, and for more than ten years.
    """
    parts = _parts(text)
    if parts["years"] or parts["months"]:
        raise DurationError("duration_of_months")
    sign = -1 if text.startswith("-") else 1
    minutes = ((parts["weeks"] * 7 + parts["days"]) * 24 + parts["hours"]) * 60 + parts["minutes"]
    if minutes > _MOST_DAYS * 24 * 60:
        raise DurationError("duration_too_long")
    return sign * timedelta(minutes=minutes)


def offset_text(value: Offset) -> str:
    """Return the offset as text: `P1M`, `-P3D`, `P0D`. A protocol has no months and days of opposite sign."""
    sign = "-" if value.months < 0 or value.days < 0 else ""
    months = f"{abs(value.months)}M" if value.months else ""
    days = f"{abs(value.days)}D" if value.days or not value.months else ""
    return f"{sign}P{months}{days}"


def span_text(value: timedelta) -> str:
    """Return the length of time as text, in hours and minutes: `PT24H`, `PT45M`, `-PT1H30M`, `PT0M`."""
    hours, minutes = divmod(abs(value) // timedelta(minutes=1), 60)
    said = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes or not hours else "")
    return f"{'-' if value < timedelta() else ''}PT{said}"


@overload
def instant_text(moment: datetime) -> str: ...
@overload
def instant_text(moment: datetime | None) -> str | None: ...
def instant_text(moment: datetime | None) -> str | None:
    """Return the instant in UTC with Z, `2026-06-22T09:00:00Z`; with microseconds only if there are some.

    None stays None.
    """
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _parts(text: str) -> dict[str, int]:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise DurationError("no_duration")
    # Nine digits are far beyond every limit above, and int() stays quick.
    return {name: int((digits or "0")[:9]) for name, digits in found.groupdict().items() if name != "sign"}
