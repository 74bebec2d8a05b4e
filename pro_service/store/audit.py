"""The audit trail: one row per action and entity, in the same transaction as the change, each with its own HMAC."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pro_service.store.vault import Vault

_row_as_text = json.JSONEncoder(ensure_ascii=False).encode
_JSON = (str, int, float, list, dict)
"""What JSON holds as it is; `bool` is an `int`."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `kind` and an id (`user:7`, `cli:<system user>`, `scheduler`), and through which door."""

    kind: Literal["participant", "staff", "system", "provider"]
    id: str
    source: str
    """`sms`, `web`, `dashboard`, `cli`, `scheduler`, `webhook`."""
    user_id: int | None = None
    on_behalf_of: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What one audit row says. `changes`: field -> (old, new); contact values only masked."""

    action: str
    entity: str
    entity_id: int | None
    changes: Mapping[str, tuple[object, object]]
    study_id: int | None = None
    participant_id: int | None = None
    reason: str | None = None


def audit_row(row_id: int, entry: Entry, actor: Actor, now: datetime, zone: ZoneInfo, vault: Vault) -> dict[str, Any]:
    """The row to insert for one entry, with its HMAC over everything it says."""
    row: dict[str, Any] = {
        "id": row_id,
        "at": now,
        "zone": zone.key,
        "utc_offset": _offset(now, zone),
        "study_id": entry.study_id,
        "participant_id": entry.participant_id,
        "actor_kind": actor.kind,
        "actor": actor.id,
        "on_behalf_of": actor.on_behalf_of,
        "action": entry.action,
        "entity": entry.entity,
        "entity_id": entry.entity_id,
        "changes": changes_as_text(entry.changes),
        "reason": entry.reason,
        "source": actor.source,
    }
    row["hmac"] = vault.mac(payload(row))
    return row


def is_genuine(row: Mapping[str, Any], vault: Vault) -> bool:
    """Whether a row says what was written: its HMAC fits."""
    return hmac.compare_digest(vault.mac(payload(row)), bytes(row["hmac"]))


def payload(row: Mapping[str, Any]) -> bytes:
    """The bytes an audit row's HMAC is over: every column but the HMAC, in a fixed order."""
    fields = [f'["{name}", {_as_text(row[name])}]' for name in _names(tuple(row))]
    return f"[{', '.join(fields)}]".encode()


@lru_cache(maxsize=8)
def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(name for name in names if name != "hmac"))


def _as_text(value: object) -> str:
    """One value as JSON; what rows are full of without the encoder, which costs more than the rest of the row."""
    if value is None:
        return "null"
    if type(value) is str:
        return encode_basestring(value)
    if type(value) is int:
        return repr(value)
    if type(value) is datetime:
        return f'"{_instant(value)}"'
    return _row_as_text(as_written(value))


def as_written(value: object) -> object:
    """Return a value as it stands in `changes`."""
    if value is None or isinstance(value, _JSON):
        return value
    return _instant(value) if isinstance(value, datetime) else str(value)


def fingerprint(*stored: bytes | str | None) -> str | None:
    """Return a hash of encrypted data as it is stored; None where there is none.

    Another hash shows that the data changed. A hash says nothing about their content, not even to somebody who guesses
    it, because a ciphertext looks random.
    """
    if stored[0] is None:
        return None
    whole = b"|".join(one.encode() if isinstance(one, str) else bytes(one or b"") for one in stored)
    return hashlib.sha256(whole).hexdigest()[:32]


@lru_cache(maxsize=256)
def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


@lru_cache(maxsize=256)
def _offset(now: datetime, zone: ZoneInfo) -> int:
    """Minutes east of UTC."""
    offset = now.astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds() // 60)


changes_as_text = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=as_written).encode
"""Return changes as text, always in the form in which the trail holds them."""
