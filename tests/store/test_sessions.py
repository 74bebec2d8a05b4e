"""The ways to the database: what only looks cannot write, whichever way its connection went before."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import delete, event, insert, select
from sqlalchemy.exc import DBAPIError

from pro_service.core.problems import SetUpError
from pro_service.runtime import Runtime, open_runtime
from pro_service.settings import Settings
from pro_service.store import database
from pro_service.store.database import Sessions, make_engine
from pro_service.store.schema import heartbeats
from tests import support
from tests.peers import databases, postgres

BEAT = {"name": "a test", "at": support.at("2026-01-14 12:00")}


@pytest.fixture
def rt(settings: Settings) -> Iterator[Runtime]:
    """Return a runtime on an empty database."""
    runtime = open_runtime(settings)
    yield runtime
    runtime.close()


@databases.ON_BOTH
def test_a_look_cannot_write_whatever_was_done_through_its_connection_before(rt: Runtime) -> None:
    for _ in range(2):
        with rt.sessions.begin() as session:
            session.execute(delete(heartbeats))
            session.execute(insert(heartbeats).values(BEAT))
        with pytest.raises(DBAPIError), rt.sessions.reading() as session:
            session.execute(delete(heartbeats))
        with rt.sessions.reading() as session:
            assert session.scalars(select(heartbeats.c.name)).all() == [BEAT["name"]]


def test_sqlite_is_told_what_a_connection_is_for_only_where_that_changes(sqlite_url: str) -> None:
    sessions, said = Sessions(make_engine(sqlite_url)), list[str]()
    event.listen(sessions.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    for _ in range(3):
        with sessions.reading() as session:
            session.scalar(select(heartbeats.c.name))
    with sessions.begin() as session:
        session.scalar(select(heartbeats.c.name))
    sessions.close()
    # The pragma makes SQLite forget every prepared statement of the connection.
    assert [statement for statement in said if "query_only" in statement] == [
        "PRAGMA query_only = ON",
        "PRAGMA query_only = OFF",
    ]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN5"])
def test_a_postgresql_that_cannot_hold_every_letter_is_refused(
    postgres_server: postgres.Postgres, encoding: str
) -> None:
    # A server that was made without a locale makes such databases.
    name = f"letters_{encoding.lower()}"
    made = sql.SQL("CREATE DATABASE {} ENCODING {} LOCALE 'C' TEMPLATE template0")
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(made.format(sql.Identifier(name), sql.Literal(encoding)))
    engine = make_engine(postgres_server.url(name))
    with pytest.raises(SetUpError) as refused:
        engine.connect()
    assert (refused.value.problem.code, refused.value.problem.values) == ("database_encoding", {"encoding": encoding})
    engine.dispose()
    postgres_server.drop(name)


def test_a_connection_that_lay_idle_is_asked_whether_it_is_alive_and_one_that_was_just_used_is_not(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions, asked = Sessions(make_engine(postgres_url)), list[object]()
    engine = sessions.engine
    ping = engine.dialect.do_ping

    def ask(connection: Any) -> bool:
        asked.append(connection)
        return ping(connection)

    monkeypatch.setattr(engine.dialect, "do_ping", ask)
    for _ in range(3):
        with sessions.glance() as connection:
            connection.scalar(select(heartbeats.c.name))
    assert not asked
    # The server was restarted while nobody asked it anything.
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    monkeypatch.setattr(database, "ALIVE_SECONDS", -1.0)
    with sessions.begin() as session:
        session.execute(insert(heartbeats).values(BEAT))
    assert len(asked) == 1
    with sessions.reading() as session:
        assert session.scalars(select(heartbeats.c.name)).all() == [BEAT["name"]]
    sessions.close()
