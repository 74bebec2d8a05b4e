"""The claim's own gate: a row that waits for who may no longer be written to never leaves, of whatever kind it is."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from pro_service.core.case import PROMPTS
from pro_service.core.commands import Send
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.schema import attempts, messages, participants, windows
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tick import tick
from pro_service.use_cases.transaction import transaction
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

pytestmark = databases.ON_BOTH

PHONE = "+12025550123"
KINDS = ("invitation", "reminder-1", "question", "reask", "thanks", "ack")
FACTS = ("opted_out_at", "withdrawn_at", "died_at", "unreachable_at", "consented_at", "phone")


@pytest.fixture
def participant(rt: Runtime, study_id: int, clock: support.SetClock) -> int:
    """Return somebody who was asked a moment ago."""
    found = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=PHONE, channel="sms-reply", language="en")
    clock.now = support.at("2026-03-09 10:00")
    tick(rt)
    deliver(rt)
    return found


def queue_every_kind(rt: Runtime, participant: int) -> None:
    """Put a row of each kind into the outbox past the rules, as a fault of ours would."""
    with transaction(rt, support.SETUP, rt.clock()) as tx:
        one = rt.loader.one(tx.session, participant)
        window = next(window for window in one.case.current if window.code == "W1")
        until = rt.clock() + timedelta(days=1)
        for kind in KINDS:
            frame, item = ("question", "NRS-AVG") if kind != "ack" else ("help", None)
            tx.carry_out(one, [Send(f"gate:{kind}", kind, frame, window.id, item=item, useful_until=until)])


def close(rt: Runtime, participant: int, fact: str) -> None:
    """Write down that they may no longer be written to."""
    value = None if fact in ("consented_at", "phone") else rt.clock()
    with rt.sessions.begin() as session:
        session.execute(update(participants).where(participants.c.id == participant).values({fact: value}))


@pytest.mark.shows("stopping: one gate")
@pytest.mark.parametrize("fact", FACTS)
def test_no_row_of_any_kind_leaves_through_the_closed_gate(
    rt: Runtime, participant: int, phones: Telephones, clock: support.SetClock, fact: str
) -> None:
    queue_every_kind(rt, participant)
    close(rt, participant, fact)
    sent = len(phones.sent)
    for hours in (0, 1, 30, 24 * 7, 24 * 30, 24 * 90):
        clock.now = support.at("2026-03-09 10:01") + timedelta(hours=hours)
        deliver(rt)
        tick(rt)
        deliver(rt)
    assert len(phones.sent) == sent
    with rt.sessions.reading() as session:
        a = attempts.join(messages, messages.c.id == attempts.c.message_id)
        tried = select(func.count()).select_from(a).where(messages.c.participant_id == participant)
        assert session.scalar(tried) == sent


@pytest.mark.shows("stopping: one gate", "stopping: acknowledged once")
def test_of_all_that_waits_a_stop_lets_its_acknowledgement_alone_through(
    rt: Runtime, participant: int, phones: Telephones, clock: support.SetClock
) -> None:
    queue_every_kind(rt, participant)
    sent = len(phones.sent)
    for n, words in enumerate(("STOP", "7", "HELP", "call me", "STOP", "tomorrow"), 1):
        receive.receive(rt, text_of({"MessageSid": f"SM{n:032d}", "From": PHONE, "To": "+15005550006", "Body": words}))
        clock.now += timedelta(minutes=1)
        tick(rt)
        deliver(rt)
    assert len(phones.sent) == sent + 1


def test_through_the_open_gate_all_of_these_rows_leave(rt: Runtime, participant: int, phones: Telephones) -> None:
    queue_every_kind(rt, participant)
    sent = len(phones.sent)
    deliver(rt)
    assert len(phones.sent) == sent + len(KINDS)


def test_no_prompt_leaves_before_its_window_opens(rt: Runtime, participant: int, phones: Telephones) -> None:
    queue_every_kind(rt, participant)
    with rt.sessions.begin() as session:
        later = update(windows).where(windows.c.code == "W1").values(opens_at=rt.clock() + timedelta(hours=1))
        session.execute(later)
    sent = len(phones.sent)
    deliver(rt)
    assert len(phones.sent) == sent + sum(kind not in PROMPTS for kind in KINDS)
