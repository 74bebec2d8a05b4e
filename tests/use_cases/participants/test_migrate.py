"""Participants moved to a newer version of the protocol: what is closed stays, what is to come follows, once."""

from datetime import date

import pytest
from sqlalchemy import select

from pro_service import paths
from pro_service.core.problems import RejectedError, words
from pro_service.runtime import Runtime
from pro_service.store.participants import schedules
from pro_service.store.schema import participants, windows
from pro_service.use_cases import reporting, study
from pro_service.use_cases.participants import entry
from pro_service.use_cases.participants.migrate import Migration
from pro_service.use_cases.participants.migrate import migrate as migrate_participants
from tests import support
from tests.peers import databases
from tests.support import SetClock
from tests.telephones import Telephones
from tests.use_cases.participants.changes import REASON, STAFF, Office

pytestmark = databases.ON_BOTH

PHONE = "+12025550123"
MONDAY = date(2026, 3, 2)
M1 = 'target = "P1M"'


@pytest.fixture
def desk(rt: Runtime, study_id: int, clock: SetClock) -> Office:
    """Return the office of two participants who are asked by text, whose W1 has closed and whose M1 is to come."""
    who = support.enrolled(rt, study_id, "P-001", MONDAY, phone=PHONE, baseline_nrs_avg="6", language="en")
    support.enrolled(rt, study_id, "P-002", MONDAY, baseline_nrs_avg="6")
    desk = Office(rt, study_id, clock, who)
    desk.until("2026-03-09 12:00")
    entry.enter(rt, STAFF, study_id, "P-001", "W1", entry.Filled({"NRS-AVG": "3", "PGIC": "2"}))
    desk.until("2026-03-14 10:00")
    return desk


def load(desk: Office, *changes: tuple[str, str]) -> None:
    """Load another version of the demonstration study."""
    text = (paths.protocols() / "demo.toml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    study.load(desk.rt, STAFF, text)


def migrate(desk: Office, *codes: str, dry_run: bool = False) -> Migration:
    return migrate_participants(desk.rt, STAFF, desk.study_id, REASON, codes=codes, dry_run=dry_run)


def moved(done: Migration) -> dict[str, list[str]]:
    return {one.participant: [window.code for window in one.windows] for one in done.migrants}


def refused(desk: Office, *codes: str) -> list[str]:
    before = support.rows_of(desk.rt)
    with pytest.raises(RejectedError) as error:
        migrate(desk, *codes)
    assert support.rows_of(desk.rt) == before
    return [f"{fault.path}: {words(fault)[0]}" for fault in error.value.faults]


@pytest.mark.shows("turn: version")
def test_windows_to_come_are_laid_out_by_the_new_version_and_closed_ones_stay(desk: Office, rt: Runtime) -> None:
    load(desk, (M1, 'target = "P30D"'))
    done = migrate(desk)
    assert moved(done) == {"P-001": ["M1"], "P-002": ["M1"]}
    spans = {window.code: window for window in desk.case.current}
    assert (spans["M1"].span.target, spans["M1"].schedule) == (date(2026, 4, 1), 2)
    assert (spans["W1"].schedule, spans["M3"].schedule) == (1, 1)
    with rt.sessions.reading() as session:
        change = schedules.history(session, desk.rt.vault, desk.who)[0]
        rows = session.execute(select(windows.c.id, windows.c.protocol_version_id))
        kept = {row.id: row.protocol_version_id for row in rows}
    assert (change.cause, change.reason) == ("migrate", REASON)
    assert change.before.version_id != change.then.version_id
    assert kept[spans["W1"].id] == change.before.version_id
    assert kept[spans["M3"].id] is None
    assert desk.audited("migrate") == [("cli:office", REASON)] * 2


def test_a_dry_run_says_the_same_and_changes_nothing(desk: Office, rt: Runtime) -> None:
    load(desk, (M1, 'target = "P30D"'))
    before = support.rows_of(rt)
    shown = migrate(desk, dry_run=True)
    assert support.rows_of(rt) == before
    assert migrate(desk).migrants == shown.migrants


@pytest.mark.shows("turn: version")
def test_moving_twice_changes_nothing(desk: Office, rt: Runtime) -> None:
    load(desk, (M1, 'target = "P30D"'))
    migrate(desk)
    before = support.rows_of(rt)
    assert migrate(desk).migrants == []
    assert migrate(desk, "P-001").unchanged == 1
    assert support.rows_of(rt) == before


def test_those_who_are_named_are_moved_and_the_others_keep_their_version(desk: Office, rt: Runtime) -> None:
    load(desk, (M1, 'target = "P30D"'))
    migrate(desk, "P-002")
    with rt.sessions.reading() as session:
        rows = session.execute(select(participants.c.code, participants.c.protocol_version_id).order_by("code")).all()
    assert rows[0][1] != rows[1][1]
    assert moved(migrate(desk)) == {"P-001": ["M1"]}


def test_an_open_window_takes_its_answers_along_and_sends_nothing_twice(desk: Office, phones: Telephones) -> None:
    desk.until("2026-04-02 10:00")
    sent = len(phones.to(PHONE))
    entry.enter(desk.rt, STAFF, desk.study_id, "P-001", "M1", entry.Filled({"PGIC": "2"}))
    load(desk, (M1, 'target = "P30D"'))
    migrate(desk, "P-001")
    window = next(one for one in desk.case.current if one.code == "M1")
    assert (window.answers["PGIC"].value, window.answers["PGIC"].in_window) == (2, True)
    desk.beat()
    assert len(phones.to(PHONE)) == sent
    desk.until("2026-04-03 18:30")
    assert len(phones.to(PHONE)) == sent + 1


def test_other_words_alone_move_no_window(desk: Office) -> None:
    load(desk, ('title = "Demonstration"', 'title = "Demonstration, second version"'))
    done = migrate(desk)
    assert moved(done) == {"P-001": [], "P-002": []}
    assert {window.schedule for window in desk.case.current} == {1}


def test_a_version_that_lost_an_item_is_refused_for_everybody_by_name(desk: Office) -> None:
    load(
        desk,
        ('items = ["NRS-AVG", "PGIC"]', 'items = ["NRS-AVG", "PGI"]'),
        ('"NRS-NOW", "PGIC"', '"NRS-NOW", "PGI"'),
        ('id = "PGIC"', 'id = "PGI"'),
    )
    assert refused(desk) == [
        f"{code}: the new version has no item PGIC, which was asked already" for code in ("P-001", "P-002")
    ]


def test_nobody_unknown_is_moved(desk: Office) -> None:
    load(desk, (M1, 'target = "P30D"'))
    assert refused(desk, "P-001", "P-404") == ['--participant: there is no participant "P-404"']


def test_a_reason_is_needed(desk: Office) -> None:
    with pytest.raises(RejectedError) as error:
        migrate_participants(desk.rt, STAFF, desk.study_id, " ")
    assert error.value.faults[0].path == "--reason"


def test_whoever_is_moved_can_still_be_shown(desk: Office, rt: Runtime) -> None:
    load(desk, (M1, 'target = "P30D"'))
    migrate(desk)
    story = reporting.participant_story(rt, desk.study_id, "P-001")
    assert story is not None
    assert [(one["code"], one["status"]) for one in story["windows"] if one["status"] == "cancelled"] == [
        ("M1", "cancelled")
    ]
