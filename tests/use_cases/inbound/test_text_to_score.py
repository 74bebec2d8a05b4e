"""Text -> score: what is kept first, read once, bound to its question, and what two at once may not do."""

import threading
from collections.abc import Callable
from datetime import date, timedelta
from itertools import count

import pytest
from sqlalchemy import func, select

from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.messages.inbox import TEXTS
from pro_service.store.messages.inbox import said as words_of
from pro_service.store.schema import escalations, messages, participants, responses
from pro_service.store.vault import UnreadableError, opened
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import interpret, receive
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

pytestmark = databases.ON_BOTH

PHONE = "+12025550123"
Texting = Callable[[str], None]
NUMBERS = count(1)


@pytest.fixture
def participant(rt: Runtime, study_id: int, clock: support.SetClock) -> int:
    """Return someone who was just asked by text for the pain score of one week."""
    how = {"phone": PHONE, "channel": "sms-reply", "language": "en"}
    baseline = {"baseline_nrs_avg": "6", "baseline_nrs_now": "5"}
    found = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), **how, **baseline)
    clock.now = support.at("2026-03-09 10:00")
    tick(rt)
    deliver(rt)
    return found


@pytest.fixture
def says(rt: Runtime, clock: support.SetClock, participant: int) -> Texting:
    """Return a way to text from the participant's telephone, a minute and a half after whatever was before."""

    def text(body: str) -> None:
        clock.now += timedelta(seconds=90)
        receive.receive(rt, text_of(said(body)))
        deliver(rt)

    assert participant
    return text


def said(body: str, **more: str) -> dict[str, str]:
    """What Twilio posts for one text."""
    return {"MessageSid": f"SM{next(NUMBERS):032d}", "From": PHONE, "To": "+15005550006", "Body": body} | more


def answers(rt: Runtime) -> list[tuple[str, int | None, int]]:
    """Item, value and version of everything that came by text."""
    r = responses.c
    with rt.sessions.reading() as session:
        rows = session.execute(select(r.item, r.value, r.version).where(r.source == "sms").order_by(r.id))
        return [(row.item, row.value, row.version) for row in rows]


@pytest.mark.shows("conversation: one at a time")
def test_two_questions_are_asked_one_at_a_time_and_thanked_for(rt: Runtime, says: Texting, phones: Telephones) -> None:
    says("7")
    assert "1 very much improved" in phones.to(PHONE)[-1]
    says("2")
    assert answers(rt) == [("NRS-AVG", 7, 1), ("PGIC", 2, 1)]
    assert "1-week" in phones.to(PHONE)[-1] or "1 week" in phones.to(PHONE)[-1]
    assert len(phones.to(PHONE)) == 3


@pytest.mark.shows("conversation: repeat after")
def test_a_telephone_that_sends_seven_twice_never_records_very_much_worse(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    receive.receive(rt, text_of(said("7")))
    receive.receive(rt, text_of(said("7")))
    deliver(rt)
    clock.now += timedelta(seconds=20)
    receive.receive(rt, text_of(said("7")))
    deliver(rt)
    assert answers(rt) == [("NRS-AVG", 7, 1)]
    assert participant
    assert len(phones.to(PHONE)) == 3


@pytest.mark.shows("never guess")
def test_seven_to_eight_is_asked_again_twice_and_then_a_person_looks(
    rt: Runtime, says: Texting, phones: Telephones
) -> None:
    for _ in range(3):
        says("7-8")
    assert answers(rt) == []
    assert len(set(phones.to(PHONE))) == 4
    with rt.sessions.reading() as session:
        assert session.scalars(select(escalations.c.reason)).all() == ["unreadable_reply"]


@pytest.mark.shows("stopping: acknowledged once")
def test_stop_is_acknowledged_once_and_ends_all_prompts(
    rt: Runtime, clock: support.SetClock, says: Texting, phones: Telephones
) -> None:
    says("STOP")
    says("Stop")
    texts = len(phones.to(PHONE))
    for days in range(1, 120):
        clock.now = support.at("2026-03-09 12:31") + timedelta(days=days)
        tick(rt)
        deliver(rt)
    assert texts == 2
    assert len(phones.to(PHONE)) == 2
    says("START")
    clock.now = support.at("2026-07-09 12:31")
    tick(rt)


@pytest.mark.shows("stopping: acknowledged once")
def test_the_providers_own_opt_out_is_not_acknowledged_by_us(rt: Runtime, phones: Telephones, participant: int) -> None:
    receive.receive(rt, text_of(said("STOP", OptOutType="STOP")))
    deliver(rt)
    assert len(phones.to(PHONE)) == 1
    with rt.sessions.reading() as session:
        opted_out = select(participants.c.opted_out_at).where(participants.c.id == participant)
        assert session.scalar(opted_out) is not None


@pytest.mark.shows("stopping: safety words")
def test_a_safety_word_gets_the_fixed_reply_and_a_person_at_once(
    rt: Runtime, says: Texting, phones: Telephones
) -> None:
    says("I want to kill myself")
    assert "112" in phones.to(PHONE)[-1]
    with rt.sessions.reading() as session:
        assert session.scalars(select(escalations.c.level)).all() == ["ES"]


def test_the_same_text_delivered_twice_changes_nothing(rt: Runtime, phones: Telephones, participant: int) -> None:
    twice = said("7")
    assert receive.receive(rt, text_of(twice))
    assert not receive.receive(rt, text_of(twice))
    deliver(rt)
    assert answers(rt) == [("NRS-AVG", 7, 1)]
    assert len(phones.to(PHONE)) == 2
    assert participant


def test_a_text_is_kept_as_it_came_before_anybody_reads_it(rt: Runtime, participant: int) -> None:
    receive.receive(rt, text_of(said("7-8")))
    with rt.sessions.reading() as session:
        row = session.execute(TEXTS).one()
    assert words_of(rt.vault, row).body == "7-8"
    assert b"7-8" not in row.raw
    with pytest.raises(UnreadableError):
        opened(rt.vault.system_key, row.raw, f"inbound|raw|{row.id}")
    assert row.reading == "Unreadable"
    assert row.participant_id == participant


@pytest.mark.shows("conversation: unknown sender")
def test_a_text_from_a_telephone_nobody_has_becomes_one_task_a_day(rt: Runtime, study_id: int) -> None:
    for _ in range(2):
        receive.receive(rt, text_of(said("7", From="+12025550188")))
    with rt.sessions.reading() as session:
        rows = session.execute(select(escalations.c.reason, escalations.c.study_id)).all()
    assert [tuple(row) for row in rows] == [("possible_participant", study_id)]


@pytest.mark.shows("conversation: ambiguous")
def test_a_text_from_a_shared_telephone_is_attributed_to_nobody_unless_one_was_asked(
    rt: Runtime, study_id: int, participant: int, clock: support.SetClock
) -> None:
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), phone=PHONE, channel="sms-reply")
    clock.now += timedelta(minutes=5)
    receive.receive(rt, text_of(said("7")))
    assert answers(rt) == [("NRS-AVG", 7, 1)]
    tick(rt)
    deliver(rt)
    clock.now += timedelta(minutes=5)
    receive.receive(rt, text_of(said("3")))
    assert answers(rt) == [("NRS-AVG", 7, 1), ("PGIC", 3, 1)]
    receive.receive(rt, text_of(said("4")))
    assert answers(rt) == [("NRS-AVG", 7, 1), ("PGIC", 3, 1)]
    with rt.sessions.reading() as session:
        assert set(session.scalars(select(escalations.c.reason)).all()) == {"shared_telephone"}
    assert participant


def test_a_fault_in_the_rules_loses_no_text(rt: Runtime, participant: int) -> None:
    with rt.sessions.begin() as session:
        broken = participants.update().where(participants.c.id == participant).values(data_key=b"k1:nonsense")
        keys = session.scalar(select(participants.c.data_key).where(participants.c.id == participant))
        session.execute(broken)
    receive.receive(rt, text_of(said("7")))
    assert answers(rt) == []
    with rt.sessions.begin() as session:
        session.execute(participants.update().where(participants.c.id == participant).values(data_key=keys))
    assert interpret.interpret_unread(rt) == 1
    assert answers(rt) == [("NRS-AVG", 7, 1)]


def test_a_reply_and_a_tick_at_once_end_in_one_order(rt: Runtime, clock: support.SetClock, participant: int) -> None:
    clock.now = support.at("2026-03-10 18:30")
    together = threading.Barrier(2)
    faults: list[BaseException] = []

    def at_once(work: Callable[[], object]) -> None:
        together.wait()
        try:
            work()
        except BaseException as fault:  # noqa: BLE001 -- told to the test
            faults.append(fault)

    threads = [
        threading.Thread(target=at_once, args=(work,))
        for work in (lambda: tick(rt), lambda: receive.receive(rt, text_of(said("7"))))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tick(rt)
    assert faults == []
    assert answers(rt) == [("NRS-AVG", 7, 1)]
    with rt.sessions.reading() as session:
        reminders = select(func.count()).where(messages.c.kind == "reminder-1", messages.c.state == "ready")
        first_look = session.scalar(reminders)
    assert first_look in (0, 1)
    assert participant


def test_twenty_copies_of_one_text_at_once_make_one_answer(rt: Runtime, participant: int) -> None:
    copy = said("7")
    together = threading.Barrier(20)
    faults: list[BaseException] = []

    def deliver_copy() -> None:
        together.wait()
        try:
            receive.receive(rt, text_of(copy))
        except BaseException as fault:  # noqa: BLE001 -- told to the test
            faults.append(fault)

    threads = [threading.Thread(target=deliver_copy) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert answers(rt) == [("NRS-AVG", 7, 1)]
    assert participant
