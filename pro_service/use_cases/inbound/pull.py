"""Fetch the replies that no webhook brought: what people wrote while this service could not be reached."""

from dataclasses import dataclass
from datetime import timedelta

from pro_service import logs
from pro_service.gateways.outgoing import Channel, GatewayError
from pro_service.runtime import Runtime
from pro_service.store import heartbeats
from pro_service.store.messages import channels, inbox
from pro_service.use_cases.inbound.receive import receive

FIRST = timedelta(days=7)
"""How far back the first look goes."""
BEAT, EVERY = "pull", timedelta(minutes=10)
OVERLAP = timedelta(minutes=15)
"""How much of what was looked at already is looked at again: a list may lag behind."""
AHEAD = timedelta(hours=1)
"""How far ahead of ours a provider's clock is believed."""


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
    for provider in rt.texts.values():
        if provider.facts.pull:
            _pull(rt, provider, report)
    if rt.texts and not report.unanswered:
        with rt.sessions.begin() as session:
            heartbeats.beat(session, BEAT, rt.clock())
    return report


def _pull(rt: Runtime, provider: Channel, report: PullReport) -> None:
    way = provider.facts.way
    with rt.sessions.reading() as session:
        last = channels.all_channels(session)[way].pulled_until
    since = last or rt.clock() - FIRST
    try:
        listed = provider.pull(since - OVERLAP)
    except GatewayError as fault:
        logs.fault("pull.unanswered", fault)
        report.unanswered = 1
        return
    report.listed += len(listed)
    with rt.sessions.reading() as session:
        known = inbox.known_ids(session, {arrival.provider_id for arrival in listed})
    oldest_first = listed[::-1]
    oldest_first.sort(key=lambda one: one.at or since)
    for arrival in oldest_first:
        if arrival.provider_id not in known:
            report.kept += receive(rt, arrival)
    # By the provider's clock: ours may have run ahead, and what was written until it was put back would be missed.
    # But not by an instant that is yet to come: nothing would be fetched before that.
    latest = rt.clock() + AHEAD
    seen = [arrival.at for arrival in listed if arrival.at is not None and arrival.at <= latest]
    with rt.sessions.begin() as session:
        channels.pulled(session, way, max([since, *seen]))


def pull_now_and_then(rt: Runtime) -> PullReport:
    """The same, if the last look is long enough ago: for a command that cron calls every minute."""
    with rt.sessions.reading() as session:
        last = heartbeats.last(session, BEAT)
    return PullReport() if last is not None and abs(rt.clock() - last) < EVERY else pull(rt)
