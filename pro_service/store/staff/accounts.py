"""Staff: who they are, what they may do where, and their logins."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, bindparam, select, update

from pro_service.core.protocol import Role
from pro_service.store.participants.writer import Writer
from pro_service.store.schema import logins, roles, users
from pro_service.store.session import Session

u, r, l = users.c, roles.c, logins.c  # noqa: E741 -- logins, as the other tables
HOLDS = and_(r.revoked_at.is_(None), r.approved_at.is_not(None))
"""A role gives something: it was approved (refusing one that was is impossible) and has not ended. Asked here alone."""


class Grant(NamedTuple):
    """One role. `site_id` None: every site of the study; `study_id` None: every study."""

    role: Role
    study_id: int | None
    site_id: int | None


@dataclass(frozen=True, slots=True)
class Account:
    """What signing in needs of a user."""

    id: int
    password: str | None
    disabled: bool
    language: str


@dataclass(frozen=True, slots=True)
class Login:
    """Who is signed in, since when, and what they may do where."""

    id: int
    user_id: int
    email: str
    language: str
    """Empty: not chosen, as the browser asks."""
    csrf: str
    started_at: datetime
    seen_at: datetime
    factor_at: datetime | None
    """When the second factor was shown in this session."""
    confirmed_at: datetime | None
    """When the password was last typed in this session."""
    enrolled_at: datetime | None
    """When this user set a second factor up."""
    factor_required: bool
    roles: tuple[Grant, ...]


def account(session: Session, email: str) -> Account | None:
    """The account of an e-mail address in its folded form."""
    return _account(session, u.email == email)


def account_of(session: Session, user_id: int) -> Account | None:
    """The account with this id."""
    return _account(session, u.id == user_id)


def _account(session: Session, whose: ColumnElement[bool]) -> Account | None:
    row = session.execute(select(u.id, u.password, u.disabled_at, u.language).where(whose)).first()
    return None if row is None else Account(row.id, row.password, row.disabled_at is not None, row.language)


def create(writer: Writer, email: str, password: str | None, language: str, *, factor_required: bool = False) -> int:
    """Queue a user; return its id. Without a password nobody signs in."""
    row = {"email": email, "password": password, "language": language, "created_at": writer.now}
    return writer.add(users, row | {"factor_required": factor_required})


def grant(writer: Writer, user_id: int, what: Grant, *, approved: bool) -> int:
    """Queue a role for a user; return its row id. Not `approved`: it gives nothing before an investigator says so."""
    row = {"user_id": user_id, "study_id": what.study_id, "site_id": what.site_id, "role": what.role}
    when = {"granted_at": writer.now, "approved_at": writer.now if approved else None}
    return writer.add(roles, row | when | {"granted_by": writer.actor.user_id})


def grants(session: Session, user_id: int) -> tuple[Grant, ...]:
    """The roles that a user has now, without those that wait for an approval."""
    statement = select(r.role, r.study_id, r.site_id).where(r.user_id == user_id, HOLDS)
    return tuple(Grant(*row) for row in session.execute(statement.order_by(r.id)))


def set_language(session: Session, user_id: int, language: str) -> None:
    """Remember the language a user reads."""
    session.execute(update(users).where(u.id == user_id).values(language=language))


def set_password(session: Session, user_id: int, password: str) -> None:
    """Replace a user's password by this argon2id hash."""
    session.execute(update(users).where(u.id == user_id).values(password=password))


def start_login(
    writer: Writer, user_id: int, token: bytes, csrf: str, agent: str, *, factor_at: datetime | None = None
) -> int:
    """Queue a server-side session, known by the hash of its cookie; its person has just typed the password."""
    row = {"user_id": user_id, "token": token, "csrf": csrf, "started_at": writer.now, "seen_at": writer.now}
    return writer.add(logins, row | {"factor_at": factor_at, "confirmed_at": writer.now, "agent": agent})


def login(asking: Session | Connection, token: bytes) -> Login | None:
    """The login of a cookie's hash, unless it was ended or its user disabled. Its age is the caller's to judge."""
    rows = asking.execute(_LOGIN, {"token": token}).all()
    if not rows:
        return None
    granted = tuple(Grant(row.role, row.study_id, row.site_id) for row in rows if row.role is not None)
    row = rows[0]
    return Login(
        row.id,
        row.user_id,
        row.email,
        row.language,
        row.csrf,
        row.started_at,
        row.seen_at,
        row.factor_at,
        row.confirmed_at,
        row.totp_at,
        row.factor_required,
        granted,
    )


def mark_seen(session: Session, login_id: int, now: datetime) -> None:
    """Write down that a login was used."""
    session.execute(update(logins).where(l.id == login_id, l.seen_at < now).values(seen_at=now))


def end_login(session: Session, login_id: int, now: datetime) -> bool:
    """End a login; False if it had ended before."""
    ended = update(logins).where(l.id == login_id, l.ended_at.is_(None)).values(ended_at=now)
    return session.execute(ended).rowcount == 1


# Asked before every page: one statement, built once.
_OF_LOGIN = (
    l.id,
    l.user_id,
    u.email,
    u.language,
    l.csrf,
    l.started_at,
    l.seen_at,
    l.factor_at,
    l.confirmed_at,
    u.totp_at,
    u.factor_required,
)
_LOGIN = (
    select(*_OF_LOGIN, r.role, r.study_id, r.site_id)
    .join(users, u.id == l.user_id)
    .outerjoin(roles, and_(r.user_id == u.id, HOLDS))
    .where(l.token == bindparam("token"), l.ended_at.is_(None), u.disabled_at.is_(None))
    .order_by(r.id)
)
