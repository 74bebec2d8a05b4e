"""Texts to staff about urgent tasks: rows of the outbox about no participant, so that no report counts them.

The number is looked up when a text is claimed, so the text goes to the telephone its reader agreed to by then.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import exists, update

from pro_service.core.providers import Facts
from pro_service.core.schedule.safety_alerts import KIND
from pro_service.core.texts import segments
from pro_service.store.audit import Entry
from pro_service.store.messages.waiting import READY
from pro_service.store.participants.writer import Writer
from pro_service.store.schema import messages, staff_telephones, users
from pro_service.store.staff import telephones
from pro_service.store.vault import sealed

m = messages.c
# By names of their own: a statement around it may ask for the telephone too.
_agreement, _reader = staff_telephones.alias("agreement"), users.alias("reader")
MAY_GO = (
    exists()
    .where(_agreement.c.user_id == m.user_id, _agreement.c.ended_at.is_(None))
    .where(_reader.c.id == m.user_id, _reader.c.disabled_at.is_(None))
    .correlate(messages)
)
"""Its reader agreed to texts, and may sign in."""


def queue(
    writer: Writer,
    user_id: int,
    key: str,
    frame: str,
    body: str,
    useful_until: datetime,
    facts: Facts,
    escalation_id: int | None = None,
) -> int:
    """Queue one text to a member of staff; return its row id. `remember` it once it is written.

    `facts`: of the way out that leads to the telephone they left.
    """
    row_id = next(writer.ids)
    row: dict[str, Any] = {"id": row_id, "escalation_id": escalation_id, "user_id": user_id, "dedup_key": key}
    row |= {"kind": KIND, "frame": frame, "channel": facts.way, "segments": segments(body, facts.charset)}
    row |= {"useful_until": useful_until}
    row |= {"body": sealed(writer.vault.system_key, body.encode(), f"messages|body|{row_id}")}
    return writer.add(messages, row | {"state": "ready", "queued_at": writer.now, "next_try_at": writer.now})


def end_agreement(writer: Writer, user_id: int, why: str, agreed_before: datetime | None = None) -> bool:
    """End a user's agreement to texts (`stopped`, `opted_out`, `bad_number`), and what waits to be sent.

    False if none holds of before `agreed_before`: the telephone was replaced, or agreed to again, since.
    """
    if not telephones.end(writer.session, user_id, why, writer.now, agreed_before or writer.now):
        return False
    changes = {"cause": (None, why), "texts_ended": (None, withdraw(writer, user_id))}
    writer.audit(Entry("end_texts", "user", user_id, changes), ZoneInfo("UTC"))
    return True


def withdraw(writer: Writer, user_id: int) -> int:
    """End the texts that wait for a user; return how many."""
    waiting = update(messages).where(READY, m.user_id == user_id, m.kind == KIND)
    return writer.session.execute(waiting.values(state="cancelled", ended_at=writer.now)).rowcount
