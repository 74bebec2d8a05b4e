"""Names of an export's columns that only sound like the allocation: investigators and administrators let them pass.

The row of the audit trail is the fact: who, when, why; there is no other record of it.
"""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from pro_service.core.enrolment.blinding import is_allocation
from pro_service.core.enrolment.cells import quoted
from pro_service.core.enrolment.file import one_line
from pro_service.core.problems import RejectedError, problem
from pro_service.core.protocol import Role
from pro_service.runtime import Runtime
from pro_service.store import studies
from pro_service.store.audit import Actor, Entry
from pro_service.store.staff import members
from pro_service.store.studies import PassedColumn
from pro_service.use_cases.staff.accounts import folded
from pro_service.use_cases.transaction import transaction

LONGEST_NAME = 500
LONGEST_REASON = 300
DECIDING: frozenset[Role] = frozenset({"investigator", "administrator"})
"""Roles that may decide this: the coordinator who imports may not."""
UTC = ZoneInfo("UTC")


def passed_columns(rt: Runtime, study_id: int) -> Mapping[str, PassedColumn]:
    """Return the names that pass in a study, in small letters -> what was said about each."""
    with rt.sessions.reading() as session:
        return {one.name.casefold(): one for one in studies.passed_columns(session, study_id)}


def let_pass(rt: Runtime, actor: Actor, study_id: int, name: str, reason: str) -> bool:
    """Let a column of this name pass in the exports of a study; False if it does already.

    RejectedError with every fault at once: no name, one that does not sound like the allocation, no reason.
    """
    name, reason = one_line(name), " ".join(reason.split())
    faults = []
    if not name:
        faults.append(problem("key_empty", "column"))
    elif len(name) > LONGEST_NAME or not is_allocation(name):
        faults.append(problem("column_not_held_up", "column", given=quoted(name)))
    if not reason or len(reason) > LONGEST_REASON:
        faults.append(problem("needs_reason", "reason", most=LONGEST_REASON))
    if faults:
        raise RejectedError(tuple(faults))
    if name.casefold() in passed_columns(rt, study_id):
        return False
    with transaction(rt, actor, rt.clock()) as tx:
        changes: dict[str, tuple[object, object]] = {"column": (None, name)}
        tx.writer.audit(Entry("let_column_pass", "study", study_id, changes, study_id, reason=reason), UTC)
    return True


def deciding(rt: Runtime, study_id: int, email: str) -> int:
    """Return the account of this address, if it may decide about columns of this study. RejectedError if not."""
    with rt.sessions.reading() as session:
        member = members.by_email(session, folded(email))
    roles = () if member is None or member.disabled_at is not None else member.roles
    held = {one.role for one in roles if one.approved_at is not None and one.study_id in (None, study_id)}
    if member is None or held.isdisjoint(DECIDING):
        raise RejectedError((problem("may_not_decide", "--by"),))
    return member.id
