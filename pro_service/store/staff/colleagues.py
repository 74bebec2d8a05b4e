"""Who may work at a site, and who of them is there: to hand a task over, and to know who stands in."""

from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, or_, select, true, update

from pro_service.core.protocol import Role
from pro_service.store.schema import roles, users
from pro_service.store.session import Session
from pro_service.store.staff.accounts import HOLDS

u, r = users.c, roles.c


class Colleague(NamedTuple):
    """One who may work at a site."""

    id: int
    email: str
    away_until: datetime | None

    def away(self, now: datetime) -> bool:
        """Whether they are not at work."""
        return self.away_until is not None and self.away_until > now


MOST = 50
"""So many colleagues are named on one page."""


def at(
    asking: Session | Connection, study_id: int, site_ids: Collection[int] | None, wanted: Collection[Role]
) -> tuple[Colleague, ...]:
    """Staff who hold one of these roles for one of these sites (None: any of the study's), can sign in; by e-mail."""
    asked = {"study": study_id, "wanted": list(wanted)} | ({} if site_ids is None else {"sites": list(site_ids)})
    return tuple(Colleague(*row) for row in asking.execute(_at(limited=site_ids is not None), asked))


@lru_cache(maxsize=2)
def _at(*, limited: bool) -> Select[Any]:
    """Made once: the first page asks this, and building it costs more than the answer."""
    at_sites = or_(r.site_id.is_(None), r.site_id.in_(bindparam("sites", expanding=True))) if limited else true()
    return (
        select(u.id, u.email, u.away_until)
        .join(roles, r.user_id == u.id)
        .where(
            r.role.in_(bindparam("wanted", expanding=True)),
            HOLDS,
            u.disabled_at.is_(None),
            u.password.is_not(None),
            or_(r.study_id.is_(None), r.study_id == bindparam("study")),
            at_sites,
        )
        .distinct()
        .order_by(u.email)
        .limit(MOST)
    )


def away_until(session: Session, user_id: int) -> datetime | None:
    """Until when somebody is away."""
    moment: datetime | None = session.scalar(select(u.away_until).where(u.id == user_id))
    return moment


def set_away(session: Session, user_id: int, until: datetime | None) -> None:
    """Remember until when somebody is away; None: they are back."""
    session.execute(update(users).where(u.id == user_id).values(away_until=until))
