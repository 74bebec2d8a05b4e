"""Number words with one slip of the finger: `sekizz`, `eigth`, `doquz`.

Only slips that make no other word of it: a letter held too long, two letters swapped, `q` for `k`, and in a long word
one letter left out. Another letter in place of the right one is never mended: `sınır`, `fine`, `right` are words.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from types import MappingProxyType

from pro_service.core.replies.phrases import NOT_SLIPS, NUMBERS

_HELD = 3
_SWAPPED = 4
_LEFT_OUT = 5
"""Letters that a number word needs before such a slip is mended: `on` and `uc` are too short for any."""
_LONGEST_WORD = 24


def meant(word: str, language: str) -> int | None:
    """Return the number a misspelt word stands for; None if it is none, or if more than one is meant."""
    if not _HELD <= len(word) <= _LONGEST_WORD or word in NOT_SLIPS:
        return None
    spelt = word.replace("q", "k")
    return _slips(language).get(spelt, _held(language).get(_once(spelt)))


def _once(word: str) -> str:
    """Return a word with each letter once where it stands several times in a row."""
    return "".join(letter for letter, _ in groupby(word))


@lru_cache
def _held(language: str) -> Mapping[str, int]:
    return MappingProxyType({_once(word): number for word, number in NUMBERS[language].items() if len(word) >= _HELD})


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
