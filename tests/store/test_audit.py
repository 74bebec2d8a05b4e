"""The audit trail: refuses every change inside the database, and each row vouches for itself."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Executable, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from pro_service.runtime import Runtime, open_runtime
from pro_service.settings import Settings
from pro_service.store.audit import payload
from pro_service.store.schema import audit_trail
from tests import support
from tests.peers import databases

pytestmark = databases.ON_BOTH


@pytest.fixture
def rt(settings: Settings) -> Iterator[Runtime]:
    """Return a runtime with a loaded study: one audit row at least."""
    runtime = open_runtime(settings)
    support.load_demo(runtime)
    yield runtime
    runtime.close()


@pytest.mark.parametrize("statement", [update(audit_trail).values(reason="nothing"), delete(audit_trail)])
def test_the_database_refuses_to_change_or_delete_an_audit_row(rt: Runtime, statement: Executable) -> None:
    with pytest.raises(DBAPIError, match="append-only"), rt.sessions.begin() as session:
        session.execute(statement)


def test_the_database_refuses_to_replace_or_empty_the_trail(rt: Runtime) -> None:
    with rt.sessions.reading() as session:
        row = dict(session.execute(select(audit_trail).limit(1)).mappings().one())
    replacing: Executable = text("TRUNCATE audit_trail")
    if rt.sessions.sqlite:
        replacing = insert(audit_trail).prefix_with("OR REPLACE").values(row)
    with pytest.raises(DBAPIError, match="append-only"), rt.sessions.begin() as session:
        session.execute(replacing)


def test_each_row_vouches_for_everything_it_says(rt: Runtime) -> None:
    with rt.sessions.reading() as session:
        rows = [dict(row) for row in session.execute(select(audit_trail)).mappings()]
    assert rows
    for row in rows:
        assert rt.vault.mac(payload(row)) == row["hmac"]
        for name in ("action", "actor", "changes", "reason", "at", "participant_id"):
            forged = row | {name: "something else"}
            assert rt.vault.mac(payload(forged)) != row["hmac"]


def test_what_a_row_vouches_with_is_plain_json(rt: Runtime) -> None:
    with rt.sessions.reading() as session:
        row = dict(session.execute(select(audit_trail).limit(1)).mappings().one())
    row |= {"reason": 'Ünlü "x"\n', "at": datetime(2026, 1, 20, 15, tzinfo=UTC)}
    said = json.loads(payload(row))
    assert [name for name, _ in said] == sorted(name for name in row if name != "hmac")
    assert dict(said) == {name: row[name] for name, _ in said} | {"at": "2026-01-20T15:00:00.000000Z"}
    assert payload(row) == json.dumps(said, ensure_ascii=False).encode()


def test_a_change_that_fails_leaves_no_audit_row(rt: Runtime) -> None:
    with rt.sessions.reading() as session:
        before = len(session.scalars(select(audit_trail.c.id)).all())
        row = dict(session.execute(select(audit_trail).limit(1)).mappings().one()) | {"id": 10**9}

    def fail_halfway() -> None:
        with rt.sessions.begin() as session:
            session.execute(insert(audit_trail).values(row))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    with rt.sessions.reading() as session:
        assert len(session.scalars(select(audit_trail.c.id)).all()) == before
