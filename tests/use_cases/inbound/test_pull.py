"""Replies that no webhook brought, and the time that decides on which side of a close a reply lies."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.schema import inbound, responses
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.inbound.interpret import WAIT_FOR_TIME, interpret_unread
from pro_service.use_cases.inbound.pull import PullReport, pull
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

pytestmark = databases.ON_BOTH

PHONE = "+12025550123"
CLOSE = support.at("2026-03-13 00:00")


@pytest.fixture
def participant(rt: Runtime, study_id: int, clock: support.SetClock) -> int:
    """Return someone who was invited this morning and has a question to answer."""
    row_id = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=PHONE, channel="sms-reply", language="en")
    clock.now = support.at("2026-03-09 10:00")
    tick(rt)
    deliver(rt)
    return row_id


def answers(rt: Runtime) -> list[tuple[str, int | None, datetime, bool]]:
    with rt.sessions.reading() as session:
        r = responses.c
        rows = session.execute(select(r.item, r.value, r.received_at, r.in_window).order_by(r.id)).all()
        return [(row.item, row.value, row.received_at, row.in_window) for row in rows]


def test_a_reply_that_no_webhook_brought_is_fetched_once_and_read(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    written = clock.now + timedelta(minutes=3)
    phones.write(PHONE, "6", written)
    clock.now += timedelta(hours=2)
    assert pull(rt) == PullReport(listed=1, kept=1)
    assert answers(rt) == [("NRS-AVG", 6, written, True)]
    clock.now += timedelta(minutes=10)
    assert pull(rt).kept == 0
    assert len(answers(rt)) == 1
    assert participant


def test_a_day_without_the_web_loses_no_reply(
    rt: Runtime, study_id: int, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    others = [f"+12025550{number}" for number in range(124, 130)]
    for number, phone in enumerate(others):
        support.enrolled(
            rt, study_id, f"P-{number + 2:03}", date(2026, 3, 2), phone=phone, channel="sms-reply", language="en"
        )
    tick(rt)
    deliver(rt)
    assert pull(rt) == PullReport()
    for hours, phone in enumerate([PHONE, *others]):
        phones.write(phone, str(hours), clock.now + timedelta(hours=4 * hours, minutes=1))
    clock.now += timedelta(hours=24, minutes=15)
    assert pull(rt) == PullReport(listed=7, kept=7)
    assert [value for item, value, _, _ in answers(rt) if item == "NRS-AVG"] == list(range(7))
    assert participant


def test_a_clock_that_ran_ahead_makes_no_reply_be_missed(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    written, right = clock.now + timedelta(minutes=30), clock.now
    clock.now += timedelta(days=2)
    pull(rt)
    clock.now = right + timedelta(hours=2)
    phones.write(PHONE, "6", written)
    assert pull(rt).kept == 1
    assert answers(rt) == [("NRS-AVG", 6, written, True)]
    assert participant


def test_an_instant_that_is_yet_to_come_makes_no_reply_be_missed(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    phones.write(PHONE, "hello", clock.now + timedelta(days=400))
    pull(rt)
    written = clock.now + timedelta(minutes=30)
    clock.now += timedelta(hours=2)
    phones.write(PHONE, "6", written)
    assert pull(rt).kept == 1
    assert answers(rt) == [("NRS-AVG", 6, written, True)]
    assert participant


def test_a_reply_that_the_webhook_brought_too_counts_once(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    sid = phones.write(PHONE, "6")
    receive.receive(rt, text_of({"MessageSid": sid, "From": PHONE, "Body": "6", "NumMedia": "0"}))
    clock.now += timedelta(minutes=10)
    assert pull(rt) == PullReport(listed=1, kept=0)
    assert len(answers(rt)) == 1
    assert participant


@pytest.mark.shows("case: instant of close")
def test_a_reply_fetched_after_the_close_counts_by_when_it_was_written(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    phones.write(PHONE, "6", CLOSE - timedelta(minutes=1))
    clock.now = CLOSE + timedelta(hours=3)
    tick(rt)
    assert pull(rt).kept == 1
    assert answers(rt) == [("NRS-AVG", 6, CLOSE - timedelta(minutes=1), True)]
    assert participant


def test_a_webhook_after_the_close_counts_by_the_providers_time(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    sid = phones.write(PHONE, "6", CLOSE - timedelta(seconds=1))
    clock.now = CLOSE + timedelta(minutes=2)
    receive.receive(rt, text_of({"MessageSid": sid, "From": PHONE, "Body": "6", "NumMedia": "0"}))
    assert answers(rt) == [("NRS-AVG", 6, CLOSE - timedelta(seconds=1), True)]
    assert participant


def test_a_webhook_inside_the_window_asks_nobody(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    clock.now += timedelta(minutes=2)
    receive.receive(rt, text_of({"MessageSid": "SM1", "From": PHONE, "Body": "6", "NumMedia": "0"}))
    assert len(answers(rt)) == 1
    assert phones.questions == 0
    assert participant


def test_a_text_waits_for_its_time_but_not_for_ever(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    phones.silent = True
    clock.now = CLOSE + timedelta(minutes=2)
    receive.receive(rt, text_of({"MessageSid": "SM1", "From": PHONE, "Body": "6", "NumMedia": "0"}))
    assert answers(rt) == []
    clock.now += WAIT_FOR_TIME
    assert interpret_unread(rt) == 1
    assert [(value, in_window) for _, value, _, in_window in answers(rt)] == [(6, False)]
    with rt.sessions.reading() as session:
        assert session.scalar(select(inbound.c.faults)) == 0
    assert participant


def test_a_provider_that_does_not_answer_is_asked_from_the_same_place_again(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    phones.write(PHONE, "6")
    phones.silent = True
    clock.now += timedelta(minutes=1)
    assert pull(rt) == PullReport(unanswered=1)
    phones.silent = False
    clock.now += timedelta(hours=20)
    assert pull(rt).kept == 1
    assert participant
