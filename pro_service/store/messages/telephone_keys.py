"""One key for each telephone that wrote to us.

When a text is sealed nobody knows yet whose it is, and a couple may share the telephone. So it is sealed with a key of
its telephone, from the first moment; that key is destroyed when the last participant with this telephone is erased.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import bindparam, func, select, text, update

from pro_service.core.conversation.unknown_sender import KIND as STRANGER
from pro_service.store.bulk import row_ids
from pro_service.store.schema import OLD_KEY, AnyRow, inbound, messages
from pro_service.store.schema import telephone_keys as table
from pro_service.store.session import Session
from pro_service.store.vault import UnreadableError, Vault, opened, sealed

k = table.c
i, m = inbound.c, messages.c


@dataclass(frozen=True, slots=True)
class TelephoneKey:
    """The key of one telephone, and the row that holds it."""

    id: int
    key: bytes = field(repr=False)


def of(session: Session, vault: Vault, indexes: Collection[bytes]) -> Mapping[bytes, TelephoneKey]:
    """Return the keys of these telephones (blind indexes); those that have none are given one.

    A key that cannot be decrypted is left out, and kept: a backup may mend it.
    """
    found = _kept(session, indexes)
    # In one order everywhere, or two processes with the same telephones would wait for each other.
    new = sorted(index for index in indexes if index not in found)
    if new:
        rows = [
            {"id": row_id, "index": index, "key": vault.new_telephone_key(row_id)}
            for index, row_id in zip(new, row_ids(session), strict=False)
        ]
        session.execute(_UNLESS_THERE, rows)
        found = _kept(session, indexes)
    keys: dict[bytes, TelephoneKey] = {}
    for index, row in found.items():
        with suppress(UnreadableError):
            keys[index] = TelephoneKey(row.id, vault.telephone_key(row.id, row.key))
    return keys


def _kept(session: Session, indexes: Collection[bytes]) -> dict[bytes, AnyRow]:
    statement = _KEPT
    if session.get_bind().dialect.name == "postgresql":
        # An erasure that destroys one of them at this moment comes first: then a new one is made.
        statement = statement.with_for_update(read=True, key_share=True)
    return {bytes(row.phone_index): row for row in session.execute(statement, {"indexes": list(indexes)})}


# --- texts from before telephones had keys ---------------------------------------------------------------------------


def count_old(session: Session) -> int:
    """Return how many texts are still sealed with the installation's key."""
    return session.scalar(select(func.count()).select_from(inbound).where(OLD_KEY)) or 0


def reseal(session: Session, vault: Vault, after: int, limit: int) -> tuple[Sequence[int], int]:
    """Seal the next texts with the keys of their telephones, and what was answered to strangers along with them.

    Returns the ids that were looked at, and how many of them could not be decrypted; these stay as they are.
    """
    statement = select(i.id, i.sender_index, i.raw).where(OLD_KEY, i.id > after).order_by(i.id).limit(limit)
    if session.get_bind().dialect.name == "postgresql":
        statement = statement.with_for_update()
    rows = session.execute(statement).all()
    keys = of(session, vault, {bytes(row.sender_index) for row in rows})
    sealed_with: dict[int, TelephoneKey] = {}
    unreadable = 0
    for row in rows:
        key = keys.get(bytes(row.sender_index))
        if key is None:
            unreadable += 1
            continue
        try:
            raw = _again(vault, key, row.raw, f"inbound|raw|{row.id}")
        except UnreadableError:
            unreadable += 1
            continue
        session.execute(update(inbound).where(i.id == row.id).values(raw=raw, telephone_key_id=key.id))
        sealed_with[row.id] = key
    answers = select(m.id, m.inbound_id, m.body).where(m.kind == STRANGER, m.inbound_id.in_(list(sealed_with)))
    for answer in session.execute(answers).all():
        with suppress(UnreadableError):
            body = _again(vault, sealed_with[answer.inbound_id], answer.body, f"messages|body|{answer.id}")
            session.execute(update(messages).where(m.id == answer.id).values(body=body))
    return [row.id for row in rows], unreadable


def _again(vault: Vault, key: TelephoneKey, cipher: bytes, place: str) -> bytes:
    return sealed(key.key, opened(vault.system_key, cipher, place), place)


_KEPT = select(k.id, k.phone_index, k.key).where(k.phone_index.in_(bindparam("indexes", expanding=True)))
_UNLESS_THERE = text(
    "INSERT INTO telephone_keys (id, phone_index, key) VALUES (:id, :index, :key) ON CONFLICT (phone_index) DO NOTHING"
)
