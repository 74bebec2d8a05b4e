"""Guessing is slowed, by what it is aimed at and by where it comes from, and locks no owner out.

A use case asks for an attempt before it checks anything; from then on ThrottledError (`core/throttle`) may be raised.
Inside its transaction it asks once more where attempts made at the same time must be counted one by one, and then says
what came of it. A failure is counted by returning: an exception would take it back with the transaction.
"""

from dataclasses import dataclass

from pro_service.core.throttle import ACCOUNT_FAILURES, ADDRESS_FAILURES, BROWSER_FAILURES, Kind, network_of
from pro_service.runtime import Runtime
from pro_service.store import throttle
from pro_service.use_cases.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attempt comes from. `browser` names one in which this very account signed in before."""

    address: str
    browser: str | None = None
    agent: str = ""
    """Browser and system in a few words, for the list of sessions."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that was admitted."""

    kept: throttle.Attempt

    def admit_again(self, tx: Transaction) -> None:
        """Ask again inside the transaction that checks, with what is counted taken. Raise ThrottledError."""
        self.kept.lock(tx.session)
        self.kept.admit(tx.session, tx.now)

    def count_failure(self, tx: Transaction) -> None:
        """Count a failure; it is kept if the transaction is."""
        self.kept.count_failure(tx.writer)

    def note_success(self, tx: Transaction) -> None:
        """Note that the attempt was right."""
        self.kept.note_success(tx.writer)


def at_account(rt: Runtime, kind: Kind, account: str, place: Place) -> Attempt:
    """Admit an attempt at an account. Raise ThrottledError where too many failed, before anything is checked."""
    known = place.browser is not None
    aimed_at, comes_from = rt.vault.index(f"{kind}-account", account), _place_key(rt, kind, place)
    of_account, of_place = (None, BROWSER_FAILURES) if known else (ACCOUNT_FAILURES[kind], ADDRESS_FAILURES)
    return _admitted(rt, throttle.AccountAttempt(aimed_at, comes_from, of_account, of_place))


def at_short_codes(rt: Runtime, address: str) -> Attempt:
    """Admit a short card code from a network address. Raise ThrottledError where no more may be looked up for now."""
    return _admitted(rt, throttle.CardAttempt(_address_key(rt, "entry-address", address)))


def _admitted(rt: Runtime, attempt: throttle.Attempt) -> Attempt:
    # Without a lock: a flood of attempts must not hold up those who write.
    with rt.sessions.glance() as connection:
        attempt.admit(connection, rt.clock())
    return Attempt(attempt)


def _place_key(rt: Runtime, kind: Kind, place: Place) -> bytes:
    if place.browser is not None:
        return rt.vault.index("login-browser", place.browser)
    # Somebody who asks for many mails must not keep a whole clinic from signing in.
    return _address_key(rt, "forgot-address" if kind == "forgot" else "login-address", place.address)


def _address_key(rt: Runtime, door: str, address: str) -> bytes:
    """Return the keyed hash by which an address is counted at one door: every door counts networks alike."""
    return rt.vault.index(door, network_of(address))
