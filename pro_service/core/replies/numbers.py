"""The one number that a text gives as its answer, or why there is none.

Works on the two folded forms of a text (see `folding`): what stands around the number must be
known and harmless, or the number is not read.
"""

import re
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Literal, TypeAlias

from pro_service.core.replies import phrases
from pro_service.core.replies.folding import DOUBT, contains, plain_of
from pro_service.core.replies.slips import meant

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
_POINT_FIRST = re.compile(r"(?<![^\W_])[.,٫][0-9]")
"""`.7`, `ağrım ,5`: a part of a number. `puan.7` is a sentence without its space."""
_GLUED = re.compile(r"([^\W\d_]{3,})?(0|[1-9][0-9]*)([^\W\d_]{3,})?")
"""`7puan`, `ağrım7`. One or two letters are a slip or a unit: `7a`, `5mg`."""
_NO_WORD = 11
"""From here on a value has no word of its own; all of them share their frames."""
_MODERATE = 4
_SEVERE = 7
_LONGEST_TEXT = 24  # words
_LONGEST_FRAME = 12  # words
_LONGEST_PHRASE = 7  # words


def find(mark: str, said: str, language: str, low: int, high: int) -> int | Reason:
    """Give the one number of a text, `low` to `high` both included, or say why there is none.

    `mark` and `said` are the marked and the plain form; `language` is a tag, unknown reads as English.
    """
    primary = language.replace("_", "-").partition("-")[0].strip().lower()
    value = _value(mark, primary if primary in phrases.NUMBERS else "en", low, high)
    if value is None:
        return _why(mark, said)
    return value if low <= value <= high else "out_of_range"


def _value(mark: str, language: str, low: int, high: int) -> int | None:
    """Give the number whose frame is the whole text: everything before it and after it is known and harmless."""
    text = _sized(language).sub(r"\1 puanlik ", mark.replace("/", " over ", 1))
    if any(sign in text for sign in (DOUBT, "/", "-")) or _POINT_FIRST.search(text) or phrases.ORDINARY.search(text):
        return None
    tokens = _tokens(text, language)
    if len(tokens) > _LONGEST_TEXT:
        return None
    framed = set()
    for said in (tokens, _once(tokens, language)):
        for place, token in enumerate(said):
            value = _number(token, language)
            if value is not None:
                frames = _frames(min(value, _NO_WORD), high, language, from_zero=low == 0, in_digits=token.isdecimal())
                if all(map(_made_of, (said[:place], said[place + 1 :]), frames)):
                    framed.add(value)
    return framed.pop() if len(framed) == 1 else None


def _tokens(text: str, language: str) -> list[str]:
    """Split a text into words and numbers: `7'ydi` is `7`, `7puan` is `7 puan`."""
    numbers = phrases.NUMBERS[language]
    tokens: list[str] = []
    for token in plain_of(_ended(language).sub(r"\1\2", text)).split():
        glued = _GLUED.fullmatch(token)
        parts = [part for part in glued.groups() if part] if glued else [token]
        tokens += [token] if numbers.keys() & set(parts) else parts
    return tokens


def _once(tokens: list[str], language: str) -> list[str]:
    """Leave out a number word that only says the digits beside it once more: `7 (yedi)`."""
    numbers = phrases.NUMBERS[language]
    beside = ({*tokens[max(0, place - 1) : place], *tokens[place + 1 : place + 2]} for place in range(len(tokens)))
    return [token for token, near in zip(tokens, beside, strict=True) if str(numbers.get(token)) not in near]


@lru_cache
def _sized(language: str) -> re.Pattern[str]:
    """Match a number that Turkish makes a size of: `6lık`, `beşlik bir`."""
    words = (word for word, number in phrases.NUMBERS["tr"].items() if number != 1)
    number = "|".join(("[0-9]+", *(words if language == "tr" else ())))
    return re.compile(rf"\b({number}) ?'?(?:puan ?)?{phrases.AS_SIZE}\b(?: +bir\b)?")


@lru_cache
def _ended(language: str) -> re.Pattern[str]:
    """Match a number with a Turkish ending; in an English study it can only be in digits."""
    number = "|".join(("[0-9]+", *(phrases.NUMBERS["tr"] if language == "tr" else ())))
    return re.compile(rf"\b(?:({number})'?(?:{'|'.join(phrases.ENDINGS)})|{phrases.WITH_ENDING_LIKE_STOP})\b")


def _number(word: str, language: str) -> int | None:
    """Give the value of a word of a text, in digits or as a number word; `07` has none."""
    if word.isdecimal():
        return int(word) if word == "0" or not word.startswith("0") else None
    return phrases.NUMBERS[language].get(word, meant(word, language))


@lru_cache(maxsize=256)
def _frames(value: int, high: int, language: str, *, from_zero: bool, in_digits: bool) -> tuple[_Phrases, _Phrases]:
    """Give what may stand before and after this value, the highest value among it; no pain is said with 0."""
    before, after = set[str](), set[str]()
    for frames in phrases.FRAMES.values() if in_digits else [phrases.FRAMES[language]]:
        before |= frames.courtesy | frames.before | (frames.before_from_zero if from_zero else frozenset())
        after |= frames.courtesy | frames.after | (frames.after_from_zero if from_zero else frozenset())
        described = _described(frames, value) if from_zero and high == _NO_WORD - 1 else frozenset()
        before |= described
        after |= described
    numbers = phrases.NUMBERS[language]
    none = phrases.ZERO if value == 0 and from_zero else frozenset[str]()
    highest = (str(high), *(word for word, number in numbers.items() if number == high))
    scale = phrases.OF_SCALE_FROM_ZERO if from_zero else ()
    before |= none | {phrase.format(number) for phrase in (*phrases.OF_HIGHEST_BEFORE, *scale) for number in highest}
    after |= none | {phrase.format(number) for phrase in phrases.OF_HIGHEST_AFTER for number in highest}
    return before, after


def _described(frames: phrases.Frames, value: int) -> _Phrases:
    """Give the descriptions that fit a pain score from 0 to 10; mild to 3, moderate to 6."""
    if value < _MODERATE:
        return frames.mild
    return frames.moderate if value < _SEVERE else frames.severe


def _made_of(tokens: list[str], phrases: _Phrases) -> bool:
    """Whether a text is nothing but phrases of the list, one after the other."""
    if len(tokens) > _LONGEST_FRAME:
        return False
    reached = {0}
    for end in range(1, len(tokens) + 1):
        starts = reached & set(range(max(0, end - _LONGEST_PHRASE), end))
        if any(" ".join(tokens[start:end]) in phrases for start in starts):
            reached.add(end)
    return len(tokens) in reached


_AT_THE_END = phrases.COURTESY | phrases.ADDRESSED
_COURTEOUS = frozenset(word for phrase in _AT_THE_END for word in phrase.split())


def courteous(said: str) -> str:
    """A plain text without the courtesies it begins and ends with: `hi`, `lütfen`, `thank you`."""
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
    """How many words of these are a courtesy, at the end or at the beginning; the longest counts."""
    sizes = range(len(tokens), 0, -1)
    courtesies = _AT_THE_END if from_end else phrases.COURTESY
    return next((n for n in sizes if " ".join(tokens[-n:] if from_end else tokens[:n]) in courtesies), 0)


def _why(mark: str, said: str) -> Reason:
    """Name what kept a text from being a number."""
    match list(_DIGITS.finditer(mark)):
        case []:
            if said:
                return "words"
            return "mixed" if DOUBT in mark else "empty"
        case [run]:
            if _POINT_FIRST.search(mark) or contains(said, phrases.HALVES):
                return "decimal"
            return _why_one(mark[: run.start()].rstrip(), mark[run.end() :].lstrip())
        case [first, second]:
            return _why_two(mark[first.end() : second.start()])
        case _:
            return "several_numbers"


def _why_one(left: str, right: str) -> Reason:
    if left.endswith("-"):
        return "negative"
    return "range" if right.startswith("-") else "mixed"


def _why_two(between: str) -> Reason:
    if between in {".", ",", "٫"}:
        return "decimal"
    return "range" if between.strip() == "-" else "several_numbers"
