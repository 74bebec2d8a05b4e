"""A clock that jumps is not believed for a while; one that drifts is."""

from datetime import UTC, datetime, timedelta

from pro_service.clock import DISTRUST, GuardedClock


class Clocks:
    """A wall clock and a monotonic one, both ours."""

    def __init__(self) -> None:
        self.wall, self.ticks = datetime(2026, 3, 9, 7, tzinfo=UTC), 100.0
        self.guarded = GuardedClock(lambda: self.wall, lambda: self.ticks)

    def pass_time(self, seconds: float, *, wall: float | None = None) -> None:
        self.ticks += seconds
        self.wall += timedelta(seconds=seconds if wall is None else wall)


def test_time_that_passes_evenly_is_believed() -> None:
    clocks = Clocks()
    for _ in range(100):
        clocks.pass_time(60, wall=60.05)  # an adjusted clock drifts
        assert clocks.guarded() == clocks.wall
        assert not clocks.guarded.held
    assert clocks.guarded.jump() is None


def test_a_jump_either_way_holds_for_two_minutes_and_is_told_once() -> None:
    for wall in (3600.0, -3600.0):
        clocks = Clocks()
        clocks.pass_time(60, wall=wall)
        assert clocks.guarded.held
        assert clocks.guarded.jump() == timedelta(seconds=wall - 60)
        assert clocks.guarded.jump() is None
        clocks.pass_time(DISTRUST.total_seconds() - 1)
        assert clocks.guarded.held
        clocks.pass_time(2)
        assert not clocks.guarded.held


def test_a_machine_that_slept_has_jumped() -> None:
    clocks = Clocks()
    clocks.pass_time(0, wall=900)
    assert clocks.guarded.held


def test_another_clock_can_cast_doubt() -> None:
    clocks = Clocks()
    clocks.guarded.distrust(timedelta(seconds=30))
    assert clocks.guarded.held
    assert clocks.guarded.jump() == timedelta(seconds=30)
