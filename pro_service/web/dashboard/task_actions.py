"""What is done about a task without telephoning: taken up, put off, handed over, ended; on its page, on the first."""

from collections.abc import Callable
from typing import cast

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.schedule.retries import LATER
from pro_service.reports.today import Task
from pro_service.runtime import Runtime
from pro_service.use_cases.tasks import calls, hand_over
from pro_service.use_cases.tasks.calls import MissingReason, StaleError, WorkRefusedError
from pro_service.web.access import needs
from pro_service.web.dashboard.formatting import local_time, zone_of_task
from pro_service.web.dashboard.task import page, theirs
from pro_service.web.scope import actor, row_id

Act = Callable[[Runtime, Task, int | None], str]
"""(runtime, task, revision of the page it was chosen on) -> what was done."""


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the forms of a task's page, and the one of the first page, which names the task that was chosen."""
    for name in _ACTS:
        _add(pages, rt, name)

    @pages.post("/today/act")
    @needs("work")
    def act() -> ResponseReturnValue:
        """Do something about the task that was chosen in the lists."""
        chosen, _, revision = request.form.get("task", "").partition(".")
        wanted = request.form.get("do", "")
        try:
            task_id = row_id(chosen)
        except ValueError:
            return redirect(url_for("dashboard.today", done="none"), 303)
        if wanted not in _ACTS:
            abort(400)
        seen = int(revision) if revision.isdecimal() else None
        return _done(rt, task_id, wanted, seen, on_today=True)


def _add(pages: Blueprint, rt: Runtime, name: str) -> None:
    @needs("work")
    def view(task_id: int) -> ResponseReturnValue:
        return _done(rt, task_id, name, request.form.get("revision", type=int), on_today=False)

    pages.add_url_rule(f"/escalations/<int:task_id>/{name}", name, view, methods=["POST"])


def _done(rt: Runtime, task_id: int, name: str, revision: int | None, *, on_today: bool) -> ResponseReturnValue:
    """Do it and lead back; where it cannot be done, the task's page says why and keeps what was typed."""
    _, task, loaded = theirs(rt, task_id)
    if loaded is None and name != "resolve":
        abort(404)
    if on_today and name == "resolve" and task.level in ("E3", "ES"):
        # These want to be read first.
        return redirect(url_for("dashboard.task", task_id=task_id, _anchor="end"), 303)
    try:
        done = _ACTS[name](rt, task, revision)
    except WorkRefusedError as refusal:
        return page(rt, task_id, refused=refusal.code), 422
    except StaleError:
        return page(rt, task_id, stale=True), 409
    if on_today:
        return redirect(url_for("dashboard.today", done=done, task=task_id), 303)
    return redirect(url_for("dashboard.task", task_id=task_id, done=done), 303)


def _acknowledge(rt: Runtime, task: Task, revision: int | None) -> str:
    del revision  # taking up is harmless however old the page is, and says who has it already
    calls.acknowledge(rt, actor(), task.id)
    return "acknowledged"


def _later(rt: Runtime, task: Task, revision: int | None) -> str:
    asked = request.form.get("until", "")
    if asked == "now":
        hand_over.put_off(rt, actor(), task.id, None, revision=revision)
        return "again"
    until = local_time(request.form.get("at", ""), zone_of_task(task))
    wanted = asked if asked in LATER else until
    if wanted is None:
        raise WorkRefusedError("needs_time")
    hand_over.put_off(rt, actor(), task.id, wanted, revision=revision)
    return "later"


def _hand(rt: Runtime, task: Task, revision: int | None) -> str:
    try:
        to = row_id(request.form.get("to", ""))
    except ValueError:
        raise WorkRefusedError("no_colleague") from None
    hand_over.hand_over(rt, actor(), task.id, to, revision=revision)
    return "handed"


def _resolve(rt: Runtime, task: Task, revision: int | None) -> str:
    reason = request.form.get("reason", "")
    if task.level == "E3":
        calls.explain_missing(rt, actor(), task.id, cast("MissingReason", reason), revision=revision)
    else:
        calls.resolve(rt, actor(), task.id, reason=reason, revision=revision)
    return "resolved"


_ACTS: dict[str, Act] = {"acknowledge": _acknowledge, "later": _later, "hand": _hand, "resolve": _resolve}
