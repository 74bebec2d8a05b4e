"""Words with one slip of the finger: `sekizz`, `eigth`, `doquz`, `my pian`.

Only slips that make no other word of it: a letter held too long, two letters swapped, `q` for `k`, and in a long word
one letter left out. Another letter in place of the right one is never mended: `sınır`, `fine`, `right` are words.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from operator import ge
from types import MappingProxyType

from pro_service.core.replies.frames import FRAMES, words
from pro_service.core.replies.number_words import NUMBERS, SMALL_NUMBERS
from pro_service.core.replies.phrases import NOT_SLIPS

_HELD = 3
_SWAPPED = 4
_LEFT_OUT = 5
"""Letters that a number word needs before such a slip is mended: `on` and `uc` are too short for any."""
_LONGEST_WORD = 24
_WRITTEN: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {"tr": MappingProxyType({"drt": 4}), "en": MappingProxyType({"fiv": 5, "fve": 5, "zro": 0, "eigh": 8})}
)
"""Slips in words too short for the rules below, or at their end, that are no word in either language."""


def meant(word: str, language: str) -> int | None:
    """Return the number a misspelt word stands for; None if it is none, or if more than one is meant."""
    if not _HELD <= len(word) <= _LONGEST_WORD or word in NOT_SLIPS:
        return None
    spelt = word.replace("q", "k")
    return _WRITTEN[language].get(spelt, _slips(language).get(spelt, _held(spelt, language)))


def _held(word: str, language: str) -> int | None:
    """Return the number whose word this is with letters held too long; `thrre` is `three` with another letter."""
    letters, times = _runs(word)
    for number_word, number in NUMBERS[language].items():
        right, least = _runs(number_word)
        if letters == right and len(number_word) >= _HELD and all(map(ge, times, least)):
            return number
    return None


def _runs(word: str) -> tuple[str, list[int]]:
    """Return the letters of a word, each once where it stands several times in a row, and how often it stands there."""
    runs = [(letter, len(list(same))) for letter, same in groupby(word)]
    return "".join(letter for letter, _ in runs), [times for _, times in runs]


@lru_cache
def _slips(language: str) -> Mapping[str, int]:
    """Return every spelling with one slip, the first letter always right."""
    numbers = NUMBERS[language]
    made = [(slip, number) for word, number in numbers.items() for slip in {*_of(word)} - {*numbers}]
    times = Counter(slip for slip, _ in made)
    return MappingProxyType({slip: number for slip, number in made if times[slip] == 1})


def _of(word: str) -> Iterator[str]:
    if len(word) >= _SWAPPED:
        yield from (word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(1, len(word) - 1))
    if len(word) >= _LEFT_OUT:
        yield from (word[:at] + word[at + 1 :] for at in range(1, len(word) - 1))


@lru_cache
def _harmless() -> Mapping[str, str]:
    """Return every spelling with one slip of the longer words around a number that is no other word of the frames."""
    known = words("\n".join(part for said in FRAMES.values() for part in said))
    around = words("\n".join(part for said in FRAMES.values() for part in (said.courtesy, *said[1:5])))
    made = {slip: word for word in around if len(word) >= _SWAPPED for slip in _with_both_ends(word)}
    return MappingProxyType({slip: word for slip, word in made.items() if slip not in known | SMALL_NUMBERS.keys()})


def _with_both_ends(word: str) -> Iterator[str]:
    """Yield spellings with one slip between the first and the last letter, of five letters where one is left out."""
    slips = {*_of(word), *(word[: at + 1] + word[at:] for at in range(len(word)))}
    yield from (slip for slip in slips if slip[-1] == word[-1] and len(slip) >= min(_LEFT_OUT, len(word)))


def harmless(word: str) -> str | None:
    """Return the word of the frames that this is with one slip; None if it is none or may be another word."""
    return None if word in NOT_SLIPS else _harmless().get(word)
