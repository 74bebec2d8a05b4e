"""An outage asks later, not never: whoever was not asked is invited as long as an answer is of use."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from pro_service.core.case import MessageFacts
from pro_service.core.schedule.prompts import skipped_prompts
from pro_service.gateways.outgoing import Refused
from pro_service.runtime import Runtime
from pro_service.store.schema import audit_trail
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.participants import change
from pro_service.use_cases.participants.change_form import ChangeForm
from pro_service.use_cases.tick import tick
from tests import support
from tests.telephones import Telephones

INVITED = support.at("2026-06-02 10:00")
"""When M3 asks; its reminders come on 4, 9 and 13 June, its window closes at the end of 16 June."""
CODE = "P-001"


@pytest.fixture
def who(rt: Runtime, study_id: int, clock: support.SetClock) -> int:
    """Return somebody who answered everything before M3, and whom nothing has asked since."""
    clock.now = support.at("2026-03-02 15:00")
    cells = {"phone": "+12025550123", "channel": "sms-reply", "language": "en"}
    found = support.enrolled(rt, study_id, CODE, date(2026, 3, 2), **cells)
    for day, window in (("2026-03-09 09:00", "W1"), ("2026-04-02 09:00", "M1")):
        clock.now = support.at(day)
        support.answered(rt, CODE, window, {"NRS-AVG": "4", "PGIC": "2"})
    clock.now = support.at("2026-05-20 12:00")
    tick(rt)
    return found


def of_m3(rt: Runtime, who: int) -> list[MessageFacts]:
    case = support.loaded(rt, who).case
    window = next(one for one in case.current if one.code == "M3")
    return [text for text in case.messages if text.window_id == window.id]


def at_work(rt: Runtime, clock: support.SetClock, until: datetime) -> None:
    """Tick and deliver every hour."""
    while clock.now < until:
        clock.now += timedelta(hours=1)
        tick(rt)
        deliver(rt)


def accepted(rt: Runtime, who: int) -> list[str]:
    return [text.kind for text in of_m3(rt, who) if text.accepted_at is not None]


@pytest.mark.parametrize(
    "back, asked",
    [
        ("2026-06-03 12:00", "2026-06-03 12:00"),
        ("2026-06-03 23:00", "2026-06-03 23:00"),
        ("2026-06-05 20:00", "2026-06-05 20:00"),
        ("2026-06-14 10:00", "2026-06-14 10:00"),
    ],
)
def test_after_the_beats_stood_still_the_first_text_is_an_invitation(
    rt: Runtime, clock: support.SetClock, who: int, phones: Telephones, back: str, asked: str
) -> None:
    clock.now = support.at(back)
    while not phones.sent:
        tick(rt)
        deliver(rt)
        clock.now += timedelta(hours=1)
    assert accepted(rt, who) == ["invitation"]
    assert of_m3(rt, who)[0].queued_at == support.at(asked)
    assert "We do not have" not in phones.sent[0].body


@pytest.mark.usefixtures("phones")
def test_what_was_skipped_stands_in_the_trail_and_later_reminders_still_come(
    rt: Runtime, clock: support.SetClock, who: int
) -> None:
    clock.now = support.at("2026-06-05 20:00")
    at_work(rt, clock, support.at("2026-06-16 20:00"))
    assert accepted(rt, who) == ["invitation", "reminder-2", "reminder-3"]
    a = audit_trail.c
    with rt.sessions.reading() as session:
        said = session.scalars(select(a.changes).where(a.action == "queue", a.entity_id == of_m3(rt, who)[0].id)).one()
    assert '"skipped":[null,"reminder-1"]' in said.replace(" ", "")


def test_refused_credentials_ask_later(rt: Runtime, clock: support.SetClock, who: int, phones: Telephones) -> None:
    clock.now = INVITED - timedelta(hours=1)
    phones.faults.extend([Refused(20003, "credentials")] * 2000)
    at_work(rt, clock, support.at("2026-06-08 12:00"))
    assert accepted(rt, who) == []
    phones.faults.clear()
    at_work(rt, clock, support.at("2026-06-10 09:00"))
    assert accepted(rt, who) == ["invitation", "reminder-2"]
    assert {text.kind for text in of_m3(rt, who) if text.accepted_at is None} == {"invitation"}


@pytest.mark.usefixtures("phones")
def test_a_pause_asks_later(rt: Runtime, clock: support.SetClock, study_id: int, who: int) -> None:
    clock.now = support.at("2026-06-01 12:00")
    paused = ChangeForm("pause", {"until": "2026-06-06"}, "in hospital for some days")
    change.change(rt, support.SETUP, study_id, CODE, paused)
    at_work(rt, clock, support.at("2026-06-07 20:00"))
    assert accepted(rt, who) == ["invitation"]


@pytest.mark.usefixtures("phones")
def test_what_was_not_sent_is_shown_with_its_moment(rt: Runtime, clock: support.SetClock, who: int) -> None:
    clock.now = support.at("2026-06-04 20:00")
    assert shown_as_skipped(rt, who, clock.now) == []
    at_work(rt, clock, support.at("2026-06-07 20:00"))
    assert shown_as_skipped(rt, who, clock.now) == [("2026-06-04 18:30", "reminder-1")]
    support.answered(rt, CODE, "M3", {"NRS-AVG": "4", "PGIC": "2"})
    assert shown_as_skipped(rt, who, clock.now + timedelta(days=20)) == [("2026-06-04 18:30", "reminder-1")]


@pytest.mark.usefixtures("phones")
def test_of_a_window_that_nobody_was_asked_in_every_prompt_is_shown(
    rt: Runtime, clock: support.SetClock, who: int
) -> None:
    clock.now = support.at("2026-06-17 20:00")
    assert [kind for _, kind in shown_as_skipped(rt, who, clock.now)] == [
        "invitation",
        "reminder-1",
        "reminder-2",
        "reminder-3",
    ]


def shown_as_skipped(rt: Runtime, who: int, now: datetime) -> list[tuple[str, str]]:
    case = support.loaded(rt, who).case
    window = next(one for one in case.current if one.code == "M3")
    return [
        (f"{at.astimezone(support.ISTANBUL):%Y-%m-%d %H:%M}", kind) for at, kind in skipped_prompts(case, window, now)
    ]


@pytest.mark.usefixtures("phones")
def test_nothing_is_asked_when_an_answer_is_of_no_use_any_more(rt: Runtime, clock: support.SetClock, who: int) -> None:
    clock.now = support.at("2026-06-16 19:00")
    at_work(rt, clock, support.at("2026-06-17 20:00"))
    assert of_m3(rt, who) == []
