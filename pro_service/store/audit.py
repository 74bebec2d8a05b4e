"""The audit trail: one row per action and entity, in the same transaction as the change, each with its own HMAC."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pro_service.store.vault import Vault

_changes_as_text = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
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
    offset = now.astimezone(zone).utcoffset()
    row: dict[str, Any] = {
        "id": row_id,
        "at": now,
        "zone": zone.key,
        "utc_offset": 0 if offset is None else int(offset.total_seconds() // 60),
        "study_id": entry.study_id,
        "participant_id": entry.participant_id,
        "actor_kind": actor.kind,
        "actor": actor.id,
        "on_behalf_of": actor.on_behalf_of,
        "action": entry.action,
        "entity": entry.entity,
        "entity_id": entry.entity_id,
        "changes": _changes_as_text({field: [_plain(old), _plain(new)] for field, (old, new) in entry.changes.items()}),
        "reason": entry.reason,
        "source": actor.source,
    }
    return row | {"hmac": vault.mac(payload(row))}


def payload(row: Mapping[str, Any]) -> bytes:
    """The bytes an audit row's HMAC is over: every column but the HMAC, in a fixed order."""
    names = sorted(name for name in row if name != "hmac")
    return _row_as_text([[name, _plain(row[name])] for name in names]).encode()


def _plain(value: object) -> object:
    if value is None or isinstance(value, _JSON):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    return str(value)
