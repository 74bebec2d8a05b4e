"""The words for the numbers of an answer, in their folded form, per language."""

from collections.abc import Mapping
from types import MappingProxyType

NUMBERS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "tr": MappingProxyType(
            {
                "sifir": 0,
                "bir": 1,
                "iki": 2,
                "uc": 3,
                "dort": 4,
                "bes": 5,
                "alti": 6,
                "yedi": 7,
                "sekiz": 8,
                "dokuz": 9,
                "on": 10,
            },
        ),
        "en": MappingProxyType(
            {
                "nought": 0,
                "zero": 0,
                "one": 1,
                "two": 2,
                "three": 3,
                "four": 4,
                "five": 5,
                "six": 6,
                "seven": 7,
                "eight": 8,
                "nine": 9,
                "ten": 10,
            },
        ),
    },
)
"""Number words of each language; an unknown language reads as English."""

SMALL_NUMBERS: Mapping[str, int] = MappingProxyType({**NUMBERS["tr"], **NUMBERS["en"]})
"""In a wish about hours both languages are read."""
