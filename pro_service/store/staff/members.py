"""Staff as an administrator sees them: who, with which roles where, in which condition."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, func, or_, select, update

from pro_service.core.protocol import Role
from pro_service.store.schema import logins, roles, sites, studies, users
from pro_service.store.session import Session
from pro_service.store.staff.accounts import HOLDS

u, r, l = users.c, roles.c, logins.c  # noqa: E741 -- logins, as the other tables
PAGE = 50
STANDS = and_(r.revoked_at.is_(None), r.refused_at.is_(None))
"""A role is to be seen: it holds, or waits for its approval."""


@dataclass(frozen=True, slots=True)
class Held:
    """One role somebody holds; codes None: everywhere."""

    id: int
    role: Role
    study: str | None
    site: str | None
    study_id: int | None
    site_id: int | None
    granted_at: datetime
    approved_at: datetime | None
    """None: it waits for an investigator, and gives nothing."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of staff."""

    id: int
    email: str
    language: str
    created_at: datetime
    disabled_at: datetime | None
    has_password: bool
    """False: invited, and has not come yet."""
    factor_at: datetime | None
    factor_required: bool
    last_login_at: datetime | None
    roles: tuple[Held, ...]


def list_members(
    session: Session, *, after: str = "", search: str = "", study_id: int | None = None
) -> tuple[Member, ...]:
    """Up to `PAGE` members by e-mail, beyond `after`; with a study only those who have a role in it."""
    statement = _MEMBERS.where(u.email > after).order_by(u.email).limit(PAGE)
    if search:
        statement = statement.where(u.email.contains(search, autoescape=True))
    if study_id is not None:
        held = select(r.user_id).where(STANDS, or_(r.study_id.is_(None), r.study_id == study_id))
        statement = statement.where(u.id.in_(held))
    return _members(session, statement)


def all_members(session: Session) -> tuple[Member, ...]:
    """All of them, for the command line."""
    return _members(session, _MEMBERS.order_by(u.email))


def without_factor(session: Session) -> tuple[Member, ...]:
    """Return those who can sign in without a second factor; not those invited, who will set one up."""
    mine = u.disabled_at.is_(None), u.password.is_not(None), u.totp_at.is_(None)
    return _members(session, _MEMBERS.where(*mine).order_by(u.email))


def one(session: Session, user_id: int) -> Member | None:
    """The member with this id."""
    found = _members(session, _MEMBERS.where(u.id == user_id))
    return found[0] if found else None


def by_email(session: Session, email: str) -> Member | None:
    """The member with this e-mail address in its folded form."""
    found = _members(session, _MEMBERS.where(u.email == email))
    return found[0] if found else None


def emails(session: Session, ids: Collection[int]) -> dict[int, str]:
    """User id -> e-mail."""
    return {row.id: row.email for row in session.execute(select(u.id, u.email).where(u.id.in_(ids)))}


def set_disabled(session: Session, user_id: int, at: datetime | None) -> bool:
    """Disable (`at` an instant) or enable (None) a user; False if that was so already."""
    other = u.disabled_at.is_not(None) if at is None else u.disabled_at.is_(None)
    return session.execute(update(users).where(u.id == user_id, other).values(disabled_at=at)).rowcount == 1


def revoke(session: Session, user_id: int, role_id: int, now: datetime) -> bool:
    """End a role; False if it had ended, or is not this user's."""
    ended = update(roles).where(r.id == role_id, r.user_id == user_id, r.revoked_at.is_(None)).values(revoked_at=now)
    return session.execute(ended).rowcount == 1


def other_administrators(session: Session, user_id: int) -> int:
    """How many others may sign in as administrators; their rows are taken, so that two cannot remove each other."""
    held = select(r.user_id).where(r.role == "administrator", HOLDS)
    others = select(u.id).where(u.id.in_(held), u.id != user_id, u.disabled_at.is_(None)).order_by(u.id)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(u.id).where(u.id.in_(held)).order_by(u.id).with_for_update())
    return len(session.scalars(others).all())


def _members(session: Session, statement: Select[*tuple[object, ...]]) -> tuple[Member, ...]:
    rows = session.execute(statement).all()
    held: dict[int, list[Held]] = {row.id: [] for row in rows}
    for row in session.execute(_HELD.where(r.user_id.in_(held))):
        held[row.user_id].append(Held(*row[1:]))
    return tuple(
        Member(
            id=row.id,
            email=row.email,
            language=row.language,
            created_at=row.created_at,
            disabled_at=row.disabled_at,
            has_password=row.password is not None,
            factor_at=row.totp_at,
            factor_required=row.factor_required,
            last_login_at=row.last,
            roles=tuple(held[row.id]),
        )
        for row in rows
    )


_LAST = select(func.max(l.started_at)).where(l.user_id == u.id).correlate(users).scalar_subquery()
_MEMBERS = select(
    u.id,
    u.email,
    u.language,
    u.created_at,
    u.disabled_at,
    u.password,
    u.totp_at,
    u.factor_required,
    _LAST.label("last"),
)
_HELD = (
    select(
        r.user_id,
        r.id,
        r.role,
        studies.c.code,
        sites.c.code,
        r.study_id,
        r.site_id,
        r.granted_at,
        r.approved_at,
    )
    .outerjoin(studies, studies.c.id == r.study_id)
    .outerjoin(sites, sites.c.id == r.site_id)
    .where(STANDS)
    .order_by(r.id)
)
