"""Whether encrypted values can still be decrypted: only a sample of every column, so that it is quick."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause, Table, func, select

from pro_service.core.problems import Problem, problem
from pro_service.store.schema import (
    AnyRow,
    calls,
    entry_codes,
    former_telephones,
    inbound,
    messages,
    participants,
    staff_telephones,
    telephone_keys,
    typed_reasons,
    users,
)
from pro_service.store.session import Session
from pro_service.store.vault import UnreadableError, Vault, opened

p, k = participants.c, telephone_keys.c

SAMPLE = 100
"""How many of a column's newest rows are tried, and how many from a random place on."""
SEALED: tuple[tuple[Table, str], ...] = (
    (participants, "phone"),
    (participants, "email"),
    (former_telephones, "phone"),
    (entry_codes, "code"),
    (calls, "note"),
    (typed_reasons, "words"),
    (messages, "body"),
    (inbound, "raw"),
    (staff_telephones, "phone"),
    (users, "totp"),
)
EMPTIED = (messages, inbound, typed_reasons)
"""Where an erased participant leaves an empty value; elsewhere an empty value is damaged."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How many values were tried, and the fault of each one that cannot be decrypted."""

    tried: int
    unreadable: tuple[Problem, ...]


def sample(session: Session, vault: Vault, chance: float) -> Sample:
    """Try to decrypt a sample of values; `chance`, from 0 to 1, says where the older part begins."""
    tried, unreadable = 0, list[Problem]()
    for table, column in SEALED:
        for row in _rows(session, table, table.c[column], chance):
            tried += 1
            if (fault := _fault(vault, row, f"{table.name}|{column}|{row.id}")) is not None:
                unreadable.append(fault)
    return Sample(tried, tuple(unreadable))


def _rows(session: Session, table: Table, column: Column[bytes], chance: float) -> Iterator[AnyRow]:
    """Yield the rows to try: their id, value, and the keys that may decrypt it, once each."""
    key = next(iter(table.primary_key))
    first, last = session.execute(select(func.min(key), func.max(key))).one()
    if first is None:
        return
    columns: list[ColumnElement[Any]] = [key.label("id"), column.label("value")]
    joined: FromClause = table
    owner = p.id if table is participants else table.c.get("participant_id")
    if owner is not None:
        columns += [p.id.label("owner"), p.data_key]
        joined = joined if table is participants else joined.outerjoin(participants, p.id == owner)
    if table is messages:
        joined = joined.outerjoin(inbound, inbound.c.id == messages.c.inbound_id)
    if table in (messages, inbound):
        columns += [k.id.label("telephone_key_id"), k.key.label("telephone_key")]
        joined = joined.outerjoin(telephone_keys, k.id == inbound.c.telephone_key_id)
    some = select(*columns).select_from(joined).where(column.is_not(None)).limit(SAMPLE)
    if table in EMPTIED:
        some = some.where(column != b"")
    newest = session.execute(some.order_by(key.desc())).all()
    older = session.execute(some.where(key >= first + int((last - first) * chance)).order_by(key)).all()
    yield from {row.id: row for row in (*newest, *older)}.values()


def _fault(vault: Vault, row: AnyRow, place: str) -> Problem | None:
    """Return the fault of a value; None if its participant's, its telephone's or the installation's key decrypts it."""
    fault = None
    for column, whose, unwrap in _keys(vault, row):
        try:
            key = unwrap()
        except UnreadableError as error:
            wrong = error.problem.code == "data_key_wrong"
            return problem("value_unreadable", column=column, row=whose) if wrong else error.problem
        try:
            opened(key, row.value, place)
        except UnreadableError as error:
            fault = error.problem
        else:
            return None
    return fault


def _keys(vault: Vault, row: AnyRow) -> Iterator[tuple[str, int | None, Callable[[], bytes]]]:
    """Yield the keys that may decrypt a value: where each is kept, in which row, and how it is unwrapped."""
    if (wrapped := getattr(row, "data_key", None)) is not None:
        yield "participants.data_key", row.owner, partial(vault.data_key, wrapped, row.owner)
    if (wrapped := getattr(row, "telephone_key", None)) is not None:
        whose = row.telephone_key_id
        yield "telephone_keys.key", whose, partial(vault.telephone_key, whose, wrapped)
    yield "", None, lambda: vault.system_key
