"""Revealed treatments: the form that notes one, and the log for those who lead the study."""

from collections.abc import Iterator

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core import iso8601
from pro_service.core.problems import RejectedError
from pro_service.runtime import Runtime
from pro_service.store.participants import cases
from pro_service.store.participants import revelations as log
from pro_service.store.participants.cases import Loaded
from pro_service.store.participants.revelations import TOLD
from pro_service.use_cases.participants import revelations
from pro_service.use_cases.participants.revelations import Noted
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.web.access import needs, signed_in
from pro_service.web.csv_export import Cell, sheet
from pro_service.web.i18n import gettext as _
from pro_service.web.scope import Scope, actor, row_id, scope_here

SHEET_PAGE = 500


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the form and the log."""
    pages.app_template_global("revealed_where")(sources)
    _add_form(pages, rt)
    _add_log(pages, rt)


def sources() -> dict[str, str]:
    """Where a treatment was revealed."""
    return {
        "text": _("in a text"),
        "call": _("on the telephone"),
        "visit": _("at a visit"),
        "other": _("in another way"),
    }


def _add_form(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/participants/<code>/revealed")
    @needs("work")
    def reveal(code: str) -> ResponseReturnValue:
        return _form(rt, code)

    @pages.post("/participants/<code>/revealed")
    @needs("work")
    def revealed(code: str) -> ResponseReturnValue:
        scope, given = scope_here(rt), request.form
        if scope.study_id is None:
            abort(404)
        noted = Noted(scope.study_id, code, scope.sites, given.get("source", ""), given.get("revision", type=int))
        try:
            revelations.note(rt, actor(), noted)
        except KeyError:
            abort(404)
        except RejectedError:
            return _form(rt, code, unchosen=True), 422
        except StaleError:
            return _form(rt, code, stale=True), 409
        return redirect(url_for("dashboard.reveal", code=code, study=scope.named, done="noted"), 303)


def _form(rt: Runtime, code: str, *, unchosen: bool = False, stale: bool = False) -> str:
    scope = scope_here(rt)
    loaded = _seen(rt, scope, code)
    # Whoever assesses as well may note it; what others noted is not theirs to read.
    blind = any(grant.role == "assessor" and grant.study_id in (None, scope.study_id) for grant in signed_in().roles)
    with rt.sessions.reading() as session:
        before = () if blind else log.of_participant(session, loaded.case.participant.id)
    return render_template(
        "dashboard/reveal.html", scope=scope, person=loaded.case.participant, zone=loaded.case.site_zone, told=TOLD,
        before=before, unchosen=unchosen, stale=stale, done=request.args.get("done"), typed=request.form,
    )  # fmt: skip


def _seen(rt: Runtime, scope: Scope, code: str) -> Loaded:
    found = None
    if scope.study_id is not None:
        with rt.sessions.reading() as session:
            found = cases.load_by_code(session, rt.loader, scope.study_id, code, scope.sites)
    if found is None:
        abort(404)
    return found


def _add_log(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/revealed")
    @needs("revelations")
    def revelations_log() -> ResponseReturnValue:
        scope, before = scope_here(rt), request.args.get("before", type=row_id)
        if scope.study_id is None:
            return render_template("dashboard/no_study.html", scope=scope)
        with rt.sessions.reading() as session:
            lines, after = log.list_revelations(session, scope.study_id, scope.chosen_sites, before=before)
        return render_template(
            "dashboard/revealed.html", scope=scope, lines=lines, after=after, first=before is None
        )  # fmt: skip

    @pages.get("/revealed.csv")
    @needs("revelations")
    def revelations_sheet() -> Response:
        scope = scope_here(rt)
        if scope.study_id is None:
            abort(404)
        head = ["noted_at", "participant", "site", "source", "noted_by"]
        return sheet(f"{scope.study}-revealed", head, _everything(rt, scope, scope.study_id))


def _everything(rt: Runtime, scope: Scope, study_id: int) -> Iterator[list[Cell]]:
    """Every line, page after page; each page in a look of its own."""
    before, more = None, True
    while more:
        with rt.sessions.reading() as session:
            lines, before = log.list_revelations(session, study_id, scope.chosen_sites, before=before, size=SHEET_PAGE)
        for line in lines:
            yield [iso8601.instant_text(line.at), line.participant, line.site, line.source, line.who]
        more = before is not None
