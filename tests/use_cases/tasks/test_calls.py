"""What coordinators do about open work: every outcome of a call, missing reasons, the number shown once."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from pro_service.core.case import EscalationFacts
from pro_service.core.schedule.agenda import may_text
from pro_service.runtime import Runtime, open_runtime
from pro_service.settings import Settings
from pro_service.store.audit import Actor
from pro_service.store.participants.cases import Loaded
from pro_service.store.participants.tasks import note_place
from pro_service.store.schema import audit_trail, escalations, windows
from pro_service.store.schema import calls as call_table
from pro_service.store.vault import opened
from pro_service.use_cases.participants import change
from pro_service.use_cases.participants.change_form import STANDS, ChangeForm
from pro_service.use_cases.tasks import calls
from pro_service.use_cases.tasks.calls import CallResult, StaleError, WorkRefusedError
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases

PHONE = "+12025550123"
CALL_DAY = support.at("2026-03-11 11:00")
"""The call task of the one-week window of a procedure on 2 March is raised on the morning of this day."""


class Stage:
    """One participant with an open call task, and the coordinator who works on it."""

    def __init__(self, rt: Runtime, clock: support.SetClock) -> None:
        self.rt, self.clock = rt, clock
        self.study_id = support.load_demo(rt)
        clock.now = support.at("2026-03-02 15:00")
        self.participant = support.enrolled(rt, self.study_id, "P-001", date(2026, 3, 2), phone=PHONE)
        user = support.coordinator(rt)
        self.actor = Actor(kind="staff", id=f"user:{user}", source="dashboard", user_id=user)
        clock.now = CALL_DAY
        tick(rt)
        self.task = next(e.id for e in self.open() if e.level == "E1")

    @property
    def loaded(self) -> Loaded:
        return support.loaded(self.rt, self.participant)

    def open(self) -> list[EscalationFacts]:
        return [e for e in self.loaded.case.escalations if e.open]

    def fact(self, task: int | None = None) -> EscalationFacts:
        return next(e for e in self.loaded.case.escalations if e.id == (task or self.task))

    def call(self, outcome: calls.Outcome, **more: object) -> None:
        calls.record(self.rt, self.actor, self.task, CallResult(outcome, **more))  # type: ignore[arg-type]

    def actions(self) -> list[str]:
        a = audit_trail.c
        with self.rt.sessions.reading() as session:
            rows = session.scalars(select(a.action).where(a.actor == self.actor.id).order_by(a.id))
            return list(rows)


@pytest.fixture
def stage(settings: Settings) -> Iterator[Stage]:
    """Return a participant who did not answer and is to be called."""
    clock = support.SetClock(CALL_DAY)
    rt = support.with_clock(open_runtime(settings), clock)
    yield Stage(rt, clock)
    rt.close()


@databases.ON_BOTH
def test_taking_a_task_up_keeps_it_from_going_up_the_ladder(stage: Stage) -> None:
    calls.acknowledge(stage.rt, stage.actor, stage.task)
    calls.acknowledge(stage.rt, stage.actor, stage.task)
    assert stage.fact().acknowledged_at == CALL_DAY
    assert stage.actions() == ["acknowledge"]


@databases.ON_BOTH
def test_nobody_answered_is_counted_and_suggested_at_another_part_of_the_day(stage: Stage) -> None:
    stage.call("no_answer")
    assert [call.outcome for call in stage.loaded.case.calls] == ["no_answer"]
    with stage.rt.sessions.reading() as session:
        again = session.scalar(select(escalations.c.look_again_at).where(escalations.c.id == stage.task))
    assert again == support.at("2026-03-11 13:30")
    assert stage.fact().open


@databases.ON_BOTH
def test_the_third_call_in_vain_tells_the_lead_once(stage: Stage) -> None:
    for outcome in ("no_answer", "busy", "wrong_person", "no_answer"):
        stage.call(outcome)
    leads = [e for e in stage.loaded.case.escalations if e.level == "E2"]
    assert [lead.reason for lead in leads] == ["failed_calls"]


def test_call_back_puts_the_task_off_until_then(stage: Stage) -> None:
    at = CALL_DAY + timedelta(hours=4)
    stage.call("call_back_at", call_back_at=at)
    with stage.rt.sessions.reading() as session:
        assert session.scalar(select(escalations.c.look_again_at).where(escalations.c.id == stage.task)) == at


@pytest.mark.parametrize("hours, code", [(None, "needs_time"), (-1, "time_passed"), (24 * 9, "time_after_close")])
def test_a_time_to_call_back_that_makes_no_sense_is_refused(stage: Stage, hours: int | None, code: str) -> None:
    at = None if hours is None else CALL_DAY + timedelta(hours=hours)
    with pytest.raises(WorkRefusedError) as refused:
        stage.call("call_back_at", call_back_at=at)
    assert refused.value.code == code
    assert stage.loaded.case.calls == ()


def test_not_this_time_declines_the_window_and_ends_its_calls(stage: Stage) -> None:
    stage.call("refused_this_time")
    window = next(w for w in stage.loaded.case.current if w.code == "W1")
    assert window.answers["NRS-AVG"].declined
    assert window.answers["NRS-AVG"].source == "telephone"
    assert (stage.fact().open, stage.fact().outcome) == (False, "refused_this_time")


def test_no_more_texts_leaves_the_task_open(stage: Stage) -> None:
    stage.call("wants_no_messages")
    assert not may_text(stage.loaded.case.participant)
    assert stage.fact().open


def test_a_number_not_in_service_is_not_written_to_again_and_the_investigator_is_told_once(stage: Stage) -> None:
    stage.call("not_in_service")
    stage.call("not_in_service")
    assert stage.loaded.case.participant.unreachable_at == CALL_DAY
    assert stage.fact().open
    assert [e.reason for e in stage.open() if e.level == "E4"] == ["no_channel"]


def test_a_number_that_is_somebody_elses_is_not_written_to_again_and_the_right_one_is_asked_for_once(
    stage: Stage,
) -> None:
    stage.call("wrong_person")
    stage.call("wrong_person")
    assert stage.loaded.case.participant.unreachable_at == CALL_DAY
    assert stage.fact().open, "the call is still to be made, with the right number"
    assert [(e.level, e.reason) for e in stage.open() if e.level == "E0"] == [("E0", "wrong_number")]
    stage.clock.now = support.at("2026-03-12 12:30")
    tick(stage.rt)
    assert not [text for text in stage.loaded.case.messages if text.queued_at > CALL_DAY]


@databases.ON_BOTH
def test_another_number_ends_the_question_and_if_it_is_wrong_too_it_is_asked_again(stage: Stage) -> None:
    stage.call("wrong_person")
    form = ChangeForm("phone", {"number": "+12025550124", "consent": STANDS}, "asked at the clinic")
    change.change(stage.rt, stage.actor, stage.study_id, "P-001", form)
    assert not [e for e in stage.open() if e.reason == "wrong_number"]
    assert may_text(stage.loaded.case.participant)
    stage.clock.now += timedelta(minutes=30)
    stage.call("wrong_person")
    assert [e.reason for e in stage.open() if e.level == "E0"] == ["wrong_number"]


@pytest.mark.parametrize("outcome", ["withdraws", "died"])
def test_leaving_needs_a_note_and_then_ends_everything(stage: Stage, outcome: calls.Outcome) -> None:
    with pytest.raises(WorkRefusedError, match="needs_note"):
        stage.call(outcome)
    stage.call(outcome, note="the daughter said so")
    assert stage.loaded.case.participant.left_at == CALL_DAY
    assert stage.open() == []
    stage.clock.now = support.at("2026-06-30 12:00")
    tick(stage.rt)
    assert stage.open() == []


@databases.ON_BOTH
def test_a_note_is_kept_sealed(stage: Stage) -> None:
    stage.call("moved", note="now in Izmir")
    with stage.rt.sessions.reading() as session:
        row = session.execute(select(call_table.c.id, call_table.c.note)).one()
    assert b"Izmir" not in row.note
    key = stage.rt.vault.data_key(stage.loaded.data_key or b"", stage.participant)
    assert opened(key, row.note, note_place(row.id)) == b"now in Izmir"


@pytest.mark.parametrize("outcome", ["will_do_it", "moved", "hospitalised", "language_barrier"])
def test_what_was_learnt_takes_the_task_up_and_leaves_it_open(stage: Stage, outcome: calls.Outcome) -> None:
    stage.call(outcome)
    assert stage.fact().open
    assert stage.fact().acknowledged_at == CALL_DAY


def test_answers_are_entered_in_the_form_not_as_an_outcome(stage: Stage) -> None:
    with pytest.raises(WorkRefusedError, match="enter_the_answers"):
        stage.call("completed_now")


@databases.ON_BOTH
def test_a_form_from_before_a_change_writes_nothing(stage: Stage) -> None:
    seen = stage.loaded.case.participant.revision
    stage.call("moved")
    with pytest.raises(StaleError):
        calls.record(stage.rt, stage.actor, stage.task, CallResult("no_answer"), revision=seen)
    assert [call.outcome for call in stage.loaded.case.calls] == ["moved"]


@databases.ON_BOTH
def test_the_reason_of_a_missed_window_ends_its_task(stage: Stage) -> None:
    stage.clock.now = support.at("2026-03-13 09:00")
    tick(stage.rt)
    window = next(window.id for window in stage.loaded.case.current if window.code == "W1")
    missed = next(e.id for e in stage.open() if e.level == "E3" and e.window_id == window)
    with pytest.raises(WorkRefusedError):
        calls.explain_missing(stage.rt, stage.actor, missed, "because")  # type: ignore[arg-type]
    calls.explain_missing(stage.rt, stage.actor, missed, "too_ill")
    assert stage.fact(missed).outcome == "too_ill"
    with stage.rt.sessions.reading() as session:
        kept = session.scalar(select(windows.c.missing_reason).where(windows.c.id == window))
    assert kept == "too_ill"


def test_other_tasks_end_as_done_once(stage: Stage) -> None:
    stage.clock.now = support.at("2026-03-13 09:00")
    tick(stage.rt)
    other = next(e.id for e in stage.open() if e.level == "E3")
    calls.resolve(stage.rt, stage.actor, other)
    assert stage.fact(other).outcome == "done"
    with pytest.raises(WorkRefusedError, match="resolved"):
        calls.resolve(stage.rt, stage.actor, other)


def test_a_call_that_can_save_its_window_ends_by_its_outcome_or_for_a_reason(stage: Stage) -> None:
    with pytest.raises(WorkRefusedError, match="still_to_be_called"):
        calls.resolve(stage.rt, stage.actor, stage.task, reason=" ")
    assert stage.fact().open
    calls.resolve(stage.rt, stage.actor, stage.task, reason="comes to the clinic today")
    assert (stage.fact().open, stage.fact().outcome) == (False, "done")
    with stage.rt.sessions.reading() as session:
        why = session.scalars(select(audit_trail.c.reason).where(audit_trail.c.action == "resolve")).all()
    assert "comes to the clinic today" in [support.typed(stage.rt, one) for one in why]


def test_the_number_is_shown_and_who_looked_is_kept(stage: Stage) -> None:
    assert calls.show_telephone(stage.rt, stage.actor, stage.study_id, "P-001") == PHONE
    assert stage.actions() == ["view_contact"]
    with pytest.raises(KeyError):
        calls.show_telephone(stage.rt, stage.actor, stage.study_id, "P-001", sites={-1})
