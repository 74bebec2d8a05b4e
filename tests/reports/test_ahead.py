"""How long answers take, and what came of each prompt: counted from texts and answers as they are kept."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from pro_service.reports import ahead, funnel
from pro_service.reports.breakdown import Chosen
from pro_service.reports.funnel import Funnel, StepFlow
from pro_service.runtime import Runtime
from pro_service.store.bulk import row_ids
from pro_service.store.schema import messages, participants, responses, windows
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases

pytestmark = databases.ON_BOTH

DAY = date(2026, 3, 2)
INVITED = support.at("2026-03-09 10:00")


@pytest.fixture
def clock() -> support.SetClock:
    """Return the clock of the runtime."""
    return support.SetClock(support.at("2026-03-02 15:00"))


@pytest.fixture
def study_id(rt: Runtime, clock: support.SetClock) -> int:
    """Return a study in which four participants were invited, all but one reached, and reminded a day later."""
    study = support.load_demo(rt)
    for number in range(4):
        support.enrolled(rt, study, f"P-00{number}", DAY, phone=f"+1202555010{number}", site="IST")
    clock.now = INVITED
    tick(rt)
    with rt.sessions.begin() as session:
        m = messages.c
        invited = session.scalars(select(m.id).where(m.kind == "invitation").order_by(m.participant_id)).all()
        for row_id in invited[:3]:
            session.execute(update(messages).where(m.id == row_id).values(state="delivered", accepted_at=INVITED))
        session.execute(update(messages).where(m.id == invited[3]).values(state="undelivered", error="30003"))
    return study


def answer(rt: Runtime, code: str, at: datetime, source: str = "sms") -> None:
    """Keep one answer to the one-week window as it came then."""
    one = support.loaded(rt, _id(rt, code)).case
    window = next(window for window in one.current if window.code == "W1")
    with rt.sessions.begin() as session:
        w = windows.c
        row = session.execute(select(w.study_id, w.participant_id).where(w.id == window.id)).one()
        values = {
            "id": next(row_ids(session)), "study_id": row.study_id, "participant_id": row.participant_id,
            "window_id": window.id, "item": "NRS-AVG", "version": 1, "value": 3, "declined": False, "source": source,
            "received_at": at, "recorded_at": at, "in_window": True,
        }  # fmt: skip
        session.execute(insert(responses).values(values))


def _id(rt: Runtime, code: str) -> int:
    with rt.sessions.reading() as session:
        found: int = session.scalars(select(participants.c.id).where(participants.c.code == code)).one()
    return found


def test_times_run_from_the_text_to_the_first_answer_by_telephone(rt: Runtime, study_id: int) -> None:
    answer(rt, "P-000", INVITED + timedelta(minutes=15))
    answer(rt, "P-001", INVITED + timedelta(hours=3), source="web")
    answer(rt, "P-002", INVITED + timedelta(minutes=1), source="telephone")
    with rt.sessions.reading() as session:
        found = ahead.times(session, study_id, INVITED + timedelta(days=1), Chosen())
        none = ahead.times(session, study_id, INVITED + timedelta(days=1), Chosen(window="M1"))
    assert (found.invited, found.answered, found.classes) == (4, 2, (1, 0, 1, 0, 0, 0, 0))
    assert found.quartiles == (timedelta(minutes=15), timedelta(minutes=15), timedelta(hours=3))
    assert (none.invited, none.quartiles) == (0, None)


def test_a_step_is_answered_by_what_came_before_the_next(rt: Runtime, study_id: int, clock: support.SetClock) -> None:
    answer(rt, "P-000", INVITED + timedelta(hours=1))
    answer(rt, "P-001", INVITED + timedelta(minutes=1), source="telephone")
    clock.now = support.at("2026-03-10 18:31")
    tick(rt)
    answer(rt, "P-002", clock.now + timedelta(minutes=5))
    clock.now += timedelta(hours=1)
    flow = _flow(rt, study_id, clock.now)
    invitation, first, second = (flow["W1", step] for step in ("invitation", "reminder-1", "reminder-2"))
    assert invitation == StepFlow("W1", "invitation", expected=4, sent=4, delivered=3, failed=1, answered=1)
    # Two had answered before; the others were reminded, and nothing sends here.
    assert (first.expected, first.unneeded, first.sent, first.answered, first.withheld) == (4, 2, 0, 1, 2)
    assert second.expected == 0


def test_a_large_study_is_looked_at_where_it_is_open(rt: Runtime, study_id: int, clock: support.SetClock) -> None:
    found = _funnel(rt, study_id, clock.now, people=3)
    assert (found.whole, found.windows) == (False, 4)
    assert _funnel(rt, study_id, clock.now, people=4).whole


def _funnel(rt: Runtime, study_id: int, now: datetime, *, people: int = 10) -> Funnel:
    with rt.sessions.reading() as session:
        protocol = rt.loader.one(session, _id(rt, "P-000"), lock=False).case.protocol
        return funnel.funnel(session, study_id, protocol, now, Chosen(), people=people)


def _flow(rt: Runtime, study_id: int, now: datetime) -> dict[tuple[str, str], StepFlow]:
    return {(step.window, step.step): step for step in _funnel(rt, study_id, now).steps}
