"""The verdict sees what it is there for: a text that is missing, one too many, and rows that are mistaken."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.crash.verdict import Message, Taken, compare

ONE, TWO = "+12025550100", "+12025550101"


def message(number: int, state: str, sid: str | None = None, to: str = ONE) -> Message:
    return Message(number, number, to, "How are you?", state, sid)


def taken(*sids: str, to: str = ONE) -> list[Taken]:
    return [Taken(sid, to, "How are you?", datetime(2026, 3, 9, tzinfo=UTC)) for sid in sids]


def test_what_was_accepted_and_what_was_of_no_use_any_more_is_good() -> None:
    rows = [message(1, "delivered", "SM1"), replace(message(2, "expired", to=TWO), over=True)]
    verdict = compare(2, rows, taken("SM1"), told={2})
    assert (verdict.accepted, verdict.over, verdict.good) == (1, 1, True)


@pytest.mark.parametrize("state", ["dead", "refused", "expired", "cancelled"])
def test_a_text_that_could_still_have_served_is_lost_whoever_was_told(state: str) -> None:
    verdict = compare(1, [message(1, state)], [], told={1})
    assert verdict.guilty == {1: ["lost"]}


def test_an_open_task_about_a_text_that_arrived_is_a_fault() -> None:
    verdict = compare(1, [message(1, "delivered", "SM1")], taken("SM1"), told={1})
    assert (verdict.guilty, verdict.good) == ({1: ["needless"]}, False)


@pytest.mark.parametrize(
    "rows, texts, fault",
    [
        ([message(1, "accepted", "SM1")], [], "lost"),  # we believe it left, and it did not
        ([message(1, "dead")], [], "lost"),  # nobody knows
        ([], [], "lost"),  # it was never written
        ([message(1, "accepted", "SM1")], taken("SM1", "SM2"), "duplicated"),
        ([message(1, "uncertain")], taken("SM1"), "unsettled"),
        ([message(1, "ready")], [], "unsettled"),
        ([message(1, "accepted", "SM9")], taken("SM1"), "mistaken"),  # known by an id that nobody gave it
        ([message(1, "accepted", "SM1")], [*taken("SM1"), *taken("SM2", to=TWO)], "duplicated"),  # to a stranger
    ],
)
def test_one_fault_is_seen_and_counted_once(rows: list[Message], texts: list[Taken], fault: str) -> None:
    verdict = compare(1, rows, texts, told=())
    counts = {name: getattr(verdict, name) for name in ("lost", "duplicated", "unsettled", "mistaken")}
    assert counts == dict.fromkeys(counts, 0) | {fault: 1}
    assert not verdict.good


def test_a_text_that_left_and_is_taken_for_one_that_did_not_is_a_mistake() -> None:
    verdict = compare(1, [message(1, "dead")], taken("SM1"), told=())
    assert verdict.guilty == {1: ["mistaken"]}


def test_two_messages_with_one_telephone_and_the_same_words_have_one_text_each() -> None:
    both = [message(1, "accepted", "SM2"), message(2, "delivered", "SM1")]
    assert compare(2, both, taken("SM1", "SM2"), told=()).good
    assert compare(2, both, taken("SM1", "SM2", "SM3"), told=()).guilty == {1: ["duplicated"]}
    assert compare(2, both, taken("SM1"), told=()).guilty == {1: ["lost"]}
