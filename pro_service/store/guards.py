"""The triggers that protect append-only tables, compared by their definitions, not by their names.

Migrations make them; here stands what they must be. A trigger that is empty or disabled, or whose function was
replaced, has the right name and protects nothing.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

from sqlalchemy import Connection, text

from pro_service.store.schema import metadata

ROLE = re.compile("[a-z_][a-z0-9_]{0,62}")
"""The names of roles that PostgreSQL accepts without quotation marks."""

Fault: TypeAlias = Literal["missing", "disabled", "different"]

_ANSWER = (
    "id, study_id, participant_id, window_id, item, version, value, declined, cleared, source, received_at, "
    "recorded_at, in_window, entered_by, inbound_id"
)
_SAME = {
    "audit_trail": "id = NEW.id",
    "audit_seals": "number = NEW.number",
    "audit_timestamps": "seal = NEW.seal",
    "confirmations": "id = NEW.id OR protocol_version_id = NEW.protocol_version_id",
    "erasures": "id = NEW.id OR participant_id = NEW.participant_id",
    "inbox_actions": "id = NEW.id OR (inbound_id = NEW.inbound_id AND action = NEW.action)",
    "revelations": "id = NEW.id OR inbound_id = NEW.inbound_id",
    "responses": "id = NEW.id OR (window_id = NEW.window_id AND item = NEW.item AND version = NEW.version)",
}
"""Table -> the row that an insert would replace on SQLite: one with the same id or unique key."""
_CHANGED = {"responses": f"UPDATE OF {_ANSWER}"}
"""Table -> the change that is refused, if part of a row may change: the reason of an answer may name a person."""


LOCKED = "responses_no_locked"
"""The trigger that refuses an answer to a locked study."""
_IS_LOCKED = "SELECT 1 FROM studies WHERE id = NEW.study_id AND locked_at IS NOT NULL"


def _sqlite() -> Iterator[tuple[str, str]]:
    for table, same in _SAME.items():
        for name, event in (
            ("update", _CHANGED.get(table, "UPDATE")),
            ("delete", "DELETE"),
            ("replace", "INSERT"),
        ):
            when = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) " if name == "replace" else ""  # noqa: S608
            yield (
                f"{table}_no_{name}",
                (
                    f"CREATE TRIGGER {table}_no_{name} BEFORE {event} ON {table} {when}"
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                ),
            )

    yield (
        LOCKED,
        (
            f"CREATE TRIGGER {LOCKED} BEFORE INSERT ON responses WHEN EXISTS ({_IS_LOCKED}) "
            "BEGIN SELECT RAISE(ABORT, 'the study is locked'); END"
        ),
    )


def _postgresql() -> Iterator[tuple[str, str]]:
    for table in _SAME:
        events = (
            (("update", _CHANGED[table], "ROW"), ("delete", "DELETE", "ROW"))
            if table in _CHANGED
            else (("change", "DELETE OR UPDATE", "ROW"),)
        )
        for name, event, each in (*events, ("truncate", "TRUNCATE", "STATEMENT")):
            yield (
                f"{table}_no_{name}",
                (
                    f"CREATE TRIGGER {table}_no_{name} BEFORE {event} ON {table} FOR EACH {each} "
                    f"EXECUTE FUNCTION {table}_is_append_only()"
                ),
            )

    yield (
        LOCKED,
        f"CREATE TRIGGER {LOCKED} BEFORE INSERT ON responses FOR EACH ROW EXECUTE FUNCTION {LOCKED}()",
    )


EXPECTED: Mapping[str, Mapping[str, str]] = {"sqlite": dict(_sqlite()), "postgresql": dict(_postgresql())}
"""Dialect -> name of a trigger -> its definition, in one line."""


def faults(connection: Connection) -> dict[str, Fault]:
    """Return name -> what is wrong, for each trigger that is not as it should be; empty when all are."""
    expected = EXPECTED[connection.dialect.name]
    found = dict(_on_sqlite(connection) if connection.dialect.name == "sqlite" else _on_postgresql(connection))
    wrong: dict[str, Fault] = {}
    for name, definition in expected.items():
        if name not in found:
            wrong[name] = "missing"
            continue
        now, enabled = found[name]
        if now != definition:
            wrong[name] = "different"
        elif not enabled:
            wrong[name] = "disabled"
    return wrong


def owns_trail(connection: Connection) -> bool:
    """Whether this connection's role could switch the triggers off: it owns the table, or is a superuser."""
    if connection.dialect.name == "sqlite":
        return False
    return bool(
        connection.execute(
            text(
                "SELECT pg_has_role(current_user, c.relowner, 'USAGE') FROM pg_class c "
                "WHERE c.oid = 'audit_trail'::regclass"
            )
        ).scalar()
    )


def _one_line(definition: str) -> str:
    return re.sub(r"\s+", " ", definition).strip()


def _on_sqlite(connection: Connection) -> Iterator[tuple[str, tuple[str, bool]]]:
    statement = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    for row in connection.execute(statement):
        yield row.name, (_one_line(row.sql), True)


def _on_postgresql(connection: Connection) -> Iterator[tuple[str, tuple[str, bool]]]:
    """Only triggers that fire in an ordinary session count as enabled: O (origin) and A (always)."""
    statement = text(
        "SELECT t.tgname AS name, pg_get_triggerdef(t.oid) AS definition, t.tgenabled::text AS enabled, "
        "p.proname AS function, p.prosrc AS source "
        "FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal"
    )
    for row in connection.execute(statement):
        definition = re.sub(r" ON \w+\.", " ON ", _one_line(row.definition))
        table = row.function.removesuffix("_is_append_only")
        append_only = f"BEGIN RAISE EXCEPTION '{table} is append-only'; END"
        if _one_line(row.source) != (_REFUSES_LOCKED if row.function == LOCKED else append_only):
            definition = f"{definition} with another function"
        yield row.name, (definition, row.enabled in {"O", "A"})


_REFUSES_LOCKED = (
    "DECLARE since timestamptz; BEGIN SELECT locked_at INTO since FROM studies WHERE id = NEW.study_id FOR KEY SHARE; "
    "IF since IS NOT NULL THEN RAISE EXCEPTION 'the study is locked'; END IF; RETURN NEW; END"
)


def grants(role: str) -> str:
    """Return the SQL that lets a role do what the service does, but not switch the triggers off.

    For PostgreSQL: the role that runs migrations owns the tables; the role that the service connects as owns none.
    """
    free = ", ".join(sorted(metadata.tables.keys() - _SAME.keys()))
    return f"""\
-- As the role that owns the tables and runs `pro-service db upgrade`; again after each upgrade.
GRANT USAGE ON SCHEMA public TO {role};
GRANT SELECT ON alembic_version TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON {free} TO {role};
GRANT SELECT, INSERT ON {", ".join(_SAME)} TO {role};
GRANT SELECT, USAGE ON SEQUENCE row_ids TO {role};
"""
