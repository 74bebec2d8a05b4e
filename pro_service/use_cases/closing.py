"""Close a study, lock its data, and unlock them.

Closing is one fact of the study. What follows from it for each participant is a rule (`core.schedule.ending`), which
the tick carries out: whatever interrupts it, the next tick goes on.
"""

from dataclasses import dataclass
from datetime import datetime

from pro_service import logs
from pro_service.core.problems import RejectedError, problem
from pro_service.core.study_file.confirmation import LONGEST_REASON
from pro_service.runtime import Runtime
from pro_service.store import closing as store
from pro_service.store import studies
from pro_service.store.audit import Actor, Entry
from pro_service.store.closing import Rest
from pro_service.store.participants.cases import zone_of
from pro_service.store.studies import Standing
from pro_service.use_cases import confirmation
from pro_service.use_cases.tick import tick
from pro_service.use_cases.transaction import Transaction, transaction

UTC = zone_of("UTC")


@dataclass(frozen=True, slots=True)
class Closing:
    """A study's standing, and what it still holds."""

    standing: Standing
    rest: Rest


def look(rt: Runtime, study_id: int) -> Closing:
    """Return how a study stands; nothing is changed."""
    with rt.sessions.reading() as session:
        return Closing(studies.standing(session, study_id), store.rest(session, study_id, rt.clock()))


def close(rt: Runtime, actor: Actor, study_id: int, reason: str, *, lock_data: bool = False) -> Closing:
    """Close a study for good: nobody is enrolled or asked any more. With `lock_data` lock its data as well.

    RejectedError: it is closed, or there is no reason. If not everything is counted at once (another scheduler is
    working on a participant, the clock is not believed), the data are not locked, and RejectedError says so.
    """
    reason, now = given_reason(reason), rt.clock()
    with transaction(rt, actor, now) as tx:
        studies.lock_study(tx.session, study_id)
        before = studies.standing(tx.session, study_id)
        if before.closed_at is not None:
            raise RejectedError((problem("study_closed_already", "", at=before.closed_at),))
        studies.set_standing(tx.session, study_id, closed_at=now)
        store.look_at_everybody(tx.session, study_id, now)
        note(tx, study_id, "close_study", {"closed_at": (None, now)}, reason)
    logs.event("study.closed", study=study_id)
    tick(rt)
    if lock_data:
        lock(rt, actor, study_id, reason)
    return look(rt, study_id)


def lock(rt: Runtime, actor: Actor, study_id: int, reason: str) -> None:
    """Lock the data of a closed study: no answer can be added or changed.

    RejectedError: it is not closed, locked already, not everything is counted yet, or there is no reason.
    """
    reason, now = given_reason(reason), rt.clock()
    with transaction(rt, actor, now) as tx:
        studies.hold_answers(tx.session, study_id)
        before, left = studies.standing(tx.session, study_id), store.rest(tx.session, study_id, now)
        if before.closed_at is None:
            raise RejectedError((problem("study_open", ""),))
        if before.locked_at is not None:
            raise RejectedError((problem("study_locked_already", "", at=before.locked_at),))
        if left.uncounted:
            raise RejectedError((problem("study_closing", "", count=left.uncounted),))
        studies.set_standing(tx.session, study_id, locked_at=now)
        note(tx, study_id, "lock_data", {"locked_at": (None, now)}, reason)
    logs.event("study.locked", study=study_id)


def unlock(rt: Runtime, actor: Actor, study_id: int, user_id: int, reason: str) -> None:
    """Unlock the data in the name of an investigator of all sites. RejectedError: they are not locked."""
    reason = given_reason(reason)
    if not confirmation.is_investigator(rt, user_id, study_id):
        raise RejectedError((problem("not_their_study", "--by"),))
    with transaction(rt, actor, rt.clock()) as tx:
        studies.lock_study(tx.session, study_id)
        locked_at: datetime | None = studies.standing(tx.session, study_id).locked_at
        if locked_at is None:
            raise RejectedError((problem("study_not_locked", ""),))
        studies.set_standing(tx.session, study_id, locked_at=None)
        changes: dict[str, tuple[object, object]] = {"locked_at": (locked_at, None), "user": (None, user_id)}
        note(tx, study_id, "unlock_data", changes, reason)
    logs.event("study.unlocked", study=study_id)


def given_reason(text: str) -> str:
    """Return a reason on one line; RejectedError if it is none, or too long."""
    said = " ".join(text.split())
    if not said:
        raise RejectedError((problem("reason_missing", "--reason"),))
    if len(said) > LONGEST_REASON:
        raise RejectedError((problem("reason_too_long", "--reason", most=LONGEST_REASON),))
    return said


def note(tx: Transaction, study_id: int, action: str, changes: dict[str, tuple[object, object]], reason: str) -> None:
    """Write the row of the trail about what was done with a study."""
    tx.writer.audit(Entry(action, "study", study_id, changes, study_id, reason=reason), UTC)
