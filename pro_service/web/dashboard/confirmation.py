"""The page on which an investigator confirms the newest version of the study, and the banner on every page."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.problems import RejectedError
from pro_service.core.study_file.confirmation import LONGEST_REASON
from pro_service.core.study_file.differences import Difference
from pro_service.runtime import Runtime
from pro_service.use_cases import confirmation
from pro_service.use_cases.confirmation import Unconfirmed
from pro_service.web.access import may, needs, sensitive, signed_in
from pro_service.web.dashboard.formatting import times
from pro_service.web.i18n import gettext as _
from pro_service.web.problems import words
from pro_service.web.scope import NoStudy, Scope, actor, in_study, not_found


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the page, its form, and `unconfirmed(scope)` for the frame of every page."""
    pages.app_template_global("unconfirmed")(lambda scope: unconfirmed(rt, scope))

    @pages.get("/study/confirm", endpoint="confirmation")
    @needs("progress")
    @in_study(rt, named=True)
    def shown(scope: Scope) -> ResponseReturnValue:
        return _page(rt, scope)

    @pages.post("/study/confirm", endpoint="confirm_version")
    @needs("confirm")
    @sensitive
    @in_study(rt, named=True, otherwise=not_found)
    def confirm(scope: Scope) -> ResponseReturnValue:
        sha256, reason = request.form.get("sha256", ""), request.form.get("reason", "")
        try:
            confirmation.confirm(rt, actor(), scope.study_id, signed_in().user_id, reason, sha256)
        except RejectedError as rejected:
            return _page(rt, scope, {fault.path: words(fault) for fault in rejected.faults}), 422
        return redirect(url_for("dashboard.confirmation", done="confirmed", study=scope.named), 303)


def unconfirmed(rt: Runtime, scope: Scope | NoStudy) -> Unconfirmed | None:
    """Return what the banner says about the study's confirmation; asked once a request."""
    if isinstance(scope, NoStudy):
        return None
    if "unconfirmed" not in g:
        g.unconfirmed = confirmation.unconfirmed(rt, scope.study_id)
    found: Unconfirmed | None = g.unconfirmed
    return found


def waiting(rt: Runtime, scope: Scope | NoStudy) -> int:
    """Return how many versions wait for this reader to confirm them: one, or none."""
    if not may("confirm"):
        return 0
    found = unconfirmed(rt, scope)
    return int(found is not None and found.notice != "older_waits")


def _page(rt: Runtime, scope: Scope, faults: Mapping[str, tuple[str, str]] | None = None) -> str:
    review = confirmation.review(rt, scope.study_id)
    return render_template(
        "dashboard/study_confirm.html",
        scope=scope,
        review=review,
        by_area=_by_area(review.differences),
        areas=_areas(),
        may_confirm=may("confirm") and confirmation.is_investigator(rt, signed_in().user_id, scope.study_id),
        leaves=rt.texts_leave,
        faults=faults or {},
        typed=request.form.get("reason", ""),
        longest=LONGEST_REASON,
        done=request.args.get("done"),
        **times(rt.clock()),
    )


def _by_area(found: Sequence[Difference]) -> list[tuple[str, list[Difference]]]:
    return [(area, list(ones)) for area, ones in groupby(found, lambda one: one.area)]


def _areas() -> dict[str, str]:
    """Return what the parts of a version are called."""
    return {
        "study": _("Study"),
        "hours": _("Hours and limits"),
        "items": _("What is asked"),
        "windows": _("Windows"),
        "ladder": _("Escalation ladder"),
        "sites": _("Sites"),
        "safety_words": _("Safety words"),
        "texts": _("Texts"),
    }
