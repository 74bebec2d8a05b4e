"""The addresses of the participants' form: whose window a token opens."""

from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from pro_service.store.bulk import row_ids
from pro_service.store.schema import AnyRow, links, participants
from pro_service.store.vault import token_hash


def opened(session: Session, token: str) -> tuple[int, int | None]:
    """(participant id, window id) that a token opens.

    A token nobody has gives somebody else's participant and no window, so that the caller does the same work for it
    and takes the same time; with no participant at all, an id that nobody has.
    """
    found = owner_of(session, token_hash(token))
    anybody = session.scalar(select(func.min(participants.c.id))) or 0
    return (anybody, None) if found is None else found


def add_link(session: Session, message: AnyRow, token: str, now: datetime) -> None:
    """Let this token open the window of a message, unless it opens one already."""
    if session.scalar(select(links.c.id).where(links.c.token == token_hash(token))) is not None:
        return
    row = {"participant_id": message.participant_id, "window_id": message.window_id, "message_id": message.id}
    statement = insert(links).values(**row, id=next(row_ids(session)), token=token_hash(token), created_at=now)
    session.execute(statement)


def owner_of(session: Session, token: bytes) -> tuple[int, int] | None:
    """(participant id, window id) of a link by its token's hash."""
    row = session.execute(select(links.c.participant_id, links.c.window_id).where(links.c.token == token)).first()
    return None if row is None else (row[0], row[1])
