"""The second factor: time-based codes (RFC 6238) and recovery codes, each good once; set up, shown, taken away.

The secret is derived for a session until its owner has shown a code made with it; only then is it kept, encrypted.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from pro_service.runtime import Runtime
from pro_service.store.audit import Entry
from pro_service.store.staff import accounts as store_accounts
from pro_service.store.staff import second_factors, sessions
from pro_service.store.staff.accounts import Login
from pro_service.use_cases import throttle
from pro_service.use_cases.staff import account_mails, accounts
from pro_service.use_cases.throttle import Place
from pro_service.use_cases.transaction import Transaction, transaction

STEP = 30
DIGITS = 6
SECRET_BYTES = 20
DRIFT = (0, -1, 1)
"""Steps by which a telephone's clock may be off."""
CODES = 10
CODE_LENGTH = 10
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Of recovery codes: nothing that is read as something else."""
ISSUER = "PRO Service"
UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Setup:
    """What an authenticator app needs: as an address for a QR code, and to be typed."""

    address: str
    secret: str


def setup(rt: Runtime, login: Login) -> Setup:
    """What to scan. Asking twice in one session gives the same, and keeps nothing."""
    secret = _pending(rt, login)
    address = _totp(secret).get_provisioning_uri(login.email, ISSUER)
    typed = base64.b32encode(secret).decode()
    return Setup(address, " ".join(typed[at : at + 4] for at in range(0, len(typed), 4)))


def set_up(rt: Runtime, login: Login, code: str) -> tuple[str, ...] | None:
    """Keep the second factor whose code this is: fresh recovery codes, shown this once; None for a wrong code."""
    now, secret = rt.clock(), _pending(rt, login)
    step = step_of(secret, _plain(code), now)
    if step is None:
        return None
    codes = _fresh_codes()
    with transaction(rt, accounts.staff(login.user_id), now) as tx:
        second_factors.store_factor(tx.writer, login.user_id, secret, step, login.id)
        _keep_codes(tx, login.user_id, codes)
        moved = login.enrolled_at is not None
        # The old telephone may have been lost: what was opened with it ends.
        ended = sessions.end_of_user(tx.session, login.user_id, now, but=login.id) if moved else 0
        changes = {"second_factor": (moved, True), "sessions_ended": (None, ended)}
        tx.writer.audit(Entry("set_up_factor", "user", login.user_id, changes), UTC)
        account_mails.queue_notice(tx, login.user_id, "factor")
    return codes


def new_codes(rt: Runtime, login: Login) -> tuple[str, ...]:
    """Fresh recovery codes, shown this once; those before work no more."""
    codes = _fresh_codes()
    with transaction(rt, accounts.staff(login.user_id), rt.clock()) as tx:
        _keep_codes(tx, login.user_id, codes)
        tx.writer.audit(Entry("new_recovery_codes", "user", login.user_id, {}), UTC)
        account_mails.queue_notice(tx, login.user_id, "codes")
    return codes


def codes_left(rt: Runtime, login: Login) -> int:
    """How many recovery codes somebody still has."""
    with rt.sessions.reading() as session:
        return second_factors.codes_left(session, login.user_id)


def show(rt: Runtime, login: Login, code: str, place: Place) -> str | None:
    """Finish a login with a code of the second factor or a recovery code: the token of a new session; None if wrong.

    The session that waited ends: what knew its cookie before the code was shown knows nothing of the new one.
    ThrottledError as for passwords, and sooner.
    """
    attempt = throttle.at_account(rt, "code", str(login.user_id), place)
    now, given = rt.clock(), _plain(code)
    with transaction(rt, accounts.staff(login.user_id), now) as tx:
        second_factors.lock_factor(tx.session, login.user_id)
        attempt.admit_again(tx)
        how = _used(tx, login.user_id, given)
        if how is None:
            attempt.count_failure(tx)
            tx.writer.audit(Entry("factor_failed", "user", login.user_id, {}), UTC)
            return None
        if not store_accounts.end_login(tx.session, login.id, now):
            return None
        if how == "recovery":
            tx.writer.audit(Entry("use_recovery_code", "user", login.user_id, {}), UTC)
            account_mails.queue_notice(tx, login.user_id, "code_used")
        return accounts.new_session(tx, login.user_id, place, factor_at=now)


def _used(tx: Transaction, user_id: int, given: str) -> str | None:
    """Use a code up; how, or None. Two that come at once meet at the row: one of them changes nothing."""
    if len(given) == CODE_LENGTH:
        good = second_factors.use_code(tx.session, user_id, _code_key(tx.rt, user_id, given), tx.now)
        return "recovery" if good else None
    factor = second_factors.of_user(tx.writer, user_id)
    step = None if factor is None else step_of(factor.secret, given, tx.now)
    return "totp" if step is not None and second_factors.use_step(tx.session, user_id, step) else None


def step_of(secret: bytes, code: str, now: datetime) -> int | None:
    """The time step a code belongs to, of those that may be meant now; None if it belongs to none."""
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        return None
    totp, current, found = _totp(secret), int(now.timestamp()) // STEP, None
    for drift in DRIFT:  # all of them, whichever fits
        if current + drift < 0:
            continue  # before 1970 there was no code
        if compare_digest(totp.generate((current + drift) * STEP), code.encode()) and found is None:
            found = current + drift
    return found


def _pending(rt: Runtime, login: Login) -> bytes:
    since = "" if login.enrolled_at is None else login.enrolled_at.isoformat()
    return rt.vault.index("totp-setup", f"{login.user_id}|{login.id}|{since}")[:SECRET_BYTES]


def _totp(secret: bytes) -> TOTP:
    # SHA-1 is what authenticator apps take for granted, and HMAC does not need it free of collisions (RFC 6238, 1.2).
    return TOTP(secret, DIGITS, SHA1(), STEP)  # noqa: S303


def _fresh_codes() -> tuple[str, ...]:
    raw = ["".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)) for _ in range(CODES)]
    return tuple(f"{code[:5]}-{code[5:]}" for code in raw)


def _keep_codes(tx: Transaction, user_id: int, codes: tuple[str, ...]) -> None:
    second_factors.replace_codes(tx.writer, user_id, [_code_key(tx.rt, user_id, _plain(code)) for code in codes])


def _code_key(rt: Runtime, user_id: int, code: str) -> bytes:
    return rt.vault.index("recovery-code", f"{user_id}|{code}")


def _plain(code: str) -> str:
    """A code as people type it, without what they put between its parts."""
    return "".join(sign for sign in code[:40] if sign not in " -\u00a0").lower()
