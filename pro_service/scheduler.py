"""APScheduler's beat. It is only the metronome: what is due stands in our tables, and every beat is also a command."""

import gc
import signal
import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from pro_service import logs
from pro_service.runtime import Runtime
from pro_service.use_cases import clock_repair
from pro_service.use_cases.contact_erasure import erase_due
from pro_service.use_cases.delivery import quarantine
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.delivery.reconcile import reconcile
from pro_service.use_cases.inbound.interpret import prepare, read_new
from pro_service.use_cases.inbound.pull import pull
from pro_service.use_cases.inbound.reseal import FOR, reseal
from pro_service.use_cases.participants.erase import follow_up
from pro_service.use_cases.safety_alerts import alert
from pro_service.use_cases.tick import beat, tick
from pro_service.use_cases.trail.seal import seal
from pro_service.use_cases.trail.time_stamp import stamp_now_and_then
from pro_service.use_cases.trail.verify import verify_now_and_then
from pro_service.use_cases.watch import watch

TICK_SECONDS = 60
READ_SECONDS = 1
DELIVER_SECONDS = 5
RECONCILE_SECONDS = 15
PULL_SECONDS = 10 * 60
SEAL_SECONDS = 60
WATCH_SECONDS = 60
RESEAL_SECONDS = 60
ERASE_SECONDS = 60


def run(rt: Runtime, *, stop: threading.Event | None = None) -> None:
    """Beat until SIGINT or SIGTERM (or `stop`); the beat that is under way is finished first."""
    ended = stop or threading.Event()
    if stop is None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _set(ended))
    # One job that is late is run once, never dropped: APScheduler's own default silently drops it after a second.
    beats = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(8)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone="UTC",
    )
    _guarded("start", quarantine.on_start, rt)()
    _guarded("clock_repair", _repair_at_start, rt)()
    at_once = datetime.now(UTC)
    for name, seconds, work in _beats(ended):
        beats.add_job(_guarded(name, work, rt), "interval", seconds=seconds, id=name, next_run_time=at_once)
    # What is loaded by now stays: the collector would go through all of it again with every batch of participants.
    gc.collect()
    gc.freeze()
    beats.start()
    logs.event("scheduler.started")
    ended.wait()
    beats.shutdown(wait=True)
    logs.event("scheduler.stopped")


def _beats(ended: threading.Event) -> tuple[tuple[str, int, Callable[[Runtime], None]], ...]:
    """Name, seconds, what is done; what has much to do leaves the rest for the next start once `ended` is set."""

    def ticking(rt: Runtime) -> None:
        started = rt.monotonic()
        _told("tick", tick(rt, ended))
        beat(rt, "tick", timedelta(seconds=rt.monotonic() - started))

    def delivering(rt: Runtime) -> None:
        _told("deliver", deliver(rt, ended))
        quarantine.beat(rt)

    def erasing(rt: Runtime) -> None:
        erase_due(rt, stop=ended)
        _told("erase", follow_up(rt, ended))

    return (
        ("tick", TICK_SECONDS, ticking),
        # Beside the web server: what it keeps is read here while it answers the next calls.
        ("read", READ_SECONDS, lambda rt: _count("read", read_new(rt, ended))),
        ("deliver", DELIVER_SECONDS, delivering),
        ("reconcile", RECONCILE_SECONDS, _reconcile),
        ("pull", PULL_SECONDS, lambda rt: _told("pull", pull(rt))),
        ("seal", SEAL_SECONDS, _seal),
        ("time_stamp", SEAL_SECONDS, _time_stamp),
        ("watch", WATCH_SECONDS, _watch),
        ("erase", ERASE_SECONDS, erasing),
        ("reseal", RESEAL_SECONDS, lambda rt: _told("reseal", reseal(rt, ended, seconds=FOR))),
    )


def _reconcile(rt: Runtime) -> None:
    _told("quarantine", quarantine.settle(rt))
    _told("reconcile", reconcile(rt))


def _seal(rt: Runtime) -> None:
    seal(rt)
    verify_now_and_then(rt)


def _time_stamp(rt: Runtime) -> None:
    stamp_now_and_then(rt)


def _repair_at_start(rt: Runtime) -> None:
    _told("clock_repair", clock_repair.repair(rt))


def _watch(rt: Runtime) -> None:
    _told("clock_repair", clock_repair.repair_now_and_then(rt))
    _told("alert", alert(rt))
    for alarm in watch(rt):
        logs.event("alarm", code=alarm.code)


def _told(name: str, report: Any) -> None:
    """Log what a beat did, if it did anything."""
    if any(asdict(report).values()):
        logs.event(name, **asdict(report))


def _count(name: str, done: int) -> None:
    if done:
        logs.event(name, count=done)


def watch_from_outside(rt: Runtime, stop: threading.Event) -> None:
    """Watch from a process that is not the scheduler: a dead process cannot say so. Mails leave from here then.

    First of all it gets ready to read texts, while nobody waits for one.
    """

    def once(rt: Runtime) -> None:
        alert(rt)
        if any(alarm.code == "scheduler" for alarm in watch(rt)):
            deliver(replace(rt, texts={}))

    _guarded("prepare", prepare, rt)()
    look = _guarded("watch", once, rt)
    while not stop.wait(WATCH_SECONDS):
        look()


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
