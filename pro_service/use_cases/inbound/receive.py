"""What providers bring: texts from telephones, and what became of ours. Kept first, in a transaction of its own.

Texts that come several at once are kept together, each answered once it is durable, and read right after, here or by
the scheduler. Nothing but a text that is kept counts: whatever this process has not read when it ends is read by the
next tick.
"""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Lock, Thread

from pro_service import logs
from pro_service.core.case import UNREACHABLE
from pro_service.core.commands import CancelTexts
from pro_service.core.providers import FACTS, Arrival, Receipt
from pro_service.core.schedule.prompts import FAILED
from pro_service.gateways.codes import kind_of
from pro_service.gateways.kinds import REMEDIES
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.messages import inbox, receipts
from pro_service.store.participants.cases import Loaded
from pro_service.store.schema import AnyRow
from pro_service.store.unavailable import UNREACHABLE as NO_DATABASE
from pro_service.use_cases import failures
from pro_service.use_cases.inbound.interpret import TOGETHER, interpret
from pro_service.use_cases.transaction import Transaction, transaction

CALM = 0.02
"""Seconds without a new text after which those that are kept are read: reading takes longer than keeping."""

LEFT_TO_SCHEDULER = 2.0
"""Seconds: while texts come in thick and fast the scheduler reads them. What it leaves is read here after that."""


# --- texts -----------------------------------------------------------------------------------------------------------


def receive(rt: Runtime, arrival: Arrival) -> bool:
    """Keep a text, then read it; False if it is here already.

    The web server does the same through `intake`, where nobody waits for the reading. A fault in reading it is not the
    provider's business: it is kept, and read again by the next tick.
    """
    with rt.sessions.begin() as session:
        inbound_id = inbox.keep_text(session, rt.vault, arrival, rt.clock())
    if inbound_id is not None:
        interpret(rt, [inbound_id])
    return inbound_id is not None


@dataclass(slots=True)
class _Waiting:
    """A text whose caller waits until it is durable; `fault`: why it is not."""

    arrival: Arrival
    received_at: datetime
    done: bool = False
    fault: BaseException | None = None


class Intake:
    """Takes texts from any number of threads; one of them writes at a time, for all who wait then.

    SQLite lets one writer in at a time, and every commit waits for the disk: eight texts in one transaction cost
    little more than one.
    """

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._waiting: deque[_Waiting] = deque()
        self._writing = Lock()
        self._unread: deque[tuple[int, float]] = deque()
        """Texts and until when the scheduler may read them first, on the monotonic clock."""
        self._reading = Lock()
        self._reader: Thread | None = None
        self._last = 0.0
        self._ended = Event()

    def take(self, arrival: Arrival) -> None:
        """Return once a text is durable, a repeated one at once.

        Raises what the database raised where it could not be kept.
        """
        self._last = time.monotonic()
        one = _Waiting(arrival, self._rt.clock())
        self._waiting.append(one)
        with self._writing:
            # The one who is let in writes for all; the others find it done.
            if not one.done:
                self._write([self._waiting.popleft() for _ in range(len(self._waiting))])
        if one.fault is not None:
            raise one.fault

    def _write(self, together: Sequence[_Waiting], *, again: bool = True) -> None:
        try:
            with self._rt.sessions.begin() as session:
                kept = inbox.keep_together(
                    session, self._rt.vault, [(one.arrival, one.received_at) for one in together]
                )
        except Exception as fault:  # noqa: BLE001 -- each caller gets it raised
            if again and not isinstance(fault, NO_DATABASE):
                # One was kept by another process just now, which is seen by now; or one is at fault, and then alone.
                for one in together:
                    self._write([one], again=len(together) > 1)
                return
            for one in together:
                one.fault = fault
            kept = []
        for one in together:
            one.done = True
        self._read_later(kept)

    def _read_later(self, kept: Sequence[int]) -> None:
        if not kept:
            return
        theirs_until = time.monotonic() + LEFT_TO_SCHEDULER
        with self._reading:
            self._unread.extend((one, theirs_until) for one in kept)
            if self._reader is None and not self._ended.is_set():
                # A thread only while there is something to read. Being killed at any moment costs nothing.
                self._reader = Thread(target=self._read, name="read", daemon=True)
                self._reader.start()

    def _read(self) -> None:
        while True:
            self._let_others_in()
            with self._reading:
                if self._ended.is_set() or not self._unread:
                    self._reader = None
                    return
                together = [self._unread.popleft()[0] for _ in range(min(TOGETHER, len(self._unread)))]
            try:
                interpret(self._rt, together)
            except Exception as fault:  # noqa: BLE001 -- the database went away, say: the next tick reads them
                logs.fault("interpret", fault, inbound=together[0])

    def _let_others_in(self) -> None:
        """Wait while texts come in thick and fast: a provider waits for an answer, a reading can wait a moment."""
        theirs_until = self._unread[0][1] if self._unread else 0.0
        while (pause := min(self._last + CALM, theirs_until) - time.monotonic()) > 0:
            if self._ended.wait(pause):
                return

    def rest(self, patience: float) -> bool:
        """Wait so many seconds for everything that is kept to be read; whether it is."""
        reader = self._reader
        if reader is not None:
            reader.join(patience)
        return reader is None or not reader.is_alive()

    def close(self, patience: float = 5.0) -> None:
        """Finish the text that is being read, and leave the others to the next tick."""
        self._ended.set()
        self.rest(patience)


# --- what became of ours ---------------------------------------------------------------------------------------------


def take_receipt(rt: Runtime, receipt: Receipt, provider: str) -> bool:
    """Keep what became of a message, and act on a failure while the window can still be saved.

    A receipt has its attempt's token; a restored database may know the provider's id alone. False: it is about no
    message of ours.
    """
    with transaction(rt, Actor(kind="provider", id=provider, source="webhook"), rt.clock()) as tx:
        meant = receipts.by_token(tx.session, receipt.token) if receipt.token else None
        meant = meant or receipts.by_provider_id(tx.session, receipt.provider_id)
        if meant is None or not receipt.provider_id or not receipt.status:
            return meant is not None
        if receipts.said_before(tx.session, receipt):
            return True
        # The participant first, as everywhere, so that two use cases never wait for each other.
        loaded = None if meant.participant_id is None else rt.loader.one(tx.session, meant.participant_id)
        apply_receipt(tx, receipts.by_id(tx.session, meant.id), receipt, loaded)
    return True


def _reached_after_all(tx: Transaction, loaded: Loaded, row: AnyRow) -> None:
    """A message arrived that was said to have failed: its medium leads to the participant, and nobody else asks."""
    fact = UNREACHABLE[FACTS[row.channel].medium]
    since = getattr(loaded.case.participant, fact)
    if since is None or row.queued_at > since:
        return
    tx.writer.change(loaded, {fact: None}, "reach_again")
    tx.carry_out(loaded, [CancelTexts(row.window_id)])


def apply_receipt(tx: Transaction, row: AnyRow, said: Receipt, loaded: Loaded | None = None) -> None:
    """Keep what a provider said of a message, move it forward, act on a failure."""
    if row.resends and REMEDIES[kind_of(said.error)] == "accepted":
        # An attempt before this one was in doubt: it was taken after all, and what is said of it still counts.
        receipts.store_taken_before(tx.session, row, said, tx.now)
        return
    moved = receipts.store_receipt(tx.session, row, said, tx.now)
    if moved is None:
        if said.status == "delivered" and row.state in FAILED and row.participant_id is not None:
            _reached_after_all(tx, loaded or tx.rt.loader.one(tx.session, row.participant_id), row)
        return
    if row.participant_id is not None:
        loaded = loaded or tx.rt.loader.one(tx.session, row.participant_id)
    error, failed = said.error, moved in ("undelivered", "failed")
    retried = failed and failures.is_retried(error)
    again = retried and failures.goes_again(tx, row, error, None if loaded is None else loaded.case)
    if not failed:
        failures.note_arrival(tx, row)
    if loaded is None:
        if failed and not retried and row.user_id is not None:
            failures.end_agreement(tx, row, error)
        return
    changes = {"state": (row.state, "ready" if again else moved)} | ({"error": (None, error)} if error else {})
    tx.writer.note(loaded, "receipt", "message", row.id, changes)
    if failed and not retried:
        failures.report(tx, loaded, row.id, row.channel, error)
    elif failed or row.accepted_at is None or any(task.open and task.level == "E0" for task in loaded.case.escalations):
        # What was accepted before stays accepted for the rules, however far it got; but a text that arrives ends the
        # task about one that did not.
        tx.writer.check_again(loaded)
