"""Somebody who is asked on WhatsApp: templates where nothing else may go, words where they may, and what fails."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import count

import pytest
from sqlalchemy import select

from pro_service.core.conversation.contact_test import state
from pro_service.core.providers import FACTS
from pro_service.gateways.outgoing import Outgoing
from pro_service.gateways.twilio.hooks import receipt_of, text_of
from pro_service.reports.inbox import Reader
from pro_service.runtime import Runtime
from pro_service.store.messages import channels
from pro_service.store.schema import audit_trail, inbound, messages, responses
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import inbox, receive
from pro_service.use_cases.inbound.inbox import About
from pro_service.use_cases.participants import contact_test
from pro_service.use_cases.participants.contact_test import Subject
from pro_service.use_cases.tick import tick
from pro_service.use_cases.watch import alarms
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

PHONE, INVITED = "+12025550123", support.at("2026-03-09 10:00")
Says = Callable[..., None]


@pytest.fixture
def messenger(clock: support.SetClock) -> Telephones:
    """Return the WhatsApp of everybody's telephone."""
    return Telephones("whatsapp:SM", clock, facts=FACTS["whatsapp"])


@pytest.fixture
def service(rt: Runtime, phones: Telephones, messenger: Telephones) -> Runtime:
    """Return a service that reaches people by SMS and on WhatsApp."""
    return replace(rt, texts={"sms": phones, "whatsapp": messenger})


@pytest.fixture
def person(service: Runtime, study_id: int) -> int:
    """Return somebody who is asked on WhatsApp, and by SMS where that fails."""
    return on_whatsapp(service, study_id, "P-001")


@pytest.fixture
def says(service: Runtime, clock: support.SetClock) -> Says:
    """Return what lets somebody write on WhatsApp, a minute after the last; what is answered leaves."""
    numbers = count(1)

    def say(body: str, sender: str = PHONE, **more: str) -> None:
        clock.now += timedelta(minutes=1)
        said = {"MessageSid": f"SM{next(numbers):032x}", "From": f"whatsapp:{sender}", "Body": body, **more}
        receive.receive(service, text_of(said))
        deliver(service)

    return say


def on_whatsapp(rt: Runtime, study_id: int, code: str) -> int:
    """Enrol somebody who agreed to both."""
    how = {"phone": PHONE, "channel": "whatsapp>sms-reply", "whatsapp_consent": "2026-03-02", "language": "en"}
    return support.enrolled(rt, study_id, code, date(2026, 3, 2), **how)


def invite(rt: Runtime, clock: support.SetClock) -> None:
    clock.now = INVITED
    tick(rt)
    deliver(rt)


def report(rt: Runtime, sent: Outgoing, status: str, code: int | None = None) -> None:
    form = {
        "MessageSid": f"SM{1:032d}",
        "To": f"whatsapp:{PHONE}",
        "MessageStatus": status,
        "ErrorCode": str(code or ""),
    }
    assert receive.take_receipt(rt, receipt_of(sent.token, form), "twilio")


def score(rt: Runtime, participant: int) -> dict[str, int | None]:
    window = support.loaded(rt, participant).case.windows[1]
    return {item: answer.value for item, answer in window.answers.items()}


@databases.ON_BOTH
def test_a_conversation_begins_with_a_template_and_goes_on_in_words(
    service: Runtime, phones: Telephones, messenger: Telephones, clock: support.SetClock, person: int, says: Says
) -> None:
    invite(service, clock)
    (sent,) = messenger.sent
    assert sent.template is not None
    assert sent.template.values[:3] == ("Istanbul Demo Clinic", "P-001", "1 week")
    assert "On average, how strong" in sent.template.values[3]
    # What staff read is what the template says, whole: who writes, to whom, how to stop.
    assert all(words in sent.body for words in ("for P-001", "Reply STOP", "not monitored"))
    says("7", ButtonText="Seven", ButtonPayload="7", ProfileName="Somebody", WaId=PHONE[1:])
    (asked,) = messenger.sent[1:]
    assert (asked.template, "overall my condition" in asked.body) == (None, True)
    says("2")
    assert messenger.sent[2].template is None
    assert (score(service, person), phones.sent) == ({"NRS-AVG": 7, "PGIC": 2}, [])
    with service.sessions.reading() as session:
        assert set(session.scalars(select(inbound.c.channel))) == {"whatsapp"}
        assert set(session.scalars(select(responses.c.source))) == {"whatsapp"}
        who = select(audit_trail.c.source).where(audit_trail.c.action == "answer")
        assert set(session.scalars(who)) == {"whatsapp"}
        assert set(session.scalars(select(messages.c.segments))) == {1}


@pytest.mark.parametrize("hours", [23, 25])
def test_for_a_day_after_they_wrote_a_reminder_goes_in_words(
    service: Runtime,
    messenger: Telephones,
    clock: support.SetClock,
    person: int,
    says: Says,
    hours: int,
) -> None:
    invite(service, clock)
    clock.now = (reminded := INVITED + timedelta(days=2)) - timedelta(hours=hours)
    says("help")
    clock.now = reminded
    tick(service)
    deliver(service)
    (_, helped, reminder) = messenger.sent
    assert (helped.template, reminder.template is None) == (None, hours < 24)
    assert "We do not have your answer" in reminder.body
    assert person


def test_the_words_to_a_telephone_of_two_say_whose_turn_it_is(
    service: Runtime, messenger: Telephones, clock: support.SetClock, study_id: int, person: int
) -> None:
    on_whatsapp(service, study_id, "P-002")
    invite(service, clock)
    assert [one.template.values[1] for one in messenger.sent if one.template] == ["P-001"]
    assert person


@pytest.mark.parametrize("code", [63003, 63024])
def test_a_telephone_without_whatsapp_is_asked_the_next_way_on_the_same_day(
    service: Runtime, phones: Telephones, messenger: Telephones, clock: support.SetClock, person: int, code: int
) -> None:
    invite(service, clock)
    report(service, messenger.sent[0], "undelivered", code)
    clock.now += timedelta(minutes=5)
    tick(service)
    deliver(service)
    assert [text.to for text in phones.sent] == [PHONE]
    participant = support.loaded(service, person).case.participant
    assert (participant.asked_by, participant.unreachable_at) == ("sms-reply", None)
    assert [task.reason for task in support.loaded(service, person).case.escalations if task.level == "E0"] == []


def test_a_block_on_whatsapp_is_a_stop(
    service: Runtime, messenger: Telephones, clock: support.SetClock, person: int
) -> None:
    invite(service, clock)
    report(service, messenger.sent[0], "undelivered", 63014)
    assert support.loaded(service, person).case.participant.opted_out_at is not None


def test_a_template_that_counts_as_advertising_is_one_alarm_and_goes_again_a_day_later(
    service: Runtime, messenger: Telephones, clock: support.SetClock, person: int
) -> None:
    invite(service, clock)
    report(service, messenger.sent[0], "undelivered", 63049)
    with service.sessions.reading() as session:
        row = session.execute(select(messages.c.state, messages.c.next_try_at)).one()
    assert (row.state, row.next_try_at) == ("ready", INVITED + timedelta(days=1))
    assert "marketing" in [alarm.code for alarm in alarms(service)]
    # Nobody else's message waits for that.
    with service.sessions.reading() as session:
        assert channels.all_channels(session)["whatsapp"].goes(clock.now)
    assert support.loaded(service, person).case.participant.asked_by == "whatsapp"


def test_what_was_read_has_arrived(
    service: Runtime, messenger: Telephones, clock: support.SetClock, person: int
) -> None:
    invite(service, clock)
    report(service, messenger.sent[0], "read")
    with service.sessions.reading() as session:
        assert session.scalar(select(messages.c.state)) == "delivered"
    assert person


def test_a_stranger_is_answered_where_they_wrote(
    says: Says, phones: Telephones, messenger: Telephones, study_id: int
) -> None:
    del study_id
    says("hello", sender="+12025550177")
    assert (len(messenger.to("+12025550177")), phones.sent) == (1, [])
    assert messenger.sent[0].template is None


def test_a_contact_test_goes_by_whatsapp_and_closes_nothing_else(
    service: Runtime,
    phones: Telephones,
    messenger: Telephones,
    clock: support.SetClock,
    study_id: int,
    person: int,
    says: Says,
) -> None:
    whom = Subject(study_id, "P-001")
    contact_test.begin(service, support.SETUP, whom)
    deliver(service)
    assert messenger.sent[0].template is not None
    assert "WhatsApp" in messenger.sent[0].body
    says("1", ButtonText="1", ButtonPayload="1")
    found = contact_test.latest(service, person)
    assert found is not None
    assert state(found) == "confirmed"
    clock.now += timedelta(minutes=20)
    contact_test.begin(service, support.SETUP, whom)
    deliver(service)
    contact_test.fail_by_staff(service, support.SETUP, whom, "nothing came")
    participant = support.loaded(service, person).case.participant
    assert (participant.whatsapp_unreachable_at, participant.unreachable_at) == (clock.now, None)
    assert participant.asked_by == "sms-reply"
    # Who begins another test tries it there once more.
    contact_test.begin(service, support.SETUP, whom)
    deliver(service)
    assert ([one.template is None for one in messenger.sent], phones.sent) == ([False, True, True], [])


def test_staff_answer_where_it_was_written_as_long_as_words_may_go(
    service: Runtime,
    phones: Telephones,
    messenger: Telephones,
    clock: support.SetClock,
    study_id: int,
    person: int,
    says: Says,
) -> None:
    invite(service, clock)
    says("my mother says 5")
    with service.sessions.reading() as session:
        text_id = session.scalar(select(inbound.c.id)) or 0
    about = About(text_id, Reader(study_id, None, strangers=True))
    item, thread, _ = inbox.one(service, study_id, text_id) or pytest.fail("it waits for nobody")
    assert (item.medium, {one.medium for one in thread}) == ("whatsapp", {"whatsapp"})
    loaded = support.loaded(service, person)
    assert "reask" in dict(inbox.previews(service, loaded, item.received))
    assert inbox.previews(service, loaded, replace(item.received, at=clock.now - timedelta(days=1))) == []
    inbox.answer(service, support.SETUP, about, "help")
    deliver(service)
    assert (messenger.sent[-1].template, phones.sent) == (None, [])


def test_who_agreed_to_texts_alone_is_read_on_whatsapp_and_not_answered_there(
    service: Runtime, phones: Telephones, messenger: Telephones, clock: support.SetClock, study_id: int, says: Says
) -> None:
    how = {"phone": PHONE, "channel": "sms-reply", "language": "en"}
    person = support.enrolled(service, study_id, "P-001", date(2026, 3, 2), **how)
    invite(service, clock)
    says("7")
    assert (score(service, person), messenger.sent) == ({"NRS-AVG": 7}, [])
    assert len(phones.sent) == 1
