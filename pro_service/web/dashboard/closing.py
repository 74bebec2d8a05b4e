"""The end of a study: whether it is closed and its data locked, what is still open, and an investigator's forms."""

from collections.abc import Mapping
from datetime import date

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.problems import RejectedError, problem
from pro_service.core.study_file.confirmation import LONGEST_REASON
from pro_service.runtime import Runtime
from pro_service.use_cases import closing, confirmation, contact_erasure
from pro_service.web.access import may, needs, sensitive, signed_in
from pro_service.web.dashboard.formatting import times
from pro_service.web.i18n import day
from pro_service.web.problems import words
from pro_service.web.scope import Scope, actor, in_study, not_found

ACTS = ("close", "lock", "unlock", "erase")
MOST_SHOWN = 100
"""Tasks; a study that is closed in good order has none."""


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the page and its form."""

    @pages.get("/study/closing", endpoint="closing")
    @needs("progress")
    @in_study(rt, named=True)
    def shown(scope: Scope) -> ResponseReturnValue:
        return _page(rt, scope, {})

    @pages.post("/study/closing", endpoint="close_study")
    @needs("confirm")
    @sensitive
    @in_study(rt, named=True, otherwise=not_found)
    def end(scope: Scope) -> ResponseReturnValue:
        what = request.form.get("what", "")
        if what not in ACTS:
            abort(404)
        try:
            _carry_out(rt, scope.study_id, what, request.form.get("reason", ""))
        except RejectedError as rejected:
            return _page(rt, scope, {_place(fault.path): words(fault) for fault in rejected.faults}), 422
        return redirect(url_for("dashboard.closing", done=what, study=scope.named), 303)


def _carry_out(rt: Runtime, study_id: int, what: str, reason: str) -> None:
    user_id = signed_in().user_id
    if not confirmation.is_investigator(rt, user_id, study_id):
        raise RejectedError((problem("not_their_study", ""),))
    match what:
        case "lock":
            closing.lock(rt, actor(), study_id, reason)
        case "unlock":
            closing.unlock(rt, actor(), study_id, user_id, reason)
        case "erase":
            contact_erasure.plan(rt, actor(), study_id, _day(request.form.get("after", "")), reason)
        case _:  # "close"
            closing.close(rt, actor(), study_id, reason, lock_data=request.form.get("lock") == "yes")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RejectedError((problem("day_unreadable", "after"),)) from None


def _place(path: str) -> str:
    return "reason" if path == "--reason" else path if path == "after" else ""


def _page(rt: Runtime, scope: Scope, faults: Mapping[str, tuple[str, str]]) -> str:
    found = closing.look(rt, scope.study_id)
    may_close = may("confirm") and confirmation.is_investigator(rt, signed_in().user_id, scope.study_id)
    return render_template(
        "dashboard/closing.html",
        scope=scope,
        standing=found.standing,
        erase_after=None if found.standing.erase_after is None else day(found.standing.erase_after),
        rest=found.rest,
        # Of all sites: only for those who may see all of them.
        tasks=found.rest.tasks[:MOST_SHOWN] if may_close else (),
        may_close=may_close,
        faults=faults,
        typed=request.form,
        longest=LONGEST_REASON,
        done=request.args.get("done"),
        **times(rt.clock()),
    )
