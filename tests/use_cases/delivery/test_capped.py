"""A moment further ahead than any is ever set was set by a wrong clock: it holds no text back."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from pro_service.gateways.outgoing import Record, Uncertain
from pro_service.runtime import Runtime
from pro_service.store import heartbeats
from pro_service.store.schema import attempts, channels, messages
from pro_service.use_cases.clock_repair import repair
from pro_service.use_cases.delivery import quarantine
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.delivery.reconcile import reconcile
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

pytestmark = databases.ON_BOTH

INVITED = support.at("2026-03-09 10:00")
AHEAD = [timedelta(hours=10), timedelta(days=200)]


@pytest.fixture(autouse=True)
def invited(rt: Runtime, clock: support.SetClock, study_id: int) -> None:
    """Somebody's invitation waits."""
    who = {"phone": "+12025550123", "channel": "sms-reply", "language": "en"}
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), **who)
    clock.now = INVITED
    tick(rt)


def change(rt: Runtime, **values: object) -> None:
    with rt.sessions.begin() as session:
        session.execute(update(messages).values(**values))


def state(rt: Runtime) -> str:
    with rt.sessions.reading() as session:
        found: str = session.execute(select(messages.c.state)).scalar_one()
    return found


def in_doubt_by_a_clock_ahead(rt: Runtime, clock: support.SetClock, phones: Telephones, ahead: timedelta) -> None:
    """Send the invitation by a clock that runs ahead, so that nobody knows whether it was taken; then set the clock."""
    phones.faults.append(Uncertain(500))
    with rt.sessions.begin() as session:
        session.execute(update(messages).values(useful_until=None, today_until=None))
    phones.clock = lambda: INVITED
    clock.now = INVITED + ahead
    assert deliver(rt).uncertain == 1
    clock.now = INVITED


@pytest.mark.parametrize("taken", [True, False])
def test_a_text_in_doubt_since_a_wrong_clock_is_asked_about_as_one_tried_just_now_and_never_doubled(
    rt: Runtime, clock: support.SetClock, phones: Telephones, *, taken: bool
) -> None:
    phones.takes = taken
    in_doubt_by_a_clock_ahead(rt, clock, phones, AHEAD[0])
    # What the provider takes late is not on its list at once.
    listed, phones.records = phones.records, []
    for _ in range(2):
        reconcile(rt)
        deliver(rt)
        clock.now += timedelta(seconds=100)
    phones.records = listed
    for _ in range(4):
        reconcile(rt)
        deliver(rt)
        clock.now += timedelta(minutes=2)
    assert state(rt) == "accepted"
    assert len(phones.sent) == 1


@dataclass(slots=True)
class Keyed(Telephones):
    """A network that is asked by the key we gave it with a text."""

    def recall(self, token: str, to: str, body: str, created_after: datetime) -> list[Record]:  # noqa: ARG002
        return [known for text, known in zip(self.sent, self.records, strict=True) if text.token == token]


def test_a_provider_asked_by_our_key_knows_a_text_that_a_wrong_clock_tried(
    rt: Runtime, clock: support.SetClock
) -> None:
    phones = Keyed(takes=True)
    keyed = replace(rt, texts={"sms": phones})
    in_doubt_by_a_clock_ahead(keyed, clock, phones, AHEAD[0])
    for _ in range(4):
        repair(keyed)
        reconcile(keyed)
        deliver(keyed)
        clock.now += timedelta(minutes=2)
    assert state(keyed) == "accepted"
    assert len(phones.sent) == 1


@pytest.mark.parametrize("ahead", AHEAD, ids=str)
def test_a_lease_from_the_future_is_over(rt: Runtime, ahead: timedelta) -> None:
    change(rt, state="sending", attempt=1, lease_until=INVITED + ahead)
    deliver(rt)
    assert state(rt) == "uncertain"


def test_a_text_put_off_by_a_wrong_clock_goes_at_once_in_contact_hours(rt: Runtime, phones: Telephones) -> None:
    far = INVITED + timedelta(days=200)
    change(rt, next_try_at=far, today_until=far + timedelta(hours=5))
    deliver(rt)
    assert (state(rt), len(phones.sent)) == ("accepted", 1)


def test_no_rest_and_no_reserved_moment_holds_texts_longer_than_one_ever_does(rt: Runtime, phones: Telephones) -> None:
    for far, sent in ((INVITED + timedelta(minutes=30), 0), (INVITED + timedelta(hours=2), 1)):
        with rt.sessions.begin() as session:
            session.execute(update(channels).values(stopped_until=far, stopped_by="20003", free_at=far))
        deliver(rt)
        assert len(phones.sent) == sent


def test_a_quarantine_asks_about_all_that_a_wrong_clock_may_hide(
    rt: Runtime, clock: support.SetClock, phones: Telephones
) -> None:
    deliver(rt)
    quarantine.beat(rt)
    change(rt, state="ready", provider_id=None, accepted_at=None, next_try_at=INVITED)
    with rt.sessions.begin() as session:
        session.execute(attempts.delete())
        heartbeats.beat(session, quarantine.BEAT, INVITED + timedelta(days=10))
    clock.now = INVITED + timedelta(hours=1)
    quarantine.begin(rt, "by_hand")
    assert quarantine.settle(rt).adopted == 1
    deliver(rt)
    assert len(phones.sent) == 1
