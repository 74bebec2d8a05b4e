"""Passwords: changed, asked for again, and set by a link that a mail brought."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pro_service.core.problems import Problem, RejectedError, problem
from pro_service.core.throttle import ThrottledError
from pro_service.runtime import Runtime
from pro_service.store.audit import Entry
from pro_service.store.staff import accounts as store_accounts
from pro_service.store.staff import links, sessions
from pro_service.store.staff.accounts import Login
from pro_service.store.staff.links import Ticket
from pro_service.store.vault import token_hash
from pro_service.use_cases import throttle
from pro_service.use_cases.staff import account_mails, accounts
from pro_service.use_cases.staff.accounts import folded, hashed, password_faults, staff, verified
from pro_service.use_cases.throttle import Place
from pro_service.use_cases.transaction import Transaction, transaction

UTC = ZoneInfo("UTC")


class LinkOverError(Exception):
    """The link was used, replaced or is too old: ask for another."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """What came of a link: a reset lets its person sign in as always, an invitation signs them in."""

    token: str | None


def confirm(rt: Runtime, login: Login, password: str, place: Place) -> bool:
    """Ask somebody who is signed in for their password again; False if it was wrong.

    ThrottledError as for a login: somebody who found an open session must not guess here instead.
    """
    attempt = throttle.at_account(rt, "confirm", str(login.user_id), place)
    with rt.sessions.reading() as session:
        known = store_accounts.account_of(session, login.user_id)
    good = verified(None if known is None else known.password, password)
    with transaction(rt, staff(login.user_id), rt.clock()) as tx:
        if good:
            sessions.confirm(tx.session, login.id, tx.now)
        else:
            attempt.count_failure(tx)
        tx.writer.audit(Entry("confirm_identity" if good else "confirm_failed", "login", login.id, {}), UTC)
    return good


def change(rt: Runtime, login: Login, current: str, new: str, again: str, place: Place) -> None:
    """Change one's own password; every other session ends. RejectedError with every fault at once."""
    faults = _faults(new, again, login.email)
    if not confirm(rt, login, current, place):
        faults.insert(0, problem("not_your_password", "current"))
    if faults:
        raise RejectedError(tuple(faults))
    stored = hashed(rt, new)
    with transaction(rt, staff(login.user_id), rt.clock()) as tx:
        _set(tx, login.user_id, stored, but=login.id)


def _faults(password: str, again: str, email: str) -> list[Problem]:
    """A password that nobody sees is typed twice."""
    differs = problem("passwords_differ", "again")
    return [*password_faults(password, email), *([] if password == again else [differs])]


def ask_reset(rt: Runtime, email: str, place: Place) -> None:
    """Mail a link to the owner of this account, if there is one; the caller must not tell whether there is one.

    Nothing is raised and nothing returned: an account that was asked about too often just gets no further mail.
    """
    email = folded(email)
    try:
        attempt = throttle.at_account(rt, "forgot", email, Place(place.address))
    except ThrottledError:
        return
    with transaction(rt, accounts.WEB, rt.clock()) as tx:
        known = store_accounts.account(tx.session, email)
        attempt.count_failure(tx)
        found = None if known is None or known.disabled or rt.mail is None else known
        if found is not None:
            # Somebody who never used their invitation gets it again: they have no password to lose.
            account_mails.queue_link(tx, found.id, "reset" if found.password else "invitation")
        of = None if found is None else found.id
        tx.writer.audit(Entry("ask_reset", "user", of, accounts.address_tried(rt, email)), UTC)


def ticket(rt: Runtime, token: str) -> Ticket | None:
    """The link of this token, if it still works; looking uses nothing up."""
    with rt.sessions.reading() as session:
        return links.find(session, token_hash(token), rt.clock())


def set_by_link(rt: Runtime, token: str, password: str, again: str, place: Place) -> Welcome:
    """Set a password by a link, once; every session ends. RejectedError with faults, LinkOverError."""
    found = ticket(rt, token)
    if found is None:
        raise LinkOverError
    faults = _faults(password, again, found.email)
    if faults:
        raise RejectedError(tuple(faults))
    stored = hashed(rt, password)
    with transaction(rt, staff(found.user_id), rt.clock()) as tx:
        if not links.use(tx.session, found.id, tx.now):
            raise LinkOverError
        _set(tx, found.user_id, stored, reason=found.purpose)
        signed_in = accounts.new_session(tx, found.user_id, place) if found.purpose == "invitation" else None
    return Welcome(signed_in)


def _set(tx: Transaction, user_id: int, stored: str, *, but: int | None = None, reason: str | None = None) -> None:
    store_accounts.set_password(tx.session, user_id, stored)
    links.void(tx.session, user_id, tx.now)
    ended = sessions.end_of_user(tx.session, user_id, tx.now, but=but)
    entry = Entry("set_password", "user", user_id, {"sessions_ended": (None, ended)}, reason=reason)
    tx.writer.audit(entry, UTC)
    if reason != "invitation":
        account_mails.queue_notice(tx, user_id, "password")
