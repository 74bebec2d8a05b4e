"""H1: everybody's invitation is due at once; decided, rendered, encrypted, audited, queued, claimed, handed over.

The limit claims a row, writes a row and completes it; the peers run jobs that do nothing.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from sqlalchemy import func, select

from pro_service.runtime import Runtime
from pro_service.store import schema
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.tick import tick
from tests.bench import crowd
from tests.bench.limits import Hand
from tests.bench.peers import Procrastinate, apscheduler
from tests.bench.places import Kind, Places, check
from tests.bench.rounds import LIMIT, OURS, Contender, Line, Plan, line, take_turns
from tests.bench.stories import Story

WINDOWS = 5
"""Of each participant."""
PEER_DUE, SLOW_PEER_DUE = 500, 50
"""Jobs of a peer's round; fewer where future jobs slow it down."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Ours: the whole way from time to an accepted message."""

    rt: Runtime
    due: tuple[int, ...]
    each: int
    waken: Callable[[tuple[int, ...]], None] | None = None
    """How those of a round become due; None = all at this instant."""

    def __call__(self, number: int) -> float:
        ids = self.due[number * self.each : (number + 1) * self.each]
        (self.waken or partial(crowd.wake, self.rt))(ids)
        before = self._accepted()
        began = time.perf_counter()
        ticked = tick(self.rt)
        sent = deliver(self.rt)
        took = time.perf_counter() - began
        check(ticked.faults == 0, "a tick had faults")
        check(sent.accepted == self._accepted() - before == self.each, "not every message was accepted, once")
        return took / self.each

    def _accepted(self) -> int:
        m = schema.messages.c
        accepted = select(func.count()).select_from(schema.messages).where(m.state == "accepted")
        with self.rt.sessions.reading() as session:
            return int(session.execute(accepted).scalar_one())


def measure(places: Places, plan: Plan, kind: Kind, stories: tuple[Story, ...]) -> Iterator[Line]:
    """One line for each number of future windows; all of them take turns, so that they can be compared."""
    contenders: dict[str, Contender] = {}
    with ExitStack() as stack:
        for ahead in plan.ahead:
            rt = stack.enter_context(places.runtime(kind))
            people = crowd.gather(rt, stories, due=plan.due * plan.rounds, ahead=ahead // WINDOWS)
            contenders[f"{OURS} {ahead}"] = Drain(rt, people.due, plan.due)
            contenders[f"{LIMIT} {ahead}"] = _limit(places, kind, plan.due, ahead, stack)
            for name, peer in _peers(places, kind, ahead, stack).items():
                contenders[f"{name} {ahead}"] = peer
        times = take_turns(contenders, plan.rounds)
    none = times[f"{OURS} {plan.ahead[0]}"]
    for ahead in plan.ahead:
        here = {name.rsplit(" ", 1)[0]: found for name, found in times.items() if name.endswith(f" {ahead}")}
        kept = statistics.median(a / b for a, b in zip(none, here[OURS], strict=True))
        yield line("H1 drain", kind, ahead, "/s", here, due=plan.due, **{f"of rate({plan.ahead[0]})": kept})


def _limit(places: Places, kind: Kind, due: int, ahead: int, stack: ExitStack) -> Contender:
    url = places.url(kind)
    stack.callback(places.gone, url)
    hand = Hand(url, ahead)
    stack.callback(hand.close)

    def drain(_: int) -> float:
        hand.prepare(due)
        began = time.perf_counter()
        done = hand.drain()
        took = time.perf_counter() - began
        check(done == due, "the limit left work undone")
        return took / due

    return drain


def _peers(places: Places, kind: Kind, ahead: int, stack: ExitStack) -> dict[str, Contender]:
    beats = stack.enter_context(apscheduler(places, kind, ahead))
    peers: dict[str, Contender] = {"APScheduler": lambda _: beats.drain(PEER_DUE) / PEER_DUE}
    if kind == "postgresql":
        url = places.url(kind)
        stack.callback(places.gone, url)
        queue = Procrastinate(url, ahead)
        count = SLOW_PEER_DUE if ahead else PEER_DUE
        peers["procrastinate"] = lambda _: queue.drain(count) / count
    return peers
