"""Fetch the replies that no webhook brought: what people wrote while this service could not be reached."""

from dataclasses import dataclass
from datetime import timedelta

from pro_service import logs
from pro_service.gateways.outgoing import GatewayError, Record
from pro_service.runtime import Runtime
from pro_service.store import heartbeats
from pro_service.store.messages import channels, inbox
from pro_service.use_cases.inbound.interpret import interpret

FIRST = timedelta(days=7)
"""How far back the first look goes."""
BEAT, EVERY = "pull", timedelta(minutes=10)
OVERLAP = timedelta(minutes=15)
"""How much of what was looked at already is looked at again: a list may lag behind."""


@dataclass(slots=True)
class PullReport:
    """What one look at the provider's list brought."""

    listed: int = 0
    kept: int = 0
    """Texts that no webhook had brought."""
    unanswered: int = 0


def pull(rt: Runtime) -> PullReport:
    """Keep and read every text since the last look that is not here yet, oldest first. Twice brings nothing new.

    In a quarantine they are kept, and read when it is known what was asked before them.
    """
    report = PullReport()
    if rt.sms is None:
        return report
    now = rt.clock()
    with rt.sessions.reading() as session:
        last = channels.all_channels(session)["sms"].pulled_until
    since = last or now - FIRST
    try:
        listed = rt.sms.list_inbound(since - OVERLAP)
    except GatewayError as fault:
        logs.fault("pull.unanswered", fault)
        report.unanswered = 1
        return report
    report.listed = len(listed)
    with rt.sessions.reading() as session:
        known = inbox.known_ids(session, {record.sid for record in listed})
    for record in reversed(listed):
        if record.sid not in known:
            report.kept += _keep(rt, record)
    with rt.sessions.begin() as session:
        # By the provider's clock: ours may have run ahead, and what was written until it was put back would be missed.
        channels.pulled(session, "sms", max([since, *(record.created_at for record in listed if record.created_at)]))
        heartbeats.beat(session, BEAT, now)
    return report


def pull_now_and_then(rt: Runtime) -> PullReport:
    """The same, if the last look is long enough ago: for a command that cron calls every minute."""
    with rt.sessions.reading() as session:
        last = heartbeats.last(session, BEAT)
    return PullReport() if last is not None and abs(rt.clock() - last) < EVERY else pull(rt)


def _keep(rt: Runtime, record: Record) -> bool:
    parameters = {
        "MessageSid": record.sid,
        "From": record.from_,
        "To": record.to,
        "Body": record.body,
        "NumMedia": str(record.media),
    }
    with rt.sessions.begin() as session:
        inbound_id = inbox.keep_text(session, rt.vault, record.sid, parameters, rt.clock(), record.created_at)
    if inbound_id is not None:
        interpret(rt, inbound_id)
    return inbound_id is not None
