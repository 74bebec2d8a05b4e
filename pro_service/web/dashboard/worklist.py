"""The tasks that the ladder gives to a role of the reader's: take one up, or end it and say how."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.conversation.inbox import READING
from pro_service.core.problems import RejectedError
from pro_service.reports import participant, today
from pro_service.reports.participant import Change
from pro_service.reports.statements import WORKLIST
from pro_service.reports.today import Task
from pro_service.runtime import Runtime
from pro_service.store.participants.cases import Loaded
from pro_service.use_cases.tasks import calls, decisions
from pro_service.use_cases.tasks.calls import MissingReason, StaleError, WorkRefusedError
from pro_service.use_cases.tasks.decisions import LONGEST_REASON
from pro_service.web.access import may_at, needs
from pro_service.web.dashboard import erasure, several
from pro_service.web.dashboard.formatting import form_made_at, times, zone_of_task
from pro_service.web.dashboard.several import Outcome
from pro_service.web.dashboard.task import is_of_readers_role, own_task, refusals, shares_of_reader
from pro_service.web.i18n import gettext as _
from pro_service.web.problems import by_field
from pro_service.web.scope import NoStudy, Scope, actor, in_study, not_found, row_id


@dataclass(frozen=True, slots=True)
class RejectedForm:
    """A form that was sent and wrote nothing: of which task, and why."""

    task_id: int
    participant: str | None
    zone: ZoneInfo
    faults: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    """Why it cannot be done with this task."""
    stale: bool = False
    changes: tuple[Change, ...] = ()


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the list and its forms."""

    @pages.get("/tasks", endpoint="worklist")
    @needs("tasks")
    @in_study(rt, named=True)
    def waiting(scope: Scope) -> ResponseReturnValue:
        try:
            wanted = row_id(request.args.get("task", ""))
        except ValueError:
            wanted = None
        return _worklist_page(rt, scope, wanted)

    @pages.post("/tasks/<int:task_id>/take-up")
    @needs("tasks")
    def take_up(task_id: int) -> ResponseReturnValue:
        return _act(rt, task_id, "taken")

    @pages.post("/tasks/<int:task_id>/end")
    @needs("tasks")
    def end(task_id: int) -> ResponseReturnValue:
        return _act(rt, task_id, "ended")

    @pages.post("/tasks/act", endpoint="act_on_tasks")
    @needs("tasks")
    @in_study(rt, named=True, otherwise=not_found)
    def act(scope: Scope) -> ResponseReturnValue:
        """Do one thing with the tasks that were chosen; the page lists those that refused, and why."""
        every = several.chosen(rt)
        if not all(is_of_readers_role(one.scope, one.task, one.loaded) for one in every):
            abort(404)
        outcome = several.do_each(rt, every, request.form.get("do", ""), several.ROLES)
        if outcome.undone:
            return _worklist_page(rt, scope, None, outcome=outcome), 409
        n = len(outcome.done) or None
        return redirect(url_for("dashboard.worklist", done=outcome.what, n=n, study=scope.named), 303)


def count(rt: Runtime, scope: Scope | NoStudy) -> int:
    """Return how many tasks and erasures wait for this reader; of each level at most TASKS_CAP."""
    if isinstance(scope, NoStudy):
        return 0
    with rt.sessions.glance() as connection:
        tasks = len(today.open_tasks(connection, scope.study_id, shares_of_reader(scope)))
    return tasks + len(erasure.waiting(rt, scope))


def _act(rt: Runtime, task_id: int, what: str) -> ResponseReturnValue:
    """Take a task up or end it, and lead back; where nothing is written the page says why and keeps what was typed."""
    scope, task, loaded = own_task(rt, task_id)
    if loaded is None or not is_of_readers_role(scope, task, loaded):
        abort(404)
    sent = RejectedForm(task_id, task.participant, zone_of_task(task, scope))
    try:
        if what == "taken":
            calls.acknowledge(rt, actor(), task_id)
        else:
            _end(rt, task)
    except RejectedError as rejected:
        sent = replace(sent, faults=by_field(rejected.faults))
        return _worklist_page(rt, scope, task_id, sent), 422
    except WorkRefusedError as refusal:
        return _worklist_page(rt, scope, task_id, replace(sent, refused=refusals()[refusal.code])), 409
    except StaleError:
        return _worklist_page(rt, scope, task_id, replace(sent, stale=True, changes=_changes(rt, loaded))), 409
    anchor = f"task-{task_id}" if what == "taken" else None
    return redirect(url_for("dashboard.worklist", done=what, task=task_id, study=scope.named, _anchor=anchor), 303)


def _by_participant(tasks: Iterable[Task]) -> list[list[Task]]:
    """Return tasks with those of one participant together, in the place of the first."""
    groups: dict[str | int, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.participant or task.id, []).append(task)
    return list(groups.values())


def _done(outcome: Outcome | None) -> dict[str, object]:
    """Return the page's words for what was done, and for how many tasks."""
    if outcome is None:
        what, n = request.args.get("done", ""), request.args.get("n", 1, type=int)
    else:
        what, n = outcome.what if outcome.done else "", len(outcome.done)
    known = {
        **several.done_words(n),
        "ended": _("Recorded; the task has ended."),
        "taken": _("You have taken it up."),
    }
    return {"done": known.get(what), "nothing_chosen": what == "none", "of_how_many": several.count_words(n)}


def _end(rt: Runtime, task: Task) -> None:
    given, revision = request.form, request.form.get("revision", type=int)
    if _asks_why_missing(task):
        reason = cast("MissingReason", given.get("reason", ""))
        calls.explain_missing(rt, actor(), task.id, reason, revision=revision)
    else:
        decisions.decide(rt, actor(), task.id, given.get("reason", ""), revision=revision)


def _asks_why_missing(task: Task) -> bool:
    return task.is_missed_window and task.point is not None


def _changes(rt: Runtime, loaded: Loaded) -> tuple[Change, ...]:
    """Return what changed since the form was made; without reasons as typed, where the reader may not see those."""
    with rt.sessions.reading() as session:
        found = participant.changes(session, rt.vault, loaded.case.participant.id, form_made_at())
    if may_at("free_text", loaded.study_id, loaded.site_id):
        return tuple(found)
    return tuple(replace(change, reason=None) for change in found)


def _worklist_page(
    rt: Runtime,
    scope: Scope,
    wanted: int | None,
    sent: RejectedForm | None = None,
    outcome: Outcome | None = None,
) -> str:
    now, shares = rt.clock(), shares_of_reader(scope)
    if scope.site is not None:
        chosen = frozenset(scope.chosen_sites or ())
        shares = [(levels, chosen if sites is None else chosen.intersection(sites)) for levels, sites in shares]
    with rt.sessions.reading() as session:
        found = today.worklist(session, rt.loader, scope.study_id, shares, wanted=wanted)
    return render_template(
        "dashboard/worklist.html",
        scope=scope,
        found=found,
        sent=sent,
        typed=request.form.get("reason", ""),
        longest=LONGEST_REASON,
        most=WORKLIST,
        missing=calls.MISSING_REASONS,
        reading=READING,
        asks_why_missing=_asks_why_missing,
        groups=_by_participant(found.tasks),
        choices=several.for_roles(),
        undone=[] if outcome is None else outcome.undone,
        **_done(outcome),
        zone_of_task=zone_of_task,
        **times(now),
    )
