"""What is wrong with one text, one channel or one participant holds nobody else up, and ends with a person."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from pro_service.gateways.nowhere import NowhereGateway
from pro_service.gateways.outgoing import Accepted, Channel, Gateway, Outgoing, Refused, Unavailable
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.schema import escalations, inbound, messages, participants, windows
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

pytestmark = databases.ON_BOTH

PHONE, OTHER = "+12025550123", "+12025550124"
INVITED = support.at("2026-03-09 10:00")


class Killed(BaseException):
    """The process ended in the middle of its work."""


@dataclass
class Failing(NowhereGateway):
    """A way out that never takes anything."""

    fault: BaseException
    tried: int = 0

    def send(self, outgoing: Outgoing) -> Accepted:
        assert outgoing.to
        self.tried += 1
        raise self.fault


@dataclass
class Mailbox:
    """Mails that arrived."""

    sent: list[Outgoing] = field(default_factory=list)

    def send(self, outgoing: Outgoing) -> Accepted:
        self.sent.append(outgoing)
        return Accepted(f"<{len(self.sent)}@example.org>", "accepted")


@pytest.fixture
def participant(rt: Runtime, study_id: int) -> int:
    """Return someone who replies by text and had the procedure on 2 March."""
    return support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=PHONE, channel="sms-reply", language="en")


def using(rt: Runtime, sms: Channel | None = None, mail: Gateway | None = None) -> Runtime:
    return replace(rt, texts={} if sms is None else {"sms": sms}, mail=mail)


def reasons(rt: Runtime) -> list[str]:
    with rt.sessions.reading() as session:
        return list(session.scalars(select(escalations.c.reason).order_by(escalations.c.id)))


def test_a_mail_host_that_lets_nobody_in_holds_no_text_up(
    rt: Runtime, study_id: int, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    support.enrolled(rt, study_id, "P-000", date(2026, 2, 20), phone=OTHER, channel="sms-reply", language="en")
    for number in range(20):
        support.coordinator(rt, f"c{number}@example.org")
    without_mail = using(rt, phones, Failing(Refused(535, "credentials")))
    clock.now = INVITED - timedelta(minutes=1)
    tick(without_mail)
    clock.now = INVITED
    tick(without_mail)
    deliver(without_mail)
    assert len(phones.to(PHONE)) == 1
    assert participant


def test_a_mail_whose_sender_was_killed_goes_again(rt: Runtime, clock: support.SetClock, participant: int) -> None:
    for number in range(2):
        support.coordinator(rt, f"c{number}@example.org")
    mailbox, killed = Mailbox(), Failing(Killed())
    clock.now = support.at("2026-03-20 10:00")
    tick(using(rt, mail=mailbox))
    with pytest.raises(Killed):
        deliver(using(rt, mail=killed), pool=support.InTurn())
    assert killed.tried == 1, "what had not begun is left to its lease"
    clock.now += timedelta(minutes=2)
    deliver(using(rt, mail=mailbox))
    assert mailbox.sent
    with rt.sessions.reading() as session:
        assert set(session.scalars(select(messages.c.state))) == {"accepted"}
    assert participant


def test_a_provider_that_wishes_for_ever_is_asked_again_within_the_hour(
    rt: Runtime, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    clock.now = INVITED
    tick(rt)
    assert deliver(using(rt, Failing(Unavailable(429, 1e15)))).unavailable == 1
    clock.now += timedelta(minutes=61)
    deliver(rt)
    assert len(phones.to(PHONE)) == 1
    assert participant


@pytest.mark.shows("stopping: refused as opted out")
def test_what_a_refusal_calls_for_is_written_with_it(rt: Runtime, clock: support.SetClock, participant: int) -> None:
    clock.now = INVITED
    tick(rt)
    deliver(using(rt, Failing(Refused(21610, "opted_out"))))
    with rt.sessions.reading() as session:
        assert session.scalars(select(messages.c.state)).all() == ["refused"]
        assert session.scalars(select(participants.c.opted_out_at)).all() == [INVITED]
    assert "opted_out_at_provider" in reasons(rt)
    assert participant


def test_a_refusal_stays_one_though_what_follows_from_it_fails(
    rt: Runtime, clock: support.SetClock, participant: int
) -> None:
    clock.now = INVITED
    tick(rt)
    spoil(rt, participant)
    assert deliver(using(rt, Failing(Refused(21211, "bad_number")))).refused == 1


def test_a_text_that_nobody_can_read_stops_no_beat_and_ends_with_a_person(
    rt: Runtime, study_id: int, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), phone=OTHER, channel="sms-reply", language="en")
    clock.now = INVITED - timedelta(minutes=5)
    spoil(rt, participant)
    receive.receive(rt, text_of({"MessageSid": f"SM{1:032d}", "From": PHONE, "Body": "7"}))
    for _ in range(3):
        tick(rt)
    clock.now = INVITED
    tick(rt)
    deliver(rt)
    assert len(phones.to(OTHER)) == 1
    assert "possible_participant" in reasons(rt)
    with rt.sessions.reading() as session:
        assert session.scalar(select(inbound.c.reading)) == "fault"


def test_an_uncertain_text_of_one_participant_keeps_nobody_waiting(
    rt: Runtime, study_id: int, clock: support.SetClock, phones: Telephones, participant: int
) -> None:
    clock.now = INVITED
    tick(rt)
    with pytest.raises(Killed):
        deliver(using(rt, Failing(Killed())))
    spoil(rt, participant)
    clock.now += timedelta(minutes=10)
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), phone=OTHER, channel="sms-reply", language="en")
    tick(rt)
    deliver(rt)
    assert len(phones.to(OTHER)) == 1


def spoil(rt: Runtime, participant_id: int) -> None:
    """Make a participant's facts such that the rules cannot read them."""
    with rt.sessions.begin() as session:
        session.execute(
            update(windows)
            .where(windows.c.participant_id == participant_id)
            .values(code="GONE")
            .where(windows.c.code == "W1")
        )
