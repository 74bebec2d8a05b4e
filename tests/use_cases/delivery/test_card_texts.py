"""Somebody with a card gets texts without an address; one that holds one stops that participant alone."""

import hashlib
import json
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import insert, select, update

from pro_service.core.problems import RejectedError, words
from pro_service.core.texts import contains_address
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.bulk import row_ids
from pro_service.store.schema import escalations, messages, participants, protocol_versions, responses
from pro_service.store.vault import sealed
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.participants import card, survey
from pro_service.use_cases.participants.card_entry import enter
from pro_service.use_cases.tick import PUT_OFF, tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones
from tests.use_cases.delivery.test_faults_stay_alone import Mailbox
from tests.use_cases.participants.changes import Office

TURKISH, OTHER = "+905321234567", "+12025550124"
PROCEDURE = date(2026, 3, 2)
INVITED = support.at("2026-03-09 10:00")


@pytest.fixture
def participant(rt: Runtime, study_id: int) -> int:
    """Return somebody in Turkey who is asked by text and answers with the card, which they have."""
    return by_card(rt, study_id, "P-001", phone=TURKISH)


def by_card(rt: Runtime, study_id: int, code: str, **cells: str) -> int:
    """Enrol somebody who answers with the card, and print it; gives the id."""
    found = support.enrolled(rt, study_id, code, PROCEDURE, channel="sms-card", **cells)
    support.with_card(rt, study_id, code)
    return found


def reworded(rt: Runtime, name: str, text: str) -> None:
    """Give everybody a version with another Turkish text, one that no check of ours has seen."""
    v = protocol_versions.c
    with rt.sessions.begin() as session:
        row = session.execute(select(protocol_versions).order_by(v.number.desc()).limit(1)).one()
        wording = json.loads(row.wording)
        wording["tr"][name] = text
        new = {"id": next(row_ids(session)), "number": row.number + 1, "wording": json.dumps(wording)}
        new["sha256"] = hashlib.sha256(new["wording"].encode()).hexdigest()
        session.execute(insert(protocol_versions).values(**{**row._asdict(), **new}))
        session.execute(update(participants).values(protocol_version_id=new["id"]))


def test_nobody_is_moved_to_the_card_whose_texts_hold_an_address(
    rt: Runtime, study_id: int, clock: support.SetClock
) -> None:
    who = support.enrolled(rt, study_id, "P-002", PROCEDURE, phone=OTHER)
    reworded(rt, "thanks", "Teşekkürler: anket.org")
    desk = Office(rt, study_id, clock, who, code="P-002")
    [(field, fault, remedy)] = desk.faults("channel", channel="sms-card")
    assert (field, "thanks" in fault, "study migrate" in remedy) == ("channel", True, True)
    assert desk.change("channel", channel="sms-link").facts


def reasons(rt: Runtime) -> list[str]:
    with rt.sessions.reading() as session:
        return list(session.scalars(select(escalations.c.reason).order_by(escalations.c.id)))


def texts_until(rt: Runtime, clock: support.SetClock, phones: Telephones, to: str) -> list[str]:
    while clock.now < support.at(to):
        clock.now += timedelta(minutes=30)
        tick(rt)
        deliver(rt)
    return phones.to(TURKISH)


@pytest.mark.shows("card: no address")
def test_a_turkish_telephone_is_asked_without_an_address_and_never_twice_alike(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    bodies = texts_until(rt, clock, phones, "2026-06-17 00:00")
    assert len(bodies) == 10
    assert not [body for body in bodies if contains_address(body)]
    assert not [body for body in bodies if "+1 202 555 0199" not in body]
    assert all(one != other for one, other in pairwise(bodies))
    assert bodies[0].startswith("İstanbul Demo: 1. hafta anketiniz açıldı.")
    assert not [body for body in bodies if not body.startswith("İstanbul Demo: ")]
    # "Yanıtlar" would be the answers to the questionnaire, which do reach us.
    assert "Bu mesaj yanıtlanamaz" in bodies[0]
    assert "DUR" not in bodies[0]
    assert participant


@databases.ON_BOTH
def test_an_answer_with_the_card_ends_the_texts(
    rt: Runtime, study_id: int, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    clock.now = INVITED
    tick(rt)
    deliver(rt)
    found = enter(rt, card.show(rt, support.SETUP, study_id, "P-001").code, (), "203.0.113.7")
    assert found is not None
    assert survey.submit(rt, found.token, {"NRS-AVG": "4", "PGIC": "2"}).faults == {}
    bodies = texts_until(rt, clock, phones, "2026-03-29 00:00")
    assert len([body for body in bodies if "anket" in body]) == 1
    with rt.sessions.reading() as session:
        assert session.scalars(select(responses.c.source)).all() == ["card", "card"]
    assert participant


def test_a_reply_is_understood_if_one_comes(
    rt: Runtime, study_id: int, clock: support.SetClock, phones: Telephones
) -> None:
    by_card(rt, study_id, "P-002", phone=OTHER, language="en")
    clock.now = INVITED
    tick(rt)
    deliver(rt)
    receive.receive(rt, text_of({"MessageSid": f"SM{1:032d}", "From": OTHER, "Body": "7"}))
    tick(rt)
    deliver(rt)
    assert "in the last 24 hours" in phones.to(OTHER)[-1]
    clock.now += timedelta(minutes=2)
    receive.receive(rt, text_of({"MessageSid": f"SM{2:032d}", "From": OTHER, "Body": "STOP"}))
    tick(rt)
    with rt.sessions.reading() as session:
        assert session.scalars(select(participants.c.opted_out_at)).one() is not None


@pytest.mark.parametrize("name", ["invitation.sms-card", "first.sms-card", "thanks"])
def test_nobody_is_enrolled_for_texts_that_hold_an_address(rt: Runtime, study_id: int, name: str) -> None:
    reworded(rt, name, "{telephone} anket.org")
    with pytest.raises(RejectedError) as caught:
        support.enrolled(rt, study_id, "P-001", PROCEDURE, phone=TURKISH, channel="sms-card")
    (fault,) = caught.value.faults
    assert (fault.path, name in words(fault)[0]) == ("channel", True)
    assert "study load" in words(fault)[1]
    support.enrolled(rt, study_id, "P-002", PROCEDURE, phone=OTHER, channel="sms-link")


@pytest.mark.parametrize("phone", ["+90 533 812 34 56", "+90 212 414 30 00"])
def test_northern_cyprus_and_landlines_are_refused_with_a_card_too(rt: Runtime, study_id: int, phone: str) -> None:
    with pytest.raises(RejectedError) as caught:
        support.enrolled(rt, study_id, "P-001", PROCEDURE, phone=phone, channel="sms-card")
    assert {fault.path for fault in caught.value.faults} == {"phone"}


@pytest.mark.shows("card: no address")
def test_a_prompt_that_holds_an_address_is_a_fault_of_that_participant_alone(
    rt: Runtime, study_id: int, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    support.enrolled(rt, study_id, "P-002", PROCEDURE, phone=OTHER, channel="sms-reply")
    reworded(rt, "invitation.sms-card", "{telephone} anket.org")
    clock.now = INVITED
    for _ in range(3):
        assert tick(rt).faults == 1
        clock.now += PUT_OFF
    deliver(rt)
    assert len(phones.to(OTHER)) == 1
    assert phones.to(TURKISH) == []
    assert "rules_fault" in reasons(rt)
    reworded(rt, "invitation.sms-card", "{telephone}")
    clock.now += PUT_OFF
    tick(rt)
    deliver(rt)
    assert len(phones.to(TURKISH)) == 1
    assert participant


@databases.ON_BOTH
def test_an_answer_is_kept_though_the_thanks_cannot_be_sent(
    rt: Runtime, study_id: int, clock: support.SetClock, phones: Telephones
) -> None:
    by_card(rt, study_id, "P-002", phone=OTHER)
    reworded(rt, "not-counted", "anket.org {question}")
    reworded(rt, "thanks", "anket.org")
    clock.now = INVITED
    tick(rt)
    deliver(rt)
    receive.receive(rt, text_of({"MessageSid": f"SM{1:032d}", "From": OTHER, "Body": "YARDIM"}))
    receive.receive(rt, text_of({"MessageSid": f"SM{2:032d}", "From": OTHER, "Body": "7"}))
    tick(rt)
    found = enter(rt, card.show(rt, support.SETUP, study_id, "P-002").code, (), "203.0.113.7")
    assert found is not None
    survey.submit(rt, found.token, {"NRS-AVG": "4", "PGIC": "2"})
    with rt.sessions.reading() as session:
        assert sorted(session.scalars(select(responses.c.value)).all()) == [2, 4]
    assert reasons(rt).count("address_in_text") == 1
    deliver(rt)
    assert not [text for text in phones.to(OTHER) if contains_address(text)]


def test_an_address_that_slipped_through_is_stopped_right_before_it_leaves(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    clock.now = INVITED
    tick(rt)
    with rt.sessions.begin() as session:
        row = session.execute(select(messages.c.id, participants.c.data_key).join(participants)).one()
        body = sealed(rt.vault.data_key(row.data_key, participant), b"see anket.org", f"messages|body|{row.id}")
        session.execute(update(messages).values(body=body))
    assert deliver(rt).dead == 1
    assert phones.to(TURKISH) == []
    with rt.sessions.reading() as session:
        assert session.scalars(select(messages.c.error)).one() == "address_in_text"
    assert "not_delivered" in reasons(rt)


def test_an_alert_about_somebody_with_a_card_keeps_its_link(
    rt: Runtime, clock: support.SetClock, participant: int
) -> None:
    support.coordinator(rt)
    mailbox = Mailbox()
    with_mail = replace(rt, mail=mailbox)
    clock.now = support.at("2026-03-20 10:00")
    tick(with_mail)
    assert deliver(with_mail).dead == 0
    assert mailbox.sent
    assert all("/escalations/" in mail.body for mail in mailbox.sent)
    assert participant
