"""A task that ends with words: once, with a reason; and the list of those that wait for a role."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from pro_service.core.case import EscalationFacts
from pro_service.core.problems import RejectedError, words
from pro_service.core.protocol import INVESTIGATORS, LADDER_ROLES, LevelCode
from pro_service.core.schedule.agenda import escalate
from pro_service.reports import today
from pro_service.reports.statements import WORKLIST
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.schema import audit_trail
from pro_service.store.studies import site_ids
from pro_service.use_cases.tasks import calls, decisions, hand_over
from pro_service.use_cases.tasks.calls import CallResult, StaleError, WorkRefusedError
from pro_service.use_cases.tick import tick
from pro_service.use_cases.transaction import transaction
from pro_service.web.capabilities import having
from tests import support
from tests.peers import databases

REASON = "the family was told; no more calls until the visit"


@dataclass
class Stage:
    """One participant whom neither texts nor calls reach, and their investigator."""

    rt: Runtime
    study_id: int
    who: int
    office: Actor
    lead: Actor

    def task(self, level: str = "E4") -> EscalationFacts:
        return next(e for e in support.loaded(self.rt, self.who).case.escalations if e.level == level)

    def decide(self, reason: str = REASON, revision: int | None = None) -> None:
        decisions.decide(self.rt, self.lead, self.task().id, reason, revision=revision)

    def audited(self) -> list[tuple[str, str, str | None]]:
        """(action, who, why) of every audit row about the task."""
        a = audit_trail.c
        about = (a.entity == "escalation") & (a.entity_id == self.task().id)
        with self.rt.sessions.reading() as session:
            rows = session.execute(select(a.action, a.actor, a.reason).where(about).order_by(a.id))
            return [(row.action, row.actor, support.typed(self.rt, row.reason)) for row in rows]


@pytest.fixture
def stage(rt: Runtime, study_id: int, clock: support.SetClock) -> Stage:
    """Return the stage once a coordinator learnt that the number is not in service."""
    who = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2))
    office, lead = (
        Actor(kind="staff", id=f"user:{user}", source="dashboard", user_id=user)
        for user in (
            support.coordinator(rt, site="IST"),
            support.coordinator(rt, "lead@example.org", role="investigator"),
        )
    )
    clock.now = support.at("2026-03-11 11:00")
    tick(rt)
    made = Stage(rt, study_id, who, office, lead)
    calls.record(rt, office, made.task("E1").id, CallResult("not_in_service"))
    return made


@databases.ON_BOTH
def test_a_decision_ends_the_task_and_its_reason_is_kept(stage: Stage, clock: support.SetClock) -> None:
    stage.decide(f"  {REASON}\n\0 ")
    assert (stage.task().outcome, stage.task().resolved_at) == ("decided", clock.now)
    lead = stage.lead.id
    assert stage.audited()[1:] == [("acknowledge", lead, None), ("resolve", lead, REASON)]
    assert stage.task("E1").open, "another task is somebody else's work still"


@databases.ON_BOTH
def test_what_was_decided_is_not_decided_again(stage: Stage) -> None:
    seen = support.loaded(stage.rt, stage.who).case.participant.revision
    stage.decide(revision=seen)
    before = support.rows_of(stage.rt)
    with pytest.raises(WorkRefusedError, match="resolved"):
        stage.decide("something else", revision=seen)
    assert support.rows_of(stage.rt) == before
    assert stage.audited()[-1][2] == REASON


@databases.ON_BOTH
def test_a_page_from_before_a_change_decides_nothing(stage: Stage) -> None:
    seen = support.loaded(stage.rt, stage.who).case.participant.revision
    calls.record(stage.rt, stage.office, stage.task("E1").id, CallResult("moved"))
    with pytest.raises(StaleError):
        stage.decide(revision=seen)
    assert stage.task().open


@pytest.mark.parametrize(
    "reason, fault", [("", "is missing"), (" \n\t\0", "is missing"), ("x" * 501, "is longer than 500 characters")]
)
@databases.ON_BOTH
def test_a_decision_says_what_it_is(stage: Stage, reason: str, fault: str) -> None:
    with pytest.raises(RejectedError) as rejected:
        stage.decide(reason)
    assert [(one.path, words(one)[0]) for one in rejected.value.faults] == [("reason", fault)]
    assert stage.task().open
    stage.decide("x" * 500)
    assert not stage.task().open


@databases.ON_BOTH
def test_what_was_done_about_any_other_task_ends_it_too(stage: Stage) -> None:
    decisions.decide(stage.rt, stage.lead, stage.task("E1").id, REASON)
    assert stage.task("E1").outcome == "done"
    with pytest.raises(KeyError):
        decisions.decide(stage.rt, stage.lead, 10**9, REASON)


@databases.ON_BOTH
def test_what_a_colleague_had_in_their_hands_is_decided_all_the_same(stage: Stage) -> None:
    colleague = support.coordinator(stage.rt, "colleague@example.org", site="IST")
    hand_over.hand_over(stage.rt, stage.office, stage.task().id, colleague)
    stage.decide()
    assert stage.task().outcome == "decided"


def test_every_role_that_a_ladder_may_name_has_its_tasks_before_it() -> None:
    assert having("tasks") | having("work") == set(LADDER_ROLES)


@pytest.fixture
def waiting(stage: Stage) -> Callable[..., today.Worklist]:
    """Return a look at what waits."""

    def look(
        site: str | None = None, wanted: int | None = None, levels: frozenset[LevelCode] = frozenset({"E4"})
    ) -> today.Worklist:
        with stage.rt.sessions.reading() as session:
            sites = None if site is None else frozenset({site_ids(session, stage.study_id)[site]})
            return today.worklist(session, stage.rt.loader, stage.study_id, [(levels, sites)], wanted=wanted)

    return look


@databases.ON_BOTH
def test_what_waits_is_listed_with_what_was_tried_the_longest_due_first(
    stage: Stage, clock: support.SetClock, waiting: Callable[..., today.Worklist]
) -> None:
    clock.now += timedelta(days=1)
    other = support.to_decide(
        stage.rt, support.enrolled(stage.rt, stage.study_id, "P-002", date(2026, 3, 2), site="BER")
    )
    assert [task.participant for task in waiting().tasks] == ["P-001", "P-002"]
    assert [attempt.result for attempt in waiting().tasks[0].attempts if attempt.kind == "call"] == ["not_in_service"]
    assert [task.id for task in waiting("BER").tasks] == [other]
    assert [task.id for task in waiting("BER", stage.task().id).tasks] == [other], "wanted, and of another site"
    stage.decide()
    assert [task.participant for task in waiting().tasks] == ["P-002"]
    assert [task.participant for task in waiting(wanted=stage.task().id).tasks] == ["P-002"], "wanted, and over"


def test_of_more_than_fifty_those_due_first_are_listed_and_the_one_asked_for(
    stage: Stage, clock: support.SetClock, waiting: Callable[..., today.Worklist]
) -> None:
    clock.now += timedelta(days=1)
    people = [
        support.enrolled(stage.rt, stage.study_id, f"P-1{number:02}", date(2026, 3, 2)) for number in range(WORKLIST)
    ]
    last = [support.to_decide(stage.rt, who) for who in people][-1]
    found = waiting()
    assert (len(found.tasks), found.more, found.tasks[0].participant) == (WORKLIST, True, "P-001")
    assert last not in {task.id for task in found.tasks}
    assert last in {task.id for task in waiting(wanted=last).tasks}


def test_safety_comes_first_and_each_task_once_however_many_roles_make_it_the_readers(
    stage: Stage, waiting: Callable[..., today.Worklist]
) -> None:
    with transaction(stage.rt, support.SETUP, stage.rt.clock()) as tx:
        loaded = stage.rt.loader.one(tx.session, stage.who)
        tx.carry_out(loaded, [escalate(loaded.case, "ES", "safety_word", tx.now)])
    assert [task.level for task in waiting(levels=INVESTIGATORS).tasks] == ["ES", "E4"]
    with stage.rt.sessions.reading() as session:
        shares = [(INVESTIGATORS, None), (frozenset[LevelCode]({"ES"}), None), (frozenset[LevelCode](), None)]
        found = today.worklist(session, stage.rt.loader, stage.study_id, shares)
    assert [task.level for task in found.tasks] == ["ES", "E4"]
