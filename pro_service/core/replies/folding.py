"""Texts in the form in which replies are compared."""

import re
import unicodedata
from collections.abc import Iterable

DOUBT = "\ufffd"
"""Stands for a sign that could change what a number means (`²`, `½`, `?`, `%`, `>` …)."""

_TURKISH = str.maketrans("İIıŞşĞğÇçÖöÜüÂâÎîÛû", "iiissggccoouuaaiiuu")
# `"İPTAL".lower() != "iptal"` in Python: the dotted capital becomes two characters.

_QUOTES = '"“”„‟«»〝〞'
_APOSTROPHES = "'‘’‚‛ʼ′`´"
_SLASHES = "/⁄∕"
_HARMLESS = frozenset(".,٫;:!()[]{}*=")
_KEYCAP = "\u20e3"
_LOOK_ALIKE = re.compile(r"\b(?:ön|uç|u[cç]t[uü]r?)\b", re.IGNORECASE)
"""Front, tip, it flew: folded, they would be `on`, `üç`, `üçtü`. Of `uctu` in ASCII nobody knows which it is."""
_BEFORE_NORMALISING = {"🔟": " 10 ", "💯": DOUBT}


def visible(text: str) -> str:
    """Return a cell, code, number or address as people see it: nothing invisible (Cf), no space around, one width.

    Telephones copy numbers with direction marks around them; some keyboards write wide digits. Unlike in `plain`, all
    else stays: capitals, dots, and a sign that could change what a number means.
    """
    if text.isascii():
        return text.strip()
    return "".join(_narrow(c) for c in text if unicodedata.category(c) != "Cf").strip()


def _narrow(c: str) -> str:
    decimal = unicodedata.decimal(c, None)
    if decimal is not None:
        return str(decimal)
    return unicodedata.normalize("NFKC", c) if unicodedata.east_asian_width(c) == "F" else c


def marked(text: str) -> str:
    """Return the text folded, with the punctuation around its numbers. Linear; never raises."""
    # Superscripts, fractions and circled numbers must be seen before NFKC makes digits of them.
    seen = "".join(_BEFORE_NORMALISING.get(c, DOUBT if unicodedata.category(c) in {"No", "Nl"} else c) for c in text)
    folded: list[str] = []
    for c in _LOOK_ALIKE.sub(rf"\g<0>{DOUBT}", unicodedata.normalize("NFKC", seen)):
        after_digit = bool(folded) and folded[-1].isdigit()
        folded.extend(_fold(c, after_digit=after_digit))
    return "".join(folded)


def plain(text: str) -> str:
    """Return the words and numbers of a text, folded, one space apart. Linear; never raises."""
    return plain_of(marked(text))


def plain_of(mark: str) -> str:
    """Return the words and numbers of an already marked text: `don't` is `dont`, `opt-out` is `opt out`."""
    joined = mark.replace("'", "")
    return " ".join("".join(c if c.isalnum() else " " for c in joined).split())


def contains(said: str, phrases: Iterable[str]) -> bool:
    """Whether one of the plain phrases stands in a plain text as whole words; an empty phrase never does."""
    padded = f" {said} "
    return any(phrase and f" {phrase} " in padded for phrase in phrases)


def _fold(c: str, *, after_digit: bool) -> str:
    """Fold one normalised character."""
    decimal = unicodedata.decimal(c, None)
    if decimal is not None:
        return str(decimal)
    if c.isalpha():
        return c.translate(_TURKISH).lower()
    return _fold_sign(c, unicodedata.category(c), after_digit=after_digit)


def _fold_sign(c: str, category: str, *, after_digit: bool) -> str:
    """Fold a character that is neither a digit nor a letter."""
    if category == "Cf" or c == _KEYCAP or "\ufe00" <= c <= "\ufe0f":
        return ""  # zero-widths, direction marks, variation selectors
    if category in {"Mn", "Mc", "Me"}:
        # An accent left over on a letter says nothing; on a digit it may strike it out.
        return DOUBT if after_digit else ""
    if c == DOUBT:
        return DOUBT  # formally a symbol like an emoji
    if c.isspace() or category == "So" or "\U0001f3fb" <= c <= "\U0001f3ff":
        return " "  # an emoji separates, so that `7😀8` is never 78
    for signs, folded in ((_QUOTES, '"'), (_APOSTROPHES, "'"), (_SLASHES, "/")):
        if c in signs:
            return folded
    if category == "Pd" or c == "\u2212":
        return "-"
    return c if c in _HARMLESS else DOUBT
