"""A safety task goes on alerting: row by row, when the next alert comes, what it says, and for whom it is."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pro_service.core.protocol import Hours, Level
from pro_service.core.schedule.safety_alerts import Alert, is_agreed_hour, newest_alert, text_until

ISTANBUL = ZoneInfo("Europe/Istanbul")
TWO_HOURS = Level("ES", ("coordinator", "investigator"), None, 2)
FIVE_HOURS = Level("ES", ("coordinator", "investigator"), None, 5)
A_WEEK = Level("ES", ("coordinator", "investigator"), None, 168)
WORKING_DAYS = Level("ES", ("coordinator", "investigator"), 1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=ISTANBUL)


DUE = at("09 14:00")


@pytest.mark.parametrize(
    "rung, taken_up, now, alert, frame, first",
    [
        (TWO_HOURS, None, "09 13:59", None, "", False),
        (TWO_HOURS, None, "09 14:00", "09 14:00", "overdue", True),
        (TWO_HOURS, None, "09 15:59", "09 14:00", "overdue", True),
        (TWO_HOURS, None, "09 16:00", "09 16:00", "overdue", False),
        (TWO_HOURS, None, "09 23:30", "09 22:00", "overdue", False),
        (TWO_HOURS, None, "10 13:59", "10 12:00", "overdue", False),
        (TWO_HOURS, None, "10 14:00", "10 14:00", "overdue", False),
        (TWO_HOURS, None, "10 16:00", "10 14:00", "overdue", False),
        (TWO_HOURS, None, "11 13:59", "10 14:00", "overdue", False),
        (TWO_HOURS, None, "29 20:00", "29 14:00", "overdue", False),
        (FIVE_HOURS, None, "10 13:59", "10 10:00", "overdue", False),
        (FIVE_HOURS, None, "10 14:00", "10 14:00", "overdue", False),
        (A_WEEK, None, "10 13:59", "09 14:00", "overdue", True),
        (A_WEEK, None, "10 14:00", "10 14:00", "overdue", False),
        (WORKING_DAYS, None, "10 13:00", "09 14:00", "overdue", True),
        (WORKING_DAYS, None, "10 15:00", "10 14:00", "overdue", False),
        (TWO_HOURS, "09 12:30", "10 12:29", None, "", False),
        (TWO_HOURS, "09 12:30", "10 12:30", "10 12:30", "unfinished", False),
        (TWO_HOURS, "08 12:30", "09 13:59", None, "", False),
        (TWO_HOURS, "08 12:30", "09 14:00", "09 14:00", "unfinished", False),
        (TWO_HOURS, "09 15:30", "10 15:29", None, "", False),
        (TWO_HOURS, "09 15:30", "10 15:30", "10 15:30", "unfinished", False),
        (TWO_HOURS, "09 15:30", "13 08:00", "12 15:30", "unfinished", False),
    ],
)
def test_when_an_open_task_alerts_and_whom(
    rung: Level, taken_up: str | None, now: str, alert: str | None, frame: str, *, first: bool
) -> None:
    acknowledged_at = None if taken_up is None else at(taken_up)
    found = newest_alert(DUE, acknowledged_at, rung, at(now))
    said = None if found is None else (found.at, found.frame, found.first)
    assert said == (None if alert is None else (at(alert), frame, first))


@given(
    st.integers(1, 200),
    st.timedeltas(timedelta(0), timedelta(days=9)),
    st.none() | st.timedeltas(max_value=timedelta(9)),
)
def test_every_alert_lasts_until_the_next_and_none_is_the_last(
    hours: int, late: timedelta, taken_up: timedelta | None
) -> None:
    rung = Level("ES", (), None, hours)
    acknowledged_at = None if taken_up is None else DUE + max(taken_up, timedelta(days=-9))
    now = DUE + late
    alert = newest_alert(DUE, acknowledged_at, rung, now)
    if alert is None:
        assert acknowledged_at is not None
        assert now < acknowledged_at + timedelta(days=1)
        return
    assert alert.at <= now < alert.until
    assert alert.until - alert.at <= timedelta(days=1)
    following = newest_alert(DUE, acknowledged_at, rung, alert.until)
    assert following is not None
    assert following.at == alert.until
    assert not following.first


@pytest.mark.parametrize(
    "hours, now, agreed, until",
    [
        (None, "09 03:00", True, "09 16:00"),
        (("08:00", "20:00"), "09 14:30", True, "09 16:00"),
        (("08:00", "15:00"), "09 14:30", True, "09 15:00"),
        (("08:00", "15:00"), "09 15:00", False, ""),
        (("08:00", "15:00"), "09 07:59", False, ""),
        (("00:00", "00:00"), "09 03:00", True, "09 16:00"),
        (("14:00", "00:00"), "09 14:30", True, "09 16:00"),
        (("22:00", "06:00"), "09 23:30", True, "09 16:00"),
        (("22:00", "06:00"), "09 05:59", True, "09 06:00"),
        (("22:00", "06:00"), "09 06:00", False, ""),
        (("22:00", "06:00"), "09 21:59", False, ""),
    ],
)
def test_a_telephone_is_texted_at_the_hours_its_owner_agreed_to(
    hours: tuple[str, str] | None, now: str, until: str, *, agreed: bool
) -> None:
    given = None if hours is None else Hours(*(time.fromisoformat(one) for one in hours))
    assert is_agreed_hour(at(now), given, ISTANBUL) is agreed
    if agreed:
        alert = Alert(DUE, at("09 16:00"), "overdue")
        assert text_until(alert, at(now), given, ISTANBUL) == at(until)
