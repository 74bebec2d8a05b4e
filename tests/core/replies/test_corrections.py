"""Words that say that a number corrects an earlier one."""

import pytest

from pro_service.core.replies.corrections import CORRECTING, corrects
from pro_service.core.replies.folding import plain
from pro_service.core.replies.reading import Score, read

WORDS = [(language, word) for language, words in CORRECTING.items() for word in sorted(words)]


@pytest.mark.parametrize("language, word", WORDS)
def test_each_word_is_read_beside_a_number_and_written_folded(language: str, word: str) -> None:
    assert plain(word) == word
    beside = (f"{word} 6", f"6 {word}")
    assert Score(6) in [read(text, language, item_min=0, item_max=10) for text in beside]
    assert all(map(corrects, beside))


@pytest.mark.parametrize("text", ["6 OLACAKTI", "Pardon, 6", "Düzeltme: 6", "I MEANT 6", "6, sorry!"])
def test_a_correction_is_known_however_it_is_written(text: str) -> None:
    assert corrects(text)


@pytest.mark.parametrize(
    "text", ["6", "altı", "6 lütfen", "kusura bakmayın 6", "özür dilerim 6", "meant", "", "make 6"]
)
def test_a_bare_number_or_an_apology_corrects_nothing(text: str) -> None:
    assert not corrects(text)
