"""APScheduler's beat. It is only the metronome: what is due stands in our tables, and every beat is also a command."""

import gc
import signal
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from pro_service import logs
from pro_service.runtime import Runtime
from pro_service.use_cases.deliver import deliver
from pro_service.use_cases.tick import beat, tick

TICK_SECONDS = 60
DELIVER_SECONDS = 5


def run(rt: Runtime, *, stop: threading.Event | None = None) -> None:
    """Beat until SIGINT or SIGTERM (or `stop`); the beat that is under way is finished first."""
    ended = stop or threading.Event()
    if stop is None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _set(ended))
    # One job that is late is run once, never dropped: APScheduler's own default silently drops it after a second.
    beats = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(2)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone="UTC",
    )
    at_once = datetime.now(UTC)
    for name, seconds, work in (("tick", TICK_SECONDS, _tick), ("deliver", DELIVER_SECONDS, _deliver)):
        beats.add_job(_guarded(name, work, rt), "interval", seconds=seconds, id=name, next_run_time=at_once)
    # What is loaded by now stays: the collector would go through all of it again with every batch of participants.
    gc.collect()
    gc.freeze()
    beats.start()
    logs.event("scheduler.started")
    ended.wait()
    beats.shutdown(wait=True)
    logs.event("scheduler.stopped")


def _tick(rt: Runtime) -> None:
    report = tick(rt)
    beat(rt, "tick")
    if any(asdict(report).values()):
        logs.event("tick", **asdict(report))


def _deliver(rt: Runtime) -> None:
    report = deliver(rt)
    if any(asdict(report).values()):
        logs.event("deliver", **asdict(report))


def _guarded(name: str, work: Callable[[Runtime], None], rt: Runtime) -> Callable[[], None]:
    """A beat that fails is logged, and beats again."""

    def once() -> None:
        try:
            work(rt)
        except Exception as fault:  # noqa: BLE001 -- the next beat tries again
            logs.fault(name, fault)

    return once


def _set(ended: threading.Event) -> Callable[[int, FrameType | None], None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    return stop
