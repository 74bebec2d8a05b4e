"""`paper/methods.txt`: how the answers were obtained, from the protocol, for the methods section of a paper.

Its words stand in `templates/export/methods.*.txt`. Item numbers are those of SPIRIT-PRO (Calvert and others, 2018) and
CONSORT-PRO (Calvert and others, 2013).
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TypeAlias, TypeVar

from babel import Locale

from pro_service import documents
from pro_service.core.protocol import Item, LevelCode, Protocol, TimePoint
from pro_service.core.scores import FORMULA_VERSION
from pro_service.exports.words import LANGUAGES, codes

T = TypeVar("T")
_Said: TypeAlias = Callable[[Mapping[str, str]], str]

FILE = "paper/methods.txt"
_HOUR = timedelta(hours=1)


def methods(protocol: Protocol, version: int, *, simulated: bool = False) -> str:
    """Return the text, in English and below it in Turkish.

    `version`: the number under which the protocol is stored; `simulated`: the telephones are.
    """
    texts = (in_language(protocol, version, language, simulated=simulated) for language in LANGUAGES)
    return "\n\n\n".join(texts) + "\n"


def in_language(protocol: Protocol, version: int, language: str, *, simulated: bool = False) -> str:
    """Return the text in one of the languages of data sets."""

    def said(texts: Mapping[str, T]) -> T:
        return texts[next((one for one in (language, "en") if one in texts), next(iter(texts)))]

    def roles(level: LevelCode) -> list[str]:
        return [called[role] for role in protocol.ladder[level].roles]

    called = {str(code.value): _small(said(code.labels), language) for code in codes("role")}
    compared = protocol.baseline.items if protocol.baseline else ()
    names = Locale.parse(language).languages
    values = {
        "protocol": protocol,
        "version": version,
        "simulated": simulated,
        "worded": {str(names.get(one, one)): one for one in protocol.languages},
        "items": [_item(item, said, compared=key in compared) for key, item in protocol.items.items()],
        "points": [_point(protocol, point, said) for point in protocol.time_points],
        "sites": [said(site.name) for site in protocol.sites.values()],
        "all_day": protocol.contact_hours.start == protocol.contact_hours.end,
        "useful_for": protocol.useful_for // _HOUR,
        "useless_before_close": protocol.useless_before_close // _HOUR,
        "roles": roles,
        "reasons": [said(code.labels) for code in codes("missing_reason") if code.value != "not_explained"],
        "formula_version": FORMULA_VERSION,
    }
    return documents.render(f"export/methods.{language}.txt", language, values).rstrip("\n")


def _item(item: Item, said: _Said, *, compared: bool) -> dict[str, object]:
    choices: Mapping[str, tuple[str, ...]] = item.choices
    labels = said(choices) if choices else ()  # type: ignore[arg-type] # any value, one per language
    return {
        "item": item,
        "short": said(item.short),
        "low": said(item.low),
        "high": said(item.high),
        "choices": list(enumerate(labels, start=item.minimum)),
        "compared": compared,
    }


def _point(protocol: Protocol, point: TimePoint, said: _Said) -> dict[str, object]:
    return {
        "point": point,
        "label": said(point.label),
        "items": [said(protocol.items[item].short) for item in point.items],
        "late": point.late,
        "last": point is protocol.time_points[-1],
        "lead_hours": point.lead_before // _HOUR,
    }


def _small(word: str, language: str) -> str:
    """Return a word with a small first letter, as inside a sentence."""
    first = {"I": "ı", "İ": "i"}.get(word[0], word[0].lower()) if language == "tr" else word[0].lower()
    return first + word[1:]
