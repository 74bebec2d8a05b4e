"""Administering staff: invite, give and end roles, disable, enable, reset what was lost; all of it audited."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pro_service.core.problems import Problem, RejectedError, problem
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor, Entry
from pro_service.store.messages import staff_mail
from pro_service.store.session import Session
from pro_service.store.staff import accounts as store_accounts
from pro_service.store.staff import links, members, second_factors, sessions
from pro_service.store.staff.accounts import Login
from pro_service.store.staff.members import Held, Member
from pro_service.store.staff.sessions import Seat
from pro_service.use_cases.staff import account_mails, approvals
from pro_service.use_cases.staff.accounts import IDLE, LONGEST, email_faults, folded, grant_meant, staff
from pro_service.use_cases.transaction import transaction

UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was made for somebody. `mailed`: it is on its way; else the administrator hands it over."""

    user_id: int
    address: str
    mailed: bool


def invite(
    rt: Runtime,
    actor: Actor,
    email: str,
    role: str,
    study: str | None = None,
    site: str | None = None,
    *,
    language: str = "tr",
    by_hand: bool = False,
) -> Link:
    """Make an account with a role and mail its owner a link that works once; they set password and second factor.

    `by_hand`: where no mail can be sent, the caller hands the link over. RejectedError with every fault at once.
    """
    email = folded(email)
    with transaction(rt, actor, rt.clock()) as tx:
        faults = email_faults(email)
        if store_accounts.account(tx.session, email) is not None:
            faults.append(problem("has_an_account", "email"))
        what = grant_meant(tx.session, role, study, site, faults)
        if rt.mail is None and not by_hand:
            faults.append(problem("no_mail", "email"))
        if what is not None:
            faults += approvals.grant_faults(tx, what)
        if faults or what is None:
            raise RejectedError(tuple(faults))
        user_id = store_accounts.create(tx.writer, email, None, language, factor_required=True)
        tx.writer.audit(Entry("invite", "user", user_id, {}, what.study_id), UTC)
        approvals.grant(tx, user_id, what, (study, site))
        address = account_mails.queue_link(tx, user_id, "invitation")
    return Link(user_id, address, rt.mail is not None)


def grant(rt: Runtime, actor: Actor, user_id: int, role: str, study: str | None, site: str | None) -> bool:
    """Give somebody one more role; False if they have it, or it waits. RejectedError with every fault at once.

    A role in a study waits for an investigator's approval; see `approvals`.
    """
    with transaction(rt, actor, rt.clock()) as tx:
        member, faults = _member(tx.session, user_id), list[Problem]()
        what = grant_meant(tx.session, role, study, site, faults)
        if what is not None:
            faults += approvals.grant_faults(tx, what)
        if faults or what is None:
            raise RejectedError(tuple(faults))
        if what in {(held.role, held.study_id, held.site_id) for held in member.roles}:
            return False
        approvals.grant(tx, user_id, what, (study, site))
    return True


def revoke(rt: Runtime, actor: Actor, user_id: int, role_id: int) -> bool:
    """Relieve somebody of a role; False if they do not have it (any more). RejectedError for the last administrator."""
    with transaction(rt, actor, rt.clock()) as tx:
        held = next((one for one in _member(tx.session, user_id).roles if one.id == role_id), None)
        if held is None or not _may_go(tx.session, user_id, held):
            return False
        if not members.revoke(tx.session, user_id, role_id, tx.now):
            return False
        changes: dict[str, tuple[object, object]] = {"user": (user_id, None), "role": (held.role, None)}
        changes |= {"site": (held.site, None), "mails_ended": (None, staff_mail.withdraw(tx.session, user_id, tx.now))}
        tx.writer.audit(Entry("revoke_role", "role", role_id, changes, held.study_id), UTC)
    return True


def disable(rt: Runtime, actor: Actor, user_id: int) -> bool:
    """Shut somebody out at once, whatever they are doing; False if they were. RejectedError for oneself or the last."""
    with transaction(rt, actor, rt.clock()) as tx:
        if actor.user_id == user_id:
            raise RejectedError((problem("own_account", "user"),))
        for held in _member(tx.session, user_id).roles:
            _may_go(tx.session, user_id, held)
        if not members.set_disabled(tx.session, user_id, tx.now):
            return False
        ended = sessions.end_of_user(tx.session, user_id, tx.now)
        links.void(tx.session, user_id, tx.now)
        mails = staff_mail.withdraw(tx.session, user_id, tx.now)
        changes = {"sessions_ended": (None, ended), "mails_ended": (None, mails)}
        tx.writer.audit(Entry("disable_user", "user", user_id, changes), UTC)
    return True


def enable(rt: Runtime, actor: Actor, user_id: int) -> bool:
    """Let somebody in again, with the password and the second factor they had; False if they were not shut out."""
    with transaction(rt, actor, rt.clock()) as tx:
        _member(tx.session, user_id)
        if not members.set_disabled(tx.session, user_id, None):
            return False
        tx.writer.audit(Entry("enable_user", "user", user_id, {}), UTC)
    return True


def reset_factor(rt: Runtime, actor: Actor, user_id: int) -> bool:
    """Take away a second factor that was lost, and its recovery codes; their owner sets up another at the next login.

    False if there was none. RejectedError for oneself: somebody who holds one session could otherwise shed it.
    """
    with transaction(rt, actor, rt.clock()) as tx:
        if actor.user_id == user_id:
            raise RejectedError((problem("own_account", "user"),))
        _member(tx.session, user_id)
        if not second_factors.forget(tx.session, user_id):
            return False
        second_factors.void_codes(tx.session, user_id, tx.now)
        ended = sessions.end_of_user(tx.session, user_id, tx.now)
        tx.writer.audit(Entry("reset_factor", "user", user_id, {"sessions_ended": (None, ended)}), UTC)
        account_mails.queue_notice(tx, user_id, "factor_reset")
    return True


def send_link(rt: Runtime, actor: Actor, user_id: int, *, by_hand: bool = False) -> Link:
    """Mail somebody a link to a new password, or the invitation again; those before work no more. RejectedError."""
    with transaction(rt, actor, rt.clock()) as tx:
        member = _member(tx.session, user_id)
        if rt.mail is None and not by_hand:
            raise RejectedError((problem("no_mail", "email"),))
        if member.disabled_at is not None:
            raise RejectedError((problem("account_disabled", "user"),))
        address = account_mails.queue_link(tx, user_id, "reset" if member.has_password else "invitation")
        tx.writer.audit(Entry("send_link", "user", user_id, {"mailed": (None, rt.mail is not None)}), UTC)
    return Link(user_id, address, rt.mail is not None)


def end_sessions(rt: Runtime, login: Login, only: int | None = None) -> int:
    """End one's own other sessions, or one of them; return how many."""
    with transaction(rt, staff(login.user_id), rt.clock()) as tx:
        ended = sessions.end_of_user(tx.session, login.user_id, tx.now, but=login.id, only=only)
        if ended:
            tx.writer.audit(Entry("end_sessions", "user", login.user_id, {"sessions_ended": (None, ended)}), UTC)
    return ended


def seats(rt: Runtime, login: Login) -> tuple[Seat, ...]:
    """One's own sessions that still live."""
    now = rt.clock()
    with rt.sessions.reading() as session:
        return sessions.of_user(session, login.user_id, now - LONGEST, now - IDLE)


def own_roles(rt: Runtime, login: Login) -> tuple[Held, ...]:
    """One's own roles, with the codes of their studies and sites."""
    with rt.sessions.reading() as session:
        found = members.one(session, login.user_id)
    return () if found is None else found.roles


def _member(session: Session, user_id: int) -> Member:
    found = members.one(session, user_id)
    if found is None:
        raise KeyError("user")
    return found


def _may_go(session: Session, user_id: int, held: Held) -> bool:
    if held.role == "administrator" and not members.other_administrators(session, user_id):
        raise RejectedError((problem("last_administrator", "user"),))
    return True
