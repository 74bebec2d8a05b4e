"""A study is closed: what waits is withdrawn, windows are counted, and a lock keeps every answer as it is."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import DBAPIError

from pro_service.core.changes.model import Reschedule
from pro_service.core.changes.plan import plan_change
from pro_service.core.problems import ChangeRefusedError, RejectedError
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store import guards, studies
from pro_service.store.schema import audit_trail, inbound, messages, participants, responses, windows
from pro_service.use_cases import clock_repair, closing, confirmation
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.participants import confirm, survey
from pro_service.use_cases.tick import tick
from pro_service.use_cases.trail.verify import verify
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

pytestmark = databases.ON_BOTH
TOKEN = "a-token-of-enough-random-bits"
PHONE = "+12025550123"


@pytest.fixture
def running(rt: Runtime, study_id: int, clock: support.SetClock) -> Runtime:
    """Return a study whose one-week window is open: one has answered, one was asked and has not, one is to come."""
    runtime = replace(rt, texts={"sms": Telephones(clock=clock)})
    clock.now = support.at("2026-03-02 15:00")
    support.enrolled(runtime, study_id, "P-001", date(2026, 3, 2), channel="sms-reply", phone=PHONE)
    support.enrolled(runtime, study_id, "P-002", date(2026, 3, 2), channel="sms-reply", phone="+12025550124")
    support.enrolled(runtime, study_id, "P-003", date(2026, 3, 9), messaging_consent="2026-03-02")
    clock.now = support.at("2026-03-09 10:00")
    support.answered(runtime, "P-001", "W1", {"NRS-AVG": "4", "PGIC": "2"})
    tick(runtime)
    return runtime


def settled(rt: Runtime, code: str) -> dict[str, str | None]:
    """Return time point -> how it was counted, `ended` for one that ended with the study."""
    with rt.sessions.reading() as session:
        rows = session.execute(
            select(windows.c.code, windows.c.settled, windows.c.cancelled_at)
            .join(participants, participants.c.id == windows.c.participant_id)
            .where(participants.c.code == code)
        ).all()
    return {row.code: "ended" if row.cancelled_at is not None else row.settled for row in rows}


def answers(rt: Runtime) -> int:
    with rt.sessions.reading() as session:
        return session.scalar(select(func.count()).select_from(responses)) or 0


def test_what_waits_is_withdrawn_and_every_window_is_counted_or_ended(
    running: Runtime, study_id: int, clock: support.SetClock
) -> None:
    before = closing.look(running, study_id)
    assert (before.standing.closed_at, before.rest.texts, before.rest.open_windows > 0) == (None, 1, True)
    done = closing.close(running, support.SETUP, study_id, "all visits are over")
    assert done.standing.closed_at == clock.now
    assert (done.rest.texts, done.rest.uncounted) == (0, 0)
    assert {code: settled(running, code)["W1"] for code in ("P-001", "P-002", "P-003")} == {
        "P-001": "completed_in_window",
        "P-002": "ended",
        "P-003": "ended",
    }
    assert settled(running, "P-001")["M3"] == "ended"
    assert settled(running, "P-002")["V0"] == "missed", "it had closed before"
    for later in (1, 7, 60, 200):
        clock.now += timedelta(days=later)
        tick(running)
    with running.sessions.reading() as session:
        assert set(session.scalars(select(messages.c.state).where(messages.c.channel == "sms"))) == {"cancelled"}
    assert clock_repair.repair(running).windows == 0
    with pytest.raises(RejectedError) as again:
        closing.close(running, support.SETUP, study_id, "once more")
    assert [fault.code for fault in again.value.faults] == ["study_closed_already"]
    assert [one for one in verify(running).findings if one.entity == "window"] == []


def test_a_lock_keeps_every_answer_as_it_is_through_every_door(running: Runtime, study_id: int) -> None:
    with pytest.raises(RejectedError) as early:
        closing.lock(running, support.SETUP, study_id, "too early")
    assert [fault.code for fault in early.value.faults] == ["study_open"]
    support.answered(running, "P-002", "W1", {"NRS-AVG": "5"})
    closing.close(running, support.SETUP, study_id, "all visits are over", lock_data=True)
    kept = answers(running)
    with pytest.raises(RejectedError) as by_staff:
        support.answered(running, "P-001", "W1", {"NRS-AVG": "9"})
    assert [fault.code for fault in by_staff.value.faults] == ["study_locked"]
    receive.receive(running, text_of({"MessageSid": "SM1", "From": PHONE, "Body": "9"}))
    tick(running)
    with running.sessions.reading() as session:
        assert session.scalar(select(inbound.c.handed_for)) == "answer_after_leaving"
        row = dict(session.execute(select(responses).limit(1)).mappings().one())
    with pytest.raises(DBAPIError, match="the study is locked"), running.sessions.begin() as session:
        session.execute(insert(responses).values(row | {"id": 10**9, "version": 99}))
    assert answers(running) == kept
    user_id = support.coordinator(running, "pi@example.org", role="investigator")
    other = support.coordinator(running, "monitor@example.org", role="monitor")
    with pytest.raises(RejectedError) as nobody:
        closing.unlock(running, support.SETUP, study_id, other, "a query")
    assert [fault.code for fault in nobody.value.faults] == ["not_their_study"]
    assert confirmation.user_of(running, "pi@example.org") == user_id
    closing.unlock(running, support.SETUP, study_id, user_id, "a query of the monitor")
    support.answered(running, "P-001", "W1", {"NRS-AVG": "9"})
    assert answers(running) > kept
    closing.lock(running, support.SETUP, study_id, "the query is answered")
    with running.sessions.reading() as session:
        a = audit_trail.c
        found = session.execute(select(a.action, a.reason).where(a.entity == "study").order_by(a.id)).all()
        assert guards.faults(session.connection()) == {}
    assert [row.action for row in found][-4:] == ["close_study", "lock_data", "unlock_data", "lock_data"]
    assert all(row.reason for row in found)


def test_an_answer_that_comes_while_the_data_are_being_locked_waits_and_is_refused(
    running: Runtime, study_id: int, clock: support.SetClock
) -> None:
    with running.sessions.reading() as session:
        row = dict(session.execute(select(responses).limit(1)).mappings().one())

    def save() -> None:
        with running.sessions.begin() as session:
            session.execute(insert(responses).values(row | {"id": 10**9, "version": 99}))

    with ThreadPoolExecutor(1) as other:
        with running.sessions.begin() as session:
            studies.hold_answers(session, study_id)
            studies.set_standing(session, study_id, locked_at=clock.now)
            saving = other.submit(save)
            with pytest.raises(TimeoutError):
                saving.result(timeout=0.3)
        with pytest.raises(DBAPIError, match="the study is locked"):
            saving.result()


def test_nobody_is_enrolled_confirmed_planned_or_given_a_form(
    running: Runtime, study_id: int, clock: support.SetClock
) -> None:
    person = support.enrolled(running, study_id, "P-004", date(2026, 3, 2))
    support.link_to(running, person, "W1", TOKEN)
    assert survey.open_form(running, TOKEN) is not None
    closing.close(running, support.SETUP, study_id, "all visits are over")
    with pytest.raises(RejectedError) as not_enrolled:
        support.enrolled(running, study_id, "P-009", date(2026, 3, 9))
    assert [fault.code for fault in not_enrolled.value.faults] == ["study_closed"]
    case = support.loaded(running, person).case
    with pytest.raises(ChangeRefusedError):
        plan_change(case, Reschedule(date(2026, 3, 12), None), clock.now)
    with pytest.raises(RejectedError) as refused:
        confirm.confirm(running, support.SETUP, study_id, "P-003", date(2026, 3, 9))
    assert [fault.code for fault in refused.value.faults] == ["study_closed"]
    closing.lock(running, support.SETUP, study_id, "all queries are answered")
    assert survey.open_form(running, TOKEN) is None
    assert survey.submit(running, TOKEN, {"NRS-AVG": "4"}).form is None
