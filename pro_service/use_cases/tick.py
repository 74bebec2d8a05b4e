"""What time calls for: due participants in batches, unread texts, and what a stuck participant needs."""

import time
from datetime import datetime, timedelta
from threading import Event

from pro_service import logs
from pro_service.core.schedule.agenda import escalate, look, on_time
from pro_service.runtime import Runtime
from pro_service.store import due
from pro_service.store.participants import cases, shared_phone
from pro_service.use_cases import idle, trusted_time
from pro_service.use_cases.idle import TickReport
from pro_service.use_cases.inbound.interpret import interpret_unread
from pro_service.use_cases.participants import contact_test
from pro_service.use_cases.tasks import digest
from pro_service.use_cases.transaction import SCHEDULER, transaction

BATCH = 500
BATCH_SECONDS = 0.2
PUT_OFF = timedelta(minutes=15)
FAULTS = 3
"""So often one participant may fail before a person gets a task."""


def tick(rt: Runtime, stop: Event | None = None) -> TickReport:
    """Carry out everything that time calls for now. Twice in a row does nothing new.

    Once `stop` is set the batch under way is finished and the rest is left for the next tick.
    """
    now = rt.clock()
    found = idle.look(rt, now)
    if not any(found):
        return TickReport()
    if not trusted_time.is_believed(rt):
        return TickReport()
    if found.tests:
        contact_test.settle(rt)
    report = TickReport(texts_read=interpret_unread(rt, stop))
    size = BATCH
    seen: set[int] = set()
    while stop is None or not stop.is_set():
        with rt.sessions.reading() as session:
            ids = [one for one in due.participants_due(session, now, size) if one not in seen]
        if not ids:
            # Those who are still due are in the hands of another scheduler, or were put off.
            break
        seen.update(ids)
        started = time.perf_counter()
        _batch(rt, ids, now, report)
        if time.perf_counter() - started > BATCH_SECONDS:
            size = max(size // 2, 25)
        elif size < BATCH:
            size = min(size * 2, BATCH)
    if found.digests:
        # Last: what this very tick raised is work of this morning.
        report.digests = digest.send(rt)
    return report


def _batch(rt: Runtime, ids: list[int], now: datetime, report: TickReport) -> None:
    try:
        _decide(rt, ids, now, report)
    except Exception as fault:  # noqa: BLE001 -- one poison row must not stop the others
        if len(ids) > 1:
            for one in ids:
                _batch(rt, [one], now, report)
            return
        report.faults += 1
        logs.fault("tick", fault, participant=ids[0])
        _put_off(rt, ids[0], now)


def _decide(rt: Runtime, ids: list[int], now: datetime, report: TickReport) -> None:
    commands, together = 0, list[int]()
    with transaction(rt, SCHEDULER, now) as tx:
        loaded = rt.loader.load(tx.session, ids, skip_locked=True)
        for one in loaded:
            if one.next_check_at is None or one.next_check_at > now:
                continue
            if one.case.others:
                together.append(one.case.participant.id)
                continue
            looked = look(one.case, now)
            commands += len(looked.commands)
            tx.carry_out(one, looked.commands)
            tx.foresee_next_check(one, looked)
    for participant_id in together:
        commands += _decide_sharing(rt, participant_id, now)
    report.commands += commands
    report.looked_at += len(ids)


def _decide_sharing(rt: Runtime, participant_id: int, now: datetime) -> int:
    """Decide about one who shares a telephone, with the rows of all who do taken: only one may be asked at a time."""
    with transaction(rt, SCHEDULER, now) as tx:
        owners = sorted([participant_id, *shared_phone.sharers(tx.session, [participant_id]).get(participant_id, [])])
        loaded = {one.case.participant.id: one for one in rt.loader.load(tx.session, owners, skip_locked=True)}
        one = loaded.get(participant_id)
        if one is None or len(loaded) < len(owners) or one.next_check_at is None or one.next_check_at > now:
            return 0
        decided = on_time(one.case, now)
        tx.carry_out(one, decided)
        tx.writer.check_again(one)
    return len(decided)


def _put_off(rt: Runtime, participant_id: int, now: datetime) -> None:
    """Check this participant again in a while; the third time a person gets a task."""
    with rt.sessions.begin() as session:
        faults = cases.put_off(session, participant_id, now + PUT_OFF)
    if faults == FAULTS:
        _raise_task(rt, participant_id, now)


def _raise_task(rt: Runtime, participant_id: int, now: datetime) -> None:
    try:
        with transaction(rt, SCHEDULER, now) as tx:
            loaded = rt.loader.one(tx.session, participant_id)
            task = escalate(loaded.case, "E0", "rules_fault", now)
            if not loaded.case.escalated(task.key):
                tx.carry_out(loaded, [task])
    except Exception as fault:  # noqa: BLE001 -- the tick goes on
        logs.fault("tick", fault, participant=participant_id)
    # The task is a change, and a change sets the next check: not at once, or it would be tried for ever.
    with rt.sessions.begin() as session:
        cases.put_off(session, participant_id, now + PUT_OFF)


def beat(rt: Runtime, name: str, took: timedelta | None = None) -> None:
    """Say that this beat is alive, and how long its work took, unless the clock is not believed."""
    trusted_time.beat(rt, name, took)
