"""The mail to a colleague whom a task was handed to: one a hand-over, and none once it is not theirs to take up."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, select

from pro_service.core.case import EscalationFacts
from pro_service.store.cases import Loaded
from pro_service.store.records import Writer
from pro_service.store.schema import escalations, messages, users
from pro_service.store.vault import sealed

PREFIX = "h:"
"""What the keys of these mails begin with."""

m, e, u = messages.c, escalations.c, users.c


def key_of(escalation_id: int, to: int, at: datetime) -> str:
    """What one hand-over is called: the same task comes to the same person again, at another instant."""
    return f"{PREFIX}{escalation_id}:{to}:{at:%Y%m%d%H%M%S%f}"


def queue(writer: Writer, loaded: Loaded, task: EscalationFacts, to: int, text: Callable[[str], str]) -> None:
    """Queue the mail about a hand-over of this instant, `text` (language -> subject, blank line, body); once."""
    key = key_of(task.id, to, writer.now)
    if writer.session.scalar(select(m.id).where(m.dedup_key == key)) is not None:
        return
    language = writer.session.scalar(select(u.language).where(u.id == to)) or ""
    row_id = next(writer.ids)
    about = {"study_id": loaded.study_id, "participant_id": loaded.case.participant.id, "window_id": task.window_id}
    row: dict[str, Any] = {"id": row_id, **about, "escalation_id": task.id, "user_id": to, "dedup_key": key}
    row |= {"kind": "alert", "frame": "handed", "channel": "email", "segments": 0}
    row |= {"body": sealed(writer.vault.system_key, text(language).encode(), f"messages|body|{row_id}")}
    writer.add(messages, row | {"state": "ready", "queued_at": writer.now, "next_try_at": writer.now})
    writer.note(loaded, "queue", "message", row_id, {"kind": (None, "alert"), "user": (None, to)})


def is_one(key: str) -> bool:
    """Whether a message's key is that of a hand-over's mail."""
    return key.startswith(PREFIX)


def still_theirs(connection: Connection, message_id: int) -> bool:
    """Whether what the mail says still holds: of this very hand-over, open, and not taken up by anybody since."""
    return connection.execute(_STILL, {"message": message_id}).first() is not None


_STILL = (
    select(m.id)
    .join(escalations, e.id == m.escalation_id)
    .join(users, u.id == m.user_id)
    .where(
        m.id == bindparam("message"),
        and_(e.handed_to == m.user_id, e.handed_at == m.queued_at),
        e.acknowledged_at.is_(None),
        e.resolved_at.is_(None),
        u.disabled_at.is_(None),
    )
)
