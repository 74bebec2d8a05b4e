"""The one number that a text gives as its answer, or why there is none."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Literal, TypeAlias

from pro_service.core.replies import phrases
from pro_service.core.replies.folding import DOUBT, contains, plain_of

Reason = Literal[
    "range",
    "decimal",
    "out_of_range",
    "negative",
    "mixed",
    "several_numbers",
    "empty",
    "words",
]

_Phrases: TypeAlias = AbstractSet[str]

_DIGITS = re.compile("[0-9]+")
_NO_WORD = 11
"""From here on a value has no word of its own; all of them share their frames."""
_DECIMAL_POINTS = (".", ",", "٫")


def find(mark: str, said: str, language: str, low: int, high: int) -> int | Reason:
    """Return the one number of a text, `low` to `high` both included, or why there is none.

    `mark` and `said` are the marked and the plain form; `language` is a tag, unknown reads as English.
    """
    primary = language.replace("_", "-").partition("-")[0].strip().lower()
    known = primary if primary in phrases.NUMBERS else "en"
    value = _written(mark, low, high, known) if _DIGITS.search(mark) else _word(mark, said, phrases.NUMBERS[known])
    if value is None:
        return _why(mark, said)
    return value if low <= value <= high else "out_of_range"


def _word(mark: str, said: str, numbers: Mapping[str, int]) -> int | None:
    """Return the value of a number word that is the whole message: `on`, `bir`, `yedi` are ordinary words as well."""
    return None if _doubtful(mark) else numbers.get(said)


def _written(mark: str, low: int, high: int, language: str) -> int | None:
    """Return the value written in digits, if everything around it is known and harmless."""
    runs = list(_DIGITS.finditer(mark))
    if any(len(run[0]) > 1 and run[0].startswith("0") for run in runs):
        return None
    match [int(run[0]) for run in runs]:
        case [only]:
            value: int | None = only
        case [first, second]:
            value = _of_highest(first, mark[runs[0].end() : runs[1].start()], second, high)
        case _:
            return None
    left, right = mark[: runs[0].start()], mark[runs[-1].end() :]
    if value is None or not _framed(left, right, *_frames(min(value, _NO_WORD), high, language, from_zero=low == 0)):
        return None
    return value


def _of_highest(first: int, between: str, second: int, high: int) -> int | None:
    """`7/10`, `7 out of 10`, `10 üzerinden 7`: only with the item's own highest value."""
    if between.strip() == "/":
        return first if second == high else None
    phrase = "" if _doubtful(between) else plain_of(between)
    if phrase in phrases.OUT_OF and second == high:
        return first
    return second if phrase in phrases.HIGHEST_FIRST and first == high else None


def _doubtful(around: str) -> bool:
    return any(sign in around for sign in (DOUBT, "/", "-"))


@lru_cache(maxsize=256)
def _frames(value: int, high: int, language: str, *, from_zero: bool) -> tuple[_Phrases, _Phrases]:
    """Return what may stand before and after this value; its own word may repeat it: `7 (yedi)`, `ağrım yok: 0`."""
    numbers = phrases.NUMBERS[language]
    same = {word for word, number in numbers.items() if number == value}
    if from_zero:
        same |= phrases.ZERO if value == 0 else frozenset()
        before, after = phrases.BEFORE | phrases.BEFORE_FROM_ZERO, phrases.AFTER | phrases.AFTER_FROM_ZERO
    else:
        before, after = phrases.BEFORE, phrases.AFTER
    highest = {f"out of {word}" for word, number in numbers.items() if number == high}
    return before | same, after | same | highest


def _framed(left: str, right: str, before: _Phrases, after: _Phrases) -> bool:
    """Whether only known words and harmless punctuation stand around the number."""
    if _doubtful(left) or _doubtful(right):
        return False
    if left.endswith(_DECIMAL_POINTS) and not plain_of(left):
        return False  # `.7`
    return _made_of(plain_of(left), before) and _made_of(plain_of(right), after)


_LONGEST_FRAME = 12  # words
_LONGEST_PHRASE = 4  # words


def _made_of(said: str, listed: _Phrases) -> bool:
    """Whether a text is nothing but `listed` phrases, one after the other."""
    tokens = said.split()
    if len(tokens) > _LONGEST_FRAME:
        return False
    reached = {0}
    for end in range(1, len(tokens) + 1):
        starts = reached & set(range(max(0, end - _LONGEST_PHRASE), end))
        if any(" ".join(tokens[start:end]) in listed for start in starts):
            reached.add(end)
    return len(tokens) in reached


_COURTEOUS = frozenset(word for phrase in phrases.COURTESY for word in phrase.split())


def courteous(said: str) -> str:
    """Return a plain text without the courtesies it begins and ends with: `hi`, `lütfen`, `thank you`."""
    tokens = said.split()
    if not 0 < len(tokens) <= _LONGEST_FRAME or not _COURTEOUS & {tokens[0], tokens[-1]}:
        return said
    first, last = 0, len(tokens)
    while first < last and (width := _courtesy(tokens[first:last][:_LONGEST_PHRASE], from_end=False)):
        first += width
    while first < last and (width := _courtesy(tokens[first:last][-_LONGEST_PHRASE:], from_end=True)):
        last -= width
    return " ".join(tokens[first:last])


def _courtesy(tokens: list[str], *, from_end: bool) -> int:
    """Return how many words of these are a courtesy, at the end or at the beginning; the longest counts."""
    sizes = range(len(tokens), 0, -1)
    return next((n for n in sizes if " ".join(tokens[-n:] if from_end else tokens[:n]) in phrases.COURTESY), 0)


def _why(mark: str, said: str) -> Reason:
    """Return what kept a text from being a number."""
    match list(_DIGITS.finditer(mark)):
        case []:
            if said:
                return "words"
            return "mixed" if DOUBT in mark else "empty"
        case [run]:
            return _why_one(mark[: run.start()].rstrip(), mark[run.end() :].lstrip(), said)
        case [first, second]:
            return _why_two(mark[first.end() : second.start()])
        case _:
            return "several_numbers"


def _why_one(left: str, right: str, said: str) -> Reason:
    if left.endswith("-"):
        return "negative"
    if right.startswith("-"):
        return "range"
    point_first = left.endswith(_DECIMAL_POINTS) and not plain_of(left)
    return "decimal" if point_first or contains(said, phrases.HALVES) else "mixed"


def _why_two(between: str) -> Reason:
    if between in _DECIMAL_POINTS:
        return "decimal"
    return "range" if between.strip() == "-" else "several_numbers"
