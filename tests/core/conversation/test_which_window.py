"""Which window a text belongs to: the open one, the last one late, none yet, none any more."""

from datetime import timedelta

import pytest

from pro_service.core.commands import Send
from pro_service.core.schedule.agenda import on_time
from tests.core.world import World, at, completed, invited, world


@pytest.mark.shows("conversation: late")
def test_a_number_after_the_close_is_a_late_answer_to_the_last_window() -> None:
    life = invited()
    life.until(at("2026-01-25 12:00"))
    assert life.text("6") == ["question"]
    life.until(life.now + timedelta(seconds=10))
    assert life.text("3") == ["thanks-late"]
    assert life.status("W1") == "completed_late"
    assert life.outcome("E3") == "answered_late"


@pytest.mark.shows("conversation: newer window")
def test_a_number_while_the_next_window_is_open_belongs_to_it() -> None:
    life = world()
    life.until(at("2026-02-12 10:00:10"))
    life.text("6", after=60)
    assert life.values("W1") == {}
    assert life.values("M1") == {"NRS-AVG": 6}


@pytest.mark.shows("conversation: unscheduled")
@pytest.mark.parametrize("facts", [{}, {"confirmed_at": None}])
def test_a_number_before_any_window_is_kept_apart(facts: dict[str, object]) -> None:
    life = world(**facts)
    life.until(at("2026-01-14 12:00"))
    assert life.text("6") == ["unscheduled"]
    assert [(record.window_id, record.item, record.value) for record in life.records()] == [(None, "NRS-AVG", 6)]
    assert all(not window.answers for window in life.case.current)


def test_who_was_enrolled_after_a_window_does_not_answer_it_late() -> None:
    life = world(enrolled_at=at("2026-01-25 12:00"), confirmed_at=at("2026-01-25 12:00"))
    life.until(at("2026-01-26 12:00"))
    assert life.text("6") == ["unscheduled"]
    assert life.values("W1") == {}


@pytest.mark.parametrize("words", ["5", "pardon 5"])
def test_a_correction_after_the_close_is_not_said_to_be_made(words: str) -> None:
    life = invited()
    life.until(at("2026-01-22 23:58"))
    life.delay = None
    life.text("7")
    assert life.text(words, after=180) == ["handed-over"]
    assert life.values("W1") == {"NRS-AVG": 7}


def test_what_comes_after_death_goes_to_a_person_and_is_not_kept() -> None:
    life = invited()
    life.change(died_at=life.now)
    assert life.text("7", after=60) == []
    assert life.values("W1") == {}
    assert life.escalations()[-1] == "W1 E0 answer_after_leaving"


def asked_by_a_wrong_clock(life: World) -> World:
    """Return this world after a clock that was a week ahead had the invitation of M1 sent before the window opened."""
    life.until(at("2026-02-05 10:00"))
    invitation = [one for one in on_time(life.case, at("2026-02-12 10:00")) if isinstance(one, Send)]
    life.carry_out(tuple(invitation))
    life.deliver()
    life.until(life.now + timedelta(seconds=10))
    assert life.prompts()[-1] == "M1 invitation"
    return life


def test_what_a_wrong_clock_asked_before_its_window_opened_is_asked_in_it() -> None:
    life = asked_by_a_wrong_clock(invited())
    life.until(at("2026-02-12 09:59"))
    assert life.prompts().count("M1 invitation") == 1
    life.until(at("2026-02-12 10:01"))
    assert life.prompts()[-2:] == ["M1 invitation", "M1 invitation"]
    life.until(at("2026-02-14 19:00"))
    assert life.prompts()[-1] == "M1 reminder-1"


def test_a_number_in_a_window_whose_invitation_a_wrong_clock_had_sent_before_it_opened_is_no_answer_yet() -> None:
    life = asked_by_a_wrong_clock(invited())
    life.until(at("2026-02-10 12:00"))
    assert life.text("7") == ["not-counted"]
    assert life.values("M1") == {}
    assert life.text("7", after=60) == ["question"]
    assert life.values("M1") == {"NRS-AVG": 7}


def test_a_number_after_a_wrong_clock_asked_about_another_window_is_no_late_answer_yet() -> None:
    life = asked_by_a_wrong_clock(invited())
    assert life.text("7", after=60) == ["not-counted"]
    assert life.values("W1") == {}
    assert life.text("7", after=60) == ["question"]
    assert life.values("W1") == {"NRS-AVG": 7}


@pytest.mark.parametrize("words", ["7", "4"])
def test_a_number_after_a_wrong_clock_asked_about_another_window_is_not_said_to_be_there(words: str) -> None:
    life = asked_by_a_wrong_clock(completed())
    assert life.text(words, after=60) == ["handed-over"]
    assert life.values("W1") == {"NRS-AVG": 7, "PGIC": 2}
    assert life.escalations()[-1] == "W1 E0 number_after_completion"


def test_a_number_after_a_question_of_the_window_before_that_left_late_is_no_answer_to_the_new_one() -> None:
    life = invited()
    life.until(at("2026-02-08 23:59"))
    life.delay = timedelta(days=3, hours=10, minutes=2)
    assert life.text("7") == ["question"]
    late = life.case.messages[-1].id
    life.mark(late, "uncertain")
    life.until(at("2026-02-12 10:00"))
    life.delay = timedelta(seconds=2)
    life.until(at("2026-02-12 10:01"))
    assert life.prompts()[-1] == "M1 invitation"
    life.mark(late, "accepted")
    assert life.text("2", after=60) == ["not-counted"]
    assert life.values("M1") == {}
