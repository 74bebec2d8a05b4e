"""What comes after sending: outcomes written down, and what cannot be sent given to a person."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from pro_service import logs
from pro_service.core.providers import MAIL, STAFF_MAIL
from pro_service.core.schedule.agenda import escalate
from pro_service.core.schedule.windows import end_of_hours, next_allowed
from pro_service.gateways.codes import kind_of
from pro_service.gateways.kinds import MARKETING
from pro_service.runtime import Runtime
from pro_service.store.messages import outbox, receipts, waiting
from pro_service.store.messages.outbox import Outcome
from pro_service.store.participants.cases import Loaded, zone_of
from pro_service.use_cases import failures
from pro_service.use_cases.delivery.attempt import without_id
from pro_service.use_cases.transaction import SCHEDULER, Transaction, transaction

LARGEST = 500


def record_outcomes(rt: Runtime, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Write outcomes down; return those that still counted."""
    now = rt.clock()
    for_a_person = [o for o in outcomes if o.claimed.channel != STAFF_MAIL and o.state in ("refused", "dead")]
    counted = _kept(rt, [outcome for outcome in outcomes if outcome not in for_a_person], now)
    for outcome in for_a_person:
        counted += _given_to_a_person(rt, outcome, now)
    alarming = {o.claimed.channel: o.error for o in counted if kind_of(o.error) == MARKETING}
    for channel, code in alarming.items():
        stop(rt, channel, code or "")
    return counted


def _kept(rt: Runtime, outcomes: Sequence[Outcome], now: datetime) -> list[Outcome]:
    """Write outcomes down together; if that fails, one by one: the others were sent and must not be forgotten."""
    if not outcomes:
        return []
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
        return _kept(rt, [without_id(outcomes[0])], now)


def _given_to_a_person(rt: Runtime, outcome: Outcome, now: datetime) -> list[Outcome]:
    """A text that was refused, or cannot be sent at all, becomes a person's task, in the transaction that ends it."""
    try:
        with transaction(rt, SCHEDULER, now) as tx:
            whose = outcome.claimed.participant_id
            # The participant first, as everywhere.
            loaded = None if whose is None else rt.loader.one(tx.session, whose)
            counted = outbox.record(tx.session, [outcome], now)
            if counted and loaded is not None:
                _report_failure(tx, loaded, outcome)
            elif counted and outcome.claimed.user_id is not None:
                failures.end_agreement(tx, receipts.by_id(tx.session, outcome.claimed.id), outcome.error or "")
            return counted
    except Exception as fault:  # noqa: BLE001 -- what follows from it fails; that it was refused stays true
        logs.fault("deliver", fault, message=outcome.claimed.id)
        return _kept(rt, [outcome], now)


def _report_failure(tx: Transaction, loaded: Loaded, outcome: Outcome) -> None:
    changes = {"state": ("sending", outcome.state), "error": (None, outcome.error)}
    tx.writer.note(loaded, "not_sent", "message", outcome.claimed.id, changes)
    if outcome.state == "dead" and outcome.claimed.channel == MAIL and outcome.claimed.resends:
        give_up(tx, outcome.claimed.id, outcome.claimed.participant_id or 0)
        return
    failures.report(tx, loaded, outcome.claimed.id, outcome.claimed.channel, outcome.error or "")


def stop(rt: Runtime, channel: str, code: str) -> None:
    """Let a channel rest whose provider refused us."""
    with transaction(rt, SCHEDULER, rt.clock()) as tx:
        failures.stop(tx, channel, code)


def tidy(rt: Runtime) -> int:
    """Before sending: leases that are over, texts that may not go any more, and nights.

    Gives how many were ended.
    """
    now, delivery = rt.clock(), rt.settings.delivery
    with rt.sessions.begin() as session:
        waiting.cap(session, now, delivery.lease)
        waiting.leases_over(session, now, now + delivery.ask_after)
        ended = waiting.void(session, now)
        for row in waiting.past_today(session, now, LARGEST):
            hours = rt.bundles.get(session, row.protocol_version_id).protocol.contact_hours
            zone = zone_of(row.zone)
            start = next_allowed(now, hours, zone)
            waiting.postpone(session, row.id, start, end_of_hours(start, hours, zone))
    for participant_id in sorted({row.participant_id for row in ended if row.participant_id is not None}):
        changed = [(row.id, row.state) for row in ended if row.participant_id == participant_id]
        _alone(participant_id, partial(_note_void, rt, participant_id, changed, now))
    return len(ended)


def report_uncertain(rt: Runtime) -> int:
    """Report each text whose fate nobody could find out for long to a person; return how many there were.

    Each is a transaction, so no sender does it: what may leave does not wait for what cannot be known.
    """
    now = rt.clock()
    with rt.sessions.reading() as session:
        delivery = rt.settings.delivery
        before = [now - delivery.patience(resends) for resends in range(len(delivery.doubts))]
        uncertain = waiting.long_uncertain(session, before, LARGEST)
    for row in uncertain:
        _alone(row.participant_id, partial(_report_one_uncertain, rt, row.id, row.participant_id, now))
    return len(uncertain)


def _alone(participant_id: int, work_of_one: Callable[[], None]) -> None:
    """What fails for one participant must not keep everybody's texts back."""
    try:
        work_of_one()
    except Exception as fault:  # noqa: BLE001 -- the others are still to be written to
        logs.fault("deliver", fault, participant=participant_id)


def _note_void(rt: Runtime, participant_id: int, changed: Sequence[tuple[int, str]], now: datetime) -> None:
    with transaction(rt, SCHEDULER, now) as tx:
        loaded = rt.loader.one(tx.session, participant_id)
        for message_id, state in changed:
            tx.writer.note(loaded, "void", "message", message_id, {"state": ("ready", state)})
        tx.writer.check_again(loaded)


def _report_one_uncertain(rt: Runtime, message_id: int, participant_id: int, now: datetime) -> None:
    with transaction(rt, SCHEDULER, now) as tx:
        # The participant first, as everywhere: another process that settles the doubt waits, or was quicker.
        rt.loader.one(tx.session, participant_id)
        if waiting.mark_reported(tx.session, message_id, now):
            give_up(tx, message_id, participant_id)


def give_up(tx: Transaction, message_id: int, participant_id: int) -> None:
    """Give a person a task because nobody knows whether a text arrived, unless its window has one that is open."""
    loaded = tx.rt.loader.one(tx.session, participant_id)
    text = next(m for m in loaded.case.messages if m.id == message_id)
    window = None if text.window_id is None else loaded.case.window(text.window_id)
    task = escalate(loaded.case, "E0", "uncertain_delivery", tx.now, window)
    about = (task.level, task.reason, task.window_id)
    if not any(one.open and (one.level, one.reason, one.window_id) == about for one in loaded.case.escalations):
        # Each doubt is news: the one before it may have ended by itself.
        tx.carry_out(loaded, [replace(task, key=loaded.case.free_key(task.key))])
    tx.writer.check_again(loaded)
