"""Figures are told as of the last tick: counted once, anew after the next, and after a minute without one."""

from datetime import UTC, datetime, timedelta

from pro_service.web.cached_figures import MINUTE, MOST, AsOf

TICK = datetime(2026, 1, 14, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_figures_are_counted_once_a_tick() -> None:
    known = AsOf()
    assert known.told("study", TICK, TICK + SECOND, lambda: 1) == 1
    assert known.told("study", TICK, TICK + 2 * SECOND, lambda: 2) == 1
    assert known.told("study", TICK + MINUTE, TICK + MINUTE, lambda: 3) == 3


def test_a_scheduler_that_stands_still_keeps_no_figure_longer_than_a_minute() -> None:
    known = AsOf()
    known.told("study", TICK, TICK, lambda: 1)
    assert known.told("study", TICK, TICK + MINUTE - SECOND, lambda: 2) == 1
    assert known.told("study", TICK, TICK + MINUTE, lambda: 3) == 3


def test_a_clock_that_was_set_back_has_everything_counted_anew() -> None:
    known = AsOf()
    known.told("study", TICK, TICK, lambda: 1)
    assert known.told("study", TICK, TICK - SECOND, lambda: 2) == 2


def test_every_question_has_its_own_figures() -> None:
    known = AsOf()
    assert known.told("IUC", TICK, TICK, lambda: 1) == 1
    assert known.told("BER", TICK, TICK, lambda: 2) == 2
    assert known.told("IUC", TICK, TICK, lambda: 3) == 1


def test_before_the_first_tick_nothing_is_kept() -> None:
    known = AsOf()
    assert known.told("study", None, TICK, lambda: 1) == 1
    assert known.told("study", None, TICK, lambda: 2) == 2


def test_many_questions_do_not_pile_up() -> None:
    known = AsOf()
    for number in range(MOST + 1):
        known.told(number, TICK, TICK, lambda: 1)
    assert known.told(0, TICK, TICK, lambda: 2) == 2
    assert known.told(MOST, TICK, TICK, lambda: 2) == 1
