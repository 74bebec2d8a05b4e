"""Withdrawals, a death, pauses: what stops at once, what goes on, and what begins again by itself."""

from datetime import date
from itertools import count

import pytest
from sqlalchemy import select, update

from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.schema import messages, tallies
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.support import SetClock
from tests.telephones import Telephones
from tests.use_cases.participants.changes import REASON, Office

PHONE = "+12025550123"
MONDAY = date(2026, 3, 2)
NUMBERS = count(1)


@pytest.fixture
def desk(rt: Runtime, study_id: int, clock: SetClock) -> Office:
    """Return the office of somebody who is asked by text; W1 is aimed at the 9th, open from the 8th to the 12th."""
    who = support.enrolled(rt, study_id, "P-001", MONDAY, phone=PHONE, baseline_nrs_avg="6", language="en")
    return Office(rt, study_id, clock, who)


def written(desk: Office, words: str) -> None:
    """The participant's telephone sends a text."""
    said = {"MessageSid": f"SM{next(NUMBERS):032d}", "From": PHONE, "To": "+15005550006", "Body": words}
    receive.receive(desk.rt, text_of(said))


# Withdrawn from messages ---------------------------------------------------------------------------------------------


@pytest.mark.shows("stopping: not withdrawal")
def test_who_wants_no_messages_gets_none_and_is_telephoned(desk: Office, phones: Telephones) -> None:
    told = desk.change("withdraw", from_="messages")
    assert {one.step for one in told.steps if one.at is not None} == {"call"}
    desk.until("2026-03-09 10:00")
    desk.until("2026-03-11 10:00")
    assert phones.sent == []
    assert [one.level for one in desk.case.escalations if one.open] == ["E1"]
    assert desk.audited("opt_out") == [("cli:office", REASON)]


@databases.ON_BOTH
def test_a_prompt_that_waits_is_withdrawn_with_the_messages(desk: Office, phones: Telephones) -> None:
    desk.clock.now = support.at("2026-03-09 10:00")
    tick(desk.rt)
    told = desk.change("withdraw", from_="messages")
    assert [(text.kind, text.fate) for text in told.texts] == [("invitation", "withdrawn")]
    desk.beat()
    assert phones.sent == []


# Withdrawn from the study --------------------------------------------------------------------------------------------


@pytest.mark.shows("turn: withdrawal")
@databases.ON_BOTH
def test_a_withdrawal_ends_open_windows_and_work_and_keeps_what_was(desk: Office, phones: Telephones) -> None:
    desk.until("2026-03-11 10:00")
    sent = len(phones.sent)
    told = desk.change("withdraw", from_="study")
    assert desk.statuses(told) == {"V0": "partial", "W1": "withdrawn", "M1": "withdrawn", "M3": "withdrawn"}
    assert {(one.level, one.outcome) for one in told.tasks} == {("E1", "withdraws")}
    assert all(one.at is None for one in told.steps)
    desk.until("2026-03-30 10:00")
    assert len(phones.sent) == sent
    assert [one for one in desk.case.escalations if one.open] == []


@pytest.mark.shows("turn: withdrawal")
def test_a_safety_matter_outlives_a_withdrawal(desk: Office) -> None:
    desk.until("2026-03-09 10:00")
    written(desk, "I can't breathe")
    told = desk.change("withdraw", from_="study")
    assert [one.outcome for one in told.tasks if one.level == "ES"] == [None]


def test_a_withdrawal_said_earlier_counts_windows_anew(desk: Office, rt: Runtime) -> None:
    desk.until("2026-03-14 10:00")
    told = desk.change("withdraw", from_="study", on="2026-03-10")
    assert desk.statuses(told)["W1"] == "withdrawn"
    with rt.sessions.reading() as session:
        t = tallies.c
        counted = {(row.code, row.status) for row in session.execute(select(t.code, t.status).where(t.count > 0))}
    assert ("W1", "withdrawn_after_opening") in counted
    assert ("W1", "missed") not in counted


def test_a_withdrawal_to_come_is_refused(desk: Office) -> None:
    assert desk.refused("withdraw", from_="study", on="2026-03-20") == [("on", "in_future")]
    assert desk.refused("withdraw", from_="messages", on="2026-03-01") == [("on", "no_day_needed")]
    assert desk.refused("withdraw", from_="everything") == [("from", "not_to_withdraw_from")]


def test_withdrawing_twice_changes_nothing(desk: Office, rt: Runtime) -> None:
    desk.change("withdraw", from_="study")
    rows = support.rows_of(rt)
    assert desk.change("withdraw", from_="study").unchanged
    assert support.rows_of(rt) == rows


# A death -------------------------------------------------------------------------------------------------------------


@pytest.mark.shows("turn: death")
@pytest.mark.parametrize("left", ["withdraw", "died"])
@databases.ON_BOTH
def test_what_was_entered_by_mistake_is_undone_and_the_participant_is_asked_and_called(
    desk: Office, phones: Telephones, left: str
) -> None:
    desk.until("2026-03-11 11:00")
    assert {e.level for e in desk.case.escalations if e.open} == {"E1"}
    desk.change(left, **({"from_": "study"} if left == "withdraw" else {}))
    assert [e for e in desk.case.escalations if e.open] == []
    desk.change("reinstate")
    assert desk.case.participant.left_at is None
    assert {e.level for e in desk.case.escalations if e.open} == {"E1"}
    assert desk.audited("reinstate") == [("cli:office", REASON)]
    sent = len(phones.sent)
    desk.until("2026-04-03 10:00")
    assert len(phones.sent) > sent
    assert desk.change("reinstate").unchanged


@databases.ON_BOTH
def test_a_window_that_closed_meanwhile_is_counted_again_when_a_death_is_undone(desk: Office, rt: Runtime) -> None:
    desk.clock.now = support.at("2026-03-09 11:00")
    desk.change("died")
    desk.until("2026-03-14 11:00")
    desk.change("reinstate")
    t = tallies.c
    with rt.sessions.reading() as session:
        found = session.execute(select(t.status, t["count"]).where(t.code == "W1", t["count"] != 0)).all()
    assert [tuple(row) for row in found] == [("missed", 1)]


def test_a_withdrawal_before_a_death_that_is_undone_still_holds(desk: Office) -> None:
    desk.change("withdraw", from_="study")
    desk.change("died")
    desk.change("reinstate")
    assert (desk.case.participant.died_at, desk.case.participant.withdrawn_at is None) == (None, False)
    desk.change("reinstate")
    assert desk.case.participant.left_at is None


@pytest.mark.shows("turn: death")
@databases.ON_BOTH
def test_nothing_leaves_any_more_not_even_an_acknowledgement(desk: Office, phones: Telephones, rt: Runtime) -> None:
    desk.until("2026-03-09 10:00")
    sent = len(phones.sent)
    desk.clock.now = support.at("2026-03-09 12:00")
    written(desk, "STOP")
    with rt.sessions.reading() as session:
        assert "stopped" in session.scalars(select(messages.c.frame).where(messages.c.state == "ready")).all()
    told = desk.change("died")
    assert ("ack", "withdrawn") in {(text.kind, text.fate) for text in told.texts}
    desk.beat()
    written(desk, "STOP")
    written(desk, "7")
    desk.until("2026-03-30 10:00")
    assert len(phones.sent) == sent
    assert {desk.statuses(told)[code] for code in ("W1", "M1", "M3")} == {"died"}
    assert desk.audited("died") == [("cli:office", REASON)]


@pytest.mark.shows("turn: death")
@databases.ON_BOTH
def test_a_text_that_comes_back_to_the_queue_does_not_leave_after_a_death(
    desk: Office, phones: Telephones, rt: Runtime
) -> None:
    desk.clock.now = support.at("2026-03-09 12:00")
    written(desk, "STOP")
    desk.change("died")
    with rt.sessions.begin() as session:
        session.execute(update(messages).where(messages.c.frame == "stopped").values(state="ready", ended_at=None))
    desk.beat()
    assert phones.sent == []


def test_a_death_ends_all_work(desk: Office) -> None:
    desk.until("2026-03-11 10:00")
    told = desk.change("died", on="2026-03-10")
    assert {one.outcome for one in told.tasks} == {"died"}
    assert desk.case.participant.died_at == support.at("2026-03-10 00:00")
    assert desk.refused("withdraw", from_="study") == [("", "has_died")]


# A pause -------------------------------------------------------------------------------------------------------------


@pytest.mark.shows("turn: pause")
@databases.ON_BOTH
def test_a_pause_holds_prompts_and_ends_by_itself(desk: Office, phones: Telephones) -> None:
    told = desk.change("pause", until="2026-03-10")
    # The demonstration's contact hours are all day.
    assert {(one.window, one.step): one.at for one in told.steps}["W1", "invitation"] == support.at("2026-03-10 00:00")
    desk.until("2026-03-09 10:00")
    desk.until("2026-03-09 18:30")
    assert phones.sent == []
    loaded = support.loaded(desk.rt, desk.who)
    assert loaded.next_check_at is not None
    assert loaded.next_check_at <= support.at("2026-03-10 00:00")
    desk.until("2026-03-10 00:00")
    assert len(phones.sent) == 1


@pytest.mark.shows("turn: pause")
def test_calls_go_on_during_a_pause_and_the_windows_inside_it_are_said(desk: Office) -> None:
    told = desk.change("pause", until="2026-03-20")
    assert [(note.code, note.values["window"]) for note in told.notes] == [("window_in_pause", "W1")]
    desk.until("2026-03-11 10:00")
    assert [one.level for one in desk.case.escalations if one.open] == ["E1"]


def test_a_pause_to_the_end_of_everything_is_said(desk: Office) -> None:
    assert [note.code for note in desk.preview("pause", until="2026-12-31").notes] == ["paused_to_the_end"]


def test_a_pause_is_ended_before_its_day(desk: Office, phones: Telephones) -> None:
    desk.change("pause", until="2026-03-12")
    desk.until("2026-03-09 12:00")
    desk.change("resume")
    desk.beat()
    assert len(phones.sent) == 1
    assert desk.audited("resume") == [("cli:office", REASON)]
    assert desk.change("resume").unchanged


@databases.ON_BOTH
def test_a_pause_that_is_made_longer_began_when_it_began(desk: Office) -> None:
    desk.change("pause", until="2026-03-10")
    began = desk.case.participant.paused_at
    desk.until("2026-03-05 12:00")
    desk.change("pause", until="2026-03-11")
    assert desk.case.participant.paused_at == began


def test_resuming_ends_the_hold_after_a_stop_word_in_a_sentence(desk: Office) -> None:
    desk.until("2026-03-09 10:00")
    written(desk, "please stop asking me at work")
    assert desk.case.participant.texts_held_until is not None
    desk.change("resume")
    assert desk.case.participant.texts_held_until is None


def test_a_pause_needs_a_day_to_come_and_somebody_who_is_there(desk: Office) -> None:
    assert desk.refused("pause", until="2026-03-02") == [("until", "not_ahead")]
    assert desk.refused("pause") == [("until", "date_empty")]
    desk.change("died")
    assert desk.refused("pause", until="2026-03-09") == [("", "has_left_for_good")]
