"""Reading replies: languages, attachments, and properties that no text may break."""

import re
import subprocess
import sys
import unicodedata
from itertools import product
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pro_service.core.replies import frames, remark_words, slips
from pro_service.core.replies import phrases as words
from pro_service.core.replies.folding import plain
from pro_service.core.replies.number_words import NUMBERS
from pro_service.core.replies.reading import (
    Media,
    OptOut,
    OptOutMentioned,
    Proxy,
    Reading,
    Safety,
    Score,
    Tapback,
    Unreadable,
    read,
)

SAFETY = ("intihar", "ölmek istiyorum", "göğüs ağrısı", "suicide", "kill myself")
OURS = (
    "Son 24 saatte kalça/bacak ağrınız ORTALAMA ne kadardı? 0 = hiç ağrı yok, 10 = en kötü. Bırakmak için DUR yazın.",
    "On average, how strong was your pain in the last 24 hours? Answer 0-10. Reply STOP to stop.",
)


def nrs(text: str, language: str = "tr", media: int = 0) -> Reading:
    """Read a reply to a question from 0 to 10."""
    return read(text, language, item_min=0, item_max=10, media=media, own_texts=OURS, safety_words=SAFETY)


@pytest.mark.parametrize("language", ["tr", "TR", "tr-TR", "tr_TR"])
def test_a_language_tag_may_carry_a_country(language: str) -> None:
    assert nrs("yedi", language) == Score(7)


@pytest.mark.parametrize("language", ["", "xx", "de-DE", "trk", "\ud800"])
def test_an_unknown_language_reads_as_english(language: str) -> None:
    assert nrs("seven", language) == Score(7)
    assert nrs("yedi", language) == Unreadable("words")
    assert nrs("DUR", language) == OptOut()


@pytest.mark.shows("reading: media")
def test_a_picture_without_a_readable_text_is_media() -> None:
    assert nrs("", media=1) == Media()
    assert nrs("bakın", media=2) == Media()


def test_a_picture_with_a_clear_text_is_read() -> None:
    assert nrs("7", media=1) == Score(7)
    assert nrs("DUR", media=1) == OptOut()
    assert nrs("annem çekti", media=1) == Proxy()


@pytest.mark.shows("reading: tapback")
def test_a_reaction_without_known_texts_is_still_a_reaction() -> None:
    text = "Liked “How strong was your pain, 0-10?”"
    assert read(text, "en", item_min=0, item_max=10) == Tapback()


def test_a_short_answer_is_not_taken_for_a_quote() -> None:
    assert nrs("10") == Score(10)
    assert nrs("0-10") == Unreadable("range")


def test_a_text_longer_than_we_consider_is_never_a_score() -> None:
    assert nrs("7" + " " * 5000) == Score(7)
    assert nrs("7" + " " * 5000 + "8") == Unreadable("words")


def test_empty_safety_words_match_nothing() -> None:
    assert read("7", "tr", item_min=0, item_max=10, safety_words=("", " ", "!")) == Score(7)


@pytest.mark.shows("reading: folding")
def test_every_listed_phrase_is_written_folded() -> None:
    lists = [value for name, value in vars(words).items() if name.isupper() and isinstance(value, frozenset)]
    phrases = [phrase for phrases in lists for phrase in phrases]
    phrases += [word for numbers in NUMBERS.values() for word in numbers]
    phrases += [word for said in frames.FRAMES.values() for parts in said for word in frames.words(parts)]
    assert len(phrases) > 200
    assert [phrase for phrase in phrases if plain(phrase) != phrase] == []


@pytest.mark.shows("stopping: words")
def test_no_and_hayir_never_stop_anything() -> None:
    for word in ("HAYIR", "NO", "YOK", "hayır"):
        assert nrs(word) not in {OptOut(), OptOutMentioned()}


@pytest.mark.shows("reading: not a score")
def test_no_single_character_but_a_decimal_digit_is_a_score() -> None:
    numeric = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if any(c.isdecimal() for c in unicodedata.normalize("NFKC", chr(code)))
        or unicodedata.numeric(chr(code), None) is not None
    ]
    assert len(numeric) > 1000
    for c in numeric:
        decimal = unicodedata.decimal(c, None)
        meaning = nrs(c)
        assert meaning == Score(decimal) if decimal is not None else not isinstance(meaning, Score)


def _numbers(text: str) -> list[int]:
    """Every number of a text by a rule of its own: what shows as a digit, joined where nothing visible separates."""
    runs, inside = [], False
    for c in unicodedata.normalize("NFKC", text.replace("🔟", " 10 ")):
        decimal = unicodedata.decimal(c, None)
        if decimal is not None:
            if not inside:
                runs.append("")
            runs[-1] += str(decimal)
            inside = True
        elif unicodedata.category(c) not in {"Cf", "Mn", "Me"}:
            inside = False
    return [int(run) for run in runs]


def _spoken(text: str, language: str) -> list[int]:
    """Every number word of a text, with its ending or without; `on average` holds none."""
    numbers = NUMBERS.get(language, NUMBERS["en"])
    said = plain(text).replace("on average", "")
    ended = "(ydi|di|du|ti|tu|dir|dur|tir|tur)?"
    held = "|".join("+".join(word) + ("+" if len(word) >= 3 else "") for word in numbers)  # a letter held too long
    found = (re.fullmatch(f"({held}){ended}", token) for token in said.split())
    once = {_once(word): number for word, number in numbers.items()}
    return [once[_once(match[1])] for match in found if match]


def _once(word: str) -> str:
    return re.sub(r"(.)\1+", r"\1", word)


PIECES = st.sampled_from(
    [
        *(
            "7",
            "8",
            "10",
            "0",
            "-",
            "/",
            ",",
            ".",
            " ",
            "²",
            "½",
            "O",
            "\ufe0f\u20e3",
            "٧",
            "\u200d",
            "7️⃣",
            "𝟕",
            "🙏",
            "?",
            "\n",
        ),
        *("ağrım", "puan", "ya da", "yedi", "is", "it is", "out of", "üzerinden", "“", "”", "Liked", "DUR", "stop"),
        *("annem", "diyor", "beni arayın", "but please call me", "akşam", "ağrım"),
        *(
            "on",
            "bir",
            "altı",
            "ten",
            "on average",
            "of",
            "ağrım var",
            "7'ydi",
            "dokuzdur",
            "ön",
            "one",
            "buçuk",
            "değil",
        ),
        *("sekiz", "zero", "seven", "out of ten", "(", ")", "yok", "hiç", "lütfen", "idi", "thanks", "a", "an"),
    ],
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=8).map("".join), st.lists(PIECES).map(" ".join))


@pytest.mark.shows("never guess")
@given(TEXTS, st.sampled_from(["tr", "en", "xx"]), st.sampled_from([(0, 10), (1, 7)]), st.integers(0, 3))
def test_a_score_is_the_one_number_in_the_text(text: str, language: str, bounds: tuple[int, int], media: int) -> None:
    low, high = bounds
    meaning = read(text, language, item_min=low, item_max=high, media=media)
    if not isinstance(meaning, Score):
        return
    assert low <= meaning.value <= high
    written, spoken = _numbers(text), _spoken(text, language)
    others = [number for number in written + spoken if number not in {meaning.value, high}]
    assert not others
    assert meaning.value in written + spoken
    if high not in written + spoken:
        assert len(set(written)) <= 1  # `7 7` says it twice


@given(TEXTS)
def test_a_number_beside_another_number_is_no_score(text: str) -> None:
    for two in (f"7 {text} 8", f"{text} 3 4", f"9-{text}-2"):
        meaning = nrs(two)
        assert not isinstance(meaning, Score), two


@pytest.mark.parametrize("word", ["7", "yedi"])
def test_a_letter_or_word_glued_to_a_number_is_no_frame(word: str) -> None:
    for glued in (f"a{word}", f"{word}x", f"o{word}", f"{word}b"):
        assert not isinstance(nrs(glued), Score)


def test_a_row_of_digits_as_long_as_ten_segments_is_outside_the_scale() -> None:
    assert nrs("9" * 1600) == Unreadable("out_of_range")


@given(
    st.text(st.characters(), max_size=200),
    st.text(max_size=5),
    st.integers(),
    st.integers(),
    st.lists(st.text(max_size=30), max_size=3),
    st.lists(st.text(max_size=10), max_size=3),
)
def test_no_text_crashes(text: str, language: str, low: int, high: int, ours: list[str], safety: list[str]) -> None:
    meaning = read(text, language, item_min=low, item_max=high, own_texts=ours, safety_words=safety)
    assert not isinstance(meaning, Score) or low <= meaning.value <= high


@pytest.mark.shows("reading: folding")
@given(st.lists(PIECES, min_size=1, max_size=4).map(" ".join))
def test_case_and_dots_do_not_change_the_meaning(text: str) -> None:
    turkish_capitals = text.replace("i", "İ").upper()
    assert nrs(turkish_capitals) == nrs(text)


def test_a_huge_text_is_read_at_once() -> None:
    started = process_time()
    for unit in ("7 ", "puan ", "merhaba iyi gunler ", '"', "a" * 50 + " ", "Liked “", "1.", "e\u0301"):
        nrs(unit * 100_000)
    assert process_time() - started < 5


# -- One number in a frame: digits and number words --------------------------------------------

SPOKEN = {language: {number: word for word, number in NUMBERS[language].items()} for language in NUMBERS}
SHARED = {
    "tr": (
        *("{}", "{} puan", "ağrım {}", "Ağrı seviyesi: {}", "puanım {}", "cevabım {}", "on üzerinden {}"),
        *("{}/10", "{}/on", "{} bölü on", "{} diyorum", "{} diyebilirim", "{} veriyorum", "{} idi", "{}, teşekkürler"),
        *("Hocam {}", "Merhaba, ağrım {} puan", "evet {}", "ortalama olarak {}", "benim puanım {}", "{} puandı"),
        *("bugün ağrım {}", "bugünkü ağrım {}", "{} puan bugün", "{} diyelim", "{} puan olsun", "kalça ağrım {}"),
        *("{} puan diyorum kızım", "{}, oğlum", "{}, valla", "hâlâ ağrım {}"),
    ),
    "en": (
        *("{}", "{} points", "my pain is {}", "My pain score is {}", "pain level: {}", "{} out of ten", "{} out of 10"),
        *("{}/10", "{}/ten", "{} over 10", "I'd say {}", "I would say it's a {}", "it was an {}", "a {}", "{} thanks"),
        *("Good morning doctor, {}. Thank you!", "on average {}", "out of ten, {}", "my answer is {}", "sorry, {}"),
        *("{} points today", "today it's a {}", "my pain today is {}", "{} outta ten", "my hip is {}", "{} honestly"),
    ),
}
"""Frames that a digit and a number word share."""
FRAMED = st.sampled_from([(language, frame) for language, frames in SHARED.items() for frame in frames])
ANSWERS = st.integers(0, 10)


@pytest.mark.shows("reading: score")
@pytest.mark.parametrize("language", SHARED)
def test_a_number_word_is_read_as_its_digits_are(language: str) -> None:
    for frame, (number, word) in product(SHARED[language], SPOKEN[language].items()):
        for said in (number, word, word.upper()):
            assert nrs(frame.format(said), language) == Score(number), frame.format(said)


@pytest.mark.parametrize("frame", ["I'm {}", "it is {}", "yes {}", "{} please", "my pain is {}"])
def test_a_turkish_number_word_in_an_english_frame_is_no_score(frame: str) -> None:
    for word in NUMBERS["tr"]:
        assert not isinstance(nrs(frame.format(word), "tr"), Score)


DIFFERENT = st.tuples(ANSWERS, ANSWERS).filter(lambda two: two[0] != two[1])
JOINED = st.sampled_from(
    [" ", ", ", "-", " - ", ". ", " ya da ", " değil ", " ile ", " to ", " or ", " not ", " point "]
)


@pytest.mark.shows("never guess")
@given(FRAMED, DIFFERENT, JOINED, st.tuples(st.booleans(), st.booleans()))
def test_two_different_numbers_are_no_score(
    framed: tuple[str, str], two: tuple[int, int], join: str, as_words: tuple[bool, bool]
) -> None:
    language, frame = framed
    said = join.join(SPOKEN[language][n] if word else str(n) for n, word in zip(two, as_words, strict=True))
    assert not isinstance(nrs(frame.format(said), language), Score)


SPOILERS = {
    "tr": (
        "{} gün|{} gündür|{} saat|{} hafta|{} ay önce|{} dakika|{} dk|{} tablet|{} hap|{} mg|{} kere|saat {}|hafta {}|"
        "{} buçuk|{} yarım|{} virgül beş|{} değil|değil {}|hayır {}|{} gibi|{} civarı|yaklaşık {}|sanırım {}|belki {}|"
        "en az {}|{} mi|{} küsur|{}'den az|dün {}|dünden {} puan az|{} puan arttı|eşim {} diyor|eksi {}|-{}|{}?|{}+|²{}"
    ),
    "en": (
        "{} days|{} hours|week {}|day {}|{} weeks ago|{} minutes|{} tablets|{} pills|{} mg|{} times|{} and a half|"
        "{} point five|half of {}|not {}|never {}|no {}|{} not|about {}|around {}|maybe {}|I think {}|at least {}|"
        "more than {}|{}ish|{}th|yesterday {}|{} points less|down {}|mum said {}|my wife says {}|-{}|{}?|{}+|²{}"
    ),
}
"""What makes a number something else than an answer: time, doses, halves, negation, doubt, comparison, other people."""
SPOILED = st.sampled_from(
    [(language, spoiler) for language, spoilers in SPOILERS.items() for spoiler in spoilers.split("|")]
)


@pytest.mark.shows("never guess", "reading: not a score")
@given(SPOILED, st.data(), ANSWERS)
def test_a_number_with_a_unit_half_negation_or_doubt_is_no_score(
    spoiled: tuple[str, str], data: st.DataObject, number: int
) -> None:
    language, spoiler = spoiled
    frame = data.draw(st.sampled_from(SHARED[language]))
    for said in (number, SPOKEN[language][number]):
        text = frame.format(spoiler.format(said))
        assert not isinstance(nrs(text, language), Score), text


@pytest.mark.shows("reading: not a score")
@pytest.mark.parametrize("text", ["on gün", "bir şey yok", "7 değil 5", "yedi buçuk", "week 1", "ön", "ortalama altı"])
def test_what_only_looks_like_a_number_word_is_not_read(text: str) -> None:
    for language in NUMBERS:
        assert not isinstance(nrs(text, language), Score)


@pytest.mark.shows("reading: somebody else")
def test_what_somebody_else_says_goes_to_a_person() -> None:
    assert nrs("mum said eight", "en") == Proxy()
    assert nrs("eşim altı diyor", "tr") == Proxy()


@pytest.mark.shows("reading: score")
@pytest.mark.parametrize(
    "language, text",
    [
        ("en", "7 7"),
        ("en", "7, yes 7"),
        ("en", "7. Yes, seven."),
        ("en", "#7"),
        ("en", "I am 81 and my pain is 7"),
        ("en", "last 24hrs 7"),
        ("en", "7 because I sat too long"),
        ("tr", "7/10 yani yedi"),
        ("tr", "Yaşım 76, ağrım 7"),
        ("tr", "son 24 saat için 7"),
        ("tr", "7 çünkü dün çok yürüdüm"),
    ],
)
def test_an_age_the_hours_asked_about_a_repetition_and_a_reason_are_no_second_answer(language: str, text: str) -> None:
    assert nrs(text, language) == Score(7)


@pytest.mark.shows("never guess")
@pytest.mark.parametrize(
    "language, text",
    [
        ("en", "5 5"),  # 5.5
        ("en", "1 1"),  # 11
        ("en", "7, yes 8"),
        ("en", "I'm 81"),
        ("en", "I am 81 and 7"),
        ("en", "7 because I guess so"),
        ("en", "7 because of my knee"),
        ("en", "7\nLeft Hip"),
        ("tr", "6 yani 7"),
        ("tr", "son 24 saatte 2 hap"),
        ("tr", "2 kat çıktım ondan"),
        ("tr", "7 çünkü kızım öyle dedi"),
    ],
)
def test_what_may_be_a_second_answer_another_part_or_a_guess_is_not_read_over(language: str, text: str) -> None:
    assert not isinstance(nrs(text, language), Score)


def test_an_age_may_be_an_answer_where_the_scale_reaches_it() -> None:
    assert not isinstance(read("I'm 81, pain is 7", "en", item_min=0, item_max=100), Score)


# -- Slips of the finger -----------------------------------------------------------------------


@pytest.mark.parametrize("language", NUMBERS)
def test_no_word_around_a_number_is_a_misspelt_number(language: str) -> None:
    around = {word for parts in frames.FRAMES[language] for word in frames.words(parts)} - {*NUMBERS[language]}
    assert [word for word in around if slips.meant(word, language) is not None] == []


@given(st.sampled_from(sorted(SPOKEN)), ANSWERS, st.data(), st.integers(2, 5))
def test_a_letter_held_too_long_changes_nothing(language: str, number: int, data: st.DataObject, times: int) -> None:
    word = SPOKEN[language][number]
    at = data.draw(st.integers(0, len(word) - 1))
    held = word[:at] + word[at] * times + word[at + 1 :]
    mended = len(word) > 2 and held not in words.NOT_SLIPS
    assert nrs(held, language) == (Score(number) if mended else Unreadable("words"))


@pytest.mark.parametrize("language", SPOKEN)
def test_another_letter_makes_another_word(language: str) -> None:
    for word in SPOKEN[language].values():
        for at, letter in product(range(len(word)), "abcdefghijklmnoprstuvwxyz"):
            changed = word[:at] + letter + word[at + 1 :]
            if changed not in NUMBERS[language]:
                assert not isinstance(nrs(changed, language), Score), changed


@pytest.mark.parametrize("language", NUMBERS)
def test_a_word_with_a_slip_is_mended_to_no_number_and_is_no_word_of_another_list(language: str) -> None:
    lists = [value for name, value in vars(words).items() if name.isupper() and isinstance(value, frozenset)]
    listed = {word for phrases in lists for phrase in phrases for word in phrase.split()} - words.NOT_SLIPS
    assert [word for word in listed if slips.harmless(word) in NUMBERS[language]] == []
    assert {word for word in words.PROXY if slips.harmless(word)} == set()


# -- Descriptions ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "language, text, fits",
    [
        ("tr", "{}, dayanılmazdı", range(7, 11)),
        ("tr", "{}, çok iyiyim", range(4)),
        ("tr", "{}, orta", range(4, 7)),
        ("en", "{}, it was unbearable", range(7, 11)),
        ("en", "{}, feeling good", range(4)),
        ("en", "{}, moderate", range(4, 7)),
    ],
)
def test_a_description_is_read_only_beside_a_number_that_it_fits(language: str, text: str, fits: range) -> None:
    for number in range(11):
        assert isinstance(nrs(text.format(number), language), Score) == (number in fits)


# -- Remarks -----------------------------------------------------------------------------------


@pytest.mark.shows("never guess")
@pytest.mark.parametrize(
    "language, frames_of_it",
    [("en", ("7, I walked {}", "{} slept badly, 7")), ("tr", ("7, {} yürüdüm", "{} yoruldum. 7"))],
)
def test_a_word_that_turns_the_meaning_keeps_a_remark_from_being_read_over(
    language: str, frames_of_it: tuple[str, str]
) -> None:
    said = remark_words.VOCABULARIES[language]
    turning = [word for word in said.turns.split() if word not in said.moments.split()]
    assert len(turning) > 200
    for frame, word in product(frames_of_it, turning):
        assert not isinstance(nrs(frame.format(word), language), Score), frame.format(word)


@pytest.mark.shows("never guess")
@pytest.mark.parametrize(
    "language, alone, done",
    [
        ("en", ("7, {}", "7, it was {}", "7, it hurt {}", "7, I was {}"), "7, could hardly walk {}"),
        ("tr", ("7, {}", "7, {} ağrıdı", "7, {} kötüydü"), "7, {} uyuyamadım"),
    ],
)
def test_a_moment_turns_a_fragment_and_not_what_somebody_did(language: str, alone: tuple[str, ...], done: str) -> None:
    moments = remark_words.VOCABULARIES[language].moments.split()
    for frame, word in product(alone, moments):
        assert not isinstance(nrs(frame.format(word), language), Score), frame.format(word)
    assert sum(nrs(done.format(word), language) == Score(7) for word in moments) > len(moments) // 2


@pytest.mark.shows("reading: score")
@pytest.mark.parametrize(
    "language, text, fits",
    [
        ("en", "{}, slept well", range(7)),
        ("en", "{}, slept badly", range(4, 11)),
        ("en", "{}, planted tulips in the garden", range(11)),
        ("tr", "{}, rahat uyudum", range(7)),
        ("tr", "{}, çok yoruldum", range(4, 11)),
        ("tr", "{}, ekmek aldım", range(11)),
    ],
)
def test_a_remark_is_read_over_only_beside_a_number_that_it_fits(language: str, text: str, fits: range) -> None:
    for number in range(11):
        assert isinstance(nrs(text.format(number), language), Score) == (number in fits), number


# -- Safety before everything ------------------------------------------------------------------


@given(TEXTS, st.sampled_from(SAFETY), st.sampled_from(["tr", "en"]))
def test_a_safety_word_comes_before_every_other_reading(text: str, word: str, language: str) -> None:
    for said in (f"{text} {word}", f"{word} {text}", f"stop {word} {text}"):
        assert nrs(said, language) == Safety()


def test_our_own_text_is_no_alarm_when_it_is_quoted() -> None:
    ours = ("Nefes darlığınız ne kadardı? 0-10", OURS[1])

    def meaning(text: str) -> Reading:
        return read(text, "tr", item_min=0, item_max=10, own_texts=ours, safety_words=("nefes darlığı",))

    assert meaning(ours[0]) == Tapback()
    assert meaning(f"“{ours[0]}” iletisini beğendi") == Tapback()
    assert meaning(f"“{ours[0]}” nefes darlığım var") == Safety()


_FRESH = """
from pro_service.core.replies import frames
from pro_service.core.replies.reading import compile_all, read

def pattern(lines):
    raise LookupError("a pattern is made while somebody waits")

make, frames.pattern = frames.pattern, pattern
print(read("7", "tr", item_min=0, item_max=10))
try:
    read("bugün 7", "tr", item_min=0, item_max=10)
except LookupError:
    print("made")
frames.pattern = make
compile_all()
frames.pattern = pattern
print(read("bugün 7", "tr", item_min=0, item_max=10), read("today 7", "en", item_min=0, item_max=10))
"""


def test_a_number_alone_needs_no_pattern_and_other_texts_none_once_all_are_compiled() -> None:
    done = subprocess.run([sys.executable, "-c", _FRESH], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(Score(7)), "made", f"{Score(7)} {Score(7)}"]
