"""Roles that an administrator gave and no investigator has approved: listed, decided once, and who may decide."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, or_, select, update

from pro_service.core.protocol import Role
from pro_service.store import studies as of_studies
from pro_service.store.schema import AnyRow, roles, sites, studies, users
from pro_service.store.session import Session
from pro_service.store.staff.accounts import HOLDS, Grant

r, u = roles.c, users.c
WAITS = and_(r.approved_at.is_(None), r.refused_at.is_(None), r.revoked_at.is_(None))


@dataclass(frozen=True, slots=True)
class Pending:
    """One role that waits. Codes None: every study, every site."""

    id: int
    user_id: int
    email: str
    role: Role
    study_id: int | None
    study: str | None
    site_id: int | None
    site: str | None
    granted_at: datetime
    granted_by: str | None
    """E-mail of the administrator."""

    @property
    def grant(self) -> Grant:
        """What it gives once it is approved."""
        return Grant(self.role, self.study_id, self.site_id)


def pending(session: Session) -> tuple[Pending, ...]:
    """All roles that wait, the longest first."""
    return tuple(Pending(*row) for row in session.execute(_PENDING))


def one(session: Session, role_id: int) -> Pending | None:
    """The role with this id, if it waits."""
    row = session.execute(_PENDING.where(r.id == role_id)).first()
    return None if row is None else Pending(*row)


def covers(held: Iterable[Grant], what: Grant) -> bool:
    """Whether somebody with these roles is an investigator of everything that a role would open."""
    return any(
        grant.role == "investigator"
        and grant.study_id in (None, what.study_id)
        and grant.site_id in (None, what.site_id)
        for grant in held
    )


def may_decide(held: Iterable[Grant], user_id: int, waiting: Pending) -> bool:
    """Whether this user may approve or refuse a role; nobody decides about their own."""
    return waiting.user_id != user_id and covers(held, waiting.grant)


def decide(session: Session, role_id: int, user_id: int | None, now: datetime, *, approved: bool) -> bool:
    """Approve or refuse a role; False if that was decided before, or it has ended."""
    values = {"approved_at": now, "approved_by": user_id} if approved else {"refused_at": now, "refused_by": user_id}
    return session.execute(update(roles).where(r.id == role_id, WAITS).values(values)).rowcount == 1


def is_first_investigator(session: Session, what: Grant) -> bool:
    """Whether nobody was ever an approved investigator of that study: somebody has to be the first.

    Ever: else a user who may end roles could make a first one again. The study's row is taken, or two would be first.
    """
    if what.role != "investigator":
        return False
    ever = select(r.id).where(r.role == "investigator", r.approved_at.is_not(None))
    if what.study_id is not None:
        of_studies.lock_study(session, what.study_id)
        ever = ever.where(or_(r.study_id.is_(None), r.study_id == what.study_id))
    return session.scalars(ever.limit(1)).first() is None


def investigators(session: Session, user_id: int, what: Grant) -> Sequence[AnyRow]:
    """Return those who may decide about a role of this user: (id, language)."""
    statement = (
        select(u.id, u.language)
        .join(roles, r.user_id == u.id)
        .where(r.role == "investigator", HOLDS, u.disabled_at.is_(None), u.id != user_id)
        .where(or_(r.study_id.is_(None), r.study_id == what.study_id))
        .where(or_(r.site_id.is_(None), r.site_id == what.site_id))
        .distinct()
        .order_by(u.id)
    )
    return session.execute(statement).all()


_giver = users.alias("giver")
_PENDING: Select[Any] = (
    select(
        r.id,
        r.user_id,
        u.email,
        r.role,
        r.study_id,
        studies.c.code,
        r.site_id,
        sites.c.code.label("site"),
        r.granted_at,
        _giver.c.email.label("granted_by"),
    )
    .join(users, u.id == r.user_id)
    .outerjoin(studies, studies.c.id == r.study_id)
    .outerjoin(sites, sites.c.id == r.site_id)
    .outerjoin(_giver, _giver.c.id == r.granted_by)
    .where(WAITS)
    .order_by(r.id)
)
