"""The code on a card: signs that nobody mistakes, read however it is typed, and never made of something else."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pro_service.core.card_code import CODES, LENGTH, SHORT, SIGNS, CodeError, code_of, code_text, is_short, read_code

CODE = "8K52DVH6MN34"
OLD = CODE[:SHORT]
NUMBERS = st.integers(min_value=0, max_value=CODES - 1)


def fault(typed: str) -> str:
    with pytest.raises(CodeError) as caught:
        read_code(typed)
    return caught.value.fault


def test_of_every_pair_that_looks_alike_one_sign_is_left_at_most() -> None:
    assert len(set(SIGNS)) == len(SIGNS) <= 30
    for alike in ("0OQD", "1IL", "2Z", "5S", "6G", "8B", "UV"):
        assert len(set(alike) & set(SIGNS)) <= 1
    assert not set("01IOLQ") & set(SIGNS)


@given(NUMBERS, NUMBERS)
def test_every_number_has_a_code_of_its_own(one: int, other: int) -> None:
    assert len(code_of(one)) == LENGTH
    assert (code_of(one) == code_of(other)) == (one == other)


@pytest.mark.parametrize("number", [-1, CODES])
def test_there_is_no_code_beyond_the_last(number: int) -> None:
    with pytest.raises(ValueError, match="from 0"):
        code_of(number)


@given(NUMBERS, st.sampled_from(["", " ", "-", "–", " - ", "  ", ".", "_", "\u00a0"]), st.booleans())
def test_a_code_is_read_as_it_is_typed(number: int, between: str, small: bool) -> None:  # noqa: FBT001 -- drawn
    code = code_of(number)
    typed = f" {between.join((code[:4], code[4:8], code[8:]))} "
    assert read_code(typed.lower() if small else typed) == code
    assert read_code(code_text(code)) == code


@pytest.mark.parametrize(
    "typed",
    [
        "8K52 DVH6",
        "bk52dvh6",
        "8ksz duhg",
        "BKSZ-0UHG",
        "8k520vh6",
        "8K52QVH6",
        "8ksz oüHĞ",
        "8kşz dvhğ",
        "８Ｋ５２ＤＶＨ６",
        "٨K٥٢DVH٦",
        "8K52\u200bDVH6",
    ],
)
def test_look_alikes_and_other_keyboards_are_understood(typed: str) -> None:
    assert read_code(typed) == OLD
    assert read_code(f"{typed} mn34") == CODE


@pytest.mark.parametrize(
    "typed",
    [
        "({})",
        "[ {} ]",
        "“{}”",
        "'{}'",
        "*{}*",
        "{};",
        "Code: {}",
        "code {}",
        "CODE={}",
        "(Code: {})",
        "My code is {}",
        "your code – {}",
        "Kod: {}",
        "kodunuz: {}",
        "KODUM {}",
        "Kart kodu: {}",
        "Kartınızdaki kod: {}",
        "  kodu\n{}",
    ],
)
def test_brackets_and_a_word_before_the_code_are_passed_over(typed: str) -> None:
    for code in (CODE, OLD):
        assert read_code(typed.format(code_text(code))) == code
        assert read_code(typed.format(code.lower())) == code


@pytest.mark.parametrize(
    "typed, code",
    [
        ("АСЕН КМРТ ХУЗ8", "ACEHKMPTXY38"),
        ("асен кмрт хуз8", "ACEHKMPTXY38"),
        ("8К52ДVH6", ""),
        ("ΑΕΗΚ ΜΝΡΤ ΧΥ34", "AEHKMNPTXY34"),
        ("αεηκ μνρτ χυ34", "AEHKMNPTXY34"),
        ("ВЅ52 OVH6 8888", "8552DVH68888"),
    ],
)
def test_cyrillic_and_greek_letters_are_read_as_what_they_look_like(typed: str, code: str) -> None:
    if code:
        assert read_code(typed) == code
    else:
        assert fault(typed) == "sign"


def test_a_code_that_begins_like_the_word_is_read_all_the_same() -> None:
    assert read_code("CDDE 8K52 DVH6") == "CDDE8K52DVH6"
    assert read_code("code8k52dvh6") == "CDDE8K52DVH6"


def test_old_cards_have_eight_signs_and_new_ones_twelve() -> None:
    assert (is_short(OLD), is_short(CODE)) == (True, False)
    assert code_text(CODE) == "8K52 DVH6 MN34"
    assert len(code_of(25**SHORT - 1, SHORT)) == SHORT


@pytest.mark.parametrize("typed", ["", "   ", "- -", "\u200b"])
def test_nothing_typed_is_said(typed: str) -> None:
    assert fault(typed) == "empty"


@pytest.mark.parametrize("typed", ["8K52DVH", "8K52DVH66", "8K52DVH6MN3", "8K52DVH6MN344", "8" * 200])
def test_too_few_or_too_many_signs_are_said(typed: str) -> None:
    assert fault(typed) == "length"


def test_how_many_signs_were_typed_is_said() -> None:
    with pytest.raises(CodeError) as caught:
        read_code("Code: 8K52-DVH6-MN")
    assert caught.value.signs == 10


@pytest.mark.parametrize("typed", ["8K52DVHI", "8k52dvhi", "8K52DVHı", "8K52DVHİ", "1K52DVH6", "8K52DVHl", "8K52DVH!"])
def test_a_sign_that_no_card_has_is_said(typed: str) -> None:
    assert fault(typed) == "sign"


@given(st.text(max_size=200))
def test_whatever_is_typed_is_a_code_or_a_fault(typed: str) -> None:
    found = ""
    with suppress(CodeError):
        found = read_code(typed)
    assert found == "" or (len(found) in (LENGTH, SHORT) and set(found) <= set(SIGNS))
