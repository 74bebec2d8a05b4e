"""The inbox: what no rule understood waits for a person, unanswered first; what was understood does not."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pro_service.reports import inbox as report_inbox
from pro_service.reports.inbox import Look, Reader
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.schema import inbound
from pro_service.use_cases.inbound import inbox
from pro_service.use_cases.inbound.inbox import About
from tests import support
from tests.peers import databases
from tests.use_cases.inbound.inbox.conftest import Says, only, open_tasks, unreadable, waiting


@pytest.mark.shows("inbox: not understood")
def test_what_was_asked_again_twice_waits_for_a_person(
    rt: Runtime, participant: int, says: Says, reader: Reader
) -> None:
    says("7-8")
    says("7 or 8")
    assert waiting(rt, reader) == []
    says("seven and a bit")
    item = only(rt, reader)
    assert (item.participant, item.why, item.text) == ("P-001", "unreadable_reply", "seven and a bit")
    assert open_tasks(rt, participant) == ["unreadable_reply"]


def test_a_text_whose_task_is_open_already_waits_as_well(rt: Runtime, participant: int, says: Says) -> None:
    del participant
    unreadable(says)
    says("about seven I think")
    with rt.sessions.reading() as session:
        i = inbound.c
        assert len(session.scalars(select(i.id).where(i.handed_at.is_not(None))).all()) == 2


@pytest.mark.parametrize(
    "body, more, why",
    [
        ("my mother says 5", {}, "proxy_answer"),
        ("please stop it with these", {}, "stop_word"),
        ("wrong number", {}, "wrong_number"),
        ("", {"NumMedia": "1", "MediaUrl0": "https://example.org/1"}, "picture"),
        ("I can't breathe", {}, "safety_word"),
    ],
)
def test_what_only_a_person_can_judge_waits(
    rt: Runtime, participant: int, says: Says, reader: Reader, body: str, more: dict[str, str], why: str
) -> None:
    del participant
    says(body, **more)
    item = only(rt, reader)
    assert (item.why, item.media) == (why, int(more.get("NumMedia", "0")))


@pytest.mark.parametrize("body", ["7", "HELP", "STOP", "call me", "tomorrow", "Liked \u201cyour question\u201d"])
@databases.ON_BOTH
def test_what_the_rules_understood_waits_for_nobody(
    rt: Runtime, participant: int, says: Says, reader: Reader, body: str
) -> None:
    del participant
    says(body)
    assert waiting(rt, reader) == []


@databases.ON_BOTH
def test_a_text_that_stays_unread_waits_after_a_quarter_of_an_hour(
    rt: Runtime, participant: int, says: Says, reader: Reader, clock: support.SetClock
) -> None:
    del participant
    says("7")
    with rt.sessions.begin() as session:
        session.execute(update(inbound).values(interpreted_at=None, participant_id=None))
    assert waiting(rt, reader) == []
    clock.now += timedelta(minutes=16)
    assert (only(rt, reader).why, only(rt, reader).owners) == ("unread", ("P-001",))


@databases.ON_BOTH
def test_unanswered_comes_first_and_pages_follow_on(
    rt: Runtime, participant: int, says: Says, reader: Reader, actor: Actor
) -> None:
    del participant
    for number in range(30):
        says(f"my mother says {number}")
    first = waiting(rt, reader)
    inbox.done(rt, actor, About(first[0].id, reader))
    with rt.sessions.reading() as session:
        page, more = report_inbox.page(session, rt.vault, reader, Look("all"), rt.clock())
        rest, last = report_inbox.page(session, rt.vault, reader, Look("all", after=page[-1].place), rt.clock())
        assert report_inbox.count(session, reader, rt.clock()) == 29
    assert (len(page), more, len(rest), last) == (25, True, 5, False)
    assert [item.text for item in (*page, *rest)] == [f"my mother says {n}" for n in (*range(1, 30), 0)]
    assert waiting(rt, reader, "all", "picture") == []


@databases.ON_BOTH
def test_the_thread_holds_both_sides_in_order(rt: Runtime, participant: int, says: Says, reader: Reader) -> None:
    del participant
    unreadable(says)
    with rt.sessions.reading() as session:
        bubbles = report_inbox.thread(session, rt.vault, reader, only(rt, reader).id)
    assert [bubble.ours for bubble in bubbles] == [True, False, True, False, True, False, True]
    assert bubbles[1].text == "7-8"
    assert "your question" in (bubbles[0].text or "").lower()
