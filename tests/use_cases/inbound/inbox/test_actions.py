"""What a person does with a text: keep its score, answer it, call, mark it, or nothing; each thing once."""

from datetime import date

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DatabaseError

from pro_service.core.problems import RejectedError
from pro_service.reports import inbox as report_inbox
from pro_service.reports.inbox import Reader
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.schema import inbox_actions, messages, participants, responses
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import inbox
from pro_service.use_cases.inbound.inbox import About, DoneAlreadyError, Score
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones
from tests.use_cases.inbound.inbox.conftest import (
    PHONE,
    STRANGER,
    Says,
    about,
    actions,
    only,
    open_tasks,
    unreadable,
    waiting,
)


@pytest.mark.shows("inbox: record")
@databases.ON_BOTH
def test_a_score_is_kept_from_the_text_by_its_arrival_with_who_and_why(
    rt: Runtime, participant: int, says: Says, reader: Reader, actor: Actor, clock: support.SetClock
) -> None:
    unreadable(says)
    arrived = clock.now
    clock.now = support.at("2026-03-20 10:00")
    tick(rt)
    score = Score("W1", "NRS-AVG", "7", "wrote that it was seven and a bit; asked back by telephone")
    inbox.record(rt, actor, about(rt, reader, participant), score)
    window = next(w for w in support.loaded(rt, participant).case.current if w.code == "W1")
    answer = window.answers["NRS-AVG"]
    assert (answer.value, answer.source, answer.received_at, answer.in_window) == (7, "sms", arrived, True)
    with rt.sessions.reading() as session:
        r = responses.c
        kept = session.execute(select(r.entered_by, r.reason, r.inbound_id).where(r.item == "NRS-AVG")).one()
    assert (kept.entered_by, support.typed(rt, kept.reason)) == (actor.user_id, score.reason)
    assert kept.inbound_id is not None
    assert open_tasks(rt, participant) == []
    assert waiting(rt, reader) == []
    assert actions(rt)[-4:].count("inbox_record") == 1


def test_another_value_keeps_both_versions(
    rt: Runtime, participant: int, says: Says, reader: Reader, actor: Actor
) -> None:
    says("7")
    says("2")
    says("my mother says it was 5")
    inbox.record(rt, actor, about(rt, reader, participant), Score("W1", "NRS-AVG", "5", "she confirmed it herself"))
    with rt.sessions.reading() as session:
        r = responses.c
        kept = session.execute(select(r.version, r.value).where(r.item == "NRS-AVG").order_by(r.version)).all()
    assert [tuple(row) for row in kept] == [(1, 7), (2, 5)]


@pytest.mark.parametrize(
    "score, faults",
    [
        (Score("W1", "NRS-AVG", "11", ""), {"value": "score_out_of_range", "reason": "score_reason_missing"}),
        (Score("M1", "NRS-AVG", "seven", "why"), {"window": "score_window", "value": "answer_no_number"}),
        (Score("W1", "SHOE-SIZE", "7", "why"), {"item": "score_item"}),
    ],
)
def test_everything_wrong_with_a_score_is_said_at_once(
    rt: Runtime, participant: int, says: Says, reader: Reader, actor: Actor, score: Score, faults: dict[str, str]
) -> None:
    unreadable(says)
    with pytest.raises(RejectedError) as rejected:
        inbox.record(rt, actor, about(rt, reader, participant), score)
    assert {fault.path: fault.code for fault in rejected.value.faults} == faults
    assert support.rows_of(rt)["responses"] == 0


@pytest.mark.shows("inbox: answer")
@databases.ON_BOTH
def test_an_answer_is_one_of_the_studys_texts_and_goes_through_the_outbox(
    rt: Runtime, participant: int, says: Says, reader: Reader, actor: Actor, phones: Telephones
) -> None:
    unreadable(says)
    sent = len(phones.sent)
    inbox.answer(rt, actor, about(rt, reader, participant), "reask")
    assert len(phones.sent) == sent
    deliver(rt)
    assert "Please send only one whole number from 0 to 10." in phones.to(PHONE)[-1]
    says("7")
    assert support.loaded(rt, participant).case.current[1].answers["NRS-AVG"].value == 7


def test_no_other_words_can_be_sent(rt: Runtime, participant: int, says: Says, reader: Reader, actor: Actor) -> None:
    unreadable(says)
    for template in ("Please take your pill", "invitation.sms-reply", "unscheduled", "thanks"):
        with pytest.raises(RejectedError):
            inbox.answer(rt, actor, about(rt, reader, participant), template)


@pytest.mark.parametrize("fact", ["opted_out_at", "withdrawn_at", "died_at", "unreachable_at", "consented_at"])
def test_a_person_has_no_way_round_the_gate(
    rt: Runtime, participant: int, says: Says, reader: Reader, actor: Actor, fact: str
) -> None:
    unreadable(says)
    with rt.sessions.begin() as session:
        value = None if fact == "consented_at" else rt.clock()
        session.execute(update(participants).values({fact: value}))
    for template in ("help", "handed-over", "reask"):
        with pytest.raises(RejectedError):
            inbox.answer(rt, actor, about(rt, reader, participant), template)


@pytest.mark.shows("inbox: call")
def test_a_call_is_the_windows_own_task_while_its_answer_is_missing(
    rt: Runtime, participant: int, says: Says, reader: Reader, actor: Actor
) -> None:
    unreadable(says)
    inbox.call(rt, actor, about(rt, reader, participant))
    calls = [e for e in support.loaded(rt, participant).case.escalations if e.level == "E1"]
    assert [(call.reason, call.open) for call in calls] == [("asked_for_call", True)]
    assert open_tasks(rt, participant) == []


@pytest.mark.shows("inbox: once")
@databases.ON_BOTH
def test_a_second_click_does_nothing_and_is_told_who_was_first(
    rt: Runtime, participant: int, says: Says, reader: Reader, actor: Actor
) -> None:
    unreadable(says)
    seen = about(rt, reader, participant)
    inbox.answer(rt, actor, seen, "help")
    before = support.rows_of(rt)
    with pytest.raises(DoneAlreadyError) as told:
        inbox.answer(rt, actor, seen, "help")
    assert (told.value.done.who, told.value.done.detail) == (support.EMAIL, "help")
    assert support.rows_of(rt) == before


@pytest.mark.shows("inbox: once")
def test_a_stale_page_writes_nothing(rt: Runtime, participant: int, says: Says, reader: Reader, actor: Actor) -> None:
    unreadable(says)
    seen = about(rt, reader, participant)
    says("2")
    before = support.rows_of(rt)
    with pytest.raises(StaleError):
        inbox.record(rt, actor, seen, Score("W1", "NRS-AVG", "7", "why"))
    assert support.rows_of(rt) == before


@pytest.mark.shows("inbox: reveals treatment")
@databases.ON_BOTH
def test_what_reveals_the_treatment_is_hidden_for_good(
    rt: Runtime, participant: int, says: Says, reader: Reader, actor: Actor, study_id: int
) -> None:
    says("please stop, the cortisone shot did nothing")
    seen = about(rt, reader, participant)
    inbox.reveal(rt, actor, seen)
    assert only(rt, reader).text is None
    lead = Reader(study_id, None, strangers=True, revealing=True)
    assert "cortisone" in (only(rt, lead).text or "")
    with rt.sessions.reading() as session:
        bubbles = report_inbox.thread(session, rt.vault, reader, seen.inbound_id)
    assert [bubble.text for bubble in bubbles if bubble.reveals] == [None]
    with pytest.raises(DoneAlreadyError):
        inbox.reveal(rt, actor, seen)
    with pytest.raises(DatabaseError, match="append-only"), rt.sessions.begin() as session:
        session.execute(update(inbox_actions).values(action="done"))


@databases.ON_BOTH
def test_done_ends_the_waiting_and_its_task(
    rt: Runtime, participant: int, says: Says, reader: Reader, actor: Actor
) -> None:
    unreadable(says)
    inbox.done(rt, actor, about(rt, reader, participant), "she had answered on the web")
    assert waiting(rt, reader) == []
    assert [item.handled_at for item in waiting(rt, reader, "done")] == [rt.clock()]
    assert open_tasks(rt, participant) == []


@pytest.mark.shows("inbox: unknown sender")
@databases.ON_BOTH
def test_a_text_from_nobodys_telephone_waits_for_those_who_see_the_whole_study(
    rt: Runtime, study_id: int, says: Says, reader: Reader, actor: Actor
) -> None:
    says("hello, it is me", STRANGER)
    assert only(rt, reader).why == "unknown_sender"
    assert waiting(rt, Reader(study_id, frozenset({1}), strangers=False)) == []
    with pytest.raises(RejectedError):
        inbox.record(rt, actor, About(only(rt, reader).id, reader), Score("W1", "NRS-AVG", "7", "why"))
    inbox.done(rt, actor, About(only(rt, reader).id, reader))
    assert waiting(rt, reader) == []
    assert actions(rt)[-2:] == ["inbox_done", "resolve"]


@pytest.mark.shows("inbox: shared telephone")
@databases.ON_BOTH
def test_whose_words_they_are_on_a_shared_telephone_a_person_says(
    rt: Runtime, participant: int, study_id: int, says: Says, reader: Reader, actor: Actor
) -> None:
    other = support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), phone=PHONE, channel="sms-reply", language="en")
    with rt.sessions.begin() as session:
        session.execute(update(messages).where(messages.c.participant_id == participant).values(state="failed"))
    says("it is seven")
    item = only(rt, reader)
    assert (item.why, item.participant, item.owners) == ("shared_telephone", None, ("P-001", "P-002"))
    score = Score("W1", "NRS-AVG", "7", "asked who wrote it")
    inbox.record(rt, actor, About(item.id, reader, participant="P-002"), score)
    assert next(w for w in support.loaded(rt, other).case.current if w.code == "W1").answers["NRS-AVG"].value == 7
    assert open_tasks(rt, participant) == open_tasks(rt, other) == []
    with pytest.raises(KeyError):
        inbox.done(rt, actor, About(item.id, Reader(study_id, frozenset({-1}), strangers=False)))
