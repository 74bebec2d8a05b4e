"""Seals over the audit trail as they are stored, and the results of the last checks."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from pro_service.core.trail import merkle
from pro_service.core.trail.check import Row, Stored
from pro_service.core.trail.seals import FIRST_PREVIOUS, MARK, SETTLED_AFTER, Header, Seal, covers, packed, unpacked
from pro_service.store import audit
from pro_service.store.schema import AnyRow, audit_checks, audit_seals, audit_trail
from pro_service.store.session import Session
from pro_service.store.vault import Vault

s, a = audit_seals.c, audit_trail.c
PAGE = 1_000
"""Ids in one query, far fewer than the 32,766 parameters that SQLite takes."""
HEADER = ("number", "sealed_at", "rows", "root", "settled_below", "last_id", "covers", "previous", "version")

CheckKind: TypeAlias = Literal["new", "full"]
"""What is new since the last check, or everything."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One check that was made."""

    at: datetime
    seal: int
    """Up to this seal; 0 where there was none."""
    rows: int
    findings: int


def said_by(row: AnyRow) -> dict[str, Any]:
    """Return what a row of the trail says: column -> value."""
    return dict(row._asdict())


def data(row: AnyRow) -> bytes:
    """Return what the leaf of a row is made of: all it says, then its HMAC."""
    return audit.payload(said_by(row)) + bytes(row.hmac)


def newest(session: Session) -> Header | None:
    """Return the newest seal; None if there is none."""
    row = session.execute(select(*(s[name] for name in HEADER)).order_by(s.number.desc()).limit(1)).first()
    return None if row is None else _header(row)


def settled_below(session: Session, before: Header | None, now: datetime) -> int:
    """Return the id below which no row can be added any more: the highest that was handed out an hour ago."""
    last = session.scalar(select(func.max(s.last_id)).where(s.sealed_at <= now - SETTLED_AFTER))
    return max(0 if before is None else before.settled_below, last or 0)


def covered_since(session: Session, header: Header | None) -> set[int]:
    """Return the ids that seals up to this one cover, from the id on that it calls settled."""
    if header is None:
        return set()
    wanted = (s.number <= header.number) & (s.last_id >= header.settled_below)
    found: set[int] = set()
    for row in session.execute(select(s.row_ids).where(wanted)):
        with suppress(ValueError):
            found.update(row_id for row_id in unpacked(row.row_ids)[0] if row_id >= header.settled_below)
    return found


def ids_between(session: Session, low: int, high: int | None = None) -> Iterator[int]:
    """Return the ids of all rows from `low` up to `high`, not included; all from there on for None."""
    wanted = a.id >= low if high is None else (a.id >= low) & (a.id < high)
    yield from session.scalars(select(a.id).where(wanted).order_by(a.id).execution_options(yield_per=PAGE))


def count_from(session: Session, low: int) -> int:
    """Return how many rows of the trail there are from the id `low` on."""
    return session.scalar(select(func.count()).select_from(audit_trail).where(a.id >= low)) or 0


def rows_of(session: Session, ids: Sequence[int]) -> Iterator[AnyRow]:
    """Return the rows of the trail with these ids that are there."""
    for first in range(0, len(ids), PAGE):
        yield from session.execute(select(audit_trail).where(a.id.in_(ids[first : first + PAGE])).order_by(a.id))


def rows_about(session: Session, participant_id: int) -> Sequence[AnyRow]:
    """Return every row about one participant, in the order of their ids."""
    return session.execute(select(audit_trail).where(a.participant_id == participant_id).order_by(a.id)).all()


def highest_id(session: Session) -> int:
    """Return the highest id of the trail; 0 for an empty one."""
    return session.scalar(select(func.max(a.id))) or 0


def build(
    rows: Iterable[AnyRow], before: Header | None, now: datetime, *, settled: int, last_id: int, version: str
) -> Seal:
    """Return the seal over these rows, which come in the order of their ids; at most `MOST_ROWS`."""
    ids, leaves = [], []
    for row in rows:
        ids.append(int(row.id))
        leaves.append(merkle.leaf(data(row)))
    marks = b"".join(found[:MARK] for found in leaves)
    header = Header(
        number=1 if before is None else before.number + 1,
        sealed_at=now,
        rows=len(ids),
        root=merkle.root(leaves),
        settled_below=settled,
        last_id=last_id,
        covers=covers(ids, marks),
        previous=FIRST_PREVIOUS if before is None else before.hash,
        version=version,
    )
    return Seal(header, tuple(ids), marks)


def add(session: Session, seal: Seal, vault: Vault) -> bool:
    """Write a seal; False if another process has written one with this number meanwhile."""
    values = {name: getattr(seal.header, name) for name in HEADER}
    own = seal.header.hash
    values |= {"row_ids": packed(seal.ids, seal.marks), "hash": own, "hmac": vault.mac(_sealed(own))}
    try:
        with session.begin_nested():
            session.execute(insert(audit_seals).values(values))
    except IntegrityError:
        return False
    return True


def stored(session: Session, vault: Vault, *, after: int = 0) -> Iterator[Stored]:
    """Return the seals after this number, in the order of their numbers."""
    number = after
    while found := session.execute(select(audit_seals).where(s.number > number).order_by(s.number).limit(50)).all():
        for row in found:
            number = int(row.number)
            yield _stored(row, vault)


def headers(session: Session, *, first: int) -> Iterator[Header]:
    """Return the headers of the seals from this number on."""
    statement = select(*(s[name] for name in HEADER)).where(s.number >= first).order_by(s.number)
    for row in session.execute(statement.execution_options(yield_per=PAGE)):
        yield _header(row)


def header(session: Session, number: int) -> Header | None:
    """Return the header of one seal."""
    row = session.execute(select(*(s[name] for name in HEADER)).where(s.number == number)).first()
    return None if row is None else _header(row)


def newest_by(session: Session, moment: datetime) -> Header | None:
    """Return the header of the last seal that was made by this instant."""
    made = select(*(s[name] for name in HEADER)).where(s.sealed_at <= moment)
    row = session.execute(made.order_by(s.number.desc()).limit(1)).first()
    return None if row is None else _header(row)


def count(session: Session) -> int:
    """Return how many seals there are."""
    return session.scalar(select(func.count()).select_from(audit_seals)) or 0


def seen(found: Collection[AnyRow], vault: Vault) -> dict[int, Row]:
    """Return rows of the trail as a check sees them; rows whose HMAC does not fit are compared with one another."""
    wrong: list[dict[str, Any]] = []
    rows: dict[int, Row] = {}
    for row in found:
        said = said_by(row)
        payload, hmac = audit.payload(said), bytes(row.hmac)
        genuine = vault.mac(payload) == hmac
        if not genuine:
            wrong.append(said)
        rows[row.id] = Row(row.id, merkle.leaf(payload + hmac), genuine, None, row.at, row.participant_id)
    for row_id, other in _swapped(wrong, vault):
        rows[row_id] = replace(rows[row_id], swapped_with=other)
    return rows


def last_checks(session: Session) -> dict[str, Checked]:
    """Return the last check of each kind."""
    c = audit_checks.c
    return {
        row.kind: Checked(row.at, row.seal, row.rows, row.findings)
        for row in session.execute(select(c.kind, c.at, c.seal, c.rows, c.findings))
    }


def note_check(session: Session, kind: CheckKind, checked: Checked) -> None:
    """Store the result of a check in place of the last one of its kind."""
    session.execute(delete(audit_checks).where(audit_checks.c.kind == kind))
    session.execute(
        insert(audit_checks).values(
            kind=kind, at=checked.at, seal=checked.seal, rows=checked.rows, findings=checked.findings
        )
    )


_MOST_COMPARED = 200
"""Rows with a wrong HMAC that are compared with one another; more than these were not just swapped."""


def _swapped(wrong: Sequence[Mapping[str, Any]], vault: Vault) -> Iterator[tuple[int, int]]:
    """Return (id of a row, id under which its HMAC fits), among rows whose HMAC does not fit."""
    if len(wrong) > _MOST_COMPARED:
        return
    for said in wrong:
        for other in wrong:
            if other is not said and vault.mac(audit.payload({**said, "id": other["id"]})) == bytes(said["hmac"]):
                yield said["id"], other["id"]
                break


def _sealed(own: bytes) -> bytes:
    """Return what the HMAC of a seal is made of: with a prefix, so that it never equals that of an audit row."""
    return b"seal|" + own


def _stored(row: AnyRow, vault: Vault) -> Stored:
    try:
        ids, marks = unpacked(row.row_ids)
    except ValueError:
        ids, marks = (), b""
    own = bytes(row.hash)
    return Stored(Seal(_header(row), ids, marks), own, vault.mac(_sealed(own)) == bytes(row.hmac))


def _header(row: AnyRow) -> Header:
    return Header(
        number=row.number,
        sealed_at=row.sealed_at,
        rows=row.rows,
        root=bytes(row.root),
        settled_below=row.settled_below,
        last_id=row.last_id,
        covers=bytes(row.covers),
        previous=bytes(row.previous),
        version=row.version,
    )
