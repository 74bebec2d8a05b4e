"""The walk through the specification is complete, honest about what is open, and up to date."""

from tests import walkthrough
from tests.specification import OPEN, ROWS


def test_every_row_is_shown_by_a_test_or_said_to_be_open() -> None:
    assert set(ROWS) - {row for row, _ in walkthrough.shown()} == set(OPEN)


def test_no_test_shows_a_row_that_is_not_there() -> None:
    assert [(row, name) for row, name in walkthrough.shown() if row not in ROWS] == []


def test_the_page_is_what_the_tests_say() -> None:
    file = walkthrough.ROOT / "docs" / "conversation.md"
    assert file.read_text(encoding="utf-8") == walkthrough.page(), f"run: {walkthrough.__doc__}"
