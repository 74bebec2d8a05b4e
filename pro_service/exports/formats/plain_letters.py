"""Texts in plain letters, for what knows no others: ş is s, ı is i."""

import unicodedata
from collections.abc import Mapping

_OTHERS: Mapping[str, str] = {
    "ı": "i",
    "ß": "ss",
    "ø": "o",
    "æ": "ae",
    "–": "-",
    "—": "-",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "…": "...",
    "≥": ">=",
    "≤": "<=",
}
"""What stands for signs that do not come apart into a letter and an accent."""


def plain(text: str) -> str:
    """Return a text in ASCII; a sign that nothing stands for is left out."""
    apart = unicodedata.normalize("NFKD", "".join(_OTHERS.get(sign, sign) for sign in text))
    return apart.encode("ascii", "ignore").decode()
