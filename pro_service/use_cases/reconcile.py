"""Ask the provider what became of texts of unknown fate.

A text it remembers was accepted. One it does not know of, asked twice and long enough apart, never left: it goes once
more, and once only, or a person is told. Every answer may be overtaken by a callback, which then counts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag

from pro_service import logs
from pro_service.gateways.outgoing import GatewayError, Record, TextGateway
from pro_service.runtime import Runtime
from pro_service.store import receipts, settling
from pro_service.store.settling import InDoubt
from pro_service.store.vault import WrongKeyError, opened
from pro_service.use_cases import aftermath, receive
from pro_service.use_cases.carrying import SCHEDULER, Work, plain_text, work

BATCH = 200
BEFORE = timedelta(minutes=10)
"""How much earlier than our attempt a provider's clock may say that it took the text."""
UNANSWERED = timedelta(seconds=30)


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
    """They never left and will not: a person was told."""
    unanswered: int = 0
    """Nobody can tell yet."""


def reconcile(rt: Runtime) -> ReconcileReport:
    """Ask about every text whose turn has come. Safe beside callbacks, senders and other askers."""
    report = ReconcileReport()
    if rt.sms is None:
        return report
    with rt.sessions.reading() as session:
        due = settling.to_ask(session, rt.clock(), BATCH)
    for doubt in due:
        try:
            _settle(rt, rt.sms, doubt, report)
        except GatewayError as fault:
            # Whoever does not answer this question will not answer the next one either.
            logs.fault("reconcile.unanswered", fault, message=doubt.id)
            report.unanswered += 1
            _put_off(rt, doubt)
            break
        except Exception as fault:  # noqa: BLE001 -- one text must not keep the others in doubt
            logs.fault("reconcile", fault, message=doubt.id)
            _put_off(rt, doubt)
    return report


def _settle(rt: Runtime, provider: TextGateway, doubt: InDoubt, report: ReconcileReport) -> None:
    delivery = rt.settings.delivery
    with rt.sessions.begin() as session:
        # Whoever takes it asks; if that asker dies, it is anybody's turn again after this.
        if not settling.take(session, doubt, rt.clock() + delivery.lease):
            return
    try:
        to, body = _plain(rt, doubt)
    except (InvalidTag, WrongKeyError, UnicodeDecodeError, ValueError) as fault:
        logs.fault("reconcile", fault, message=doubt.id)
        _carry(rt, doubt, report, "given_up", lambda unit: _end(unit, doubt, "dead"))
        return
    remembered = provider.find(to, body, doubt.started_at - BEFORE)
    now = rt.clock()
    with rt.sessions.reading() as session:
        known = settling.known(session, {record.sid for record in remembered})
        unsure = any(one.state == "sending" and plain_text(rt, one) == body for one in settling.rivals(session, doubt))
    ours = sorted((record for record in remembered if record.sid not in known), key=_created)
    if ours and unsure:
        # Another worker is sending the same words to the same telephone: its answer comes first.
        report.unanswered += 1
        _later(rt, doubt, now + UNANSWERED)
    elif ours:
        _carry(rt, doubt, report, "found", lambda unit: _found(unit, doubt, ours[0]))
    elif doubt.missed_at is None:
        with rt.sessions.begin() as session:
            report.missed += settling.missed(session, doubt, now, now + delivery.ask_again)
    elif now - doubt.missed_at < delivery.ask_again:
        _later(rt, doubt, doubt.missed_at + delivery.ask_again)
    elif doubt.resends == 0 and doubt.useful(now):
        _carry(rt, doubt, report, "sent_again", lambda unit: settling.send_again(unit.session, doubt, unit.now))
    else:
        state = "dead" if doubt.useful(now) else "expired"
        _carry(rt, doubt, report, "given_up", lambda unit: _end(unit, doubt, state))


def _carry(rt: Runtime, doubt: InDoubt, report: ReconcileReport, outcome: str, change: Callable[[Work], bool]) -> None:
    """Carry one outcome out with its audit row, unless a callback was quicker."""
    with work(rt, SCHEDULER, rt.clock()) as unit:
        # The participant first, as everywhere: two use cases never wait for each other.
        loaded = rt.loader.one(unit.session, doubt.participant_id)
        if not change(unit):
            return
        setattr(report, outcome, getattr(report, outcome) + 1)
        unit.writer.note(loaded, "reconcile", "message", doubt.id, {"outcome": ("uncertain", outcome)})
        unit.writer.look_anew(loaded)


def _found(unit: Work, doubt: InDoubt, record: Record) -> bool:
    accepted_at = record.created_at or unit.now
    if not settling.found(unit.session, doubt, record.sid, record.status, accepted_at):
        return False
    code = "" if record.error_code is None else str(record.error_code)
    said = {"provider_id": record.sid, "status": record.status, "error": code}
    receive.told(unit, receipts.by_id(unit.session, doubt.id), said)
    return True


def _end(unit: Work, doubt: InDoubt, state: str) -> bool:
    if not settling.end(unit.session, doubt, state, unit.now):
        return False
    aftermath.give_up(unit, doubt.id, doubt.participant_id)
    return True


def _later(rt: Runtime, doubt: InDoubt, moment: datetime) -> None:
    with rt.sessions.begin() as session:
        settling.ask_later(session, doubt, moment)


def _put_off(rt: Runtime, doubt: InDoubt) -> None:
    _later(rt, doubt, rt.clock() + UNANSWERED)


def _plain(rt: Runtime, doubt: InDoubt) -> tuple[str, str]:
    """The telephone and the words of a text."""
    if doubt.data_key is None or doubt.phone is None:
        message = "a text without a telephone"
        raise ValueError(message)
    key = rt.vault.data_key(doubt.data_key, doubt.participant_id)
    phone = opened(key, doubt.phone, f"participants|phone|{doubt.participant_id}").decode()
    return phone, opened(key, doubt.body, f"messages|body|{doubt.id}").decode()


def _created(record: Record) -> tuple[bool, datetime | None]:
    return (record.created_at is None, record.created_at)
