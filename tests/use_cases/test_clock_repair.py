"""What a clock that ran ahead has decided is undone when the time is right again, and everybody is asked."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from pro_service.core.providers import FACTS
from pro_service.core.schedule.agenda import next_moment
from pro_service.gateways.outgoing import Uncertain
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store import heartbeats
from pro_service.store.participants import cases
from pro_service.store.schema import (
    audit_trail,
    channels,
    closings,
    escalations,
    participants,
    sites,
    tallies,
    windows,
)
from pro_service.use_cases import trusted_time
from pro_service.use_cases.clock_repair import RepairReport, repair, repair_now_and_then
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.delivery.reconcile import reconcile
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tick import beat, tick
from tests import support
from tests.peers import databases
from tests.support import SetClock, at
from tests.telephones import Telephones

pytestmark = databases.ON_BOTH

DAY = timedelta(days=1)
LAID = date(2026, 3, 2)
JUMPS = [timedelta(minutes=7), timedelta(hours=5), timedelta(days=2), timedelta(days=10), timedelta(days=13.9)]


@pytest.fixture
def ids(rt: Runtime, clock: SetClock, study_id: int) -> list[int]:
    """Return three participants of a service that was alive a moment ago, in the middle of the first window."""
    clock.now = at("2026-03-02 12:00")
    found = [
        support.enrolled(rt, study_id, f"P-00{n}", LAID, phone=f"+49151123456{n}0", site="BER", channel="sms-reply")
        for n in range(3)
    ]
    beats(rt, clock, at("2026-03-02 13:00"))
    return found


def beats(rt: Runtime, clock: SetClock, moment: datetime) -> None:
    """One round of the scheduler at this moment."""
    clock.now = moment
    repair_now_and_then(rt)
    tick(rt)
    beat(rt, "tick")
    deliver(rt)


def kept(rt: Runtime) -> dict[str, Any]:
    """What the study says of itself: windows, counts, open tasks, and when each participant is looked at."""
    w, t, c, e, p = windows.c, tallies.c, closings.c, escalations.c, participants.c
    with rt.sessions.reading() as session:
        return {
            "windows": session.execute(select(w.id, w.settled, w.missing_reason).order_by(w.id)).all(),
            "tallies": session.execute(select(t.code, t.status, t.count).where(t.count != 0)).all(),
            "closings": session.execute(select(c.code, c.status, c.count).where(c.count != 0)).all(),
            "tasks": session.execute(select(e.dedup_key).where(e.resolved_at.is_(None)).order_by(e.id)).all(),
            "looks": session.execute(select(p.id, p.next_check_at).order_by(p.id)).all(),
        }


def look_in_time(rt: Runtime, ids: list[int], now: datetime) -> bool:
    """Whether everybody is looked at no later than time calls for something."""
    with rt.sessions.reading() as session:
        for one in rt.loader.load(session, ids, lock=False):
            following = next_moment(one.case, now)
            if following is not None and (one.next_check_at is None or one.next_check_at > following):
                return False
    return True


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_after_a_tick_ahead_of_time_everything_is_as_it_was(
    rt: Runtime, clock: SetClock, ids: list[int], jump: timedelta
) -> None:
    before, right = kept(rt), clock.now
    clock.now += jump
    tick(rt)
    beat(rt, "tick")
    clock.now = right
    repair(rt)
    assert kept(rt) == before
    assert look_in_time(rt, ids, right)
    assert repair(rt) == RepairReport()
    with rt.sessions.reading() as session:
        assert all(at <= right for at in heartbeats.all_beats(session).values())


@pytest.mark.usefixtures("ids")
def test_a_close_that_was_none_leaves_no_task_though_somebody_had_asked_for_a_call(
    rt: Runtime, clock: SetClock, phones: Telephones
) -> None:
    beats(rt, clock, at("2026-03-09 10:00"))
    asked = {"MessageSid": "SM1", "From": "+4915112345600", "Body": "beni arayın lütfen"}
    receive.receive(rt, text_of(asked))
    right = clock.now = at("2026-03-09 12:00")
    beats(rt, clock, right)
    before = kept(rt)
    assert any(key.startswith("E1:") for (key,) in before["tasks"])
    clock.now += 12 * DAY
    tick(rt)
    beat(rt, "tick")
    clock.now = right
    repair(rt)
    assert kept(rt)["tasks"] == before["tasks"]
    assert phones.sent


def test_whoever_can_be_asked_is_asked_after_the_clock_was_set(
    rt: Runtime, clock: SetClock, ids: list[int], phones: Telephones
) -> None:
    right = clock.now
    clock.now += 12 * DAY
    tick(rt)
    beat(rt, "tick")
    beats(rt, clock, right + timedelta(minutes=1))
    for moment in ("2026-03-09 11:00", "2026-03-09 13:00"):
        beats(rt, clock, at(moment))
    assert len(phones.sent) == len(ids)


@pytest.mark.parametrize("swept", [True, False])
def test_a_prompt_that_never_left_by_a_clock_ahead_waits_for_its_time(
    rt: Runtime, clock: SetClock, ids: list[int], phones: Telephones, *, swept: bool
) -> None:
    clock.now = at("2026-03-09 12:00")
    phones.faults.extend([Uncertain(500)] * len(ids))
    tick(rt)
    assert deliver(rt).uncertain == len(ids)
    for minute in range(0, 12, 2):
        clock.now = at("2026-03-02 14:00") + timedelta(minutes=minute)
        if swept:
            repair(rt)
        reconcile(rt)
        deliver(rt)
    assert not phones.sent
    tick(rt)
    with rt.sessions.reading() as session:
        waiting = select(escalations.c.reason).where(escalations.c.resolved_at.is_(None))
        assert "uncertain_delivery" not in session.scalars(waiting).all()
    for hour in (9, 10, 12):
        beats(rt, clock, at(f"2026-03-09 {hour:02}:01"))
    assert len(phones.sent) == len(ids)


@pytest.mark.usefixtures("ids")
def test_a_task_that_was_open_before_is_open_again_and_is_raised_once(rt: Runtime, clock: SetClock) -> None:
    for moment in ("2026-03-09 11:00", "2026-03-10 15:00", "2026-03-11 15:00", "2026-03-12 09:00"):
        beats(rt, clock, at(moment))
    before = kept(rt)
    assert before["tasks"]
    clock.now += 10 * DAY
    tick(rt)
    assert kept(rt)["tasks"] != before["tasks"]
    clock.now = at("2026-03-12 09:00")
    repair(rt)
    assert kept(rt) == before
    clock.now = at("2026-03-20 09:00")
    tick(rt)
    e = escalations.c
    with rt.sessions.reading() as session:
        settled = windows.c.settled == "missed"
        missed = list(session.scalars(select(windows.c.id).where(settled).order_by(windows.c.id)))
        told = select(e.window_id).where(e.resolved_at.is_(None), e.level == "E3", e.reason == "missed")
        assert list(session.scalars(told.order_by(e.window_id))) == missed


def test_a_window_that_closed_before_anybody_looked_is_escalated_all_the_same(
    rt: Runtime, clock: SetClock, ids: list[int]
) -> None:
    beats(rt, clock, at("2026-03-10 09:00"))
    clock.now += 13 * DAY
    tick(rt)
    clock.now = at("2026-03-20 09:00")
    repair(rt)
    e = escalations.c
    with rt.sessions.reading() as session:
        of_week = windows.c.code == "W1", e.level == "E3", e.reason == "missed"
        told = session.execute(
            select(e.raised_at, e.resolved_at).join(windows, windows.c.id == e.window_id).where(*of_week)
        ).all()
    assert told == [(clock.now, None)] * len(ids)


def test_what_is_undone_stands_in_the_audit_trail(rt: Runtime, clock: SetClock, ids: list[int]) -> None:
    right = clock.now
    clock.now += 12 * DAY
    tick(rt)
    clock.now = right
    report = repair(rt)
    assert (report.windows, report.participants) == (2 * len(ids), len(ids))
    a = audit_trail.c
    with rt.sessions.reading() as session:
        actions: dict[str, int] = dict(
            session.execute(select(a.action, func.count()).where(a.reason == "wrong_clock").group_by(a.action)).all()
        )
    assert actions == {"reopen": 2 * len(ids), "retract": report.tasks, "undo": 1}


@pytest.mark.usefixtures("ids")
def test_half_a_year_ahead_by_an_older_release_is_undone_once_the_clock_is_accepted(
    rt: Runtime, clock: SetClock
) -> None:
    before, right = kept(rt), clock.now
    with rt.sessions.begin() as session:
        for name in trusted_time.BEATS:
            heartbeats.beat(session, name, right + 200 * DAY)
    clock.now += 200 * DAY
    tick(rt)
    clock.now = right
    assert repair_now_and_then(rt) == RepairReport()
    trusted_time.accept(rt, support.SETUP, "the clock was set")
    assert repair_now_and_then(rt).windows > 0
    assert kept(rt) == before


def test_facts_from_the_future_have_happened_by_now(rt: Runtime, clock: SetClock, ids: list[int]) -> None:
    far = clock.now + 12 * DAY
    with rt.sessions.begin() as session:
        session.execute(update(participants).values(confirmed_at=far, snoozed_until=far, next_check_at=far))
        session.execute(update(channels).values(stopped_until=far, free_at=far))
        session.execute(update(sites).values(digest_at=far))
    repair(rt)
    with rt.sessions.reading() as session:
        person = rt.loader.one(session, ids[0], lock=False).case.participant
        assert person.confirmed_at == person.snoozed_until == clock.now
        assert session.execute(select(channels.c.stopped_until, channels.c.free_at)).all() == [(None, None)] * len(
            FACTS
        )
        mornings = session.scalars(select(sites.c.digest_at)).all()
        assert len(mornings) == 2
        assert all(clock.now < morning < clock.now + 4 * DAY for morning in mornings)
        assert cases.earliest_check(session) is not None
    assert look_in_time(rt, ids, clock.now)


@pytest.mark.usefixtures("ids")
def test_an_ordinary_week_has_nothing_to_undo(rt: Runtime, clock: SetClock, phones: Telephones) -> None:
    for hours in range(0, 17 * 24, 5):
        clock.now = at("2026-03-02 13:00") + timedelta(hours=hours)
        tick(rt)
        deliver(rt)
        assert repair(rt) == RepairReport()
    assert phones.sent, "there was something that a clock could have done too early"
