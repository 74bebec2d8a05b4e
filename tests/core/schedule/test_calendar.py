"""Working days, call tasks and deadlines, with Turkish holidays as data."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays as public
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pro_service.core.protocol import Hours, Protocol
from pro_service.core.schedule.calendar import (
    call_moment,
    due_instant,
    is_working,
    last_working_moment,
    local_day,
    working_day_after,
    working_days_between,
)
from pro_service.core.schedule.windows import local_instant, schedule
from pro_service.core.study_file.file import check

FILE = Path(__file__).parents[3] / "pro_service" / "protocols" / "nct07326982.toml"
ISTANBUL = ZoneInfo("Europe/Istanbul")
TURKEY = frozenset(public.country_holidays("TR", years=range(2025, 2028)))
OFFICE = Hours(time(9), time(17))
NONE: frozenset[date] = frozenset()

days = st.dates(date(2020, 1, 1), date(2040, 12, 31))
some_holidays = st.frozensets(st.dates(date(2026, 4, 1), date(2026, 9, 30)), max_size=60)


def study() -> Protocol:
    protocol, _ = check(FILE.read_text(encoding="utf-8"))
    assert protocol is not None
    return protocol


STUDY = study()


def at(day: str, clock: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ISTANBUL)


def call(
    code: str, procedure_date: date, holidays: frozenset[date], invited: timedelta | None = timedelta(hours=10)
) -> tuple[datetime, bool]:
    """The call of a window whose invitation came this long after the target's midnight."""
    window = next(found for found in schedule(STUDY, procedure_date, ISTANBUL) if found.code == code)
    asked = None if invited is None else local_instant(window.target, time(0), ISTANBUL) + invited
    return call_moment(STUDY.time_point(code), window, asked, ISTANBUL, holidays)


def close(code: str, procedure_date: date) -> datetime:
    return next(found.closes_at for found in schedule(STUDY, procedure_date, ISTANBUL) if found.code == code)


@pytest.mark.shows("case: holidays")
def test_weekends_and_holidays_are_no_working_days() -> None:
    assert is_working(date(2026, 5, 18), TURKEY)
    assert not is_working(date(2026, 5, 17), TURKEY)
    assert not is_working(date(2026, 5, 19), TURKEY)


def naive_working_days(start: date, n: int, holidays: frozenset[date]) -> Sequence[date]:
    coming = (start + timedelta(days=ahead) for ahead in range(1, 400))
    return [day for day in coming if day.weekday() < 5 and day not in holidays][:n]


@given(st.dates(date(2026, 4, 1), date(2026, 9, 30)), st.integers(1, 15), some_holidays)
def test_the_nth_working_day_is_counted(day: date, n: int, holidays: frozenset[date]) -> None:
    found = working_day_after(day, n, holidays)
    assert found == naive_working_days(day, n, holidays)[-1]
    assert working_days_between(day + timedelta(days=1), found, holidays) == n


def test_the_working_day_after_none_is_today_or_the_next() -> None:
    assert working_day_after(date(2026, 5, 15), 0, TURKEY) == date(2026, 5, 15)
    assert working_day_after(date(2026, 5, 16), 0, TURKEY) == date(2026, 5, 18)


def test_days_that_run_backwards_hold_no_working_day() -> None:
    assert working_days_between(date(2026, 5, 18), date(2026, 5, 15), NONE) == 0


def test_the_day_is_that_of_the_zone() -> None:
    assert local_day(datetime(2026, 5, 18, 21, tzinfo=UTC), ISTANBUL) == date(2026, 5, 19)


def test_the_last_working_moment_is_after_one_bound_and_not_after_the_other() -> None:
    monday, friday = at("2026-05-18", "09:00"), at("2026-05-15", "09:00")
    assert last_working_moment(monday, friday, time(9), ISTANBUL, NONE) == monday
    assert last_working_moment(monday - timedelta(hours=1), friday, time(9), ISTANBUL, NONE) is None
    assert (
        last_working_moment(monday - timedelta(hours=1), friday - timedelta(hours=1), time(9), ISTANBUL, NONE) == friday
    )


def test_a_call_falls_on_its_day_when_people_work() -> None:
    # Procedure on Tuesday 2 June, target Tuesday 9 June: the call is on Thursday.
    assert call("W1", date(2026, 6, 2), TURKEY) == (at("2026-06-11", "09:00"), False)


def test_a_call_on_a_sunday_moves_back_to_a_working_day_after_the_invitation() -> None:
    # Target Thursday 11 June, nominal Saturday 13 June.
    assert call("W1", date(2026, 6, 4), TURKEY) == (at("2026-06-12", "09:00"), False)


def test_with_no_working_day_before_it_a_call_moves_on_but_not_past_the_close() -> None:
    # Target Friday 12 June at 10:00, nominal Sunday 14 June; Monday is the window's last day.
    assert call("W1", date(2026, 6, 5), TURKEY) == (at("2026-06-15", "09:00"), False)


def test_with_no_working_day_at_all_the_stand_in_calls_at_the_nominal_moment() -> None:
    bayram = frozenset(date(2026, 6, day) for day in range(5, 20))
    assert call("W1", date(2026, 6, 4), bayram) == (at("2026-06-13", "09:00"), True)


def test_who_is_telephoned_first_is_called_on_any_working_day_of_the_window() -> None:
    assert call("W1", date(2026, 6, 5), TURKEY, invited=None) == (at("2026-06-12", "09:00"), False)


def test_a_call_never_comes_before_a_late_invitation() -> None:
    invited = timedelta(days=3, hours=10)
    moment, stand_in = call("W1", date(2026, 6, 4), TURKEY, invited=invited)
    assert stand_in
    assert moment == at("2026-06-14", "10:00")


@given(
    st.dates(date(2026, 4, 1), date(2026, 6, 22)),
    st.sampled_from(["W1", "M1", "M3"]),
    some_holidays,
    st.one_of(st.none(), st.integers(0, 80).map(lambda hours: timedelta(hours=hours))),
)
def test_no_call_falls_after_its_window(
    day: date, code: str, holidays: frozenset[date], invited: timedelta | None
) -> None:
    moment, stand_in = call(code, day, holidays, invited)
    window = next(found for found in schedule(STUDY, day, ISTANBUL) if found.code == code)
    assert window.opens_at <= moment < window.closes_at
    assert stand_in or is_working(local_day(moment, ISTANBUL), holidays)


def test_moved_forward_naively_many_calls_of_this_study_would_fall_after_close() -> None:
    first, last = date(2025, 12, 25), date(2026, 6, 22)
    every = (first + timedelta(days=ahead) for ahead in range((last - first).days + 1))
    procedures = [day for day in every if is_working(day, TURKEY)]
    naive = [working_day_after(day + timedelta(days=9), 0, TURKEY) for day in procedures]
    late = [day for day, moved in zip(procedures, naive, strict=True) if moved > day + timedelta(days=10)]
    assert len(late) > 20
    assert all(call("W1", day, TURKEY)[0] < close("W1", day) for day in procedures)


def test_a_point_without_a_call_has_no_call_moment() -> None:
    window = schedule(STUDY, date(2026, 6, 2), ISTANBUL)[0]
    with pytest.raises(ValueError, match="V0"):
        call_moment(STUDY.time_point("V0"), window, None, ISTANBUL, NONE)


@pytest.mark.parametrize(
    "days_given, hours_given, raised, expected",
    [
        (0, None, at("2026-06-11", "09:00"), at("2026-06-11", "17:00")),
        (0, None, at("2026-06-11", "17:00"), at("2026-06-12", "17:00")),
        (0, None, at("2026-06-13", "09:00"), at("2026-06-15", "17:00")),
        (1, None, at("2026-06-11", "23:00"), at("2026-06-12", "17:00")),
        (3, None, at("2026-06-11", "09:00"), at("2026-06-16", "17:00")),
        (None, 2, at("2026-06-13", "23:30"), at("2026-06-14", "01:30")),
    ],
)
def test_a_deadline_is_the_end_of_a_working_day_or_plain_hours_later(
    days_given: int | None, hours_given: int | None, raised: datetime, expected: datetime
) -> None:
    assert due_instant(days_given, hours_given, raised, ISTANBUL, OFFICE, TURKEY) == expected


def test_working_hours_to_midnight_end_with_the_day() -> None:
    all_day = Hours(time(0), time(0))
    assert due_instant(0, None, at("2026-06-11", "23:59"), ISTANBUL, all_day, TURKEY) == at("2026-06-12", "00:00")


@given(days, st.times(), st.integers(0, 10))
def test_nothing_is_due_before_it_is_raised(day: date, clock: time, n: int) -> None:
    raised = datetime.combine(day, clock, tzinfo=ISTANBUL)
    assert due_instant(n, None, raised, ISTANBUL, OFFICE, TURKEY) > raised
