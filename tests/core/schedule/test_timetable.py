"""The protocol's table of cases: who comes late, a scheduler that stood still, little time left."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from pro_service.core.commands import CancelTexts, Escalate, Send
from pro_service.core.schedule.agenda import next_moment, on_time
from tests.core.world import STUDY, World, at, case_of, invited, person, world


def keys(life: World) -> list[str]:
    return [command.key for _, command in life.done if isinstance(command, Send | Escalate)]


def test_a_window_left_alone_is_asked_three_times_called_and_escalated() -> None:
    life = world()
    life.until(at("2026-01-23 00:00"))
    assert life.prompts() == ["W1 invitation", "W1 reminder-1", "W1 reminder-2"]
    assert [moment for moment, _ in life.accepted] == [
        at(f"2026-01-{day}:02") for day in ("19 10:00", "20 18:30", "21 12:30")
    ]
    of_w1 = [escalation for escalation in life.escalations() if escalation.startswith("W1")]
    assert of_w1 == ["W1 E1 unanswered", "W1 E2 unanswered", "W1 E3 missed"]
    assert life.case.escalations[2].raised_at == at("2026-01-21 09:00")


def test_a_call_that_was_taken_up_goes_to_the_lead_when_little_time_is_left() -> None:
    life = world()
    life.until(at("2026-01-21 10:00"))
    life.acknowledge()
    life.until(at("2026-01-21 23:59"))
    assert life.escalations()[-1] == "W1 E1 unanswered"
    life.until(at("2026-01-22 00:00"))
    assert life.escalations()[-1] == "W1 E2 little_time_left"


@pytest.mark.shows("case: inside a window")
def test_who_was_enrolled_inside_a_window_gets_one_message_now_and_then_what_still_fits() -> None:
    entered = at("2026-01-20 11:00")
    life = world(enrolled_at=entered, confirmed_at=entered)
    life.until(at("2026-01-20 11:00:05"))
    assert life.prompts() == ["W1 invitation"]
    life.until(at("2026-01-23 00:00"))
    assert life.prompts() == ["W1 invitation", "W1 reminder-1", "W1 reminder-2"]
    assert [moment for moment, _ in life.accepted][1:] == [at("2026-01-21 09:00:02"), at("2026-01-22 09:00:02")]


def test_who_was_enrolled_inside_a_window_at_night_is_asked_in_the_morning() -> None:
    entered = at("2026-01-20 23:00")
    life = world(enrolled_at=entered, confirmed_at=entered)
    life.until(at("2026-01-21 12:00"))
    assert [moment for moment, _ in life.accepted] == [at("2026-01-21 09:00:02")]


def test_who_was_enrolled_hours_before_the_close_is_telephoned_and_not_asked() -> None:
    entered = at("2026-01-22 19:00")
    life = world(enrolled_at=entered, confirmed_at=entered)
    life.until(at("2026-01-22 23:59"))
    assert life.prompts() == []
    assert "W1 E1 by_telephone" in life.escalations()


@pytest.mark.shows("case: after a window")
def test_who_was_enrolled_after_a_window_has_missed_it_quietly() -> None:
    entered = at("2026-01-25 12:00")
    life = world(enrolled_at=entered, confirmed_at=entered)
    life.until(at("2026-01-30 00:00"))
    assert life.window("W1").settled == "missed_before_enrolment"
    assert keys(life) == []


@pytest.mark.shows("case: future")
def test_nothing_is_sent_before_the_procedure_is_confirmed_but_somebody_is_asked_on_the_day() -> None:
    life = world(enrolled_at=at("2026-01-05 12:00"), confirmed_at=None)
    life.until(at("2026-01-12 08:59"))
    assert keys(life) == []
    life.until(at("2026-01-30 00:00"))
    assert life.escalations()[0] == "E0 confirm_procedure"
    assert life.case.escalations[0].raised_at == at("2026-01-12 09:00")
    assert life.accepted == []
    assert all(window.settled is None for window in life.case.windows)


def test_a_task_before_the_confirmation_goes_up_the_ladder_too() -> None:
    life = world(enrolled_at=at("2026-01-05 12:00"), confirmed_at=None)
    life.until(at("2026-01-14 12:00"))
    assert life.escalations() == ["E0 confirm_procedure", "E2 confirm_procedure"]


def test_what_a_confirmation_makes_due_is_looked_at_at_once() -> None:
    life = world(confirmed_at=None)
    life.until(at("2026-01-20 11:00"))
    life.change(confirmed_at=life.now)
    assert next_moment(life.case, life.now) == life.now


@pytest.mark.shows("case: over a step")
def test_after_an_outage_over_a_step_only_the_newest_is_sent() -> None:
    life = invited()
    life.ticking = False
    life.until(at("2026-01-21 14:00"))
    life.ticking = True
    life.until(at("2026-01-23 00:00"))
    assert life.prompts() == ["W1 invitation", "W1 reminder-2"]


@pytest.mark.shows("case: over a step")
def test_a_reminder_more_than_a_day_late_is_not_sent() -> None:
    life = invited()
    life.ticking = False
    life.until(at("2026-01-22 12:30"))
    life.ticking = True
    life.until(at("2026-01-23 00:00"))
    assert life.prompts() == ["W1 invitation"]


def test_who_was_not_asked_is_invited_as_long_as_an_answer_is_of_use() -> None:
    life = world()
    life.ticking = False
    life.until(at("2026-01-22 12:30"))
    life.ticking = True
    life.until(at("2026-01-23 00:00"))
    assert life.prompts() == ["W1 invitation"]


@pytest.mark.shows("case: over a window")
def test_an_outage_over_the_whole_window_is_one_missed_escalation_and_no_text() -> None:
    life = world()
    life.until(at("2026-01-17 00:00"))
    life.ticking = False
    life.until(at("2026-02-01 00:00"))
    life.ticking = True
    life.until(at("2026-02-02 00:00"))
    assert life.accepted == []
    assert [escalation for escalation in life.escalations() if escalation.startswith("W1")] == ["W1 E3 missed"]


def test_an_outage_until_shortly_before_the_close_raises_call_and_lead_together_once() -> None:
    life = world()
    life.ticking = False
    life.until(at("2026-01-22 12:00"))
    life.ticking = True
    life.until(at("2026-01-22 23:59"))
    of_w1 = [escalation for escalation in life.escalations() if escalation.startswith("W1")]
    assert of_w1 == ["W1 E1 by_telephone", "W1 E2 little_time_left"]


def test_a_call_due_for_two_reasons_at_once_goes_up_once() -> None:
    life = world()
    life.until(at("2026-01-21 10:00"))
    life.ticking = False
    life.until(at("2026-01-22 12:00"))
    commands = on_time(life.case, life.now)
    assert [command.key for command in commands if isinstance(command, Escalate)].count("E2:w101") == 1


def test_a_call_whose_window_closed_in_an_outage_ends_and_does_not_go_up() -> None:
    life = world()
    life.until(at("2026-01-21 10:00"))
    life.ticking = False
    life.until(at("2026-01-24 12:00"))
    life.ticking = True
    life.until(at("2026-01-24 12:01"))
    assert life.outcome("E1") == "window_closed"
    assert [e for e in life.escalations() if e.startswith("W1")] == ["W1 E1 unanswered", "W1 E3 missed"]


def test_a_window_without_a_working_day_goes_to_the_stand_in() -> None:
    holidays = frozenset(date(2026, 1, day) for day in range(18, 24))
    life = World(case_of(person(), STUDY, holidays), at("2026-01-12 12:00"))
    life.until(at("2026-01-22 23:59"))
    assert [e for e in life.escalations() if e.startswith("W1")] == ["W1 E2 little_time_left"]


def test_two_windows_missed_in_a_row_are_a_pattern() -> None:
    life = world()
    life.until(at("2026-02-20 00:00"))
    assert "M1 E4 missed_in_a_row" in life.escalations()


def test_the_calls_of_who_withdrew_end() -> None:
    life = world()
    life.until(at("2026-01-21 10:00"))
    life.change(withdrawn_at=life.now)
    life.until(at("2026-01-21 10:01"))
    assert life.outcome("E1") == "withdrew"
    life.until(at("2026-01-30 00:00"))
    assert life.window("W1").settled == "withdrawn_after_opening"
    assert life.window("M1").settled is None


def test_who_takes_no_texts_is_telephoned() -> None:
    life = world(consented_at=None)
    life.until(at("2026-01-22 00:00"))
    assert life.accepted == []
    assert "W1 E1 by_telephone" in life.escalations()


def test_a_pause_without_an_end_is_ended_by_a_person() -> None:
    life = world(paused_at=at("2026-01-18 00:00"))
    life.until(at("2026-01-21 09:00"))
    assert life.case.messages == ()
    life.change(paused_at=None)
    life.until(at("2026-01-21 09:01"))
    assert life.prompts() == ["W1 invitation"]


@pytest.mark.shows("conversation: partial")
def test_a_partly_answered_window_is_reminded_of_what_is_missing() -> None:
    life = invited()
    life.answer("W1", {"NRS-AVG": 4})
    life.until(at("2026-01-22 23:59"))
    assert life.prompts()[1:] == ["W1 reminder-1", "W1 reminder-2"]
    assert {text.item for _, text in life.accepted[1:]} == {"PGIC"}
    assert not [escalation for escalation in life.escalations() if escalation.startswith("W1")]


def test_prompts_are_told_on_the_clock_of_the_participant() -> None:
    zone = ZoneInfo("America/New_York")
    life = world(zone=zone)
    life.until(at("2026-01-20 00:00"))
    assert life.accepted[0][0].astimezone(zone).strftime("%d %H:%M") == "19 10:00"


def test_a_step_counts_as_taken_if_it_was_accepted_since_the_new_window_opened() -> None:
    life = invited()
    moved = case_of(person(procedure_date=date(2026, 1, 13)), number=2)
    old = tuple(replace(window, cancelled_at=life.now) for window in life.case.windows)
    life.case = replace(life.case, participant=moved.participant, windows=(*old, *moved.windows))
    life.carry_out((CancelTexts(),))
    life.until(at("2026-01-21 18:29"))
    assert life.prompts() == ["W1 invitation"]
    life.until(at("2026-01-21 18:31"))
    assert life.prompts() == ["W1 invitation", "W1 reminder-1"]


def test_nothing_is_looked_at_any_more_when_all_is_over() -> None:
    life = world()
    life.until(at("2026-06-30 00:00"))
    life.acknowledge()
    assert next_moment(life.case, datetime(2026, 7, 1, tzinfo=UTC)) is None
