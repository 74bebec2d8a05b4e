"""The contact data of everybody in a closed study are erased once a day is over, and that is certified."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from pro_service.core.problems import RejectedError
from pro_service.core.study_file.confirmation import LONGEST_REASON
from pro_service.runtime import Runtime
from pro_service.store.schema import participants, responses
from pro_service.use_cases import closing, contact_erasure, doctor
from pro_service.use_cases.trail.seal import seal
from tests import support
from tests.peers import databases

pytestmark = databases.ON_BOTH
DAY = date(2026, 3, 20)


@pytest.fixture
def closed(rt: Runtime, study_id: int, clock: support.SetClock) -> Runtime:
    """Return a closed study with three participants, and another study that goes on."""
    clock.now = support.at("2026-03-02 15:00")
    for code in ("P-001", "P-002", "P-003"):
        support.enrolled(rt, study_id, code, date(2026, 3, 2), phone="+12025550123", baseline_nrs_avg="6")
    support.enrolled(rt, support.load_demo(rt, "OTHER"), "P-001", date(2026, 3, 2), phone="+12025550124")
    clock.now = support.at("2026-03-12 10:00")
    closing.close(rt, support.SETUP, study_id, "all visits are over")
    return rt


def telephones(rt: Runtime) -> list[bool]:
    with rt.sessions.reading() as session:
        found = session.scalars(select(participants.c.phone).order_by(participants.c.study_id, participants.c.code))
        return [phone is not None for phone in found]


def test_everybody_is_erased_once_the_day_is_over_and_the_answers_stay(
    closed: Runtime, study_id: int, clock: support.SetClock
) -> None:
    contact_erasure.plan(closed, support.SETUP, study_id, DAY, "y" * LONGEST_REASON)
    clock.now = support.at("2026-03-20 23:00")
    assert contact_erasure.erase_due(closed) == 0, "the day is not over"
    assert telephones(closed) == [True] * 4
    clock.now += timedelta(hours=6)
    assert contact_erasure.erase_due(closed, seconds=0.0) == 0, "what there is no time for is left for the next beat"
    steps = list[tuple[int, int]]()
    assert contact_erasure.erase_due(closed, progress=lambda done, total: steps.append((done, total))) == 3
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert telephones(closed) == [False, False, False, True], "another study goes on"
    assert contact_erasure.erase_due(closed) == 0
    seal(closed)
    made = contact_erasure.certificate(closed, study_id)
    assert ([one.participant for one in made.erased], made.left) == (["P-001", "P-002", "P-003"], 0)
    text = contact_erasure.as_text(made)
    assert "Participants erased    3" in text
    assert f"Newest seal            {made.newest_seal}" in text
    assert "P-002" in text
    assert "FOR TRYING OUT ONLY" in text, "no text left this machine"
    assert "FOR TRYING OUT ONLY" not in contact_erasure.as_text(replace(made, simulated_telephones=False))
    with closed.sessions.reading() as session:
        assert len(session.scalars(select(responses.c.value).where(responses.c.value == 6)).all()) == 3


def test_one_who_cannot_be_erased_stops_no_other_and_the_doctor_says_so(
    closed: Runtime, study_id: int, clock: support.SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    contact_erasure.plan(closed, support.SETUP, study_id, DAY, "as asked")
    clock.now = support.at("2026-03-21 06:00")
    first = (participants.c.code == "P-001") & (participants.c.study_id == study_id)
    with closed.sessions.begin() as session:
        session.execute(update(participants).where(first).values(zone="Nowhere/None", phone_index=None))
    assert contact_erasure.erase_due(closed) == 2
    assert telephones(closed) == [True, False, False, True]
    assert "erase.due" in caplog.text
    said = {wanted: [one.finding for one in doctor.not_erased_of(closed, wanted)] for wanted in (DAY, clock.now.date())}
    assert said == {DAY: [], clock.now.date(): ["DEMO: still there after 2026-03-20, the last day; participants: 1"]}
    with closed.sessions.begin() as session:
        session.execute(update(participants).where(first).values(zone="Europe/Istanbul"))
    assert contact_erasure.erase_due(closed) == 1


def test_only_a_closed_study_is_given_a_day_and_for_a_reason(closed: Runtime, study_id: int) -> None:
    other = support.load_demo(closed, "THIRD")
    for study, reason, code in ((other, "as asked", "study_open"), (study_id, " ", "reason_missing")):
        with pytest.raises(RejectedError) as refused:
            contact_erasure.plan(closed, support.SETUP, study, DAY, reason)
        assert [fault.code for fault in refused.value.faults] == [code]
