"""Time -> text: what the tick queues and the delivery sends, and what neither ever does."""

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from pro_service.gateways.outgoing import Accepted, Outgoing, Refused, Unavailable
from pro_service.gateways.twilio.hooks import receipt_of
from pro_service.runtime import Runtime
from pro_service.store.schema import attempts, audit_trail, escalations, messages, participants
from pro_service.use_cases.delivery.attempt import FRESH
from pro_service.use_cases.delivery.deliver import DeliverReport, deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

pytestmark = databases.ON_BOTH

PHONE = "+12025550123"
PROCEDURE = date(2026, 3, 2)
WORKERS = 8
BASELINE = {"baseline_nrs_avg": "6", "baseline_nrs_now": "5"}
INVITED = support.at("2026-03-09 10:00")


@pytest.fixture
def participant(rt: Runtime, study_id: int) -> int:
    """Return someone who replies by text and had the procedure on 2 March."""
    how = {"phone": PHONE, "channel": "sms-reply", "language": "en", **BASELINE}
    return support.enrolled(rt, study_id, "P-001", PROCEDURE, **how)


def pass_time(rt: Runtime, clock: support.SetClock, to: str) -> DeliverReport:
    """Let the scheduler beat once at a local time."""
    clock.now = support.at(to)
    tick(rt)
    return deliver(rt)


def states(rt: Runtime) -> dict[str, str]:
    """Kind of each text -> its state."""
    with rt.sessions.reading() as session:
        rows = session.execute(select(messages.c.kind, messages.c.state).order_by(messages.c.id))
        return {row.kind: row.state for row in rows}


def tasks(rt: Runtime) -> list[tuple[str, str]]:
    """Level and reason of each escalation."""
    with rt.sessions.reading() as session:
        rows = session.execute(select(escalations.c.level, escalations.c.reason).order_by(escalations.c.id))
        return [(row.level, row.reason) for row in rows]


def test_an_invitation_leaves_at_its_moment_and_asks_the_first_question(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    pass_time(rt, clock, "2026-03-09 09:59")
    assert phones.sent == []
    pass_time(rt, clock, "2026-03-09 10:00")
    assert "0 = no pain" in phones.to(PHONE)[0]
    assert participant


def test_the_first_text_says_how_to_stop_and_later_ones_differ_from_it(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    for moment in ("2026-03-09 10:00", "2026-03-10 18:30", "2026-03-11 12:30"):
        pass_time(rt, clock, moment)
    first, second, third = phones.to(PHONE)
    assert "STOP" in first
    assert "not monitored" in first
    assert "not monitored" not in second
    assert len({first, second, third}) == 3
    assert participant


def test_a_second_tick_sends_nothing_new(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    pass_time(rt, clock, "2026-03-09 10:00")
    assert tick(rt).commands == 0
    assert deliver(rt) == DeliverReport()
    assert len(phones.sent) == 1
    assert participant


def test_after_an_outage_one_text_goes_and_it_is_an_invitation(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    pass_time(rt, clock, "2026-03-11 12:40")
    assert list(states(rt)) == ["invitation"]
    pass_time(rt, clock, "2026-03-11 12:41")
    assert len(phones.sent) == 1
    assert participant


def test_an_outage_over_the_whole_window_sends_nothing_and_escalates_once(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    pass_time(rt, clock, "2026-03-20 09:00")
    pass_time(rt, clock, "2026-03-20 09:01")
    assert phones.sent == []
    assert tasks(rt) == [("E3", "missed")]
    assert participant


def test_a_window_left_alone_is_called_for_before_its_close_and_missed_after_it(
    rt: Runtime, clock: support.SetClock, participant: int
) -> None:
    for hour in range(0, 24 * 5, 6):
        clock.now = INVITED + timedelta(hours=hour)
        tick(rt)
        deliver(rt)
    levels = [level for level, _ in tasks(rt)]
    assert levels[0] == "E1"
    assert levels.count("E3") == 1
    assert participant


def test_nothing_is_sent_before_the_procedure_is_confirmed(
    rt: Runtime, clock: support.SetClock, phones: Telephones, study_id: int
) -> None:
    how = {"phone": PHONE, "channel": "sms-reply", "messaging_consent": "2026-03-02"}
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 4), **how)
    pass_time(rt, clock, "2026-03-11 10:00")
    assert phones.sent == []
    assert tasks(rt) == [("E0", "confirm_procedure")]


def test_a_blank_telephone_or_consent_means_calls_only(
    rt: Runtime, clock: support.SetClock, phones: Telephones, study_id: int
) -> None:
    support.enrolled(rt, study_id, "P-003", PROCEDURE, **BASELINE)
    without_consent = {"phone": PHONE, "channel": "sms-reply", "messaging_consent": ""}
    support.enrolled(rt, study_id, "P-004", PROCEDURE, **without_consent, **BASELINE)
    pass_time(rt, clock, "2026-03-09 10:00")
    pass_time(rt, clock, "2026-03-11 12:00")
    assert phones.sent == []
    missing = [("E0", "no_way_to_ask"), ("E2", "no_way_to_ask")]
    assert tasks(rt) == [*missing, ("E1", "by_telephone"), ("E1", "by_telephone")]


def test_a_text_is_a_row_with_an_attempt_before_a_byte_leaves(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    seen: list[tuple[str, int]] = []

    class Watching(Telephones):
        def send(self, outgoing: Outgoing) -> Accepted:
            with rt.sessions.reading() as session:
                state = session.scalar(select(messages.c.state).where(messages.c.id == outgoing.message_id))
                tries = session.scalar(select(func.count()).select_from(attempts))
            seen.append((str(state), int(tries or 0)))
            return phones.send(outgoing)

    pass_time(replace(rt, texts={"sms": Watching()}), clock, "2026-03-09 10:00")
    assert seen == [("sending", 1)]
    assert participant


def test_a_provider_that_is_away_is_tried_again_later(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    phones.faults.append(Unavailable(429, 30))
    assert pass_time(rt, clock, "2026-03-09 10:00").unavailable == 1
    clock.now += timedelta(seconds=20)
    assert deliver(rt).accepted == 0
    clock.now += timedelta(seconds=20)
    assert deliver(rt).accepted == 1
    assert participant


def test_a_number_that_takes_no_texts_becomes_a_task_and_is_not_written_to_again(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    phones.faults.append(Refused(21614, "bad_number"))
    assert pass_time(rt, clock, "2026-03-09 10:00").refused == 1
    assert tasks(rt) == [("E0", "bad_number")]
    for day in ("10", "11"):
        pass_time(rt, clock, f"2026-03-{day} 18:30")
    assert phones.sent == []
    assert participant


def test_a_stop_while_a_batch_is_being_sent_still_counts(
    rt: Runtime, clock: support.SetClock, study_id: int, participant: int
) -> None:
    numbers = [f"+12025550{number}" for number in range(100, 100 + 2 * WORKERS)]
    for number in numbers:
        how = {"phone": number, "channel": "sms-reply", **BASELINE}
        support.enrolled(rt, study_id, f"Q-{number[-3:]}", PROCEDURE, **how)
    answers = threading.Event()

    class Slow(Telephones):
        def send(self, outgoing: Outgoing) -> Accepted:
            with rt.sessions.begin() as session:
                still = participants.c.opted_out_at.is_(None)
                session.execute(participants.update().where(still).values(opted_out_at=clock.now))
            answers.wait(2 * FRESH.total_seconds())  # as a provider takes its time
            return Telephones.send(self, outgoing)

    network = Slow()
    report = pass_time(replace(rt, texts={"sms": network}), clock, "2026-03-09 10:00")
    # Texts that were on their way side by side may leave; whose turn comes later does not.
    assert len(network.sent) == report.accepted <= WORKERS
    assert report.accepted + report.void == len(numbers) + 1
    assert participant


def test_a_batch_is_recorded_together(
    rt: Runtime, clock: support.SetClock, study_id: int, participant: int, caplog: pytest.LogCaptureFixture
) -> None:
    support.enrolled(rt, study_id, "P-007", PROCEDURE, phone="+12025550126", channel="sms-reply", **BASELINE)
    assert pass_time(rt, clock, "2026-03-09 10:00").accepted == 2
    assert "deliver.batch" not in caplog.messages
    assert participant


def test_wrong_credentials_lose_no_text(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    phones.faults.append(Refused(20003, "credentials"))
    pass_time(rt, clock, "2026-03-09 10:00")
    clock.now += timedelta(minutes=6)
    assert deliver(rt).accepted == 1
    assert participant


def test_a_text_that_cannot_be_read_is_dead_and_the_others_go_on(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int, study_id: int
) -> None:
    other = "+12025550124"
    support.enrolled(rt, study_id, "P-005", PROCEDURE, phone=other, channel="sms-reply", **BASELINE)
    clock.now = INVITED
    tick(rt)
    with rt.sessions.begin() as session:
        broken = messages.update().where(messages.c.participant_id == participant).values(body=b"x" * 40)
        session.execute(broken)
    report = deliver(rt)
    assert (report.dead, report.accepted) == (1, 1)
    assert tasks(rt) == [("E0", "not_delivered")]
    assert phones.to(other)


def test_one_poison_participant_does_not_stop_the_others(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int, study_id: int
) -> None:
    support.enrolled(rt, study_id, "P-006", PROCEDURE, phone="+12025550125", channel="sms-reply", **BASELINE)
    with rt.sessions.begin() as session:
        session.execute(participants.update().where(participants.c.id == participant).values(data_key=b"k1:nonsense"))
    clock.now = INVITED
    assert tick(rt).faults == 1
    deliver(rt)
    assert len(phones.sent) == 1
    with rt.sessions.reading() as session:
        next_check_at = session.scalar(select(participants.c.next_check_at).where(participants.c.id == participant))
    assert next_check_at == INVITED + timedelta(minutes=15)


def test_a_delivery_report_moves_forward_only_and_a_failure_becomes_a_task(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    pass_time(rt, clock, "2026-03-09 10:00")
    text = phones.sent[0]
    token = text.token
    said = {"MessageSid": f"SM{1:032d}"}
    for status in ("sent", "queued", "sent"):
        assert receive.take_receipt(rt, receipt_of(token, said | {"MessageStatus": status}), "twilio")
    assert states(rt) == {"invitation": "sent"}
    receive.take_receipt(rt, receipt_of(token, said | {"MessageStatus": "undelivered", "ErrorCode": "30005"}), "twilio")
    receive.take_receipt(rt, receipt_of(token, said | {"MessageStatus": "delivered"}), "twilio")
    assert states(rt) == {"invitation": "undelivered"}
    assert tasks(rt) == [("E0", "not_delivered")]
    assert not receive.take_receipt(
        rt, receipt_of("nobody's", {"MessageSid": "SM2", "MessageStatus": "sent"}), "twilio"
    )
    assert participant


def test_every_change_has_its_audit_row(rt: Runtime, clock: support.SetClock, participant: int) -> None:
    pass_time(rt, clock, "2026-03-09 10:00")
    with rt.sessions.reading() as session:
        mine = audit_trail.c.participant_id == participant
        rows = session.execute(
            select(audit_trail.c.action, audit_trail.c.entity).where(mine).order_by(audit_trail.c.id)
        )
        done = [(row.action, row.entity) for row in rows]
    assert ("queue", "message") in done
    assert done[0][1] == "participant"


def test_a_text_that_arrives_ends_the_task_about_one_that_did_not_without_waiting_for_the_next_moment(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    for moment, status, error in (
        ("2026-03-09 10:00", "undelivered", "30005"),
        ("2026-03-10 18:30", "delivered", ""),
    ):
        pass_time(rt, clock, moment)
        text = phones.sent[-1]
        with rt.sessions.reading() as session:
            sid = session.scalar(select(messages.c.provider_id).where(messages.c.id == text.message_id))
        clock.now += timedelta(minutes=1)
        said = {"MessageSid": str(sid), "MessageStatus": status, "ErrorCode": error}
        receive.take_receipt(rt, receipt_of(text.token, said), "twilio")
    assert ("E0", "not_delivered") in tasks(rt)
    tick(rt)
    with rt.sessions.reading() as session:
        assert session.scalar(select(escalations.c.outcome).where(escalations.c.level == "E0")) == "cleared"
    assert participant
