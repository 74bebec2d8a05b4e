"""A telephone that two participants share: what one of them wants of the telephone holds for both."""

from datetime import date

import pytest
from sqlalchemy import select

from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.schema import escalations, participants
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

pytestmark = databases.ON_BOTH

PHONE = "+12025550123"


@pytest.fixture
def couple(rt: Runtime, study_id: int, clock: support.SetClock) -> list[int]:
    """Return two who share a telephone, of whom one was just asked."""
    how = {"phone": PHONE, "channel": "sms-reply", "language": "en"}
    days = (date(2026, 3, 2), date(2026, 2, 20))
    both = [support.enrolled(rt, study_id, f"P-00{n}", day, **how) for n, day in enumerate(days, 1)]
    clock.now = support.at("2026-03-09 10:00")
    tick(rt)
    deliver(rt)
    return both


def text(rt: Runtime, words: str) -> None:
    receive.receive(rt, text_of({"MessageSid": "SM" + "1" * 32, "From": PHONE, "To": "+15005550006", "Body": words}))
    deliver(rt)


def test_a_stop_from_a_shared_telephone_stops_the_texts_to_both_and_is_acknowledged_once(
    rt: Runtime, couple: list[int], phones: Telephones
) -> None:
    before = len(phones.to(PHONE))
    text(rt, "STOP")
    with rt.sessions.reading() as session:
        stopped = session.scalars(select(participants.c.opted_out_at).where(participants.c.id.in_(couple))).all()
    assert None not in stopped
    assert len(phones.to(PHONE)) == before + 1


@pytest.mark.shows("conversation: ambiguous")
def test_a_safety_word_from_a_shared_telephone_is_told_about_both(rt: Runtime, couple: list[int]) -> None:
    text(rt, "ambulance")
    e = escalations.c
    with rt.sessions.reading() as session:
        told = session.scalars(select(e.participant_id).where(e.level == "ES")).all()
    assert sorted(told) == sorted(couple)
