"""Single cells of an enrolment row: text -> value. Every function raises CellError for what it cannot read."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pro_service.core.problems import closest
from pro_service.core.replies.folding import plain
from pro_service.core.schedule.windows import local_instant

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_OTHER_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?:[ T].*)?", re.ASCII)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]+\.[^@\s.,;<>\"]{2,}")
_INTEGER = re.compile(r"\d{1,4}", re.ASCII)
_YEARS = range(2000, 2100)
_EMAIL_LENGTH = 254
_SHOWN = 40
_YES = frozenset({"yes", "y", "evet", "e", "true", "1", "x", "var", "ok"})
_NO = frozenset({"no", "n", "hayir", "h", "false", "0", "yok", "none", "na"})
DATE_REMEDY = "write year-month-day, e.g. 2026-05-11; in the spreadsheet, format the column as text first"


class CellError(ValueError):
    """A cell cannot be used: what is wrong, and what to do."""

    def __init__(self, fault: str, remedy: str) -> None:
        super().__init__(fault)
        self.fault, self.remedy = fault, remedy


def quoted(text: str) -> str:
    """Return a cell in quotes, short and on one line. Never used for contact data."""
    plainly = "".join(c if c.isprintable() else "�" for c in text)
    return f'"{plainly[:_SHOWN]}…"' if len(plainly) > _SHOWN else f'"{plainly}"'


def code(text: str) -> str:
    """Return a participant's code: letters, digits, - _ . up to 40 characters, a letter or digit first."""
    if not text:
        raise CellError("is empty", "give every participant a code, e.g. P-001")
    if not _CODE.fullmatch(text):
        remedy = "use the letters A to Z, digits, - _ . only, at most 40, and begin with a letter or digit; no names"
        raise CellError(f"{quoted(text)} is not a participant code", remedy)
    return text


def one_of(text: str, known: Iterable[str], what: str) -> str:
    """Return one of a few words, written exactly like this."""
    words = tuple(known)
    if text in words:
        return text
    if not text:
        raise CellError("is empty", f"one of: {', '.join(words)}")
    raise CellError(f"{quoted(text)} is not a {what}", closest(text, words) or f"one of: {', '.join(words)}")


@lru_cache(maxsize=4096)
def day(text: str) -> date:
    """Return a calendar date, year-month-day."""
    if not text:
        raise CellError("is empty", DATE_REMEDY)
    if not _DATE.fullmatch(text):
        if _OTHER_DATE.fullmatch(text):
            raise CellError(f"{quoted(text)} can be read in more than one way", DATE_REMEDY)
        raise CellError(f"{quoted(text)} is not a date", DATE_REMEDY)
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise CellError(f"{quoted(text)} is not in the calendar", DATE_REMEDY) from None
    if found.year not in _YEARS:
        raise CellError(f"{quoted(text)} is not a date of a study", DATE_REMEDY)
    return found


def clock(text: str) -> time:
    """Return a local time of day, hours and minutes."""
    found = _CLOCK.fullmatch(text)
    if not found:
        raise CellError(
            f"{quoted(text)} is not a time of day", "write hours and minutes, e.g. 14:30, or leave it empty"
        )
    return time(int(found[1]), int(found[2]))


def consent(text: str, zone: ZoneInfo, now: datetime) -> datetime | None:
    """Return when the participant agreed to messages: an instant, or the start of a day at the site; None if empty."""
    if not text:
        return None
    given = _given(text, zone)
    if given > now:
        raise CellError("the consent lies in the future", "write when it was given; leave it empty if it was not yet")
    return given


@lru_cache(maxsize=4096)
def _given(text: str, zone: ZoneInfo) -> datetime:
    if plain(text) in _YES:
        raise CellError("a consent needs its date", "write the day on which it was given, e.g. 2026-05-11")
    if plain(text) in _NO:
        raise CellError("no consent is written as an empty cell", "leave it empty: this participant is only called")
    given = _instant(text) if len(text) > len("2026-05-11") and _DATE.match(text) else None
    return local_instant(day(text), time(), zone) if given is None else given


def email(text: str) -> str | None:
    """Return an e-mail address; None if empty. An error never repeats the address."""
    if text and (len(text) > _EMAIL_LENGTH or not _EMAIL.fullmatch(text)):
        raise CellError("is not an e-mail address", "write one address, name@host, or leave it empty")
    return text or None


def number(text: str, least: int, most: int) -> int:
    """Return a whole number from `least` to `most`."""
    if not _INTEGER.fullmatch(text) or not least <= int(text) <= most:
        remedy = f"write a whole number from {least} to {most}, or leave it empty"
        raise CellError(f"{quoted(text)} is not an answer to this item", remedy)
    return int(text)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Return an IANA time zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        remedy = closest(name, available_timezones()) or "write an IANA name, e.g. Europe/Istanbul, or leave it empty"
        raise CellError(f"{quoted(name)} is not a time zone", remedy) from None


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.tzinfo is None:
        remedy = "write the day alone, or add the offset: 2026-05-11T10:00+03:00"
        raise CellError(f"{quoted(text)} says no time zone", remedy)
    if found.year not in _YEARS:
        raise CellError(f"{quoted(text)} is not an instant of a study", "write the day on which it was given")
    return found.astimezone(UTC)
