"""Work that somebody else does, or somebody later: handed over, taken back, put off; each once, and each kept."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from pro_service.core.case import EscalationFacts
from pro_service.core.schedule.retries import Later
from pro_service.reports import today
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.schema import audit_trail, escalations
from pro_service.store.staff import colleagues
from pro_service.use_cases.tasks import calls, hand_over
from pro_service.use_cases.tasks.calls import CallResult, StaleError, WorkRefusedError
from pro_service.use_cases.tick import tick
from pro_service.web.capabilities import having
from tests import support
from tests.peers import databases

CALL_DAY = support.at("2026-03-11 11:00")
"""A Wednesday: the one-week window of a procedure on 2 March waits for a call and closes at the end of Thursday."""


@dataclass
class Stage:
    """One participant who is to be called, and the coordinators of two sites."""

    rt: Runtime
    clock: support.SetClock
    study_id: int
    who: int
    me: Actor
    colleague: int
    stranger: int

    @property
    def task(self) -> EscalationFacts:
        return next(e for e in support.loaded(self.rt, self.who).case.escalations if e.level == "E1")

    @property
    def revision(self) -> int:
        return support.loaded(self.rt, self.who).case.participant.revision

    def shown(self, user: int | None = None) -> today.Task:
        """The task as somebody's first page shows it."""
        with self.rt.sessions.reading() as session:
            page = today.today(session, self.rt.loader, self.study_id, self.clock.now, reader=user)
        return next(task for task in (*page.mine, *page.queue, *page.tasks) if task.id == self.task.id)

    def is_mine(self, user: int) -> bool:
        with self.rt.sessions.reading() as session:
            page = today.today(session, self.rt.loader, self.study_id, self.clock.now, reader=user)
        return self.task.id in {task.id for task in page.mine}

    def audited(self) -> list[str]:
        a = audit_trail.c
        with self.rt.sessions.reading() as session:
            return list(session.scalars(select(a.action).where(a.actor_kind == "staff").order_by(a.id)))


def by(user: int) -> Actor:
    return Actor(kind="staff", id=f"user:{user}", source="dashboard", user_id=user)


@pytest.fixture
def stage(rt: Runtime, study_id: int, clock: support.SetClock) -> Stage:
    """Return the stage on the day of the call."""
    who = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2))
    users = [
        support.coordinator(rt, f"{name}@example.org", site=site)
        for name, site in (("me", "IST"), ("colleague", "IST"), ("stranger", "BER"))
    ]
    clock.now = CALL_DAY
    tick(rt)
    return Stage(rt, clock, study_id, who, by(users[0]), *users[1:])


def test_those_who_may_work_are_those_of_the_table_of_roles() -> None:
    assert frozenset(hand_over.WORKERS) == having("work")


@databases.ON_BOTH
def test_a_colleague_gets_the_task_first_and_is_told_by_whom(stage: Stage) -> None:
    assert stage.me.user_id is not None
    calls.acknowledge(stage.rt, stage.me, stage.task.id)
    hand_over.hand_over(stage.rt, stage.me, stage.task.id, stage.colleague)
    shown = stage.shown(stage.colleague)
    assert (shown.handed_by, shown.handed_at, shown.acknowledged_at) == ("me@example.org", CALL_DAY, None)
    assert stage.is_mine(stage.colleague)
    assert not stage.is_mine(stage.me.user_id)
    assert stage.audited() == ["acknowledge", "hand_over"]


@databases.ON_BOTH
def test_whoever_takes_it_up_has_it_and_the_hand_over_is_undone(stage: Stage) -> None:
    hand_over.hand_over(stage.rt, stage.me, stage.task.id, stage.colleague)
    calls.acknowledge(stage.rt, stage.me, stage.task.id)
    assert not stage.is_mine(stage.colleague)
    assert stage.shown().acknowledged_by == "me@example.org"
    with pytest.raises(WorkRefusedError, match="taken"):
        calls.acknowledge(stage.rt, by(stage.colleague), stage.task.id)


@databases.ON_BOTH
def test_handing_over_twice_changes_nothing_the_second_time(stage: Stage) -> None:
    hand_over.hand_over(stage.rt, stage.me, stage.task.id, stage.colleague)
    hand_over.hand_over(stage.rt, stage.me, stage.task.id, stage.colleague)
    assert stage.audited() == ["hand_over"]


@databases.ON_BOTH
def test_what_the_colleague_does_not_take_up_goes_up_the_ladder(stage: Stage) -> None:
    calls.acknowledge(stage.rt, stage.me, stage.task.id)
    hand_over.hand_over(stage.rt, stage.me, stage.task.id, stage.colleague)
    due = stage.task.due_at
    stage.clock.now = due
    tick(stage.rt)
    tick(stage.rt)
    raised = [e.reason for e in support.loaded(stage.rt, stage.who).case.escalations if e.level == "E2"]
    assert raised == ["by_telephone"], "there is no number, so no text went out"


@databases.ON_BOTH
def test_what_is_overdue_leaves_the_colleague_the_rest_of_the_working_day(stage: Stage) -> None:
    calls.acknowledge(stage.rt, stage.me, stage.task.id)
    stage.clock.now = support.at("2026-03-12 09:30")
    hand_over.hand_over(stage.rt, stage.me, stage.task.id, stage.colleague)
    assert stage.task.due_at > stage.clock.now


@databases.ON_BOTH
def test_nobody_is_handed_what_they_may_not_do(stage: Stage) -> None:
    assert stage.me.user_id is not None
    for user, code in ((stage.stranger, "no_colleague"), (10**9, "no_colleague"), (stage.me.user_id, "yourself")):
        with pytest.raises(WorkRefusedError, match=code):
            hand_over.hand_over(stage.rt, stage.me, stage.task.id, user)
    with stage.rt.sessions.begin() as session:
        colleagues.set_away(session, stage.colleague, CALL_DAY + timedelta(days=3))
    with pytest.raises(WorkRefusedError, match="away"):
        hand_over.hand_over(stage.rt, stage.me, stage.task.id, stage.colleague)
    assert stage.audited() == []


@pytest.mark.parametrize(
    "code, back", [("hour", "2026-03-11 12:00"), ("afternoon", "2026-03-11 13:30"), ("morning", "2026-03-12 09:00")]
)
@databases.ON_BOTH
def test_putting_off_takes_the_task_up_and_lets_it_come_back(stage: Stage, code: Later, back: str) -> None:
    hand_over.put_off(stage.rt, stage.me, stage.task.id, code)
    assert stage.shown().look_again_at == support.at(back)
    assert stage.task.acknowledged_at == CALL_DAY
    hand_over.put_off(stage.rt, stage.me, stage.task.id, None)
    assert stage.shown().look_again_at is None
    assert stage.audited() == ["acknowledge", "put_off", "put_off"]


@pytest.mark.parametrize("until, code", [("2026-03-11 11:00", "time_passed"), ("2026-03-13 00:00", "time_after_close")])
@databases.ON_BOTH
def test_nothing_is_put_off_beyond_the_close_of_its_window(stage: Stage, until: str, code: str) -> None:
    with pytest.raises(WorkRefusedError, match=code):
        hand_over.put_off(stage.rt, stage.me, stage.task.id, support.at(until))
    assert stage.audited() == []


@databases.ON_BOTH
def test_an_afternoon_that_is_over_is_no_time(stage: Stage) -> None:
    stage.clock.now = support.at("2026-03-11 17:00")
    with pytest.raises(WorkRefusedError, match="needs_time"):
        hand_over.put_off(stage.rt, stage.me, stage.task.id, "afternoon")


@databases.ON_BOTH
def test_the_morning_after_a_friday_is_the_next_working_day(stage: Stage) -> None:
    stage.clock.now = support.at("2026-03-13 10:00")
    tick(stage.rt)
    missed = next(e.id for e in support.loaded(stage.rt, stage.who).case.escalations if e.level == "E3")
    hand_over.put_off(stage.rt, stage.me, missed, "morning")
    with stage.rt.sessions.reading() as session:
        e = escalations.c
        assert session.scalar(select(e.look_again_at).where(e.id == missed)) == support.at("2026-03-16 09:00")
    with pytest.raises(WorkRefusedError, match="too_far"):
        hand_over.put_off(stage.rt, stage.me, missed, stage.clock.now + timedelta(days=15))


@databases.ON_BOTH
def test_a_page_from_before_a_change_writes_nothing(stage: Stage) -> None:
    seen = stage.revision
    calls.record(stage.rt, stage.me, stage.task.id, CallResult("no_answer"))
    with pytest.raises(StaleError):
        hand_over.put_off(stage.rt, stage.me, stage.task.id, "hour", revision=seen)
    with pytest.raises(StaleError):
        hand_over.hand_over(stage.rt, stage.me, stage.task.id, stage.colleague, revision=seen)
    assert stage.shown().look_again_at == support.at("2026-03-11 13:30")


@databases.ON_BOTH
def test_what_has_ended_is_neither_taken_nor_handed_nor_put_off(stage: Stage) -> None:
    task = stage.task.id
    calls.record(stage.rt, stage.me, task, CallResult("refused_this_time"))
    acts = (
        partial(calls.acknowledge, stage.rt, stage.me, task),
        partial(hand_over.put_off, stage.rt, stage.me, task, "hour"),
        partial(hand_over.hand_over, stage.rt, stage.me, task, stage.colleague),
    )
    for act in acts:
        with pytest.raises(WorkRefusedError, match="resolved"):
            act()
