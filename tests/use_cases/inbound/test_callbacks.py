"""Callbacks in every order, as often as a provider likes: a message ends in the same state."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import permutations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from pro_service.gateways.outgoing import Uncertain
from pro_service.gateways.twilio.hooks import receipt_of
from pro_service.runtime import Runtime
from pro_service.store.schema import attempts, messages, receipts
from pro_service.store.vault import token_hash
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound.receive import take_receipt
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

pytestmark = databases.ON_BOTH

TOKEN = "the-attempts-own"
SID = "SM" + "7" * 32
STORIES = {
    "delivered": ("queued", "sending", "sent", "delivered"),
    "undelivered": ("queued", "sending", "sent", "undelivered"),
    "failed": ("queued", "sending", "failed"),
    "sent": ("queued", "sent", "one-nobody-knows"),
}
"""The state a message ends in -> everything its provider says."""


@pytest.fixture
def message(rt: Runtime, study_id: int, clock: support.SetClock, phones: Telephones) -> int:
    """Return an invitation that was sent, and nobody knows whether it was taken."""
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone="+12025550123", channel="sms-reply", language="en")
    clock.now = support.at("2026-03-09 10:00")
    tick(rt)
    phones.faults.append(Uncertain(500))
    assert deliver(rt).uncertain == 1
    with rt.sessions.begin() as session:
        session.execute(update(attempts).values(token=token_hash(TOKEN)))
        return int(session.execute(select(messages.c.id)).scalar_one())


@contextmanager
def forgotten(rt: Runtime, message: int) -> Iterator[None]:
    """Let the message be as it was before the first callback."""
    with rt.sessions.begin() as session:
        row = session.execute(select(messages).where(messages.c.id == message)).one()._asdict()
    yield
    with rt.sessions.begin() as session:
        session.execute(delete(receipts))
        session.execute(update(messages).where(messages.c.id == message).values(row))


def told(rt: Runtime, message: int, statuses: Sequence[str]) -> tuple[str, int, int]:
    """Let the provider say all this; gives the state, how much was kept, and how much of it contradicts."""
    for status in statuses:
        error = "30003" if status in ("undelivered", "failed") else ""
        assert take_receipt(
            rt, receipt_of(TOKEN, {"MessageSid": SID, "MessageStatus": status, "ErrorCode": error}), "twilio"
        )
    with rt.sessions.reading() as session:
        state = session.scalar(select(messages.c.state).where(messages.c.id == message))
        kept = session.scalar(select(func.count()).select_from(receipts))
        contradicting = session.scalar(select(func.count()).select_from(receipts).where(receipts.c.contradicts))
    return str(state), int(kept or 0), int(contradicting or 0)


@pytest.mark.parametrize("ends", STORIES)
def test_every_order_ends_in_the_same_state(rt: Runtime, message: int, ends: str) -> None:
    statuses = STORIES[ends]
    for order in permutations(statuses):
        with forgotten(rt, message):
            assert told(rt, message, order) == (ends, len(statuses), 0)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(said=["delivered", "undelivered", "delivered", "sent"])
@given(
    said=st.lists(
        st.sampled_from(["queued", "sending", "sent", "delivered", "undelivered", "failed", "?"]),
        min_size=1,
        max_size=9,
    )
)
def test_the_first_final_word_wins_whatever_else_is_said(rt: Runtime, message: int, said: list[str]) -> None:
    finals = [status for status in said if status in ("delivered", "undelivered", "failed")]
    known = set(said) - {"?"}
    expected = finals[0] if finals else "sent" if "sent" in known else "accepted" if known else "uncertain"
    with forgotten(rt, message):
        assert told(rt, message, said) == (expected, len(set(said)), max(len(set(finals)) - 1, 0))
