"""Numbers that look like the answer to a question their writer has not read, or to another one than was read."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pro_service.core.case import State
from tests.core.world import World, at, completed, invited, world

gaps = st.one_of(st.integers(0, 90), st.integers(91, 1500))
said = st.tuples(gaps, st.sampled_from(("{}", "{}", "pardon {}", "{} olacaktı")), st.integers(1, 7))
delays = st.sampled_from((None, timedelta(seconds=2), timedelta(seconds=40), timedelta(minutes=12)))


@pytest.mark.shows("conversation: second number")
@settings(max_examples=150)
@given(st.lists(st.tuples(said, delays), max_size=12))
def test_a_bare_number_never_changes_an_answer_and_a_correction_never_answers_another_question(
    texts: list[tuple[tuple[int, str, int], timedelta | None]],
) -> None:
    life = invited()
    for (after, words, number), delay in texts:
        life.until(life.now + timedelta(seconds=after))
        before = life.values("W1")
        life.text(words.format(number))
        now = life.values("W1")
        if words == "{}":
            assert {item: now[item] for item in before} == before
        elif before:
            assert now.keys() == before.keys()
        life.delay = delay


@settings(max_examples=150)
@given(st.lists(st.tuples(said, delays), max_size=3))  # as many as the limit of an hour lets us reply to
def test_no_number_is_left_without_an_answer_or_a_task(
    texts: list[tuple[tuple[int, str, int], timedelta | None]],
) -> None:
    life = invited()
    for (after, words, number), delay in texts:
        life.until(life.now + timedelta(seconds=after))
        before = len(life.done)
        life.text(words.format(number))
        on_its_way = any(text.state == "ready" for text in life.case.messages)
        tasks = life.escalations(open_only=True)
        read_by_a_person = {"W1 E0 number_after_completion", "W1 E0 unreadable_reply"} & set(tasks)
        assert len(life.done) > before or on_its_way or read_by_a_person
        life.delay = delay


def test_a_number_sent_twice_does_not_answer_the_question_that_it_made_us_ask() -> None:
    life = world()
    life.until(at("2026-01-18 12:00"))
    assert life.text("7") == ["not-counted"]
    assert life.text("7", after=9) == ["confirm-repeat"]
    assert life.values("W1") == {}
    assert life.text("7", after=9) == ["question"]
    assert life.values("W1") == {"NRS-AVG": 7}


def asked_by_no_text_yet() -> World:
    """Return a world in which the invitation of W1 waits to leave."""
    life = world()
    life.delay = None
    life.until(at("2026-01-19 10:00:10"))
    assert [text.kind for text in life.case.messages] == ["invitation"]
    return life


def test_a_number_sent_twice_does_not_answer_another_text_that_asks_meanwhile() -> None:
    life = asked_by_no_text_yet()
    invitation = life.case.messages[-1].id
    life.mark(invitation, "sending")
    assert life.text("7", after=60) == ["not-counted"]
    life.mark(invitation, "accepted", life.now + timedelta(seconds=5))
    assert life.text("7", after=10) == []
    assert life.values("W1") == {}
    assert life.text("7", after=60) == ["question"]
    assert life.values("W1") == {"NRS-AVG": 7}


@pytest.mark.parametrize("state", ["undelivered", "failed"])
def test_a_number_after_a_question_that_is_said_to_have_failed_is_no_correction(state: State) -> None:
    life = invited()
    assert life.text("7") == ["question"]
    life.until(life.now + timedelta(seconds=10))
    # The report is wrong: the question is on the telephone.
    life.mark(life.case.messages[-1].id, state)
    assert life.text("2", after=60) == ["confirm-change"]
    assert life.values("W1") == {"NRS-AVG": 7}


def test_a_number_after_a_proposed_change_is_no_answer_to_the_question_before_it() -> None:
    life = invited()
    assert life.text("4", after=60) == ["question"]
    question = life.case.messages[-1].id
    life.mark(question, "uncertain")
    assert life.text("1", after=60) == ["confirm-change"]
    life.until(life.now + timedelta(seconds=10))
    # The provider is asked, and had taken the question at once.
    life.mark(question, "accepted", life.now - timedelta(seconds=69))
    assert life.text("3", after=60) == ["not-counted"]
    assert life.values("W1") == {"NRS-AVG": 4}
    life.until(life.now + timedelta(seconds=10))
    assert life.text("3", after=60) == ["thanks"]
    assert life.values("W1") == {"NRS-AVG": 4, "PGIC": 3}


@pytest.mark.parametrize("state", ["sending", "uncertain"])
def test_the_same_number_while_the_next_question_may_have_been_read_is_not_passed_over(state: State) -> None:
    life = invited()
    assert life.text("5", after=60) == ["question"]
    question = life.case.messages[-1].id
    life.mark(question, state)
    assert life.text("5", after=31) == ["confirm-repeat"]
    assert life.values("W1") == {"NRS-AVG": 5}
    life.mark(question, "accepted", life.now - timedelta(seconds=30))
    assert life.text("5", after=60) == ["thanks"]
    assert life.values("W1") == {"NRS-AVG": 5, "PGIC": 5}


def test_a_telephone_that_sends_twice_while_the_next_question_leaves_is_not_asked_about() -> None:
    life = invited()
    assert life.text("5", after=60) == ["question"]
    life.mark(life.case.messages[-1].id, "sending")
    assert life.text("5", after=15) == []
    assert life.values("W1") == {"NRS-AVG": 5}


@pytest.mark.parametrize("state", ["sending", "uncertain", "dead"])
def test_yes_while_another_change_may_have_been_read_changes_nothing_and_goes_to_a_person(state: State) -> None:
    life = completed()
    assert life.text("10", after=60) == ["confirm-change"]
    life.mark(life.case.messages[-1].id, state)
    assert life.text("5", after=60) == ["confirm-change"]
    assert life.text("YES", after=60) == ["handed-over"]
    assert life.values("W1") == {"NRS-AVG": 7, "PGIC": 2}
    assert life.case.escalations[-1].reason == "unreadable_reply"


def test_yes_is_about_the_change_that_was_read_last_whichever_was_written_first() -> None:
    life = completed()
    assert life.text("10", after=60) == ["confirm-change"]
    first = life.case.messages[-1].id
    life.mark(first, "sending")
    assert life.text("5", after=60) == ["confirm-change"]
    life.until(life.now + timedelta(seconds=60))
    life.mark(first, "accepted")
    assert life.text("YES", after=60) == ["corrected"]
    assert life.values("W1") == {"NRS-AVG": 10, "PGIC": 2}


def test_yes_in_the_moment_in_which_another_change_arrives_may_be_about_the_one_before() -> None:
    life = completed()
    assert life.text("10", after=60) == ["confirm-change"]
    assert life.text("5", after=60) == ["confirm-change"]
    assert life.text("YES", after=20) == ["handed-over"]
    assert life.values("W1") == {"NRS-AVG": 7, "PGIC": 2}
    assert life.case.escalations[-1].reason == "unreadable_reply"


def test_a_change_that_no_provider_has_taken_yet_stands_in_nobodys_way() -> None:
    life = completed()
    assert life.text("10", after=60) == ["confirm-change"]
    life.until(life.now + timedelta(seconds=10))
    life.delay = None
    assert life.text("5", after=60) == ["confirm-change"]
    assert life.text("YES", after=60) == ["corrected"]
    assert life.values("W1") == {"NRS-AVG": 10, "PGIC": 2}
