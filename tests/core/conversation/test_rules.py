"""Answers by text: which question a number answers, what is no score, which window it belongs to."""

from datetime import timedelta

import pytest

from pro_service.core.case import State
from tests.core.world import at, completed, invited, world

# Which question a number answers --------------------------------------------------------------------------------------


@pytest.mark.shows("conversation: one at a time")
def test_the_pain_score_comes_first_and_then_the_next_question() -> None:
    life = completed()
    assert life.values("W1") == {"NRS-AVG": 7, "PGIC": 2}
    assert life.status("W1") == "completed_in_window"


@pytest.mark.shows("conversation: repeat before")
def test_a_telephone_that_sends_seven_twice_before_the_next_question_repeats_itself() -> None:
    life = invited()
    life.delay = timedelta(seconds=30)
    life.text("7", after=60)
    assert life.text("7", after=5) == []
    assert life.values("W1") == {"NRS-AVG": 7}


@pytest.mark.shows("conversation: repeat after")
@pytest.mark.parametrize("seconds", [0, 1, 5, 20, 45, 59])
def test_a_telephone_that_sends_seven_twice_never_records_very_much_worse(seconds: int) -> None:
    life = invited()
    life.text("7", after=60)
    assert life.text("7", after=seconds) in ([], ["confirm-repeat"])
    assert life.values("W1") == {"NRS-AVG": 7}


@pytest.mark.shows("conversation: repeat after")
def test_a_repeat_within_a_minute_of_the_question_is_confirmed_and_then_counts() -> None:
    life = invited()
    life.text("7", after=60)
    assert life.text("7", after=20) == ["confirm-repeat"]
    assert life.text("7", after=20) == ["thanks"]
    assert life.values("W1") == {"NRS-AVG": 7, "PGIC": 7}


def test_a_repeat_is_not_asked_about_twice_while_the_question_about_it_is_on_its_way() -> None:
    life = invited()
    life.text("7", after=60)
    life.text("7", after=20)
    assert life.text("7", after=1) == []
    assert life.values("W1") == {"NRS-AVG": 7}


@pytest.mark.shows("conversation: repeat after")
def test_the_same_number_later_than_a_minute_answers_the_next_question() -> None:
    life = invited()
    life.text("7", after=60)
    assert life.text("7", after=70) == ["thanks"]
    assert life.values("W1") == {"NRS-AVG": 7, "PGIC": 7}


@pytest.mark.shows("conversation: second number")
@pytest.mark.parametrize("seconds", [0, 1.4, 120, 599])
@pytest.mark.parametrize("number", ["2", "5", "9"])
def test_a_second_number_before_the_next_question_left_is_asked_about(number: str, seconds: float) -> None:
    life = invited()
    life.delay = None
    life.text("4", after=60)
    assert life.text(number, after=seconds) == ["confirm-change"]
    assert life.values("W1") == {"NRS-AVG": 4}
    assert [record.value for record in life.records()] == [4]


@pytest.mark.shows("conversation: second number")
def test_yes_makes_the_second_number_the_answer_and_asks_on() -> None:
    life = invited()
    life.text("4", after=60)
    life.text("2", after=1.4)
    life.until(life.now + timedelta(seconds=10))
    assert life.text("YES", after=60) == ["corrected"]
    assert [record.value for record in life.records()] == [4, 2]
    assert life.case.messages[-1].item == "PGIC"


@pytest.mark.shows("conversation: second number")
def test_no_keeps_the_first_number_and_asks_on() -> None:
    life = invited()
    life.text("4", after=60)
    life.text("2", after=1.4)
    life.until(life.now + timedelta(seconds=10))
    assert life.text("no", after=60) == ["question"]
    assert life.text("2", after=60) == ["thanks"]
    assert life.values("W1") == {"NRS-AVG": 4, "PGIC": 2}


@pytest.mark.shows("conversation: correction")
@pytest.mark.parametrize("seconds", [0, 1.4, 120, 600])
@pytest.mark.parametrize("words", ["pardon 6", "6 olacaktı", "I meant 6", "düzeltme: 6", "sorry, 6", "make that six"])
def test_words_that_say_so_correct_the_answer_before(words: str, seconds: float) -> None:
    life = invited()
    life.delay = None
    life.text("7", after=60)
    assert life.text(words, after=seconds) == ["corrected"]
    assert life.values("W1") == {"NRS-AVG": 6}
    assert [record.value for record in life.records()] == [7, 6]


@pytest.mark.shows("conversation: correction")
@pytest.mark.parametrize("words", ["pardon 6", "I meant 6", "pardon 9"])
@pytest.mark.parametrize("seconds", [60, 3600])
def test_words_that_correct_answer_no_question_asked_since(words: str, seconds: int) -> None:
    life = invited()
    life.text("7", after=60)
    life.until(life.now + timedelta(seconds=10))
    assert life.text(words, after=seconds) == ["confirm-change"]
    assert life.values("W1") == {"NRS-AVG": 7}


def test_a_correction_to_the_number_that_is_there_answers_nothing_else() -> None:
    life = invited()
    life.text("6", after=60)
    life.until(life.now + timedelta(seconds=10))
    assert life.text("pardon 6", after=90) == ["not-counted"]
    assert life.values("W1") == {"NRS-AVG": 6}


def test_an_answer_that_begins_with_a_correcting_word_is_an_answer_where_there_is_nothing_to_correct() -> None:
    life = invited()
    assert life.text("pardon 6", after=60) == ["question"]
    assert life.values("W1") == {"NRS-AVG": 6}


@pytest.mark.parametrize("state", ["undelivered", "failed", "refused", "expired"])
def test_the_same_number_again_gets_the_question_that_was_lost(state: State) -> None:
    life = invited()
    life.text("4", after=60)
    life.mark(life.case.messages[-1].id, state)
    assert life.text("4", after=120) == ["question"]
    assert life.values("W1") == {"NRS-AVG": 4}


@pytest.mark.parametrize("state", ["sending", "uncertain"])
def test_another_number_while_the_next_question_may_have_been_read_changes_nothing_unasked(state: State) -> None:
    life = invited()
    life.delay = None
    life.text("7", after=60)
    life.mark(life.case.messages[-1].id, state)
    assert life.text("2", after=60) == ["confirm-change"]
    assert life.values("W1") == {"NRS-AVG": 7}
    assert life.text("2", after=60) == ["not-counted"]
    life.delay = timedelta(seconds=2)
    assert life.text("2", after=60) == ["thanks"]
    assert life.values("W1") == {"NRS-AVG": 7, "PGIC": 2}


@pytest.mark.shows("conversation: which question")
@pytest.mark.parametrize("state", ["sending", "uncertain"])
def test_a_number_to_a_question_nobody_could_confirm_is_asked_for_again(state: State) -> None:
    life = world()
    life.delay = None
    life.until(at("2026-01-19 10:00:10"))
    life.mark(life.case.messages[-1].id, state)
    assert life.text("7", after=60) == ["not-counted"]
    assert life.text("7", after=1) == []
    life.delay = timedelta(seconds=2)
    assert life.text("7", after=60) == ["question"]
    assert life.values("W1") == {"NRS-AVG": 7}


@pytest.mark.shows("conversation: second number")
def test_another_number_later_than_ten_minutes_is_no_correction() -> None:
    life = invited()
    life.delay = None
    life.text("7", after=60)
    life.text("5", after=601)
    assert life.values("W1") == {"NRS-AVG": 7}


@pytest.mark.shows("conversation: which question")
def test_a_question_that_did_not_arrive_was_not_asked() -> None:
    life = invited()
    life.text("7", after=60)
    life.until(life.now + timedelta(seconds=10))
    life.mark(life.case.messages[-1].id, "undelivered")
    life.text("5", after=700)
    assert life.values("W1") == {"NRS-AVG": 7}


@pytest.mark.shows("conversation: not counted")
@pytest.mark.parametrize("words", ["7", "7-8", "my leg hurts"])
@pytest.mark.parametrize("channel", ["sms-link", "sms-card"])
def test_a_text_that_nothing_asked_for_is_said_not_to_count(words: str, channel: str) -> None:
    life = invited(channel=channel)
    assert life.text(words, after=60) == ["not-counted"]
    assert life.values("W1") == {}


@pytest.mark.shows("conversation: not counted")
def test_a_participant_of_the_page_who_texts_a_number_unasked_may_answer_by_text() -> None:
    life = invited(channel="sms-link")
    assert life.text("7", after=60) == ["not-counted"]
    assert life.values("W1") == {}
    assert life.text("7", after=60) == ["question"]
    assert life.values("W1") == {"NRS-AVG": 7}


def test_the_question_is_not_sent_again_while_it_is_on_its_way() -> None:
    life = invited(channel="sms-link")
    life.delay = timedelta(minutes=5)
    assert life.text("7", after=60) == ["not-counted"]
    assert life.text("7", after=30) == []


@pytest.mark.shows("conversation: web and text")
def test_a_number_on_the_web_is_followed_by_the_next_question_in_a_text() -> None:
    life = invited()
    life.answer("W1", {"NRS-AVG": 6})
    life.until(at("2026-01-20 18:31"))
    assert life.prompts()[-1] == "W1 reminder-1"
    assert life.text("2") == ["thanks"]
    assert life.values("W1") == {"NRS-AVG": 6, "PGIC": 2}


# After completion -----------------------------------------------------------------------------------------------------


@pytest.mark.shows("conversation: already")
def test_the_same_number_after_completion_is_already_recorded() -> None:
    life = completed()
    assert life.text("7", after=30) == ["already"]
    assert len(life.records()) == 2


@pytest.mark.shows("conversation: soon after completion")
def test_another_number_soon_after_completion_is_asked_about() -> None:
    life = completed()
    assert life.text("5", after=30) == ["confirm-change"]
    assert life.values("W1")["NRS-AVG"] == 7


@pytest.mark.shows("conversation: soon after completion")
def test_yes_to_the_change_makes_it() -> None:
    life = completed()
    life.text("5", after=30)
    assert life.text("YES", after=30) == ["corrected"]
    assert life.values("W1") == {"NRS-AVG": 5, "PGIC": 2}


@pytest.mark.shows("conversation: soon after completion")
def test_no_to_the_change_leaves_the_answer() -> None:
    life = completed()
    life.text("5", after=30)
    assert life.text("no", after=30) == ["already"]
    assert life.values("W1")["NRS-AVG"] == 7


@pytest.mark.shows("conversation: soon after completion")
@pytest.mark.parametrize(
    "words, item", [("5", "NRS-AVG"), ("pardon 5", "PGIC"), ("pardon 9", "NRS-AVG"), ("sorry, my pain is 5", "NRS-AVG")]
)
def test_words_that_correct_are_about_the_newest_answer_that_they_fit(words: str, item: str) -> None:
    life = completed()
    assert life.text(words, after=30) == ["confirm-change"]
    assert life.case.messages[-1].item == item


def test_a_correction_to_the_value_of_another_answer_is_not_recorded_already() -> None:
    life = completed()
    assert life.text("pardon 7", after=30) == ["confirm-change"]
    assert life.case.messages[-1].item == "PGIC"


def test_a_yes_that_came_before_the_question_did_changes_nothing() -> None:
    life = completed()
    life.delay = None
    life.text("5", after=30)
    life.text("YES", after=1)
    assert life.values("W1")["NRS-AVG"] == 7


@pytest.mark.shows("conversation: long after completion")
def test_a_number_long_after_completion_goes_to_a_person_once() -> None:
    life = completed()
    assert life.text("5", after=3600) == ["handed-over"]
    assert life.text("4", after=60) == []
    assert life.escalations() == ["V0 E3 missed", "V0 E4 missed", "W1 E0 number_after_completion"]


def test_okay_after_our_thanks_is_nobodys_work() -> None:
    life = completed()
    assert life.text("tamam", after=30) == []
    assert "W1 E0 unreadable_reply" not in life.escalations()


# What is not a score --------------------------------------------------------------------------------------------------


@pytest.mark.shows("reading: confirm zero")
def test_none_at_all_is_confirmed_with_zero() -> None:
    life = invited()
    assert life.text("hiç", after=60) == ["confirm-zero"]
    assert life.values("W1") == {}
    assert life.text("0", after=60) == ["question"]
    assert life.values("W1") == {"NRS-AVG": 0}


def test_yes_is_not_zero() -> None:
    life = invited()
    life.text("no pain", after=60)
    assert life.text("yes", after=60) == ["reask-2"]
    assert life.values("W1") == {}


@pytest.mark.shows("never guess")
def test_what_nobody_can_read_is_asked_again_twice_and_then_a_person_reads_it() -> None:
    life = invited()
    frames = [life.text(words, after=60) for words in ("7-8", "eleven-ish", "I cannot say", "really")]
    assert frames == [["reask"], ["reask-2"], ["handed-over"], []]
    assert life.escalations()[-1] == "W1 E0 unreadable_reply"


def test_a_question_asked_again_can_be_answered() -> None:
    life = invited()
    life.text("7-8", after=60)
    assert life.text("8", after=60) == ["question"]
    assert life.values("W1") == {"NRS-AVG": 8}


def test_not_wanting_to_answer_the_first_question_ends_the_prompts() -> None:
    life = invited()
    assert life.text("prefer not to answer", after=60) == ["declined"]
    life.until(at("2026-01-30 00:00"))
    assert life.prompts() == ["W1 invitation"]
    assert life.status("W1") == "declined"


@pytest.mark.shows("reading: somebody else")
def test_the_answer_of_somebody_else_goes_to_a_person() -> None:
    life = invited()
    assert life.text("annem 5 diyor", after=60) == ["proxy"]
    assert life.values("W1") == {}
    assert life.escalations()[-1] == "W1 E0 proxy_answer"


@pytest.mark.shows("reading: tapback")
def test_a_quote_of_our_own_text_is_ignored() -> None:
    life = invited()
    assert life.text('Liked "On average, how strong was your buttock/leg pain in the last 24 hours?"', after=60) == []
