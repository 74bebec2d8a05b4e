"""What is kept of attempts that failed, for every web server alike; the limits themselves are in `core/throttle`.

Attempts at accounts and at short card codes are asked the same: `admit` before anything is checked, `admit` again
inside the transaction that checks, with the rows taken that two servers would count at once, then `count_failure` or
`note_success`. Addresses, accounts and browsers are kept as keyed hashes, and no longer than they count. Wrong long
codes are kept nowhere: each web server remembers one instant (`Flood`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Protocol

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from pro_service.core.throttle import ACQUAINTED, ADDRESS, EVERYBODY, FLOOD, LATELY, SPAN, Counter, ThrottledError
from pro_service.store.participants.writer import Writer
from pro_service.store.schema import AnyRow, entry_tries, login_failures
from pro_service.store.session import Session

f, t = login_failures.c, entry_tries.c
ALL = b"everybody"
KNOWN = b"acquainted"


class Attempt(Protocol):
    """One attempt that may be refused."""

    def admit(self, asking: Session | Connection, now: datetime) -> None:
        """Raise ThrottledError if too many such attempts have failed."""

    def lock(self, session: Session) -> None:
        """Take the rows, until the end of the transaction, without which two servers would count one failure once."""

    def count_failure(self, writer: Writer) -> None:
        """Count this attempt as a failure, and forget what no longer counts."""

    def note_success(self, writer: Writer) -> None:
        """Note that this attempt was right."""


# --- accounts: failures in a span, one row each ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AccountAttempt:
    """A password or code tried at an account, by keyed hashes of what it is aimed at and of where it comes from."""

    account: bytes
    place: bytes
    of_account: Counter | None
    """None: the place is known to this account, which then refuses nothing itself."""
    of_place: Counter

    def admit(self, asking: Session | Connection, now: datetime) -> None:
        """Raise ThrottledError if too many attempts at this account, or from this place, have failed within `SPAN`."""
        counted = select(func.count()).select_from(login_failures).where(f.failed_at > now - SPAN)
        both = select(
            counted.where(f.account == self.account).scalar_subquery(),
            counted.where(f.address == self.place).scalar_subquery(),
        )
        at_account, from_place = asking.execute(both).one()
        if not self.of_place.admits(from_place) or (self.of_account and not self.of_account.admits(at_account)):
            raise ThrottledError(now + SPAN)

    def lock(self, session: Session) -> None:
        """Take nothing: where failures must be counted one by one, the caller has taken the account's own row."""

    def count_failure(self, writer: Writer) -> None:
        """Queue the failure, and forget those too old to count."""
        writer.session.execute(delete(login_failures).where(f.failed_at < writer.now - SPAN))
        writer.add(login_failures, {"account": self.account, "address": self.place, "failed_at": writer.now})

    def note_success(self, writer: Writer) -> None:
        """Note nothing: a success takes no failure back, and the browser keeps for itself that it is known."""


# --- long card codes: one instant, in memory -------------------------------------------------------------------------


@dataclass(slots=True)
class Flood:
    """Until when the wrong long codes that this web server looked up are paid off; for several threads."""

    owed_until: datetime | None = None
    lock: Lock = field(default_factory=Lock)

    def admit(self, now: datetime) -> None:
        """Raise ThrottledError if no more may be looked up now."""
        with self.lock:
            if not FLOOD.admits(self.owed_until, now):
                raise ThrottledError(FLOOD.again_at(self.owed_until or now))

    def count_failure(self, now: datetime) -> None:
        """Count a wrong code."""
        with self.lock:
            self.owed_until = FLOOD.owed_after(self.owed_until, now)


# --- short card codes: one instant for each address, and for all of them together -----------------------------------


@dataclass(frozen=True, slots=True)
class _Room:
    """What an attempt that was admitted will be counted against."""

    lane: bytes
    owed: dict[bytes, datetime | None]
    known: bool
    """Whether the address has a row."""
    served_at: datetime | None


@dataclass(slots=True)
class CardAttempt:
    """A short card code tried from an address, by its keyed hash."""

    place: bytes
    _room: _Room | None = None

    def admit(self, asking: Session | Connection, now: datetime) -> None:
        """Raise ThrottledError if no other code from this address may be looked up now."""
        rows = asking.execute(select(entry_tries).where(t.place.in_([self.place, ALL, KNOWN]))).all()
        self._room = _admitted(self.place, rows, now)

    def lock(self, session: Session) -> None:
        """Take the row of all addresses, until the end of the transaction."""
        statement = select(t.place).where(t.place == ALL)
        if session.get_bind().dialect.name == "postgresql":
            statement = statement.with_for_update()
        session.execute(statement).one()

    def count_failure(self, writer: Writer) -> None:
        """Count a wrong code. Addresses that owe nothing any more and were not served lately are forgotten."""
        room, session, now = self._admitted(), writer.session, writer.now
        self._write(session, owed_until=ADDRESS.owed_after(room.owed[self.place], now))
        allowance = EVERYBODY if room.lane == ALL else ACQUAINTED
        shared = update(entry_tries).where(t.place == room.lane)
        session.execute(shared.values(owed_until=allowance.owed_after(room.owed[room.lane], now)))
        paid = or_(t.owed_until.is_(None), t.owed_until < now)
        old = or_(t.served_at.is_(None), t.served_at < now - LATELY)
        session.execute(delete(entry_tries).where(paid, old, t.place.not_in([ALL, KNOWN])))

    def note_success(self, writer: Writer) -> None:
        """Note that a right code came from this address, which is known from now on; nothing is counted."""
        served_at = self._admitted().served_at
        if served_at is None or served_at.date() != writer.now.date():
            self._write(writer.session, served_at=writer.now)

    def _admitted(self) -> _Room:
        if self._room is None:
            raise ValueError("an attempt is admitted before it is counted")
        return self._room

    def _write(self, session: Session, **values: datetime) -> None:
        if self._admitted().known:
            session.execute(update(entry_tries).where(t.place == self.place).values(**values))
        else:
            session.execute(insert(entry_tries).values(place=self.place, **values))


def everybody_owes_until(session: Session) -> datetime | None:
    """Return until when the wrong short codes of all addresses together are paid off."""
    return session.scalar(select(t.owed_until).where(t.place == ALL))


def _admitted(place: bytes, rows: Sequence[AnyRow], now: datetime) -> _Room:
    owed = {row.place: row.owed_until for row in rows}
    served_at = next((row.served_at for row in rows if row.place == place), None)
    known, own = place in owed, owed.setdefault(place, None)
    if not ADDRESS.admits(own, now):
        raise ThrottledError(ADDRESS.again_at(own or now))
    lane, allowance = ALL, EVERYBODY
    if not EVERYBODY.admits(owed[ALL], now) and served_at is not None and served_at > now - LATELY:
        lane, allowance = KNOWN, ACQUAINTED
    if not allowance.admits(owed[lane], now):
        raise ThrottledError(allowance.again_at(owed[lane] or now))
    return _Room(lane, owed, known, served_at)
