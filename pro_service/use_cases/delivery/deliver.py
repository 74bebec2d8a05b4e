"""Send what is due: claim (committed) -> send, no transaction open -> record.

A pipeline: while workers send, the next messages are claimed and the last ones written down, so that a provider who is
slow with one message holds up no other.
"""

import time
from collections import deque
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from math import inf
from queue import Empty, SimpleQueue
from threading import Event

from pro_service.core.providers import STAFF_MAIL, Pace, WayOut
from pro_service.gateways.codes import is_of_delivery
from pro_service.runtime import Runtime
from pro_service.store import standing
from pro_service.store.messages import channels, outbox, waiting
from pro_service.store.messages.channels import FREE
from pro_service.store.messages.outbox import Claimed, Held, Outcome
from pro_service.use_cases import trusted_time
from pro_service.use_cases.delivery import outcomes, quarantine
from pro_service.use_cases.delivery.attempt import Sending

SMALLEST, LARGEST = 32, 500
"""How many messages one process has claimed at a time: as many as it sends in about a second."""
ENOUGH = 4
"""At least so many for each worker: half of them may be through before more are claimed, and nobody shall wait."""
SHORT, LONG = 0.5, 2.5
"""Seconds for half of what is claimed to be sent below which more are claimed at a time, and above which fewer."""
SLACK = 0.01
"""Seconds by which one waits longer for a moment, so that it has come."""
RECORD_EVERY = 0.1
"""Seconds after which results are written down, however few there are."""
LOOK_EVERY = 1.0
"""Seconds after which it is looked again whether something new may go while others are still being sent."""
TIDY_EVERY = 5.0
PATIENCE = 50.0
"""Seconds for which a delivery that cron starts every minute waits for a paced sender: it ends before the next one."""
MOST_COUNTED = 1000


@dataclass(slots=True)
class DeliverReport:
    """What one delivery did, by outcome."""

    accepted: int = 0
    refused: int = 0
    unavailable: int = 0
    uncertain: int = 0
    dead: int = 0
    void: int = 0
    remaining: int = 0
    """Texts that are due and only wait for their sender's pace; counted up to MOST_COUNTED."""

    def count(self, outcome: Outcome) -> None:
        """Count one more."""
        name = {"ready": "unavailable", "cancelled": "void"}.get(outcome.state, outcome.state)
        setattr(self, name, getattr(self, name) + 1)


def deliver(
    rt: Runtime, stop: Event | None = None, *, patience: float = 0.0, pool: Executor | None = None
) -> DeliverReport:
    """Send what is due now until nothing is left that may go, or `stop` is set: then what is claimed still goes.

    What only waits for its sender's pace is waited for as long as it leaves within `patience` (seconds) from now; the
    beats, which come again in a moment, wait for nothing. `pool`: what sends, and is shut down then; threads of its own
    where there is none.
    """
    now = rt.clock()
    with rt.sessions.glance() as connection:
        if not waiting.anything(connection, now):
            return DeliverReport()
    quarantine.detect_older_database(rt)
    if not trusted_time.is_believed(rt):
        return DeliverReport()
    # A clock that is set stands still: the slot would never come.
    line = _Line(rt, stop or Event(), patience if rt.settings.now is None else 0.0)
    line.run(pool or ThreadPoolExecutor(rt.settings.delivery.workers, thread_name_prefix="send"))
    if patience and (held := line.held_by_pace(MOST_COUNTED)) is not None:
        line.report.remaining = held.count
    return line.report


@dataclass(frozen=True, slots=True)
class _Job:
    """One claimed message, with the moment of its claim on both clocks."""

    claimed: Claimed
    now: datetime
    started: float

    @property
    def leaves(self) -> float:
        """When the sender's pace lets it leave, by the monotonic clock."""
        at = self.claimed.leaves_at
        return self.started if at is None else self.started + (at - self.now).total_seconds()


class _Line:
    """One delivery: claims, hands over to the workers, writes down."""

    def __init__(self, rt: Runtime, stop: Event, patience: float) -> None:
        self.rt, self.stop = rt, stop
        self.patient_until = self.rt.monotonic() + patience
        self.sending = Sending(rt)
        self.report = DeliverReport()
        self.ways = {name: FREE if name == STAFF_MAIL else rt.pace(name) for name in rt.ways}
        """Way out -> what its sender may carry."""
        self.smallest = max(SMALLEST, ENOUGH * rt.settings.delivery.workers)
        self.size = self.smallest
        self.paced: dict[str, deque[_Job]] = {name: deque() for name in self.ways}
        """Way out -> claimed, waiting for the moment its sender's pace gives them; in order."""
        self.free = dict.fromkeys(self.ways, 0.0)
        """Way out -> when the last paced message that left lets the next one go, by the monotonic clock."""
        self.under_way = 0
        self.broken = False
        """Whether a fault ends this delivery."""
        self.done: SimpleQueue[Outcome | BaseException] = SimpleQueue()
        self.dry = False
        """Whether the last claim found less than it asked for."""
        self.claimed_at = 0.0
        self.recovering = self._stopped_before()

    def run(self, pool: Executor) -> None:
        tidied = -TIDY_EVERY
        try:
            while True:
                if self.rt.monotonic() - tidied >= TIDY_EVERY:
                    tidied = self.rt.monotonic()
                    self.report.void += outcomes.tidy(self.rt)
                self._claim(pool)
                self._leave(pool)
                if self.under_way or any(self.paced.values()):
                    self._record(self._results())
                elif not self._waited_for_pace():
                    return
        finally:
            # After a fault what has not begun is left to its lease: nobody knows any more whether it may leave.
            pool.shutdown(cancel_futures=True)

    def _waited_for_pace(self) -> bool:
        """Wait until the sender's pace lets the next text be claimed; False if none waits for that, or for too long."""
        held = self.held_by_pace()
        if held is None or self.stop.is_set():
            return False
        now = self.rt.clock()
        if self.rt.monotonic() + (held.leaves_at - now).total_seconds() > self.patient_until:
            return False
        self.stop.wait((held.room_at - now).total_seconds() + SLACK)
        return True

    def held_by_pace(self, most: int = 1) -> Held | None:
        """Return which texts wait for nothing but their sender's pace, counted up to `most`; None if there are none."""
        paced = {name: pace for name, pace in self._going().items() if pace.per_second is not None}
        if not paced:
            return None
        with self.rt.sessions.glance() as connection:
            return outbox.held_by_pace(connection, paced, self.rt.clock(), most, leaves=self.rt.texts_leave)

    def _going(self) -> dict[WayOut, Pace]:
        return {name: pace for name, pace in self.ways.items() if name not in self.sending.stopped}

    def _claim(self, pool: Executor) -> None:
        """Take as many more as there is room for, once half of what was taken is through."""
        held = self.under_way + sum(map(len, self.paced.values()))
        ways = self._going()
        now, started = self.rt.clock(), self.rt.monotonic()
        took = started - self.claimed_at
        if self.stop.is_set() or not ways or held > self.size // 2 or (self.dry and held and took < LOOK_EVERY):
            return
        if not self.dry:
            longer, shorter = min(self.size * 2, LARGEST), max(self.size // 2, self.smallest)
            self.size = longer if took < SHORT else shorter if took > LONG else self.size
        limit, self.claimed_at = self.size - held, started
        with self.rt.sessions.begin() as session:
            lease = self.rt.settings.delivery.lease
            leaves = self.rt.texts_leave
            claimed = outbox.claim(session, now, lease, limit, ways, self.rt.token, leaves=leaves)
            if not self.rt.memory.noted_reached and any(one.channel in self.rt.texts for one in claimed):
                standing.note_reached(session, "simulated" if self.rt.simulates else "people")
                self.rt.memory.noted_reached = True
        self.dry = len(claimed) < limit
        for one in claimed:
            job = _Job(one, now, started)
            if one.leaves_at is None:
                self._hand_over(pool, job)
            else:
                self.paced[one.channel].append(job)

    def _leave(self, pool: Executor) -> None:
        for name, pace in self.ways.items():
            while self.paced[name] and self._wait(name) <= 0:
                job = self.paced[name].popleft()
                self.free[name] = self.rt.monotonic() + max(job.claimed.segments, 1) / (pace.per_second or inf)
                self._hand_over(pool, job)

    def _wait(self, name: str) -> float:
        """Seconds until a sender's next message may leave: at its moment, and never in a burst to catch up."""
        return max(self.paced[name][0].leaves, self.free[name]) - self.rt.monotonic()

    def _next(self) -> float:
        """Seconds until the next paced message may leave; there is one."""
        return min(self._wait(name) for name, jobs in self.paced.items() if jobs)

    def _hand_over(self, pool: Executor, job: _Job) -> None:
        self.under_way += 1
        self.sending.expect(job.claimed)
        pool.submit(self._send, job)

    def _send(self, job: _Job) -> None:
        """In a worker. Whatever ends it must reach the line, or the line would wait for ever."""
        if self.broken:
            return
        try:
            self.done.put(self.sending.one(job.claimed, job.now, job.started))
        except BaseException as fault:  # noqa: BLE001 -- raised again by the line
            self.broken = True
            self.done.put(fault)

    def _results(self) -> list[Outcome]:
        """What came back: all there is at the end, else what comes within a moment, up to half of what is out."""
        found: list[Outcome] = []
        began, enough = self.rt.monotonic(), max(self.size // 2, 1)
        while self.under_way and len(found) < enough:
            # With nothing to write down yet, only what is new may be waited for.
            left = (RECORD_EVERY if found else LOOK_EVERY) - (self.rt.monotonic() - began)
            if any(self.paced.values()):
                left = min(left, self._next())
            try:
                result = self.done.get(timeout=max(left, 0.0))
            except Empty:
                break
            if isinstance(result, BaseException):
                raise result
            self.under_way -= 1
            found.append(result)
        if not self.under_way and not found and any(self.paced.values()):
            time.sleep(max(self._next(), 0.0))
        return found

    def _record(self, attempted: list[Outcome]) -> None:
        if not attempted:
            return
        for channel, code in list(self.sending.stopped.items()):
            outcomes.stop(self.rt, channel, code)
        for outcome in outcomes.record_outcomes(self.rt, attempted):
            self.report.count(outcome)
            if outcome.state == "accepted" and outcome.claimed.channel in self.recovering:
                self.recovering.discard(outcome.claimed.channel)
                with self.rt.sessions.begin() as session:
                    channels.go_on(session, outcome.claimed.channel)

    def _stopped_before(self) -> set[str]:
        """Channels whose provider refused us the last time, where taking a text proves that it does no more.

        A fault that shows only after a text was taken is over when one is delivered (`failures.note_arrival`).
        """
        with self.rt.sessions.reading() as session:
            known = channels.all_channels(session).items()
        return {name for name, one in known if one.stopped_by is not None and not is_of_delivery(one.stopped_by)}
