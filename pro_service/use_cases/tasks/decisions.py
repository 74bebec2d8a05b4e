"""A task that ends with words: what the investigator decided, or what was done about any other."""

import re

from pro_service.core.problems import Problem, RejectedError, problem
from pro_service.core.protocol import LevelCode
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.participants import tasks
from pro_service.use_cases.tasks.calls import StaleError, check_open, end_matter, task_transaction

DECIDED: LevelCode = "E4"
"""The level whose tasks are decided about; what is done about others is done."""
LONGEST_REASON = 500
BETWEEN_WORDS = re.compile(r"[\s\x00-\x1f\x7f]+")


def decide(rt: Runtime, actor: Actor, escalation_id: int, reason: str, *, revision: int | None = None) -> None:
    """End a task with what was decided or done, which is saved in the audit trail.

    Nothing is written at a KeyError (no such task), WorkRefusedError (it has ended), StaleError (the participant has
    changed since `revision`), RejectedError (a fault of `reason`).
    """
    said = BETWEEN_WORDS.sub(" ", reason).strip()
    with task_transaction(rt, actor, escalation_id) as (tx, loaded, escalation):
        # Before the revision: a second press finds that it is decided, not that something has changed.
        check_open(escalation)
        if revision is not None and loaded.case.participant.revision != revision:
            raise StaleError(loaded.case.participant.revision)
        if faults := _faults(said):
            raise RejectedError(faults)
        tasks.acknowledge(tx.writer, loaded, escalation)
        tasks.mark_changed(tx.writer, loaded)
        end_matter(tx, loaded, escalation, "decided" if escalation.level == DECIDED else "done", said)


def _faults(said: str) -> tuple[Problem, ...]:
    if not said:
        return (problem("decision_missing", "reason"),)
    if len(said) > LONGEST_REASON:
        return (problem("reason_too_long", "reason", most=LONGEST_REASON),)
    return ()
