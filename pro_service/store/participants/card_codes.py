"""The personal code on each participant's card: made, found, read again for printing, replaced."""

import base64
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select

from pro_service.core.card_code import CODES, LENGTH, SHORT, code_of, is_short
from pro_service.core.case import WindowFacts
from pro_service.store.participants.cases import Loaded
from pro_service.store.participants.links import owner_of
from pro_service.store.participants.writer import Writer
from pro_service.store.schema import entry_codes, links, windows
from pro_service.store.session import Session
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


def count_codes(asking: Session | Connection) -> tuple[int, int]:
    """How many long and how many short codes open something, in all studies."""
    counted = select(func.count()).select_from(entry_codes)
    both = select(counted.where(c.signs != SHORT).scalar_subquery(), counted.where(c.signs == SHORT).scalar_subquery())
    long, short = asking.execute(both).one()
    return long, short


def has_short_codes(asking: Session | Connection) -> bool:
    """Whether cards of an earlier release are still about."""
    return asking.execute(select(c.id).where(c.signs == SHORT).limit(1)).first() is not None


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
        "signs": len(code.plain),
    }


def participant_with_code(asking: Session | Connection, vault: Vault, code: str) -> int | None:
    """The id of the participant with this code."""
    return asking.scalar(select(c.participant_id).where(c.code_index == index_of(vault, code)))


def code_of_participant(session: Session, vault: Vault, loaded: Loaded) -> str | None:
    """The code that is printed for a participant; None if none was made yet, or a short one alone. ErasedError."""
    return next(iter(_codes(session, vault, loaded, LENGTH)), None)


def works_beside(session: Session, loaded: Loaded) -> bool:
    """Whether a card of an earlier release, with a short code, still works for a participant."""
    mine = select(c.id).where(c.participant_id == loaded.case.participant.id, c.signs == SHORT)
    return session.execute(mine).first() is not None


def make_code(writer: Writer, loaded: Loaded) -> str:
    """Make a code for a participant who has none, or a short one; return it. ErasedError.

    The short one works until the new one is used, for its card is still in the participant's hands.
    """
    code = _add_code(writer, loaded)
    handed = {"card_handed_at": None} if works_beside(writer.session, loaded) else {}
    writer.change(loaded, {"card_made_at": writer.now, **handed}, "make_code")
    return code


def replace_code(writer: Writer, loaded: Loaded, reason: str) -> str:
    """Give a participant another code; every old one, and every address they opened, lead nowhere from now on.

    The new card is still to be handed over.
    """
    old = _codes(writer.session, writer.vault, loaded, LENGTH, SHORT)
    if not old:
        return make_code(writer, loaded)
    _end(writer, loaded, old)
    code = _add_code(writer, loaded)
    writer.change(loaded, {"card_made_at": writer.now, "card_handed_at": None}, "replace_code", reason)
    return code


def _codes(session: Session, vault: Vault, loaded: Loaded, *signs: int) -> list[str]:
    mine = select(c.id, c.code).where(c.participant_id == loaded.case.participant.id, c.signs.in_(signs))
    found = session.execute(mine).all()
    return [opened(_key(vault, loaded), row.code, _place(row.id)).decode() for row in found]


def _add_code(writer: Writer, loaded: Loaded) -> str:
    code = new_code(writer.session, writer.vault)
    key, row_id = _key(writer.vault, loaded), next(writer.ids)
    row = row_of(row_id, loaded.study_id, loaded.case.participant.id, key, code)
    writer.session.execute(entry_codes.insert().values(row))
    return code.plain


def _end(writer: Writer, loaded: Loaded, codes: Iterable[str]) -> None:
    """Let these codes of a participant, and every address they opened, lead nowhere from now on."""
    session, vault, participant_id = writer.session, writer.vault, loaded.case.participant.id
    every = session.scalars(select(windows.c.id).where(windows.c.participant_id == participant_id)).all()
    for code in codes:
        session.execute(delete(entry_codes).where(c.code_index == index_of(vault, code)))
        tokens = [token_hash(token_of(vault, code, window_id)) for window_id in every]
        session.execute(delete(links).where(links.c.token.in_(tokens)))


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

    A card that is used is in its participant's hands, whether or not somebody wrote down that it was handed over. The
    short code of the card before it ends then: an earlier moment could leave them without one that works.
    """
    token = token_of(writer.vault, code, window.id)
    if owner_of(writer.session, token_hash(token)) is None:
        row = {"participant_id": loaded.case.participant.id, "window_id": window.id, "message_id": None}
        row_id = writer.add(links, {**row, "token": token_hash(token), "created_at": writer.now})
        writer.note(loaded, "enter_by_card", "link", row_id, {"window": (None, window.code)})
        replaced = is_short(code) and code_of_participant(writer.session, writer.vault, loaded) is not None
        if not is_short(code):
            _end(writer, loaded, _codes(writer.session, writer.vault, loaded, SHORT))
        if loaded.case.participant.card_handed_at is None and not replaced:
            writer.change(loaded, {"card_handed_at": writer.now}, "use_card")
    return token


def _key(vault: Vault, loaded: Loaded) -> bytes:
    if loaded.data_key is None:
        raise ErasedError
    return vault.data_key(loaded.data_key, loaded.case.participant.id)


def _place(row_id: int) -> str:
    return f"entry_codes|code|{row_id}"
