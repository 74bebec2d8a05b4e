"""A text that asks for a call at a time of day: the reply, the task, what is kept of it, and one task however often."""

import json
from collections.abc import Callable
from datetime import date
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select

from pro_service.core.case import EscalationFacts
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.schema import audit_trail, escalations
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tasks import calls
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

PHONE = "+12025550123"
NUMBERS = count(1)
Texting = Callable[[str, str], str]


@pytest.fixture
def participant(rt: Runtime, study_id: int, clock: support.SetClock) -> int:
    """Return someone who was just asked by text for the pain score of one week."""
    found = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=PHONE, channel="sms-reply")
    clock.now = support.at("2026-03-09 10:00")
    tick(rt)
    deliver(rt)
    return found


@pytest.fixture
def says(rt: Runtime, clock: support.SetClock, participant: int, phones: Telephones) -> Texting:
    """Return a way to text from the participant's telephone at a moment; gives the reply."""

    def text(when: str, body: str) -> str:
        clock.now = support.at(when)
        sid = f"SM{next(NUMBERS):032d}"
        receive.receive(rt, text_of({"MessageSid": sid, "From": PHONE, "To": "+15005550006", "Body": body}))
        deliver(rt)
        return phones.to(PHONE)[-1]

    assert participant
    return text


def row(rt: Runtime, task_id: int) -> Any:
    with rt.sessions.reading() as session:
        return session.execute(select(escalations).where(escalations.c.id == task_id)).one()


def audited(rt: Runtime, action: str) -> list[dict[str, list[object]]]:
    a = audit_trail.c
    with rt.sessions.reading() as session:
        found = session.scalars(select(a.changes).where(a.action == action, a.entity == "escalation").order_by(a.id))
        return [json.loads(changes) for changes in found]


def call_task(rt: Runtime, participant: int) -> EscalationFacts:
    return next(task for task in support.loaded(rt, participant).case.escalations if task.asked_at is not None)


@pytest.mark.shows("stopping: call at a time")
def test_a_wish_for_the_evening_is_answered_and_kept_with_its_part_of_the_day(
    rt: Runtime, participant: int, says: Texting
) -> None:
    assert "9 Mart Pazartesi 16:00 ile 17:00 arası" in says("2026-03-09 11:00", "beni akşam arayın")
    task = row(rt, call_task(rt, participant).id)
    assert (task.level, task.reason, task.part_of_day) == ("E1", "asked_for_call", "evening")
    assert (task.due_at, task.look_again_at) == (support.at("2026-03-09 16:30"), support.at("2026-03-09 16:00"))
    assert task.asked_at == support.at("2026-03-09 11:00")
    assert audited(rt, "escalate")[-1]["part_of_day"] == [None, "evening"]


@pytest.mark.shows("stopping: call at a time")
@databases.ON_BOTH
def test_a_second_wish_moves_the_task_that_is_there(rt: Runtime, participant: int, says: Texting) -> None:
    says("2026-03-09 11:00", "beni akşam arayın")
    before = support.rows_of(rt)["escalations"]
    assert "10 Mart Salı 09:00 ile 12:00 arası" in says("2026-03-09 12:00", "yarın sabah arayın lütfen")
    assert support.rows_of(rt)["escalations"] == before
    task = row(rt, call_task(rt, participant).id)
    assert (task.part_of_day, task.due_at) == ("morning", support.at("2026-03-10 11:30"))
    assert task.look_again_at == support.at("2026-03-10 09:00")
    assert [change["part_of_day"] for change in audited(rt, "ask_for_call")] == [["evening", "morning"]]
    assert "mesai saatlerinde" in says("2026-03-09 13:00", "beni arayın")
    task = row(rt, call_task(rt, participant).id)
    assert (task.part_of_day, task.look_again_at) == (None, None)
    assert audited(rt, "ask_for_call")[-1]["part_of_day"] == ["morning", "any"]


def test_a_call_that_was_put_off_comes_back_when_they_ask_for_it(
    rt: Runtime, participant: int, says: Texting, clock: support.SetClock
) -> None:
    clock.now = support.at("2026-03-11 11:00")
    tick(rt)
    task = next(e for e in support.loaded(rt, participant).case.escalations if e.reason == "unanswered")
    user = support.coordinator(rt)
    by = Actor(kind="staff", id=f"user:{user}", source="dashboard", user_id=user)
    calls.record(rt, by, task.id, calls.CallResult("call_back_at", support.at("2026-03-12 10:00")))
    says("2026-03-11 12:30", "öğlen ararsanız sevinirim")
    moved = row(rt, task.id)
    assert (moved.part_of_day, moved.due_at) == ("afternoon", support.at("2026-03-11 15:30"))
    assert moved.look_again_at is None


def test_nobody_answers_in_the_evening_and_the_evening_is_tried_again(
    rt: Runtime, participant: int, says: Texting, clock: support.SetClock
) -> None:
    says("2026-03-10 11:00", "akşam arayın")
    task = call_task(rt, participant)
    user = support.coordinator(rt)
    clock.now = support.at("2026-03-10 16:10")
    calls.record(rt, Actor("staff", f"user:{user}", "dashboard", user_id=user), task.id, calls.CallResult("no_answer"))
    assert row(rt, task.id).look_again_at == support.at("2026-03-11 16:30")


def test_a_wish_of_its_own_ends_with_the_call_in_which_they_were_spoken_to(
    rt: Runtime, participant: int, says: Texting, clock: support.SetClock
) -> None:
    says("2026-03-09 10:05", "4")
    says("2026-03-09 10:10", "2")
    says("2026-03-09 11:00", "beni akşam arayın")
    task = call_task(rt, participant)
    assert task.level == "E0"
    user = support.coordinator(rt)
    by = Actor(kind="staff", id=f"user:{user}", source="dashboard", user_id=user)
    clock.now = support.at("2026-03-09 16:05")
    calls.record(rt, by, task.id, calls.CallResult("no_answer"))
    tick(rt)
    assert call_task(rt, participant).open
    clock.now = support.at("2026-03-09 16:20")
    calls.record(rt, by, task.id, calls.CallResult("will_do_it"))
    tick(rt)
    assert call_task(rt, participant).outcome == "will_do_it"
