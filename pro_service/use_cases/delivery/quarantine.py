"""Nothing is sent by a database that may be older than what was sent, before the provider has told what it knows.

A restored backup, or a standby that took over, has forgotten texts: their rows say "not sent yet", or are not there.
Until every text the provider remembers is known again, no text leaves. Replies are fetched meanwhile.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pro_service import logs
from pro_service.core.trusted_time import OUTAGE
from pro_service.gateways.outgoing import GatewayError, Record
from pro_service.runtime import Runtime
from pro_service.store import bulk, heartbeats, standing
from pro_service.store.audit import Actor, Entry
from pro_service.store.messages import channels, inbox, receipts, uncertain
from pro_service.store.participants import links
from pro_service.store.schema import AnyRow
from pro_service.use_cases import trusted_time
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.inbound.interpret import interpret
from pro_service.use_cases.inbound.pull import pull
from pro_service.use_cases.transaction import SCHEDULER, Transaction, plain_text, transaction

BEAT = "deliver"
SILENCE = timedelta(minutes=15)
"""Who has not sent for longer may have been restored from a backup meanwhile."""
BEFORE = timedelta(minutes=10)
EVERY = timedelta(minutes=1)
MOST_REPLIES = 1000
UTC = ZoneInfo("UTC")
_LINK = re.compile(r"/q/([A-Za-z0-9_-]+)")


@dataclass(slots=True)
class QuarantineReport:
    """What one look found."""

    held: bool = False
    """Whether texts are still kept back."""
    adopted: int = 0
    """Texts that this database thought not sent, and that were."""
    unknown: int = 0
    """Texts to participants that it knows nothing of."""


def on_start(rt: Runtime) -> None:
    """A process begins to send. If nobody sent for a while, who knows what this database is."""
    if rt.sms is None:
        return
    now = rt.clock()
    with rt.sessions.reading() as session:
        last = heartbeats.last(session, BEAT)
    if last is not None and now - last > SILENCE:
        begin(rt, "silence")


def beat(rt: Runtime) -> None:
    """Say that texts are being sent, once a minute: what was sent before the last time is certainly known."""
    now = rt.clock()
    with rt.sessions.glance() as connection:
        last = heartbeats.last_beat(connection, BEAT)
    if last is None or abs(now - last) >= EVERY:
        trusted_time.beat(rt, BEAT)


def detect_older_database(rt: Runtime) -> None:
    """Notice that another database stands in this one's place: fewer ids than were handed out, another history."""
    with rt.sessions.glance() as connection:
        last_id, timeline = bulk.last_id(connection), standing.timeline(connection)
    older, rt.memory.last_id = last_id < rt.memory.last_id, last_id
    if older:
        begin(rt, "older_database")
    if timeline is None:
        return
    with rt.sessions.reading() as session:
        known = standing.known_timeline(session)
    if known != timeline:
        with rt.sessions.begin() as session:
            standing.remember_timeline(session, timeline)
        if known is not None:
            begin(rt, "failover")


def begin(rt: Runtime, reason: str, actor: Actor = SCHEDULER) -> bool:
    """Keep texts back; False if they are already. What was sent before the last heartbeat is known."""
    now = rt.clock()
    with transaction(rt, actor, now) as tx:
        # A beat from the future was a wrong clock's: how much is known then, nobody can tell.
        last = heartbeats.last(tx.session, BEAT) or now
        known_until = (last if last <= now else now - OUTAGE) - BEFORE
        if not channels.quarantine(tx.session, "sms", reason, known_until, now):
            return False
        changes = {"channel": (None, "sms"), "cause": (None, reason)}
        tx.writer.audit(Entry("quarantine", "channel", None, changes), UTC)
    logs.event("quarantine.begun", reason=reason)
    return True


def lift(rt: Runtime, actor: Actor, reason: str) -> bool:
    """End it although not everything is known: a person has looked. False if there is none."""
    with transaction(rt, actor, rt.clock()) as tx:
        if not channels.release(tx.session, "sms"):
            return False
        tx.writer.audit(Entry("lift", "channel", None, {"channel": ("sms", None)}, reason=reason), UTC)
    logs.event("quarantine.lifted")
    return True


def settle(rt: Runtime) -> QuarantineReport:
    """Compare what the provider remembers with what this database knows; end the quarantine once they agree."""
    with rt.sessions.reading() as session:
        channel = channels.all_channels(session)["sms"]
    report = QuarantineReport(held=channel.quarantined_at is not None)
    if not report.held or rt.sms is None:
        return report
    pull(rt)
    try:
        listed = rt.sms.list_outbound(channel.known_until or rt.clock() - SILENCE)
    except GatewayError as fault:
        logs.fault("quarantine.unanswered", fault)
        return report
    left = _compare(rt, listed[::-1], report)
    # What was sent may have answered a reply: replies are read in their turn, and what they call for is compared.
    for inbound_id, written in _replies(rt):
        if not left or any(record.created_at is not None and record.created_at < written for record in left):
            break
        interpret(rt, inbound_id, in_quarantine=True)
        left = _compare(rt, left, report)
    report.unknown = len(left)
    if not left:
        with transaction(rt, SCHEDULER, rt.clock()) as tx:
            channels.release(tx.session, "sms")
            tx.writer.audit(Entry("release", "channel", None, {"channel": ("sms", None)}), UTC)
        report.held = False
        logs.event("quarantine.ended", adopted=report.adopted)
    return report


def _compare(rt: Runtime, records: Sequence[Record], report: QuarantineReport) -> list[Record]:
    """Take over what this database thought not sent; return the texts to participants it still knows nothing of."""
    with rt.sessions.reading() as session:
        known = uncertain.known_sids(session, {record.sid for record in records})
    left = []
    for record in records:
        if record.sid in known:
            continue
        if _adopted(rt, record):
            report.adopted += 1
        elif _is_ours(rt, record):
            left.append(record)
    return left


def _replies(rt: Runtime) -> Sequence[tuple[int, datetime]]:
    with rt.sessions.reading() as session:
        return inbox.waiting(session, MOST_REPLIES)


def _is_ours(rt: Runtime, record: Record) -> bool:
    with rt.sessions.reading() as session:
        return uncertain.somebody_has(session, rt.vault.index("phone", record.to))


def _adopted(rt: Runtime, record: Record) -> bool:
    """Find the row that says "not sent yet" of this text, and let it say what the provider knows."""
    with transaction(rt, SCHEDULER, rt.clock()) as tx:
        for row in uncertain.could_be(tx.session, rt.vault.index("phone", record.to)):
            text = plain_text(rt, row)
            if text is None or _without_token(text) not in _without_token(record.body):
                continue
            loaded = None if row.participant_id is None else rt.loader.one(tx.session, row.participant_id)
            if uncertain.adopt(tx.session, row, record.sid, record.status, record.created_at or tx.now):
                changes = {"state": (row.state, "accepted")}
                if loaded is None:
                    tx.writer.audit(Entry("adopt", "message", row.id, changes), UTC)
                else:
                    tx.writer.note(loaded, "adopt", "message", row.id, changes)
                    _link(tx, row, record.body)
                    tx.writer.check_again(loaded)
                code = "" if record.error_code is None else str(record.error_code)
                said = {"provider_id": record.sid, "status": record.status, "error": code}
                receive.apply_receipt(tx, receipts.by_id(tx.session, row.id), said)
                return True
    return False


def _link(tx: Transaction, row: AnyRow, body: str) -> None:
    """The address in the participant's hands shall open the form: this database never had its token."""
    found = _LINK.search(body)
    if found is not None and row.window_id is not None:
        links.add_link(tx.session, row, found[1], tx.now)


def _without_token(text: str) -> str:
    return _LINK.sub("/q/", text)
