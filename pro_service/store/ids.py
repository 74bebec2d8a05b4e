"""Row ids, known before the row is written: from one sequence (PostgreSQL) or one counter (SQLite)."""

from collections.abc import Iterator

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

FIRST, LARGEST = 16, 4096


def row_ids(session: Session) -> Iterator[int]:
    """Endless fresh ids, fetched in blocks that grow; a rollback leaves a gap, never a repetition."""
    block = FIRST
    while True:
        if session.get_bind().dialect.name == "postgresql":
            statement = text("SELECT nextval('row_ids') FROM generate_series(1, :n)")
            yield from session.scalars(statement, {"n": block}).all()
        else:
            statement = text(
                "UPDATE installation SET value = CAST(value AS INTEGER) + :n WHERE key = 'next_id' "
                "RETURNING CAST(value AS INTEGER)"
            )
            end = session.execute(statement, {"n": block}).scalar_one()
            yield from range(end - block, end)
        block = min(block * 4, LARGEST)


def last_id(connection: Connection) -> int:
    """The highest id handed out: a database where it has fallen is an older one."""
    if connection.dialect.name == "postgresql":
        return int(connection.execute(text("SELECT last_value FROM row_ids")).scalar_one())
    statement = text("SELECT CAST(value AS INTEGER) FROM installation WHERE key = 'next_id'")
    return int(connection.execute(statement).scalar_one())
