"""The audit trail is sealed and checked: whatever is changed behind the product's back is found, and named."""

# ruff: noqa: S608 -- statements that somebody types by hand

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, timedelta

import psycopg
import pytest
from sqlalchemy import insert, make_url

from pro_service.core.trail.seals import Anchor
from pro_service.runtime import Runtime
from pro_service.store import heartbeats
from pro_service.store.audit import Entry, audit_row
from pro_service.store.schema import audit_trail, responses
from pro_service.store.seals import last_checks
from pro_service.store.vault import Vault
from pro_service.use_cases.trail import seal as sealing
from pro_service.use_cases.trail.seal import seal
from pro_service.use_cases.trail.verify import Verification, verify, verify_now_and_then
from pro_service.use_cases.watch import TRAIL, alarms
from tests import support
from tests.peers import databases


@dataclass(frozen=True, slots=True)
class Hand:
    """Somebody who changes the database by hand: with another driver, behind the product's back."""

    rt: Runtime

    def __call__(self, *statements: str) -> None:
        """Carry these statements out, with the triggers of the trail and the answers as they are."""
        url = self.rt.settings.database_url
        if self.rt.sessions.sqlite:
            with closing(sqlite3.connect(str(make_url(url).database))) as connection, connection:
                for statement in statements:
                    connection.execute(statement)
        else:
            with psycopg.connect(url.replace("+psycopg", "")) as server:
                for statement in statements:
                    server.execute(statement)

    def past_guards(self, *statements: str) -> None:
        """Carry these out with the triggers off, and on again afterwards: nothing shows in the schema."""
        if not self.rt.sessions.sqlite:
            self("SET session_replication_role = replica", *statements)
            return
        with self.rt.sessions.glance() as connection:
            found = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
        self(*(f"DROP TRIGGER {name}" for name, _ in found), *statements, *(definition for _, definition in found))

    def one(self, question: str) -> int:
        """Return the one number that answers a question."""
        with self.rt.sessions.glance() as connection:
            return int(connection.exec_driver_sql(question).scalar_one())


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
    return Hand(rt)


def kinds(found: Verification) -> list[str]:
    return sorted({finding.kind for finding in found.findings})


@databases.ON_BOTH
def test_an_untouched_trail_has_no_findings(rt: Runtime, by_hand: Hand) -> None:
    found = verify(rt)
    assert (found.findings, found.not_covered, found.anchored) == ((), 0, False)
    assert found.verified_rows == by_hand.one("SELECT count(*) FROM audit_trail")
    assert found.seals == 3
    assert found.newest_seal is not None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_trail SET reason = 'x'",
        "DELETE FROM audit_trail",
        "UPDATE audit_seals SET rows = 1",
        "DELETE FROM audit_seals",
        "UPDATE responses SET value = 1",
        "DELETE FROM responses",
    ],
)
@databases.ON_BOTH
def test_the_database_refuses_every_change_of_what_was_written(by_hand: Hand, statement: str) -> None:
    with pytest.raises((sqlite3.Error, psycopg.Error), match="append-only"):
        by_hand(statement)


Tampering = Callable[[Hand], None]
TAMPERINGS: dict[str, tuple[str, Tampering]] = {
    "who did it is changed": (
        "edited",
        lambda hand: hand.past_guards("UPDATE audit_trail SET actor = 'cli:nobody' WHERE action = 'answer'"),
    ),
    "a reason is written": (
        "edited",
        lambda hand: hand.past_guards("UPDATE audit_trail SET reason = 'agreed' WHERE action = 'enrol'"),
    ),
    "a row is deleted": (
        "facts_differ missing",
        lambda hand: hand.past_guards(
            "DELETE FROM audit_trail WHERE id = (SELECT min(id) FROM audit_trail WHERE action = 'answer')"
        ),
    ),
    "the tail is cut": (
        "facts_differ tail_cut",
        lambda hand: hand.past_guards(
            "DELETE FROM audit_trail WHERE id = (SELECT max(id) FROM audit_trail)",
        ),
    ),
    "two rows change places": (
        "reordered",
        lambda hand: hand.past_guards(*_swap(hand)),
    ),
    "a seal is rewritten": (
        "seal",
        lambda hand: hand.past_guards("UPDATE audit_seals SET version = '9' WHERE number = 2"),
    ),
    "a seal is deleted": ("seal", lambda hand: hand.past_guards("DELETE FROM audit_seals WHERE number = 2")),
    "two seals change places": (
        "seal",
        lambda hand: hand.past_guards(
            "UPDATE audit_seals SET number = 0 WHERE number = 1",
            "UPDATE audit_seals SET number = 1 WHERE number = 2",
            "UPDATE audit_seals SET number = 2 WHERE number = 0",
        ),
    ),
    "a score is changed": (
        "facts_differ",
        lambda hand: hand.past_guards("UPDATE responses SET value = 1 WHERE item = 'NRS-AVG' AND source <> 'import'"),
    ),
    "a baseline is changed": (
        "facts_differ",
        lambda hand: hand.past_guards("UPDATE responses SET value = 3 WHERE source = 'import'"),
    ),
    "a window is moved": (
        "facts_differ",
        lambda hand: hand("UPDATE windows SET closes_at = late_until WHERE code = 'W1'"),
    ),
    "a procedure date is changed": (
        "facts_differ",
        lambda hand: hand("UPDATE participants SET procedure_date = '2026-03-04' WHERE code = 'P-001'"),
    ),
    "an answer is deleted": (
        "facts_differ",
        lambda hand: hand.past_guards("DELETE FROM responses WHERE item = 'PGIC'"),
    ),
}


def _swap(hand: Hand) -> list[str]:
    one, two = (hand.one(f"SELECT {which}(id) FROM audit_trail WHERE action = 'answer'") for which in ("min", "max"))
    return [f"UPDATE audit_trail SET id = {to} WHERE id = {of}" for of, to in ((one, -1), (two, one), (-1, two))]


@databases.ON_BOTH
@pytest.mark.parametrize("what", TAMPERINGS)
def test_what_is_changed_past_the_guards_is_found_and_named(rt: Runtime, by_hand: Hand, what: str) -> None:
    kind, tamper = TAMPERINGS[what]
    tamper(by_hand)
    found = verify(rt)
    assert kinds(found) == kind.split()
    assert found.not_covered >= 0


def forged(rt: Runtime, row_id: int, reason: str) -> dict[str, object]:
    """Return a row as somebody with the database and its keys would write it."""
    entry = Entry("answer", "note", None, {}, reason=reason)
    return audit_row(row_id, entry, support.SETUP, rt.clock() - timedelta(hours=3), support.ISTANBUL, rt.vault)


@databases.ON_BOTH
def test_a_row_forged_with_the_key_does_not_fit_its_seal(rt: Runtime, by_hand: Hand) -> None:
    row_id = by_hand.one("SELECT min(id) FROM audit_trail WHERE action = 'answer'")
    row = forged(rt, row_id, "as agreed")
    by_hand.past_guards(f"DELETE FROM audit_trail WHERE id = {row_id}")
    with rt.sessions.begin() as session:
        session.execute(insert(audit_trail).values(row))
    found = verify(rt)
    assert [(one.kind, one.id) for one in found.findings if one.entity == "audit_trail"] == [("edited", row_id)]


@databases.ON_BOTH
def test_a_row_put_in_among_sealed_ones_is_found(rt: Runtime, by_hand: Hand, clock: support.SetClock) -> None:
    clock.now += timedelta(hours=2)
    seal(rt)
    free = by_hand.one("SELECT min(id) + 1 FROM audit_trail")
    with rt.sessions.begin() as session:
        session.execute(insert(audit_trail).values(forged(rt, free, "long ago")))
    assert [(one.kind, one.id) for one in verify(rt).findings] == [("inserted", free)]
    seal(rt)
    assert [(one.kind, one.id) for one in verify(rt).findings] == [("inserted", free)]


@databases.ON_BOTH
def test_an_older_database_shows_by_an_anchor_alone(rt: Runtime, by_hand: Hand, clock: support.SetClock) -> None:
    assert TRAIL not in [alarm.code for alarm in alarms(rt)]
    of_now = verify(rt).newest_seal
    assert of_now is not None
    assert verify(rt, anchor=of_now).findings == ()
    by_hand.past_guards(
        f"DELETE FROM audit_trail WHERE id > (SELECT last_id FROM audit_seals WHERE number = {of_now.number - 1})",
        f"DELETE FROM audit_seals WHERE number = {of_now.number}",
        "DELETE FROM responses WHERE source = 'import'",
        "DELETE FROM windows WHERE participant_id = (SELECT max(id) FROM participants)",
        "DELETE FROM participants WHERE code = 'P-002'",
    )
    clock.now += timedelta(minutes=5)
    assert kinds(verify(rt)) == []
    assert kinds(verify(rt, anchor=of_now)) == ["rolled_back"]
    assert kinds(verify(rt, anchor=Anchor(1, bytes(32)))) == ["rolled_back"]
    with rt.sessions.reading() as session:
        noted = {one.findings for one in last_checks(session).values()}
    assert noted == {0}, "an anchor with a slip in it is an alarm on every page"


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


def test_nothing_that_is_there_can_be_replaced(by_hand: Hand) -> None:
    for table, columns in (("audit_trail", audit_trail.c), ("responses", responses.c)):
        names = ", ".join(column.name for column in columns)
        with pytest.raises(sqlite3.Error, match="append-only"):
            by_hand(f"INSERT OR REPLACE INTO {table} ({names}) SELECT {names} FROM {table}")
        new_id = names.replace("id, ", "id + 100000, ", 1)
        if table == "responses":
            with pytest.raises(sqlite3.Error, match="append-only"):
                by_hand(f"INSERT OR REPLACE INTO {table} ({names}) SELECT {new_id} FROM {table}")


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


@databases.ON_BOTH
def test_writers_and_sealers_side_by_side_are_never_a_finding(
    rt: Runtime, study_id: int, clock: support.SetClock
) -> None:
    """Eight write and two seal at once, in whatever order their transactions end."""
    stop = threading.Event()

    def enrol(number: int) -> None:
        for more in range(6):
            support.enrolled(rt, study_id, f"P-{number}{more:02}", date(2026, 3, 2), procedure_time="")

    def sealer() -> None:
        while not stop.is_set():
            clock.now += timedelta(seconds=20)
            seal(rt)

    with ThreadPoolExecutor(10) as pool:
        sealers = [pool.submit(sealer) for _ in range(2)]
        writers = [pool.submit(enrol, number) for number in range(1, 9)]
        for writer in writers:
            writer.result()
        stop.set()
        for one in sealers:
            one.result()
    seal(rt)
    found = verify(rt)
    assert found.findings == ()
    assert found.verified_rows == Hand(rt).one("SELECT count(*) FROM audit_trail")
    assert found.seals > 2
