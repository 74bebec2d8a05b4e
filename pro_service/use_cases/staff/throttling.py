"""Guessing passwords and codes is slowed, by whom it is aimed at and by where it comes from, and locks no owner out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pro_service.runtime import Runtime
from pro_service.store.database import Session
from pro_service.store.participants.writer import Writer
from pro_service.store.staff import accounts

FAILURES_IN = timedelta(minutes=15)
ADDRESS_FAILURES = 30
BROWSER_FAILURES = 10

Kind = Literal["login", "code", "confirm", "forgot"]
ACCOUNT_FAILURES: dict[Kind, int] = {"login": 10, "code": 5, "confirm": 5, "forgot": 3}
"""From then on an account refuses places it does not know; a browser its owner signed in from is let in.

A code has six digits, so it is guessed less often; mails with a reset are asked for less often still.
"""


class TooManyFailuresError(Exception):
    """Wait before trying again; nothing was checked."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("too many attempts failed")
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attempt comes from. `browser` names one in which this very account signed in before."""

    address: str
    browser: str | None = None
    agent: str = ""
    """Browser and system in a few words, for the list of sessions."""


@dataclass(frozen=True, slots=True)
class Guess:
    """One attempt, by keyed hashes: of what it is aimed at, and of where it comes from."""

    account: bytes
    place: bytes
    limits: tuple[int | None, int]
    """Failures from which on nothing is checked: aimed at this account (None = at any), and from this place."""

    def still_allowed(self, writer: Writer) -> None:
        """Ask again inside the transaction that checks, with the account's row taken. TooManyFailuresError."""
        _refuse(self, writer.session, writer.now)

    def fail(self, writer: Writer) -> None:
        """Queue the failure, and drop those too old to count."""
        accounts.forget_failures(writer.session, writer.now - FAILURES_IN)
        accounts.add_failure(writer, self.account, self.place)


def attempt(rt: Runtime, kind: Kind, account: str, place: Place) -> Guess:
    """Let an attempt be made; TooManyFailuresError where too many failed, before anything is checked."""
    known = place.browser is not None
    limits = (None, BROWSER_FAILURES) if known else (ACCOUNT_FAILURES[kind], ADDRESS_FAILURES)
    guess = Guess(rt.vault.index(f"{kind}-account", account), _key(rt, kind, place), limits)
    with rt.sessions.reading() as session:
        _refuse(guess, session, rt.clock())
    return guess


def _refuse(guess: Guess, session: Session, now: datetime) -> None:
    aimed, here = accounts.failures(session, guess.account, guess.place, now - FAILURES_IN)
    most_aimed, most_here = guess.limits
    if here >= most_here or (most_aimed is not None and aimed >= most_aimed):
        raise TooManyFailuresError(FAILURES_IN)


def _key(rt: Runtime, kind: Kind, place: Place) -> bytes:
    if place.browser is None:
        # Who asks for many mails must not keep a whole clinic from signing in.
        return rt.vault.index("forgot-address" if kind == "forgot" else "login-address", place.address)
    return rt.vault.index("login-browser", place.browser)
