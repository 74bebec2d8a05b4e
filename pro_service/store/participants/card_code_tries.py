"""Wrong entry codes, counted for every web server alike: each address, and all of them together.

Whoever is about to look a code up has taken the row of all addresses first, so that no two servers count the same try
once. Addresses are kept as keyed hashes, and no longer than they owe something or were served lately.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from pro_service.core.throttle import ACQUAINTED, ADDRESS, EVERYBODY, LATELY
from pro_service.store.schema import AnyRow, entry_tries
from pro_service.store.vault import Vault

t = entry_tries.c
ALL = b"everybody"
KNOWN = b"acquainted"
PREFIX = 64
"""Bits of an IPv6 address that name a network: its owner has all the others."""


class TooManyTriesError(Exception):
    """Nothing was looked up; `again_at` is when the next try is admitted."""

    def __init__(self, again_at: datetime) -> None:
        super().__init__("too many wrong codes")
        self.again_at = again_at


@dataclass(frozen=True, slots=True)
class Room:
    """What a try that was admitted will be counted against."""

    place: bytes
    lane: bytes
    owed: dict[bytes, datetime | None]
    known: bool
    """Whether the address has a row."""
    served_at: datetime | None


def place_of(vault: Vault, address: str) -> bytes:
    """The keyed hash of an address: IPv4 whole, also where it is written as IPv6; IPv6 by its network."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return vault.index("entry-address", address)
    if isinstance(found, ipaddress.IPv6Address):
        network = ipaddress.ip_network((int(found) >> (128 - PREFIX) << (128 - PREFIX), PREFIX))
        return vault.index("entry-address", str(found.ipv4_mapped or network))
    return vault.index("entry-address", str(found))


def admit(asking: Session | Connection, place: bytes, now: datetime) -> Room:
    """Whether another code from this address may be looked up. TooManyTriesError."""
    rows = asking.execute(select(entry_tries).where(t.place.in_([place, ALL, KNOWN]))).all()
    return _judged(place, rows, now)


def admit_locked(session: Session, place: bytes, now: datetime) -> Room:
    """The same with the row of all addresses taken until the end of the transaction. TooManyTriesError."""
    statement = select(entry_tries.c.place).where(t.place == ALL)
    if session.get_bind().dialect.name == "postgresql":
        statement = statement.with_for_update()
    session.execute(statement).one()
    return admit(session, place, now)


def count_wrong_code(session: Session, room: Room, now: datetime) -> None:
    """Count a wrong code. Addresses that owe nothing any more and were not served lately are forgotten."""
    own = ADDRESS.owed_after(room.owed[room.place], now)
    allowance = EVERYBODY if room.lane == ALL else ACQUAINTED
    _write(session, room, owed_until=own)
    shared = update(entry_tries).where(t.place == room.lane)
    session.execute(shared.values(owed_until=allowance.owed_after(room.owed[room.lane], now)))
    paid = or_(t.owed_until.is_(None), t.owed_until < now)
    old = or_(t.served_at.is_(None), t.served_at < now - LATELY)
    session.execute(delete(entry_tries).where(paid, old, t.place.not_in([ALL, KNOWN])))


def note_right_code(session: Session, room: Room, now: datetime) -> None:
    """A right code came from this address: nothing is counted, and it is known from now on."""
    if room.served_at is None or room.served_at.date() != now.date():
        _write(session, room, served_at=now)


def _write(session: Session, room: Room, **values: datetime) -> None:
    if room.known:
        session.execute(update(entry_tries).where(t.place == room.place).values(**values))
    else:
        session.execute(insert(entry_tries).values(place=room.place, **values))


def everybody_owes_until(session: Session) -> datetime | None:
    """Until when the wrong codes of all addresses together are paid off."""
    return session.scalar(select(t.owed_until).where(t.place == ALL))


def _judged(place: bytes, rows: Sequence[AnyRow], now: datetime) -> Room:
    owed = {row.place: row.owed_until for row in rows}
    served_at = next((row.served_at for row in rows if row.place == place), None)
    known, own = place in owed, owed.setdefault(place, None)
    if not ADDRESS.admits(own, now):
        raise TooManyTriesError(ADDRESS.again_at(own or now))
    lane, allowance = ALL, EVERYBODY
    if not EVERYBODY.admits(owed[ALL], now) and served_at is not None and served_at > now - LATELY:
        lane, allowance = KNOWN, ACQUAINTED
    if not allowance.admits(owed[lane], now):
        raise TooManyTriesError(allowance.again_at(owed[lane] or now))
    return Room(place, lane, owed, known, served_at)
