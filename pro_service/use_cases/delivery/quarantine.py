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
from pro_service.core.providers import TEXTS, Receipt, WayOut, way_of
from pro_service.core.texts import in_one_line
from pro_service.core.trusted_time import OUTAGE
from pro_service.gateways.outgoing import Channel, GatewayError, Record
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
BY_HAND = "by_hand"
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
    if not rt.texts:
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
        ways = _to_hold(rt, by_hand=reason == BY_HAND)
        held = [way for way in ways if channels.quarantine(tx.session, way, reason, known_until, now)]
        for way in held:
            changes = {"channel": (None, way), "cause": (None, reason)}
            tx.writer.audit(Entry("quarantine", "channel", None, changes), UTC)
    if not held:
        return False
    logs.event("quarantine.begun", reason=reason)
    return True


def _to_hold(rt: Runtime, *, by_hand: bool) -> Sequence[WayOut]:
    """Return the ways to keep back: all that are configured, or all there are where none is yet.

    A simulated provider that keeps no list forgets with its process: nobody has a text of it, and nobody could look at
    its log. It is kept back only if a person says so.
    """
    held = [way for way, one in rt.texts.items() if one.facts.lists_sent or one.elsewhere or by_hand]
    return held if rt.texts else TEXTS


def lift(rt: Runtime, actor: Actor, reason: str) -> bool:
    """End it although not everything is known: a person has looked. False if there is none."""
    with transaction(rt, actor, rt.clock()) as tx:
        freed = [way for way in TEXTS if channels.release(tx.session, way)]
        for way in freed:
            tx.writer.audit(Entry("lift", "channel", None, {"channel": (way, None)}, reason=reason), UTC)
    if not freed:
        return False
    logs.event("quarantine.lifted")
    return True


def settle(rt: Runtime) -> QuarantineReport:
    """Compare what each provider remembers with what this database knows; end the quarantine of those that agree.

    One that keeps no list of what it was given cannot tell: a person looks at its log, and lifts it.
    """
    report = QuarantineReport()
    with rt.sessions.reading() as session:
        known = channels.all_channels(session)
    held = [way for way in rt.texts if known[way].quarantined_at is not None]
    if held:
        pull(rt)
    settled = [_settled(rt, rt.texts[way], known[way], report) for way in held]
    report.held = not all(settled)
    return report


def _settled(rt: Runtime, provider: Channel, channel: channels.Channel, report: QuarantineReport) -> bool:
    """Compare with one provider; whether texts go that way again."""
    if not provider.facts.lists_sent:
        return False
    try:
        listed = provider.list_sent(channel.known_until or rt.clock() - SILENCE)
    except GatewayError as fault:
        logs.fault("quarantine.unanswered", fault)
        return False
    left = _compare(rt, listed[::-1], report)
    # What was sent may have answered a reply: replies are read in their turn, and what they call for is compared.
    for inbound_id, written in _replies(rt):
        if not left or any(record.created_at is not None and record.created_at < written for record in left):
            break
        interpret(rt, [inbound_id], in_quarantine=True)
        left = _compare(rt, left, report)
    report.unknown += len(left)
    if left:
        return False
    with transaction(rt, SCHEDULER, rt.clock()) as tx:
        channels.release(tx.session, channel.name)
        tx.writer.audit(Entry("release", "channel", None, {"channel": (channel.name, None)}), UTC)
    logs.event("quarantine.ended", adopted=report.adopted)
    return True


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
        for row in uncertain.could_be(tx.session, way_of(record.sid), rt.vault.index("phone", record.to)):
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
                said = Receipt(record.sid, record.status, record.error)
                receive.apply_receipt(tx, receipts.by_id(tx.session, row.id), said)
                return True
    return False


def _link(tx: Transaction, row: AnyRow, body: str) -> None:
    """The address in the participant's hands shall open the form: this database never had its token."""
    found = _LINK.search(body)
    if found is not None and row.window_id is not None:
        links.add_link(tx.session, row, found[1], tx.now)


def _without_token(text: str) -> str:
    # Nor with its lines: no value of a template has several.
    return in_one_line(_LINK.sub("/q/", text))
