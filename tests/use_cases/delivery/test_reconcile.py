"""Texts of unknown fate: found, sent once more, or given to a person; never twice, never after their use."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import select

from pro_service.gateways.outgoing import Accepted, Outgoing, Record, Uncertain
from pro_service.gateways.twilio.hooks import receipt_of
from pro_service.runtime import Runtime
from pro_service.store.schema import attempts, audit_trail, escalations, messages
from pro_service.store.session import Session
from pro_service.store.vault import token_hash
from pro_service.use_cases.delivery import outcomes
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.delivery.reconcile import ReconcileReport, reconcile
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

pytestmark = databases.ON_BOTH

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


def row_of(rt: Runtime, participant: int) -> tuple[str, int]:
    """State and attempt of a participant's only text."""
    with rt.sessions.reading() as session:
        found = session.execute(select(messages).where(messages.c.participant_id == participant)).one()
        return found.state, found.attempt


def open_reasons(rt: Runtime) -> list[str]:
    with rt.sessions.reading() as session:
        return list(session.scalars(select(escalations.c.reason).where(escalations.c.resolved_at.is_(None))))


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


MINUTE = timedelta(minutes=1)


def asked(rt: Runtime, clock: support.SetClock, *waits: timedelta) -> ReconcileReport:
    """Ask after each of these waits what became of the texts in doubt; gives the last report."""
    report = ReconcileReport()
    for wait in waits:
        clock.now += wait
        report = reconcile(rt)
    return report


def lost(rt: Runtime, clock: support.SetClock, phones: Telephones, *waits: timedelta) -> ReconcileReport:
    """Send what is ready so that it is lost on its way, and ask after each of these waits; gives the last report."""
    phones.faults.append(Uncertain(503))
    assert deliver(rt).uncertain == 1
    return asked(rt, clock, *waits)


def another_text_arrives(rt: Runtime, study_id: int, number: int = 0) -> None:
    """Somebody else is invited, which shows on the provider's list."""
    support.enrolled(rt, study_id, f"P-90{number}", PROCEDURE, **WHO | {"phone": f"+1202555019{number}"})
    tick(rt)
    assert deliver(rt).accepted == 1


def test_a_text_found_not_to_have_left_is_sent_until_it_is_taken(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int, study_id: int
) -> None:
    in_doubt(rt, clock, phones, taken=False)
    for number, doubt in enumerate((2 * MINUTE, 10 * MINUTE, 60 * MINUTE, 60 * MINUTE)):
        clock.now += ASK
        another_text_arrives(rt, study_id, number)
        assert reconcile(rt).missed == 1
        clock.now += doubt - ASK + AGAIN - timedelta(seconds=1)
        assert reconcile(rt).sent_again == 0  # each doubt is longer than the one before
        clock.now += timedelta(seconds=1)
        assert reconcile(rt).sent_again == 1
        if number < 3:
            lost(rt, clock, phones)
    assert deliver(rt).accepted == 1
    assert row_of(rt, participant) == ("accepted", 5)
    assert len(phones.to(PHONE)) == 1
    assert reasons(rt) == []


def test_the_list_is_believed_again_once_it_shows_a_later_text(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int, study_id: int
) -> None:
    in_doubt(rt, clock, phones, taken=False)
    asked(rt, clock, ASK, AGAIN)
    assert lost(rt, clock, phones, ASK, 9 * MINUTE).unanswered == 1
    clock.now += 3 * MINUTE
    assert reconcile(rt).told == 1
    assert reasons(rt) == ["uncertain_delivery"]
    another_text_arrives(rt, study_id)
    clock.now += 10 * MINUTE
    assert reconcile(rt).sent_again == 1
    assert open_reasons(rt) == ["uncertain_delivery"]
    assert deliver(rt).accepted == 1
    tick(rt)
    assert open_reasons(rt) == []  # what nobody knew is known: the participant has the text
    assert row_of(rt, participant) == ("accepted", 3)


def test_a_text_nobody_can_tell_of_until_its_time_is_over_is_a_task_and_not_written_anew(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    in_doubt(rt, clock, phones, taken=False)
    asked(rt, clock, ASK, AGAIN)
    assert lost(rt, clock, phones, ASK, timedelta(days=2)).given_up == 1
    assert row_of(rt, participant) == ("dead", 2)
    assert open_reasons(rt) == ["uncertain_delivery"]


def test_a_doubt_that_ends_while_a_person_is_to_be_told_of_it_is_no_task(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    """On PostgreSQL nobody would look again because of the text: the task would stay open until something is due."""

    class Overtaken:
        """A database in which another sender settles the text as soon as it was found to be long in doubt."""

        begin = staticmethod(rt.sessions.begin)

        @contextmanager
        def reading(self) -> Iterator[Session]:
            with rt.sessions.reading() as session:
                yield session
            assert reconcile(rt).found == 1

    in_doubt(rt, clock, phones, taken=True)
    clock.now += 6 * MINUTE
    outcomes.report_uncertain(replace(rt, sessions=cast(Any, Overtaken())))
    assert (row(rt)[0], reasons(rt)) == ("accepted", [])
    assert participant


def test_a_second_doubt_is_told_of_although_the_first_has_cleared(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    in_doubt(rt, clock, phones, taken=False)
    phones.silent = True
    clock.now += 6 * MINUTE
    assert reconcile(rt).told == 1
    phones.silent = False
    asked(rt, clock, ASK, AGAIN)
    assert deliver(rt).accepted == 1
    tick(rt)
    assert open_reasons(rt) == []
    clock.now += timedelta(days=2)
    tick(rt)
    assert lost(rt, clock, phones).told == 0
    phones.silent = True
    clock.now += 6 * MINUTE
    assert reconcile(rt).told == 1
    assert "uncertain_delivery" in open_reasons(rt)
    assert participant


def test_what_was_answered_meanwhile_does_not_go_again(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    in_doubt(rt, clock, phones, taken=False)
    clock.now += ASK
    reconcile(rt)
    support.answered(rt, "P-001", "W1", {"NRS-AVG": "3", "PGIC": "2"})
    clock.now += AGAIN
    assert reconcile(rt).withdrawn == 1
    assert row(rt)[0] == "cancelled"
    assert (phones.sent, reasons(rt)) == ([], [])
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
    assert asked(rt, clock, ASK, AGAIN).sent_again == 1
    # It was late, not lost: the word of the first attempt arrives before the second one leaves.
    receive.take_receipt(rt, receipt_of("known", {"MessageSid": "SM" + "9" * 32, "MessageStatus": "sent"}), "twilio")
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
        deliver(replace(rt, texts={"sms": Frozen()}))
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
    phones.records[0] = replace(known, status="undelivered", error="30005")
    clock.now += ASK
    reconcile(rt)
    assert row(rt)[0] == "undelivered"
    assert reasons(rt) == ["not_delivered"]
    assert participant
