"""Which values are wrapped with which key of the settings, and wrapping them anew.

A wrapped value begins with the id of its key and a colon, and its column is indexed: the values of one key are a range
of the index, so that counting them and finding the next ones costs no reading of the table.
"""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Column, ColumnElement, Table, bindparam, func, select, update

from pro_service.store.schema import audit_trail, installation, participants, telephone_keys
from pro_service.store.session import Session
from pro_service.store.vault import INDEX_KEY, SYSTEM_KEY, UnreadableError, Vault, WrongKeyError

WRAPPED: tuple[tuple[Table, str], ...] = ((participants, "data_key"), (telephone_keys, "key"))
"""Every table and indexed column of wrapped keys, except the installation's own two keys."""
OWN = (INDEX_KEY, SYSTEM_KEY)
ENTITY, ROTATE = "data_keys", "rotate"
"""The row of the audit trail that a rotation leaves: `key`: [ids of the old ones, id of the new one]."""


def place_of(table: Table, column: str, row_id: int) -> str:
    """Return the place that a wrapped value is bound to."""
    return f"{table.name}|{column}|{row_id}"


def in_use(session: Session, known: Callable[[str], bool] = lambda _table: True) -> set[str]:
    """Return the ids of all keys that wrap something, in the tables that this database is `known` to have."""
    found = {_id_of(value) for value in _own(session).values()}
    for table, name in WRAPPED:
        found |= {_id_of(value) for value in _firsts(session, table.c[name])} if known(table.name) else set()
    return found


def check(session: Session, vault: Vault) -> None:
    """Raise WrongKeyError if a key that is in use is not in the settings.

    A key whose bytes were changed is found when the installation's own keys are opened, or by `doctor`: a single value
    that does not open may itself be damaged, and must not stop everything else.
    """
    for table, name in WRAPPED:
        for value in _firsts(session, table.c[name]):
            if (key := _id_of(value)) not in vault.key_ids:
                raise WrongKeyError("data_key_needed", key=repr(key), count=_count(session, table.c[name], key))


def counts(session: Session, key: str) -> dict[str, int]:
    """Return how many values a key wraps, by column: `participants.data_key`, `installation.value`."""
    own = sum(_id_of(value) == key for value in _own(session).values())
    found = {"installation.value": own} if own else {}
    for table, name in WRAPPED:
        if many := _count(session, table.c[name], key):
            found[f"{table.name}.{name}"] = many
    return found


def rewrap_own(session: Session, vault: Vault) -> int:
    """Wrap the installation's own two keys with the newest key; return how many were wrapped with another."""
    done = 0
    for name, value in _own(session).items():
        if _id_of(value) != vault.key_ids[0]:
            text = base64.b64encode(vault.rewrap(value, f"installation|value|{name}")).decode()
            session.execute(update(installation).where(installation.c.key == name).values(value=text))
            done += 1
    return done


def old_values(
    session: Session, column: Column[bytes], newest: str, after: bytes, limit: int
) -> Sequence[tuple[int, bytes]]:
    """Return (row id, value) of the next values after this one that the newest key does not wrap, in their order."""
    rows = column.table.c.id
    found: list[tuple[int, bytes]] = []
    for part in (column < _low(newest), column >= _high(newest)):
        asked = select(rows, column).where(part, column > after).order_by(column).limit(limit - len(found))
        found += [(row_id, bytes(value)) for row_id, value in session.execute(asked)] if len(found) < limit else []
    return found


def rewrap(
    session: Session, vault: Vault, table: Table, name: str, found: Sequence[tuple[int, bytes]]
) -> tuple[int, list[int]]:
    """Wrap these values with the newest key; return how many were, and the row ids of those that no key opens.

    A value that was changed or destroyed since it was read stays as it is now.
    """
    fresh, damaged = [], []
    for row_id, value in found:
        try:
            fresh.append({"row": row_id, "old": value, "new": vault.rewrap(value, place_of(table, name, row_id))})
        except UnreadableError:
            damaged.append(row_id)
    if fresh:
        column = table.c[name]
        unchanged = (table.c.id == bindparam("row")) & (column == bindparam("old"))
        session.execute(update(table).where(unchanged).values({name: bindparam("new")}), fresh)
    return len(fresh), damaged


def rotations(session: Session) -> list[tuple[datetime, str]]:
    """Return (when it began, the key it went to) of each rotation, in their order."""
    t = audit_trail.c
    about = (t.study_id.is_(None)) & (t.entity == ENTITY) & (t.action == ROTATE)
    rows = session.execute(select(t.at, t.changes).where(about).order_by(t.id))
    return [(row.at, str(json.loads(row.changes)["key"][1])) for row in rows]


def oldest_user(session: Session, key: str) -> datetime | None:
    """Return when the first participant was enrolled, of those whose keys this key wraps."""
    p = participants.c
    found: datetime | None = session.scalar(select(func.min(p.enrolled_at)).where(_of(p.data_key, key)))
    return found


def first_row_at(session: Session) -> datetime | None:
    """Return when the audit trail began: no key was used before."""
    return session.scalar(select(audit_trail.c.at).order_by(audit_trail.c.id).limit(1))


def _own(session: Session) -> dict[str, bytes]:
    asked = select(installation.c.key, installation.c.value).where(installation.c.key.in_(OWN))
    return {key: base64.b64decode(value) for key, value in session.execute(asked).all()}


def _firsts(session: Session, column: Column[bytes]) -> Iterator[bytes]:
    """Return the first value of each key in the order of the index."""
    after = b""
    # Not min(column): PostgreSQL knows that of bytes since 18 only.
    while (value := session.scalar(select(column).where(column > after).order_by(column).limit(1))) is not None:
        yield bytes(value)
        after = _high(_id_of(bytes(value)))


def _count(session: Session, column: Column[bytes], key: str) -> int:
    return session.scalar(select(func.count()).where(_of(column, key)).select_from(column.table)) or 0


def _of(column: Column[bytes], key: str) -> ColumnElement[bool]:
    return (column >= _low(key)) & (column < _high(key))


def _id_of(value: bytes) -> str:
    return value.partition(b":")[0].decode(errors="replace")


def _low(key: str) -> bytes:
    return key.encode() + b":"


def _high(key: str) -> bytes:
    # The byte after the colon: what begins with id and colon lies below it, what begins with another id does not.
    return key.encode() + b";"
