"""H8: how soon the programs work and how much memory they hold, a burst due at one instant, a day's backlog.

The limit of a start is a process that imports the same libraries and does nothing.
"""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median

from sqlalchemy import delete

from pro_service.runtime import Runtime
from pro_service.store import heartbeats, schema
from tests.bench import crowd
from tests.bench.drain import Drain
from tests.bench.inbound import PROGRAM
from tests.bench.places import NOW, FaultyWorkError, Kind, Places, check
from tests.bench.provider import provided
from tests.bench.rounds import LIMIT, OURS, Contender, Line, Plan, line, take_turns
from tests.bench.send import Outbox, by_hand
from tests.bench.stories import Story
from tests.peers import servers
from tests.peers.configuration import environment

BURST, BURST_QUICK = 10_000, 1_000
BURST_WORKERS = 16
STARTED_WITHIN = 60.0
LIBRARIES = (
    "alembic, apscheduler.schedulers.background, argon2, babel, click, cryptography.hazmat.primitives.ciphers.aead, "
    "dotenv, flask, holidays, phonenumbers, sqlalchemy, twilio.rest, waitress"
)
BARE = f"import time, {LIBRARIES}; print('ready', flush=True); time.sleep(60)"
MIB = 1024


@dataclass(slots=True)
class _Program:
    """One program on one database: started, awaited, weighed, ended."""

    command: list[str]
    environment: dict[str, str]
    folder: Path
    ready: Callable[[subprocess.Popen[bytes]], bool]
    before: Callable[[], None] = lambda: None
    weights: list[float] = field(default_factory=list)

    def __call__(self, _: int) -> float:
        self.before()
        with (self.folder / "start.log").open("wb") as log:
            began = time.perf_counter()
            process = subprocess.Popen(
                self.command, env=self.environment, cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
            try:
                while not self.ready(process):
                    check(process.poll() is None, "a program ended by itself")
                    check(time.perf_counter() - began < STARTED_WITHIN, "a program did not start")
                    time.sleep(0.005)
                took = time.perf_counter() - began
                self.weights.append(_resident(process.pid))
            finally:
                process.kill()
                process.wait()
        return took


def measure(places: Places, plan: Plan, kind: Kind, stories: tuple[Story, ...]) -> Iterator[Line]:
    """Start and memory for each number of participants; a burst; a backlog of 24 hours at each number ahead."""
    lines: list[Line] = []
    for size in plan.sizes:
        lines += _started(places, plan, kind, stories, size)
    yield from sorted(lines, key=lambda one: (one.measure, one.size))
    yield _burst(places, plan, kind, stories)
    yield _backlog(places, plan, kind, stories)


def _started(places: Places, plan: Plan, kind: Kind, stories: tuple[Story, ...], size: int) -> Iterator[Line]:
    with ExitStack() as stack:
        rt = stack.enter_context(places.runtime(kind))
        crowd.gather(rt, stories, due=0, ahead=size)
        programs = {OURS: _web(rt, places.folder), LIMIT: _bare(places.folder), "scheduler": _scheduler(rt, places)}
        times = take_turns(dict(programs), plan.rounds)
        del times["scheduler"]
        scheduler = programs["scheduler"]
        weights = {name: [one * 1.0 for one in program.weights] for name, program in programs.items()}
        yield line("H8 start, web", kind, size, "s", times)
        again = take_turns({OURS: scheduler, LIMIT: programs[LIMIT]}, plan.rounds)
        yield line("H8 start, scheduler", kind, size, "s", again)
        commands: dict[str, Contender] = {OURS: partial(_tick, rt, places.folder), LIMIT: _imports}
        yield line("H8 tick as a command, nothing due", kind, size, "s", take_turns(commands, plan.rounds))
        for name, of in (("web", OURS), ("scheduler", "scheduler")):
            found = {OURS: weights[of], LIMIT: weights[LIMIT]}
            yield line(f"H8 memory, {name}", kind, size, "MiB", found)


def _web(rt: Runtime, folder: Path) -> _Program:
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}"
    return _Program(
        [str(PROGRAM), "serve", "--port", str(port)],
        _told(rt, PUBLIC_BASE_URL=url),
        folder,
        lambda _: _is_ready(f"{url}/readyz"),
    )


def _scheduler(rt: Runtime, places: Places) -> _Program:
    """It works once its first tick is through."""

    def forget() -> None:
        with rt.sessions.begin() as session:
            session.execute(delete(schema.heartbeats).where(schema.heartbeats.c.name == "tick"))

    def ticked(_: subprocess.Popen[bytes]) -> bool:
        with rt.sessions.glance() as connection:
            return heartbeats.last_beat(connection, "tick") is not None

    return _Program([str(PROGRAM), "scheduler"], _told(rt), places.folder, ticked, forget)


def _bare(folder: Path) -> _Program:
    command = [sys.executable, "-c", BARE]
    return _Program(
        command, {"PATH": "/usr/bin:/bin"}, folder, lambda _: b"ready" in (folder / "start.log").read_bytes()
    )


def _tick(rt: Runtime, folder: Path, _: int) -> float:
    """One tick as cron starts it."""
    began = time.perf_counter()
    done = subprocess.run([PROGRAM, "tick"], env=_told(rt), cwd=folder, capture_output=True, check=True)
    took = time.perf_counter() - began
    check(b"looked at 0, commands 0" in done.stdout, "there was something to do")
    return took


def _imports(_: int) -> float:
    """The least a command of ours imports."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import sqlalchemy, cryptography"], check=True)
    return time.perf_counter() - began


def _told(rt: Runtime, **more: str) -> dict[str, str]:
    return environment(rt.settings.database_url, PRO_SERVICE_NOW=NOW.isoformat(), PATH="/usr/bin:/bin", **more)


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _resident(pid: int) -> float:
    """What a process holds in memory, in MiB."""
    for row in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if row.startswith("VmRSS:"):
            return int(row.split()[1]) / MIB
    message = "the system does not say how much memory a process holds"
    raise FaultyWorkError(message)


def _burst(places: Places, plan: Plan, kind: Kind, stories: tuple[Story, ...]) -> Line:
    """Everybody's text is due at one instant, through the real SDK; each arrives, and once."""
    messages = BURST_QUICK if plan.quick else BURST
    with ExitStack() as stack:
        rt = stack.enter_context(places.runtime(kind))
        provider = stack.enter_context(provided(places.folder))
        outbox = Outbox(rt, provider, stories, messages)
        ours = outbox.sent(messages, BURST_WORKERS, 0.0)
        limit = by_hand(provider, messages, BURST_WORKERS)
    return line("H8 burst", kind, messages, "/s", {OURS: [ours], LIMIT: [limit]}, sent=f"{messages} once each", lost=0)


def _backlog(places: Places, plan: Plan, kind: Kind, stories: tuple[Story, ...]) -> Line:
    """What became due during a day without a scheduler, beside as much that is due at one instant (H1)."""
    with ExitStack() as stack:
        rt = stack.enter_context(places.runtime(kind))
        people = crowd.gather(rt, stories, due=plan.due * plan.rounds * 2, ahead=max(plan.ahead) // 5)
        half = plan.due * plan.rounds
        contenders: dict[str, Contender] = {
            OURS: Drain(rt, people.due[:half], plan.due, partial(_over_a_day, rt)),
            LIMIT: Drain(rt, people.due[half:], plan.due),
        }
        times = take_turns(contenders, plan.rounds)
    return line(
        "H8 backlog of 24 h", kind, max(plan.ahead), "/s", times, due=plan.due, seconds=median(times[OURS]) * plan.due
    )


def _over_a_day(rt: Runtime, ids: tuple[int, ...]) -> None:
    """Let these have become due one after another since yesterday."""
    hours = 24
    for hour in range(hours):
        some = ids[len(ids) * hour // hours : len(ids) * (hour + 1) // hours]
        crowd.wake(rt, some, NOW - timedelta(hours=hours - hour))
