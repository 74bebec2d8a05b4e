"""H1 and H4 once more, alone and beside other work of the product: the sealing beat, and an export of the data set.

They take turns: `ours` is with the other work, the limit without it. Each turn with sealing has a beat that seals as
many rows as such a turn writes: as much as at full speed for ever, where otherwise most minutes have little to seal.
"""

import shutil
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import requests
from sqlalchemy import select

from pro_service.runtime import Runtime
from pro_service.store import schema
from pro_service.use_cases.trail.seal import seal
from pro_service.use_cases.transaction import transaction
from tests import support
from tests.bench import crowd
from tests.bench.callers import Heard, quantile
from tests.bench.drain import Drain
from tests.bench.inbound import PROGRAM, Inbound, scheduled, served
from tests.bench.places import ACTOR, NOW, STUDY, FaultyWorkError, Kind, Places, check
from tests.bench.rounds import LIMIT, OURS, Contender, Line, Plan, line, take_turns
from tests.bench.stories import Story
from tests.peers.configuration import environment

Beside = Callable[[], AbstractContextManager[None]]
ALONE = "alone"
STARTED_WITHIN = 60.0
CALLS = 3_000
"""Texts of a turn, also of a quick run: of fewer, one in a hundred says little."""


def measure(places: Places, plan: Plan, kind: Kind, stories: tuple[Story, ...]) -> Iterator[Line]:
    """H1 beside sealing; H4 beside sealing, beside an export by command, and by the page *Data*."""
    yield from _drain(places, plan, kind, stories)
    yield from _inbound(places, plan, kind, stories)


def _drain(places: Places, plan: Plan, kind: Kind, stories: tuple[Story, ...]) -> Iterator[Line]:
    size = max(plan.sizes)
    with places.runtime(kind) as rt:
        people = crowd.gather(rt, stories, due=plan.due * plan.rounds * 2, ahead=size)
        drain, numbers, sealing = Drain(rt, people.due, plan.due), count(), Sealing(rt)
        times = _in_turns({"sealing": sealing.once}, lambda _: drain(next(numbers)), plan.rounds, sealing)
        yield _line("H1 drain beside sealing", kind, size, times, "sealing", rows=str(sealing.rows))


def _inbound(places: Places, plan: Plan, kind: Kind, stories: tuple[Story, ...]) -> Iterator[Line]:
    size = max(plan.sizes)
    with ExitStack() as stack:
        rt = stack.enter_context(places.runtime(kind))
        crowd.gather(rt, stories, due=0, ahead=size)
        support.coordinator(rt, role="statistician")
        stack.enter_context(scheduled(rt, places.folder))
        inbound = Inbound(rt, stack.enter_context(served(rt.settings, places.folder)))
        sealing = Sealing(rt)
        others: dict[str, Beside] = {
            "sealing": sealing.once,
            "export by command": lambda: by_command(rt, places.folder),
            "export by page": lambda: by_page(inbound.url),
        }
        heard: dict[str, list[Heard]] = {name: [] for name in (ALONE, *others)}

        def called(name: str) -> float:
            took = inbound.round(max(plan.calls, CALLS), 0)
            heard[name].append(inbound.heard[-1])
            return took

        times = _in_turns(others, called, plan.rounds, sealing)
        for name in others:
            more = _percentiles(heard[ALONE], heard[name])
            yield _line(f"H4 inbound beside {name}", kind, size, times, name, **more)


def _in_turns(
    others: Mapping[str, Beside], work: Callable[[str], float], rounds: int, sealing: "Sealing"
) -> dict[str, list[float]]:
    """Do the work alone and beside each of the others, in turns; return the seconds of each turn."""

    def contender(name: str) -> Contender:
        def turn(_: int) -> float:
            sealing.prepare()
            if name != ALONE:
                with others[name]():
                    return work(name)
            took = work(name)
            sealing.rows = sealing.rows_there() - sealing.prepared
            return took

        return turn

    return take_turns({name: contender(name) for name in (ALONE, *others)}, rounds)


def _line(name: str, kind: Kind, size: int, times: dict[str, list[float]], other: str, **more: float | str) -> Line:
    rates = sorted(1 / one for one in times[ALONE])
    found = {OURS: times[other], LIMIT: times[ALONE]}
    return line(name, kind, size, "/s", found, **{"alone from": rates[0], "to": rates[-1]}, **more)


def _percentiles(alone: list[Heard], beside: list[Heard]) -> dict[str, float | str]:
    """Return p99 of both, as medians of the turns, and how many times the one is the other, turn by turn."""
    first, second = ([quantile(one.times, 0.99) * 1e3 for one in some] for some in (alone, beside))
    return {
        "p50 ms": statistics.median(quantile(one.times, 0.5) * 1e3 for one in beside),
        "p99 ms": statistics.median(second),
        "alone": statistics.median(first),
        "p99 of alone": statistics.median(b / a for a, b in zip(first, second, strict=True)),
    }


@dataclass(slots=True)
class Sealing:
    """The beat of the scheduler, with as many rows to seal as a turn writes."""

    rt: Runtime
    rows: int = 0
    """How many rows of the trail a turn writes."""
    prepared: int = 0
    faults: list[Exception] = field(default_factory=list)

    def rows_there(self) -> int:
        """Return how many rows the trail has."""
        with self.rt.sessions.reading() as session:
            return crowd.count_of(session, schema.audit_trail)

    def prepare(self) -> None:
        """Seal what there is, and write as many rows as a turn does."""
        seal(self.rt)
        with self.rt.sessions.reading() as session:
            first = session.scalars(select(schema.participants.c.id).limit(1)).one()
        with transaction(self.rt, ACTOR, NOW) as tx:
            loaded = self.rt.loader.one(tx.session, first)
            for _ in range(self.rows):
                tx.writer.note(loaded, "receipt", "message", None, {"state": ("sent", "delivered")})
        self.prepared = self.rows_there()

    @contextmanager
    def once(self) -> Iterator[None]:
        """Seal them beside the block."""
        beat = threading.Thread(target=self._beat)
        beat.start()
        yield
        beat.join()
        check(not self.faults, f"sealing failed: {self.faults}")

    def _beat(self) -> None:
        try:
            seal(self.rt)
        except Exception as fault:  # noqa: BLE001 -- told by the turn
            self.faults.append(fault)


@contextmanager
def by_command(rt: Runtime, folder: Path) -> Iterator[None]:
    """Have `pro-service export` run, again and again, while the block runs; it starts when rows are written."""
    told = environment(rt.settings.database_url, PRO_SERVICE_NOW=NOW.isoformat(), PATH="/usr/bin:/bin")
    target = folder / "sets"

    def export(ended: threading.Event) -> None:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        process = subprocess.Popen(
            [PROGRAM, "export", "--to", target / "set.zip", "--json"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=told,
            cwd=folder,
        )
        while process.poll() is None:
            if ended.wait(0.05):
                process.terminate()
        check(ended.is_set() or process.returncode == 0, "the export failed")

    with _again_and_again(export, lambda: any(target.glob(".*/set/data/visits.csv"))):
        yield
    shutil.rmtree(target, ignore_errors=True)


@contextmanager
def by_page(hook: str) -> Iterator[None]:
    """Have somebody press the button of the page *Data*, again and again, while the block runs."""
    base = hook.partition("/hooks/")[0]
    with requests.Session() as browser:
        browser.trust_env = False
        form = support.csrf_of(browser.get(f"{base}/login").text)
        browser.post(f"{base}/login", data={"email": support.EMAIL, "password": support.PASSWORD, "csrf": form})
        csrf = support.csrf_of(browser.get(f"{base}/data?study={STUDY}").text)

        def export(_ended: threading.Event) -> None:
            answer = browser.post(f"{base}/data", data={"csrf": csrf, "what": "files"})
            check(answer.status_code == requests.codes.ok and len(answer.content) > 1_000, "no data set came")

        began = time.monotonic()
        with _again_and_again(export, lambda: time.monotonic() - began > 1):
            yield


@contextmanager
def _again_and_again(work: Callable[[threading.Event], None], is_under_way: Callable[[], bool]) -> Iterator[None]:
    ended, faults = threading.Event(), list[Exception]()

    def run() -> None:
        try:
            while not ended.is_set():
                work(ended)
        except Exception as fault:  # noqa: BLE001 -- told by the turn
            faults.append(fault)

    working, began = threading.Thread(target=run), time.monotonic()
    working.start()
    try:
        while not is_under_way() and not faults:
            if time.monotonic() - began > STARTED_WITHIN:
                raise FaultyWorkError("the other work did not begin")
            time.sleep(0.01)
        yield
    finally:
        ended.set()
        working.join()
    check(not faults, f"the other work failed: {faults}")
