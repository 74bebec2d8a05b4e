"""Many rows in one round: written, and changed, as the statement compiler would have it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import BindParameter, bindparam, select, update
from sqlalchemy.exc import IntegrityError

from pro_service.runtime import Runtime, open_runtime
from pro_service.settings import Settings
from pro_service.store.bulk import Bulk, ask, change, change_apart
from pro_service.store.schema import heartbeats
from tests.peers import databases

pytestmark = databases.ON_BOTH

AT = datetime(2026, 3, 9, 7, 0, 0, 5, tzinfo=UTC)
LATER = datetime(2026, 3, 10, 7, tzinfo=UTC)
MOVE = (
    update(heartbeats)
    .where(heartbeats.c.name == bindparam("h_name"), heartbeats.c.at == AT)
    .values(at=bindparam("h_at"))
)


@pytest.fixture
def rt(settings: Settings) -> Iterator[Runtime]:
    """Return a runtime with three heartbeats, the last at another moment."""
    runtime = open_runtime(settings)
    with runtime.sessions.begin() as session:
        rows = [{"name": "a", "at": AT}, {"name": "b 100%", "at": AT}, {"name": "c", "at": LATER}]
        Bulk(session.connection(), heartbeats, ("name", "at")).write(rows)
    yield runtime
    runtime.close()


def beats(rt: Runtime) -> dict[str, datetime]:
    with rt.sessions.reading() as session:
        return {row.name: row.at for row in session.execute(select(heartbeats))}


def test_rows_are_read_back_as_they_were_written(rt: Runtime) -> None:
    assert beats(rt) == {"a": AT, "b 100%": AT, "c": LATER}


@pytest.mark.parametrize("change_them", [change, change_apart])
def test_a_statement_changes_many_rows_with_what_it_holds_and_what_each_row_gives(
    rt: Runtime, change_them: Callable[..., None]
) -> None:
    rows = [{"h_name": name, "h_at": LATER} for name in ("a", "b 100%", "c", "nobody")]
    with rt.sessions.begin() as session:
        change_them(session.connection(), MOVE, rows)
    assert set(beats(rt).values()) == {LATER}


def test_a_row_that_lacks_a_parameter_is_named_and_nothing_is_changed(rt: Runtime) -> None:
    rows: list[dict[str, object]] = [{"h_name": "a", "h_at": LATER}, {"h_name": "b 100%"}]
    with pytest.raises(KeyError, match="h_at"), rt.sessions.begin() as session:
        change(session.connection(), MOVE, rows)
    assert beats(rt)["a"] == AT


def test_no_rows_are_no_statement(rt: Runtime) -> None:
    with rt.sessions.begin() as session:
        change(session.connection(), MOVE, ())
    assert beats(rt)["a"] == AT


def test_a_question_asked_all_the_time_is_answered_with_what_it_holds_and_what_is_given(rt: Runtime) -> None:
    name: BindParameter[str] = bindparam("h_name")
    earlier = select(heartbeats.c.name == name, heartbeats.c.at < LATER).where(heartbeats.c.name == name)
    with rt.sessions.glance() as connection:
        assert [bool(value) for value in ask(connection, earlier, {"h_name": "b 100%"})] == [True, True]
        assert [bool(value) for value in ask(connection, earlier, {"h_name": "c"})] == [True, False]
        with pytest.raises(KeyError, match="h_name"):
            ask(connection, earlier, {})


def test_a_row_that_is_there_already_is_a_breach_of_integrity_however_many_come_with_it(rt: Runtime) -> None:
    rows = [{"name": name, "at": AT} for name in ("new", "a")]
    with pytest.raises(IntegrityError), rt.sessions.begin() as session:
        Bulk(session.connection(), heartbeats, ("name", "at")).write(rows)
    assert "new" not in beats(rt)
