"""Links in mails to staff: made, looked up, used once; and the mails themselves, in the same outbox as every other."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select, update

from pro_service.store.participants.writer import Writer
from pro_service.store.schema import messages, tickets, users
from pro_service.store.session import Session
from pro_service.store.vault import sealed

t, u = tickets.c, users.c
Purpose = Literal["invitation", "reset"]


@dataclass(frozen=True, slots=True)
class Ticket:
    """A link that still works, and whose it is."""

    id: int
    user_id: int
    purpose: Purpose
    email: str
    language: str


def make(writer: Writer, user_id: int, purpose: Purpose, token: bytes, expires_at: datetime) -> int:
    """Queue a ticket; those the user had before work no more."""
    void(writer.session, user_id, writer.now)
    row = {"user_id": user_id, "made_by": writer.actor.user_id, "purpose": purpose, "token": token}
    return writer.add(tickets, row | {"made_at": writer.now, "expires_at": expires_at})


def void(session: Session, user_id: int, now: datetime) -> None:
    """Let no ticket of a user work any more."""
    session.execute(update(tickets).where(t.user_id == user_id, t.used_at.is_(None)).values(used_at=now))


def find(session: Session, token: bytes, now: datetime) -> Ticket | None:
    """The ticket of a token's hash, if it is unused and in time and its user is not disabled."""
    statement = (
        select(t.id, t.user_id, t.purpose, u.email, u.language)
        .join(users, u.id == t.user_id)
        .where(t.token == token, t.used_at.is_(None), t.expires_at > now, u.disabled_at.is_(None))
    )
    row = session.execute(statement).first()
    return None if row is None else Ticket(*row)


def use(session: Session, ticket_id: int, now: datetime) -> bool:
    """Use a ticket up; False if somebody was quicker."""
    used = update(tickets).where(t.id == ticket_id, t.used_at.is_(None), t.expires_at > now).values(used_at=now)
    return session.execute(used).rowcount == 1


def queue_mail(
    writer: Writer, user_id: int, frame: str, key: str, body: str, useful_until: datetime | None = None
) -> int:
    """Queue one mail about an account: subject, blank line, body; `key` names it once and for all."""
    row_id = next(writer.ids)
    row = {"id": row_id, "user_id": user_id, "dedup_key": key, "kind": "account", "frame": frame, "channel": "email"}
    row |= {"body": sealed(writer.vault.system_key, body.encode(), f"messages|body|{row_id}"), "segments": 0}
    row |= {"state": "ready", "queued_at": writer.now, "next_try_at": writer.now, "useful_until": useful_until}
    return writer.add(messages, row)
