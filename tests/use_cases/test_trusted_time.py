"""By a clock that may be wrong nothing is decided or sent; an outage, a second clock or a person ends the doubt."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from pro_service.clock import DISTRUST, GuardedClock
from pro_service.core.problems import RejectedError, problem
from pro_service.runtime import Memory, Runtime
from pro_service.store import heartbeats
from pro_service.store.audit import Actor
from pro_service.store.schema import audit_trail, escalations, messages, windows
from pro_service.use_cases import safety_alerts, trusted_time
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.tick import beat, tick
from pro_service.use_cases.watch import alarms
from tests import support
from tests.peers import databases
from tests.support import SetClock, at
from tests.telephones import Telephones

DAY = timedelta(days=1)
LAID = date(2026, 3, 2)
PERSON = Actor("staff", "cli:somebody", "cli")


@dataclass(slots=True)
class Dated:
    """Telephones whose provider says what time it is; None: it does not answer."""

    telephones: Telephones
    says: Callable[[], datetime | None]

    def server_time(self) -> datetime | None:
        return self.says()

    def __getattr__(self, name: str) -> object:
        return getattr(self.telephones, name)


@pytest.fixture
def alive(rt: Runtime, clock: SetClock, study_id: int) -> Runtime:
    """Return a service that was alive a moment ago, with one participant."""
    clock.now = at("2026-03-02 12:00")
    support.enrolled(
        rt, study_id, "P-001", LAID, phone="+4915112345678", site="BER", language="en", channel="sms-reply"
    )
    tick(rt)
    beat(rt, "tick")
    return rt


def decided(rt: Runtime) -> tuple[int, int, int]:
    """How many windows are settled, tasks raised and texts queued."""
    with rt.sessions.reading() as session:
        settled = session.scalar(select(func.count()).where(windows.c.settled.is_not(None)))
        tables = (escalations, messages)
        raised, queued = (session.scalar(select(func.count()).select_from(table)) for table in tables)
    return settled or 0, raised or 0, queued or 0


def audited(rt: Runtime) -> list[str]:
    with rt.sessions.reading() as session:
        clock = audit_trail.c.entity == "clock"
        return list(session.scalars(select(audit_trail.c.action).where(clock).order_by(audit_trail.c.id)))


def guarded(rt: Runtime, clock: SetClock, says: Callable[[], datetime | None]) -> Runtime:
    """The service as it starts with the system's clock, and a provider that says the time."""
    phones = rt.texts["sms"]
    assert isinstance(phones, Telephones)
    return replace(rt, clock=GuardedClock(clock, lambda: 0.0), texts={"sms": Dated(phones, says)}, memory=Memory())  # type: ignore[dict-item]


@databases.ON_BOTH
def test_a_tick_half_a_year_ahead_decides_nothing_and_the_right_time_goes_on(alive: Runtime, clock: SetClock) -> None:
    before, right = decided(alive), clock.now
    clock.now += 200 * DAY
    tick(alive)
    beat(alive, "tick")
    assert decided(alive) == before
    assert [alarm.code for alarm in alarms(alive)] == ["clock"]
    clock.now = right + timedelta(minutes=5)
    beat(alive, "tick")
    assert alarms(alive) == ()
    assert audited(alive) == ["doubt", "believe"]
    clock.now = at("2026-03-09 13:00")
    tick(alive)
    assert decided(alive)[2] == before[2] + 1


@databases.ON_BOTH
def test_nothing_is_sent_or_alerted_by_a_clock_that_is_not_believed(
    alive: Runtime, clock: SetClock, phones: Telephones
) -> None:
    clock.now = at("2026-03-09 13:00")
    tick(alive)
    beat(alive, "tick")
    clock.now += 20 * DAY
    deliver(alive)
    safety_alerts.alert(alive)
    assert phones.sent == []


@pytest.mark.parametrize("days", [0.1, 3, 14])
@databases.ON_BOTH
def test_an_outage_recovers_without_anybody(alive: Runtime, clock: SetClock, days: float) -> None:
    clock.now += days * DAY
    tick(alive)
    beat(alive, "tick")
    assert alarms(alive) == ()
    with alive.sessions.reading() as session:
        assert heartbeats.last(session, "tick") == clock.now


@databases.ON_BOTH
def test_after_three_weeks_a_person_says_that_the_clock_is_right(alive: Runtime, clock: SetClock) -> None:
    clock.now += 21 * DAY
    before = decided(alive)
    tick(alive)
    assert decided(alive) == before
    assert trusted_time.noted_doubt(alive) == problem("clock_ahead")
    with pytest.raises(RejectedError) as refused:
        trusted_time.accept(alive, PERSON, " ")
    assert [fault.code for fault in refused.value.faults] == ["reason_missing"]
    assert trusted_time.accept(alive, PERSON, "the building had no power")
    assert trusted_time.noted_doubt(alive) is None
    assert not trusted_time.accept(alive, PERSON, "again")
    tick(alive)
    assert decided(alive) != before
    assert audited(alive) == ["doubt", "accept"]


# With a PostgreSQL server a clock is held against the server's own, which is the real one: so on SQLite alone.
def test_rows_from_the_future_hold_no_clock_that_a_person_or_another_machine_confirms(
    alive: Runtime, clock: SetClock
) -> None:
    right = clock.now
    with alive.sessions.begin() as session:
        heartbeats.beat(session, "tick", right + 200 * DAY)
    assert not trusted_time.is_believed(alive)
    assert trusted_time.is_believed(guarded(alive, clock, lambda: right))
    assert trusted_time.accept(alive, PERSON, "looked at it")
    assert trusted_time.is_believed(alive)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_database_server_whose_clock_is_far_from_ours_casts_doubt(alive: Runtime, clock: SetClock) -> None:
    clock.now += 2 * DAY
    assert not trusted_time.is_believed(guarded(alive, clock, lambda: clock.now))


def test_another_machine_decides_about_the_step_of_a_scheduler(alive: Runtime, clock: SetClock) -> None:
    right = clock.now
    clock.now += 2 * DAY
    assert trusted_time.is_believed(guarded(alive, clock, lambda: None))
    assert not trusted_time.is_believed(guarded(alive, clock, lambda: right))
    assert trusted_time.is_believed(guarded(alive, clock, lambda: right + 2 * DAY))
    clock.now += 200 * DAY
    assert not trusted_time.is_believed(guarded(alive, clock, lambda: None))
    assert trusted_time.is_believed(guarded(alive, clock, lambda: right + 202 * DAY))


def test_a_running_scheduler_whose_clock_jumps_decides_nothing(alive: Runtime, clock: SetClock) -> None:
    ticks, right = [0.0], clock.now
    running = replace(alive, clock=GuardedClock(clock, lambda: ticks[0]))
    before = decided(alive)
    clock.now += 200 * DAY
    for _ in range(5):
        tick(running)
        beat(running, "tick")
        clock.now += timedelta(minutes=1)
        ticks[0] += 60
    assert decided(alive) == before
    clock.now = right + timedelta(minutes=5)
    tick(running)
    ticks[0] += DISTRUST.total_seconds() + 1
    clock.now += DISTRUST
    beat(running, "tick")
    assert alarms(alive) == ()
    assert audited(alive) == ["clock_jump", "doubt", "clock_jump", "believe"]
