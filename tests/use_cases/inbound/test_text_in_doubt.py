"""Answers to a text of which nobody knows yet whether it left: they wait for its doubt, and count."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

import pytest
from sqlalchemy import select

from pro_service.gateways.outgoing import Uncertain
from pro_service.gateways.twilio.hooks import receipt_of, text_of
from pro_service.runtime import Runtime
from pro_service.store.schema import attempts, inbound, messages, responses
from pro_service.store.vault import token_hash
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.delivery.reconcile import reconcile
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

PHONE = "+12025550123"
NUMBERS = count(1)
MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Doubt:
    """A participant whose invitation is on the telephone, though nobody here knows."""

    rt: Runtime
    clock: support.SetClock
    phones: Telephones

    def passes(self, time: timedelta) -> None:
        """Let time pass, and the beats with it."""
        self.clock.now += time
        tick(self.rt)
        deliver(self.rt)
        reconcile(self.rt)
        deliver(self.rt)

    def says(self, body: str) -> None:
        """Have the participant write."""
        number = next(NUMBERS)
        sid = {"MessageSid": f"SM{number:032d}", "From": PHONE, "To": "+15005550006", "Body": body}
        receive.receive(self.rt, text_of(sid))
        deliver(self.rt)

    def frames(self) -> list[str]:
        """Which texts there are, oldest first."""
        with self.rt.sessions.reading() as session:
            return list(
                session.scalars(select(messages.c.frame).where(messages.c.channel == "sms").order_by(messages.c.id))
            )

    def answers(self) -> list[tuple[str, int | None]]:
        """Item and value of what was answered by text."""
        r = responses.c
        with self.rt.sessions.reading() as session:
            rows = session.execute(select(r.item, r.value).where(r.source == "sms").order_by(r.id))
            return [(row.item, row.value) for row in rows]

    def unread(self) -> int:
        """How many texts nobody has read."""
        with self.rt.sessions.reading() as session:
            return len(session.scalars(select(inbound.c.id).where(inbound.c.interpreted_at.is_(None))).all())


def doubted(rt: Runtime, clock: support.SetClock, phones: Telephones, study_id: int, *, taken: bool) -> Doubt:
    """Invite somebody by a provider that does not say whether it took the text."""
    how = {"phone": PHONE, "channel": "sms-reply", "language": "en"}
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), **how, baseline_nrs_avg="6", baseline_nrs_now="5")
    phones.takes = taken
    phones.faults.append(Uncertain(500))
    clock.now = support.at("2026-03-09 10:00")
    tick(rt)
    assert deliver(rt).uncertain == 1
    return Doubt(rt, clock, phones)


@databases.ON_BOTH
def test_an_answer_waits_for_the_doubt_and_is_not_asked_for_again(
    rt: Runtime, clock: support.SetClock, phones: Telephones, study_id: int
) -> None:
    life = doubted(rt, clock, phones, study_id, taken=True)
    clock.now += MINUTE
    life.says("7")
    assert (life.answers(), life.unread(), life.frames()) == ([], 1, ["invitation.sms-reply"])
    life.passes(MINUTE)  # the list is asked, and has it
    assert life.answers() == [("NRS-AVG", 7)]
    assert life.frames() == ["invitation.sms-reply", "question"]


def test_an_answer_counts_although_the_callback_that_ends_the_doubt_comes_after_it(
    rt: Runtime, clock: support.SetClock, phones: Telephones, study_id: int
) -> None:
    life = doubted(rt, clock, phones, study_id, taken=True)
    with rt.sessions.begin() as session:
        session.execute(attempts.update().values(token=token_hash("known")))
    clock.now += timedelta(seconds=20)
    life.says("7")
    clock.now += timedelta(seconds=5)
    receive.take_receipt(
        rt, receipt_of("known", {"MessageSid": phones.records[0].sid, "MessageStatus": "sent"}), "twilio"
    )
    life.passes(timedelta(seconds=15))
    assert life.answers() == [("NRS-AVG", 7)]


@databases.ON_BOTH
def test_a_number_before_a_text_that_is_taken_late_is_no_answer_to_it(
    rt: Runtime, clock: support.SetClock, phones: Telephones, study_id: int
) -> None:
    life = doubted(rt, clock, phones, study_id, taken=False)
    clock.now += timedelta(seconds=20)
    life.says("7")
    clock.now += timedelta(seconds=20)
    # The provider takes it only now: whatever the number was about, it was not this question.
    sent = Telephones.write(phones, PHONE, "", clock.now)
    assert sent
    with rt.sessions.begin() as session:
        session.execute(attempts.update().values(token=token_hash("known")))
    receive.take_receipt(rt, receipt_of("known", {"MessageSid": sent, "MessageStatus": "sent"}), "twilio")
    life.passes(timedelta(seconds=15))
    assert (life.answers(), life.unread()) == ([], 0)


@databases.ON_BOTH
def test_the_wait_for_a_doubt_has_an_end(
    rt: Runtime, clock: support.SetClock, phones: Telephones, study_id: int
) -> None:
    life = doubted(rt, clock, phones, study_id, taken=True)
    phones.silent = True
    clock.now += MINUTE
    life.says("7")
    life.passes(4 * MINUTE)
    assert life.unread() == 1
    life.passes(MINUTE)
    assert (life.unread(), life.answers(), life.frames()[-1]) == (0, [], "not-counted")


@pytest.mark.parametrize("body", ["STOP", "help", "please call me", "I want to die"])
def test_what_is_no_answer_waits_for_nothing(
    rt: Runtime, clock: support.SetClock, phones: Telephones, study_id: int, body: str
) -> None:
    life = doubted(rt, clock, phones, study_id, taken=True)
    clock.now += MINUTE
    life.says(body)
    assert life.unread() == 0


@pytest.mark.parametrize("word", ["yes", "YES."])
def test_a_yes_waits_until_it_is_known_whether_the_change_was_proposed(
    rt: Runtime, clock: support.SetClock, phones: Telephones, study_id: int, word: str
) -> None:
    life = doubted(rt, clock, phones, study_id, taken=True)
    life.passes(2 * MINUTE)
    for number in ("7", "2"):
        clock.now += MINUTE
        life.says(number)
    clock.now += MINUTE
    phones.faults.append(Uncertain(500))
    life.says("5")
    assert life.frames()[-1] == "confirm-change"
    clock.now += MINUTE
    life.says(word)
    assert life.unread() == 1
    life.passes(MINUTE)
    assert life.answers()[-1] == ("NRS-AVG", 5)
