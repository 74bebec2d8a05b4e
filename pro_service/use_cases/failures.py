"""What a failed text calls for, by the class of its code: the same for the answer to a call and a delivery report."""

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pro_service import logs
from pro_service.core.case import Case
from pro_service.core.providers import FACTS, WayOut
from pro_service.core.schedule.agenda import on_failure, wanted_again
from pro_service.gateways.codes import kind_of
from pro_service.gateways.kinds import MARKETING, REMEDIES, Kind
from pro_service.runtime import Runtime
from pro_service.store.audit import Entry
from pro_service.store.messages import channels, receipts, staff_texts
from pro_service.store.participants.cases import Loaded
from pro_service.store.schema import AnyRow
from pro_service.use_cases.transaction import Transaction

STOPPED = timedelta(minutes=5)
"""How long a channel rests whose provider refuses us rather than a text."""
TOMORROW = timedelta(days=1)
"""Counted limits are over by then, whether the provider counts days or 24 hours (63038)."""
LONGEST_WAIT = 3600.0
"""Seconds: a provider that wishes for more is asked again all the same."""
UTC = ZoneInfo("UTC")


def next_try(rt: Runtime, kind: Kind, attempt: int, wished: float | None = None) -> datetime:
    """Return when a text goes again that could not go now; `wished`: the provider's own seconds."""
    now = rt.clock()
    if REMEDIES[kind] == "tomorrow":
        return now + TOMORROW
    back_off = rt.settings.delivery.back_off
    usual = back_off[min(attempt, len(back_off)) - 1]
    seconds = max(usual * random.uniform(0.8, 1.2), min(wished or 0, LONGEST_WAIT))  # noqa: S311 -- jitter, not a secret
    return now + timedelta(seconds=seconds)


def stop(tx: Transaction, channel: str, code: str) -> None:
    """Stop a channel for a while, for every worker; those who run the service see one alarm, and nobody gets a task.

    Where one template is at fault they see the alarm alone: other messages go on.
    """
    rest = timedelta() if kind_of(code) == MARKETING else STOPPED
    if channels.stop(tx.session, channel, tx.now + rest, code, tx.now):
        changes = {"channel": (None, channel), "code": (None, code)}
        tx.writer.audit(Entry("stop", "channel", None, changes), UTC)


def is_retried(error: str) -> bool:
    """Whether a failure with this code says nothing of the text or its telephone, so that the text goes again."""
    return REMEDIES[kind_of(error)] in ("wait", "tomorrow", "stop")


def goes_again(tx: Transaction, row: AnyRow, error: str, case: Case | None) -> bool:
    """Have a text that failed after the provider took it wait for another try.

    `row`: the message as it was before the report; its code is one that `is_retried`. Return whether it waits: one that
    was overtaken meanwhile does not.
    """
    kind = kind_of(error)
    remedy = REMEDIES[kind]
    if remedy == "stop" or kind == MARKETING:
        stop(tx, row.channel, error)
        logs.event("deliver.stopped", channel=row.channel, code=error)
    if case is not None and not wanted_again(case, row.id, tx.now):
        return False
    # What was taken may have to be paid for: while the fault is not mended, each try waits twice as long as the last.
    rest = min(STOPPED * 2 ** min(row.attempt - 1, 5), timedelta(seconds=LONGEST_WAIT))
    moment = tx.now + rest if remedy == "stop" else next_try(tx.rt, kind, max(row.attempt, 1))
    receipts.wait_again(tx.session, row.id, moment)
    return True


def report(tx: Transaction, loaded: Loaded, message_id: int, way: WayOut, error: str) -> None:
    """Give a text that failed for good to the next channel or to a person, once for each window, reason and address."""
    text = next((one for one in loaded.case.messages if one.id == message_id), None)
    tx.carry_out(loaded, on_failure(loaded.case, text, FACTS[way].medium, kind_of(error), tx.now))
    # Nothing may have been called for, and still another prompt asks.
    tx.writer.check_again(loaded)


def end_agreement(tx: Transaction, row: AnyRow, error: str) -> None:
    """End the agreement to texts of the member of staff whose telephone takes none; what else failed ends nothing."""
    kind = kind_of(error)
    if REMEDIES[kind] in ("unreachable", "opt_out"):
        staff_texts.end_agreement(tx.writer, row.user_id, kind, row.queued_at)


def note_arrival(tx: Transaction, row: AnyRow) -> None:
    """End the rest of a channel that only a delivery can end: a text taken after it has left for its telephone."""
    if row.accepted_at is not None:
        channels.go_on_after(tx.session, row.channel, row.accepted_at)
