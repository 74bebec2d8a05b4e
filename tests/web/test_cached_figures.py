"""Figures are counted once and shown for a while: until the next tick, for a time, or for as long as they are worth."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from pro_service.web.cached_figures import A_MINUTE, MOST_QUESTIONS, CachedFigures
from tests.support import SetClock

TICK = datetime(2026, 1, 14, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def answer(figure: int) -> Callable[[datetime], int]:
    """Return a way of counting that comes to this figure."""
    return lambda _: figure


@pytest.fixture
def clock() -> SetClock:
    """Return the clock of the web server."""
    return SetClock(TICK)


@pytest.fixture
def cache(clock: SetClock) -> CachedFigures:
    """Return figures that are kept for a minute."""
    return CachedFigures(clock, kept_for=A_MINUTE)


def test_figures_are_counted_once_a_tick(cache: CachedFigures) -> None:
    assert cache.as_of(TICK, TICK + SECOND, "study", answer(1)) == 1
    assert cache.as_of(TICK, TICK + 2 * SECOND, "study", answer(2)) == 1
    assert cache.as_of(TICK + A_MINUTE, TICK + A_MINUTE, "study", answer(3)) == 3


def test_a_scheduler_that_stands_still_keeps_no_figure_longer_than_a_minute(cache: CachedFigures) -> None:
    cache.as_of(TICK, TICK, "study", answer(1))
    assert cache.as_of(TICK, TICK + A_MINUTE - SECOND, "study", answer(2)) == 1
    assert cache.as_of(TICK, TICK + A_MINUTE, "study", answer(3)) == 3


def test_a_clock_that_was_set_back_has_everything_counted_anew(cache: CachedFigures) -> None:
    cache.as_of(TICK, TICK, "study", answer(1))
    assert cache.as_of(TICK, TICK - SECOND, "study", answer(2)) == 2


def test_every_question_has_its_own_figures(cache: CachedFigures) -> None:
    assert cache.as_of(TICK, TICK, "IUC", answer(1)) == 1
    assert cache.as_of(TICK, TICK, "BER", answer(2)) == 2
    assert cache.as_of(TICK, TICK, "IUC", answer(3)) == 1


def test_before_the_first_tick_nothing_is_kept(cache: CachedFigures) -> None:
    assert cache.as_of(None, TICK, "study", answer(1)) == 1
    assert cache.as_of(None, TICK, "study", answer(2)) == 2


def test_many_questions_do_not_pile_up(cache: CachedFigures) -> None:
    for number in range(MOST_QUESTIONS + 1):
        cache.as_of(TICK, TICK, number, answer(1))
    assert cache.as_of(TICK, TICK, 0, answer(2)) == 2
    assert cache.as_of(TICK, TICK, MOST_QUESTIONS, answer(2)) == 1


def test_figures_without_a_tick_are_kept_for_their_time(cache: CachedFigures, clock: SetClock) -> None:
    assert cache.figures("alarms", answer(1)) == 1
    clock.now = TICK + A_MINUTE - SECOND
    assert cache.figures("alarms", answer(2)) == 1
    clock.now = TICK + A_MINUTE
    assert cache.figures("alarms", answer(3)) == 3


@pytest.mark.parametrize("took, kept", [(SECOND, 100 * SECOND), (timedelta(hours=1), timedelta(minutes=15))])
def test_figures_are_kept_for_as_long_as_they_are_worth(clock: SetClock, took: timedelta, kept: timedelta) -> None:
    cache = CachedFigures(clock, kept_for=timedelta(minutes=15), worth=100)

    def slowly(began: datetime) -> datetime:
        clock.now = began + took
        return began

    assert cache.figures("study", slowly) == TICK
    clock.now = max(TICK + kept - SECOND, TICK)
    assert cache.figures("study", slowly) == TICK
    clock.now = TICK + kept
    assert cache.figures("study", slowly) == TICK + kept
