"""The page of one task: a call with its script and outcomes, a missed window's reason; and all that is done about it.

A task is taken up, put off, handed over or ended, on its own page or, chosen in the lists, on the first page.
"""

from collections.abc import Callable
from datetime import datetime
from typing import cast

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.case import WindowFacts
from pro_service.core.schedule import retries
from pro_service.core.schedule.agenda import savable
from pro_service.core.schedule.retries import LATER
from pro_service.core.schedule.status import status
from pro_service.reports import participant, today
from pro_service.reports.statements import DECIDED
from pro_service.reports.today import Task
from pro_service.runtime import Runtime
from pro_service.store.participants import tasks
from pro_service.store.participants.cases import Loaded
from pro_service.use_cases.tasks import calls, hand_over
from pro_service.use_cases.tasks.calls import CallResult, MissingReason, Outcome, StaleError, WorkRefusedError
from pro_service.web.access import NoAccessYetError, may, may_at, needs
from pro_service.web.dashboard.formatting import form_made_at, local_time, times, zone_of_task
from pro_service.web.scope import LARGEST_ID, Scope, actor, row_id, scope_of_study

CALL_LEVELS = frozenset({"E1", "E2"})
READ_FIRST = frozenset({"E3", "ES"})
"""Levels whose tasks are ended on their own page only."""
SPOKE: tuple[Outcome, ...] = ("will_do_it", "call_back_at", "refused_this_time", "wants_no_messages", "withdraws")
IN_VAIN: tuple[Outcome, ...] = ("no_answer", "busy", "wrong_person", "not_in_service")
LEARNT: tuple[Outcome, ...] = ("moved", "hospitalised", "language_barrier", "died")


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the page of one task, its forms, and the form of the first page's lists."""
    _add_page(pages, rt)
    _add_actions(pages, rt)


def _add_page(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/escalations/<int:task_id>")
    @needs("progress")
    def task(task_id: int) -> ResponseReturnValue:
        """Show the task to those who work on it; lead others who got its mail to where they decide or read about it."""
        scope, about, loaded = own_task(rt, task_id)
        if loaded is not None and not may_at("work", loaded.study_id, loaded.site_id):
            return redirect(_address_for_readers(scope, about, loaded), 303)
        if loaded is None and not may("work"):
            raise NoAccessYetError
        return task_page(rt, task_id)

    @pages.post("/escalations/<int:task_id>/call")
    @needs("work")
    def call(task_id: int) -> ResponseReturnValue:
        """Record what came of a call, or lead on to the form if the participant answers on the telephone."""
        scope, task, loaded = own_task(rt, task_id)
        outcome = request.form.get("outcome", "")
        if outcome == "completed_now" and task.participant and task.point:
            code, window, study = task.participant, task.point.code, scope.named
            form = url_for("dashboard.enter", code=code, window=window, mode="telephone", task=task_id, study=study)
            return redirect(form, 303)
        if loaded is None:
            abort(404)
        return _record_call(rt, task, outcome)


def _add_actions(pages: Blueprint, rt: Runtime) -> None:
    def add_action(name: str) -> None:
        @needs("work")
        def view(task_id: int) -> ResponseReturnValue:
            return _act(rt, task_id, name, request.form.get("revision", type=int), on_today=False)

        pages.add_url_rule(f"/escalations/<int:task_id>/{name}", name, view, methods=["POST"])

    for name in ACTIONS:
        add_action(name)

    @pages.post("/today/act")
    @needs("work")
    def act() -> ResponseReturnValue:
        """Do something about the task that was chosen in the lists of the first page."""
        chosen, _, revision = request.form.get("task", "").partition(".")
        name = request.form.get("do", "")
        try:
            task_id = row_id(chosen)
        except ValueError:
            return redirect(url_for("dashboard.today", done="none"), 303)
        if name not in ACTIONS:
            abort(400)
        return _act(rt, task_id, name, int(revision) if revision.isdecimal() else None, on_today=True)


def own_task(rt: Runtime, task_id: int) -> tuple[Scope, Task, Loaded | None]:
    """Return a task of the reader's, with the scope of its study, whichever is chosen now, and its participant.

    404 if the task is not theirs.
    """
    if task_id > LARGEST_ID:
        abort(404)
    with rt.sessions.reading() as session:
        whose = tasks.whose(session, task_id)
        if whose is None:
            abort(404)
        scope = scope_of_study(rt, whose.study_id)
        task = today.task(session, rt.loader, scope.study_id, task_id, scope.sites)
        if task is None:
            abort(404)
        loaded = None
        if whose.participant_id is not None:
            loaded = rt.loader.one(session, whose.participant_id, lock=False)
        return scope, task, loaded


def is_about(rt: Runtime, task_id: int, scope: Scope, code: str) -> bool:
    """Return whether this task, which has to be the reader's (else 404), is about this participant."""
    of_task, task, _ = own_task(rt, task_id)
    return of_task.study_id == scope.study_id and task.participant == code


def task_page(
    rt: Runtime, task_id: int, *, number: str | None = None, refused: str | None = None, stale: bool = False
) -> str:
    """Return the page of a task as it stands; what was typed is kept if it was `refused` or the form was `stale`."""
    now = rt.clock()
    scope, task, loaded = own_task(rt, task_id)
    facts = next((e for e in loaded.case.escalations if e.id == task_id), None) if loaded else None
    window = loaded.case.window(facts.window_id) if loaded and facts and facts.window_id is not None else None
    made = []
    changes = []
    if loaded is not None:
        with rt.sessions.reading() as session:
            made = participant.call_rows(session, loaded.case.participant.id, window.id if window else None)
            changes = participant.changes(session, loaded.case.participant.id, form_made_at()) if stale else []
    state = None
    if loaded and window:
        state = status(window, loaded.case.participant, loaded.case.protocol.primary(window.point), now)
    return render_template(
        "dashboard/task.html",
        scope=scope,
        task=task,
        facts=facts,
        window=window,
        state=state,
        calls=made,
        case=loaded.case if loaded else None,
        person=loaded.case.participant if loaded else None,
        zone=zone_of_task(task),
        number=number,
        refused=refused,
        stale=stale,
        changes=changes,
        is_call=task.level in CALL_LEVELS and window is not None and now < window.span.closes_at,
        groups=(("spoke", SPOKE), ("in_vain", IN_VAIN), ("learnt", LEARNT)),
        missing=calls.MISSING_REASONS,
        items=[loaded.case.protocol.items[i] for i in window.missing()] if loaded and window else [],
        done=request.args.get("done"),
        **(_not_now(rt, loaded, window, now) if loaded else {}),
        typed=request.form,
        **times(now),
    )


def _not_now(rt: Runtime, loaded: Loaded, window: WindowFacts | None, now: datetime) -> dict[str, object]:
    """Return when to try again, to when the task can be put off, and to whom it can be handed over."""
    case = loaded.case
    return {
        "again": retries.next_attempt(case, window, now),
        "most": case.protocol.failed_calls,
        "part": lambda moment: retries.part_of_day(case, moment),
        "put_off_to": retries.choices(case, window, now),
        "colleagues": hand_over.who_may_take(rt, actor(), loaded.study_id, [loaded.site_id]),
        "to_be_called": window is not None and savable(case, window, now),
    }


def _address_for_readers(scope: Scope, task: Task, loaded: Loaded) -> str:
    """Return where somebody reads of a task who does not work on it; those who decide do so where they decide."""
    open_now = any(one.id == task.id and one.open for one in loaded.case.escalations)
    if task.level == DECIDED and open_now and may_at("decide", loaded.study_id, loaded.site_id):
        return url_for("dashboard.decisions", task=task.id, study=scope.named, _anchor=f"task-{task.id}")
    return url_for("dashboard.participant", code=task.participant, study=scope.named)


def _record_call(rt: Runtime, task: Task, outcome: str) -> ResponseReturnValue:
    given = request.form
    back = local_time(given.get("call_back_at", ""), zone_of_task(task))
    result = CallResult(cast("Outcome", outcome), back, given.get("note"))
    try:
        calls.record(rt, actor(), task.id, result, revision=given.get("revision", type=int))
    except WorkRefusedError as refusal:
        return task_page(rt, task.id, refused=refusal.code), 422
    except StaleError:
        return task_page(rt, task.id, stale=True), 409
    return redirect(url_for("dashboard.task", task_id=task.id, done=outcome), 303)


def _act(rt: Runtime, task_id: int, name: str, revision: int | None, *, on_today: bool) -> ResponseReturnValue:
    """Do it and lead back; where it cannot be done, the task's page says why and keeps what was typed."""
    _, task, loaded = own_task(rt, task_id)
    if loaded is None and name != "resolve":
        abort(404)
    if on_today and name == "resolve" and task.level in READ_FIRST:
        return redirect(url_for("dashboard.task", task_id=task_id, _anchor="end"), 303)
    try:
        done = ACTIONS[name](rt, task, revision)
    except WorkRefusedError as refusal:
        return task_page(rt, task_id, refused=refusal.code), 422
    except StaleError:
        return task_page(rt, task_id, stale=True), 409
    if on_today:
        return redirect(url_for("dashboard.today", done=done, task=task_id), 303)
    return redirect(url_for("dashboard.task", task_id=task_id, done=done), 303)


def _acknowledge(rt: Runtime, task: Task, revision: int | None) -> str:
    del revision  # taking up is harmless however old the page is, and says who has it already
    calls.acknowledge(rt, actor(), task.id)
    return "acknowledged"


def _put_off(rt: Runtime, task: Task, revision: int | None) -> str:
    choice = request.form.get("until", "")
    if choice == "now":
        hand_over.put_off(rt, actor(), task.id, None, revision=revision)
        return "again"
    until = choice if choice in LATER else local_time(request.form.get("at", ""), zone_of_task(task))
    if until is None:
        raise WorkRefusedError("needs_time")
    hand_over.put_off(rt, actor(), task.id, until, revision=revision)
    return "later"


def _hand_over(rt: Runtime, task: Task, revision: int | None) -> str:
    try:
        colleague = row_id(request.form.get("to", ""))
    except ValueError:
        raise WorkRefusedError("no_colleague") from None
    hand_over.hand_over(rt, actor(), task.id, colleague, revision=revision)
    return "handed"


def _resolve(rt: Runtime, task: Task, revision: int | None) -> str:
    reason = request.form.get("reason", "")
    if task.level == "E3":
        calls.explain_missing(rt, actor(), task.id, cast("MissingReason", reason), revision=revision)
    else:
        calls.resolve(rt, actor(), task.id, reason=reason, revision=revision)
    return "resolved"


Action = Callable[[Runtime, Task, int | None], str]
"""Do it about a task, as it stood at a revision of the page; return what was done."""

ACTIONS: dict[str, Action] = {
    "acknowledge": _acknowledge,
    "later": _put_off,
    "hand": _hand_over,
    "resolve": _resolve,
}
"""What can be done about a task, by the last part of its form's address."""
