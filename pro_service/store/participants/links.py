"""The addresses of the participants' form: whose window a token opens."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, insert, select

from pro_service.core.case import Source
from pro_service.core.providers import MAIL
from pro_service.store.bulk import row_ids
from pro_service.store.schema import AnyRow, links, messages, participants
from pro_service.store.session import Session
from pro_service.store.vault import token_hash


class Opened(NamedTuple):
    """What a token opens, and how answers come that are given behind it."""

    participant_id: int
    window_id: int | None
    source: Source = "web"


def opened(session: Session, token: str) -> Opened:
    """Return what a token opens.

    A token nobody has gives somebody else's participant and no window, so that the caller does the same work for it
    and takes the same time; with no participant at all, an id that nobody has.
    """
    found = owner_of(session, token_hash(token))
    anybody = session.scalar(select(func.min(participants.c.id))) or 0
    return Opened(anybody, None) if found is None else found


def add_link(session: Session, message: AnyRow, token: str, now: datetime) -> None:
    """Let this token open the window of a message, unless it opens one already."""
    if session.scalar(select(links.c.id).where(links.c.token == token_hash(token))) is not None:
        return
    row = {"participant_id": message.participant_id, "window_id": message.window_id, "message_id": message.id}
    statement = insert(links).values(**row, id=next(row_ids(session)), token=token_hash(token), created_at=now)
    session.execute(statement)


def owner_of(session: Session, token: bytes) -> Opened | None:
    """Return what a link opens, by its token's hash; one that no message brought was opened by the card."""
    brought = messages.c.channel
    asked = select(links.c.participant_id, links.c.window_id, brought).where(links.c.token == token)
    row = session.execute(asked.outerjoin(messages, messages.c.id == links.c.message_id)).first()
    if row is None:
        return None
    return Opened(row[0], row[1], "card" if row[2] is None else "email" if row[2] == MAIL else "web")
