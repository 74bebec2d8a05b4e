"""Reads one TOML table key by key: a faulty value is noted with its path, and reading goes on with a stand-in."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from pro_service.core import iso8601
from pro_service.core.problems import nearest
from pro_service.core.protocol import Hours, Language, Offset, Texts
from pro_service.core.toml_faults import Faults

Value = TypeVar("Value")
Word = TypeVar("Word", bound=str)

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_MIDNIGHT = time(0)
_DURATION = ("duration_missing", "no_duration")


class Table:
    """One table of the file. Call `close` when everything known was read: what is left over is an unknown key.

    A key that is missing without a default is a fault; its stand-in lets reading go on.
    """

    def __init__(self, values: Mapping[str, object], path: str, faults: Faults) -> None:
        self._values = values
        self.path = path
        self.faults = faults
        self._asked: set[str] = set()

    def path_of(self, key: str) -> str:
        """The path of a key of this table."""
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        """Whether the file gives this key."""
        self._asked.add(key)
        return key in self._values

    def fault(self, key: str, code: str, /, **values: object) -> None:
        """Note the problem of this code at a key of this table."""
        self.faults.add(self.path_of(key), code, **values)

    def close(self) -> None:
        """Note every key nobody asked for."""
        for key in self._values:
            if key not in self._asked:
                known = tuple(sorted(self._asked))
                self.fault(key, "key_unknown", key=key, near=nearest(key, known), known=known)

    def text(self, key: str, default: str | None = None, *, empty: bool = False) -> str:
        """A text without surrounding space; empty only where that is allowed."""
        value = self._read(key, default, "", _text, ("text_key_missing", "no_text_key"))
        if not (value or empty or self.faults.touched(self.path_of(key))):
            self.fault(key, "key_empty")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """`true` or `false`."""
        return self._read(key, default, default, _flag, ("flag_missing", "no_flag"))

    def integer(self, key: str, least: int, most: int, default: int | None = None) -> int:
        """A whole number from `least` to `most`."""
        codes = ("number_missing", "no_number_key")
        value = self._read(key, default, least, _integer, codes, least=least, most=most)
        if not least <= value <= most:
            self.fault(key, "number_out_of_range", given=value, least=least, most=most)
            return least
        return value

    def day(self, key: str) -> date | None:
        """A calendar date, if given."""
        if not self.has(key):
            return None
        return self._read(key, None, date.min, _date, ("day_missing", "no_day"))

    def clock(self, key: str, default: time | None = None, *, midnight: bool = False) -> time:
        """A local time of day, `"09:00"`; with `midnight`, `"24:00"` is 00:00."""
        if midnight and self._values.get(key) == "24:00":
            self._asked.add(key)
            return _MIDNIGHT
        return self._read(key, default, _MIDNIGHT, _time, ("clock_missing", "no_clock"))

    def hours(self, key: str) -> Hours:
        """Local hours of a day, `{ from = "09:00", to = "20:00" }`; `to = "24:00"` is midnight."""
        table = self.table(key)
        hours = Hours(table.clock("from"), table.clock("to", midnight=True))
        table.close()
        backwards = hours.end != _MIDNIGHT and hours.end <= hours.start
        if backwards and not self.faults.touched(self.path_of(key)):
            self.fault(key, "hours_backwards")
        return hours

    def offset(self, key: str, default: Offset | None = None) -> Offset:
        """A distance on the calendar, `"P1M"`."""
        return self._read(key, default, Offset(), _offset, _DURATION, example='"P1W", "-P3D", "P1M"')

    def days(self, key: str, default: int | None = None) -> int:
        """A number of days, `"-P3D"` or `"P1W"`."""
        return self._read(key, default, 0, _days, _DURATION, example='"-P3D", "P1W"')

    def span(self, key: str, default: timedelta | None = None) -> timedelta:
        """A length of time that is not negative, `"PT24H"`."""
        return self._read(key, default, timedelta(), _span, _DURATION, example='"PT24H", "PT45M"')

    def choice(self, key: str, options: Sequence[Word]) -> Word:
        """One of a few words."""
        value = self.text(key)
        if value not in options and not self.faults.touched(self.path_of(key)):
            self.fault(key, "choice_unknown", given=value, near=nearest(value, options), known=tuple(options))
        return next((option for option in options if option == value), options[0])

    def words(self, key: str, *, required: bool = True) -> tuple[str, ...]:
        """A list of texts, none of them empty, none twice."""
        nothing: tuple[str, ...] = ()
        words = self._read(key, None if required else nothing, nothing, _words, ("list_missing", "no_list"))
        for index, word in enumerate(words):
            if not word:
                self.fault(f"{key}[{index}]", "entry_empty")
            elif word in words[:index]:
                self.fault(f"{key}[{index}]", "entry_twice", given=word)
        if required and not words and not self.faults.touched(self.path_of(key)):
            self.fault(key, "list_empty")
        return words

    def texts(self, key: str, languages: Sequence[Language]) -> Texts:
        """One text for each of the study's languages."""
        table = self.table(key)
        texts = {language: table.text(language) for language in languages}
        table.close()
        return texts

    def text_or_texts(self, key: str, languages: Sequence[Language]) -> Texts:
        """One text for all of the study's languages, `"…"`, or one for each, `{ tr = "…", en = "…" }`."""
        if isinstance(self._values.get(key), dict):
            return self.texts(key, languages)
        return dict.fromkeys(languages, self.text(key))

    def table(self, key: str, *, required: bool = True) -> "Table":
        """A table inside this one; an empty one if it is missing."""
        given = self.has(key)
        value = self._values.get(key, {})
        if isinstance(value, dict) and (given or not required):
            return Table(value, self.path_of(key), self.faults)
        self.fault(key, "no_table" if given else "table_missing", path=self.path_of(key))
        return _Silent(self.path_of(key))

    def tables(self, key: str, *, required: bool = True) -> tuple["Table", ...]:
        """The tables of a list, `[[key]]`."""
        given = self.has(key)
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
            self.fault(key, "no_tables", key=key)
            return ()
        if required and not value:
            self.fault(key, "tables_empty" if given else "tables_missing", key=key)
        return tuple(Table(part, f"{self.path_of(key)}[{index}]", self.faults) for index, part in enumerate(value))

    def _read(
        self,
        key: str,
        default: Value | None,
        stand_in: Value,
        read: Callable[[object], Value],
        codes: tuple[str, str],
        **values: object,
    ) -> Value:
        """Return the value of a key; `codes`: of what is wrong if it is missing, and if it is of another kind."""
        missing, another = codes
        if not self.has(key):
            if default is None:
                self.fault(key, missing, **values)
            return stand_in if default is None else default
        try:
            return read(self._values[key])
        except iso8601.DurationError as error:
            self.fault(key, error.code, given=self._values[key], **values)
        except (TypeError, ValueError):
            self.fault(key, another, given=self._values[key], **values)
        return stand_in


class _Silent(Table):
    """Stands in for a table that is missing: that was said once, its keys need no fault each."""

    def __init__(self, path: str) -> None:
        super().__init__({}, path, Faults(""))


def _text(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    raise TypeError


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError


def _integer(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TypeError


def _date(value: object) -> date:
    if isinstance(value, str):
        return date.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise TypeError


def _time(value: object) -> time:
    if isinstance(value, time):
        return value.replace(second=0, microsecond=0)
    if found := _CLOCK.fullmatch(_text(value)):
        return time(int(found[1]), int(found[2]))
    raise ValueError


def _offset(value: object) -> Offset:
    return iso8601.parse_offset(_text(value))


def _days(value: object) -> int:
    offset = _offset(value)
    if offset.months:
        raise iso8601.DurationError("duration_of_months")
    return offset.days


def _span(value: object) -> timedelta:
    span = iso8601.parse_span(_text(value))
    if span < timedelta():
        raise iso8601.DurationError("duration_negative")
    return span


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(_text(word) for word in value)
    raise TypeError
