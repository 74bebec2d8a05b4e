"""The reader's language: English sources, catalogues beside the templates, dates and instants as people say them.

An instant is shown on the clock of the site it is about, the same on every page. Each page has one clock, named at its
end: that of the site it is about, else of the reader's first site. A time on another clock has its place beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import Flask, current_app, g
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from pro_service import catalogues, wording

LANGUAGES: Mapping[str, str] = {"tr": "Türkçe", "en": "English"}
"""Languages of the pages, by what their speakers call them."""

SOURCE = catalogues.SOURCE
CATALOGUES = "catalogues"
MINUTE = timedelta(minutes=1)


def install(app: Flask, folder: Path) -> None:
    """Read the catalogues of `folder` (`tr.po`, …) and teach the templates to speak them."""
    app.extensions[CATALOGUES] = catalogues.read(folder)
    environment = app.jinja_env
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    # A page says a hundred sentences, and most say the same each time: those are put together once.
    environment.globals |= {"gettext": _translated, "_": _translated, "of": of, "clock_of_page": clock_of_page}
    environment.filters |= {
        "moment": moment,
        "until": until,
        "day": day,
        "day_at": day_at,
        "second_at": second_at,
        "clock": clock,
        "clock_at": clock_at,
    }


@pass_context
def _translated(_context: Context, message: str, /, **values: object) -> Markup:
    """Return the message in the reader's language, ready for a page; values are escaped."""
    # With the context, or a constant would be put into the first reader's language for all.
    return Markup(gettext(message)) % values if values else _without_values(_current(), message)  # noqa: S704 -- our own words


@lru_cache(maxsize=8192)
def _without_values(spoken: NullTranslations, message: str) -> Markup:
    return Markup(spoken.gettext(message)) % {}  # noqa: S704 -- our own words


def _current() -> NullTranslations:
    known: dict[str, NullTranslations] = current_app.extensions[CATALOGUES]
    return known.get(language(), known[SOURCE])


def language() -> str:
    """Return the language of this answer."""
    return str(g.get("language", SOURCE))


def gettext(message: str) -> str:
    """Return the message in the reader's language."""
    return _current().gettext(message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """Return the message that fits the number, in the reader's language."""
    return _current().ngettext(singular, plural, number)


_ = gettext


def of(texts: Mapping[str, str]) -> str:
    """Return the text in the reader's language, else in any."""
    return texts.get(language()) or next(iter(texts.values()), "")


def page_stands_in(zone: ZoneInfo) -> ZoneInfo:
    """Set the clock that this page shows instants on; return its zone."""
    g.page_zone = zone
    return zone


def page_usually_stands_in(zone: ZoneInfo) -> None:
    """Set the clock for a page that is about no single site."""
    g.setdefault("page_zone", zone)


@dataclass(frozen=True, slots=True)
class PageClock:
    """The clock of a page, and whether it shows a time on another clock, too."""

    place: str
    zone: str
    others: bool


def clock_of_page() -> PageClock | None:
    """Return the clock of the instants that this page has shown so far; None if it has shown none."""
    told: set[str] = g.get("zones_told", set())
    zone: ZoneInfo | None = g.get("page_zone")
    if zone is None or not told:
        return None
    return PageClock(wording.place_of(zone, language()), zone.key, others=bool(told - {zone.key}))


def beside(words: str, zone: ZoneInfo) -> str:
    """Return an instant in words; with the place of its clock if that is not the page's."""
    page: ZoneInfo | None = g.get("page_zone")
    if page is None:
        return words
    g.setdefault("zones_told", set()).add(zone.key)
    return words if zone.key == page.key else f"{words} ({wording.place_of(zone, language())})"


def moment(instant: datetime, zone: ZoneInfo) -> str:
    """Return an instant in a zone as the reader says it: `Tuesday 20 January 23:59`."""
    return beside(wording.moment(instant, zone, language()), zone)


def until(instant: datetime, zone: ZoneInfo) -> str:
    """Return the last minute before an exclusive end: people are told 23:59, not the midnight after."""
    return moment(instant - MINUTE, zone)


def day(value: date) -> str:
    """Return a calendar date in the reader's language: `20 Jan 2026`."""
    return format_date(value, "d MMM y", locale=language())


def day_at(instant: datetime, zone: ZoneInfo) -> str:
    """Return the calendar date of an instant in a zone, as the reader says it."""
    return day(wording.local(instant, zone).date())


def second_at(instant: datetime, zone: ZoneInfo) -> str:
    """Return an instant in a zone to the second: `2026-01-20 23:59:00`."""
    return beside(f"{wording.local(instant, zone):%Y-%m-%d %H:%M:%S}", zone)


def clock(value: time) -> str:
    """Return a time of day: `18:30`."""
    return f"{value:%H:%M}"


def clock_at(instant: datetime, zone: ZoneInfo) -> str:
    """Return the time of day of an instant in a zone."""
    return wording.clock_time(instant, zone)
