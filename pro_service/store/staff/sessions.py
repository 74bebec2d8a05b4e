"""Sessions of staff beyond signing in: listed, ended, confirmed; and whose form a page that came too late was."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from pro_service.store.schema import logins
from pro_service.store.session import Session

l = logins.c  # noqa: E741 -- as in accounts


@dataclass(frozen=True, slots=True)
class Seat:
    """One session as its owner sees it."""

    id: int
    agent: str | None
    started_at: datetime
    seen_at: datetime


def of_user(session: Session, user_id: int, started_after: datetime, seen_after: datetime) -> tuple[Seat, ...]:
    """The sessions of a user that still live, newest use first."""
    statement = (
        select(l.id, l.agent, l.started_at, l.seen_at)
        .where(l.user_id == user_id, l.ended_at.is_(None), l.started_at >= started_after, l.seen_at >= seen_after)
        .order_by(l.seen_at.desc(), l.id.desc())
    )
    return tuple(Seat(*row) for row in session.execute(statement))


def end_of_user(
    session: Session, user_id: int, now: datetime, *, but: int | None = None, only: int | None = None
) -> int:
    """End a user's sessions: all, all `but` one, or `only` one; return how many ended."""
    statement = update(logins).where(l.user_id == user_id, l.ended_at.is_(None))
    statement = statement if but is None else statement.where(l.id != but)
    statement = statement if only is None else statement.where(l.id == only)
    return session.execute(statement.values(ended_at=now)).rowcount


def confirm(session: Session, login_id: int, now: datetime) -> None:
    """Write down that the password was typed again in a session."""
    session.execute(update(logins).where(l.id == login_id).values(confirmed_at=now))


def owner_of_form(session: Session, csrf: str, *, token: bytes | None = None, user_id: int | None = None) -> int | None:
    """Whose page a form came from; None = not ours.

    By its form token, and by the cookie of that session, however long ended, or by the user who is signed in now.
    """
    statement = select(l.user_id).where(l.csrf == csrf)
    statement = statement.where(l.user_id == user_id) if token is None else statement.where(l.token == token)
    return session.scalar(statement.limit(1))
