"""Safety tasks that are open past their due date."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BindParameter, Connection, bindparam, func, select

from pro_service.store.schema import AnyRow, Instant, escalations, participants, sites, studies, users
from pro_service.store.session import Session

e, p = escalations.c, participants.c

_NOW: BindParameter[datetime] = bindparam("now", type_=Instant())
_IS_OVERDUE = (e.level == "ES") & e.resolved_at.is_(None) & (e.due_at <= _NOW)
# Study by study: so the index of open tasks by level leads to the oldest.
_OLDEST = select(e.due_at).where(e.study_id == studies.c.id, _IS_OVERDUE).order_by(e.due_at).limit(1)
_SINCE = select(func.min(_OLDEST.scalar_subquery())).select_from(studies)
_UPCOMING = select(func.min(e.due_at)).where(e.level == "ES", e.resolved_at.is_(None), e.due_at > _NOW)
_TASKS = (
    select(
        e.id,
        e.study_id,
        e.site_id,
        e.participant_id,
        e.raised_at,
        e.due_at,
        e.acknowledged_at,
        p.protocol_version_id,
        sites.c.code.label("site"),
    )
    .join(participants, p.id == e.participant_id)
    .join(sites, sites.c.id == e.site_id)
    .where(_IS_OVERDUE)
    .order_by(e.due_at, e.id)
)


def since(asking: Session | Connection, now: datetime) -> datetime | None:
    """Return when the oldest of them fell due; None if there is none. One question, a look-up for each study."""
    moment: datetime | None = asking.scalar(_SINCE, {"now": now})
    return moment


class TakenUp(NamedTuple):
    """That somebody has each of them."""

    by: tuple[str, ...]
    """E-mail addresses; empty where it was done on the command line."""
    at: datetime
    """When the last of them was taken up."""


def taken_up(session: Session, now: datetime) -> TakenUp | None:
    """Return who has them, if somebody has each; None while nobody has one, or where there is none."""
    statement = select(e.acknowledged_at, users.c.email).outerjoin(users, users.c.id == e.acknowledged_by)
    rows = session.execute(statement.where(_IS_OVERDUE), {"now": now}).all()
    moments = [row.acknowledged_at for row in rows]
    if not rows or None in moments:
        return None
    return TakenUp(tuple(sorted({row.email for row in rows if row.email})), max(moments))


def upcoming(session: Session, now: datetime) -> datetime | None:
    """Return when the next safety task that is still open falls due; None if none does."""
    moment: datetime | None = session.scalar(_UPCOMING, {"now": now})
    return moment


def tasks(session: Session, now: datetime) -> Sequence[AnyRow]:
    """Return them, the oldest first, with the code of their site and the protocol version of their participant."""
    return session.execute(_TASKS, {"now": now}).all()


def task(session: Session, escalation_id: int, now: datetime) -> AnyRow | None:
    """Return one of them; None if it has ended since."""
    return session.execute(_TASKS.where(e.id == escalation_id), {"now": now}).first()


def followed_sites(session: Session, study_id: int) -> Sequence[AnyRow]:
    """Return the sites that still follow a participant: (id, code), by code."""
    followed = p.site_id == sites.c.id, p.next_check_at.is_not(None)
    statement = select(sites.c.id, sites.c.code).where(
        sites.c.study_id == study_id, select(p.id).where(*followed).exists()
    )
    return session.execute(statement.order_by(sites.c.code)).all()
