"""Names of an export's columns that may pass although they sound like the allocation, and the form that adds one."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.problems import RejectedError
from pro_service.runtime import Runtime
from pro_service.store.staff import members
from pro_service.use_cases.enrolment import columns
from pro_service.web import problems
from pro_service.web.access import needs
from pro_service.web.dashboard.formatting import times
from pro_service.web.scope import Scope, actor, in_study, not_found


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the page and its form."""

    @pages.get("/study/columns")
    @needs("columns")
    @in_study(rt, named=True)
    def column_names(scope: Scope) -> ResponseReturnValue:
        return _page(rt, scope, {})

    @pages.post("/study/columns")
    @needs("columns")
    @in_study(rt, named=True, otherwise=not_found)
    def let_column_pass(scope: Scope) -> ResponseReturnValue:
        given = request.form
        try:
            columns.let_pass(rt, actor(), scope.study_id, given.get("column", ""), given.get("reason", ""))
        except RejectedError as rejected:
            faults = {fault.path: ": ".join(problems.words(fault)) for fault in rejected.faults}
            return _page(rt, scope, faults), 422
        return redirect(url_for("dashboard.column_names", study=scope.named, done="passed"), 303)


def _page(rt: Runtime, scope: Scope, faults: dict[str, str]) -> str:
    passed = sorted(columns.passed_columns(rt, scope.study_id).values(), key=lambda one: one.at, reverse=True)
    with rt.sessions.reading() as session:
        users = [int(one.actor.removeprefix("user:")) for one in passed if one.actor.startswith("user:")]
        names = {f"user:{key}": email for key, email in members.emails(session, users).items()}
    return render_template(
        "dashboard/columns.html",
        scope=scope,
        passed=[(one, names.get(one.actor, one.actor)) for one in passed],
        faults=faults,
        typed=request.form,
        done=request.args.get("done"),
        most=columns.LONGEST_REASON,
        **times(rt.clock()),
    )
