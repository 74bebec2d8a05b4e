"""The team of a study, and the roles in it that wait for an investigator: approved or refused, with a reason."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.problems import Fault, RejectedError
from pro_service.runtime import Runtime
from pro_service.store.staff import members as listing
from pro_service.store.staff.members import PAGE
from pro_service.use_cases.staff import approvals
from pro_service.web.access import may, needs, sensitive, signed_in
from pro_service.web.account_words import by_field
from pro_service.web.dashboard_scope import LARGEST_ID, actor, scope_of

LONGEST = 254
DECISIONS = {"approve": True, "refuse": False}


def add(pages: Blueprint, rt: Runtime) -> None:
    """Add the two decisions about a role that waits."""

    @pages.post("/team/roles/<int:role_id>/<any(approve, refuse):decision>")
    @needs("approve")
    @sensitive
    def decide(role_id: int, decision: str) -> ResponseReturnValue:
        approved, reason = DECISIONS[decision], request.form.get("reason", "")
        try:
            done = approvals.decide(rt, actor(), min(role_id, LARGEST_ID), reason, approved=approved)
        except KeyError:
            abort(404)
        except RejectedError as rejected:
            return team(rt, about=role_id, faults=rejected.faults), 422
        return redirect(url_for("administration.team", done=decision if done else "unchanged"), 303)


def team(rt: Runtime, *, about: int | None = None, faults: tuple[Fault, ...] = ()) -> str:
    """The page; `about`: the role whose form was sent and did not fit, with what was typed."""
    scope, after = scope_of(rt, capability="team"), request.args.get("after", "")[:LONGEST]
    if scope.study_id is None:
        return render_template("dashboard/no_study.html", scope=scope)
    with rt.sessions.reading() as session:
        found = listing.page(session, after=after, study_id=scope.study_id)
    waiting = approvals.waiting(rt, signed_in().user_id, scope.study_id)
    return render_template(
        "administration/team.html", scope=scope, members=found, full=len(found) == PAGE, waiting=waiting,
        about=about, faults=by_field(faults), typed=request.form, done=request.args.get("done"),
        may_approve=may("approve"), own=signed_in().user_id,
    )  # fmt: skip
