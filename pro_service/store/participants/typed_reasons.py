"""Reasons that people typed, sealed with the participant's key; other rows hold a reference in their place.

A reason may name a person, and a row of the audit trail is never rewritten. So the trail keeps where the words are and
a hash of them: it proves what was typed, verifies as before, and says nothing once the participant's key is destroyed.
The words are hashed with random bytes in front of them, so that a short reason cannot be found by trying.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping

from sqlalchemy import select

from pro_service.store.schema import participants, typed_reasons
from pro_service.store.session import Session
from pro_service.store.vault import UNREADABLE, UnreadableError, Vault, opened, sealed

t, p = typed_reasons.c, participants.c

SALT = 16
REFERENCE = re.compile(r"sealed:(\d{1,18}):([0-9a-f]{64})")


def place(row_id: int) -> str:
    """Return the place that a sealed reason is bound to."""
    return f"typed_reasons|words|{row_id}"


def seal(key: bytes, row_id: int, words: str) -> tuple[bytes, str]:
    """Return the sealed words and the reference to them."""
    plain = os.urandom(SALT) + words.encode()
    return sealed(key, plain, place(row_id)), f"sealed:{row_id}:{hashlib.sha256(plain).hexdigest()}"


def known(session: Session, vault: Vault, reasons: Iterable[str | None]) -> Mapping[str | None, str]:
    """Return reference -> words of those of these reasons that are sealed; dots once they are erased or changed."""
    wanted = {int(found[1]): found for one in reasons if one and (found := REFERENCE.fullmatch(one))}
    if not wanted:
        return {}
    statement = select(t.id, t.words, t.participant_id, p.data_key).join(participants, p.id == t.participant_id)
    words: dict[str | None, str] = {found[0]: UNREADABLE for found in wanted.values()}
    for row in session.execute(statement.where(t.id.in_(wanted))):
        found = wanted[row.id]
        try:
            plain = opened(vault.data_key(row.data_key or b"", row.participant_id), row.words, place(row.id))
        except UnreadableError:
            continue
        if hashlib.sha256(plain).hexdigest() == found[2]:
            words[found[0]] = plain[SALT:].decode()
    return words
