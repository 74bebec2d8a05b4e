"""When to call again, and to when work is put off: another part of the day, working days, before the close."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pro_service.core.case import Call, Case, WindowFacts
from pro_service.core.schedule.call_times import part_of_day
from pro_service.core.schedule.retries import next_attempt, put_off_choices, put_off_to
from tests.core.world import STUDY, case_of, person

ISTANBUL = ZoneInfo("Europe/Istanbul")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ISTANBUL)


def called(*moments: str) -> tuple[Case, WindowFacts]:
    """A participant whose one-week window is open from 8 to 12 March, called in vain at these moments."""
    case = case_of(person(procedure_date=date(2026, 3, 2), enrolled_at=at("2026-03-02 15:00")), STUDY)
    window = next(window for window in case.windows if window.code == "W1")
    made = tuple(Call(window.id, at(moment), "no_answer") for moment in moments)
    return replace(case, calls=made), window


@pytest.mark.parametrize(
    "before, now, then",
    [
        ((), "2026-03-10 09:30", "2026-03-10 13:30"),
        (("2026-03-10 09:30",), "2026-03-10 13:40", "2026-03-10 16:30"),
        (("2026-03-09 14:00",), "2026-03-10 10:00", "2026-03-10 16:30"),
        (("2026-03-10 10:00", "2026-03-10 13:30"), "2026-03-10 16:30", "2026-03-11 10:00"),
        ((), "2026-03-10 18:00", "2026-03-11 10:00"),
    ],
)
def test_one_calls_again_in_a_part_of_the_day_that_was_not_tried(before: tuple[str, ...], now: str, then: str) -> None:
    case, window = called(*before)
    assert next_attempt(case, window, at(now)) == at(then)


def test_who_asked_for_the_evening_is_called_again_in_an_evening_if_there_is_one() -> None:
    case, window = called("2026-03-10 16:30")
    assert next_attempt(case, window, at("2026-03-10 16:40"), wished="evening") == at("2026-03-11 16:30")
    assert next_attempt(case, window, at("2026-03-12 09:10"), wished="morning") == at("2026-03-12 13:30")


def test_one_calls_again_before_the_close_or_not_at_all() -> None:
    case, window = called("2026-03-12 10:00", "2026-03-12 13:30")
    assert next_attempt(case, window, at("2026-03-12 17:00")) is None


def test_nobody_is_to_call_on_a_holiday_or_at_a_weekend() -> None:
    case, _ = called()
    case = replace(case, holidays=frozenset({date(2026, 3, 16)}))
    friday = at("2026-03-13 17:00")
    assert next_attempt(case, None, friday) == at("2026-03-17 10:00")
    assert put_off_to(case, "morning", friday) == at("2026-03-17 09:00")


def test_an_afternoon_goes_on_until_it_is_over() -> None:
    case, _ = called()
    assert put_off_to(case, "afternoon", at("2026-03-10 09:00")) == at("2026-03-10 13:30")
    assert put_off_to(case, "afternoon", at("2026-03-10 13:15")) == at("2026-03-10 16:30")
    assert put_off_to(case, "afternoon", at("2026-03-10 16:15")) is None


def test_what_lies_beyond_the_close_is_no_choice() -> None:
    case, window = called()
    assert [code for code, _ in put_off_choices(case, window, at("2026-03-11 11:00"))] == [
        "hour",
        "afternoon",
        "morning",
    ]
    assert [code for code, _ in put_off_choices(case, window, at("2026-03-12 11:00"))] == ["hour", "afternoon"]
    last = window.span.closes_at - timedelta(minutes=30)
    assert put_off_choices(case, window, last) == ()


def test_the_day_has_three_parts() -> None:
    case, _ = called()
    told = [part_of_day(case, at(f"2026-03-10 {hour}")) for hour in ("11:59", "12:00", "16:00")]
    assert told == ["morning", "afternoon", "evening"]
