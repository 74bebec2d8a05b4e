"""Confirming a procedure, on the planned day or another."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from pro_service.core.problems import RejectedError, words
from pro_service.runtime import Runtime
from pro_service.store.schema import escalations, participants, responses, tallies, windows
from pro_service.use_cases.participants.confirm import confirm
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.support import SetClock

PLANNED = date(2026, 3, 4)
NEXT = date(2026, 3, 5)
BASELINE = {"baseline_nrs_avg": "6", "baseline_nrs_now": "5"}


@pytest.fixture
def planned(rt: Runtime, study_id: int) -> int:
    """Return someone whose procedure is in two days."""
    return support.enrolled(
        rt, study_id, "P-001", PLANNED, messaging_consent="2026-03-01", phone="+12025550123", **BASELINE
    )


def refused(rt: Runtime, study_id: int, code: str, day: date | None = None) -> str:
    before = support.rows_of(rt)
    with pytest.raises(RejectedError) as error:
        confirm(rt, support.SETUP, study_id, code, day)
    assert support.rows_of(rt) == before
    return words(error.value.faults[0])[0]


def schedules(rt: Runtime) -> dict[tuple[str, int], bool]:
    """(window, schedule) -> whether it still holds."""
    with rt.sessions.reading() as session:
        rows = session.execute(select(windows.c.code, windows.c.schedule, windows.c.cancelled_at))
        return {(row.code, row.schedule): row.cancelled_at is None for row in rows}


def test_a_procedure_to_come_is_not_confirmed(rt: Runtime, study_id: int, planned: int) -> None:
    assert "still to come" in refused(rt, study_id, "P-001")
    assert support.loaded(rt, planned).case.participant.confirmed_at is None


def open_tasks(rt: Runtime) -> list[tuple[str, str]]:
    e = escalations.c
    with rt.sessions.reading() as session:
        rows = session.execute(select(e.level, e.reason).where(e.resolved_at.is_(None)).order_by(e.id))
        return [tuple(row) for row in rows]


def test_a_visit_an_hour_later_has_its_window_or_somebody_is_asked_for_the_time(
    rt: Runtime, study_id: int, planned: int, clock: SetClock
) -> None:
    clock.now = support.at("2026-03-04 15:00")
    confirm(rt, support.SETUP, study_id, "P-001")
    tick(rt)
    assert open_tasks(rt) == [("E0", "no_procedure_time")]
    assert ("V1H", 1) not in schedules(rt)
    clock.now += timedelta(hours=1)
    done = confirm(rt, support.SETUP, study_id, "P-001", procedure_time="15:30")
    assert (done.unchanged, done.windows) == (False, 1)
    assert confirm(rt, support.SETUP, study_id, "P-001", procedure_time="15:30").unchanged
    tick(rt)
    assert open_tasks(rt) == []
    laid = {window.code: window.span for window in support.loaded(rt, planned).case.current}
    assert laid["V1H"].target_at == support.at("2026-03-04 16:30")


@pytest.mark.parametrize("given, code", [("16:00", "end_ahead"), ("25:00", "not_a_time"), ("noon", "not_a_time")])
def test_an_end_that_cannot_be_is_refused_and_nothing_is_confirmed(
    rt: Runtime, study_id: int, planned: int, clock: SetClock, given: str, code: str
) -> None:
    clock.now = support.at("2026-03-04 15:00")
    with pytest.raises(RejectedError) as error:
        confirm(rt, support.SETUP, study_id, "P-001", procedure_time=given)
    assert [fault.code for fault in error.value.faults] == [code]
    assert support.loaded(rt, planned).case.participant.confirmed_at is None


def test_the_task_of_the_day_ends_with_the_confirmation(
    rt: Runtime, study_id: int, planned: int, clock: SetClock
) -> None:
    clock.now = support.at("2026-03-04 15:00")
    tick(rt)
    done = confirm(rt, support.SETUP, study_id, "P-001")
    assert (done.unchanged, done.rescheduled) == (False, False)
    with rt.sessions.reading() as session:
        task = session.execute(select(escalations)).one()
    assert (task.reason, task.outcome, task.resolved_at) == ("confirm_procedure", "confirmed", clock.now)
    loaded = support.loaded(rt, planned)
    assert loaded.case.participant.confirmed_at == clock.now
    assert loaded.next_check_at is not None
    assert loaded.next_check_at >= clock.now


def test_confirming_twice_changes_nothing(rt: Runtime, study_id: int, planned: int, clock: SetClock) -> None:
    clock.now = support.at("2026-03-04 15:00")
    confirm(rt, support.SETUP, study_id, "P-001")
    before, revision = support.rows_of(rt), support.loaded(rt, planned).case.participant.revision
    clock.now += timedelta(hours=1)
    assert confirm(rt, support.SETUP, study_id, "P-001").unchanged
    assert support.rows_of(rt) == before
    assert support.loaded(rt, planned).case.participant.revision == revision


@pytest.mark.shows("case: date changed")
@databases.ON_BOTH
def test_another_day_lays_new_windows_and_takes_the_baseline_along(
    rt: Runtime, study_id: int, planned: int, clock: SetClock
) -> None:
    clock.now = support.at("2026-03-05 15:00")
    done = confirm(rt, support.SETUP, study_id, "P-001", NEXT)
    assert (done.rescheduled, done.windows, done.procedure_date) == (True, 4, NEXT)
    assert schedules(rt) == {(code, n): n == 2 for code in ("V0", "W1", "M1", "M3") for n in (1, 2)}
    case = support.loaded(rt, planned).case
    assert (case.participant.procedure_date, case.baseline("NRS-AVG")) == (NEXT, 6)
    assert next(window.span.target for window in case.current if window.code == "W1") == date(2026, 3, 12)


@databases.ON_BOTH
def test_the_procedures_end_moves_with_the_day(rt: Runtime, study_id: int, clock: SetClock) -> None:
    someone = support.enrolled(rt, study_id, "P-001", date(2026, 3, 1), messaging_consent="", procedure_time="13:00")
    confirm(rt, support.SETUP, study_id, "P-001", date(2026, 3, 2))
    with rt.sessions.reading() as session:
        end = session.scalar(select(participants.c.procedure_end).where(participants.c.id == someone))
    assert end == support.at("2026-03-02 13:00")
    assert ("V1H", 2) in schedules(rt)
    assert clock.now > end


@databases.ON_BOTH
def test_windows_that_were_counted_leave_their_tally(rt: Runtime, study_id: int, clock: SetClock) -> None:
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone="+12025550123")
    clock.now = support.at("2026-03-20 12:00")
    tick(rt)
    confirm(rt, support.SETUP, study_id, "P-001", date(2026, 3, 18))
    tick(rt)
    with rt.sessions.reading() as session:
        t = tallies.c
        rows = session.execute(select(t.code, t.status, t.count.label("number")).where(t.count != 0))
        counted = {(row.code, row.status): row.number for row in rows}
        by_hand: dict[tuple[str, str], int] = {}
        for row in session.execute(select(windows.c.code, windows.c.settled).where(windows.c.settled.is_not(None))):
            by_hand[row.code, row.settled] = by_hand.get((row.code, row.settled), 0) + 1
        open_of_windows = select(escalations.c.window_id).where(escalations.c.resolved_at.is_(None))
        cancelled = set(session.scalars(select(windows.c.id).where(windows.c.cancelled_at.is_not(None))))
        assert not cancelled & set(session.scalars(open_of_windows))
    assert counted == by_hand
    assert counted["W1", "cancelled"] == 1


def test_a_day_under_later_answers_is_left_alone(rt: Runtime, study_id: int, clock: SetClock) -> None:
    someone = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone="+12025550123")
    clock.now = support.at("2026-03-09 12:00")
    with rt.sessions.begin() as session:
        window = next(w for w in support.loaded(rt, someone).case.current if w.code == "W1")
        row = {"id": 900_000, "study_id": study_id, "participant_id": someone, "window_id": window.id}
        answer = {"item": "NRS-AVG", "version": 1, "value": 3, "declined": False, "source": "web"}
        at = {"received_at": clock.now, "recorded_at": clock.now, "in_window": True}
        session.execute(responses.insert().values(**row, **answer, **at))
    assert "has answers (W1)" in refused(rt, study_id, "P-001", date(2026, 3, 3))


def test_an_unknown_code_is_refused(rt: Runtime, study_id: int) -> None:
    assert "there is no participant" in refused(rt, study_id, "P-404")
