"""Answers that staff enter: in the clinic, on the telephone, corrected, late."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import select

from pro_service.core.case import WindowFacts
from pro_service.core.problems import RejectedError
from pro_service.runtime import Runtime, open_runtime
from pro_service.settings import Settings
from pro_service.store.audit import Actor
from pro_service.store.schema import responses
from pro_service.use_cases.participants import entry
from pro_service.use_cases.participants.entry import Filled
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases

pytestmark = databases.ON_BOTH

OPEN = support.at("2026-03-11 11:00")


class Desk:
    """A coordinator with one participant's forms."""

    def __init__(self, rt: Runtime, clock: support.SetClock) -> None:
        self.rt, self.clock = rt, clock
        self.study_id = support.load_demo(rt)
        clock.now = support.at("2026-03-02 15:00")
        self.participant = support.enrolled(rt, self.study_id, "P-001", date(2026, 3, 2))
        self.user = support.coordinator(rt)
        self.actor = Actor(kind="staff", id=f"user:{self.user}", source="dashboard", user_id=self.user)
        clock.now = OPEN
        tick(rt)

    def enter(self, window: str, filled: Filled) -> entry.Entered:
        return entry.enter(self.rt, self.actor, self.study_id, "P-001", window, filled)

    def window(self, code: str) -> WindowFacts:
        case = support.loaded(self.rt, self.participant).case
        return next(window for window in case.current if window.code == code)

    def faults(self, window: str, filled: Filled) -> set[tuple[str, str]]:
        with pytest.raises(RejectedError) as rejected:
            self.enter(window, filled)
        return {(fault.path, fault.code) for fault in rejected.value.faults}


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    """Return a desk at which the one-week window is open."""
    clock = support.SetClock(OPEN)
    rt = support.with_clock(open_runtime(settings), clock)
    yield Desk(rt, clock)
    rt.close()


def test_what_was_told_on_the_telephone_is_kept_with_who_entered_it(desk: Desk) -> None:
    task = next(e.id for e in support.loaded(desk.rt, desk.participant).case.escalations if e.level == "E1")
    kept = desk.enter("W1", Filled({"NRS-AVG": "4", "PGIC": "2"}, mode="telephone", task=task))
    assert kept.items == ("NRS-AVG", "PGIC")
    with desk.rt.sessions.reading() as session:
        row = session.execute(select(responses).where(responses.c.item == "NRS-AVG")).one()
    assert (row.value, row.source, row.entered_by, row.in_window) == (4, "telephone", desk.user, True)
    case = support.loaded(desk.rt, desk.participant).case
    assert [call.outcome for call in case.calls] == ["completed_now"]
    assert [e.outcome for e in case.escalations if e.id == task] == ["completed_now"]


def test_an_empty_field_is_missing_and_declined_is_an_answer(desk: Desk) -> None:
    desk.enter("W1", Filled({"NRS-AVG": "4", "PGIC": ""}))
    assert desk.window("W1").missing() == ("PGIC",)
    desk.enter("W1", Filled({}, declined={"PGIC"}))
    assert desk.window("W1").answers["PGIC"].declined


def test_every_fault_is_said_at_once_and_nothing_is_written(desk: Desk) -> None:
    found = desk.faults("W1", Filled({"NRS-AVG": "eleven", "PGIC": "8"}))
    assert found == {("NRS-AVG", "answer_no_number"), ("PGIC", "answer_out_of_range")}
    assert desk.faults("W1", Filled({"NRS-AVG": "", "PGIC": ""})) == {("", "nothing_entered")}
    assert desk.faults("W1", Filled({"NRS-AVG": "4"}, declined={"NRS-AVG"})) == {("NRS-AVG", "answer_and_declined")}
    assert desk.window("W1").answers == {}


def test_a_changed_answer_needs_a_reason_and_becomes_a_new_version(desk: Desk) -> None:
    desk.enter("W1", Filled({"NRS-AVG": "4"}))
    assert desk.faults("W1", Filled({"NRS-AVG": "6"})) == {("reason", "entry_reason_missing")}
    desk.enter("W1", Filled({"NRS-AVG": "6"}, reason="misheard"))
    assert (desk.window("W1").answers["NRS-AVG"].value, desk.window("W1").answers["NRS-AVG"].version) == (6, 2)


def test_the_same_again_needs_a_reason_too_and_changes_nothing(desk: Desk) -> None:
    desk.enter("W1", Filled({"NRS-AVG": "4"}))
    assert desk.faults("W1", Filled({"NRS-AVG": "4"})) == {("reason", "entry_reason_missing")}
    assert desk.enter("W1", Filled({"NRS-AVG": "4"}, reason="asked again")).items == ()
    assert desk.window("W1").answers["NRS-AVG"].version == 1


def test_a_wrong_answer_is_taken_away_with_a_reason_and_every_version_kept(desk: Desk) -> None:
    desk.enter("W1", Filled({"NRS-AVG": "4", "PGIC": "2"}))
    assert desk.faults("W1", Filled({}, cleared=("NRS-AVG",))) == {("reason", "entry_reason_missing")}
    assert desk.enter("W1", Filled({}, cleared=("NRS-AVG",), reason="the wrong person")).items == ("NRS-AVG",)
    assert desk.window("W1").missing() == ("NRS-AVG",)
    r = responses.c
    with desk.rt.sessions.reading() as session:
        kept = session.execute(select(r.value, r.cleared).where(r.item == "NRS-AVG").order_by(r.version)).all()
    assert [tuple(row) for row in kept] == [(4, False), (None, True)]
    assert desk.faults("W1", Filled({}, cleared=("NRS-AVG",), reason="again")) == {("NRS-AVG", "answer_not_saved")}
    assert desk.faults("W1", Filled({"PGIC": "3"}, cleared=("PGIC",), reason="x")) == {("PGIC", "answer_and_declined")}


def test_a_call_that_an_answer_ended_is_to_be_made_again_when_the_answer_is_taken_away(desk: Desk) -> None:
    task = next(e.id for e in support.loaded(desk.rt, desk.participant).case.escalations if e.level == "E1")
    desk.enter("W1", Filled({"NRS-AVG": "4"}, mode="telephone"))
    desk.enter("W1", Filled({}, cleared=("NRS-AVG",), reason="the wrong person"))
    case = support.loaded(desk.rt, desk.participant).case
    assert [e.open for e in case.escalations if e.id == task] == [True]


def test_a_window_that_has_closed_counts_as_missed_when_its_answer_is_taken_away(desk: Desk) -> None:
    desk.enter("W1", Filled({"NRS-AVG": "4", "PGIC": "2"}))
    desk.clock.now = support.at("2026-03-14 11:00")
    tick(desk.rt)
    assert desk.window("W1").settled == "completed_in_window"
    desk.enter("W1", Filled({}, cleared=("NRS-AVG", "PGIC"), reason="the wrong person"))
    assert desk.window("W1").settled == "missed"
    case = support.loaded(desk.rt, desk.participant).case
    window = desk.window("W1").id
    assert [e.open for e in case.escalations if e.level == "E3" and e.window_id == window] == [True]


def test_after_the_close_a_reason_is_needed_and_the_answer_is_late(desk: Desk) -> None:
    assert desk.faults("V0", Filled({"NRS-AVG": "8"})) == {("reason", "entry_reason_missing")}
    desk.enter("V0", Filled({"NRS-AVG": "8", "NRS-NOW": "7"}, reason="found on paper"))
    assert not desk.window("V0").answers["NRS-AVG"].in_window
    assert desk.window("V0").settled == "completed_late"


def test_a_window_that_has_not_opened_takes_nothing(desk: Desk) -> None:
    assert desk.faults("M1", Filled({"NRS-AVG": "3"})) == {("", "window_not_open")}


def test_a_form_from_before_a_change_writes_nothing(desk: Desk) -> None:
    seen = support.loaded(desk.rt, desk.participant).case.participant.revision
    desk.enter("W1", Filled({"NRS-AVG": "4"}, revision=seen))
    with pytest.raises(StaleError):
        desk.enter("W1", Filled({"PGIC": "2"}, revision=seen))
    assert desk.window("W1").missing() == ("PGIC",)


def test_another_sites_participant_is_not_there(desk: Desk) -> None:
    with pytest.raises(KeyError):
        entry.enter(desk.rt, desk.actor, desk.study_id, "P-001", "W1", Filled({"NRS-AVG": "4"}), sites={-1})
    with pytest.raises(KeyError):
        desk.enter("W9", Filled({"NRS-AVG": "4"}))
