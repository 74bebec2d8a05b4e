"""Encryption and blind index of contact data.

AES-256-GCM; the associated data is `table|column|row id`, so that a ciphertext cannot be moved to another row. Each
participant has a data key, wrapped by a key of the settings; destroying it erases the participant. What a telephone
sends has a key of that telephone, because its sender is not known when it is sealed. Look-up is by a keyed blind index
(HMAC-SHA256) under one random key per installation, itself wrapped.
"""

import base64
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from pro_service.core.problems import SetUpError
from pro_service.store.schema import installation
from pro_service.store.session import Session

NONCE = 12
UNREADABLE = "•••"
"""In place of a masked number that cannot be decrypted."""
INDEX_KEY = "index_key"
SYSTEM_KEY = "system_key"


class UnreadableError(SetUpError):
    """A stored value cannot be decrypted; carries where it stands and the ids of keys, never a value or a key."""


class WrongKeyError(UnreadableError):
    """DATA_KEYS does not open this database; carries ids of keys, never keys."""


def sealed(key: bytes, plain: bytes, place: str) -> bytes:
    """Encrypt for one place (`table|column|row id`): nonce, then ciphertext and tag."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, place.encode())


def opened(key: bytes, cipher: bytes, place: str) -> bytes:
    """Decrypt what `sealed` made for the same place. UnreadableError: another key, another place, or damage."""
    try:
        return AESGCM(key).decrypt(cipher[:NONCE], cipher[NONCE:], place.encode())
    except (InvalidTag, ValueError):  # a ValueError if not even a nonce is left
        column, _, row = place.replace("|", ".", 1).partition("|")
        raise UnreadableError("value_unreadable", column=column, row=row) from None


class Vault:
    """The keys of one installation, opened with the settings' keys."""

    def __init__(self, data_keys: tuple[tuple[str, bytes], ...], index_key: bytes, system_key: bytes) -> None:
        self._keys = data_keys
        self._wrappers = {name: AESGCM(key) for name, key in data_keys}
        self._index_key = index_key
        self.system_key = system_key
        # One key, one use: the audit trail's is derived, not shared with what encrypts (RFC 5869).
        self._audit_key = HKDF(hashes.SHA256(), 32, salt=None, info=b"audit trail").derive(system_key)

    def new_data_key(self, participant_id: int) -> tuple[bytes, bytes]:
        """A fresh data key: (the key, the key wrapped for this participant's row)."""
        key = os.urandom(32)
        return key, self.wrap(key, f"participants|data_key|{participant_id}")

    def wrap(self, key: bytes, place: str) -> bytes:
        """Wrap a key with the newest key of the settings: its id, a colon, nonce, ciphertext."""
        name, _ = self._keys[0]
        nonce = os.urandom(NONCE)
        return name.encode() + b":" + nonce + self._wrappers[name].encrypt(nonce, key, place.encode())

    def unwrap(self, wrapped: bytes, place: str) -> bytes:
        """Open a wrapped key. WrongKeyError names the id that is missing or does not fit."""
        named, _, rest = wrapped.partition(b":")
        name = named.decode(errors="replace")
        wrapper = self._wrappers.get(name)
        if wrapper is None:
            raise WrongKeyError("data_key_missing", key=repr(name))
        try:
            return wrapper.decrypt(rest[:NONCE], rest[NONCE:], place.encode())
        except (InvalidTag, ValueError):
            raise WrongKeyError("data_key_wrong", key=repr(name)) from None

    def rewrap(self, wrapped: bytes, place: str) -> bytes:
        """Wrap the same key with the newest key of the settings."""
        return self.wrap(self.unwrap(wrapped, place), place)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the settings' keys, newest first."""
        return tuple(name for name, _ in self._keys)

    def data_key(self, wrapped: bytes, participant_id: int) -> bytes:
        """This participant's data key."""
        return self.unwrap(wrapped, f"participants|data_key|{participant_id}")

    def new_telephone_key(self, row_id: int) -> bytes:
        """Return a fresh key for one telephone, wrapped for its row."""
        return self.wrap(os.urandom(32), f"telephone_keys|key|{row_id}")

    def telephone_key(self, row_id: int | None, wrapped: bytes | None) -> bytes:
        """Return a telephone's key; for a text that is not sealed with it yet, the installation's key.

        Raise UnreadableError if the key is destroyed.
        """
        if row_id is None:
            return self.system_key
        if wrapped is None:
            raise UnreadableError("value_unreadable", column="telephone_keys.key", row=row_id)
        return self.unwrap(wrapped, f"telephone_keys|key|{row_id}")

    def index(self, kind: str, value: str) -> bytes:
        """Blind index of a contact value: 32 bytes, equal for equal values, meaningless without the index key."""
        return hmac.digest(self._index_key, f"{kind}|{value}".encode(), hashlib.sha256)

    def mac(self, payload: bytes) -> bytes:
        """Keyed hash of an audit row."""
        return hmac.digest(self._audit_key, payload, hashlib.sha256)


def open_vault(session: Session, data_keys: tuple[tuple[str, bytes], ...]) -> Vault:
    """The vault of this database; WrongKeyError if the settings' keys do not open it."""
    found = dict(session.execute(select(installation.c.key, installation.c.value)).all())
    bare = Vault(data_keys, b"", b"")
    keys = [
        bare.unwrap(base64.b64decode(found[name]), f"installation|value|{name}") if name in found else b""
        for name in (INDEX_KEY, SYSTEM_KEY)
    ]
    if not all(keys):
        raise WrongKeyError("no_keys_yet")
    return Vault(data_keys, *keys)


def make_keys(session: Session, data_keys: tuple[tuple[str, bytes], ...]) -> None:
    """Give a new database its index key and its system key, once."""
    bare = Vault(data_keys, b"", b"")
    for name in (INDEX_KEY, SYSTEM_KEY):
        if session.scalar(select(installation.c.value).where(installation.c.key == name)) is None:
            wrapped = bare.wrap(os.urandom(32), f"installation|value|{name}")
            try:
                with session.begin_nested():
                    session.execute(insert(installation).values(key=name, value=base64.b64encode(wrapped).decode()))
            except IntegrityError:
                continue


def token_hash(token: str) -> bytes:
    """What is stored of a token of 128 random bits or more: SHA-256 of it."""
    return hashlib.sha256(token.encode()).digest()
