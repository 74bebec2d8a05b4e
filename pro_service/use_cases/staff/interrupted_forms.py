"""Forms that came when the session had ended: kept, sealed, until their owner has signed in again."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass

from pro_service.runtime import Runtime
from pro_service.store.staff import sessions
from pro_service.store.vault import UnreadableError, opened, sealed, token_hash

PLACE = "kept|form|"
LARGEST = 100_000
Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Kept:
    """A form that was not taken: whose, where it goes, what was typed."""

    user_id: int
    path: str
    fields: tuple[tuple[str, str], ...]


def seal_form(rt: Runtime, token: str, csrf: str, path: str, fields: Fields) -> str:
    """Seal a form for the time of signing in; empty for one that is not from a page of this very session.

    What another site makes a browser send has no cookie of ours, and never its session's form token.
    """
    if not token or not csrf:
        return ""
    with rt.sessions.reading() as session:
        owner = sessions.owner_of_form(session, csrf, token=token_hash(token))
    text = json.dumps([owner, path, list(fields)])
    if owner is None or len(text) > LARGEST:
        return ""
    return base64.urlsafe_b64encode(sealed(rt.vault.system_key, text.encode(), PLACE)).decode()


def open_form(rt: Runtime, blob: str) -> Kept | None:
    """Return the form that `seal_form` sealed; None for anything else."""
    try:
        text = opened(rt.vault.system_key, base64.urlsafe_b64decode(blob.encode()), PLACE)
    except (UnreadableError, binascii.Error, ValueError):
        return None
    owner, path, fields = json.loads(text)
    return Kept(owner, path, tuple((name, value) for name, value in fields))


def of_user(rt: Runtime, user_id: int, csrf: str) -> bool:
    """Whether a form came from an earlier session of somebody who has signed in again since."""
    if not csrf:
        return False
    with rt.sessions.reading() as session:
        return sessions.owner_of_form(session, csrf, user_id=user_id) is not None
