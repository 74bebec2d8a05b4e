"""The personal code on each participant's card: made, found, read again for printing, replaced."""

import base64
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from pro_service.core.card_code import CODES, code_of
from pro_service.core.case import WindowFacts
from pro_service.store.participants.cases import Loaded
from pro_service.store.participants.links import owner_of
from pro_service.store.participants.writer import Writer
from pro_service.store.schema import entry_codes, links, windows
from pro_service.store.vault import Vault, opened, sealed, token_hash

c = entry_codes.c
TOKEN_BYTES = 18
"""144 bits of an address of the form, as many as those in texts have."""
MARK_BYTES = 10


@dataclass(frozen=True, slots=True)
class Code:
    """A code nobody has, with the index by which it will be found. Plain here, and never written so."""

    plain: str
    index: bytes


class ErasedError(Exception):
    """This participant's contact data was erased; there is no code to print."""


def new_code(session: Session, vault: Vault) -> Code:
    """A code that nobody has, drawn from the system's randomness."""
    while True:
        plain = code_of(secrets.randbelow(CODES))
        code = Code(plain, index_of(vault, plain))
        if session.scalar(select(c.id).where(c.code_index == code.index)) is None:
            return code


def count_codes(session: Session) -> int:
    """How many codes open something, in all studies."""
    return session.scalar(select(func.count()).select_from(entry_codes)) or 0


def index_of(vault: Vault, code: str) -> bytes:
    """The blind index of a code."""
    return vault.index("entry-code", code)


def mark_of(vault: Vault, code: str) -> str:
    """What only we can tell of a code: 80 bits that the card's picture and a browser that was let in carry.

    It can only come from us, together with the code: a code that comes with it is no guess.
    """
    return base64.b32encode(vault.index("entry-mark", code)[:MARK_BYTES]).decode()


def is_marked(vault: Vault, code: str, mark: str) -> bool:
    """Whether this mark belongs to this code."""
    return hmac.compare_digest(mark.encode(), mark_of(vault, code).encode())


def row_of(row_id: int, study_id: int, participant_id: int, key: bytes, code: Code) -> dict[str, Any]:
    """The row of a participant's code; `key` is the participant's data key."""
    return {
        "id": row_id,
        "study_id": study_id,
        "participant_id": participant_id,
        "code": sealed(key, code.plain.encode(), _place(row_id)),
        "code_index": code.index,
    }


def participant_with_code(session: Session, vault: Vault, code: str) -> int | None:
    """The id of the participant with this code."""
    return session.scalar(select(c.participant_id).where(c.code_index == index_of(vault, code)))


def code_of_participant(session: Session, vault: Vault, loaded: Loaded) -> str | None:
    """A participant's code; None if none was made yet. ErasedError."""
    row = session.execute(select(c.id, c.code).where(c.participant_id == loaded.case.participant.id)).first()
    return None if row is None else opened(_key(vault, loaded), row.code, _place(row.id)).decode()


def make_code(writer: Writer, loaded: Loaded) -> str:
    """Make a code for a participant who has none; return it. ErasedError."""
    code = new_code(writer.session, writer.vault)
    key, row_id = _key(writer.vault, loaded), next(writer.ids)
    row = row_of(row_id, loaded.study_id, loaded.case.participant.id, key, code)
    writer.session.execute(entry_codes.insert().values(row))
    writer.change(loaded, {"card_made_at": writer.now}, "make_code")
    return code.plain


def replace_code(writer: Writer, loaded: Loaded, reason: str) -> str:
    """Give a participant another code; the old one, and every address it opened, lead nowhere from now on.

    The new card is still to be handed over.
    """
    session, vault, participant_id = writer.session, writer.vault, loaded.case.participant.id
    old = code_of_participant(session, vault, loaded)
    if old is None:
        return make_code(writer, loaded)
    code = new_code(session, vault)
    row_id = session.execute(select(c.id).where(c.participant_id == participant_id)).scalar_one()
    row = row_of(row_id, loaded.study_id, participant_id, _key(vault, loaded), code)
    session.execute(update(entry_codes).where(c.id == row_id).values(row))
    every = session.scalars(select(windows.c.id).where(windows.c.participant_id == participant_id)).all()
    tokens = [token_hash(token_of(vault, old, window_id)) for window_id in every]
    session.execute(delete(links).where(links.c.token.in_(tokens)))
    writer.change(loaded, {"card_made_at": writer.now, "card_handed_at": None}, "replace_code", reason)
    return code.plain


def hand_over(writer: Writer, loaded: Loaded, at: datetime) -> None:
    """Write down when a card was handed over."""
    writer.change(loaded, {"card_handed_at": at}, "hand_card")


def take_back(writer: Writer, loaded: Loaded) -> None:
    """Write down that a card was not handed over after all."""
    writer.change(loaded, {"card_handed_at": None}, "unhand_card")


def token_of(vault: Vault, code: str, window_id: int) -> str:
    """The token of the form that a code opens: the same one each time, and nobody's to work out."""
    token = vault.index("entry-token", f"{code}|{window_id}")[:TOKEN_BYTES]
    return base64.urlsafe_b64encode(token).decode()


def open_window(writer: Writer, loaded: Loaded, code: str, window: WindowFacts) -> str:
    """Let a code open the form of a window, once; return the token of the form.

    A card that is used is in its participant's hands, whether or not somebody wrote down that it was handed over.
    """
    token = token_of(writer.vault, code, window.id)
    if owner_of(writer.session, token_hash(token)) is None:
        row = {"participant_id": loaded.case.participant.id, "window_id": window.id, "message_id": None}
        row_id = writer.add(links, {**row, "token": token_hash(token), "created_at": writer.now})
        writer.note(loaded, "enter_by_card", "link", row_id, {"window": (None, window.code)})
        if loaded.case.participant.card_handed_at is None:
            writer.change(loaded, {"card_handed_at": writer.now}, "use_card")
    return token


def _key(vault: Vault, loaded: Loaded) -> bytes:
    if loaded.data_key is None:
        raise ErasedError
    return vault.data_key(loaded.data_key, loaded.case.participant.id)


def _place(row_id: int) -> str:
    return f"entry_codes|code|{row_id}"
