"""Texts from many threads at once: each kept once and durable before it is answered, read after, none lost."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from pro_service.core.providers import Arrival
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.database import Sessions, make_engine
from pro_service.store.schema import inbound
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.inbound.interpret import read_new
from pro_service.use_cases.inbound.receive import Intake
from pro_service.use_cases.tick import tick
from tests.peers import databases

pytestmark = databases.ON_BOTH

PATIENCE = 60.0
NUMBERS = count(1)


@pytest.fixture
def intake(rt: Runtime) -> Iterator[Intake]:
    """Return an intake that is closed before its database."""
    made = Intake(rt)
    yield made
    made.close()


def said(sid: str = "") -> Arrival:
    """One text."""
    return text_of({"MessageSid": sid or f"SM{next(NUMBERS):032d}", "From": "+12025550123", "Body": "7"})


def kept(rt: Runtime, *, unread: bool = False) -> int:
    """How many texts are kept, or not read yet."""
    found = select(func.count()).select_from(inbound)
    with rt.sessions.reading() as session:
        return int(session.scalar(found.where(inbound.c.interpreted_at.is_(None)) if unread else found) or 0)


def taking(intake: Intake, one: Arrival) -> Callable[[], object]:
    def take() -> bool:
        intake.take(one)
        return True

    return take


def at_once(works: list[Callable[[], object]]) -> list[object]:
    """Do all of it at once, in threads; gives the results, exceptions among them, in order."""
    together = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def do(number: int) -> None:
        together.wait()
        try:
            results[number] = works[number]()
        except Exception as fault:  # noqa: BLE001 -- a result as well
            results[number] = fault

    threads = [threading.Thread(target=do, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_texts_that_come_at_once_are_kept_once_each_and_read(rt: Runtime, intake: Intake) -> None:
    texts = [said() for _ in range(12)]
    copies = texts + texts[:6]

    def take(one: Arrival) -> Callable[[], object]:
        # What a caller is told is true by then: another connection sees the row.
        return lambda: taking(intake, one)() and there(one.provider_id)

    def there(sid: str) -> bool:
        with rt.sessions.reading() as session:
            return session.scalar(select(inbound.c.id).where(inbound.c.provider_id == sid)) is not None

    assert at_once([take(one) for one in copies]) == [True] * len(copies)
    assert kept(rt) == 12
    assert intake.rest(PATIENCE)
    assert kept(rt, unread=True) == 0


def test_twenty_copies_of_one_text_at_once_are_one(rt: Runtime, intake: Intake) -> None:
    one = said()
    assert at_once([taking(intake, one)] * 20) == [True] * 20
    assert kept(rt) == 1
    assert intake.rest(PATIENCE)
    assert kept(rt, unread=True) == 0


def test_two_processes_keep_one_text_once(rt: Runtime, intake: Intake) -> None:
    other = Intake(rt)
    copies = [said() for _ in range(5)]
    works = [taking(where, one) for one in copies for where in (intake, other, intake)]
    assert at_once(works) == [True] * 15
    assert kept(rt) == 5
    assert intake.rest(PATIENCE)
    assert other.rest(PATIENCE)


def test_a_text_that_cannot_be_kept_fails_alone(rt: Runtime, intake: Intake) -> None:
    with rt.sessions.begin() as session:
        refusal = "NEW.provider_id LIKE 'SMbad%'"
        if rt.sessions.sqlite:
            session.execute(
                text(f"CREATE TRIGGER no BEFORE INSERT ON inbound WHEN {refusal} BEGIN SELECT RAISE(ABORT, 'no'); END")
            )
        else:
            session.execute(text("ALTER TABLE inbound ADD CONSTRAINT no CHECK (provider_id NOT LIKE 'SMbad%')"))
    texts = [said() for _ in range(10)] + [said("SMbad1"), said("SMbad2")]
    results = at_once([taking(intake, one) for one in texts])
    assert results[:10] == [True] * 10
    assert all(isinstance(result, SQLAlchemyError) for result in results[10:])
    assert kept(rt) == 10


def test_what_is_not_durable_is_not_answered(rt: Runtime, tmp_path: Path) -> None:
    without_tables = Sessions(make_engine(f"sqlite:///{tmp_path / 'empty.db'}"))
    lost = Intake(replace(rt, sessions=without_tables))
    results = at_once([taking(lost, said()) for _ in range(4)])
    assert all(isinstance(result, SQLAlchemyError) for result in results)
    without_tables.close()


def test_what_a_process_leaves_unread_is_read_by_the_next_tick(rt: Runtime, intake: Intake) -> None:
    intake.close()
    assert all(at_once([taking(intake, said()) for _ in range(9)]))
    assert kept(rt, unread=True) == 9
    assert tick(rt).texts_read == 9
    assert kept(rt, unread=True) == 0


def test_a_backlog_is_read_in_one_tick_and_a_bad_text_once_a_tick(rt: Runtime, intake: Intake) -> None:
    intake.close()
    for _ in range(230):
        intake.take(said())
    with rt.sessions.begin() as session:
        first = session.scalar(select(func.min(inbound.c.id)))
        session.execute(inbound.update().where(inbound.c.id == first).values(raw=b"damaged, and long enough for a tag"))
    assert tick(rt).texts_read == 229
    assert kept(rt, unread=True) == 1
    with rt.sessions.reading() as session:
        assert session.scalar(select(inbound.c.faults).where(inbound.c.id == first)) == 1


def test_the_scheduler_reads_each_new_text_once_beside_the_web_server(rt: Runtime, intake: Intake) -> None:
    intake.close()
    intake.take(said())
    assert read_new(rt) == 0, "what was there before it began is the tick's"
    texts = [said() for _ in range(40)]
    for one in texts:
        intake.take(one)
    with rt.sessions.begin() as session:
        bad = inbound.c.provider_id == texts[0].provider_id
        session.execute(inbound.update().where(bad).values(raw=b"damaged, and long enough for a tag"))
    assert read_new(rt) == 40
    assert read_new(rt) == 0
    assert kept(rt, unread=True) == 2
    with rt.sessions.reading() as session:
        assert session.scalar(select(inbound.c.faults).where(bad)) == 1


def test_while_many_come_the_scheduler_reads_them_and_the_web_server_what_it_leaves(
    rt: Runtime, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "CALM", 1000.0)
    monkeypatch.setattr(receive, "LEFT_TO_SCHEDULER", 1000.0)
    assert read_new(rt) == 0
    for _ in range(3):
        intake.take(said())
    assert not intake.rest(0.3)
    assert kept(rt, unread=True) == 3
    assert read_new(rt) == 3
    intake.close()
    # Without a scheduler they are read here, although more come in.
    monkeypatch.setattr(receive, "LEFT_TO_SCHEDULER", 0.2)
    alone = Intake(rt)
    for _ in range(3):
        alone.take(said())
    assert alone.rest(PATIENCE)
    assert kept(rt, unread=True) == 0
    alone.close()
