"""Reading replies: the open corpus, half of it Turkish. No score may be wrong, and what can be read must be understood.

The figures stand in pytest's summary (see conftest).
"""

import tomllib
from collections import Counter
from collections.abc import Callable

import pytest

from pro_service import paths
from tests.core.replies import corpus
from tests.core.replies.corpus import NAMES, UNDERSTOOD, Example


def shown(examples: list[Example]) -> str:
    return "\n".join(f"{e.language} {e.text!r}: {e.expect}, read as {e.got}" for e in examples)


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    """Return the corpus, read."""
    return list(corpus.examples())


def test_the_corpus_is_large_and_half_turkish(examples: list[Example]) -> None:
    languages = Counter(example.language for example in examples)
    assert languages.total() >= 500
    assert languages["tr"] * 2 >= languages.total()
    seen = {example.expect.partition(":")[0].partition(" =")[0] for example in examples}
    assert seen == {"score", "ask", "snooze", *(name for name in NAMES if ":" not in name)}


def test_no_reply_is_in_the_corpus_twice() -> None:
    for file in corpus.FOLDER.glob("replies.*.toml"):
        replies = Counter(
            (text, *pattern.get("range", ()), pattern.get("media", 0))
            for pattern in tomllib.loads(file.read_text(encoding="utf-8"))["pattern"]
            for text in pattern["texts"]
        )
        assert [reply for reply, times in replies.items() if times > 1] == []


@pytest.mark.shows("never guess")
def test_no_score_is_ever_wrong(examples: list[Example]) -> None:
    wrong = [example for example in examples if example.wrong_score]
    assert not wrong, shown(wrong)


@pytest.mark.shows(
    "reading: score", "reading: zero", "reading: confirm zero", "reading: tapback", "reading: somebody else"
)
def test_what_can_be_read_is_understood(
    examples: list[Example], record_property: Callable[[str, object], None]
) -> None:
    record_property("replies", corpus.accuracy(examples))
    readable = [example for example in examples if example.readable]
    missed = [example for example in readable if not example.right]
    assert len(readable) - len(missed) >= UNDERSTOOD * len(readable), shown(missed)


@pytest.mark.shows("reading: not a score")
def test_what_cannot_be_read_is_asked_about(examples: list[Example]) -> None:
    other = [example for example in examples if not example.readable and not example.right]
    assert not other, shown(other)


def test_the_corpus_is_read_with_the_shipped_safety_words() -> None:
    for name in ("demo.toml", "nct07326982.toml"):
        shipped = tomllib.loads((paths.protocols() / name).read_text(encoding="utf-8"))["safety_words"]
        words = {word for language in shipped.values() for word in language}
        for file in corpus.FOLDER.glob("replies.*.toml"):
            assert set(tomllib.loads(file.read_text(encoding="utf-8"))["safety_words"]) == words
