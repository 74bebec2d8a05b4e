"""Second factors and recovery codes: each time step and each code counts once, decided by the row that changes."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, or_, select, update

from pro_service.store.participants.writer import Writer
from pro_service.store.schema import logins, recovery_codes, users
from pro_service.store.session import Session
from pro_service.store.vault import opened, sealed

u, c = users.c, recovery_codes.c


class Factor(NamedTuple):
    """A second factor that is set up."""

    secret: bytes
    since: datetime


def of_user(writer: Writer, user_id: int) -> Factor | None:
    """The second factor of a user; None while there is none."""
    row = writer.session.execute(select(u.totp, u.totp_at).where(u.id == user_id)).first()
    if row is None or row.totp is None or row.totp_at is None:
        return None
    return Factor(opened(writer.vault.system_key, row.totp, _place(user_id)), row.totp_at)


def store_factor(writer: Writer, user_id: int, secret: bytes, step: int, login_id: int) -> None:
    """Set a second factor up, in the session that has just shown a code of `step`."""
    cipher = sealed(writer.vault.system_key, secret, _place(user_id))
    values = {"totp": cipher, "totp_step": step, "totp_at": writer.now}
    writer.session.execute(update(users).where(u.id == user_id).values(values))
    writer.session.execute(update(logins).where(logins.c.id == login_id).values(factor_at=writer.now))


def forget(session: Session, user_id: int) -> bool:
    """Take a second factor away; another must be set up at the next login. False if nothing changed."""
    values = {"totp": None, "totp_step": None, "totp_at": None, "factor_required": True}
    anything = or_(u.totp.is_not(None), u.factor_required.is_(False))
    return session.execute(update(users).where(u.id == user_id, anything).values(values)).rowcount == 1


def lock_factor(session: Session, user_id: int) -> None:
    """Take the user's row: of many codes that come at once each is counted before the next is looked at."""
    session.execute(select(u.id).where(u.id == user_id).with_for_update())


def use_step(session: Session, user_id: int, step: int) -> bool:
    """Use a time step up; False if it, or a later one, was used before (RFC 6238, 5.2)."""
    fresh = or_(u.totp_step.is_(None), u.totp_step < step)
    used = update(users).where(u.id == user_id, u.totp_at.is_not(None), fresh).values(totp_step=step)
    return session.execute(used).rowcount == 1


def replace_codes(writer: Writer, user_id: int, hashes: Iterable[bytes]) -> None:
    """Void the recovery codes there are, and queue others."""
    mine = update(recovery_codes).where(c.user_id == user_id, c.used_at.is_(None))
    writer.session.execute(mine.values(used_at=writer.now))
    for code in hashes:
        writer.add(recovery_codes, {"user_id": user_id, "code": code, "made_at": writer.now})


def void_codes(session: Session, user_id: int, now: datetime) -> None:
    """Void the recovery codes there are."""
    session.execute(update(recovery_codes).where(c.user_id == user_id, c.used_at.is_(None)).values(used_at=now))


def use_code(session: Session, user_id: int, code: bytes, now: datetime) -> bool:
    """Use a recovery code up; False if there is none such, or it was used."""
    used = update(recovery_codes).where(c.user_id == user_id, c.code == code, c.used_at.is_(None))
    return session.execute(used.values(used_at=now)).rowcount == 1


def codes_left(session: Session, user_id: int) -> int:
    """How many recovery codes a user still has."""
    left = select(func.count()).select_from(recovery_codes).where(c.user_id == user_id, c.used_at.is_(None))
    return session.execute(left).scalar_one()


def _place(user_id: int) -> str:
    return f"users|totp|{user_id}"
