"""When each site's staff get their next digest, and who wants one."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import bindparam, or_, select, update

from pro_service.store.participants.writer import Writer
from pro_service.store.schema import AnyRow, messages, roles, sites, users
from pro_service.store.session import Session
from pro_service.store.staff.accounts import HOLDS, Grant
from pro_service.store.vault import sealed

s, u, r = sites.c, users.c, roles.c


def due(session: Session, now: datetime) -> Sequence[AnyRow]:
    """Return sites whose digest is due, or has no time yet: (id, study id, code, digest at)."""
    return session.execute(DUE.order_by(s.id), {"now": now}).all()


def later_than(session: Session, now: datetime) -> Sequence[AnyRow]:
    """Return sites whose digest is still to come: (id, study id, code, digest at)."""
    return session.execute(select(s.id, s.study_id, s.code, s.digest_at).where(s.digest_at > now)).all()


def move_to_next(session: Session, site: AnyRow, following: datetime) -> bool:
    """Take a site's digest over until the following one; False if another scheduler was quicker."""
    before = s.digest_at.is_(None) if site.digest_at is None else s.digest_at == site.digest_at
    moved = update(sites).where(s.id == site.id, before).values(digest_at=following)
    return session.execute(moved).rowcount == 1


def forget_due_times(session: Session, study_id: int) -> None:
    """A new protocol may have other working hours: have each site's next digest worked out again."""
    session.execute(update(sites).where(s.study_id == study_id).values(digest_at=None))


def readers(session: Session, study_id: int, site_id: int, wanted: Collection[str], now: datetime) -> Sequence[AnyRow]:
    """Staff of a site with one of these roles who want the digest and are not away, their rows taken: (id, language).

    Taken, because two of their sites may begin at the same instant, and a day has one digest.
    """
    held = select(r.user_id).where(
        HOLDS,
        r.role.in_(wanted),
        or_(r.study_id.is_(None), r.study_id == study_id),
        or_(r.site_id.is_(None), r.site_id == site_id),
    )
    wants = u.id.in_(held), u.disabled_at.is_(None), u.digest.is_(True)
    there = or_(u.away_until.is_(None), u.away_until <= now)
    return session.execute(select(u.id, u.language).where(*wants, there).order_by(u.id).with_for_update()).all()


def grants_of(session: Session, ids: Collection[int]) -> dict[int, list[Grant]]:
    """User id -> roles that hold."""
    found: dict[int, list[Grant]] = {key: [] for key in ids}
    statement = select(r.user_id, r.role, r.study_id, r.site_id).where(r.user_id.in_(ids), HOLDS).order_by(r.id)
    for user_id, *grant in session.execute(statement):
        found[user_id].append(Grant(*grant))
    return found


def queue(writer: Writer, user_id: int, key: str, body: str, useful_until: datetime | None) -> int:
    """Queue one digest; its key, of the user and the local day, exists once whatever happens."""
    row_id = next(writer.ids)
    row = {"id": row_id, "user_id": user_id, "dedup_key": key, "kind": "digest", "frame": "digest", "channel": "email"}
    row |= {"body": sealed(writer.vault.system_key, body.encode(), f"messages|body|{row_id}"), "segments": 0}
    row |= {"state": "ready", "queued_at": writer.now, "next_try_at": writer.now, "useful_until": useful_until}
    return writer.add(messages, row)


def wants_digest(session: Session, user_id: int) -> bool:
    """Whether a user gets the digest."""
    return bool(session.scalar(select(u.digest).where(u.id == user_id)))


def set_wanted(session: Session, user_id: int, *, wanted: bool) -> bool:
    """Switch a user's digest; False if it was so before."""
    changed = update(users).where(u.id == user_id, u.digest.is_not(wanted)).values(digest=wanted)
    return session.execute(changed).rowcount == 1


_IS_DUE = or_(s.digest_at <= bindparam("now", type_=s.digest_at.type), s.digest_at.is_(None))
DUE = select(s.id, s.study_id, s.code, s.digest_at).where(_IS_DUE)
