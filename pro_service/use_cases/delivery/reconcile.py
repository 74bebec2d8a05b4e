"""Ask the provider what became of texts of unknown fate.

A text it remembers was accepted. One it does not know of, asked twice and long enough apart, never left: it is sent
again as long as it is of use, each time after a longer doubt, and from the second time on only while the provider's
list is proved to work. Otherwise a person is told. Every answer may be overtaken by a callback, which then counts.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from typing import Literal, TypeAlias

from pro_service import logs
from pro_service.core.case import PROMPTS, MessageFacts
from pro_service.core.providers import Receipt
from pro_service.core.schedule.agenda import overtaken
from pro_service.core.trusted_time import AGREES, OUTAGE
from pro_service.gateways.outgoing import Channel, GatewayError, Record
from pro_service.runtime import ASKERS, Runtime
from pro_service.store.messages import receipts, uncertain
from pro_service.store.messages.uncertain import InDoubt
from pro_service.store.messages.waiting import LONGEST_DOUBT
from pro_service.store.participants.cases import Loaded
from pro_service.store.vault import UnreadableError, opened
from pro_service.use_cases import trusted_time
from pro_service.use_cases.delivery import outcomes
from pro_service.use_cases.inbound import interpret, receive
from pro_service.use_cases.transaction import SCHEDULER, Transaction, plain_text, transaction

BATCH = 200
BEFORE = timedelta(minutes=10)
"""How much earlier than our attempt a provider's clock may say that it took the text."""


TRIED = 3
"""Texts that the list is asked for to see whether it works: one may have been deleted, or its number be another now."""


@dataclass(slots=True)
class ReconcileReport:
    """What became of the texts asked about."""

    found: int = 0
    """The provider has them."""
    missed: int = 0
    """It did not know of them, for the first time."""
    sent_again: int = 0
    """They never left and go again."""
    withdrawn: int = 0
    """They never left, and nobody waits for them any more."""
    given_up: int = 0
    """They never left and will not, or nobody can ever tell: a person got a task."""
    unanswered: int = 0
    """Nobody can tell yet."""
    told: int = 0
    """Nobody could tell for long: a person got a task, and the provider is still asked."""


def reconcile(rt: Runtime) -> ReconcileReport:
    """Ask about every text whose turn has come. Safe beside callbacks, senders and other askers."""
    report = ReconcileReport()
    with rt.sessions.reading() as session:
        due = [one for one in uncertain.to_ask(session, rt.clock(), BATCH) if one.channel in rt.texts]
    # Two answers are far enough apart only by a clock that is believed.
    if due and not trusted_time.is_believed(rt):
        return report
    for way, provider in rt.texts.items():
        for answer in _asked(_Asker(rt, provider), [one for one in due if one.channel == way]):
            if answer is not None:
                setattr(report, answer, getattr(report, answer) + 1)
    # Answers to texts in doubt wait until it is known whether these left.
    interpret.interpret_unread(rt)
    report.told = outcomes.report_uncertain(rt)
    return report


Outcome: TypeAlias = Literal["found", "missed", "sent_again", "withdrawn", "given_up", "unanswered"]
Change: TypeAlias = Callable[[Transaction, Loaded], Outcome | None]


def _asked(asker: "_Asker", due: Sequence[InDoubt]) -> list[Outcome | None]:
    askers = min(ASKERS, asker.rt.settings.delivery.workers, len(due))
    if askers <= 1:
        return [asker.ask(doubt) for doubt in due]
    with ThreadPoolExecutor(askers, thread_name_prefix="ask") as pool:
        return list(pool.map(asker.ask, due))


class _Asker:
    """Asks about one text at a time; called from several threads."""

    def __init__(self, rt: Runtime, provider: Channel) -> None:
        self.rt, self.provider = rt, provider
        self.silent = Event()
        """A provider that does not answer one question will not answer the next one either."""
        self.shown: datetime | None = None
        """When the newest text was handed over that the provider's list has shown."""

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
        if doubt.ask_at > (now := rt.clock()) + LONGEST_DOUBT:
            # A wrong clock had set it. How long ago the attempt was nobody knows: as if it had been just now.
            self._later(doubt, now + rt.settings.delivery.ask_after)
            return None
        with rt.sessions.begin() as session:
            # The asker who takes it asks; if that asker dies, it is anybody's turn again after this.
            if not uncertain.claim(session, doubt, rt.clock() + rt.settings.delivery.lease):
                return None
        try:
            to, body = _plain(rt, doubt)
        except (UnreadableError, UnicodeDecodeError, ValueError) as fault:
            logs.fault("reconcile", fault, message=doubt.id)
            return self._carried(doubt, partial(_end, doubt, certain=False))
        token = rt.token(doubt.id, doubt.attempt, doubt.started_at)
        remembered = self.provider.recall(token, to, body, self._since(doubt))
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
            return self._carried(doubt, partial(_found, doubt, ours[0]))
        return self._unknown(doubt)

    def _since(self, doubt: InDoubt) -> datetime:
        """Return from when on the provider may have taken it; what is yet to come was dated by a wrong clock."""
        now = self.rt.clock()
        return (doubt.began(now) or now - OUTAGE) - BEFORE

    def _unknown(self, doubt: InDoubt) -> Outcome | None:
        """The provider does not know of it: asked twice and long enough apart, that is certain."""
        delivery, now = self.rt.settings.delivery, self.rt.clock()
        # The first answer comes soon, for a text that was taken is on the list; the second ends the doubt.
        apart = delivery.ask_again + delivery.doubt(doubt.resends) - delivery.ask_after
        if doubt.missed_at is None or doubt.missed_at > now:
            with self.rt.sessions.begin() as session:
                return "missed" if uncertain.missed(session, doubt, now, now + apart) else None
        if now - doubt.missed_at < apart:
            self._later(doubt, doubt.missed_at + apart)
            return None
        proved = doubt.resends == 0 or self._list_works(doubt)
        if not proved and doubt.useful(now):
            self._later(doubt, now + delivery.doubt(1))
            return "unanswered"
        return self._carried(doubt, partial(_settle, doubt, certain=proved))

    def _list_works(self, doubt: InDoubt) -> bool:
        """Whether the list shows a text of ours that was handed over once this attempt was over, and accepted."""
        began = doubt.began(self.rt.clock()) or doubt.missed_at or doubt.started_at
        over = began + self.rt.settings.delivery.longest_call
        if self.shown is not None and self.shown >= over:
            return True
        with self.rt.sessions.reading() as session:
            later = uncertain.accepted_since(session, doubt.channel, over, TRIED)
        for text in later:
            key = self.rt.vault.data_key(text.data_key, text.participant_id)
            to = opened(key, text.phone, f"participants|phone|{text.participant_id}").decode()
            # Asked for one telephone, as about the text in doubt: the whole list is long in a large study.
            token = self.rt.token(text.id, text.attempt, text.started_at)
            shown = self.provider.recall(token, to, "", self._since(doubt))
            if any(record.sid == text.provider_id for record in shown):
                self.shown = text.started_at
                return True
        return False

    def _carried(self, doubt: InDoubt, change: Change) -> Outcome | None:
        """Carry one outcome out with its audit row, unless a callback was quicker."""
        with transaction(self.rt, SCHEDULER, self.rt.clock()) as tx:
            # The participant first, as everywhere: two use cases never wait for each other.
            loaded = self.rt.loader.one(tx.session, doubt.participant_id)
            outcome = change(tx, loaded)
            if outcome is None:
                return None
            tx.writer.note(loaded, "reconcile", "message", doubt.id, {"outcome": ("uncertain", outcome)})
            tx.writer.check_again(loaded)
        return outcome

    def _put_off(self, doubt: InDoubt) -> None:
        self._later(doubt, self.rt.clock() + self.rt.settings.delivery.ask_again / 2)

    def _later(self, doubt: InDoubt, moment: datetime) -> None:
        with self.rt.sessions.begin() as session:
            uncertain.ask_later(session, doubt, moment)


def _found(doubt: InDoubt, record: Record, tx: Transaction, _: Loaded) -> Outcome | None:
    accepted_at = record.created_at or tx.now
    if not uncertain.found(tx.session, doubt, record.sid, record.status, accepted_at):
        return None
    said = Receipt(record.sid, record.status, record.error)
    receive.apply_receipt(tx, receipts.by_id(tx.session, doubt.id), said)
    return "found"


def _settle(doubt: InDoubt, tx: Transaction, loaded: Loaded, *, certain: bool) -> Outcome | None:
    """Send a text that never left again while it is of use to somebody; else end it."""
    text = next(one for one in loaded.case.messages if one.id == doubt.id)
    if certain and doubt.useful(tx.now) and _wanted(loaded, text, tx.now):
        return "sent_again" if uncertain.send_again(tx.session, doubt, tx.now) else None
    return _end(doubt, tx, loaded, certain=certain)


def _end(doubt: InDoubt, tx: Transaction, loaded: Loaded, *, certain: bool) -> Outcome | None:
    """End a text that never left, or whose fate stays unknown; raise a task if somebody waits for it."""
    text = next(one for one in loaded.case.messages if one.id == doubt.id)
    wanted = _wanted(loaded, text, tx.now)
    state = "dead" if not certain else "expired" if wanted else "cancelled"
    if not uncertain.end(tx.session, doubt, state, tx.now):
        return None
    if wanted:
        outcomes.give_up(tx, doubt.id, doubt.participant_id)
    return "given_up" if wanted else "withdrawn"


def _wanted(loaded: Loaded, text: MessageFacts, now: datetime) -> bool:
    """Whether somebody waits for a text: for no prompt before its time, which a clock that ran ahead has queued."""
    early = text.kind in PROMPTS and text.queued_at > now + AGREES
    return not early and not overtaken(loaded.case, text)


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
