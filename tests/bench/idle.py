"""H2: a tick while nothing is due, beside a raw look-up in the same index, SELECT 1 and APScheduler's wake-up."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

from sqlalchemy import text

from pro_service.runtime import Runtime
from pro_service.use_cases.idle import TickReport
from pro_service.use_cases.tick import tick
from tests.bench import crowd
from tests.bench.peers import apscheduler
from tests.bench.places import NOW, Kind, Places, check
from tests.bench.rounds import LIMIT, OURS, Contender, Line, Plan, line, take_turns, typical
from tests.bench.stories import Story

CALLS = 200
"""In one round, of each."""
SELECT_ONE = "SELECT 1"


def measure(places: Places, plan: Plan, kind: Kind, stories: tuple[Story, ...]) -> Iterator[Line]:
    """One line for each number of participants."""
    for size in plan.sizes:
        with ExitStack() as stack:
            rt = stack.enter_context(places.runtime(kind))
            crowd.gather(rt, stories, due=0, ahead=size)
            beats = stack.enter_context(apscheduler(places, kind, size))
            beats.beats.resume()
            driver = stack.enter_context(rt.sessions.engine.connect()).connection.driver_connection
            before = _written(rt)
            contenders = {
                OURS: _typical(partial(_tick, rt), CALLS),
                LIMIT: _typical(partial(_look_up, driver, kind), CALLS),
                SELECT_ONE: _typical(partial(_one, driver), CALLS),
                "APScheduler": _typical(beats.wake_up, CALLS // 4),
            }
            times = take_turns(contenders, plan.rounds)
            check(_written(rt) == before, "an idle tick wrote something")
            yield line("H2 idle tick", kind, size, "µs", times)


def _typical(work: Callable[[], object], calls: int) -> Contender:
    return lambda _: typical(work, calls)


def _tick(rt: Runtime) -> None:
    check(tick(rt) == TickReport(), "a tick that should be idle was not")


def _one(driver: Any) -> None:
    driver.execute(SELECT_ONE).fetchall()


def _look_up(driver: Any, kind: Kind) -> None:
    if kind == "sqlite":
        now = NOW.isoformat(timespec="microseconds").replace("+00:00", "Z")
        found = driver.execute("SELECT id FROM participants WHERE look_at <= ? ORDER BY look_at LIMIT 500", (now,))
    else:
        found = driver.execute("SELECT id FROM participants WHERE look_at <= %s ORDER BY look_at LIMIT 500", (NOW,))
    check(not found.fetchall(), "somebody is due")


def _written(rt: Runtime) -> object:
    """What changes with every transaction that writes."""
    with rt.sessions.reading() as session:
        if rt.sessions.sqlite:
            return session.execute(text("PRAGMA data_version")).scalar()
        return session.execute(text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")).scalar()
