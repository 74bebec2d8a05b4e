"""ISO 8601 durations, the way the protocol file writes offsets: `P1W`, `-P3D`, `P3M`, `PT45M`."""

import re
from datetime import timedelta

from pro_service.core.protocol import Offset

_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?=.)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?",
    re.ASCII,
)
_MOST_DAYS = 3660
_MOST_MONTHS = 120


def offset(text: str) -> Offset:
    """`P1M` → one calendar month, `-P3D` → three days before. ValueError for hours, or more than ten years."""
    parts = _parts(text)
    if parts["hours"] or parts["minutes"]:
        raise ValueError("counts days and months, not hours")
    sign = -1 if text.startswith("-") else 1
    months = parts["years"] * 12 + parts["months"]
    days = parts["weeks"] * 7 + parts["days"]
    if months > _MOST_MONTHS or days > _MOST_DAYS:
        raise ValueError("longer than ten years")
    return Offset(months=sign * months, days=sign * days)


def span(text: str) -> timedelta:
    """`PT24H` → 24 hours, `P1D` → 24 hours. ValueError for months and years, whose length varies, or over ten years."""
    parts = _parts(text)
    if parts["years"] or parts["months"]:
        raise ValueError("a month has no fixed length here")
    sign = -1 if text.startswith("-") else 1
    minutes = ((parts["weeks"] * 7 + parts["days"]) * 24 + parts["hours"]) * 60 + parts["minutes"]
    if minutes > _MOST_DAYS * 24 * 60:
        raise ValueError("longer than ten years")
    return sign * timedelta(minutes=minutes)


def iso(value: Offset) -> str:
    """The duration as text: `P1M`, `-P3D`, `P0D`. Months and days of opposite sign do not occur in a protocol."""
    sign = "-" if value.months < 0 or value.days < 0 else ""
    months = f"{abs(value.months)}M" if value.months else ""
    days = f"{abs(value.days)}D" if value.days or not value.months else ""
    return f"{sign}P{months}{days}"


def _parts(text: str) -> dict[str, int]:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError("not an ISO 8601 duration")
    # Nine digits are far beyond every limit above, and int() stays quick.
    return {name: int((digits or "0")[:9]) for name, digits in found.groupdict().items() if name != "sign"}
