"""What waits for the investigator: the tasks of their rung, and a form beside each that says what was decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.problems import RejectedError
from pro_service.reports import participant, today
from pro_service.reports.participant import Change
from pro_service.reports.statements import DECIDED, DECISIONS
from pro_service.runtime import Runtime
from pro_service.store.participants.cases import Loaded
from pro_service.use_cases.tasks import decisions
from pro_service.use_cases.tasks.calls import StaleError, WorkRefusedError
from pro_service.use_cases.tasks.decisions import LONGEST_REASON
from pro_service.web.access import may_at, needs
from pro_service.web.account.words import by_field
from pro_service.web.dashboard.formatting import form_made_at, times, zone_of_task
from pro_service.web.dashboard.task import own_task
from pro_service.web.i18n import gettext as _
from pro_service.web.scope import Scope, actor, in_study, row_id


@dataclass(frozen=True, slots=True)
class RejectedForm:
    """A form that was sent and wrote nothing: of which task, and why."""

    task_id: int
    participant: str | None
    faults: Mapping[str, str] = field(default_factory=dict)
    ended: bool = False
    stale: bool = False
    changes: tuple[Change, ...] = ()


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the list and its form."""

    @pages.get("/decisions", endpoint="decisions")
    @needs("decide")
    @in_study(rt, named=True)
    def waiting(scope: Scope) -> ResponseReturnValue:
        try:
            wanted = row_id(request.args.get("task", ""))
        except ValueError:
            wanted = None
        return _decisions_page(rt, scope, wanted)

    @pages.post("/decisions/<int:task_id>")
    @needs("decide")
    def decide(task_id: int) -> ResponseReturnValue:
        return _decide(rt, task_id)


def _decide(rt: Runtime, task_id: int) -> ResponseReturnValue:
    """Keep a decision and lead back; where nothing is written the page says why and keeps what was typed."""
    scope, task, loaded = own_task(rt, task_id)
    if loaded is None or task.level != DECIDED:
        abort(404)
    given, sent = request.form, RejectedForm(task_id, task.participant)
    try:
        decisions.decide(rt, actor(), task_id, given.get("reason", ""), revision=given.get("revision", type=int))
    except RejectedError as rejected:
        return _decisions_page(
            rt, scope, task_id, replace(sent, faults={**by_field(rejected.faults), **_missing_reason(rejected)})
        ), 422
    except WorkRefusedError:
        return _decisions_page(rt, scope, task_id, replace(sent, ended=True)), 409
    except StaleError:
        return _decisions_page(rt, scope, task_id, replace(sent, stale=True, changes=_changes(rt, loaded))), 409
    return redirect(url_for("dashboard.decisions", done=decisions.OUTCOME, study=scope.named), 303)


def _missing_reason(rejected: RejectedError) -> dict[str, str]:
    missing = any(fault.fault == "is missing" for fault in rejected.faults)
    return {"reason": _("Say in a few words what was decided.")} if missing else {}


def _changes(rt: Runtime, loaded: Loaded) -> tuple[Change, ...]:
    """Return what changed since the form was made; without reasons as typed, where the reader may not see those."""
    with rt.sessions.reading() as session:
        found = participant.changes(session, loaded.case.participant.id, form_made_at())
    if may_at("free_text", loaded.study_id, loaded.site_id):
        return tuple(found)
    return tuple(replace(change, reason=None) for change in found)


def _decisions_page(rt: Runtime, scope: Scope, wanted: int | None, sent: RejectedForm | None = None) -> str:
    now = rt.clock()
    with rt.sessions.reading() as session:
        found = today.decisions(session, rt.loader, scope.study_id, scope.chosen_sites, wanted=wanted)
    return render_template(
        "dashboard/decisions.html",
        scope=scope,
        found=found,
        sent=sent,
        typed=request.form.get("reason", ""),
        longest=LONGEST_REASON,
        most=DECISIONS,
        done=request.args.get("done"),
        zone_of_task=zone_of_task,
        **times(now),
    )
