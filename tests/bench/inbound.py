"""H4: signed texts come in, each answered once it is durable; beside a hand-written group commit and a naive ORM.

The product runs as its own program; who calls it is a process of its own as well.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path

from sqlalchemy import func, select

from pro_service.runtime import Runtime
from pro_service.settings import Settings
from pro_service.store import heartbeats, schema
from pro_service.store.database import make_engine
from tests.bench import crowd
from tests.bench.callers import Calls, Heard, call, quantile
from tests.bench.group_commit import GroupCommit
from tests.bench.naive import Received
from tests.bench.places import NOW, FaultyWorkError, Kind, Places, check
from tests.bench.rounds import LIMIT, OURS, Contender, Line, Plan, line, take_turns
from tests.bench.stories import Story
from tests.peers import servers
from tests.peers.configuration import AUTH_TOKEN, environment, settings_for

PROGRAM = Path(sys.executable).parent / "pro-service"
PEER = "naive ORM"
AGAIN = 0.3
PEER_SHARE = 5
"""The peer gets one call for so many of ours."""
PHONES = 20_000
"""So many different telephones write, at most."""
ALL_READ_WITHIN = 600.0
STARTED_WITHIN = 60.0


def measure(places: Places, plan: Plan, kind: Kind, stories: tuple[Story, ...]) -> Iterator[Line]:
    """One line for each number of participants, and for the largest one with calls that repeat themselves."""
    lines: list[Line] = []
    for size in plan.sizes:
        shares = (0.0, AGAIN) if size == max(plan.sizes) else (0.0,)
        with ExitStack() as stack:
            rt = stack.enter_context(places.runtime(kind))
            crowd.gather(rt, stories, due=0, ahead=size)
            limit = stack.enter_context(_limit(places, kind))
            peer = stack.enter_context(_peer(places, kind))
            stack.enter_context(scheduled(rt, places.folder))
            ours = Inbound(rt, stack.enter_context(served(rt.settings, places.folder)))
            for share in shares:
                ours.again, ours.heard, ours.meanwhile, ours.reading = share, [], [], []
                contenders: dict[str, Contender] = {
                    OURS: partial(ours.round, plan.calls),
                    LIMIT: partial(limit, plan.calls),
                    PEER: partial(peer, plan.calls // PEER_SHARE),
                }
                times = take_turns(contenders, plan.rounds)
                name = f"H4 {share:.0%} repeated" if share else "H4 inbound"
                lines.append(line(name, kind, size, "/s", times, **ours.seen()))
    yield from sorted(lines, key=lambda one: (one.measure, one.size))


class Inbound:
    """The product, called by a process that is Twilio."""

    def __init__(self, rt: Runtime, url: str) -> None:
        self.rt, self.url = rt, url
        self.again = 0.0
        self.heard: list[Heard] = []
        self.meanwhile: list[float] = []
        """Texts a second that are read while others come in."""
        self.reading: list[float] = []
        """Texts a second that are read, from the first call until none is unread."""
        self._prefixes = count(1)
        with rt.sessions.reading() as session:
            ids = session.scalars(select(schema.participants.c.id).limit(PHONES)).all()
        self._phones = tuple(f"+49151{number:08}" for number in ids)

    def round(self, calls: int, _: int) -> float:
        """Call so often; gives the seconds for one."""
        before = self._kept()
        told = Calls(self.url, AUTH_TOKEN, self._phones, calls, next(self._prefixes), self.again)
        began = time.perf_counter()
        heard = call(told)
        left = self._unread()
        kept = self._kept() - before
        check(heard.unlike == 0, f"{heard.unlike} answers were not 200 with <Response/>")
        check(kept == heard.texts, f"{kept} texts are kept, {heard.texts} were sent")
        self.meanwhile.append((heard.texts - left) / heard.seconds)
        self._read()
        self.heard.append(heard)
        self.reading.append(heard.texts / (time.perf_counter() - began))
        return heard.seconds / calls

    def seen(self) -> dict[str, float | str]:
        """What else the rounds showed."""
        times = sorted(time for heard in self.heard for time in heard.times)
        return {
            "p50 ms": quantile(times, 0.5) * 1e3,
            "p99 ms": quantile(times, 0.99) * 1e3,
            "meanwhile read /s": sorted(self.meanwhile)[len(self.meanwhile) // 2],
            "read /s": sorted(self.reading)[len(self.reading) // 2],
        }

    def _kept(self) -> int:
        with self.rt.sessions.reading() as session:
            return crowd.count_of(session, schema.inbound)

    def _unread(self) -> int:
        unread = select(func.count()).select_from(schema.inbound).where(schema.inbound.c.interpreted_at.is_(None))
        with self.rt.sessions.reading() as session:
            return int(session.scalar(unread) or 0)

    def _read(self) -> None:
        """Wait until every text was read, each without a fault: the next contender shall have the machine."""
        faults = select(func.count()).select_from(schema.inbound).where(schema.inbound.c.faults > 0)
        began = time.monotonic()
        while time.monotonic() - began < ALL_READ_WITHIN:
            if not self._unread():
                with self.rt.sessions.reading() as session:
                    check(not session.scalar(faults), "texts could not be read")
                return
            time.sleep(0.05)
        raise FaultyWorkError(f"texts are still unread after {ALL_READ_WITHIN} s")


@contextmanager
def scheduled(rt: Runtime, folder: Path) -> Iterator[None]:
    """The scheduler on this database, as in every installation: it reads what the web program keeps."""
    told = environment(rt.settings.database_url, PRO_SERVICE_NOW=NOW.isoformat(), PATH="/usr/bin:/bin")
    with (folder / "scheduler.log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, "scheduler"], env=told, cwd=folder, stdout=log, stderr=log)
        try:
            until = time.monotonic() + STARTED_WITHIN
            while not _ticked(rt):
                check(process.poll() is None and time.monotonic() < until, "the scheduler did not start")
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait()


def _ticked(rt: Runtime) -> bool:
    with rt.sessions.glance() as connection:
        return heartbeats.last_beat(connection, "tick") is not None


@contextmanager
def served(settings: Settings, folder: Path) -> Iterator[str]:
    """The product's own web program on this database while the block runs; gives the address of its webhook."""
    port = servers.free_port()
    base = f"http://127.0.0.1:{port}"
    told = environment(
        settings.database_url,
        PUBLIC_BASE_URL=base,
        TWILIO_AUTH_TOKEN=AUTH_TOKEN,
        PRO_SERVICE_NOW=NOW.isoformat(),
        PATH="/usr/bin:/bin",
    )
    with servers.running(
        [PROGRAM, "serve", "--port", str(port)], f"{base}/healthz", folder / "serve.log", told, folder
    ):
        yield f"{base}/hooks/twilio/inbound"


@contextmanager
def _limit(places: Places, kind: Kind) -> Iterator[Callable[[int, int], float]]:
    url = places.url(kind)
    hand = GroupCommit(url, at_once=16)
    try:
        yield hand.round
    finally:
        hand.close()
        places.gone(url)


@contextmanager
def _peer(places: Places, kind: Kind) -> Iterator[Callable[[int, int], float]]:
    url = places.url(kind)
    database = settings_for(url, places.folder).database_url
    port = servers.free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "tests.bench.naive", database, str(port), AUTH_TOKEN]
    engine = make_engine(database)
    prefixes = count(1)

    def round_(calls: int, _: int) -> float:
        prefix = next(prefixes)
        heard = call(Calls(f"{address}/inbound", AUTH_TOKEN, ("+4915112345678",), calls, prefix))
        with engine.connect() as connection:
            sids = Received.sid.like(f"SM{prefix:08x}%")
            kept = connection.execute(select(func.count()).select_from(Received).where(sids)).scalar()
        check(heard.unlike == 0 and kept == calls, "the peer lost texts")
        return heard.seconds / calls

    with servers.running(command, address, places.folder / "naive.log"):
        yield round_
    engine.dispose()
    places.gone(url)
