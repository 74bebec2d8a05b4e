"""Whether a password is easy to guess: whether it consists of too few parts.

A part is a common word, a run of keys or numbers, a year, a repeat of what stood before it, or a single sign. So
`password1234` takes two, and `Galatasaray1905!` three. Words are compared without case, accents and blanks, read
backwards too, and with signs that stand for letters (`p@ssw0rd`). The words stand beside this module; they were chosen
for it: what people at a Turkish or English clinic would choose. Runs, repeats and years need no list.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

FEWEST = 5
"""The fewest parts that a password may have."""
SHORTEST_RUN = 3
SHORTEST_WORD = 3
PRODUCT = ("pro", "service", "proservice")

_BLANK = frozenset(" -_.,/\\\"'\u2019")
_MEANT = str.maketrans("@4310$57!8€|", "aaelossltbel")
_ALSO_I = str.maketrans("@4310$57!8€|", "aaeiosstibei")
"""Signs that stand for letters; 1, ! and | for either of two."""
_YEAR = re.compile(r"(?:19|20)\d\d")
_RUNS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "abccdefgghiijklmnooprsstuuvyz",  # Turkish, without its accents
    "13579",
    "24680",
    "112233445566778899001122334455",
    "102030405060708090",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertyuiopguasdfghjklsizxcvbnmoc",  # Turkish Q
    "fggiodrnhpqwuieautkmlysxjovcczsb",  # Turkish F
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "147258369",  # a number pad, column by column
    "!@#$%^&*()",
    "!^+%&/()=?*",
)
_STEPS = frozenset(
    run[at : at + SHORTEST_RUN]
    for line in _RUNS
    for run in (line, line[::-1])
    for at in range(len(run) - SHORTEST_RUN + 1)
)
"""Each three keys of a run: a longer run is made of those that overlap."""


def is_guessed(password: str, own: Iterable[str]) -> bool:
    """Return whether a password is easy to guess for somebody who knows the account's `own` words (its address)."""
    folded = "".join(c for c in _folded(password) if c not in _BLANK)
    words = _common() | _variants(part for text in (*own, *PRODUCT) for part in _parts(text))
    return _fewest_parts(folded, words) < FEWEST


def _fewest_parts(text: str, words: frozenset[str]) -> int:
    """Return the smallest number of parts that make up a text."""
    read = {text, text.translate(_MEANT), text.translate(_ALSO_I)}
    longest = max(map(len, words))
    fewest = [0]
    for end in range(1, len(text) + 1):
        found = fewest[-1] + 1
        for begin in range(max(0, end - longest), end - SHORTEST_WORD + 1):
            if fewest[begin] + 1 < found and any(one[begin:end] in words for one in read):
                found = fewest[begin] + 1
        if _YEAR.fullmatch(text, max(0, end - 4), end):
            found = min(found, fewest[end - 4] + 1)
        begin = end
        while begin >= SHORTEST_RUN and text[begin - SHORTEST_RUN : begin] in _STEPS:
            begin -= 1
            found = min(found, fewest[begin - SHORTEST_RUN + 1] + 1)
        for size in range(1, end // 2 + 1):
            if text[end - size : end] == text[end - 2 * size : end - size]:
                found = min(found, fewest[end - size])
        fewest.append(found)
    return fewest[-1]


def _folded(text: str) -> str:
    """Return a text without case, accents and invisible characters."""
    bare = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold()).replace("ı", "i")
    return "".join(c for c in bare if unicodedata.category(c) not in ("Mn", "Cf", "Cc"))


def _parts(text: str) -> Iterable[str]:
    """Yield the words of an address, and the whole of it."""
    folded = _folded(text)
    return ("".join(c for c in folded if c not in _BLANK), *re.split(r"[^a-z0-9]+", folded))


def _variants(words: Iterable[str]) -> frozenset[str]:
    return frozenset(way for word in words if len(word) >= SHORTEST_WORD for way in (word, word[::-1]))


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    lines = Path(__file__).with_name("common-words.txt").read_text(encoding="utf-8").splitlines()
    return _variants(word for line in lines if not line.startswith("#") for word in _folded(line).split())
