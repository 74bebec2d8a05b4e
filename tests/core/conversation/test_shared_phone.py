"""Whose words a text from a shared telephone are, as far as it says so itself."""

import pytest

from pro_service.core.conversation.shared_phone import addressed

CODES = ("P-001", "P-002")


@pytest.mark.parametrize(
    "text, found",
    [
        ("P-002 7", ("P-002", "7")),
        ("p002: 7", ("P-002", "7")),
        (" P 002 - 7", ("P-002", "7")),
        ("P-001", ("P-001", "")),
        ("P-0021 7", None),
        ("P-003 7", None),
        ("7 P-001", None),
        ("7", None),
        ("", None),
    ],
)
def test_a_text_may_begin_with_a_code(text: str, found: tuple[str, str] | None) -> None:
    assert addressed(text, CODES) == found


@pytest.mark.parametrize(
    "codes, text, found",
    [
        (("7", "8"), "7 4", None),
        (("7", "8"), "7", None),
        (("101", "102"), "101 4", ("101", "4")),
        (("101", "102"), "101", None),
        (("A1", "A-1"), "A1 7", None),
    ],
)
def test_a_code_that_could_be_an_answer_or_anothers_says_nothing(
    codes: tuple[str, ...], text: str, found: tuple[str, str] | None
) -> None:
    assert addressed(text, codes) == found
