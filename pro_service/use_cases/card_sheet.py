"""The card as it is printed: one side of A6 a language, from templates/card/."""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache

import segno
from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from pro_service import paths
from pro_service.core.protocol import Language
from pro_service.use_cases.card import Card

DEFAULT = "en"
DAY = {"tr": "d MMMM y EEEE", "en": "EEEE d MMMM y"}
STYLE = "web/static/card.css"


def sides(card: Card) -> Markup:
    """The card's sides, the participant's language first, without the style they need (`card.css`)."""
    picture = segno.make_qr(card.scanned, error="m").svg_inline(border=0, omitsize=True, svgclass=None, lineclass=None)
    drawn = _page("sides.html").render(
        card=card,
        sides=list(_sides(card)),
        address=card.address.removeprefix("https://"),
        picture=Markup(picture.replace("<svg", '<svg role="img" aria-label="QR"', 1)),  # noqa: S704 -- drawn by segno
    )
    return Markup(drawn)  # noqa: S704 -- every value was escaped as it was filled in


def document(card: Card) -> str:
    """A page of its own, whole in one file, to be printed without this service."""
    style = (paths.templates() / STYLE).read_text(encoding="utf-8")
    return _page("document.html").render(card=card, drawn=sides(card), style=Markup(style))  # noqa: S704 -- our own


def _sides(card: Card) -> Iterator[dict[str, object]]:
    for language in card.languages:
        known = language if (paths.templates() / "card" / f"{language}.txt").is_file() else DEFAULT
        days = [(label[language], day and _day(day, known)) for label, day in card.days]
        yield {"language": language, "words": _words(known), "days": days}


def _day(day: date, language: Language) -> str:
    return format_date(day, DAY.get(language, DAY[DEFAULT]), locale=language)


@lru_cache
def _page(name: str) -> Template:
    return Environment(
        loader=FileSystemLoader(paths.templates() / "card"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    ).get_template(name)


@lru_cache
def _words(language: Language) -> dict[str, str]:
    text = (paths.templates() / "card" / f"{language}.txt").read_text(encoding="utf-8")
    lines = [line.partition("=") for line in text.splitlines() if "=" in line]
    return {name.strip(): words.strip() for name, _, words in lines}
