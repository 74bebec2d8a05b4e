"""A changed procedure date: every consequence is shown before, answers are judged anew, nothing is sent twice."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from pro_service.core.changes.preview import ChangePreview
from pro_service.core.schedule.windows import local_instant
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.participants import schedules
from pro_service.store.schema import escalations, responses, tallies, windows
from pro_service.use_cases.participants import change, entry
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.support import SetClock
from tests.telephones import Telephones
from tests.use_cases.participants.changes import REASON, STAFF, Office

PHONE = "+12025550123"
MONDAY = date(2026, 3, 2)
"""The date believed at first: W1 is open from the 8th, aimed at the 9th, closed from the 13th."""


@pytest.fixture
def desk(rt: Runtime, study_id: int, clock: SetClock) -> Office:
    """Return the office of somebody who is asked by text, believed to have had the procedure on 2 March."""
    who = support.enrolled(rt, study_id, "P-001", MONDAY, phone=PHONE, baseline_nrs_avg="6", channel="sms-reply")
    return Office(rt, study_id, clock, who)


def answered(desk: Office, window: str = "W1", value: str = "3") -> None:
    entry.enter(desk.rt, STAFF, desk.study_id, desk.code, window, entry.Filled({"NRS-AVG": value, "PGIC": "2"}))


def verdicts(told: ChangePreview) -> dict[str, set[str]]:
    return {window.code: {one.verdict for one in window.answers} for window in told.windows if window.answers}


@pytest.mark.shows("case: date preview")
@databases.ON_BOTH
def test_every_window_is_shown_with_its_old_and_its_new_dates(desk: Office) -> None:
    told = desk.preview("reschedule", procedure_date="2026-03-01")
    w1 = next(window for window in told.windows if window.code == "W1")
    assert (w1.old_target, w1.target) == (date(2026, 3, 9), date(2026, 3, 8))
    assert (w1.old_opens_at, w1.opens_at) == (support.at("2026-03-08 00:00"), support.at("2026-03-07 00:00"))
    assert all(window.moved for window in told.windows)
    assert ("procedure_date", MONDAY, date(2026, 3, 1)) in told.facts


@pytest.mark.shows("case: date preview")
def test_prompts_and_calls_are_shown_as_they_were_to_come_and_as_they_will(desk: Office) -> None:
    told = desk.preview("reschedule", procedure_date="2026-03-01")
    steps = {(one.window, one.step): (one.old_at, one.at) for one in told.steps}
    assert steps["W1", "invitation"] == (support.at("2026-03-09 10:00"), support.at("2026-03-08 10:00"))
    assert steps["M1", "call"][1] is not None


@pytest.mark.shows("case: date preview")
def test_an_answer_inside_the_new_window_goes_along(desk: Office) -> None:
    desk.until("2026-03-09 12:00")
    answered(desk)
    assert verdicts(desk.change("reschedule", procedure_date="2026-03-01")) == {
        "V0": {"baseline"},
        "W1": {"in_window"},
    }
    window = next(one for one in desk.case.current if one.code == "W1")
    assert {item: answer.value for item, answer in window.answers.items()} == {"NRS-AVG": 3, "PGIC": 2}
    assert all(answer.received_at == desk.clock.now for answer in window.answers.values())


@pytest.mark.shows("case: date preview")
def test_an_answer_after_the_new_window_is_late(desk: Office) -> None:
    desk.until("2026-03-12 12:00")
    answered(desk)
    told = desk.change("reschedule", procedure_date="2026-02-27")
    assert verdicts(told)["W1"] == {"late"}
    assert desk.statuses(told)["W1"] == "completed_late"


@pytest.mark.shows("case: date preview")
def test_an_early_answer_stays_where_it_was_given_and_the_new_window_asks_again(
    desk: Office, phones: Telephones
) -> None:
    desk.until("2026-03-09 12:00")
    answered(desk)
    before = len(phones.to(PHONE))
    told = desk.change("reschedule", procedure_date="2026-03-09", procedure_time="09:00")
    assert verdicts(told)["W1"] == {"early"}
    assert desk.statuses(told)["W1"] == "upcoming"
    old = next(one for one in desk.case.windows if one.code == "W1" and one.cancelled_at is not None)
    assert old.answers["NRS-AVG"].value == 3
    desk.until("2026-03-16 10:00")
    assert len(phones.to(PHONE)) == before + 1


def test_an_answer_that_no_late_window_would_take_does_not_count(desk: Office, rt: Runtime) -> None:
    desk.until("2026-03-12 12:00")
    with rt.sessions.begin() as session:
        window = next(one for one in desk.case.current if one.code == "W1")
        row = {"id": 900_000, "study_id": desk.study_id, "participant_id": desk.who, "window_id": window.id}
        answer = {"item": "NRS-AVG", "version": 1, "value": 3, "declined": False, "source": "sms", "in_window": True}
        session.execute(
            responses.insert().values(**row, **answer, received_at=desk.clock.now, recorded_at=desk.clock.now)
        )
    assert verdicts(desk.change("reschedule", procedure_date="2026-01-05"))["W1"] == {"too_late"}


@databases.ON_BOTH
def test_a_date_corrected_back_finds_the_first_answers_again(desk: Office) -> None:
    desk.until("2026-03-09 12:00")
    answered(desk)
    desk.change("reschedule", procedure_date="2026-03-09")
    desk.change("reschedule", procedure_date="2026-03-02")
    window = next(one for one in desk.case.current if one.code == "W1")
    assert (window.schedule, window.answers["NRS-AVG"].value) == (3, 3)
    assert window.answers["NRS-AVG"].in_window


def test_who_entered_an_answer_stands_beside_it_in_the_new_window_too(desk: Office, rt: Runtime) -> None:
    user = support.coordinator(rt)
    desk.until("2026-03-09 12:00")
    by = Actor(kind="staff", id=f"user:{user}", source="dashboard", user_id=user)
    entry.enter(rt, by, desk.study_id, "P-001", "W1", entry.Filled({"NRS-AVG": "3"}, mode="telephone"))
    desk.change("reschedule", procedure_date="2026-03-01")
    with rt.sessions.reading() as session:
        r = responses.c
        rows = session.execute(select(r.entered_by, r.reason).where(r.item == "NRS-AVG", r.source == "telephone"))
        found = [(row.entered_by, support.typed(rt, row.reason)) for row in rows]
    assert found == [(user, None), (user, "procedure date changed")]


@pytest.mark.shows("case: date preview")
def test_a_text_accepted_since_the_new_opening_is_not_sent_again(desk: Office, phones: Telephones) -> None:
    desk.until("2026-03-09 10:00")
    assert len(phones.to(PHONE)) == 1
    told = desk.change("reschedule", procedure_date="2026-03-03")
    assert [(text.kind, text.fate) for text in told.texts] == [("invitation", "counts")]
    for day in range(9, 15):
        desk.until(f"2026-03-{day:02} 10:00")
        desk.until(f"2026-03-{day:02} 18:30")
    kinds = [kind for kind, _ in desk.texts()]
    assert kinds.count("invitation") == 1
    assert "reminder-1" in kinds


def test_a_question_asked_under_the_old_date_can_be_answered_under_the_new(desk: Office) -> None:
    desk.until("2026-03-09 10:00")
    desk.change("reschedule", procedure_date="2026-03-03")
    window = next(one for one in desk.case.current if one.code == "W1")
    assert [text.item for text in desk.case.texts(window.id)] == ["NRS-AVG"]


@databases.ON_BOTH
def test_a_text_that_waits_does_not_leave_and_is_decided_anew(desk: Office, phones: Telephones) -> None:
    desk.clock.now = support.at("2026-03-09 10:00")
    tick(desk.rt)
    told = desk.change("reschedule", procedure_date="2026-03-03")
    assert [(text.kind, text.fate) for text in told.texts] == [("invitation", "withdrawn")]
    desk.beat()
    assert phones.to(PHONE) == []
    desk.until("2026-03-10 10:00")
    assert len(phones.to(PHONE)) == 1


def test_who_lands_inside_a_window_gets_one_message_now(desk: Office, phones: Telephones) -> None:
    desk.until("2026-03-05 15:00")
    desk.change("reschedule", procedure_date="2026-02-24")  # W1: 2 to 6 March, aimed at the 3rd
    desk.beat()
    assert len(phones.to(PHONE)) == 1
    desk.beat()
    assert len(phones.to(PHONE)) == 1


@pytest.mark.shows("case: date preview")
@databases.ON_BOTH
def test_calls_about_the_old_window_end_and_a_bad_number_stays_work(desk: Office, rt: Runtime) -> None:
    desk.until("2026-03-11 09:00")
    with rt.sessions.begin() as session:
        w1 = next(one for one in desk.case.current if one.code == "W1")
        row = {"id": 800_000, "study_id": desk.study_id, "participant_id": desk.who, "window_id": w1.id}
        about = {"level": "E0", "reason": "bad_number", "dedup_key": "E0:bad_number:test"}
        at = {"raised_at": desk.clock.now, "due_at": desk.clock.now + timedelta(days=1)}
        session.execute(escalations.insert().values(**row, **about, **at))
    told = desk.change("reschedule", procedure_date="2026-03-06")
    assert {(one.level, one.outcome) for one in told.tasks if one.window == "W1"} == {
        ("E1", "rescheduled"),
        ("E0", None),
    }


def test_the_old_schedule_is_kept_and_says_who_moved_it_and_why(desk: Office, rt: Runtime) -> None:
    desk.change("reschedule", procedure_date="2026-03-01")
    with rt.sessions.reading() as session:
        rows = session.execute(select(windows.c.schedule, windows.c.cancelled_at)).all()
        change = schedules.history(session, desk.rt.vault, desk.who)[0]
    assert {(row.schedule, row.cancelled_at is None) for row in rows} == {(1, False), (2, True)}
    assert (change.schedule, change.cause, change.actor, change.reason) == (2, "reschedule", "cli:office", REASON)
    assert (change.before.procedure_date, change.then.procedure_date) == (MONDAY, date(2026, 3, 1))
    assert desk.audited("reschedule") == [("cli:office", REASON)]


@databases.ON_BOTH
def test_windows_that_were_counted_leave_their_tally_and_are_counted_anew(desk: Office, rt: Runtime) -> None:
    desk.until("2026-03-14 12:00")
    desk.change("reschedule", procedure_date="2026-03-01")
    desk.beat()
    with rt.sessions.reading() as session:
        t = tallies.c
        counted = {
            (row.code, row.status): row[2] for row in session.execute(select(t.code, t.status, t.count)) if row[2]
        }
        by_hand: dict[tuple[str, str], int] = {}
        for row in session.execute(select(windows.c.code, windows.c.settled).where(windows.c.settled.is_not(None))):
            by_hand[row.code, row.settled] = by_hand.get((row.code, row.settled), 0) + 1
    assert counted == by_hand
    assert counted["W1", "missed"] == 1


@pytest.mark.shows("case: date preview")
@databases.ON_BOTH
def test_a_day_to_come_waits_for_its_confirmation_and_somebody_is_asked_on_that_day(
    desk: Office, phones: Telephones
) -> None:
    told = desk.change("reschedule", procedure_date="2026-03-20")
    assert "to_be_confirmed" in {note.code for note in told.notes}
    assert desk.case.participant.confirmed_at is None
    desk.until("2026-03-20 12:00")
    assert [one.reason for one in desk.case.escalations if one.open] == ["confirm_procedure"]
    desk.change("reschedule", procedure_date="2026-03-25")
    assert [one.outcome for one in desk.case.escalations] == ["rescheduled"]
    desk.until("2026-03-25 12:00")
    assert [one.reason for one in desk.case.escalations if one.open] == ["confirm_procedure"]
    assert phones.sent == []


def test_the_end_of_the_procedure_can_be_learnt_later(desk: Office) -> None:
    told = desk.change("reschedule", procedure_date="2026-03-02", procedure_time="13:00")
    assert [window.code for window in told.windows if window.moved] == ["V1H"]
    v1h = next(one for one in desk.case.current if one.code == "V1H")
    assert v1h.span.target_at == support.at("2026-03-02 14:00")


def test_the_same_date_again_changes_nothing(desk: Office, rt: Runtime) -> None:
    desk.change("reschedule", procedure_date="2026-03-01")
    rows = support.rows_of(rt)
    assert desk.change("reschedule", procedure_date="2026-03-01").unchanged
    assert support.rows_of(rt) == rows


def test_a_stale_page_changes_nothing(desk: Office, rt: Runtime) -> None:
    seen = desk.preview("reschedule", procedure_date="2026-03-01").revision
    desk.change("language", language="en")
    rows = support.rows_of(rt)
    wanted = desk.wanted("reschedule", procedure_date="2026-03-01")
    with pytest.raises(StaleError):
        change.change(rt, STAFF, desk.study_id, "P-001", wanted, revision=seen)
    assert support.rows_of(rt) == rows


@pytest.mark.parametrize(
    "day, why",
    [
        ("2026-02-30", "not_in_calendar"),
        ("30.02.2026", "not_in_calendar"),
        ("1926-03-01", "not_of_a_study"),
        ("tomorrow", "not_a_date"),
        ("", "date_empty"),
    ],
)
def test_an_impossible_date_is_refused_at_its_field(desk: Office, day: str, why: str) -> None:
    assert desk.refused("reschedule", procedure_date=day) == [("procedure_date", why)]


def test_every_fault_is_said_at_once(desk: Office) -> None:
    assert desk.refused("reschedule", procedure_date="2026-02-30", procedure_time="25:00", reason=" ") == [
        ("procedure_date", "not_in_calendar"),
        ("procedure_time", "not_a_time"),
        ("reason", "needs_reason"),
    ]


def test_a_window_without_a_working_day_and_one_that_is_over_are_said(desk: Office) -> None:
    # W1 of this procedure is 27 to 31 May 2026: Kurban Bayramı and a weekend.
    notes = {note.code for note in desk.preview("reschedule", procedure_date="2026-05-21").notes}
    assert {"no_working_day", "to_be_confirmed"} <= notes
    desk.until("2026-03-14 12:00")
    assert "window_over" in {note.code for note in desk.preview("reschedule", procedure_date="2026-03-01").notes}


def test_a_baseline_measured_after_the_procedure_is_said(desk: Office) -> None:
    desk.until("2026-03-02 16:00")
    entry.enter(desk.rt, STAFF, desk.study_id, "P-001", "V0", entry.Filled({"NRS-NOW": "5"}))
    assert "baseline_after" in {note.code for note in desk.preview("reschedule", procedure_date="2026-03-01").notes}
    assert "baseline_before" in {note.code for note in desk.preview("reschedule", procedure_date="2026-03-20").notes}


def test_where_a_window_opens_is_counted_on_the_sites_calendar(desk: Office) -> None:
    desk.change("reschedule", procedure_date="2026-03-01")
    w1 = next(one for one in desk.case.current if one.code == "W1")
    assert w1.span.opens_at == local_instant(date(2026, 3, 7), support.at("2026-03-07").time().min, desk.case.site_zone)
