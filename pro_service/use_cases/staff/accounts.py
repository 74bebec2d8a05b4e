"""Staff's accounts: adding a user, signing in without telling who exists, staying signed in, leaving."""

import secrets
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pro_service.core.passwords import is_guessed
from pro_service.core.problems import Problem, RejectedError, problem
from pro_service.core.protocol import Role
from pro_service.core.replies.folding import visible
from pro_service.runtime import Runtime
from pro_service.settings import Settings
from pro_service.store import studies
from pro_service.store.audit import Actor, Entry
from pro_service.store.session import Session
from pro_service.store.staff import accounts
from pro_service.store.staff.accounts import Grant, Login
from pro_service.store.staff.members import Member
from pro_service.store.unavailable import UNREACHABLE
from pro_service.store.vault import token_hash
from pro_service.use_cases import throttle
from pro_service.use_cases.throttle import Place
from pro_service.use_cases.transaction import Transaction, transaction

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=8)
SEEN_EVERY = timedelta(minutes=1)
WAITING = timedelta(minutes=10)
"""How long a login may wait for its second factor."""
Stage = Literal["code", "enrol", "whole"]

PASSWORD_LENGTH = 12
LONGEST_PASSWORD = 1024
LONGEST_EMAIL = 254
TOKEN_BYTES = 32
HASH_SHOWN = 12
"""Digits of a keyed hash that are kept: enough to tell addresses apart."""

UTC = ZoneInfo("UTC")
WEB = Actor(kind="system", id="web", source="dashboard")

# Checked where there is no such account, so that both answers take the same time; nobody knows a password for it.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$unEVzrKGU23BEqSkAfK8SQ$xJbivXmi/drmNCoPT7qA3g3EXcVqEbi2Va+hhSf6ilE"


@dataclass(frozen=True, slots=True)
class Added:
    """What `add_user` did: a new account or one more role of an existing one, or nothing."""

    user_id: int
    created: bool
    granted: bool


def folded(email: str) -> str:
    """The one form of an e-mail address under which an account is found."""
    # Cut before it is folded: normalizing a form full of combining marks takes half a minute of every worker's time.
    # PostgreSQL keeps no NUL, and no address has one.
    return unicodedata.normalize("NFKC", visible(email[: LONGEST_EMAIL + 1])).strip().casefold().replace("\0", "\ufffd")


def add_user(
    rt: Runtime,
    actor: Actor,
    email: str,
    password: str,
    role: str,
    study: str | None = None,
    site: str | None = None,
    language: str = "",
    *,
    in_public: bool = False,
) -> Added:
    """Give somebody an account with a role, or an existing account one more role (its password stays).

    `study` and `site` are codes; without a study the role holds in every study, unless a site is named and there is
    one study only. RejectedError with every fault at once. Doing it twice changes nothing. A password that is
    `in_public` anyway, as a demonstration's, may be one that others guess.
    """
    now, email = rt.clock(), folded(email)
    with transaction(rt, actor, now) as tx:
        known = accounts.account(tx.session, email)
        faults = [] if known else [*email_faults(email), *([] if in_public else password_faults(password, email))]
        what = grant_meant(tx.session, role, study, site, faults)
        if faults or what is None:
            raise RejectedError(tuple(faults))
        if known is None:
            user_id = accounts.create(tx.writer, email, hashed(rt, password), language)
            tx.writer.audit(Entry("add_user", "user", user_id, {}, what.study_id), UTC)
        else:
            user_id = known.id
        granted = what not in accounts.grants(tx.session, user_id)
        if granted:
            # An operator at the machine needs nobody's approval, and the trail says so.
            row_id = accounts.grant(tx.writer, user_id, what, approved=True)
            changes: dict[str, tuple[object, object]] = {"user": (None, user_id), "role": (None, what.role)}
            changes |= {"site": (None, what.site_id), "approval": (None, "command_line")}
            tx.writer.audit(Entry("grant_role", "role", row_id, changes, what.study_id), UTC)
    return Added(user_id, created=known is None, granted=granted)


def email_faults(email: str) -> list[Problem]:
    """What is wrong with an e-mail address, in its folded form."""
    name, at, host = email.rpartition("@")
    if not at or not name or not host or any(c.isspace() for c in email) or len(email) > LONGEST_EMAIL:
        return [problem("account_email_unfit", "email")]
    return []


def password_faults(password: str, email: str) -> list[Problem]:
    """What is wrong with a password that somebody chose."""
    normal = _normal(password)
    if len(normal) < PASSWORD_LENGTH:
        return [problem("password_short", "password", least=PASSWORD_LENGTH)]
    if len(normal) > LONGEST_PASSWORD:
        return [problem("password_long", "password", most=LONGEST_PASSWORD)]
    if is_guessed(normal, [email]):
        return [problem("password_guessed", "password")]
    return []


def grant_meant(
    session: Session, role: str, study: str | None, site: str | None, faults: list[Problem]
) -> Grant | None:
    """The role, study and site that are meant by their codes; adds to `faults` what is no such thing."""
    known: tuple[Role, ...] = get_args(Role)
    meant = next((name for name in known if name == role), None)
    if meant is None:
        faults.append(problem("role_unknown", "role", known=known))
    known_studies = {found.code: found.id for found in studies.all_studies(session)}
    if study is None and site is not None and len(known_studies) == 1:
        study = next(iter(known_studies))
    if study is None and site is not None:
        faults.append(problem("study_not_named", "study", known=tuple(sorted(known_studies))))
        return None
    if study is not None and study not in known_studies:
        faults.append(problem("no_such_study", "study", known=tuple(sorted(known_studies))))
        return None
    study_id = None if study is None else known_studies[study]
    sites = {} if study_id is None else studies.site_ids(session, study_id)
    if site is not None and site not in sites:
        faults.append(problem("site_of_role_unknown", "site", known=tuple(sorted(sites))))
    return None if meant is None else Grant(meant, study_id, sites.get(site or ""))


def _normal(password: str) -> str:
    """One form of the same letters, whatever the keyboard made of them (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def log_in(rt: Runtime, email: str, password: str, place: Place, *, previous: str | None = None) -> str | None:
    """Sign in: the token of a new session, or None; unknown accounts take as long as wrong passwords.

    Where the account has a second factor, or must set one up, the session opens nothing else before (`stage`).
    `previous` is the token of a session that this one replaces. ThrottledError if this place, or for an unknown
    place this account, has failed too often.
    """
    email = folded(email)
    attempt = throttle.at_account(rt, "login", email, place)
    with rt.sessions.reading() as session:
        known = accounts.account(session, email)
    # Hashing takes its time: no transaction is open meanwhile.
    good = verified(None if known is None or known.disabled else known.password, password)
    now, user_id = rt.clock(), known.id if known is not None else None
    if user_id is None or not good:
        with transaction(rt, WEB, now) as tx:
            attempt.count_failure(tx)
            tx.writer.audit(Entry("login_failed", "user", user_id, address_tried(rt, email)), UTC)
        return None
    with transaction(rt, staff(user_id), now) as tx:
        if previous:
            end_previous(tx.session, previous, now)
        return new_session(tx, user_id, place)


def address_tried(rt: Runtime, email: str) -> dict[str, tuple[object, object]]:
    """Return what the trail keeps of an address that somebody typed: a keyed hash, the same for the same address.

    So an auditor sees whether one account was tried or many. The address may be nobody's, or hold a password that was
    typed into the wrong field.
    """
    return {"address_tried": (None, rt.vault.index("address-tried", email).hex()[:HASH_SHOWN])}


def end_previous(session: Session, token: str, now: datetime) -> None:
    """End the session that another one replaces, unless it ended before."""
    replaced = accounts.login(session, token_hash(token))
    if replaced is not None:
        accounts.end_login(session, replaced.id, now)


def new_session(tx: Transaction, user_id: int, place: Place, *, factor_at: datetime | None = None) -> str:
    """Queue a session of its own for a login that was good; return its token."""
    token, csrf = secrets.token_urlsafe(TOKEN_BYTES), secrets.token_urlsafe(TOKEN_BYTES)
    row_id = accounts.start_login(tx.writer, user_id, token_hash(token), csrf, place.agent, factor_at=factor_at)
    changes = {"user": (None, user_id)} | ({} if factor_at is None else {"second_factor": (None, True)})
    tx.writer.audit(Entry("login", "login", row_id, changes), UTC)
    return token


def hashed(rt: Runtime, password: str) -> str:
    """What is stored of a password: argon2id."""
    return PasswordHasher(**rt.password_cost._asdict()).hash(_normal(password))


def verified(stored: str | None, password: str) -> bool:
    """Whether this is the password of this hash; without a hash it takes as long, and is not."""
    normal = _normal(password[: LONGEST_PASSWORD + 1])
    try:
        PasswordHasher().verify(stored or NOBODY, normal)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def staff(user_id: int) -> Actor:
    """A member of staff on a page."""
    return Actor(kind="staff", id=f"user:{user_id}", source="dashboard", user_id=user_id)


def current(rt: Runtime, token: str, *, attended: bool = True) -> Login | None:
    """Who holds this session's token; None once it was idle for 15 minutes, is 8 hours old, or was ended.

    One that waits for its second factor ends after 10 minutes. What a page asks by itself (not `attended`) is no use.
    """
    if not token:
        return None
    now = rt.clock()
    with rt.sessions.glance() as connection:
        login = accounts.login(connection, token_hash(token))
    if login is None or now - login.seen_at > IDLE or now - login.started_at > LONGEST:
        return None
    if now - login.started_at > WAITING and stage(rt, login) == "code":
        return None
    if attended and now - login.seen_at >= SEEN_EVERY:
        # Where nothing can be written, pages are read all the same, and say so.
        with suppress(*UNREACHABLE), rt.sessions.begin() as session:
            accounts.mark_seen(session, login.id, now)
    return login


def stage(rt: Runtime, login: Login) -> Stage:
    """What a session still lacks: the `code` of a second factor, or to `enrol` one; nothing when it is `whole`."""
    if login.enrolled_at is not None:
        return "code" if login.factor_at is None else "whole"
    return "enrol" if needs_factor(rt.settings, login) else "whole"


def needs_factor(settings: Settings, of: Login | Member) -> bool:
    """Return whether somebody has to sign in with a second factor: by a role, or since they were invited."""
    return of.factor_required or any(held.role in settings.second_factor_roles for held in of.roles)


def log_out(rt: Runtime, login: Login) -> None:
    """End a session; ending it twice changes nothing."""
    now = rt.clock()
    with transaction(rt, staff(login.user_id), now) as tx:
        if accounts.end_login(tx.session, login.id, now):
            tx.writer.audit(Entry("logout", "login", login.id, {}), UTC)


def choose_language(rt: Runtime, login: Login, language: str) -> None:
    """Remember the language a member of staff reads."""
    now = rt.clock()
    with transaction(rt, staff(login.user_id), now) as tx:
        accounts.set_language(tx.session, login.user_id, language)
        tx.writer.audit(Entry("choose_language", "user", login.user_id, {"language": (login.language, language)}), UTC)
