"""The limits: the same durable work written by hand for one database, without any product around it."""

from typing import Any

import psycopg

from pro_service.store.database import sqlite_module

BATCH = 500
NOW, LATER = 1_000, 2_000
BODY = b"x" * 160


class Hand:
    """A hand-written queue on a database like ours: claim, write a row, complete, five hundred at a time."""

    def __init__(self, url: str, ahead: int) -> None:
        self.sqlite = url.startswith("sqlite")
        self.mark = "?" if self.sqlite else "%s"
        self.connection: Any = connected(url)
        self._ids = 0
        number, text = ("INTEGER", "BLOB") if self.sqlite else ("BIGINT", "BYTEA")
        for statement in (
            f"CREATE TABLE work (id {number} PRIMARY KEY, due_at INTEGER, state INTEGER)",
            f"CREATE TABLE written (id {number} PRIMARY KEY, body {text})",
            "CREATE INDEX work_due ON work (due_at)",
        ):
            self.connection.execute(statement)
        self._add(ahead, LATER)

    def _add(self, count: int, due_at: int) -> None:
        first, self._ids = self._ids, self._ids + count
        rows = [(number, due_at, 0) for number in range(first, self._ids)]
        self._begin()
        self._many("INSERT INTO work (id, due_at, state) VALUES (?, ?, ?)", rows)
        self.connection.execute("COMMIT")

    def _begin(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE" if self.sqlite else "BEGIN")

    def _many(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            self.connection.cursor().executemany(statement.replace("?", self.mark), rows)

    def prepare(self, count: int) -> None:
        """Add so much due work."""
        self._add(count, NOW)

    def drain(self) -> int:
        """Do everything that is due; gives how much it was."""
        done = 0
        locked = "" if self.sqlite else " FOR UPDATE SKIP LOCKED"
        due = f"SELECT id FROM work WHERE due_at <= {NOW} ORDER BY due_at LIMIT {BATCH}{locked}"  # noqa: S608
        while True:
            self._begin()
            ids = self.connection.execute(due).fetchall()
            self._many("INSERT INTO written (id, body) VALUES (?, ?)", [(row[0], BODY) for row in ids])
            self._many("UPDATE work SET due_at = NULL, state = 1 WHERE id = ?", ids)
            self.connection.execute("COMMIT")
            if not ids:
                return done
            done += len(ids)

    def close(self) -> None:
        """End it."""
        self.connection.close()


def connected(url: str) -> Any:
    """A bare driver connection that keeps its promises in a crash."""
    if not url.startswith("sqlite"):
        return psycopg.connect(url, autocommit=True)
    connection = sqlite_module().connect(url.removeprefix("sqlite:///"), check_same_thread=False)
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection
