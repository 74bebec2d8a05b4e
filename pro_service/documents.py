"""What every document is made with: templates, the catalogue of the pages, numbers and dates as people write them."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from pro_service import catalogues, paths, wording

LANGUAGES = ("en", "tr")
MOMENT = {"tr": "d MMM EEE HH:mm", "en": "EEE d MMM HH:mm"}


def render(template: str, language: str, values: Mapping[str, object]) -> str:
    """A template of `templates/` in one of LANGUAGES, with its values; the same for the same values.

    Everything is escaped, and a value that is not there is an error, not a blank.
    """
    folder = paths.templates()
    words = catalogues.read(folder / "web" / "locale")
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(("html", "svg")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    translated = words.get(language, words[catalogues.SOURCE])
    environment.install_gettext_translations(translated, newstyle=True)  # type: ignore[attr-defined]
    environment.filters |= {
        "number": partial(_number, language=language),
        "money": partial(_money, language=language),
        "price": partial(_price, language=language),
        "percent": partial(_percent, language=language),
        "day": partial(_day, language=language),
        "short_day": partial(_short_day, language=language),
        "moment": partial(_moment, language=language),
        "of": partial(_of, language=language),
        "country": partial(_country, language=language),
        "css_text": _css_text,
    }
    return environment.get_template(template).render(language=language, **values)


def _number(value: float | Decimal, *, language: str) -> str:
    return format_decimal(value, locale=language)


def _money(value: float, *, language: str) -> str:
    return format_decimal(value, format="#,##0.00", locale=language)


def _price(value: float, *, language: str) -> str:
    """Of one segment: some cost less than a hundredth."""
    return format_decimal(value, format="#,##0.00####", locale=language)


def _percent(share: float | None, *, language: str) -> str:
    """`74%`, `%74` in Turkish; a dash where nothing was due."""
    return "–" if share is None else format_percent(share, format=None, locale=language)


def _day(value: date, *, language: str) -> str:
    return format_date(value, "d MMMM y", locale=language)


def _short_day(value: date, *, language: str) -> str:
    return format_date(value, "d MMM", locale=language)


def _moment(value: datetime, zone: str, *, language: str) -> str:
    local = wording.local(value, ZoneInfo(zone))
    return format_datetime(local, MOMENT.get(language, MOMENT["en"]), tzinfo=local.tzinfo, locale=language)


def _of(texts: Mapping[str, str], *, language: str) -> str:
    return texts.get(language) or next(iter(texts.values()), "")


def _country(code: str, *, language: str) -> str:
    return str(Locale.parse(language).territories.get(code, code))


def _css_text(text: str) -> str:
    """A text inside the quotation marks of a style sheet."""
    return "".join(character if character.isalnum() else f"\\{ord(character):06x}" for character in text)
