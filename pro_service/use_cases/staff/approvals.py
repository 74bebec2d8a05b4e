"""Roles in a study hold once an investigator of that study has approved them; the first investigator's at once."""

from zoneinfo import ZoneInfo

from pro_service.core.problems import Problem, RejectedError, problem
from pro_service.core.protocol import Role
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor, Entry
from pro_service.store.staff import accounts, approvals, links
from pro_service.store.staff.accounts import Grant
from pro_service.store.staff.approvals import Pending
from pro_service.use_cases import mails
from pro_service.use_cases.staff import account_mails
from pro_service.use_cases.transaction import Transaction, transaction

UTC = ZoneInfo("UTC")
LONGEST_REASON = 500
FREE: frozenset[Role] = frozenset({"administrator"})
"""Roles that open no study."""
Place = tuple[str | None, str | None]
"""Codes of study and site; None = every one."""


def how_approved(tx: Transaction, what: Grant) -> str | None:
    """Why a role holds at once: the word the audit trail gets; None where it waits for an investigator."""
    if tx.writer.actor.source == "cli":
        return "command_line"
    if what.role in FREE:
        return "no_study"
    return "first_investigator" if approvals.is_first_investigator(tx.session, what) else None


def grant_faults(tx: Transaction, what: Grant) -> list[Problem]:
    """What is wrong with giving this role: one for every study needs somebody who may approve it."""
    everywhere = what.study_id is None and what.role not in FREE
    if not everywhere or how_approved(tx, what) or approvals.investigators(tx.session, 0, what):
        return []
    return [problem("nobody_to_approve", "study")]


def grant(tx: Transaction, user_id: int, what: Grant, place: Place) -> None:
    """Queue a role, which waits unless it holds at once, and mail those who may approve it."""
    how = how_approved(tx, what)
    row_id = accounts.grant(tx.writer, user_id, what, approved=how is not None)
    changes: dict[str, tuple[object, object]] = {"user": (None, user_id), "role": (None, what.role)}
    changes |= {"site": (None, what.site_id), "approval": (None, how or "pending")}
    tx.writer.audit(Entry("grant_role", "role", row_id, changes, what.study_id), UTC)
    if how is not None or tx.rt.mail is None:
        return
    named = ", ".join(code for code in place if code) or "–"
    for reader in approvals.investigators(tx.session, user_id, what):
        body = mails.approval(reader.language, what.role, named, tx.rt.settings.public_base_url)
        links.queue_mail(tx.writer, reader.id, "approval", f"g:{row_id}:{reader.id}", body)


def waiting(rt: Runtime, user_id: int, study_id: int | None) -> tuple[tuple[Pending, bool], ...]:
    """Roles that wait in a study, and whether this user may decide about each."""
    with rt.sessions.reading() as session:
        held = accounts.grants(session, user_id)
        found = approvals.pending(session)
    return tuple((one, approvals.may_decide(held, user_id, one)) for one in found if one.study_id in (None, study_id))


def decide(rt: Runtime, actor: Actor, role_id: int, reason: str, *, approved: bool) -> bool:
    """Approve or refuse a role that waits; False if somebody had decided. A reason is kept with it.

    KeyError where it is not the actor's to decide; RejectedError without a reason, and about one's own role.
    """
    reason = " ".join(reason.split())
    with transaction(rt, actor, rt.clock()) as tx:
        found = approvals.one(tx.session, role_id)
        if found is None:
            return False
        if actor.user_id is None or not approvals.covers(accounts.grants(tx.session, actor.user_id), found.grant):
            raise KeyError("role")
        if faults := _faults(found, actor.user_id, reason):
            raise RejectedError(tuple(faults))
        if not approvals.decide(tx.session, role_id, actor.user_id, tx.now, approved=approved):
            return False
        changes = {"user": (None, found.user_id), "role": (None, found.role), "site": (None, found.site_id)}
        action = "approve_role" if approved else "refuse_role"
        tx.writer.audit(Entry(action, "role", role_id, changes, found.study_id, None, reason), UTC)
        if approved:
            account_mails.queue_notice(tx, found.user_id, "role_approved")
    return True


def _faults(found: Pending, user_id: int, reason: str) -> list[Problem]:
    faults = []
    if found.user_id == user_id:
        faults.append(problem("own_roles", "user"))
    if not reason:
        faults.append(problem("reason_missing", "reason"))
    elif len(reason) > LONGEST_REASON:
        faults.append(problem("reason_too_long", "reason", most=LONGEST_REASON))
    return faults
