"""Somebody with all keys of an installation, who tries to open whatever its database and its files hold."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, text

from pro_service.reports.readable import SEALED
from pro_service.runtime import Runtime
from pro_service.store.schema import metadata, participants, telephone_keys
from pro_service.store.vault import UnreadableError, opened

WRAPPED_REST = 12 + 32 + 16
"""Bytes of a wrapped key after its id: nonce, key, tag."""
INDEX = 32


@dataclass(frozen=True, slots=True)
class Value:
    """One sealed value, as it stood in a row."""

    place: str
    cipher: bytes


def values(rt: Runtime) -> list[Value]:
    """Return every sealed value that stands in a row."""
    found = []
    with rt.sessions.reading() as session:
        for table, column in SEALED:
            key = next(iter(table.primary_key))
            for row_id, cipher in session.execute(select(key, table.c[column])).all():
                if cipher:
                    found.append(Value(f"{table.name}|{column}|{row_id}", bytes(cipher)))
    return found


def opens(rt: Runtime, wanted: Iterable[Value]) -> dict[str, bytes]:
    """Return place -> plain bytes of those of these values that stand anywhere in the files and that some key opens."""
    heap = b"".join(_files(rt))
    keys = list(_keys(rt, heap))
    found = {}
    for value in wanted:
        if value.cipher not in heap:
            continue
        for key in keys:
            try:
                found[value.place] = opened(key, value.cipher, value.place)
            except UnreadableError:
                continue
            break
    return found


def holds(rt: Runtime, words: str) -> bool:
    """Whether these words stand anywhere in the files as they are."""
    return words.encode() in b"".join(_files(rt))


def traces(rt: Runtime, index: bytes) -> list[str]:
    """Return the columns of all tables that hold a telephone's blind index, or the beginning of it as text."""
    signs = index.hex()[:24]
    found = []
    with rt.sessions.reading() as session:
        for table in metadata.sorted_tables:
            for row in session.execute(select(table)).mappings():
                for name, value in row.items():
                    held = value == index if isinstance(value, bytes) else isinstance(value, str) and signs in value
                    if held:
                        found.append(f"{table.name}.{name}")
    return found


def _keys(rt: Runtime, heap: bytes) -> Iterator[bytes]:
    """Return the installation's own key, and each wrapped key that stands in the files and opens for any row."""
    yield rt.vault.system_key
    with rt.sessions.reading() as session:
        places = [f"participants|data_key|{one}" for one in session.scalars(select(participants.c.id))]
        places += [f"telephone_keys|key|{one}" for one in session.scalars(select(telephone_keys.c.id))]
    for name in rt.vault.key_ids:
        start = name.encode() + b":"
        wrapped = {heap[at : at + len(start) + WRAPPED_REST] for at in (m.start() for m in re.finditer(start, heap))}
        for value in wrapped:
            for place in places:
                try:
                    yield rt.vault.unwrap(value, place)
                except UnreadableError:
                    continue


def _files(rt: Runtime) -> Iterator[bytes]:
    """Return what the database's files hold, free pages and the log of SQLite among them."""
    if rt.sessions.sqlite:
        database = Path(rt.sessions.engine.url.database or "")
        for ending in ("", "-wal", "-journal"):
            file = Path(f"{database}{ending}")
            if file.exists():
                yield file.read_bytes()
        return
    with rt.sessions.apart() as connection:
        connection.execute(text("CHECKPOINT"))
        of_tables = text(
            "SELECT pg_relation_filepath(oid) FROM pg_class WHERE relkind IN ('r', 't') "
            "AND relnamespace IN ('public'::regnamespace, 'pg_toast'::regnamespace) AND pg_relation_size(oid) > 0"
        )
        for path in connection.execute(of_tables).scalars().all():
            yield bytes(connection.execute(text("SELECT pg_read_binary_file(:path)"), {"path": path}).scalar_one())
