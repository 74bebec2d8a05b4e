"""Ask the provider what became of texts of unknown fate.

A text it remembers was accepted. One it does not know of, asked twice and long enough apart, never left: it goes once
more, and once only, or a person is told. Every answer may be overtaken by a callback, which then counts.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Literal, TypeAlias

from cryptography.exceptions import InvalidTag

from pro_service import logs
from pro_service.gateways.outgoing import GatewayError, Record, TextGateway
from pro_service.runtime import ASKERS, Runtime
from pro_service.store.messages import receipts, uncertain
from pro_service.store.messages.uncertain import InDoubt
from pro_service.store.vault import WrongKeyError, opened
from pro_service.use_cases import trusted_time
from pro_service.use_cases.delivery import outcomes
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.transaction import SCHEDULER, Transaction, plain_text, transaction

BATCH = 200
BEFORE = timedelta(minutes=10)
"""How much earlier than our attempt a provider's clock may say that it took the text."""


@dataclass(slots=True)
class ReconcileReport:
    """What became of the texts asked about."""

    found: int = 0
    """The provider has them."""
    missed: int = 0
    """It did not know of them, for the first time."""
    sent_again: int = 0
    """They never left and go once more."""
    given_up: int = 0
    """They never left and will not: a person got a task."""
    unanswered: int = 0
    """Nobody can tell yet."""
    told: int = 0
    """Nobody could tell for long: a person got a task, and the provider is still asked."""


def reconcile(rt: Runtime) -> ReconcileReport:
    """Ask about every text whose turn has come. Safe beside callbacks, senders and other askers."""
    report = ReconcileReport()
    with rt.sessions.reading() as session:
        due = uncertain.to_ask(session, rt.clock(), BATCH) if rt.sms is not None else []
    # Two answers are far enough apart only by a clock that is believed.
    if due and not trusted_time.is_believed(rt):
        return report
    if rt.sms is not None:
        asker = _Asker(rt, rt.sms)
        askers = min(ASKERS, rt.settings.delivery.workers, len(due))
        if askers > 1:
            with ThreadPoolExecutor(askers, thread_name_prefix="ask") as pool:
                answers = list(pool.map(asker.ask, due))
        else:
            answers = [asker.ask(doubt) for doubt in due]
        for answer in answers:
            if answer is not None:
                setattr(report, answer, getattr(report, answer) + 1)
    report.told = outcomes.report_uncertain(rt)
    return report


Outcome: TypeAlias = Literal["found", "missed", "sent_again", "given_up", "unanswered"]


class _Asker:
    """Asks about one text at a time; called from several threads."""

    def __init__(self, rt: Runtime, provider: TextGateway) -> None:
        self.rt, self.provider = rt, provider
        self.silent = Event()
        """A provider that does not answer one question will not answer the next one either."""

    def ask(self, doubt: InDoubt) -> Outcome | None:
        """Ask about one text and carry out what follows; None: somebody else does, or nobody can just now."""
        if self.silent.is_set():
            return None
        try:
            return self._settled(doubt)
        except GatewayError as fault:
            logs.fault("reconcile.unanswered", fault, message=doubt.id)
            self.silent.set()
            self._put_off(doubt)
            return "unanswered"
        except Exception as fault:  # noqa: BLE001 -- one text must not keep the others in doubt
            logs.fault("reconcile", fault, message=doubt.id)
            self._put_off(doubt)
            return None

    def _settled(self, doubt: InDoubt) -> Outcome | None:
        rt = self.rt
        with rt.sessions.begin() as session:
            # The asker who takes it asks; if that asker dies, it is anybody's turn again after this.
            if not uncertain.claim(session, doubt, rt.clock() + rt.settings.delivery.lease):
                return None
        try:
            to, body = _plain(rt, doubt)
        except (InvalidTag, WrongKeyError, UnicodeDecodeError, ValueError) as fault:
            logs.fault("reconcile", fault, message=doubt.id)
            return self._carried("given_up", doubt, lambda tx: _end(tx, doubt, "dead"))
        remembered = self.provider.find(to, body, doubt.started_at - BEFORE)
        with rt.sessions.reading() as session:
            known = uncertain.known_sids(session, {record.sid for record in remembered})
            unsure = any(
                one.state == "sending" and plain_text(rt, one) == body for one in uncertain.rivals(session, doubt)
            )
        ours = sorted((record for record in remembered if record.sid not in known), key=_created)
        if ours and unsure:
            # Another worker is sending the same words to the same telephone: its answer comes first.
            self._put_off(doubt)
            return "unanswered"
        if ours:
            return self._carried("found", doubt, lambda tx: _found(tx, doubt, ours[0]))
        return self._unknown(doubt)

    def _unknown(self, doubt: InDoubt) -> Outcome | None:
        """The provider does not know of it: asked twice and long enough apart, that is certain."""
        again, now = self.rt.settings.delivery.ask_again, self.rt.clock()
        if doubt.missed_at is None:
            with self.rt.sessions.begin() as session:
                return "missed" if uncertain.missed(session, doubt, now, now + again) else None
        if now - doubt.missed_at < again:
            self._later(doubt, doubt.missed_at + again)
            return None
        if doubt.resends == 0 and doubt.useful(now):
            return self._carried("sent_again", doubt, lambda tx: uncertain.send_again(tx.session, doubt, tx.now))
        state = "dead" if doubt.useful(now) else "expired"
        return self._carried("given_up", doubt, lambda tx: _end(tx, doubt, state))

    def _carried(self, outcome: Outcome, doubt: InDoubt, change: Callable[[Transaction], bool]) -> Outcome | None:
        """Carry one outcome out with its audit row, unless a callback was quicker."""
        with transaction(self.rt, SCHEDULER, self.rt.clock()) as tx:
            # The participant first, as everywhere: two use cases never wait for each other.
            loaded = self.rt.loader.one(tx.session, doubt.participant_id)
            if not change(tx):
                return None
            tx.writer.note(loaded, "reconcile", "message", doubt.id, {"outcome": ("uncertain", outcome)})
            tx.writer.check_again(loaded)
        return outcome

    def _put_off(self, doubt: InDoubt) -> None:
        self._later(doubt, self.rt.clock() + self.rt.settings.delivery.ask_again / 2)

    def _later(self, doubt: InDoubt, moment: datetime) -> None:
        with self.rt.sessions.begin() as session:
            uncertain.ask_later(session, doubt, moment)


def _found(tx: Transaction, doubt: InDoubt, record: Record) -> bool:
    accepted_at = record.created_at or tx.now
    if not uncertain.found(tx.session, doubt, record.sid, record.status, accepted_at):
        return False
    code = "" if record.error_code is None else str(record.error_code)
    said = {"provider_id": record.sid, "status": record.status, "error": code}
    receive.apply_receipt(tx, receipts.by_id(tx.session, doubt.id), said)
    return True


def _end(tx: Transaction, doubt: InDoubt, state: str) -> bool:
    if not uncertain.end(tx.session, doubt, state, tx.now):
        return False
    outcomes.give_up(tx, doubt.id, doubt.participant_id)
    return True


def _plain(rt: Runtime, doubt: InDoubt) -> tuple[str, str]:
    """The telephone and the words of a text."""
    if doubt.data_key is None or doubt.phone is None:
        message = "a text without a telephone"
        raise ValueError(message)
    key = rt.vault.data_key(doubt.data_key, doubt.participant_id)
    phone = opened(key, doubt.phone, doubt.place).decode()
    return phone, opened(key, doubt.body, f"messages|body|{doubt.id}").decode()


def _created(record: Record) -> tuple[bool, datetime | None]:
    return (record.created_at is None, record.created_at)
