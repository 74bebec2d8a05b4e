"""The page of one task: the call with its script and outcomes, the missed window's reason, or simply done."""

from datetime import datetime
from typing import cast

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.case import WindowFacts
from pro_service.core.schedule import retries
from pro_service.core.schedule.agenda import savable
from pro_service.core.schedule.status import status
from pro_service.reports import participant, today
from pro_service.reports.statements import DECIDED
from pro_service.reports.today import Task
from pro_service.runtime import Runtime
from pro_service.store.participants import tasks
from pro_service.store.participants.cases import Loaded
from pro_service.use_cases.tasks import calls, hand_over
from pro_service.use_cases.tasks.calls import CallResult, Outcome, StaleError, WorkRefusedError
from pro_service.web.access import NoAccessYetError, may, may_at, needs
from pro_service.web.dashboard.formatting import local_time, since, times, zone_of_task
from pro_service.web.scope import LARGEST_ID, Scope, actor, scope_of

CALL_LEVELS = frozenset({"E1", "E2"})
SPOKE: tuple[Outcome, ...] = ("will_do_it", "call_back_at", "refused_this_time", "wants_no_messages", "withdraws")
IN_VAIN: tuple[Outcome, ...] = ("no_answer", "busy", "wrong_person", "not_in_service")
LEARNT: tuple[Outcome, ...] = ("moved", "hospitalised", "language_barrier", "died")


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the pages of one task."""

    @pages.get("/escalations/<int:task_id>")
    @needs("progress")
    def task(task_id: int) -> ResponseReturnValue:
        """The task to those who work on it; whoever else got its mail is led to where they decide or read about it."""
        scope, about, loaded = theirs(rt, task_id)
        if loaded is not None and not may_at("work", loaded.study_id, loaded.site_id):
            return redirect(_read_elsewhere(scope, about, loaded), 303)
        if loaded is None and not may("work"):
            raise NoAccessYetError
        return page(rt, task_id)

    @pages.post("/escalations/<int:task_id>/call")
    @needs("work")
    def call(task_id: int) -> ResponseReturnValue:
        return _call(rt, task_id)


def _read_elsewhere(scope: Scope, task: Task, loaded: Loaded) -> str:
    """Where somebody reads of a task who does not work on it: those who decide, where they decide."""
    open_now = any(one.id == task.id and one.open for one in loaded.case.escalations)
    if task.level == DECIDED and open_now and may_at("decide", loaded.study_id, loaded.site_id):
        return url_for("dashboard.decisions", task=task.id, study=scope.named, _anchor=f"task-{task.id}")
    return url_for("dashboard.participant", code=task.participant, study=scope.named)


def theirs(rt: Runtime, task_id: int) -> tuple[Scope, Task, Loaded | None]:
    """The task, if it is the reader's; its study, whichever they look at now; its participant."""
    if task_id > LARGEST_ID:
        abort(404)
    with rt.sessions.reading() as session:
        whose = tasks.subject_of(session, task_id)
        if whose is None:
            abort(404)
        scope = scope_of(rt, whose.study_id)
        if scope.study_id is None:
            abort(404)
        task = today.task(session, rt.loader, scope.study_id, task_id, scope.sites)
        if task is None:
            abort(404)
        loaded = None
        if whose.participant_id is not None:
            loaded = rt.loader.one(session, whose.participant_id, lock=False)
        return scope, task, loaded


def is_about(rt: Runtime, task_id: int, scope: Scope, code: str) -> bool:
    """Whether this task, if it is the reader's, is about this participant."""
    whose, task, _ = theirs(rt, task_id)
    return whose.study_id == scope.study_id and task.participant == code


def page(
    rt: Runtime, task_id: int, *, number: str | None = None, refused: str | None = None, stale: bool = False
) -> str:
    """The task as it stands; what was typed is kept when something was `refused` or the form was `stale`."""
    now = rt.clock()
    scope, task, loaded = theirs(rt, task_id)
    facts = next((e for e in loaded.case.escalations if e.id == task_id), None) if loaded else None
    window = loaded.case.window(facts.window_id) if loaded and facts and facts.window_id is not None else None
    made = []
    changes = []
    if loaded is not None:
        with rt.sessions.reading() as session:
            made = participant.call_rows(session, loaded.case.participant.id, window.id if window else None)
            changes = participant.changes(session, loaded.case.participant.id, since()) if stale else []
    state = None
    if loaded and window:
        state = status(window, loaded.case.participant, loaded.case.protocol.primary(window.point), now)
    return render_template(
        "dashboard/task.html", scope=scope, task=task, facts=facts, window=window, state=state, calls=made,
        case=loaded.case if loaded else None, person=loaded.case.participant if loaded else None,
        zone=zone_of_task(task), number=number, refused=refused, stale=stale,
        changes=changes, is_call=task.level in CALL_LEVELS and window is not None and now < window.span.closes_at,
        groups=(("spoke", SPOKE), ("in_vain", IN_VAIN), ("learnt", LEARNT)), missing=calls.MISSING_REASONS,
        items=[loaded.case.protocol.items[i] for i in window.missing()] if loaded and window else [],
        done=request.args.get("done"), **(_not_now(rt, loaded, window, now) if loaded else {}),
        typed=request.form, **times(now),
    )  # fmt: skip


def _not_now(rt: Runtime, loaded: Loaded, window: WindowFacts | None, now: datetime) -> dict[str, object]:
    """When to try again, to when to put off, to whom to hand over."""
    case = loaded.case
    return {
        "again": retries.next_attempt(case, window, now),
        "most": case.protocol.failed_calls,
        "part": lambda moment: retries.part_of_day(case, moment),
        "put_off_to": retries.put_off_choices(case, window, now),
        "colleagues": hand_over.who_may_take(rt, actor(), loaded.study_id, [loaded.site_id]),
        "to_be_called": window is not None and savable(case, window, now),
    }


def _call(rt: Runtime, task_id: int) -> ResponseReturnValue:
    scope, task, loaded = theirs(rt, task_id)
    given = request.form
    outcome = given.get("outcome", "")
    if outcome == "completed_now" and task.participant and task.point:
        code, window, named = task.participant, task.point.code, scope.named
        form = url_for("dashboard.enter", code=code, window=window, mode="telephone", task=task_id, study=named)
        return redirect(form, 303)
    back = local_time(given.get("call_back_at", ""), zone_of_task(task))
    told = CallResult(cast("Outcome", outcome), back, given.get("note"))
    if loaded is None:
        abort(404)
    try:
        calls.record(rt, actor(), task_id, told, revision=given.get("revision", type=int))
    except WorkRefusedError as refusal:
        return page(rt, task_id, refused=refusal.code), 422
    except StaleError:
        return page(rt, task_id, stale=True), 409
    return redirect(url_for("dashboard.task", task_id=task_id, done=outcome), 303)
