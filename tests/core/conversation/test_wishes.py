"""Wishes in texts: stopping, starting, being called, later; safety words, and how often we speak."""

from datetime import timedelta

import pytest

from pro_service.core.commands import OptIn, OptOut, Resolve
from tests.core.ledger import with_facts
from tests.core.world import World, at, completed, invited, world


def opted_out(life: World) -> bool:
    return life.case.participant.opted_out_at is not None


# Stopping -------------------------------------------------------------------------------------------------------------


@pytest.mark.shows("stopping: words", "stopping: not withdrawal")
@pytest.mark.parametrize("word", ["STOP", "dur", "İPTAL", "mesaj istemiyorum"])
def test_a_stop_word_during_a_question_is_an_opt_out_acknowledged_once(word: str) -> None:
    life = invited()
    assert life.text(word, after=60) == ["stopped"]
    assert opted_out(life)
    assert life.text(word, after=60) == []
    life.until(at("2026-01-30 00:00"))
    assert life.prompts() == ["W1 invitation"]
    assert "W1 E1 unanswered" in life.escalations()


@pytest.mark.shows("stopping: acknowledged once")
def test_what_the_provider_acknowledged_we_do_not() -> None:
    life = invited()
    assert life.text("STOP", opt_out="STOP", after=60) == []
    assert opted_out(life)
    assert life.text("HELP", opt_out="HELP", after=60) == []


@pytest.mark.shows("stopping: not undone")
def test_a_later_number_is_kept_and_does_not_undo_the_opt_out() -> None:
    life = invited()
    life.text("STOP", after=60)
    assert life.text("7", after=60) == []
    assert life.values("W1") == {"NRS-AVG": 7}
    assert opted_out(life)


@pytest.mark.shows("stopping: start")
def test_start_undoes_the_opt_out_and_the_newest_useful_step_follows() -> None:
    life = invited()
    life.text("STOP", after=60)
    life.until(at("2026-01-21 15:00"))
    assert life.text("BAŞLA") == ["started"]
    assert not opted_out(life)
    life.until(at("2026-01-21 15:01"))
    assert life.prompts() == ["W1 invitation", "W1 reminder-2"]


def test_start_of_who_never_stopped_changes_nothing() -> None:
    life = invited()
    assert life.text("START", after=60) == ["started"]
    assert not any(isinstance(command, OptIn | OptOut) for _, command in life.done)


@pytest.mark.shows("stopping: start")
def test_start_gives_no_consent() -> None:
    life = world(consented_at=None)
    life.until(at("2026-01-19 10:00"))
    life.case = with_facts(life.case, opted_out_at=life.now)
    assert life.text("START", after=60) == []


@pytest.mark.shows("stopping: sentence")
def test_a_stop_word_inside_a_sentence_holds_texts_for_a_day_until_a_person_looked() -> None:
    life = invited()
    life.until(at("2026-01-20 18:00"))
    assert life.text("please stop it now") == []
    assert not opted_out(life)
    assert life.escalations()[-1] == "W1 E0 stop_word"
    life.until(at("2026-01-21 18:30"))
    assert life.prompts() == ["W1 invitation", "W1 reminder-2"]
    assert life.accepted[-1][0] >= at("2026-01-21 18:00")


@pytest.mark.shows("stopping: help")
def test_help_says_who_we_are() -> None:
    assert invited().text("siz kimsiniz", after=60) == ["help"]


@pytest.mark.shows("stopping: wrong number")
def test_a_wrong_number_stops_everything_at_once() -> None:
    life = invited()
    assert life.text("yanlış numara", after=60) == []
    assert life.escalations()[-1] == "W1 E0 wrong_number"
    life.until(at("2026-01-30 00:00"))
    assert life.prompts() == ["W1 invitation"]


# Wishes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.shows("stopping: call")
def test_who_wants_to_be_called_is_called() -> None:
    life = invited()
    assert life.text("beni arayın", after=60) == ["call-me"]
    assert life.escalations()[-1] == "W1 E1 asked_for_call"


def test_who_wants_to_be_called_again_after_the_call_is_called_again() -> None:
    life = invited()
    life.text("call me", after=60)
    call = next(e for e in life.case.escalations if e.level == "E1")
    life.carry_out((Resolve(call.id, "no_answer"),))
    life.text("call me", after=3600)
    assert life.escalations()[-1] == "W1 E0 asked_for_call"


@pytest.mark.shows("stopping: snooze")
def test_later_moves_the_next_prompt_and_says_to_when() -> None:
    life = invited()
    life.until(at("2026-01-20 18:30:10"))
    assert life.text("yarın", after=60) == ["snoozed"]
    assert life.case.participant.snoozed_until == at("2026-01-21 10:00")
    life.until(at("2026-01-21 12:29"))
    assert life.prompts()[-1] == "W1 reminder-2"
    assert life.accepted[-1][0] == at("2026-01-21 10:00:02")


@pytest.mark.shows("stopping: snooze")
def test_later_on_the_day_of_a_prompt_is_the_next_morning() -> None:
    life = invited()
    life.text("1 saat sonra", after=60)
    assert life.case.participant.snoozed_until == at("2026-01-20 09:00")
    life.until(at("2026-01-20 09:01"))
    assert life.prompts() == ["W1 invitation", "W1 reminder-1"]


def test_a_last_reminder_that_was_asked_for_earlier_and_never_left_comes_at_its_own_time() -> None:
    life = world()
    life.until(at("2026-04-19 12:31"))
    assert life.prompts()[-1] == "M3 reminder-2"
    assert life.text("tomorrow") == ["snoozed"]
    life.delay = None  # the provider is away for two days
    life.until(at("2026-04-21 12:00"))
    assert [text.state for text in life.case.messages if text.kind == "reminder-3"] == ["expired"]
    life.delay = timedelta(seconds=2)
    life.until(at("2026-04-30 00:00"))
    assert life.prompts()[-2:] == ["M3 reminder-2", "M3 reminder-3"]
    assert life.accepted[-1][0] == at("2026-04-23 18:30:02")


@pytest.mark.shows("stopping: snooze")
def test_later_when_no_prompt_is_left_becomes_a_call() -> None:
    life = world()
    life.until(at("2026-01-21 12:31"))
    assert life.text("tomorrow") == ["call-me-at"]
    assert life.case.participant.snoozed_until is None
    assert life.case.escalations[-1].due_at == at("2026-01-22 16:30")


# Safety ---------------------------------------------------------------------------------------------------------------


@pytest.mark.shows("stopping: safety words")
def test_a_safety_word_gets_the_fixed_reply_and_a_person_at_once() -> None:
    life = invited()
    assert life.text("ölmek istiyorum", after=60) == ["safety"]
    assert life.escalations()[-1] == "W1 ES safety_word"
    assert life.case.escalations[-1].due_at - life.now == timedelta(hours=2)


@pytest.mark.shows("safety: own path")
@pytest.mark.parametrize("fact", ["opted_out_at", "withdrawn_at", "died_at", "texts_held_until", "unreachable_at"])
def test_a_safety_word_reaches_people_whatever_holds_texts_back(fact: str) -> None:
    life = invited()
    life.case = with_facts(life.case, **{fact: life.now + timedelta(days=1 if fact == "texts_held_until" else 0)})
    said = life.text("acil", after=60)
    assert said == (["safety"] if fact == "texts_held_until" else [])
    assert any(line.endswith("ES safety_word") for line in life.escalations())


@pytest.mark.shows("safety: own path")
def test_a_safety_word_reaches_people_though_we_have_said_too_much_this_hour() -> None:
    life = invited()
    for _ in range(14):
        life.text("acil", after=10)
    life.acknowledge()
    assert life.text("acil", after=10) == []
    assert life.escalations(open_only=True).count("W1 ES safety_word") == 2


@pytest.mark.shows("reading: media")
def test_a_picture_gets_the_polite_text_and_nothing_is_kept() -> None:
    life = invited()
    assert life.text("", media=1, after=60) == ["media"]
    assert life.records() == []
    assert life.text("7", media=1, after=60) == ["question"]


@pytest.mark.shows("stopping: safety words")
def test_a_safety_word_after_somebody_took_the_first_up_is_raised_again() -> None:
    life = invited()
    life.text("acil", after=60)
    life.text("acil", after=60)
    assert life.escalations().count("W1 ES safety_word") == 1
    life.acknowledge()
    life.text("acil", after=60)
    assert life.escalations().count("W1 ES safety_word") == 2


@pytest.mark.shows("stopping: score threshold")
def test_a_high_score_asks_for_a_clinical_review() -> None:
    life = invited()
    life.text("8", after=60)
    assert life.escalations()[-1] == "W1 ES score_threshold"


# Limits ---------------------------------------------------------------------------------------------------------------


@pytest.mark.shows("conversation: three asides")
def test_at_most_three_asides_an_hour() -> None:
    life = completed()
    assert [life.text("HELP", after=60) for _ in range(5)] == [["help"], ["help"], ["help"], [], []]
    assert life.text("HELP", after=3600) == ["help"]


@pytest.mark.shows("conversation: twelve")
def test_at_most_twelve_replies_an_hour_in_all() -> None:
    life = invited()
    frames = [life.text("acil", after=60) for _ in range(15)]
    assert frames == [["safety"]] * 12 + [[]] * 3


@pytest.mark.shows("conversation: three asides")
def test_what_cannot_be_asked_again_is_read_by_a_person() -> None:
    life = invited()
    for _ in range(3):
        life.text("HELP", after=10)
    assert life.text("7-8", after=10) == []
    assert life.escalations()[-1] == "W1 E0 unreadable_reply"


def test_the_acknowledgement_of_a_stop_is_never_too_much() -> None:
    life = invited()
    for _ in range(14):
        life.text("acil", after=10)
    assert life.text("STOP", after=10) == ["stopped"]
