"""Queries: whose turn it is follows from instants alone, and what was typed goes with the participant's key."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from pro_service.core.problems import RejectedError
from pro_service.runtime import Runtime, open_runtime
from pro_service.settings import Settings
from pro_service.store.audit import Actor
from pro_service.store.participants import queries
from pro_service.store.participants.queries import Query, QueryFacts
from pro_service.store.schema import audit_trail
from pro_service.store.schema import queries as table
from pro_service.use_cases import closing
from pro_service.use_cases.participants import entry, erase
from pro_service.use_cases.participants.entry import Filled
from pro_service.use_cases.participants.queries import Asked, answer, ask, close
from tests import support
from tests.peers import databases

pytestmark = databases.ON_BOTH

ASKED_AT = support.at("2026-03-20 11:00")
WHY = "No value, although she was there?"


class Desk:
    """A study with P-001, a data manager who asks, and a coordinator of the site who answers."""

    def __init__(self, rt: Runtime, clock: support.SetClock) -> None:
        self.rt, self.clock = rt, clock
        self.study_id = support.load_demo(rt)
        clock.now = support.at("2026-03-02 15:00")
        self.participant = support.enrolled(rt, self.study_id, "P-001", date(2026, 3, 2))
        clock.now = support.at("2026-03-09 12:00")
        support.answered(rt, "P-001", "W1", {"NRS-AVG": "7", "PGIC": "2"})
        self.asker, self.site = (
            Actor("staff", f"user:{user}", "dashboard", user)
            for user in (support.coordinator(rt, "data@example.org", role="data-manager"), support.coordinator(rt))
        )
        clock.now = ASKED_AT

    def ask(self, visit: str = "W1", item: str | None = "NRS-AVG", words: str = WHY) -> int:
        return ask(self.rt, self.asker, self.study_id, "P-001", Asked(visit, item, words))

    def answer(self, query_id: int, words: str = "Taken from her diary.") -> Query:
        return answer(self.rt, self.site, self.study_id, query_id, words)

    def close(self, query_id: int) -> Query:
        return close(self.rt, self.asker, self.study_id, query_id)

    def shown(self) -> list[tuple[str, str, str | None]]:
        with self.rt.sessions.reading() as session:
            found = queries.of_participant(session, self.rt.vault, self.participant)
        return [(one.state, one.question, one.answer) for one in found]

    def facts(self) -> list[QueryFacts]:
        with self.rt.sessions.reading() as session:
            return queries.facts(session, self.study_id, ["P-001", "P-999"])


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    """Return a desk at which somebody's week is over."""
    clock = support.SetClock(ASKED_AT)
    rt = support.with_clock(open_runtime(settings), clock)
    yield Desk(rt, clock)
    rt.close()


def test_a_query_is_asked_answered_and_closed_and_each_instant_stays(desk: Desk) -> None:
    query_id = desk.ask()
    assert desk.shown() == [("open", WHY, None)]
    desk.clock.now += timedelta(hours=1)
    desk.answer(query_id)
    assert desk.shown() == [("answered", WHY, "Taken from her diary.")]
    desk.clock.now += timedelta(hours=1)
    desk.close(query_id)
    assert desk.shown()[0][0] == "closed"
    asked_at, answered_at, closed_at = (ASKED_AT + timedelta(hours=n) for n in range(3))
    assert desk.facts() == [
        QueryFacts(
            id=query_id,
            participant="P-001",
            visit="W1",
            item="NRS-AVG",
            opened_at=asked_at,
            answered_at=answered_at,
            closed_at=closed_at,
            opened_by=desk.asker.user_id,
            answered_by=desk.site.user_id,
        )
    ]
    for late in (partial(desk.answer, query_id), partial(desk.close, query_id)):
        with pytest.raises(RejectedError):
            late()


def test_to_ask_again_closes_what_was_answered_and_waits_for_what_was_not(desk: Desk) -> None:
    first = desk.ask()
    with pytest.raises(RejectedError):
        desk.ask()
    desk.ask(item="PGIC")
    desk.answer(first)
    desk.ask(words="Which diary?")
    assert [state for state, _, _ in desk.shown()] == ["closed", "open", "open"]


@pytest.mark.parametrize("visit, item, answered", [("W1", "NRS-AVG", True), ("W1", None, True), ("W1", "PGIC", False)])
def test_a_correction_answers_what_was_asked_about_it(
    desk: Desk,
    visit: str,
    item: str | None,
    answered: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    desk.ask(visit, item)
    filled = Filled({"NRS-AVG": "8"}, reason="misread", mode="telephone")
    entry.enter(desk.rt, desk.site, desk.study_id, "P-001", "W1", filled)
    assert desk.shown() == [("answered" if answered else "open", WHY, "misread" if answered else None)]


def test_an_assessor_who_enters_a_value_answers_nothing(desk: Desk) -> None:
    desk.ask("V0", None)
    filled = Filled({"NRS-AVG": "8", "NRS-NOW": "7"}, reason="measured", blind=True)
    entry.enter(desk.rt, desk.site, desk.study_id, "P-001", "V0", filled)
    assert desk.shown()[0][0] == "open"


@pytest.mark.parametrize(
    "words, code",
    [
        ("  ", "query_words_missing"),
        ("x" * 501, "reason_too_long"),
        ("Was this the placebo group?", "speaks_of_allocation"),
    ],
)
def test_words_that_cannot_be_sent_write_nothing(desk: Desk, words: str, code: str) -> None:
    before = support.rows_of(desk.rt)
    with pytest.raises(RejectedError) as rejected:
        desk.ask(words=words)
    assert [fault.code for fault in rejected.value.faults] == [code]
    for visit, item in (("W9", None), ("W1", "NRS-NONE"), ("V0", "PGIC")):
        with pytest.raises(KeyError):
            desk.ask(visit, item)
    assert support.rows_of(desk.rt) == before


def test_a_site_sees_its_own_queries_alone_and_locked_data_can_be_asked_about(desk: Desk) -> None:
    query_id = desk.ask()
    with pytest.raises(KeyError):
        answer(desk.rt, desk.site, desk.study_id, query_id, "Not mine.", sites=frozenset({0}))
    with pytest.raises(KeyError):
        answer(desk.rt, desk.site, desk.study_id + 1, query_id, "Not mine.")
    with desk.rt.sessions.glance() as connection:
        sides = [(None, ()), ((), None), ((0,), (0,))]
        waiting = [queries.waiting(connection, desk.study_id, *side) for side in sides]
    assert waiting == [1, 0, 0]
    closing.close(desk.rt, desk.asker, desk.study_id, "all visits are over")
    closing.lock(desk.rt, desk.asker, desk.study_id, "the data are clean")
    with pytest.raises(RejectedError):
        entry.enter(desk.rt, desk.site, desk.study_id, "P-001", "W1", Filled({"NRS-AVG": "8"}, reason="misread"))
    desk.answer(query_id)
    desk.ask("W1", "PGIC")
    assert [state for state, _, _ in desk.shown()] == ["answered", "open"]


def test_what_was_typed_is_nowhere_once_the_participant_is_erased(desk: Desk) -> None:
    desk.answer(desk.ask())
    with desk.rt.sessions.reading() as session:
        kept = [*session.execute(select(table.c.question, table.c.answer)).one()]
        kept += session.scalars(select(audit_trail.c.reason).where(audit_trail.c.entity == "query"))
    assert all(one.startswith("sealed:") for one in kept)
    erase.erase(desk.rt, support.SETUP, desk.study_id, "P-001", "A letter asks for it")
    assert desk.shown() == [("answered", "•••", "•••")]
    # What is asked from now on has no key, as the reason of a correction has none.
    desk.ask("W1", "PGIC", "And this one?")
    assert desk.shown()[1] == ("open", "And this one?", None)
