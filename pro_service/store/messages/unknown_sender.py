"""The neutral answer to a telephone that nobody has: a row of the outbox like any other, without a participant.

The number is kept nowhere but in the sealed text that it came with; the key of the row holds its blind index. The words
are sealed with the key of the text that they answer.
"""

from datetime import datetime

from sqlalchemy import select, update

from pro_service.core.conversation.answers import PATIENCE
from pro_service.core.conversation.unknown_sender import FRAME, KIND
from pro_service.store.audit import Entry
from pro_service.store.messages.inbox import Text, key_of
from pro_service.store.participants.cases import zone_of
from pro_service.store.participants.writer import Words, Writer
from pro_service.store.schema import inbound, messages
from pro_service.store.session import Session
from pro_service.store.vault import sealed

m, i = messages.c, inbound.c


def stopped(session: Session, sender_index: bytes) -> bool:
    """Whether the last stop or start from this telephone was a stop."""
    said = (
        select(i.reading)
        .where(i.sender_index == sender_index, i.reading.in_(("OptOut", "OptIn")))
        .order_by(i.received_at.desc(), i.id.desc())
        .limit(1)
    )
    return session.scalar(said) == "OptOut"


def answered(session: Session, sender_index: bytes, since: datetime) -> bool:
    """Whether this telephone was answered since then."""
    mine = m.dedup_key.between(f"{_key(sender_index)}:", f"{_key(sender_index)}:~")
    return session.execute(select(m.id).where(mine, m.queued_at > since).limit(1)).first() is not None


def queue(writer: Writer, study_id: int, answered_text: Text, words: Words) -> None:
    """Queue the answer; the key exists once a number and day, even if two texts are read at the same moment."""
    row_id, inbound_id = next(writer.ids), answered_text.id
    writer.add(
        messages,
        {
            "id": row_id,
            "study_id": study_id,
            "inbound_id": inbound_id,
            "protocol_version_id": words.version_id,
            "dedup_key": f"{_key(answered_text.sender_index)}:{writer.now.date().isoformat()}",
            "kind": KIND,
            "frame": FRAME,
            "channel": answered_text.channel,
            "body": sealed(key_of(writer.vault, answered_text), words.body.encode(), f"messages|body|{row_id}"),
            "segments": words.segments,
            "state": "ready",
            "queued_at": writer.now,
            "next_try_at": writer.now,
            "useful_until": writer.now + PATIENCE,
        },
    )
    changes = {"kind": (None, KIND), "frame": (None, FRAME), "inbound": (None, inbound_id)}
    writer.audit(Entry("queue", "message", row_id, changes, study_id), zone_of("UTC"))


def cancel(session: Session, sender_index: bytes, now: datetime) -> None:
    """Withdraw an answer that has not left: the number said stop."""
    mine = m.dedup_key.between(f"{_key(sender_index)}:", f"{_key(sender_index)}:~")
    waiting = update(messages).where(mine, m.state == "ready")
    session.execute(waiting.values(state="cancelled", ended_at=now))


def _key(sender_index: bytes) -> str:
    return f"u:{sender_index.hex()[:32]}"
