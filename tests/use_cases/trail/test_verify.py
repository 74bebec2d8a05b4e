"""The audit trail is sealed and checked: whatever is changed behind the product's back is found, and named."""

import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import date, timedelta

import pytest

from pro_service.core.trail.check import Finding
from pro_service.core.trail.seals import Anchor
from pro_service.runtime import Runtime
from pro_service.store import heartbeats
from pro_service.store.seals import last_checks
from pro_service.store.vault import Vault
from pro_service.use_cases.tick import tick
from pro_service.use_cases.trail import seal as sealing
from pro_service.use_cases.trail.seal import seal
from pro_service.use_cases.trail.verify import Verification, verify, verify_now_and_then
from pro_service.use_cases.watch import TRAIL, alarms
from tests import support
from tests.peers import databases
from tests.use_cases.trail.tamperings import Hand, reschedule


@pytest.fixture
def by_hand(rt: Runtime, study_id: int, clock: support.SetClock) -> Hand:
    """Return a study with two participants, answers, and three seals over what happened to them."""
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone="+905321234567", procedure_time="")
    seal(rt)
    clock.now = support.at("2026-03-09 10:00")
    support.answered(rt, "P-001", "W1", {"NRS-AVG": "4", "PGIC": "2"})
    seal(rt)
    clock.now += timedelta(minutes=5)
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), baseline_nrs_avg="8", procedure_time="")
    seal(rt)
    assert verify(rt).findings == ()
    return Hand(rt, clock)


def kinds(found: Verification) -> list[str]:
    return sorted({finding.kind for finding in found.findings})


@databases.ON_BOTH
def test_an_untouched_trail_has_no_findings(rt: Runtime, by_hand: Hand) -> None:
    found = verify(rt)
    assert (found.findings, found.not_covered, found.anchored) == ((), 0, False)
    assert found.verified_rows == by_hand.one("SELECT count(*) FROM audit_trail")
    assert found.seals == 3
    assert found.newest_seal is not None


def test_a_slip_in_an_anchor_is_no_alarm_on_every_page(rt: Runtime, by_hand: Hand) -> None:
    assert by_hand.rt is rt
    assert kinds(verify(rt, anchor=Anchor(1, bytes(32)))) == ["rolled_back"]
    with rt.sessions.reading() as session:
        assert {one.findings for one in last_checks(session).values()} == {0}
    assert TRAIL not in [alarm.code for alarm in alarms(rt)]


@databases.ON_BOTH
def test_rows_that_wait_for_a_seal_while_seals_are_made_are_found(by_hand: Hand, clock: support.SetClock) -> None:
    rt = by_hand.rt
    clock.now += timedelta(minutes=1)
    support.answered(rt, "P-002", "W1", {"NRS-AVG": "4"})
    assert kinds(verify(rt)) == []
    clock.now += timedelta(minutes=11)
    # The service was down: nothing is wrong with what waits.
    assert kinds(verify(rt)) == []
    with rt.sessions.begin() as session:
        heartbeats.beat(session, sealing.BEAT, clock.now)
    assert kinds(verify(rt)) == ["unsealed"]
    assert seal(rt).rows > 0
    assert kinds(verify(rt)) == []


def test_another_key_is_one_finding(by_hand: Hand) -> None:
    rt = by_hand.rt
    other = replace(rt, vault=Vault(rt.settings.data_keys, bytes(32), bytes(32)))
    assert kinds(verify(other)) == ["wrong_key"]


@databases.ON_BOTH
def test_a_guard_that_is_gone_or_does_nothing_is_found(rt: Runtime, by_hand: Hand) -> None:
    if rt.sessions.sqlite:
        by_hand(
            "DROP TRIGGER audit_trail_no_delete",
            "DROP TRIGGER responses_no_update",
            "CREATE TRIGGER responses_no_update BEFORE UPDATE ON responses BEGIN SELECT 1; END",
        )
        faults = ["trail_trigger_different", "trail_trigger_missing"]
    else:
        by_hand(
            "ALTER TABLE audit_trail DISABLE TRIGGER audit_trail_no_change",
            "ALTER TABLE audit_seals ENABLE REPLICA TRIGGER audit_seals_no_change",
            "DROP TRIGGER responses_no_delete ON responses",
            "CREATE OR REPLACE FUNCTION responses_is_append_only() RETURNS trigger LANGUAGE plpgsql "
            "AS $$ BEGIN RETURN NEW; END $$",
        )
        faults = ["trail_trigger_different", "trail_trigger_disabled", "trail_trigger_missing"]
    # Nobody has to wait for a check.
    assert TRAIL in [alarm.code for alarm in alarms(rt)]
    found = verify(rt)
    assert kinds(found) == ["trigger"]
    assert sorted({one.problem.code for one in found.findings}) == faults


@databases.ON_BOTH
def test_what_is_new_is_checked_from_the_last_clean_check_on(
    rt: Runtime, by_hand: Hand, clock: support.SetClock
) -> None:
    before = verify(rt).verified_rows
    clock.now += timedelta(minutes=1)
    support.answered(rt, "P-002", "W1", {"NRS-AVG": "4"})
    seal(rt)
    assert 0 < verify(rt, full=False).verified_rows < before
    by_hand.past_guards("UPDATE audit_trail SET reason = 'agreed' WHERE id = (SELECT max(id) FROM audit_trail)")
    # It was found good a moment ago: the daily check of everything finds it.
    assert verify(rt, full=False).findings == ()
    clock.now += timedelta(days=1)
    verify_now_and_then(rt)
    with rt.sessions.reading() as session:
        assert last_checks(session)["full"].findings == 1


def _write(rt: Runtime, study_id: int, people: Sequence[str], number: int) -> None:
    """Do this and that about these people, and enrol others."""
    chance = random.Random(number)  # noqa: S311
    for more in range(8):
        code = chance.choice(people)
        match chance.randrange(5):
            case 0:
                support.enrolled(rt, study_id, f"P-{number}{more:02}", date(2026, 3, 2), procedure_time="")
            case 1:
                reschedule(rt, code, chance.randrange(1, 4))
            case 2:
                tick(rt)
            case _:
                support.answered(rt, code, "W1", {"NRS-AVG": str(chance.randrange(11))})


@databases.ON_BOTH
def test_writers_and_sealers_side_by_side_are_never_a_finding(
    rt: Runtime, study_id: int, clock: support.SetClock
) -> None:
    """Eight write about the same people, one seals and one checks, in whatever order their transactions end."""
    people = [f"P-{number:03}" for number in range(4)]
    for code in people:
        support.enrolled(rt, study_id, code, date(2026, 3, 2), baseline_nrs_avg="8", procedure_time="")
    clock.now = support.at("2026-03-09 10:00")
    stop, met = threading.Event(), list[Finding]()

    def seal_on() -> None:
        while not stop.is_set():
            clock.now += timedelta(seconds=1)
            seal(rt)

    def check_on() -> None:
        while not stop.is_set():
            met.extend(verify(rt).findings)

    with ThreadPoolExecutor(10) as pool:
        beside = [pool.submit(seal_on), pool.submit(check_on)]
        writers = [pool.submit(_write, rt, study_id, people, number) for number in range(1, 9)]
        wait(writers)
        stop.set()
    for one in (*writers, *beside):
        one.result()
    seal(rt)
    found = verify(rt)
    assert (met, found.findings) == ([], ())
    assert found.verified_rows == Hand(rt, clock).one("SELECT count(*) FROM audit_trail")
    assert found.seals > 2
