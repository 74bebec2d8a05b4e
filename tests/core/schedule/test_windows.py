"""Windows over zones and years, against a slow computation that shares nothing with ours."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pro_service.core.iso8601 import offset_text, parse_offset, parse_span
from pro_service.core.protocol import Hours, Offset, Protocol, Window
from pro_service.core.schedule.windows import (
    Fact,
    add_offset,
    explain,
    local_instant,
    next_allowed,
    schedule,
    within,
)
from pro_service.core.study_file.file import check

FOLDER = Path(__file__).parents[3] / "pro_service" / "protocols"
ISTANBUL = ZoneInfo("Europe/Istanbul")
TROUBLESOME = ("Europe/Istanbul", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Africa/Casablanca")
QUARTER = timedelta(minutes=15)
NINE_TO_EIGHT = Hours(time(9), time(20))

zones = st.one_of(st.sampled_from(TROUBLESOME), st.sampled_from(sorted(available_timezones()))).map(ZoneInfo)
days = st.dates(date(2020, 1, 1), date(2040, 12, 31))
instants = st.datetimes(datetime(2020, 1, 1), datetime(2040, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


def study() -> Protocol:
    protocol, faults = check((FOLDER / "nct07326982.toml").read_text(encoding="utf-8"))
    assert faults == ()
    assert protocol is not None
    return protocol


STUDY = study()


def window(code: str, procedure_date: date, zone: ZoneInfo = ISTANBUL) -> Window:
    return next(found for found in schedule(STUDY, procedure_date, zone) if found.code == code)


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """Walk through the hours around a day until its date begins; every zone's clocks meet the quarter hours."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=30)
    while moment.astimezone(zone).date() < day:
        moment += QUARTER
    return moment


def month_later(day: date, months: int) -> date:
    """Count forward on the calendar, and back from days that do not exist."""
    year, month, number = day.year, day.month + months, day.day
    if month > 12:
        year, month = year + 1, month - 12
    while True:
        try:
            return date(year, month, number)
        except ValueError:
            number -= 1


@settings(deadline=None)
@given(days, zones)
def test_windows_agree_with_a_slow_computation(day: date, zone: ZoneInfo) -> None:
    expected = {
        "V0": (day, 0, 0),
        "W1": (day + timedelta(days=7), 1, 3),
        "M1": (month_later(day, 1), 3, 7),
        "M3": (month_later(day, 3), 7, 14),
    }
    windows = schedule(STUDY, day, zone)
    assert [found.code for found in windows] == list(expected)
    for found in windows:
        target, before, after = expected[found.code]
        assert found.target == target
        assert found.opens_at == first_instant(target - timedelta(days=before), zone)
        assert found.closes_at == first_instant(target + timedelta(days=after + 1), zone)


@given(days, zones)
def test_windows_are_in_order_and_never_overlap(day: date, zone: ZoneInfo) -> None:
    windows = schedule(STUDY, day, zone)
    for earlier, later in itertools.pairwise(windows):
        assert earlier.opens_at < earlier.closes_at <= earlier.late_until <= later.opens_at
        assert earlier.opens_at.tzinfo is UTC


@given(days, zones)
def test_a_window_closes_with_the_first_instant_after_its_last_day(day: date, zone: ZoneInfo) -> None:
    for found in schedule(STUDY, day, zone):
        last = (found.closes_at - timedelta(microseconds=1)).astimezone(zone).date()
        assert last < found.closes_at.astimezone(zone).date()


@given(days, st.integers(-24, 24), st.integers(-400, 400))
def test_adding_months_stays_in_the_month_it_aims_at(day: date, months: int, more: int) -> None:
    target, clamped = add_offset(day, Offset(months=months))
    assert (target.year * 12 + target.month) - (day.year * 12 + day.month) == months
    assert target.day == day.day or (clamped and (target + timedelta(days=1)).day == 1)
    assert add_offset(day, Offset(months, more))[0] == target + timedelta(days=more)


@pytest.mark.parametrize(
    "day, rule, target",
    [
        (date(2026, 1, 31), "P1M", date(2026, 2, 28)),
        (date(2028, 1, 31), "P1M", date(2028, 2, 29)),
        (date(2025, 11, 30), "P3M", date(2026, 2, 28)),
        (date(2027, 11, 30), "P3M", date(2028, 2, 29)),
        (date(2026, 3, 31), "-P1M", date(2026, 2, 28)),
        (date(2026, 12, 15), "P1M", date(2027, 1, 15)),
        (date(2026, 1, 31), "P30D", date(2026, 3, 2)),
    ],
)
def test_calendar_months_are_clamped_to_the_month_end(day: date, rule: str, target: date) -> None:
    assert add_offset(day, parse_offset(rule))[0] == target


def test_a_clamped_target_says_so() -> None:
    assert window("M1", date(2026, 1, 31)).clamped
    assert not window("M1", date(2026, 1, 28)).clamped


def test_the_hour_window_exists_once_the_procedure_has_ended() -> None:
    ended = datetime(2026, 5, 12, 14, 20, tzinfo=ISTANBUL)
    windows = {found.code: found for found in schedule(STUDY, date(2026, 5, 12), ISTANBUL, ended)}
    assert list(windows) == ["V0", "V1H", "W1", "M1", "M3"]
    assert windows["V1H"].target_at == datetime(2026, 5, 12, 12, 20, tzinfo=UTC)
    assert windows["V1H"].opens_at == datetime(2026, 5, 12, 12, 5, tzinfo=UTC)
    assert windows["V1H"].closes_at == datetime(2026, 5, 12, 12, 50, tzinfo=UTC)
    assert windows["V1H"].target == date(2026, 5, 12)


def test_an_end_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        schedule(STUDY, date(2026, 5, 12), ISTANBUL, datetime(2026, 5, 12, 14, 20))  # noqa: DTZ001 - the fault


def test_late_answers_are_kept_until_the_next_message_window_opens() -> None:
    ended = datetime(2026, 5, 12, 14, 20, tzinfo=ISTANBUL)
    found = {each.code: each for each in schedule(STUDY, date(2026, 5, 12), ISTANBUL, ended)}
    assert found["V0"].late_until == found["V1H"].late_until == found["W1"].opens_at
    assert found["W1"].late_until == found["M1"].opens_at
    assert found["M1"].late_until == found["M3"].opens_at
    # The target is 12 August; the 28th day after it is 9 September, kept whole.
    assert found["M3"].late_until == datetime(2026, 9, 9, 21, tzinfo=UTC)


def test_without_a_next_window_or_a_limit_nothing_is_kept_late() -> None:
    last = replace(STUDY, time_points=(*STUDY.time_points[:-1], replace(STUDY.time_points[-1], late=None)))
    found = schedule(last, date(2026, 5, 12), ISTANBUL)[-1]
    assert found.late_until == found.closes_at


def test_a_day_without_midnight_begins_with_its_first_instant() -> None:
    # Santiago's clocks went from 24:00 on 5 September 2026 to 01:00.
    santiago = ZoneInfo("America/Santiago")
    opens = local_instant(date(2026, 9, 6), time(0), santiago)
    assert opens.astimezone(santiago).isoformat() == "2026-09-06T01:00:00-03:00"


@pytest.mark.shows("case: clock changes")
@pytest.mark.parametrize(
    "zone, day, at, local",
    [
        ("Europe/Berlin", date(2026, 3, 29), time(2, 30), "2026-03-29T03:30:00+02:00"),
        ("Europe/Berlin", date(2026, 10, 25), time(2, 30), "2026-10-25T02:30:00+02:00"),
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), "2026-10-04T02:45:00+11:00"),
        ("Australia/Lord_Howe", date(2026, 4, 5), time(1, 45), "2026-04-05T01:45:00+11:00"),
        ("Europe/Istanbul", date(2026, 3, 29), time(2, 30), "2026-03-29T02:30:00+03:00"),
    ],
)
def test_gaps_move_forward_and_folds_take_the_first(zone: str, day: date, at: time, local: str) -> None:
    assert local_instant(day, at, ZoneInfo(zone)).astimezone(ZoneInfo(zone)).isoformat() == local


@given(instants, zones, st.times().map(lambda at: at.replace(second=0, microsecond=0, fold=0)), st.integers(1, 24 * 60))
def test_the_next_allowed_moment_is_the_first_one(moment: datetime, zone: ZoneInfo, start: time, minutes: int) -> None:
    end = (datetime.combine(date(2026, 1, 1), start) + timedelta(minutes=minutes)).time()
    if start >= end != time(0):
        end = time(0)
    hours = Hours(start, end)
    found = next_allowed(moment, hours, zone)
    assert found >= moment
    assert within(found, hours, zone)
    # Nothing between is allowed, as far as a coarse walk sees.
    step = max((found - moment) / 50, timedelta(seconds=1))
    between = (moment + n * step for n in range(50))
    assert not any(within(each, hours, zone) for each in between if each < found)


def test_contact_hours_include_their_start_and_exclude_their_end() -> None:
    nine = datetime(2026, 5, 19, 9, tzinfo=ISTANBUL)
    eight = datetime(2026, 5, 19, 20, tzinfo=ISTANBUL)
    assert next_allowed(nine, NINE_TO_EIGHT, ISTANBUL) == nine
    assert next_allowed(eight, NINE_TO_EIGHT, ISTANBUL) == nine + timedelta(days=1)
    assert next_allowed(nine - timedelta(minutes=1), NINE_TO_EIGHT, ISTANBUL) == nine


@given(instants, zones)
def test_midnight_to_midnight_allows_every_moment(moment: datetime, zone: ZoneInfo) -> None:
    assert next_allowed(moment, Hours(time(0), time(0)), zone) == moment


def test_hours_that_fall_into_a_gap_wait_for_the_next_day() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    found = next_allowed(datetime(2026, 3, 29, 0, 30, tzinfo=UTC), Hours(time(2, 10), time(2, 50)), berlin)
    assert found == datetime(2026, 3, 30, 2, 10, tzinfo=berlin)


def test_why_this_date_is_told_as_facts() -> None:
    facts = explain(window("M1", date(2026, 1, 31)), STUDY, date(2026, 1, 31), ISTANBUL)
    assert facts == (
        Fact("anchor", "2026-01-31"),
        Fact("rule", "P1M"),
        Fact("target", "2026-02-28"),
        Fact("clamped_from", "31"),
        Fact("first_day", "-P3D"),
        Fact("last_day", "P7D"),
        Fact("late_until", "2026-04-22T21:00:00Z"),
        Fact("zone", "Europe/Istanbul"),
    )


def test_why_this_hour_is_counted_from_the_end_of_the_procedure() -> None:
    ended = datetime(2026, 5, 12, 11, 20, tzinfo=UTC)
    found = schedule(STUDY, date(2026, 5, 12), ISTANBUL, ended)[1]
    facts = {fact.name: fact.value for fact in explain(found, STUDY, date(2026, 5, 12), ISTANBUL)}
    assert facts["anchor"] == "2026-05-12T11:20:00Z"
    assert (facts["rule"], facts["opens"], facts["closes"]) == ("PT60M", "PT45M", "PT90M")


@given(st.integers(0, 120), st.integers(0, 3660), st.booleans())
def test_an_offset_survives_being_written(months: int, more: int, earlier: bool) -> None:  # noqa: FBT001 - drawn
    sign = -1 if earlier else 1
    value = Offset(sign * months, sign * more)
    assert parse_offset(offset_text(value)) == value


@pytest.mark.parametrize("text", ["", "P", "PT", "P1", "1W", "P1H", "p1w", "P1.5D", "P1W ", "PT5S", "P٣D", "P--1D"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no_duration"):
        parse_offset(text)


def test_an_offset_has_no_hours_and_a_span_no_months() -> None:
    with pytest.raises(ValueError, match="hours"):
        parse_offset("PT24H")
    with pytest.raises(ValueError, match="month"):
        parse_span("P1M")
    assert parse_span("P1DT30M") == timedelta(days=1, minutes=30)


@pytest.mark.parametrize("text", ["P11Y", "P3661D", "P9999999999999W"])
def test_nothing_lasts_longer_than_ten_years(text: str) -> None:
    with pytest.raises(ValueError, match="duration_too_long"):
        parse_offset(text)
