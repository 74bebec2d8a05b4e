"""A task keeps its reason when it climbs, and ends with its cause: for every reason that can go away by itself."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pro_service.core.case import Call, EscalationFacts, MessageFacts, State
from pro_service.core.commands import Escalate, Resolve
from pro_service.core.schedule.agenda import escalate, on_time
from tests.core.world import World, at, world

IN_W1 = at("2026-01-20 11:00")


def with_task(life: World, reason: str, *, window: str | None = "W1", **facts: object) -> EscalationFacts:
    """Give somebody a task of this reason, in a window or about the participant."""
    task = escalate(life.case, "E0", reason, life.now, None if window is None else life.window(window))
    life.carry_out((task,))
    if facts:
        life.change(**facts)
    return next(one for one in life.case.escalations if one.key == task.key)


def ended(life: World, task: EscalationFacts) -> str | None:
    """Return how a task ends by itself now; None if it stays."""
    return next(
        (c.outcome for c in on_time(life.case, life.now) if c == Resolve(task.id, getattr(c, "outcome", ""))), None
    )


def with_text(life: World, state: State, *, after: timedelta = timedelta(minutes=5)) -> None:
    """Add a text of the one-week window: taken by the provider, unless its state says otherwise."""
    when = life.now + after
    taken = when if state in ("accepted", "sent", "delivered") else None
    text = MessageFacts(
        900, life.window("W1").id, "reminder-1", "reminder-1.sms-reply", None, None, state, when, taken, None
    )
    life.case = replace(life.case, messages=(*life.case.messages, text))


def test_a_confirmation_ends_the_question_and_all_that_climbed_from_it() -> None:
    life = world(enrolled_at=at("2026-01-05 12:00"), confirmed_at=None)
    life.until(at("2026-01-14 12:00"))
    assert life.escalations() == ["E0 confirm_procedure", "E2 confirm_procedure"]
    life.change(confirmed_at=life.now)
    life.until(life.now + timedelta(minutes=1))
    assert [one.outcome for one in life.case.escalations[:2]] == ["confirmed", "confirmed"]


@pytest.mark.parametrize("reason", ["bad_number", "wrong_number"])
def test_another_number_ends_what_was_wrong_with_the_old_one(reason: str) -> None:
    life = world()
    life.until(IN_W1)
    task = with_task(life, reason, unreachable_at=life.now)
    assert ended(life, task) is None
    life.change(unreachable_at=None)
    assert ended(life, task) == "cleared"


def test_a_start_word_ends_a_stop_at_the_provider() -> None:
    life = world()
    life.until(IN_W1)
    task = with_task(life, "opted_out_at_provider", opted_out_at=life.now)
    assert ended(life, task) is None
    life.change(opted_out_at=None)
    assert ended(life, task) == "cleared"


@pytest.mark.parametrize("state, outcome", [("accepted", None), ("undelivered", None), ("delivered", "cleared")])
def test_a_later_text_that_arrived_ends_one_that_did_not(state: State, outcome: str | None) -> None:
    life = world()
    life.until(IN_W1)
    task = with_task(life, "not_delivered")
    with_text(life, state)
    assert ended(life, task) == outcome


@pytest.mark.parametrize("state, outcome", [("uncertain", None), ("dead", None), ("accepted", "cleared")])
def test_was_it_sent_is_no_question_any_more_once_the_provider_knows(state: State, outcome: str | None) -> None:
    life = world()
    life.until(IN_W1)
    task = with_task(life, "uncertain_delivery")
    life.case = replace(life.case, messages=())
    with_text(life, state)
    assert ended(life, task) == outcome


@pytest.mark.parametrize("state", ["ready", "expired", "dead", "refused"])
def test_a_text_that_did_not_leave_is_no_question_any_more_once_a_later_one_was_taken(state: State) -> None:
    life = world()
    life.until(IN_W1)
    life.case = replace(life.case, messages=())
    with_text(life, state, after=-timedelta(minutes=5))
    task = with_task(life, "uncertain_delivery")
    assert ended(life, task) is None
    with_text(life, "accepted")
    assert ended(life, task) == "cleared"


def test_a_text_in_doubt_that_was_withdrawn_is_nobodys_question() -> None:
    life = world()
    life.until(IN_W1)
    life.case = replace(life.case, messages=())
    with_text(life, "cancelled", after=-timedelta(minutes=5))
    assert ended(life, with_task(life, "uncertain_delivery")) == "cleared"


@pytest.mark.parametrize("reason", ["not_delivered", "uncertain_delivery"])
def test_the_answer_ends_what_was_wrong_with_the_text_that_asked(reason: str) -> None:
    life = world()
    life.until(IN_W1)
    life.case = replace(life.case, messages=())
    task = with_task(life, reason)
    assert ended(life, task) is None
    life.answer("W1", {"NRS-AVG": 3})
    assert ended(life, task) == "answered"


def test_rules_that_work_again_end_the_fault() -> None:
    life = world()
    life.until(IN_W1)
    assert ended(life, with_task(life, "rules_fault", window=None)) == "cleared"


@pytest.mark.parametrize("reason", ["safety_word", "unreadable_reply", "proxy_answer", "no_channel", "missed"])
def test_what_a_person_must_see_never_ends_by_itself(reason: str) -> None:
    life = world()
    life.until(IN_W1)
    assert ended(life, with_task(life, reason, window=None)) is None


@pytest.mark.parametrize("outcome, ends", [("will_do_it", "will_do_it"), ("no_answer", None), ("call_back_at", None)])
def test_a_wish_to_be_called_ends_when_they_were_spoken_to(outcome: str, ends: str | None) -> None:
    life = world()
    life.until(IN_W1)
    early = Call(None, life.now - timedelta(hours=1), "will_do_it")
    task = with_task(life, "asked_for_call", window=None)
    life.case = replace(life.case, calls=(early,))
    assert ended(life, task) is None
    life.case = replace(life.case, calls=(early, Call(None, life.now + timedelta(hours=1), outcome)))
    assert ended(life, task) == ends


def test_no_answer_ends_a_wish_that_is_a_task_of_its_own() -> None:
    life = world()
    life.until(IN_W1)
    task = with_task(life, "asked_for_call")
    life.answer("W1", {"NRS-AVG": 3, "PGIC": 2})
    assert ended(life, task) is None


def test_the_call_of_a_window_that_was_asked_for_ends_with_the_window() -> None:
    life = world()
    life.until(IN_W1)
    life.text("call me in the evening")
    task = next(one for one in life.case.escalations if one.reason == "asked_for_call")
    life.case = replace(life.case, calls=(Call(task.window_id, life.now + timedelta(minutes=1), "will_do_it"),))
    assert ended(life, task) is None
    life.answer("W1", {"NRS-AVG": 3, "PGIC": 2})
    assert life.outcome("E1") == "answered"


def test_a_start_after_a_stop_word_in_a_sentence_settles_it_and_texts_go_on() -> None:
    life = world()
    life.until(at("2026-01-19 18:00"))
    life.text("please stop it now")
    task = next(one for one in life.case.escalations if one.reason == "stop_word")
    assert life.case.participant.texts_held_until == at("2026-01-20 18:00")
    assert life.text("START", after=600) == ["started"]
    life.until(life.now + timedelta(minutes=1))
    assert next(one for one in life.case.escalations if one.id == task.id).outcome == "cleared"
    life.until(at("2026-01-20 18:31"))
    assert life.prompts() == ["W1 invitation", "W1 reminder-1"]


@pytest.mark.parametrize("words", ["STOP", "HELP", "5"])
def test_nothing_else_that_is_written_settles_a_stop_word_in_a_sentence(words: str) -> None:
    life = world()
    life.until(IN_W1)
    life.text("I want to withdraw from the study")
    task = next(one for one in life.case.escalations if one.reason == "stop_word")
    life.text(words, after=600)
    life.until(life.now + timedelta(minutes=1))
    assert next(one for one in life.case.escalations if one.id == task.id).open


@pytest.mark.parametrize("reason", ["asked_for_call", "stop_word"])
def test_nobody_who_has_left_is_called_or_asked_about_texts(reason: str) -> None:
    life = world()
    life.until(IN_W1)
    task = with_task(life, reason, window=None)
    life.change(withdrawn_at=life.now)
    assert ended(life, task) == "withdrew"


def test_explaining_a_missed_window_ends_the_investigators_task_that_came_of_it() -> None:
    life = world()
    life.until(at("2026-02-01 12:00"))
    missed = [one for one in life.case.escalations if one.reason == "missed" and one.open][:2]
    assert [one.level for one in missed] == ["E3", "E4"]
    life.carry_out((Resolve(missed[0].id, "forgot"),))
    assert ended(life, missed[1]) == "forgot"


def test_a_task_that_climbs_keeps_its_reason() -> None:
    life = world()
    life.until(IN_W1)
    task = with_task(life, "asked_for_call", window=None)
    later: datetime = task.due_at + timedelta(minutes=1)
    raised = [c for c in on_time(life.case, later) if isinstance(c, Escalate) and c.key == f"E2:e{task.id}"]
    assert [one.reason for one in raised] == ["asked_for_call"]
