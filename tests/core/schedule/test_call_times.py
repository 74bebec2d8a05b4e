"""When people can be called: parts of the day that somebody works in, and the first hours that fit a wish."""

from dataclasses import replace
from datetime import date, time
from typing import get_args

import pytest

from pro_service.core.case import Case, Part
from pro_service.core.protocol import Hours
from pro_service.core.schedule.call_times import CallHours, call_hours, due_in, part_of_day, usual_call, wished_hours
from tests.core.world import ISTANBUL, STUDY, at, case_of, person

TUESDAY = date(2026, 3, 10)


def working(hours: str, *holidays: date) -> Case:
    """Return somebody whose site works at these hours."""
    start, end = (time.fromisoformat(text) for text in hours.split("-"))
    return case_of(person(), replace(STUDY, working_hours=Hours(start, end)), frozenset(holidays))


def told(hours: CallHours | None) -> str:
    if hours is None:
        return "-"
    starts, ends = (moment.astimezone(ISTANBUL) for moment in hours)
    return f"{starts:%a %H:%M}-{ends:%H:%M}"


@pytest.mark.parametrize(
    "hours, morning, afternoon, evening",
    [
        ("09:00-17:00", "09:00-12:00", "12:00-16:00", "16:00-17:00"),
        ("08:30-16:30", "08:30-12:00", "12:00-16:00", "15:30-16:30"),
        ("08:00-15:00", "08:00-12:00", "12:00-15:00", "14:00-15:00"),
        ("09:00-12:30", "09:00-12:00", "11:30-12:30", "11:30-12:30"),
        ("12:00-20:00", "12:00-13:00", "12:00-16:00", "16:00-20:00"),
        ("09:00-00:00", "09:00-12:00", "12:00-16:00", "16:00-00:00"),
        ("09:00-09:30", "09:00-09:30", "09:00-09:30", "09:00-09:30"),
    ],
)
def test_a_part_of_the_day_lies_in_hours_that_somebody_works(
    hours: str, morning: str, afternoon: str, evening: str
) -> None:
    case = working(hours)
    assert [told(call_hours(case, part, TUESDAY)) for part in get_args(Part)] == [
        f"Tue {morning}",
        f"Tue {afternoon}",
        f"Tue {evening}",
    ]


@pytest.mark.parametrize(
    "now, part, then",
    [
        ("2026-03-10 09:10", "evening", "Tue 16:00-17:00"),
        ("2026-03-10 16:20", "evening", "Tue 16:00-17:00"),
        ("2026-03-10 16:30", "evening", "Wed 16:00-17:00"),
        ("2026-03-10 20:15", "evening", "Wed 16:00-17:00"),
        ("2026-03-10 11:45", "morning", "Wed 09:00-12:00"),
        ("2026-03-10 11:45", "afternoon", "Tue 12:00-16:00"),
        ("2026-03-13 17:30", "morning", "Mon 09:00-12:00"),
        ("2026-03-14 10:00", "evening", "Mon 16:00-17:00"),
        ("2026-03-16 18:00", "morning", "Wed 09:00-12:00"),
        ("2026-03-10 18:00", None, "Wed 09:00-17:00"),
    ],
)
def test_a_wish_means_the_next_working_day_once_its_time_has_passed(now: str, part: Part | None, then: str) -> None:
    case = working("09:00-17:00", date(2026, 3, 17))
    assert told(wished_hours(case, part, at(now))) == then


@pytest.mark.parametrize(
    "now, then", [("2026-03-10 09:10", "Wed 09:00-12:00"), ("2026-03-13 09:10", "Mon 09:00-12:00")]
)
def test_tomorrow_is_not_today(now: str, then: str) -> None:
    assert told(wished_hours(working("09:00-17:00"), "morning", at(now), tomorrow=True)) == then


@pytest.mark.parametrize("before, then", [("2026-03-11 00:00", "-"), ("2026-03-12 00:00", "Wed 09:00-12:00")])
def test_what_lies_after_the_close_is_not_promised(before: str, then: str) -> None:
    case = working("09:00-17:00")
    assert told(wished_hours(case, "morning", at("2026-03-10 13:00"), before=at(before))) == then


def test_a_promised_call_falls_due_while_somebody_else_can_still_make_it() -> None:
    for part in get_args(Part):
        hours = call_hours(working("09:00-17:00"), part, TUESDAY)
        assert hours.starts < due_in(hours) < hours.ends
        assert part_of_day(working("09:00-17:00"), due_in(hours)) == part


@pytest.mark.parametrize("hours", ["09:00-17:00", "08:00-15:00", "09:00-12:30", "12:00-20:00", "10:00-11:00"])
def test_staff_are_asked_to_call_in_their_working_hours_alone(hours: str) -> None:
    case = working(hours)
    whole = call_hours(case, None, TUESDAY)
    assert all(whole.starts <= usual_call(case, part, TUESDAY) < whole.ends for part in get_args(Part))
