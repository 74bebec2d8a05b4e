"""The one number that a text gives as its answer, or why there is none.

Works on the two folded forms of a text (see `folding`): what stands around the number must be
known and harmless, or the number is not read.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, TypeAlias

from pro_service.core.replies import frames, phrases
from pro_service.core.replies.asides import without_asides, without_sign
from pro_service.core.replies.folding import DOUBT, contains, marked, plain_of
from pro_service.core.replies.names import named, without_names
from pro_service.core.replies.number_words import NUMBERS
from pro_service.core.replies.remarks import fit, parted, without_remarks
from pro_service.core.replies.slips import harmless, meant

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

_Parts: TypeAlias = tuple[re.Pattern[str], ...]

_DIGITS = re.compile("[0-9]+")
_POINT_FIRST = re.compile(r"(?<![^\W_])[.,٫][0-9]")
"""`.7`, `ağrım ,5`: a part of a number. `puan.7` is a sentence without its space."""
_GLUED = re.compile(r"([^\W\d_]{3,})?(0|[1-9][0-9]*)([^\W\d_]{3,})?")
"""`7puan`, `ağrım7`. One or two letters are a slip or a unit: `7a`, `5mg`."""
_NO_WORD = 11
"""From here on a value has no word of its own; all of them share their frames."""
_EMOTICON = re.compile(r"(?<!\S)[:;=][-']*[()\[\]dpo/|*]+(?!\S)")
_DASH = re.compile(
    r"(?<=[^\W\d_]) ?- +(?=\d)|(?<=\d) +- ?(?=[^\W\d_])|(?<=[^\W\d_]) +- +(?=[^\W\d_])|(?<=[^\W\d_])-(?=[^\W\d_])"
)
"""A dash that only separates: `ağrı - 7`, `7 - thanks`, `out-of-ten`. `-7` and `7-8` are something else."""
_PLACED = re.compile(rf"\b({'|'.join(frames.ORDINALS)}) +(?:secenek|sik)\b")
_CHOSEN = re.compile(r"\b([0-9]+) ?'?y?[iu] (?=(?:isaretl|sec|puanl|tercih)\w*[mz]\b)")
"""`6'yı seçiyorum`."""
_LOWERED = {
    "sifira": 0,
    "bire": 1,
    "ikiye": 2,
    "uce": 3,
    "dorde": 4,
    "bese": 5,
    "altiya": 6,
    "yediye": 7,
    "sekize": 8,
    "dokuza": 9,
}
_CAME_DOWN = re.compile(rf"\b(?:([0-9]+) ?'?y?[ae]|({'|'.join(_LOWERED)})) (?:indi|dustu|geriledi)\b")
"""`3'e indi`: it came down to 3. `3 indi` is how far."""
_SLASHED = re.compile(r"\b(kalca|kalcam|hip|buttock|buttocks)/(?=(?:bacak|bacagim|leg|legs)\b)")
_MODERATE = 4
_SEVERE = 7
_CHANGE = (1, 7)
"""From very much improved to very much worse."""
_UNCHANGED = 4
_LONGEST_TEXT = 24  # words
_LONGEST_TOLD = 48  # words, those of remarks among them
_WARMTH = "derece"
"""Beside a remark about the weather a number of degrees is none of pain."""
_LONGEST_FRAME = 16  # words
_LONGEST_PHRASE = 12  # words


def find(text: str, language: str, low: int, high: int) -> int | Reason:
    """Give the one number of a text, `low` to `high` both included, or say why there is none.

    `language` is a tag, unknown reads as English.
    """
    primary = language.replace("_", "-").partition("-")[0].strip().lower()
    primary = primary if primary in NUMBERS else "en"
    text = without_names(without_sign(text) if primary == "en" else text)
    mark = _spoken(primary).sub(r"\1, ", marked(text))
    value = _value(mark, primary, low, high)
    if value is None and high < _NO_WORD and (left := without_asides(mark, primary)) != mark:
        value = _value(left, primary, low, high)
    if value is None:
        value = _beside_remarks(text, primary, low, high)
    if value is None:
        return _why(mark, plain_of(mark))
    return value if low <= value <= high else "out_of_range"


@lru_cache
def _spoken(language: str) -> re.Pattern[str]:
    """Match a sign that was dictated after a number: `five period`, `yedi nokta`; no number follows it."""
    number = "|".join(("[0-9]+", *NUMBERS[language]))
    return re.compile(
        rf"\b({number}) (?:full stop|period|comma|exclamation (?:mark|point)|nokta|virgul|unlem)\b(?! ?(?:{number})\b)"
    )


def _come_down(text: str, language: str) -> str:
    """Leave only the number of `3'e indi`; written as a word, it is read in Turkish alone."""

    def number(found: re.Match[str]) -> str:
        digits, word = found.groups()
        return digits or (str(_LOWERED[word]) if language == "tr" else found[0])

    return _CAME_DOWN.sub(number, text)


def _value(mark: str, language: str, low: int, high: int) -> int | None:
    """Give the number whose frame is the whole text: everything before it and after it is known and harmless."""
    text = _CHOSEN.sub(r"\1 ", _DASH.sub(" , ", _EMOTICON.sub(" ", mark)))
    if low == 0:
        text = _SLASHED.sub(r"\1 ", _come_down(text, language))
        text = re.sub(rf"\b(?:{high} ?'?|on)da (?=\w)", f"{high} uzerinden ", text)
    else:
        text = _PLACED.sub(lambda place: f"{frames.ORDINALS.index(place[1]) + 1} secenek", text)
    text = re.sub(rf"\b([01])(?: ?- ?| ?'?dan ){high}(?: ?'?[ae](?: kadar)?)?\b", rf"\1 to {high}", text)
    text = _sized(language).sub(r"\1 puanlik ", text.replace("/", " over ", 1))
    if any(sign in text for sign in (DOUBT, "/", "-")) or _POINT_FIRST.search(text):
        return None
    tokens = [_mended(token, language) for token in _tokens(text, language)]
    if len(tokens) > _LONGEST_TEXT or frames.ORDINARY.search(_spaced(text)):
        return None
    framed = set()
    for said in (tokens, _once(tokens, language)):
        for place, token in enumerate(said):
            value = _number(token, language)
            if value is None:
                continue
            before, after = said[:place], said[place + 1 :]
            # Most replies are a number alone, and need no frames.
            if not before and not after:
                framed.add(value)
                continue
            around = _around(min(value, _NO_WORD), low, high, language, in_digits=token.isdecimal())
            if all(map(_made_of, (before, after), around)):
                framed.add(value)
    return framed.pop() if len(framed) == 1 else None


def _beside_remarks(text: str, language: str, low: int, high: int) -> int | None:
    """Give the number of a text that is read as a whole once the remarks are left out, if they fit that number."""
    mark = _spoken(language).sub(r"\1, ", _EMOTICON.sub(" ; ", marked(parted(text, language))))
    if high < _NO_WORD:
        mark = without_asides(mark, language)
    said = plain_of(mark).split()
    numbered = _WARMTH not in said and any(token.isdecimal() or token in NUMBERS[language] for token in said)
    if not numbered or not 1 < len(said) <= _LONGEST_TOLD or _POINT_FIRST.search(mark) or named(text):
        return None
    left, moods = without_remarks(mark, language)
    value = _value(left, language, low, high) if moods else None
    return value if value is not None and fit(moods, value, low, high) else None


def _spaced(text: str) -> str:
    """Return a marked text with one space between its words and ` , ` for its punctuation."""
    return " ".join(re.sub(r"[^\w ]+", " , ", text.replace("'", "")).split()) + " "


def _tokens(text: str, language: str) -> list[str]:
    """Split a text into words and numbers: `7'ydi` is `7`, `7puan` is `7 puan`."""
    numbers = NUMBERS[language]
    tokens: list[str] = []
    for token in plain_of(_ended(language).sub(r"\1\2", text)).split():
        glued = _GLUED.fullmatch(token)
        parts = [part for part in glued.groups() if part] if glued else [token]
        tokens += [token] if numbers.keys() & set(parts) else parts
    return tokens


def _mended(token: str, language: str) -> str:
    """Return a word around a number with one slip of the finger mended; never one that may be a number itself."""
    return token if _number(token, language) is not None else harmless(token) or token


def _once(tokens: list[str], language: str) -> list[str]:
    """Leave out a number word that only says the digits beside it once more: `7 (yedi)`."""
    numbers = NUMBERS[language]
    beside = ({*tokens[max(0, place - 1) : place], *tokens[place + 1 : place + 2]} for place in range(len(tokens)))
    return [token for token, near in zip(tokens, beside, strict=True) if str(numbers.get(token)) not in near]


@lru_cache
def _sized(language: str) -> re.Pattern[str]:
    """Match a number that Turkish makes a size of: `6lık`, `beşlik bir`."""
    words = (word for word, number in NUMBERS["tr"].items() if number != 1)
    number = "|".join(("[0-9]+", *(words if language == "tr" else ())))
    return re.compile(rf"\b({number}) ?'?(?:puan ?)?{frames.AS_SIZE}\b(?: +bir\b)?")


@lru_cache
def _ended(language: str) -> re.Pattern[str]:
    """Match a number with a Turkish ending; in an English study it can only be in digits."""
    number = "|".join(("[0-9]+", *(NUMBERS["tr"] if language == "tr" else ())))
    return re.compile(rf"\b(?:({number})'?(?:{'|'.join(frames.ENDINGS)})|{frames.WITH_ENDING_LIKE_STOP})\b")


def _number(word: str, language: str) -> int | None:
    """Give the value of a word of a text, in digits or as a number word; `07` has none."""
    if word.isdecimal():
        return int(word) if word == "0" or not word.startswith("0") else None
    return NUMBERS[language].get(word, meant(word, language))


@lru_cache(maxsize=512)
def _around(value: int, low: int, high: int, language: str, *, in_digits: bool) -> tuple[_Parts, ...]:
    """Give what may stand before and after this value, the highest value among it; no pain is said with 0."""
    own = [_described(said, value, low, high) for said in _frames(language, in_digits=in_digits)]
    own += phrases.ZERO if value == low == 0 else ()
    of_value = _parts("\n".join(own), high, language)
    return tuple((*side, *of_value) for side in _around_any(low, high, language, in_digits=in_digits))


@lru_cache
def _around_any(low: int, high: int, language: str, *, in_digits: bool) -> tuple[_Parts, ...]:
    """Give what may stand before and after every value of a scale.

    It is the larger part by far. Compiled for each value anew, the first text with a value took a tenth of a second.
    """
    before: list[str] = [frames.OF_HIGHEST_BEFORE, frames.OF_SCALE]
    after: list[str] = [frames.OF_HIGHEST_AFTER, frames.OF_SCALE]
    for said in _frames(language, in_digits=in_digits):
        before += (said.courtesy, said.before, said.before_choice if low else said.before_pain)
        after += (said.courtesy, said.after, said.after_choice if low else said.after_pain)
    return tuple(_parts("\n".join(side), high, language) for side in (before, after))


@lru_cache
def _parts(lines: str, high: int, language: str) -> _Parts:
    """Compile parts of frames, in which HIGHEST is the highest value in digits and in words."""
    if not lines.strip():
        return ()
    highest = "|".join((str(high), *(word for word, number in NUMBERS[language].items() if number == high)))
    return (re.compile(frames.pattern(lines.replace("HIGHEST", f"({highest})"))),)


def _frames(language: str, *, in_digits: bool) -> Iterable[frames.Frames]:
    return frames.FRAMES.values() if in_digits else (frames.FRAMES[language],)


def _described(said: frames.Frames, value: int, low: int, high: int) -> str:
    """Give the descriptions that fit a pain score (mild to 3, moderate to 6) or an answer about a change."""
    if (low, high) == _CHANGE:
        return (said.improved, said.unchanged, said.worse)[(value >= _UNCHANGED) + (value > _UNCHANGED)]
    if (low, high) != (0, _NO_WORD - 1):
        return ""
    if value < _MODERATE:
        return said.mild
    return said.moderate if value < _SEVERE else said.severe


def _made_of(tokens: list[str], parts: _Parts) -> bool:
    """Whether a text is nothing but parts of the grammar, one after the other."""
    if len(tokens) > _LONGEST_FRAME:
        return False
    reached = {0}
    for end in range(1, len(tokens) + 1):
        starts = reached & set(range(max(0, end - _LONGEST_PHRASE), end))
        if any(part.fullmatch(" ".join(tokens[start:end]) + " ") for start in starts for part in parts):
            reached.add(end)
    return len(tokens) in reached


_COURTESY = "\n".join(said.courtesy for said in frames.FRAMES.values())
_AT_THE_BEGINNING = re.compile(frames.pattern(_COURTESY))
_AT_THE_END = re.compile(frames.pattern(f"{_COURTESY}\n{frames.ADDRESSED}"))
_COURTEOUS = frames.words(f"{_COURTESY}\n{frames.ADDRESSED}")


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
    courtesy = _AT_THE_END if from_end else _AT_THE_BEGINNING
    parts = ((n, tokens[-n:] if from_end else tokens[:n]) for n in range(len(tokens), 0, -1))
    return next((n for n, part in parts if courtesy.fullmatch(" ".join(part) + " ")), 0)


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
