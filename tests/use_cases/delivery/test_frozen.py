"""A sender that sleeps through its lease between claim and call: what it held goes once, by somebody else."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select

from pro_service.runtime import Runtime
from pro_service.store.schema import messages
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.delivery.reconcile import reconcile
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases, places
from tests.peers.configuration import environment
from tests.telephones import Telephones

pytestmark = databases.ON_BOTH

ASLEEP_WITHIN = 60.0


def test_a_sender_that_slept_through_its_lease_sends_nothing_stale(
    rt: Runtime, database_url: str, study_id: int, clock: support.SetClock, phones: Telephones, tmp_path: Path
) -> None:
    _invite(rt, study_id, clock)
    now = tmp_path / "now"
    now.write_text(clock.now.isoformat())
    with _sleeper(database_url, now) as sleeper:
        try:
            _until_stopped(sleeper.pid)
            assert _row(rt) == ("sending", 1)
            clock.now += timedelta(seconds=61)
            assert deliver(rt).accepted == 0
            assert _row(rt) == ("uncertain", 1)
            clock.now += timedelta(seconds=120)
            assert reconcile(rt).missed == 1
            clock.now += timedelta(seconds=60)
            assert reconcile(rt).sent_again == 1
            assert deliver(rt).accepted == 1
            now.write_text(clock.now.isoformat())
        finally:
            sleeper.send_signal(signal.SIGCONT)
        out, _ = sleeper.communicate(timeout=ASLEEP_WITHIN)
    assert out.splitlines() == [json.dumps(dict.fromkeys(json.loads(out), 0))]  # neither `left` nor any outcome
    assert len(phones.sent) == 1
    assert _row(rt) == ("accepted", 2)


def test_what_a_sender_knows_too_late_still_ends_the_doubt(
    rt: Runtime, database_url: str, study_id: int, clock: support.SetClock, phones: Telephones, tmp_path: Path
) -> None:
    _invite(rt, study_id, clock)
    now = tmp_path / "now"
    now.write_text(clock.now.isoformat())
    with _sleeper(database_url, now) as sleeper:
        try:
            _until_stopped(sleeper.pid)
            clock.now += timedelta(seconds=61)
            deliver(rt)
            assert _row(rt) == ("uncertain", 1)
            now.write_text(clock.now.isoformat())
        finally:
            sleeper.send_signal(signal.SIGCONT)
        _until(lambda: _row(rt) == ("sending", 2))  # it has given the text back, and claimed it anew
        sleeper.kill()
    assert phones.sent == []


def _invite(rt: Runtime, study_id: int, clock: support.SetClock) -> None:
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone="+12025550123", channel="sms-reply", language="en")
    clock.now = support.at("2026-03-09 10:00")
    tick(rt)


def _sleeper(database_url: str, now: Path) -> subprocess.Popen[str]:
    (now.parent / "sleeper.env").touch()
    return subprocess.Popen(
        [sys.executable, "-m", "tests.use_cases.delivery.sleeper", str(now.parent)],
        env=environment(database_url, PRO_SERVICE_NOW=str(now), PATH=os.environ["PATH"], SEND_WORKERS="1"),
        cwd=places.ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def _until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + ASLEEP_WITHIN
    while not true():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.02)


def _until_stopped(pid: int) -> None:
    until = time.monotonic() + ASLEEP_WITHIN
    while (state := Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]) != "T":
        assert state != "Z", "the sender has ended"
        assert time.monotonic() < until, "the sender did not claim anything"
        time.sleep(0.02)


def _row(rt: Runtime) -> tuple[str, int]:
    with rt.sessions.reading() as session:
        found = session.execute(select(messages.c.state, messages.c.attempt)).one()
        return found.state, found.attempt
