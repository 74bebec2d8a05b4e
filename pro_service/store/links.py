"""The addresses of the participants' form: whose window a token opens."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pro_service.store import cases
from pro_service.store.schema import participants
from pro_service.store.vault import token_hash


def opened(session: Session, token: str) -> tuple[int, int | None]:
    """(participant id, window id) that a token opens.

    A token nobody has gives somebody else's participant and no window, so that the caller does the same work for it
    and takes the same time; with no participant at all, an id that nobody has.
    """
    found = cases.link(session, token_hash(token))
    anybody = session.scalar(select(func.min(participants.c.id))) or 0
    return (anybody, None) if found is None else found
