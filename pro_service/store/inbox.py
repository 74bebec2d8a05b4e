"""Texts from telephones: kept raw first, read afterwards."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pro_service.store.ids import row_ids
from pro_service.store.schema import AnyRow, inbound
from pro_service.store.vault import Vault, opened, sealed

i = inbound.c
Text: TypeAlias = AnyRow
"""One row of `inbound`."""
FAULTS = 3
"""So often a text is tried to be read before a person is asked."""


def keep(session: Session, vault: Vault, provider_id: str, parameters: Mapping[str, str], now: datetime) -> int | None:
    """Keep one text as it came; gives its row id, or None if it is here already (providers repeat themselves)."""
    row_id = next(row_ids(session))
    row = {
        "id": row_id,
        "provider_id": provider_id,
        "sender_index": vault.index("phone", parameters.get("From", "")),
        "raw": sealed(vault.system_key, json.dumps(dict(parameters)).encode(), f"inbound|raw|{row_id}"),
        "received_at": now,
    }
    try:
        with session.begin_nested():
            session.execute(insert(inbound).values(row))
    except IntegrityError:
        return None
    return row_id


def unread(session: Session, inbound_id: int) -> Text | None:
    """The text, locked, if nobody has read it yet."""
    statement = select(inbound).where(i.id == inbound_id, i.interpreted_at.is_(None))
    if session.get_bind().dialect.name == "postgresql":
        statement = statement.with_for_update(skip_locked=True)
    return session.execute(statement).first()


def parameters(vault: Vault, row: Text) -> dict[str, str]:
    """What the provider sent with a text."""
    found: dict[str, str] = json.loads(opened(vault.system_key, row.raw, f"inbound|raw|{row.id}"))
    return found


def interpreted(
    session: Session, inbound_id: int, now: datetime, reading: str, *, study_id: int | None, participant_id: int | None
) -> None:
    """Say that a text was read, how, and whose it is."""
    values = {"interpreted_at": now, "reading": reading, "study_id": study_id, "participant_id": participant_id}
    session.execute(update(inbound).where(i.id == inbound_id).values(values))


def failed(session: Session, inbound_id: int) -> int:
    """Count one more fault in reading this text; gives how many there were."""
    counted = update(inbound).where(i.id == inbound_id).values(faults=i.faults + 1).returning(i.faults)
    return int(session.execute(counted).scalar_one())
