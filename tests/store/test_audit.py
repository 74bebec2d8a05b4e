"""The audit trail: refuses every change inside the database, and each row vouches for itself."""

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Executable, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from pro_service.runtime import Runtime, open_runtime
from pro_service.settings import Settings
from pro_service.store import guards
from pro_service.store.audit import payload
from pro_service.store.schema import audit_trail
from pro_service.use_cases.tick import tick
from pro_service.use_cases.trail.seal import seal
from pro_service.use_cases.trail.verify import verify
from tests import support
from tests.peers import configuration, databases


@pytest.fixture
def rt(settings: Settings) -> Iterator[Runtime]:
    """Return a runtime with a loaded study: one audit row at least."""
    runtime = open_runtime(settings)
    support.load_demo(runtime)
    yield runtime
    runtime.close()


@databases.ON_BOTH
@pytest.mark.parametrize("statement", [update(audit_trail).values(reason="nothing"), delete(audit_trail)])
def test_the_database_refuses_to_change_or_delete_an_audit_row(rt: Runtime, statement: Executable) -> None:
    with pytest.raises(DBAPIError, match="append-only"), rt.sessions.begin() as session:
        session.execute(statement)


@databases.ON_BOTH
def test_the_database_refuses_to_replace_or_empty_the_trail(rt: Runtime) -> None:
    with rt.sessions.reading() as session:
        row = dict(session.execute(select(audit_trail).limit(1)).mappings().one())
    replacing: Executable = text("TRUNCATE audit_trail")
    if rt.sessions.sqlite:
        replacing = insert(audit_trail).prefix_with("OR REPLACE").values(row)
    with pytest.raises(DBAPIError, match="append-only"), rt.sessions.begin() as session:
        session.execute(replacing)


@databases.ON_BOTH
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


@databases.ON_BOTH
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


@databases.ON_BOTH
def test_every_trigger_of_the_schema_is_watched(rt: Runtime) -> None:
    own = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    theirs = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    with rt.sessions.glance() as connection:
        found = set(connection.execute(text(own if rt.sessions.sqlite else theirs)).scalars())
        assert found == guards.EXPECTED[connection.dialect.name].keys()
        assert guards.faults(connection) == {}


def test_a_role_that_owns_nothing_runs_the_service_and_switches_no_guard_off(postgres_url: str, tmp_path: Path) -> None:
    role = f"app_{secrets.token_hex(4)}"
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN")
        owner.execute(guards.grants(role))
    rt = open_runtime(configuration.settings_for(postgres_url.replace("postgres@", f"{role}@"), tmp_path))
    study_id = support.load_demo(rt)
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), baseline_nrs_avg="8", procedure_time="")
    tick(rt)
    assert seal(rt).rows
    assert verify(rt).findings == ()
    with rt.sessions.reading() as session:
        assert not guards.owns_trail(session.connection())
    for statement in (
        "ALTER TABLE audit_trail DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "UPDATE responses SET value = 1",
        "DELETE FROM audit_seals",
        "DELETE FROM confirmations",
        "TRUNCATE audit_trail",
    ):
        with pytest.raises(DBAPIError, match=r"must be owner|permission denied"), rt.sessions.begin() as session:
            session.execute(text(statement))
    rt.close()
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute(f"DROP OWNED BY {role}")
        owner.execute(f"DROP ROLE {role}")
