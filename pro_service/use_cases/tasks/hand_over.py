"""Open work that somebody else does, or somebody later: hand it to a colleague, put it off."""

from collections.abc import Collection
from datetime import datetime
from functools import partial

from pro_service.core.protocol import Role
from pro_service.core.schedule.retries import Later, handed_due_at, put_off_to
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.messages import staff_mail
from pro_service.store.participants import tasks
from pro_service.store.staff import colleagues
from pro_service.store.staff.colleagues import Colleague
from pro_service.use_cases import mails
from pro_service.use_cases.tasks.calls import WorkRefusedError, check_open, check_time, of_window, task_transaction

WORKERS: tuple[Role, ...] = ("coordinator",)
"""Who works on tasks."""


def put_off(
    rt: Runtime,
    actor: Actor,
    escalation_id: int,
    until: Later | datetime | None,
    *,
    reason: str = "",
    revision: int | None = None,
) -> None:
    """Take a task up, and let it come back at `until`; None: it stands with the others again.

    KeyError (no such task), StaleError (the participant has changed since `revision`), WorkRefusedError: nothing is put
    off beyond the close of its window, nor for more than two weeks, and what is about safety not at all.
    """
    with task_transaction(rt, actor, escalation_id, revision) as (tx, loaded, escalation):
        check_open(escalation)
        if escalation.level == "ES":
            raise WorkRefusedError("safety")
        back = tasks.holder(tx.session, escalation_id).look_again_at
        if until is None and back is None:
            return
        moment = put_off_to(loaded.case, until, tx.now) if isinstance(until, str) else until
        if until is not None:
            check_time(of_window(loaded.case, escalation), moment, tx.now)
        tasks.acknowledge(tx.writer, loaded, escalation)
        tasks.put_off(tx.writer, loaded, escalation_id, moment, reason.strip() or None)


def hand_over(
    rt: Runtime, actor: Actor, escalation_id: int, to: int, *, reason: str = "", revision: int | None = None
) -> None:
    """Give a task to a colleague who may work at its site; they have it, get a mail, but are still to take it up.

    If they do not by the time it is due, it goes up the ladder; what is overdue is due at the end of the working day.
    KeyError (no such task), StaleError (the participant has changed since `revision`), WorkRefusedError.
    """
    with task_transaction(rt, actor, escalation_id, revision) as (tx, loaded, escalation):
        check_open(escalation)
        if to == actor.user_id:
            raise WorkRefusedError("yourself")
        found = colleagues.at(tx.session, loaded.study_id, [loaded.site_id], WORKERS)
        colleague = next((one for one in found if one.id == to), None)
        if colleague is None:
            raise WorkRefusedError("no_colleague")
        if colleague.away(tx.now):
            raise WorkRefusedError("away")
        if tasks.holder(tx.session, escalation_id).handed_to != to:
            due_at = handed_due_at(loaded.case, escalation, tx.now)
            tasks.hand_over(tx.writer, loaded, escalation, to, due_at, reason.strip() or None)
            if rt.mail is not None:
                text = partial(mails.handed, loaded, escalation, due_at, rt.settings.public_base_url)
                staff_mail.queue_hand_over(tx.writer, loaded, escalation, to, text)


def who_may_take(rt: Runtime, actor: Actor, study_id: int, site_ids: Collection[int] | None) -> tuple[Colleague, ...]:
    """The actor's colleagues at these sites (None: at any), who are there, by e-mail."""
    now = rt.clock()
    with rt.sessions.glance() as connection:
        found = colleagues.at(connection, study_id, site_ids, WORKERS)
    return tuple(one for one in found if one.id != actor.user_id and not one.away(now))
