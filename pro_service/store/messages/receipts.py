"""What providers say of our messages: each status once, forward only; the first final one wins."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select, update

from pro_service.core.providers import Receipt
from pro_service.store.bulk import row_ids
from pro_service.store.schema import AnyRow, attempts, messages, receipts
from pro_service.store.session import Session
from pro_service.store.vault import token_hash

m = messages.c

FINAL = ("delivered", "undelivered", "failed")
RANK = {"accepted": 0, "scheduled": 0, "queued": 0, "sending": 1, "sent": 2}
"""Where a provider's status stands on its way; statuses only move forward, and the first final one wins."""


def by_token(session: Session, token: str) -> AnyRow | None:
    """The message an attempt's callback is about: (id, participant id)."""
    statement = select(m.id, m.participant_id).join(attempts, attempts.c.message_id == m.id)
    return session.execute(statement.where(attempts.c.token == token_hash(token))).first()


def by_provider_id(session: Session, provider_id: str) -> AnyRow | None:
    """The message with this id of the provider's: (id, participant id)."""
    return session.execute(select(m.id, m.participant_id).where(m.provider_id == provider_id)).first()


def by_id(session: Session, message_id: int) -> AnyRow:
    """The message with this row id, taken."""
    statement = select(messages).where(m.id == message_id)
    if session.get_bind().dialect.name == "postgresql":
        statement = statement.with_for_update()
    return session.execute(statement).one()


def said_before(session: Session, said: Receipt) -> bool:
    """Whether this status of this message is kept already: providers repeat themselves."""
    known = select(receipts.c.id).where(receipts.c.provider_id == said.provider_id, receipts.c.status == said.status)
    return session.scalar(known) is not None


def store_receipt(session: Session, row: AnyRow, said: Receipt, now: datetime) -> str | None:
    """Keep what a provider said of a message, once a status, and move it forward.

    Gives the state the message moved to, or None. Statuses come in any order,
    repeated and contradictory: they only move forward, the first final one wins, a contradiction is kept and flagged.
    """
    if said_before(session, said):
        return None
    ended = _ended(session, said.provider_id)
    moved = None if ended else _moved(row, said.status)
    again = said.status in FINAL and (row.state in FINAL or ended)
    contradicts = again or _another(session, row, said.provider_id)
    _keep(session, row, said, now, contradicts=contradicts)
    if moved is None or contradicts:
        return None
    values: dict[str, Any] = {"state": moved, "provider_status": said.status, "lease_until": None}
    values["ask_at"] = None
    values |= {"provider_id": said.provider_id, "accepted_at": row.accepted_at or now}
    if moved in ("sent", "delivered"):
        values["sent_at"] = row.sent_at or now
    if moved in FINAL:
        values |= {"ended_at": now, "error": said.error or None}
    session.execute(update(messages).where(m.id == row.id, m.state == row.state).values(values))
    return moved


def store_taken_before(session: Session, row: AnyRow, said: Receipt, now: datetime) -> None:
    """Keep that an attempt was not sent because the one before it was taken: what is said of that one still counts."""
    if said_before(session, said):
        return
    _keep(session, row, said, now, contradicts=False)
    values = {"state": "accepted", "provider_id": None, "accepted_at": row.accepted_at or now, "error": None}
    still = (m.id == row.id, m.state.in_(("sending", "uncertain", "accepted")))
    theirs = or_(m.provider_id.is_(None), m.provider_id == said.provider_id)
    session.execute(update(messages).where(*still, theirs).values(**values, lease_until=None, ask_at=None))


def _keep(session: Session, row: AnyRow, said: Receipt, now: datetime, *, contradicts: bool) -> None:
    session.execute(
        insert(receipts).values(
            id=next(row_ids(session)),
            message_id=row.id,
            provider_id=said.provider_id,
            status=said.status,
            error=said.error or None,
            received_at=now,
            contradicts=contradicts,
        )
    )


def wait_again(session: Session, message_id: int, next_try_at: datetime) -> None:
    """Let a message that failed go once more, as if the provider had never taken it."""
    taken = dict.fromkeys(("provider_id", "provider_status", "accepted_at", "sent_at", "ended_at"))
    failed = update(messages).where(m.id == message_id, m.state.in_(("undelivered", "failed")))
    session.execute(failed.values(**taken, state="ready", next_try_at=next_try_at))


def _ended(session: Session, provider_id: str) -> bool:
    """Whether a final word was said about this id: what else is said of it does not concern a later attempt."""
    final = select(receipts.c.id).where(receipts.c.provider_id == provider_id, receipts.c.status.in_(FINAL))
    return session.scalar(final) is not None


def _another(session: Session, row: AnyRow, provider_id: str) -> bool:
    """Whether this id and this message belong to others: a second acceptance of one message, or of two as one."""
    if row.provider_id is not None:
        return bool(row.provider_id != provider_id)
    return session.scalar(select(m.id).where(m.provider_id == provider_id, m.id != row.id)) is not None


def _moved(row: AnyRow, status: str) -> str | None:
    """The state a status moves a message to, or None if it is behind, unknown, or the message has ended."""
    if row.state in FINAL or row.state in ("refused", "cancelled"):
        return None
    if status in FINAL:
        return status
    if status not in RANK:
        return None
    new = "sent" if status == "sent" else "accepted"
    before = {"accepted": 1, "sent": 2}.get(row.state, 0)
    return new if {"accepted": 1, "sent": 2}[new] > before else None
