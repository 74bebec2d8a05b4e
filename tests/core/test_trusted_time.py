"""Which steps of a clock are believed: without a second clock, with one that agrees, with one that does not."""

from datetime import UTC, datetime, timedelta

import pytest

from pro_service.core.trusted_time import doubt

NOW = datetime(2026, 3, 9, 7, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    "step, found",
    [
        (timedelta(), None),
        (HOUR, None),
        (3 * DAY, None),
        (14 * DAY, None),
        (14 * DAY + HOUR, "ahead"),
        (200 * DAY, "ahead"),
        (-HOUR, None),
        (-14 * DAY, None),
        (-200 * DAY, "behind"),
    ],
)
def test_without_a_second_clock_a_step_of_up_to_two_weeks_is_an_outage(step: timedelta, found: str | None) -> None:
    assert doubt(NOW + step, NOW, None) == found


@pytest.mark.parametrize("step", [2 * HOUR, 20 * DAY, 200 * DAY, -2 * HOUR, -200 * DAY])
def test_a_second_clock_decides_about_every_step_of_more_than_an_hour(step: timedelta) -> None:
    assert doubt(NOW + step, NOW, NOW + step + timedelta(minutes=4)) is None
    assert doubt(NOW + step, NOW, NOW + step + timedelta(minutes=6)) == "disputed"


def test_within_an_hour_no_second_clock_is_asked() -> None:
    assert doubt(NOW, NOW - HOUR, NOW + 5 * DAY) is None


def test_a_service_that_was_never_alive_is_held_against_a_second_clock_alone() -> None:
    assert doubt(NOW, None, None) is None
    assert doubt(NOW, None, NOW) is None
    assert doubt(NOW, None, NOW - 200 * DAY) == "disputed"
