"""A database that may be older than what was sent sends nothing before the provider has told what it knows."""

import threading
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import SQLAlchemyError

from pro_service.clock import GuardedClock
from pro_service.gateways.outgoing import Record
from pro_service.runtime import Memory, Runtime
from pro_service.store import heartbeats, standing
from pro_service.store.schema import audit_trail, channels, links, messages
from pro_service.store.vault import token_hash
from pro_service.use_cases.delivery import quarantine
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.delivery.quarantine import SILENCE, QuarantineReport
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

pytestmark = databases.ON_BOTH

PHONE = "+12025550123"
PROCEDURE = date(2026, 3, 2)
INVITED = support.at("2026-03-09 10:00")
BASELINE = {"baseline_nrs_avg": "6", "baseline_nrs_now": "5"}


def enrol(rt: Runtime, study_id: int, channel: str = "sms-reply") -> int:
    return support.enrolled(rt, study_id, "P-001", PROCEDURE, phone=PHONE, channel=channel, language="en", **BASELINE)


def reason(rt: Runtime) -> str | None:
    with rt.sessions.reading() as session:
        found: str | None = session.scalar(select(channels.c.quarantine_reason).where(channels.c.name == "sms"))
        return found


def alive(rt: Runtime, at: datetime) -> None:
    with rt.sessions.begin() as session:
        heartbeats.beat(session, "deliver", at)


def states(rt: Runtime) -> list[tuple[str, str | None]]:
    with rt.sessions.reading() as session:
        rows = session.execute(select(messages.c.state, messages.c.provider_id).order_by(messages.c.id)).all()
        return [(row.state, row.provider_id) for row in rows]


def forget_sending(rt: Runtime) -> None:
    """Put back what a backup of before the sending says: the row is there, and has not left."""
    with rt.sessions.begin() as session:
        session.execute(text("DELETE FROM attempts"))
        values = {"state": "ready", "attempt": 0, "provider_id": None, "provider_status": None, "accepted_at": None}
        session.execute(messages.update().values(**values))


@pytest.mark.parametrize("channel", ["sms-reply", "sms-link"])
def test_a_restored_backup_takes_over_what_was_sent_and_sends_nothing_twice(
    rt: Runtime, clock: support.SetClock, phones: Telephones, study_id: int, channel: str
) -> None:
    enrol(rt, study_id, channel)
    alive(rt, INVITED - timedelta(minutes=30))
    clock.now = INVITED
    tick(rt)
    assert deliver(rt).accepted == 1
    sent = phones.sent[0]
    forget_sending(rt)
    # The restored row was rendered anew, with another token than the one in the participant's hands.
    token = sent.body.partition("/q/")[2].partition("\n")[0].split(" ")[0]
    with rt.sessions.begin() as session:
        session.execute(links.update().values(token=token_hash("another")))
    clock.now += timedelta(minutes=20)
    quarantine.on_start(rt)
    assert reason(rt) == "silence"
    assert deliver(rt).accepted == 0
    assert quarantine.settle(rt) == QuarantineReport(held=False, adopted=1)
    assert reason(rt) is None
    assert states(rt) == [("accepted", phones.records[0].sid)]
    assert deliver(rt).accepted == 0
    assert len(phones.sent) == 1
    if channel == "sms-link":
        with rt.sessions.reading() as session:
            assert session.scalar(select(links.c.id).where(links.c.token == token_hash(token))) is not None


def test_a_text_nobody_knows_keeps_texts_back_until_a_person_has_looked(
    rt: Runtime, clock: support.SetClock, study_id: int
) -> None:
    enrol(rt, study_id)
    alive(rt, INVITED)
    clock.now = INVITED
    tick(rt)
    assert deliver(rt).accepted == 1
    with rt.sessions.begin() as session:
        session.execute(messages.update().values(provider_id="SM-of-another"))
    clock.now += SILENCE + timedelta(minutes=1)
    quarantine.on_start(rt)
    assert quarantine.settle(rt) == QuarantineReport(held=True, unknown=1)
    assert quarantine.settle(rt).held
    assert quarantine.lift(rt, support.SETUP, "looked at the provider's log: sent by hand")
    assert not quarantine.settle(rt).held
    with rt.sessions.reading() as session:
        done = list(session.scalars(select(audit_trail.c.action).where(audit_trail.c.entity == "channel")))
    assert sorted(done) == ["lift", "quarantine"]


def test_texts_to_others_by_the_same_sender_are_none_of_our_business(
    rt: Runtime, clock: support.SetClock, phones: Telephones, study_id: int
) -> None:
    enrol(rt, study_id)
    alive(rt, INVITED - timedelta(hours=1))
    clock.now = INVITED
    phones.records.append(replace(_record(phones, clock), to="+12025550199"))
    quarantine.on_start(rt)
    assert quarantine.settle(rt) == QuarantineReport()


def _record(phones: Telephones, clock: support.SetClock) -> Record:
    return Record(f"SM{len(phones.records):030d}no", "sent", PHONE, "a text", clock.now)


def test_a_provider_that_does_not_answer_ends_no_quarantine(
    rt: Runtime, clock: support.SetClock, phones: Telephones, study_id: int
) -> None:
    enrol(rt, study_id)
    clock.now = INVITED
    tick(rt)
    assert quarantine.begin(rt, "by_hand", support.SETUP)
    assert not quarantine.begin(rt, "by_hand", support.SETUP)
    phones.silent = True
    assert quarantine.settle(rt).held
    assert deliver(rt).accepted == 0
    phones.silent = False
    assert not quarantine.settle(rt).held
    assert deliver(rt).accepted == 1


def test_who_sent_a_moment_ago_goes_on_at_once(
    rt: Runtime, clock: support.SetClock, phones: Telephones, study_id: int
) -> None:
    enrol(rt, study_id)
    quarantine.on_start(rt)  # for the first time ever
    clock.now = INVITED
    quarantine.beat(rt)
    clock.now += timedelta(minutes=14)
    quarantine.on_start(rt)
    assert reason(rt) is None
    assert phones.sent == []


def test_a_running_sender_notices_an_older_database(
    rt: Runtime, clock: support.SetClock, phones: Telephones, study_id: int
) -> None:
    enrol(rt, study_id)
    clock.now = INVITED
    tick(rt)
    deliver(replace(rt, memory=Memory(last_id=10**9)))
    assert reason(rt) == "older_database"
    assert phones.sent == []


def test_a_standby_that_took_over_is_noticed(rt: Runtime, clock: support.SetClock, study_id: int) -> None:
    enrol(rt, study_id)
    clock.now = INVITED
    quarantine.detect_older_database(rt)
    assert reason(rt) is None
    if rt.sessions.sqlite:
        with rt.sessions.glance() as connection:
            assert standing.timeline(connection) is None
        return
    with rt.sessions.begin() as session:
        standing.remember_timeline(session, "0000DEAD")
    quarantine.detect_older_database(rt)
    assert reason(rt) == "failover"
    with rt.sessions.begin() as session:
        session.execute(channels.update().values(quarantined_at=None, quarantine_reason=None))
    quarantine.detect_older_database(rt)  # it is known now
    assert reason(rt) is None


def test_two_schedulers_that_start_at_once_remember_one_history(rt: Runtime) -> None:
    if rt.sessions.sqlite:
        return
    looked, failed = threading.Event(), list[BaseException]()

    def second() -> None:
        try:
            with rt.sessions.begin() as session:
                standing.remember_timeline(session, "00000001")
        except SQLAlchemyError as error:
            failed.append(error)

    with rt.sessions.begin() as session:
        standing.remember_timeline(session, "00000001")
        event.listen(rt.sessions.engine, "after_cursor_execute", lambda *_: looked.set())
        other = threading.Thread(target=second)
        other.start()
        # It has seen no history, for ours is not committed yet.
        assert looked.wait(10)
    other.join(10)
    assert failed == []


def test_a_clock_that_jumped_sends_nothing_for_two_minutes_and_is_audited(
    rt: Runtime, clock: support.SetClock, phones: Telephones, study_id: int
) -> None:
    enrol(rt, study_id)
    clock.now = INVITED
    tick(rt)
    ticks = [0.0]
    guarded = GuardedClock(clock, lambda: ticks[0])
    clock.now += timedelta(hours=1)
    jumped = replace(rt, clock=guarded)
    if not rt.sessions.sqlite:
        # The server's clock is another one still: that casts doubt by itself.
        deliver(jumped)
        assert phones.sent == []
        return
    assert deliver(jumped).accepted == 0
    ticks[0] += 121
    clock.now += timedelta(seconds=121)
    assert deliver(jumped).accepted == 1
    with rt.sessions.reading() as session:
        told = list(session.scalars(select(audit_trail.c.changes).where(audit_trail.c.action == "clock_jump")))
    assert told == ['{"seconds":[0,3600]}']
