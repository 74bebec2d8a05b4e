"""Telephones that staff left for texts about urgent tasks: one each, with the hours their owner agreed to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time

from sqlalchemy import insert, select, update

from pro_service.core.protocol import Hours
from pro_service.core.texts import masked
from pro_service.store.schema import messages, staff_telephones
from pro_service.store.session import Session
from pro_service.store.vault import UNREADABLE, UnreadableError, Vault, opened, sealed

t, m = staff_telephones.c, messages.c


@dataclass(frozen=True, slots=True)
class StaffTelephone:
    """One telephone as its owner sees it, with what became of the last text to it."""

    masked: str
    hours: Hours | None
    """None: any hour."""
    agreed_at: datetime
    ended_at: datetime | None
    """Since when no text goes to it; `ended_for` says why: `stopped`, `opted_out`, `bad_number`."""
    ended_for: str | None
    last_frame: str | None = None
    last_state: str | None = None
    last_queued_at: datetime | None = None


def of_user(session: Session, vault: Vault, user_id: int) -> StaffTelephone | None:
    """Return the telephone this user left; None if they left none."""
    statement = (
        select(staff_telephones, m.frame, m.state, m.queued_at)
        .outerjoin(messages, m.id == t.message_id)
        .where(t.user_id == user_id)
    )
    row = session.execute(statement).first()
    if row is None:
        return None
    try:
        shown = masked(opened(vault.system_key, row.phone, place(user_id)).decode())
    except UnreadableError:
        shown = UNREADABLE
    since = (row.agreed_at, row.ended_at, row.ended_for)
    return StaffTelephone(shown, _hours(row.hours_from, row.hours_until), *since, row.frame, row.state, row.queued_at)


def agreed(session: Session, users: Collection[int]) -> Mapping[int, Hours | None]:
    """Return the agreed hours of those of these users whose telephone may be texted; None: any hour."""
    found = select(t.user_id, t.hours_from, t.hours_until).where(t.user_id.in_(users), t.ended_at.is_(None))
    return {row.user_id: _hours(row.hours_from, row.hours_until) for row in session.execute(found)}


def owners(session: Session, phone_index: bytes) -> Sequence[int]:
    """Return the users who left this telephone (blind index), also those whose agreement has ended."""
    return session.scalars(select(t.user_id).where(t.phone_index == phone_index).order_by(t.user_id)).all()


@dataclass(frozen=True, slots=True)
class Number:
    """A telephone and its country (ISO 3166-1 alpha-2). The number stays out of the repr: that ends up in logs."""

    e164: str = field(repr=False)
    country: str


def country_of(session: Session, user_id: int) -> str | None:
    """Return the country of the telephone this user left; None: they left none, or a release before kept none."""
    country: str | None = session.scalar(select(t.country).where(t.user_id == user_id))
    return country


def keep(
    session: Session, vault: Vault, user_id: int, number: Number | None, hours: Hours | None, now: datetime
) -> None:
    """Keep a user's agreement from now on; `number` None: the telephone they left before, with other hours."""
    values: dict[str, object] = {"agreed_at": now, "ended_at": None, "ended_for": None}
    values |= {"hours_from": hours and hours.start, "hours_until": hours and hours.end}
    if number is not None:
        values |= {"phone": sealed(vault.system_key, number.e164.encode(), place(user_id)), "message_id": None}
        values |= {"phone_index": vault.index("phone", number.e164), "country": number.country}
    changed = update(staff_telephones).where(t.user_id == user_id).values(**values)
    if session.execute(changed).rowcount == 0:
        session.execute(insert(staff_telephones).values(user_id=user_id, **values))


def forget(session: Session, user_id: int) -> bool:
    """Delete a user's telephone; False if there was none."""
    return session.execute(staff_telephones.delete().where(t.user_id == user_id)).rowcount == 1


def end(session: Session, user_id: int, why: str, now: datetime, agreed_before: datetime) -> bool:
    """End a user's agreement of before an instant; False if there is none that holds."""
    holds = (t.user_id == user_id, t.ended_at.is_(None), t.agreed_at <= agreed_before)
    ended = update(staff_telephones).where(*holds).values(ended_at=now, ended_for=why)
    return session.execute(ended).rowcount == 1


def remember_text(session: Session, user_id: int, message_id: int) -> None:
    """Remember which text was queued to this user's telephone last."""
    session.execute(update(staff_telephones).where(t.user_id == user_id).values(message_id=message_id))


def place(user_id: int) -> str:
    """Where a number is sealed for."""
    return f"staff_telephones|phone|{user_id}"


def _hours(start: time | None, end: time | None) -> Hours | None:
    return None if start is None or end is None else Hours(start, end)
