"""Send what is due: claim (committed) -> send, no transaction open -> record.

What cannot be sent ends with a person.
"""

import random
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from cryptography.exceptions import InvalidTag

from pro_service import logs
from pro_service.core.decisions import escalate
from pro_service.core.failures import on_failure
from pro_service.core.windows import end_of_hours, next_allowed
from pro_service.gateways.codes import kind_of
from pro_service.gateways.outgoing import Outgoing, Refused, Unavailable, Uncertain
from pro_service.runtime import SEND_WORKERS, Runtime
from pro_service.store import outbox, waiting
from pro_service.store.cases import zone_of
from pro_service.store.outbox import Claimed, Outcome
from pro_service.store.vault import WrongKeyError, opened
from pro_service.use_cases.carrying import SCHEDULER, Work, work

LEASE = timedelta(seconds=60)
LONGEST_CALL = timedelta(seconds=26)
"""Connecting and reading at their time-outs: a call that begins later than this before the lease ends is not begun."""
FRESH = timedelta(milliseconds=200)
"""How long a claim's own look at consent and window holds; what leaves later is asked about once more."""
SMALLEST, LARGEST = 32, 500
PATIENCE = timedelta(minutes=5)
"""How long a message may stay uncertain before a person is told."""
LONGEST_VALIDITY = timedelta(hours=10)
BACK_OFF = (5, 15, 60, 300, 900)
"""Seconds before the next try, by how many there were."""
MAIL_TRIES = 8
LONGEST_WAIT = 3600.0
"""Seconds: a provider that wishes for more is asked again all the same."""
LOCKED_OUT = timedelta(minutes=5)
"""How long a channel waits that does not let us in."""


@dataclass(slots=True)
class DeliverReport:
    """What one delivery did, by outcome."""

    accepted: int = 0
    refused: int = 0
    unavailable: int = 0
    uncertain: int = 0
    dead: int = 0
    void: int = 0


def deliver(rt: Runtime) -> DeliverReport:
    """Send what is due now, in batches, until nothing is left that may go."""
    now = rt.clock()
    with rt.sessions.glance() as connection:
        if not waiting.anything(connection, now, now - PATIENCE):
            return DeliverReport()
    report = DeliverReport(void=_tidy(rt))
    channels = [name for name, way in (("sms", rt.sms), ("email", rt.mail)) if way is not None]
    size = SMALLEST
    with ThreadPoolExecutor(SEND_WORKERS, thread_name_prefix="send") as pool:
        while channels:
            now, started = rt.clock(), time.monotonic()
            with rt.sessions.begin() as session:
                claimed = outbox.claim(session, now, LEASE, size, channels, _tokens())
            if not claimed:
                break
            send = _Sending(rt, now, started)
            outcomes = _all(pool, send, claimed) if len(claimed) > 1 else [send.one(claimed[0])]
            _record(rt, outcomes, report)
            channels = [name for name in channels if name not in send.locked_out]
            took = time.monotonic() - started
            size = min(size * 2, LARGEST) if took < 1 else max(size // 2, SMALLEST) if took > 5 else size  # noqa: PLR2004
    return report


def _all(pool: ThreadPoolExecutor, send: "_Sending", claimed: Sequence[Claimed]) -> list[Outcome]:
    """Send them side by side: every worker takes the next one that nobody has taken."""
    waiting = iter(claimed)

    def work() -> list[Outcome]:
        return [send.one(one) for one in waiting]

    workers = [pool.submit(work) for _ in range(min(SEND_WORKERS, len(claimed)))]
    return [outcome for worker in workers for outcome in worker.result()]


def _tokens() -> Iterator[str]:
    while True:
        yield secrets.token_urlsafe(18)


class _Sending:
    """Sends the messages of one claim; called from several threads."""

    def __init__(self, rt: Runtime, now: datetime, started: float) -> None:
        self.rt, self.now, self.started = rt, now, started
        self.locked_out: set[str] = set()
        """Channels that refused our credentials; the others go on."""

    def one(self, claimed: Claimed) -> Outcome:
        """Send one message. Whatever is wrong with it is wrong with it alone."""
        age = timedelta(seconds=time.monotonic() - self.started)
        locked_out = claimed.channel in self.locked_out
        if locked_out or age > LEASE - LONGEST_CALL:
            later = LOCKED_OUT if locked_out else age
            return Outcome(claimed, "ready", error="not_begun", next_try_at=self.now + later)
        try:
            outgoing = self._outgoing(claimed)
        except (InvalidTag, WrongKeyError, UnicodeDecodeError, ValueError) as fault:
            logs.fault("deliver", fault, message=claimed.id)
            return Outcome(claimed, "dead", error="unreadable")
        if age > FRESH:
            with self.rt.sessions.glance() as connection:
                if not outbox.still_may_go(connection, claimed, self.now):
                    return Outcome(claimed, "cancelled", error="stopped")
        return self._handed_over(claimed, outgoing)

    def _handed_over(self, claimed: Claimed, outgoing: Outgoing) -> Outcome:
        gateway = self.rt.sms if claimed.channel == "sms" else self.rt.mail
        if gateway is None:
            return Outcome(claimed, "ready", error="no_gateway", next_try_at=self.now + timedelta(minutes=1))
        try:
            accepted = gateway.send(outgoing)
        except Refused as fault:
            return self._refused(claimed, fault)
        except Unavailable as fault:
            return Outcome(claimed, "ready", error=str(fault.code), next_try_at=self._later(claimed, fault.retry_after))
        except Uncertain as fault:
            return self._uncertain(claimed, str(fault.code))
        except Exception as fault:  # noqa: BLE001 -- a gateway's own fault says nothing of what the provider got
            logs.fault("deliver", fault, message=claimed.id)
            return self._uncertain(claimed, "fault")
        sid, status = accepted.sid, accepted.status
        # Now, not when the batch is through: whether a reply came after its question hangs on it.
        return Outcome(claimed, "accepted", provider_id=sid, provider_status=status, accepted_at=self.rt.clock())

    def _outgoing(self, claimed: Claimed) -> Outgoing:
        place = f"messages|body|{claimed.id}"
        if claimed.channel == "email":
            text = opened(self.rt.vault.system_key, claimed.body, place).decode()
            subject, _, body = text.partition("\n\n")
            return Outgoing(
                message_id=claimed.id, to=claimed.email or "", body=body, subject=subject, reference=claimed.reference
            )
        if claimed.participant_id is None or claimed.data_key is None or claimed.phone is None:
            message = "a text without a telephone"
            raise ValueError(message)
        key = self.rt.vault.data_key(claimed.data_key, claimed.participant_id)
        return Outgoing(
            message_id=claimed.id,
            to=opened(key, claimed.phone, f"participants|phone|{claimed.participant_id}").decode(),
            body=opened(key, claimed.body, place).decode(),
            callback_url=f"{self.rt.settings.public_base_url}/hooks/twilio/status/{claimed.token}",
            validity_seconds=self._validity(claimed),
        )

    def _validity(self, claimed: Claimed) -> int:
        """Seconds the provider may go on trying: nothing arrives at night or after the window."""
        ends = [end for end in (claimed.useful_until, claimed.today_until, claimed.closes_at) if end is not None]
        left = [end - self.now for end in ends if end > self.now]
        return max(int(min([LONGEST_VALIDITY, *left]).total_seconds()), 1)

    def _refused(self, claimed: Claimed, fault: Refused) -> Outcome:
        if fault.kind == "credentials":
            # Nobody's text is at fault: nothing goes until the credentials are right.
            if claimed.channel not in self.locked_out:
                logs.fault("deliver.credentials", fault, channel=claimed.channel, code=fault.code)
            self.locked_out.add(claimed.channel)
            return Outcome(claimed, "ready", error=str(fault.code), next_try_at=self.now + LOCKED_OUT)
        return Outcome(claimed, "refused", error=str(fault.code))

    def _uncertain(self, claimed: Claimed, error: str) -> Outcome:
        if claimed.channel == "sms":
            return Outcome(claimed, "uncertain", error=error)
        # A mail has no list to ask, but a Message-ID: the same mail twice is one mail.
        state = "ready" if claimed.attempt < MAIL_TRIES else "dead"
        return Outcome(claimed, state, error=error, next_try_at=self._later(claimed, None))

    def _later(self, claimed: Claimed, wished: float | None) -> datetime:
        usual = BACK_OFF[min(claimed.attempt, len(BACK_OFF)) - 1]
        seconds = max(usual * random.uniform(0.8, 1.2), min(wished or 0, LONGEST_WAIT))  # noqa: S311 -- jitter, not a secret
        return self.now + timedelta(seconds=seconds)


def _record(rt: Runtime, outcomes: Sequence[Outcome], report: DeliverReport) -> None:
    now = rt.clock()
    for_a_person = [o for o in outcomes if o.claimed.channel == "sms" and o.state in ("refused", "dead")]
    counted = _kept(rt, [outcome for outcome in outcomes if outcome not in for_a_person], now)
    for outcome in for_a_person:
        counted += _given_to_a_person(rt, outcome, now)
    for outcome in counted:
        name = {"ready": "unavailable", "cancelled": "void"}.get(outcome.state, outcome.state)
        setattr(report, name, getattr(report, name) + 1)


def _kept(rt: Runtime, outcomes: Sequence[Outcome], now: datetime) -> list[Outcome]:
    """Write outcomes down together; if that fails, one by one: the others were sent and must not be forgotten."""
    try:
        with rt.sessions.begin() as session:
            return outbox.record(session, outcomes, now)
    except Exception as fault:  # noqa: BLE001 -- one fault must not take the others along
        if len(outcomes) > 1:
            logs.fault("deliver.batch", fault, messages=len(outcomes))
            return [kept for one in outcomes for kept in _kept(rt, [one], now)]
        logs.fault("deliver", fault, message=outcomes[0].claimed.id)
        if outcomes[0].provider_id is None:
            return []  # its lease ends, and it becomes uncertain
        # The id is the only thing a database refuses: somebody else's message has it. The callback will tell.
        return _kept(rt, [replace(outcomes[0], provider_id=None)], now)


def _given_to_a_person(rt: Runtime, outcome: Outcome, now: datetime) -> list[Outcome]:
    """A text that was refused, or cannot be sent at all, becomes a person's task, in the transaction that ends it."""
    try:
        with work(rt, SCHEDULER, now) as unit:
            counted = outbox.record(unit.session, [outcome], now)
            if counted and outcome.claimed.participant_id is not None:
                _tell(unit, outcome.claimed.participant_id, outcome)
            return counted
    except Exception as fault:  # noqa: BLE001 -- what follows from it fails; that it was refused stays true
        logs.fault("deliver", fault, message=outcome.claimed.id)
        return _kept(rt, [outcome], now)


def _tell(unit: Work, participant_id: int, outcome: Outcome) -> None:
    loaded = unit.rt.loader.one(unit.session, participant_id)
    window_id = next((m.window_id for m in loaded.case.messages if m.id == outcome.claimed.id), None)
    code = outcome.error or ""
    kind = kind_of(int(code)) if code.isascii() and code.isdecimal() else "other"
    changes = {"state": ("sending", outcome.state), "error": (None, outcome.error)}
    unit.writer.note(loaded, "not_sent", "message", outcome.claimed.id, changes)
    unit.carry_out(loaded, on_failure(loaded.case, window_id, kind, unit.now))


def _tidy(rt: Runtime) -> int:
    """Before sending: leases that are over, texts that may not go any more, nights, and long uncertainty."""
    now = rt.clock()
    with rt.sessions.begin() as session:
        waiting.leases_over(session, now)
        ended = waiting.void(session, now)
        for row in waiting.past_today(session, now, LARGEST):
            hours = rt.bundles.get(session, row.protocol_version_id).protocol.contact_hours
            zone = zone_of(row.zone)
            start = next_allowed(now, hours, zone)
            waiting.postpone(session, row.id, start, end_of_hours(start, hours, zone))
        uncertain = waiting.long_uncertain(session, now - PATIENCE, LARGEST)
    for participant_id in sorted({row.participant_id for row in ended if row.participant_id is not None}):
        changed = [(row.id, row.state) for row in ended if row.participant_id == participant_id]
        _alone(participant_id, partial(_note_void, rt, participant_id, changed, now))
    for row in uncertain:
        _alone(row.participant_id, partial(_tell_uncertain, rt, row.id, row.participant_id, now))
    return len(ended)


def _alone(participant_id: int, work_of_one: Callable[[], None]) -> None:
    """What fails for one participant must not keep everybody's texts back."""
    try:
        work_of_one()
    except Exception as fault:  # noqa: BLE001 -- the others are still to be written to
        logs.fault("deliver", fault, participant=participant_id)


def _note_void(rt: Runtime, participant_id: int, changed: Sequence[tuple[int, str]], now: datetime) -> None:
    with work(rt, SCHEDULER, now) as unit:
        loaded = rt.loader.one(unit.session, participant_id)
        for message_id, state in changed:
            unit.writer.note(loaded, "void", "message", message_id, {"state": ("ready", state)})
        unit.writer.look_anew(loaded)


def _tell_uncertain(rt: Runtime, message_id: int, participant_id: int, now: datetime) -> None:
    with work(rt, SCHEDULER, now) as unit:
        loaded = rt.loader.one(unit.session, participant_id)
        text = next(m for m in loaded.case.messages if m.id == message_id)
        window = None if text.window_id is None else loaded.case.window(text.window_id)
        task = escalate(loaded.case, "E0", "uncertain_delivery", now, window)
        if not loaded.case.escalated(task.key):
            unit.carry_out(loaded, [task])
        waiting.told(unit.session, message_id, now)
