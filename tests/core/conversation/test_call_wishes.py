"""A wish to be called at a time of day: when the call falls due, what the participant is told, and one call only."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings

from pro_service import paths
from pro_service.core.case import Call
from pro_service.core.commands import Escalate, MoveCall, Resolve, Send
from pro_service.core.conversation.inbox import call_task
from pro_service.core.schedule.calendar import is_working, local_day
from pro_service.core.schedule.call_times import promised_hours
from pro_service.core.schedule.windows import within
from pro_service.wording import Wording
from tests.core.histories import Happening, happen, histories, worlds
from tests.core.world import STUDY, World, at, completed, invited, world

FRAMES = {
    language: {
        file.stem: file.read_text(encoding="utf-8") for file in (paths.templates() / "sms" / language).glob("*.txt")
    }
    for language in ("en", "tr")
}


def told(life: World) -> str:
    """Return the words of our last text."""
    last = [command for _, command in life.done if isinstance(command, Send)][-1]
    return Wording(1, FRAMES).text(life.case, last)


def waiting(life: World, text: str, when: str) -> World:
    """Let somebody send a text at that moment."""
    life.until(at(when))
    life.text(text)
    return life


def call_of(life: World, level: str = "E1") -> tuple[str, str | None, str]:
    """Return why, for which part of the day and for when somebody is to be called."""
    task = [e for e in life.case.escalations if e.level == level][-1]
    return task.reason, task.part_of_day, f"{task.due_at.astimezone(life.case.site_zone):%a %H:%M}"


def still_open(life: World) -> list[str]:
    """Return the open tasks of the first window that asks."""
    return [line for line in life.escalations(open_only=True) if line.startswith("W1")]


@pytest.mark.shows("stopping: call at a time")
@pytest.mark.parametrize(
    "text, when, part, due, said",
    [
        ("beni akşam arayın", "2026-01-19 11:00", "evening", "Mon 16:30", "Monday 19 January 16:00 to 17:00"),
        ("öğlen ararsanız", "2026-01-19 11:00", "afternoon", "Mon 15:30", "Monday 19 January 12:00 to 16:00"),
        ("sabah arayın lütfen", "2026-01-19 11:00", "morning", "Mon 11:30", "Monday 19 January 09:00 to 12:00"),
        ("sabah arayın lütfen", "2026-01-19 11:30", "morning", "Tue 11:30", "Tuesday 20 January 09:00 to 12:00"),
        ("call me in the evening", "2026-01-19 18:00", "evening", "Tue 16:30", "Tuesday 20 January 16:00 to 17:00"),
        ("please ring me tomorrow morning", "2026-01-19 11:00", "morning", "Tue 11:30", "20 January 09:00 to 12:00"),
        ("call me tomorrow", "2026-01-19 11:00", None, "Tue 16:30", "Tuesday 20 January 09:00 to 17:00"),
    ],
)
def test_a_call_falls_due_in_the_part_of_the_day_that_was_asked_for(
    text: str, when: str, part: str | None, due: str, said: str
) -> None:
    life = waiting(invited(), text, when)
    assert call_of(life) == ("asked_for_call", part, due)
    assert said in told(life)
    assert FRAMES["en"]["call-me-at"].partition("{")[0] in told(life)


def test_a_turkish_wish_is_answered_with_the_day_and_the_hours() -> None:
    life = waiting(invited(language="tr"), "beni akşam arayın", "2026-01-19 11:00")
    assert "19 Ocak Pazartesi 16:00 ile 17:00 arası" in told(life)


@pytest.mark.shows("stopping: call at a time")
def test_a_second_wish_moves_the_call_and_makes_no_second_one() -> None:
    life = waiting(invited(), "beni akşam arayın", "2026-01-19 11:00")
    waiting(life, "yarın sabah arayın", "2026-01-19 12:00")
    assert call_of(life) == ("asked_for_call", "morning", "Tue 11:30")
    assert life.escalations().count("W1 E1 asked_for_call") == 1
    assert still_open(life) == ["W1 E1 asked_for_call"]
    waiting(life, "beni arayın", "2026-01-19 13:00")
    assert call_of(life) == ("asked_for_call", None, "Mon 17:00")


def test_a_wish_moves_a_call_that_the_protocol_raised() -> None:
    life = waiting(invited(), "beni öğlen arayın", "2026-01-21 10:00")
    assert call_of(life) == ("unanswered", "afternoon", "Wed 15:30")
    assert still_open(life) == ["W1 E1 unanswered"]


def test_a_wish_moves_the_call_for_want_of_a_card_and_no_card_ends_it() -> None:
    life = waiting(world(channel="sms-card", card_made_at=None), "beni öğlen arayın", "2026-01-19 11:00")
    assert call_of(life) == ("no_card", "afternoon", "Mon 15:30")
    assert still_open(life) == ["W1 E1 no_card"]
    assert call_task(life.case, 1, life.now) is None, "the inbox knows of it too"
    life.change(card_made_at=life.now)
    life.until(at("2026-01-19 12:00"))
    assert still_open(life) == ["W1 E1 no_card"]


@pytest.mark.shows("stopping: call beside an answer")
@pytest.mark.parametrize(
    "language, text, when, due, said",
    [
        ("en", "7, please call me", "19 11:00", "Tue 17:00", "We will call you on this number during working hours."),
        ("en", "7 but call me in the evening", "21 13:00", "Wed 16:30", "Wednesday 21 January 16:00 to 17:00."),
        ("tr", "Ağrım 7, yarın arayın", "21 13:00", "Thu 16:30", "22 Ocak Perşembe 09:00 ile 17:00 arası."),
        ("tr", "7. Lütfen beni arayın", "21 13:00", "Thu 17:00", "Sizi mesai saatlerinde arayacağız."),
    ],
)
def test_a_wish_beside_an_answer_is_told_and_outlasts_the_call_that_the_answer_ends(
    language: str, text: str, when: str, due: str, said: str
) -> None:
    life = invited(language=language)
    life.until(at(f"2026-01-{when}"))
    assert life.text(text) == ["question"]
    assert life.values("W1") == {"NRS-AVG": 7}
    line, _, question = told(life).partition("\n")
    assert said in line
    assert STUDY.items["PGIC"].question[language] in question
    assert call_of(life, "E0")[2] == due
    assert still_open(life) == ["W1 E0 asked_for_call"]
    assert life.text("2", after=60) == ["thanks"]
    assert still_open(life) == ["W1 E0 asked_for_call"]


@pytest.mark.shows("stopping: call beside an answer")
def test_a_wish_beside_a_number_that_must_be_asked_about_is_told_with_the_question() -> None:
    life = completed()
    assert life.text("9, please call me") == ["confirm-change"]
    assert life.values("W1") == {"NRS-AVG": 7, "PGIC": 2}
    assert told(life).startswith("We will call you")
    assert still_open(life) == ["W1 E0 asked_for_call"]
    assert life.text("yes", after=60) == ["corrected"]
    assert life.values("W1")["NRS-AVG"] == 9


def test_a_stored_version_without_the_line_about_the_call_says_what_it_has() -> None:
    life = invited()
    life.text("7 but call me in the evening", after=60)
    last = [command for _, command in life.done if isinstance(command, Send)][-1]
    frames = {name: text for name, text in FRAMES["en"].items() if name not in ("will-call-at", "call-me-at")}
    said = Wording(1, {"en": frames}).text(life.case, last)
    assert said.startswith(FRAMES["en"]["call-me"].partition(" {")[0])


def test_the_same_text_twice_is_one_wish() -> None:
    life = waiting(invited(), "beni akşam arayın", "2026-01-19 11:00")
    life.text("beni akşam arayın", after=20)
    assert not any(isinstance(command, MoveCall) for _, command in life.done)
    life.text("beni akşam arayın", after=3600)
    assert sum(isinstance(command, MoveCall) for _, command in life.done) == 1


@pytest.mark.shows("stopping: call at a time")
@pytest.mark.parametrize(
    "text, when, due, said",
    [
        ("call me in the morning", "2026-01-22 11:45", "Thu 16:30", "Thursday 22 January 09:00 to 17:00"),
        ("call me tomorrow evening", "2026-01-22 09:00", "Thu 16:30", "Thursday 22 January 09:00 to 17:00"),
        ("call me in the evening", "2026-01-22 09:00", "Thu 16:30", "Thursday 22 January 16:00 to 17:00"),
    ],
)
def test_the_call_comes_before_the_close_even_if_it_is_at_another_time(
    text: str, when: str, due: str, said: str
) -> None:
    life = waiting(invited(), text, when)
    level = max(e.level for e in life.case.escalations if e.open and e.level in ("E1", "E2"))
    assert call_of(life, level)[2] == due
    assert said in told(life)
    assert all(e.due_at < life.window("W1").span.closes_at for e in life.case.escalations if e.asked_at is not None)


@pytest.mark.shows("stopping: call at a time")
def test_where_nobody_works_before_the_close_the_call_is_a_task_that_the_close_does_not_end() -> None:
    life = waiting(invited(), "call me in the morning", "2026-01-22 16:45")
    assert call_of(life, "E0") == ("asked_for_call", "morning", "Fri 11:30")
    assert "Friday 23 January 09:00 to 12:00" in told(life)
    life.until(at("2026-01-23 09:00"))
    assert "W1 E0 asked_for_call" in still_open(life)


def test_after_the_answers_a_wish_is_a_task_of_its_own() -> None:
    life = completed()
    waiting(life, "call me in the evening", "2026-01-19 11:00")
    assert call_of(life, "E0") == ("asked_for_call", "evening", "Mon 16:30")
    waiting(life, "call me tomorrow morning", "2026-01-19 12:00")
    assert life.escalations().count("W1 E0 asked_for_call") == 1
    assert call_of(life, "E0") == ("asked_for_call", "morning", "Tue 11:30")


def test_a_wish_after_the_first_one_was_met_is_another_task() -> None:
    life = completed()
    life.text("call me in the evening")
    first = life.case.escalations[-1]
    life.carry_out((Resolve(first.id, "done"),))
    life.text("call me in the evening", after=3600)
    assert life.case.escalations[-1].key != first.key
    assert still_open(life) == ["W1 E0 asked_for_call"]


def test_a_wish_goes_up_the_ladder_with_its_task() -> None:
    life = waiting(invited(), "call me in the morning", "2026-01-20 10:00")
    life.until(at("2026-01-20 11:31"))
    assert call_of(life, "E2") == ("asked_for_call", "morning", "Tue 17:00")


def test_what_becomes_urgent_is_not_due_before_the_wish() -> None:
    life = waiting(invited(), "call me tomorrow evening", "2026-01-21 15:00")
    life.acknowledge()
    life.until(at("2026-01-22 00:00"))
    assert call_of(life, "E2") == ("little_time_left", "evening", "Thu 17:00")
    raised = [command for _, command in life.done if isinstance(command, Escalate) and command.level == "E2"]
    assert raised[0].wish is not None
    assert raised[0].wish.not_before == at("2026-01-22 16:00")


def test_a_missed_window_says_that_somebody_asked_to_be_called() -> None:
    life = waiting(invited(), "call me in the evening", "2026-01-22 10:00")
    life.until(at("2026-01-23 00:00"))
    assert call_of(life, "E3")[:2] == ("missed", "evening")


def test_later_when_no_prompt_is_left_is_a_call_in_the_evening() -> None:
    life = invited()
    life.until(at("2026-01-21 12:31"))
    assert life.text("bu akşam") == ["call-me-at"]
    assert call_of(life)[1:] == ("evening", "Wed 16:30")


@pytest.mark.shows("stopping: call at a time")
@pytest.mark.parametrize("text", ["akşam arayın 7", "akşam 7'de arayın", "sabah akşam arayın", "akşam aramayın"])
def test_what_says_more_than_a_wish_is_no_wish(text: str) -> None:
    life = invited()
    assert life.text(text, after=60) == ["reask"]
    assert life.records() == []
    assert not any(e.asked_at is not None for e in life.case.escalations)


def test_a_word_that_alarms_comes_before_the_wish() -> None:
    life = invited()
    assert life.text("akşam arayın nefes alamıyorum", after=60) == ["safety"]
    assert still_open(life) == ["W1 ES safety_word"]


def test_what_was_told_is_known_as_long_as_the_task_falls_due_then() -> None:
    life = waiting(invited(), "call me in the morning", "2026-01-20 10:00")
    told = (at("2026-01-20 09:00"), at("2026-01-20 12:00"))
    life.until(at("2026-01-20 11:31"))
    calls = [e for e in life.case.escalations if e.asked_at is not None]
    assert [(e.level, promised_hours(life.case, e)) for e in calls] == [("E1", told), ("E2", told)]
    handed = [replace(e, due_at=at("2026-01-20 17:00")) for e in calls]
    assert promised_hours(replace(life.case, escalations=tuple(handed)), handed[0]) is None
    assert promised_hours(life.case, replace(calls[0], part_of_day=None)) is None


# When the wish is met -------------------------------------------------------------------------------------------------


def spoken(life: World, outcome: str) -> None:
    """Keep a call a minute later."""
    life.until(life.now + timedelta(minutes=1))
    life.case = replace(life.case, calls=(*life.case.calls, Call(None, life.now, outcome)))
    life.beat()


@pytest.mark.parametrize("outcome", ["completed_now", "will_do_it", "refused_this_time", "wants_no_messages"])
def test_a_wish_ends_when_they_were_spoken_to(outcome: str) -> None:
    life = completed()
    life.text("call me in the evening")
    spoken(life, outcome)
    assert (still_open(life), life.outcome("E0")) == ([], outcome)


@pytest.mark.parametrize("outcome", ["no_answer", "busy", "wrong_person", "call_back_at", "language_barrier"])
def test_a_wish_stays_while_they_were_not_spoken_to(outcome: str) -> None:
    life = completed()
    life.text("call me in the evening")
    spoken(life, outcome)
    assert still_open(life) == ["W1 E0 asked_for_call"]


def test_a_call_before_the_second_wish_does_not_end_it() -> None:
    life = completed()
    life.text("call me in the evening")
    life.until(life.now + timedelta(minutes=5))
    before = Call(None, life.now, "will_do_it")
    life.ticking = False
    life.text("call me tomorrow morning", after=60)
    life.case = replace(life.case, calls=(before,))
    life.ticking = True
    life.beat()
    assert still_open(life) == ["W1 E0 asked_for_call"]


# Whatever happens -----------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(worlds(), histories)
def test_a_call_at_a_time_is_due_when_somebody_works_before_the_close_and_is_there_once(
    life: World, happenings: list[Happening]
) -> None:
    for happening in happenings:
        happen(life, happening)
        asked = [e for e in life.case.escalations if e.open and e.asked_at is not None and e.level in ("E0", "E1")]
        assert len({(e.window_id, e.level) for e in asked}) == len(asked)
    zone, hours = life.case.site_zone, life.case.protocol.working_hours
    for at_moment, command in life.done:
        if not isinstance(command, Escalate | MoveCall) or command.wish is None or command.wish.part is None:
            continue
        assert command.due_at >= at_moment
        assert within(command.due_at, hours, zone) or command.due_at.astimezone(zone).time() == hours.end
        assert is_working(local_day(command.due_at, zone), life.case.holidays)
        if isinstance(command, Escalate) and command.level in ("E1", "E2") and command.save_by is not None:
            assert command.due_at < command.save_by or command.reason != "asked_for_call"
