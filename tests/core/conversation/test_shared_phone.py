"""Whose words a text from a shared telephone are, as far as it says so itself."""

from dataclasses import replace

import pytest

from pro_service.core.conversation.shared_phone import TURN, addressed, names, owners_named, seen_by_others
from tests.core.world import STUDY, case_of, invited, person

CODES = ("P-001", "P-002")


@pytest.mark.parametrize(
    "text, found",
    [
        ("P-002 7", (1, "7")),
        ("p002: 7", (1, "7")),
        (" P 002 - 7", (1, "7")),
        ("#P-002 7", (1, "7")),
        ("P-001", (0, "")),
        ("P-0021 7", None),
        ("P-003 7", None),
        ("7 P-001", None),
        ("7", None),
        ("", None),
    ],
)
def test_a_text_may_begin_with_a_code(text: str, found: tuple[int, str] | None) -> None:
    assert addressed(text, CODES) == found


@pytest.mark.parametrize("rest", ["-7", ">7", "<7", ".7", "~7", "+7", "?7", "½"])
def test_a_sign_at_the_number_stays_with_it(rest: str) -> None:
    assert addressed(f"P-002 {rest}", CODES) == (1, rest)


@pytest.mark.parametrize(
    "codes, text, found",
    [
        (("7", "8"), "7 4", None),
        (("7", "8"), "8 8", None),
        (("7", "8"), "7", None),
        (("7", "8"), "#7", None),
        (("7", "8"), "no 7", None),
        (("7", "8"), "note 7 4", None),
        (("101", "102"), "101 4", (0, "4")),
        (("101", "102"), "101", None),
        (("12", "13"), "12 4", (0, "4")),
        (("01-001", "01-002"), "01-002 4", (1, "4")),
        (("1-0", "2-0"), "10", None),
        (("on", "bir"), "on 7", None),
        (("on", "bir"), "bir", None),
        (("A1", "A-1"), "A1 7", None),
    ],
)
def test_a_code_that_could_be_an_answer_or_anothers_says_nothing(
    codes: tuple[str, ...], text: str, found: tuple[int, str] | None
) -> None:
    assert addressed(text, codes, 10) == found


@pytest.mark.shows("conversation: what we ask for")
@pytest.mark.parametrize("form", ["{name} 7", "{name}: 7", "{name}:7", "{name} - 7", "no {bare}: 7", "No. {bare} 7"])
def test_what_the_text_asks_for_is_understood_whatever_the_code(form: str) -> None:
    for code in (*map(str, range(101)), "07", "1-0", "On", "bir", "on-01", "P-001", "01-001", "A1", "1001"):
        called = names([("S", code), ("S", "999")])
        text = form.format(name=called[0], bare=called[0].removeprefix("#"))
        assert {addressed(text, called, largest) for largest in (5, 10, 100)} == {(0, "7")}, code


@pytest.mark.parametrize(
    "people, called",
    [
        ([("S", "8"), ("S", "9")], ("#8", "#9")),
        ([("S", "P-001"), ("S", "P-002")], ("P-001", "P-002")),
        ([("S", "P-001"), ("T", "P-001")], ("S P-001", "T P-001")),
        ([("S", "p1"), ("T", "P-1"), ("T", "P-2")], ("S p1", "T P-1", "P-2")),
        ([("S", "8"), ("T", "8")], ("S 8", "T 8")),
    ],
)
def test_a_name_is_the_code_told_apart_from_answers_and_from_other_studies(
    people: list[tuple[str, str]], called: tuple[str, ...]
) -> None:
    assert names(people) == called


@pytest.mark.parametrize(
    "text, whose",
    [
        ("NCT07326982 8 7", ((0,), "7")),
        ("OTHER 8: 7", ((1,), "7")),
        ("#8 7", ((0, 1), "7")),
        ("8 7", ((0, 1, 2), "8 7")),
        ("#9 7", ((2,), "7")),
        ("7", ((0, 1, 2), "7")),
    ],
)
def test_a_code_that_two_studies_gave_needs_the_study(text: str, whose: tuple[tuple[int, ...], str]) -> None:
    other = replace(STUDY, study="OTHER")
    cases = [case_of(person(code="8")), case_of(person(code="8"), other), case_of(person(code="9"), other)]
    assert owners_named(text, cases) == whose


def test_a_question_that_a_wrong_clock_sent_before_its_window_opened_keeps_the_telephone() -> None:
    life = invited()
    early = life.window("W1").span.opens_at - TURN
    question = replace(life.case.messages[-1], accepted_at=early)
    assert seen_by_others(replace(life.case, messages=(question,))).taken_until == early + TURN
