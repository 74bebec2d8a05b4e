"""A telephone that nobody has: one neutral answer a day through the outbox, a task, and its number nowhere."""

import logging
from collections.abc import Callable
from datetime import date, timedelta
from itertools import count

import pytest
from sqlalchemy import delete, select, update

from pro_service.core.conversation import unknown_sender
from pro_service.gateways.outgoing import Uncertain
from pro_service.gateways.twilio.hooks import text_of
from pro_service.reports import inbox, readable
from pro_service.reports.inbox import Look, Reader
from pro_service.runtime import Runtime
from pro_service.store.messages.inbox import TEXTS, key_of
from pro_service.store.schema import audit_trail, escalations, inbound, messages, metadata, telephone_keys
from pro_service.store.vault import UnreadableError, opened, sealed
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.delivery.reconcile import reconcile
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.inbound import reseal as resealing
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

STRANGER, TURKISH = "+12025550177", "+905321234567"
Says = Callable[..., None]


@pytest.fixture
def says(rt: Runtime, study_id: int, clock: support.SetClock) -> Says:
    """Return what lets a stranger write a text, a minute after the last."""
    del study_id
    numbers = count(1)

    def say(body: str, sender: str = STRANGER, **more: str) -> None:
        clock.now += timedelta(minutes=1)
        sid = f"SM{next(numbers):032d}"
        receive.receive(rt, text_of({"MessageSid": sid, "From": sender, "To": "+15005550006", "Body": body} | more))
        deliver(rt)

    return say


@pytest.mark.shows("conversation: neutral reply")
@databases.ON_BOTH
def test_a_stranger_gets_one_neutral_answer_a_day(says: Says, phones: Telephones, clock: support.SetClock) -> None:
    for body in ("hello", "who are you?", "7"):
        says(body)
    assert phones.to(STRANGER) == [
        "We received your message but do not know this telephone number. Please write from the number you gave us."
    ]
    clock.now += timedelta(hours=25)
    says("hello again")
    assert len(phones.to(STRANGER)) == 2


@databases.ON_BOTH
def test_midnight_is_no_reason_for_a_second_answer(says: Says, phones: Telephones, clock: support.SetClock) -> None:
    clock.now = support.at("2026-03-03 02:58")
    says("hello")
    says("hello")
    says("hello")
    assert len(phones.to(STRANGER)) == 1


def test_a_turkish_number_is_answered_in_turkish(says: Says, phones: Telephones) -> None:
    says("merhaba", TURKISH)
    assert phones.to(TURKISH)[0].startswith("Mesajınızı aldık")


@pytest.mark.parametrize("body", ["STOP", "dur", "Liked \u201cwe received\u201d", "START"])
def test_some_texts_get_no_answer(says: Says, phones: Telephones, body: str) -> None:
    says(body)
    assert phones.sent == []


@databases.ON_BOTH
def test_who_said_stop_is_not_written_to_until_they_say_start(
    says: Says, phones: Telephones, clock: support.SetClock
) -> None:
    says("STOP")
    for _ in range(3):
        clock.now += timedelta(days=2)
        says("hello")
    assert phones.sent == []
    says("START")
    says("hello")
    assert len(phones.sent) == 1


@databases.ON_BOTH
def test_the_stop_of_a_former_participant_holds(
    rt: Runtime, study_id: int, says: Says, phones: Telephones, clock: support.SetClock
) -> None:
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=STRANGER, channel="sms-reply", language="en")
    says("STOP")
    sent = len(phones.sent)
    with rt.sessions.begin() as session:
        p = metadata.tables["participants"]
        session.execute(update(p).values(phone_index=b"another"))
    clock.now += timedelta(days=3)
    says("hello")
    assert len(phones.sent) == sent


@pytest.mark.parametrize("sender", ["12345", "TURKCELL", "+123", ""])
def test_machines_get_no_answer(says: Says, phones: Telephones, sender: str) -> None:
    says("your parcel is on its way", sender)
    assert phones.sent == []


@pytest.mark.shows("conversation: unknown sender")
def test_the_number_stands_in_no_log_no_task_and_no_row(
    rt: Runtime, study_id: int, says: Says, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    says("hello")
    with rt.sessions.reading() as session:
        told = [str(tuple(row)) for table in metadata.sorted_tables for row in session.execute(select(table))]
        tasks = session.scalars(select(escalations.c.reason)).all()
        row = session.execute(select(messages)).one()
        queued = session.scalars(select(audit_trail.c.action).where(audit_trail.c.entity == "message")).all()
    assert not [line for line in (*told, caplog.text) if STRANGER in line or STRANGER[1:] in line]
    assert list(tasks) == ["possible_participant"]
    assert (row.participant_id, row.kind, row.state, row.study_id) == (None, "stranger", "accepted", study_id)
    assert list(queued) == ["queue"]


@databases.ON_BOTH
def test_an_answer_of_unknown_fate_is_neither_asked_about_nor_sent_again(
    rt: Runtime, says: Says, phones: Telephones, clock: support.SetClock
) -> None:
    phones.faults.append(Uncertain(0))
    says("hello")
    for _ in range(5):
        clock.now += timedelta(minutes=10)
        tick(rt)
        reconcile(rt)
        deliver(rt)
    assert phones.sent == []
    with rt.sessions.reading() as session:
        assert session.scalar(select(messages.c.state)) == "dead"


def test_the_thread_shows_what_a_stranger_was_told(rt: Runtime, study_id: int, says: Says) -> None:
    says("hello")
    reader = Reader(study_id, None, strangers=True)
    with rt.sessions.reading() as session:
        (item,) = inbox.page(session, rt.vault, reader, Look(), rt.clock())[0]
        bubbles = inbox.thread(session, rt.vault, reader, item.id)
    assert [(bubble.ours, (bubble.text or "")[:11]) for bubble in bubbles] == [(False, "hello"), (True, "We received")]


def test_the_language_is_one_that_there_are_texts_in() -> None:
    assert [unknown_sender.language("+4915112345678", known) for known in (("de", "tr"), ("tr", "en"))] == ["de", "en"]


@databases.ON_BOTH
def test_texts_of_an_earlier_release_are_sealed_with_the_key_of_their_telephone(
    rt: Runtime, says: Says, phones: Telephones, study_id: int
) -> None:
    says("hello")
    says("merhaba", TURKISH)
    with rt.sessions.begin() as session:
        session.execute(update(messages).where(messages.c.kind == "stranger").values(state="ready"))
    as_sealed_before(rt)
    assert resealing.reseal(rt) == resealing.ResealReport(resealed=2)
    assert resealing.reseal(rt) == resealing.ResealReport()
    with rt.sessions.reading() as session:
        items, _ = inbox.page(session, rt.vault, Reader(study_id, None, strangers=True), Look(), rt.clock())
        assert [item.text for item in items] == ["hello", "merhaba"]
        assert not readable.sample(session, rt.vault, 0.0).unreadable
        for row in session.execute(select(inbound)):
            with pytest.raises(UnreadableError):
                opened(rt.vault.system_key, row.raw, f"inbound|raw|{row.id}")
    deliver(rt)
    assert [len(phones.to(number)) for number in (STRANGER, TURKISH)] == [2, 2]


def as_sealed_before(rt: Runtime) -> None:
    """Seal all texts from telephones, and the answers to strangers, with the installation's key."""
    with rt.sessions.begin() as session:
        for row in session.execute(TEXTS).all():
            key = key_of(rt.vault, row)
            raw = _anew(rt, key, row.raw, f"inbound|raw|{row.id}")
            session.execute(update(inbound).where(inbound.c.id == row.id).values(raw=raw, telephone_key_id=None))
            m = messages.c
            for answer in session.execute(select(m.id, m.body).where(m.inbound_id == row.id)).all():
                body = _anew(rt, key, answer.body, f"messages|body|{answer.id}")
                session.execute(update(messages).where(m.id == answer.id).values(body=body))
        session.execute(delete(telephone_keys))


def _anew(rt: Runtime, key: bytes, cipher: bytes, place: str) -> bytes:
    return sealed(rt.vault.system_key, opened(key, cipher, place), place)
