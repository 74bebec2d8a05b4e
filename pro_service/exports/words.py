"""The words of an exported data set, from `templates/export`: what tables, columns and codes are called."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pro_service import paths
from pro_service.exports.tables import Code, Words

LANGUAGES = ("en", "tr")


def word(*path: str, **values: str) -> Words:
    """Return the words at a place of the files, `word("columns", "visits", "status")`; KeyError if one has none.

    Values are put in place of names in braces.
    """
    return {language: _at(language, path).format_map(values) for language in LANGUAGES}


def codes(name: str) -> tuple[Code, ...]:
    """Return the codes of a column in their order; KeyError if the files have none of that name."""
    first = _files()[LANGUAGES[0]]["codes"][name]
    return tuple(Code(int(value) if value.isdecimal() else value, word("codes", name, value)) for value in first)


def column(table: str, name: str, **values: str) -> Words:
    """Return what a column of a table is called; many columns are called the same in all of them."""
    section = table if name in _files()[LANGUAGES[0]]["columns"].get(table, {}) else "any"
    return word("columns", section, name, **values)


def _at(language: str, path: tuple[str, ...]) -> str:
    place: Any = _files()[language]
    for step in path:
        place = place[step]
    return str(place)


@lru_cache(maxsize=1)
def _files() -> Mapping[str, Mapping[str, Any]]:
    folder = paths.templates() / "export"
    return {
        language: tomllib.loads((folder / f"words.{language}.toml").read_text(encoding="utf-8"))
        for language in LANGUAGES
    }
