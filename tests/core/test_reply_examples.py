"""Why a reply is no score: what is told apart so that the question can be put again in the right words."""

import pytest

from pro_service.core.replies import Reading, Score, Unreadable, read

SAFETY = ("intihar", "ölmek istiyorum", "göğüs ağrısı", "suicide", "kill myself")
OURS = (
    "Son 24 saatte kalça/bacak ağrınız ORTALAMA ne kadardı? 0 = hiç ağrı yok, 10 = en kötü. Bırakmak için DUR yazın.",
    "On average, how strong was your pain in the last 24 hours? Answer 0-10. Reply STOP to stop.",
)


def nrs(text: str, language: str = "tr", media: int = 0) -> Reading:
    """Read a reply to a question from 0 to 10."""
    return read(text, language, item_min=0, item_max=10, media=media, own_texts=OURS, safety_words=SAFETY)


def pgic(text: str, language: str = "tr") -> Reading:
    """Read a reply to a question from 1 to 7."""
    return read(text, language, item_min=1, item_max=7, own_texts=OURS, safety_words=SAFETY)


TURKISH: tuple[tuple[str, Reading], ...] = (
    ("7-8", Unreadable("range")),
    ("7 – 8", Unreadable("range")),
    ("7-", Unreadable("range")),
    ("7 ya da 8", Unreadable("several_numbers")),
    ("7 veya sekiz", Unreadable("mixed")),
    ("5 6", Unreadable("several_numbers")),
    ("7😀8", Unreadable("several_numbers")),
    ("6,5", Unreadable("decimal")),
    ("6.5", Unreadable("decimal")),
    ("7 buçuk", Unreadable("decimal")),
    (",5", Unreadable("decimal")),
    ("11", Unreadable("out_of_range")),
    ("100", Unreadable("out_of_range")),
    ("ağrım 11", Unreadable("out_of_range")),
    ("9" * 1600, Unreadable("out_of_range")),
    ("-3", Unreadable("negative")),
    ("−3", Unreadable("negative")),
    ("1O", Unreadable("mixed")),
    ("l0", Unreadable("mixed")),
    ("²", Unreadable("mixed")),
    ("½", Unreadable("mixed")),
    ("²yedi", Unreadable("words")),
    ("7²", Unreadable("mixed")),
    ("7?", Unreadable("mixed")),
    ("7+", Unreadable("mixed")),
    (">7", Unreadable("mixed")),
    ("%7", Unreadable("mixed")),
    ("7\u0336", Unreadable("mixed")),
    ("07", Unreadable("mixed")),
    ("7/8", Unreadable("several_numbers")),
    ("8 üzerinden 7", Unreadable("several_numbers")),
    ("18:30", Unreadable("several_numbers")),
    ("dün 7 idi", Unreadable("mixed")),
    ("bacağım 7", Unreadable("mixed")),
    ("yedi sekiz", Unreadable("words")),
    ("yedi?", Unreadable("words")),
    ("seven", Unreadable("words")),
    ("çok ağrıyor", Unreadable("words")),
    ("", Unreadable("empty")),
    ("  \n ", Unreadable("empty")),
    ("...", Unreadable("empty")),
)

ENGLISH: tuple[tuple[str, Reading], ...] = (
    ("yedi", Unreadable("words")),
    ("on", Unreadable("words")),
    ("7 to 8", Unreadable("several_numbers")),
    ("7 or 8", Unreadable("several_numbers")),
    ("7—8", Unreadable("range")),
    ("7 and a half", Unreadable("decimal")),
    ("seven point 5", Unreadable("decimal")),
    ("7.0", Unreadable("decimal")),
    (".7", Unreadable("decimal")),
    ("12", Unreadable("out_of_range")),
    ("11/10", Unreadable("out_of_range")),
    ("7/5", Unreadable("several_numbers")),
    ("about 7", Unreadable("mixed")),
    ("not 7", Unreadable("mixed")),
    ("7ish", Unreadable("mixed")),
    ("7 yesterday", Unreadable("mixed")),
    ("7\x00", Unreadable("mixed")),
    ("7 days", Unreadable("mixed")),
    ("$7", Unreadable("mixed")),
    ("010", Unreadable("mixed")),
    ("-7/10", Unreadable("several_numbers")),
    ("1 2 3 4", Unreadable("several_numbers")),
    ("bad", Unreadable("words")),
    ("👍", Unreadable("empty")),
    ("?", Unreadable("mixed")),
    ("don't call me", Unreadable("words")),
    ("suicidewatch", Unreadable("words")),
)


@pytest.mark.parametrize("text, meaning", TURKISH)
def test_a_turkish_reply_is_no_score_for_this_reason(text: str, meaning: Reading) -> None:
    assert nrs(text) == meaning


@pytest.mark.parametrize("text, meaning", ENGLISH)
def test_an_english_reply_is_no_score_for_this_reason(text: str, meaning: Reading) -> None:
    assert nrs(text, "en") == meaning


@pytest.mark.parametrize(
    "text, meaning",
    [
        ("7", Score(7)),
        ("1", Score(1)),
        ("0", Unreadable("out_of_range")),
        ("8", Unreadable("out_of_range")),
        ("sekiz", Unreadable("out_of_range")),
        ("2/7", Score(2)),
        ("7/10", Unreadable("several_numbers")),
        ("hiç", Unreadable("words")),
        ("yok", Unreadable("words")),
        ("7 puan", Score(7)),
        ("ağrım 7", Unreadable("mixed")),
    ],
)
def test_a_scale_from_one_knows_no_zero_and_no_pain(text: str, meaning: Reading) -> None:
    assert pgic(text) == meaning
