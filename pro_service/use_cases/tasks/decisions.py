"""What the investigator decides: windows missed in a row, nobody reached any more; a reason in words ends the task."""

import re

from pro_service.core.problems import Fault, RejectedError
from pro_service.reports.statements import DECIDED
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.participants import tasks
from pro_service.use_cases.tasks.calls import StaleError, check_open, task_transaction

OUTCOME = "decided"
LONGEST_REASON = 500
BETWEEN_WORDS = re.compile(r"[\s\x00-\x1f\x7f]+")


def decide(rt: Runtime, actor: Actor, escalation_id: int, reason: str, *, revision: int | None = None) -> None:
    """End a task of the investigator's rung with what was decided, which is kept in the audit trail.

    Nothing is written at a KeyError (no such task, or of another rung), WorkRefusedError (it has ended), StaleError
    (the participant has changed since `revision`), RejectedError (a fault of `reason`).
    """
    said = BETWEEN_WORDS.sub(" ", reason).strip()
    with task_transaction(rt, actor, escalation_id) as (tx, loaded, escalation):
        if escalation.level != DECIDED:
            raise KeyError(escalation_id)
        # Before the revision: a second press finds that it is decided, not that something has changed.
        check_open(escalation)
        if revision is not None and loaded.case.participant.revision != revision:
            raise StaleError(loaded.case.participant.revision)
        if faults := _faults(said):
            raise RejectedError(faults)
        tasks.acknowledge(tx.writer, loaded, escalation)
        tasks.mark_changed(tx.writer, loaded)
        tx.writer.resolve(loaded, escalation.id, OUTCOME, said)


def _faults(said: str) -> tuple[Fault, ...]:
    if not said:
        return (Fault("reason", None, "is missing", "say in a few words what was decided"),)
    if len(said) > LONGEST_REASON:
        return (Fault("reason", None, f"is longer than {LONGEST_REASON} characters", "say it shorter"),)
    return ()
