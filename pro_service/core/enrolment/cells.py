"""Single cells of an enrolment row: text -> value. Every function raises CellError for what it cannot read."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pro_service.core.problems import Problem, nearest
from pro_service.core.replies.folding import plain
from pro_service.core.schedule.calendar import is_of_machine
from pro_service.core.schedule.windows import local_instant

LONGEST_CODE = 40
_CODE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_CODE - 1}}}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_OTHER_DATE = re.compile(r"(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})(?:[ T].*)?", re.ASCII)
_SERIAL = re.compile(r"(\d{5})(?:[.,]\d+)?", re.ASCII)
_DAY_0 = date(1899, 12, 30)
"""Of a spreadsheet's numbers of days."""
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?", re.ASCII)
_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]+\.[^@\s.,;<>\"]{2,}")
_OFFSET = re.compile(r"(?:GMT|UTC)?\s*[+-]?\d", re.ASCII | re.IGNORECASE)
_INTEGER = re.compile(r"\d{1,4}", re.ASCII)
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)", re.ASCII)
_YEARS = range(2000, 2100)
_EMAIL_LENGTH = 254
_SHOWN = 40
_YES = frozenset({"yes", "y", "evet", "e", "true", "1", "x", "var", "ok", "ja", "j", "oui", "o", "si"})
_NO = frozenset(
    {
        *("no", "n", "hayir", "h", "false", "0", "yok", "none", "na", "n a", "nein", "non", "nil", "unknown"),
        *("kein", "keine", "keines", "aucun", "aucune", "bilinmiyor", "null", ""),
    }
)
_DECIMAL_CODE = re.compile(r"\d+[.,]0+", re.ASCII)
_OF_A_FORMULA = re.compile(r"#[^\W\d_][^\W_]*(?:/[^\W_]+)?[!?]?")
_TOO_NARROW = re.compile(r"#{2,}")


class CellError(ValueError):
    """A cell cannot be used; `problem` says why, and knows no place yet."""

    def __init__(self, code: str, /, **values: object) -> None:
        super().__init__(code)
        self.problem = Problem(code, values=values)


def quoted(text: str) -> str:
    """Return a cell in quotes, short and on one line. Never used for contact data."""
    plainly = "".join(c if c.isprintable() else "�" for c in text)
    return f'"{plainly[:_SHOWN]}…"' if len(plainly) > _SHOWN else f'"{plainly}"'


def code(text: str) -> str:
    """Return a participant's code: letters, digits, - _ . up to 40 characters, a letter or digit first."""
    if not text:
        raise CellError("code_empty")
    if _DECIMAL_CODE.fullmatch(text):
        raise CellError("code_decimal", given=quoted(text))
    if not _CODE.fullmatch(text):
        raise CellError("not_a_code", given=quoted(text))
    return text


def check_spreadsheet(text: str) -> None:
    """Raise CellError if a spreadsheet shows something in place of the value."""
    if _TOO_NARROW.fullmatch(text):
        raise CellError("cell_too_narrow")
    if _OF_A_FORMULA.fullmatch(text):
        raise CellError("cell_of_formula", given=quoted(text))


def says_none(text: str) -> bool:
    """Whether a text says in a word or a dash that there is nothing."""
    return plain(text) in _NO


def alike(code: str) -> str:
    """Return what is the same for codes that people and spreadsheets take for one another: `P-001`, `p-1`."""
    return _ZEROS.sub("", code.casefold())


def one_of(text: str, known: Iterable[str], unknown: str) -> str:
    """Return one of a few words, written exactly like this; `unknown`: the code of what is wrong with any other."""
    words = tuple(known)
    if text in words:
        return text
    if not text:
        raise CellError("empty", known=words)
    raise CellError(unknown, given=quoted(text), near=nearest(text, words), known=words)


@lru_cache(maxsize=4096)
def day(text: str) -> date:
    """Return a calendar date, year-month-day."""
    if not text:
        raise CellError("date_empty")
    if not _DATE.fullmatch(text):
        raise _no_date(text)
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise CellError("not_in_calendar", given=quoted(text)) from None
    if found.year not in _YEARS:
        raise CellError("not_of_a_study", given=quoted(text))
    return found


def _no_date(text: str) -> CellError:
    """Return why a text is no date: its parts are a day in another order, or in several, or it is a number of days."""
    if other := _OTHER_DATE.fullmatch(text):
        a, b, c = map(int, other.groups())
        possible = {found for parts in ((a, b, c), (c, b, a), (c, a, b)) if (found := _possible(*parts)) is not None}
        code = {0: "not_in_calendar", 1: "date_in_other_order"}.get(len(possible), "date_ambiguous")
        days = tuple(found.isoformat() for found in sorted(possible))
        return CellError(code, given=quoted(text), **({"days": days} if len(days) > 1 else {"day": "".join(days)}))
    serial = _SERIAL.fullmatch(text)
    found = _DAY_0 + timedelta(days=int(serial[1])) if serial else None
    if found is not None and found.year in _YEARS:
        return CellError("date_as_number", given=quoted(text), day=found.isoformat())
    return CellError("not_a_date", given=quoted(text))


def _possible(year: int, month: int, day_of_month: int) -> date | None:
    """Return a day of a study; a year of two digits is of this century."""
    try:
        found = date(year + 2000 if year < 100 else year, month, day_of_month)  # noqa: PLR2004 -- two digits
    except ValueError:
        return None
    return found if found.year in _YEARS else None


def clock(text: str) -> time:
    """Return a local time of day, hours and minutes."""
    found = _CLOCK.fullmatch(text)
    if not found:
        raise CellError("not_a_time", given=quoted(text))
    return time(int(found[1]), int(found[2]))


def consent(text: str, zone: ZoneInfo, now: datetime) -> datetime | None:
    """Return when the participant agreed to messages: an instant, or the start of a day at the site; None if empty."""
    if not text:
        return None
    given = _given(text, zone)
    if given > now:
        raise CellError("consent_in_future")
    return given


@lru_cache(maxsize=4096)
def _given(text: str, zone: ZoneInfo) -> datetime:
    if plain(text) in _YES:
        raise CellError("consent_without_date")
    if says_none(text):
        raise CellError("consent_refused")
    given = _instant(text) if len(text) > len("2026-05-11") and _DATE.match(text) else None
    return local_instant(day(text), time(), zone) if given is None else given


def email(text: str) -> str | None:
    """Return an e-mail address; None if empty. An error never repeats the address."""
    if text and (len(text) > _EMAIL_LENGTH or not _EMAIL.fullmatch(text)):
        raise CellError("not_an_email")
    return text or None


def number(text: str, least: int, most: int) -> int:
    """Return a whole number from `least` to `most`."""
    if not _INTEGER.fullmatch(text) or not least <= int(text) <= most:
        raise CellError("not_an_answer", given=quoted(text), least=least, most=most)
    return int(text)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Return an IANA time zone: a place's, never whatever this machine is set to."""
    if is_of_machine(name):
        raise CellError("zone_of_machine", given=quoted(name))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # An offset is no place: the name nearest to GMT+3 would be another hour.
        near = None if _OFFSET.match(name) else nearest(name, available_timezones())
        raise CellError("not_a_zone", given=quoted(name), near=near) from None


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.tzinfo is None:
        raise CellError("consent_without_zone", given=quoted(text))
    if found.year not in _YEARS:
        raise CellError("consent_not_of_a_study", given=quoted(text))
    return found.astimezone(UTC)
