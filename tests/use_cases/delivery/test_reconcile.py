"""Texts of unknown fate: found, sent once more, or given to a person; never twice, never after their use."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from pro_service.gateways.outgoing import Accepted, Outgoing, Record, Uncertain
from pro_service.runtime import Runtime
from pro_service.store.schema import attempts, audit_trail, escalations, messages
from pro_service.store.vault import token_hash
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.delivery.reconcile import ReconcileReport, reconcile
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tick import tick
from tests import support
from tests.telephones import Telephones

PHONE = "+12025550123"
PROCEDURE = date(2026, 3, 2)
WHO = {"phone": PHONE, "channel": "sms-reply", "language": "en", "baseline_nrs_avg": "6", "baseline_nrs_now": "5"}
INVITED = support.at("2026-03-09 10:00")
ASK, AGAIN = timedelta(seconds=120), timedelta(seconds=60)


@pytest.fixture
def participant(rt: Runtime, study_id: int) -> int:
    """Return someone who replies by text and had the procedure on 2 March."""
    return support.enrolled(rt, study_id, "P-001", PROCEDURE, **WHO)


def in_doubt(rt: Runtime, clock: support.SetClock, phones: Telephones, *, taken: bool) -> None:
    """Send the invitation so that nobody knows whether it was taken; `taken`: it was."""
    phones.takes = taken
    phones.faults.append(Uncertain(500))
    clock.now = INVITED
    tick(rt)
    assert deliver(rt).uncertain == 1


def row(rt: Runtime) -> tuple[str, int, str | None]:
    """State, attempt and the provider's id of the only text."""
    with rt.sessions.reading() as session:
        found = session.execute(select(messages.c.state, messages.c.attempt, messages.c.provider_id)).one()
        return found.state, found.attempt, found.provider_id


def reasons(rt: Runtime) -> list[str]:
    with rt.sessions.reading() as session:
        return list(session.scalars(select(escalations.c.reason).order_by(escalations.c.id)))


def test_a_text_the_provider_remembers_was_accepted_when_it_says(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    in_doubt(rt, clock, phones, taken=True)
    assert reconcile(rt) == ReconcileReport()  # too early to ask
    assert phones.questions == 0
    clock.now += ASK
    assert reconcile(rt).found == 1
    assert row(rt) == ("accepted", 1, phones.records[0].sid)
    text = support.loaded(rt, participant).case.messages[0]
    assert text.accepted_at == INVITED
    assert deliver(rt).accepted == 0
    assert len(phones.sent) == 1
    with rt.sessions.reading() as session:
        assert session.scalar(select(audit_trail.c.entity_id).where(audit_trail.c.action == "reconcile"))


def test_a_text_it_does_not_know_twice_goes_once_more(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    in_doubt(rt, clock, phones, taken=False)
    clock.now += ASK
    assert reconcile(rt).missed == 1
    clock.now += AGAIN - timedelta(seconds=1)
    assert reconcile(rt) == ReconcileReport()
    clock.now += timedelta(seconds=1)
    assert reconcile(rt).sent_again == 1
    assert deliver(rt).accepted == 1
    assert (row(rt)[:2], len(phones.sent)) == (("accepted", 2), 1)
    assert reasons(rt) == []
    assert participant


def test_the_second_doubt_ends_with_a_person_and_no_third_try(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    in_doubt(rt, clock, phones, taken=False)
    phones.faults.append(Uncertain(None))
    for wait in (ASK, AGAIN):
        clock.now += wait
        reconcile(rt)
    assert deliver(rt).uncertain == 1
    given_up = 0
    for wait in (ASK, AGAIN):
        clock.now += wait
        given_up += reconcile(rt).given_up
    assert given_up == 1
    assert row(rt)[:2] == ("dead", 2)
    assert reasons(rt) == ["uncertain_delivery"]
    for _ in range(3):
        clock.now += timedelta(minutes=10)
        deliver(rt)
        reconcile(rt)
    assert phones.sent == []
    assert participant


def test_what_is_of_no_use_any_more_does_not_go_again(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    in_doubt(rt, clock, phones, taken=False)
    clock.now += ASK
    reconcile(rt)
    clock.now = support.at("2026-03-14 09:00")
    assert reconcile(rt).given_up == 1
    assert row(rt)[0] == "expired"
    assert reasons(rt) == ["uncertain_delivery"]
    assert participant


def test_a_provider_that_does_not_answer_settles_nothing(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    in_doubt(rt, clock, phones, taken=True)
    phones.silent = True
    for _ in range(5):
        clock.now += ASK
        assert reconcile(rt).unanswered == 1
    deliver(rt)
    assert row(rt)[0] == "uncertain"
    assert reasons(rt) == ["uncertain_delivery"]  # a person is told meanwhile
    phones.silent = False
    clock.now += ASK
    assert reconcile(rt).found == 1
    assert participant


def test_a_callback_that_comes_first_counts(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    in_doubt(rt, clock, phones, taken=False)
    with rt.sessions.begin() as session:
        # Of the token itself only the hash is stored.
        session.execute(attempts.update().values(token=token_hash("known")))
    clock.now += ASK
    reconcile(rt)
    clock.now += AGAIN
    assert reconcile(rt).sent_again == 1
    # It was late, not lost: the word of the first attempt arrives before the second one leaves.
    receive.take_receipt(rt, "known", {"MessageSid": "SM" + "9" * 32, "MessageStatus": "sent"})
    assert deliver(rt).accepted == 0
    assert row(rt) == ("sent", 1, "SM" + "9" * 32)
    assert phones.sent == []
    assert participant


def test_a_worker_that_never_came_back_is_asked_about(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    class Frozen(Telephones):
        def send(self, outgoing: Outgoing) -> Accepted:
            phones.send(outgoing)
            raise KeyboardInterrupt

    clock.now = INVITED
    tick(rt)
    with pytest.raises(KeyboardInterrupt):
        deliver(replace(rt, sms=Frozen()))
    assert row(rt)[0] == "sending"
    clock.now += timedelta(seconds=61)
    deliver(rt)
    assert row(rt)[0] == "uncertain"
    clock.now += ASK
    assert reconcile(rt).found == 1
    assert row(rt)[:2] == ("accepted", 1)
    assert len(phones.sent) == 1
    assert participant


def test_two_people_on_one_telephone_do_not_share_an_acceptance(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int, study_id: int
) -> None:
    support.enrolled(rt, study_id, "P-002", PROCEDURE, **WHO)
    phones.takes = True
    phones.faults.append(Uncertain(500))  # of the first the provider has taken the text ...
    clock.now = INVITED
    tick(rt)
    assert deliver(rt).uncertain == 1
    clock.now += ASK
    assert reconcile(rt).found == 1
    clock.now += timedelta(hours=3)
    tick(rt)
    assert deliver(rt).accepted == 1  # ... the other's turn, in words that say whose it is
    assert len({record.body for record in phones.records}) == 2
    with rt.sessions.reading() as session:
        sids = session.scalars(select(messages.c.provider_id)).all()
    assert sorted(map(str, sids)) == sorted(record.sid for record in phones.records)
    assert participant


def test_a_failed_delivery_that_only_the_list_tells_becomes_a_task(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    in_doubt(rt, clock, phones, taken=True)
    known: Record = phones.records[0]
    phones.records[0] = replace(known, status="undelivered", error_code=30005)
    clock.now += ASK
    reconcile(rt)
    assert row(rt)[0] == "undelivered"
    assert reasons(rt) == ["not_delivered"]
    assert participant
