"""Revealed treatments: the form that notes one, and the log for those who lead the study."""

from collections.abc import Iterator

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core import iso8601
from pro_service.core.problems import RejectedError
from pro_service.runtime import Runtime
from pro_service.store.participants import cases, revelations
from pro_service.store.participants.cases import Loaded
from pro_service.store.participants.revelations import TOLD
from pro_service.use_cases.participants.revelations import Noted, note
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.web.access import assesses, needs
from pro_service.web.csv_export import Cell, sheet
from pro_service.web.i18n import gettext as _
from pro_service.web.i18n import page_stands_in
from pro_service.web.scope import Scope, actor, in_study, leaves_row, not_found, row_id

SHEET_PAGE = 500


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the form and the revelations."""
    pages.app_template_global("revealed_where")(sources)
    _add_form(pages, rt)
    _add_log(pages, rt)


def sources() -> dict[str, str]:
    """Return where a treatment was revealed."""
    return {
        "text": _("in a message"),
        "call": _("on the telephone"),
        "visit": _("at a visit"),
        "other": _("in another way"),
    }


def _add_form(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/participants/<code>/revealed")
    @needs("work")
    @in_study(rt, named=True, otherwise=not_found)
    def reveal(scope: Scope, code: str) -> ResponseReturnValue:
        return _form(rt, scope, code)

    @pages.post("/participants/<code>/revealed")
    @needs("work")
    @in_study(rt, named=True, otherwise=not_found)
    def revealed(scope: Scope, code: str) -> ResponseReturnValue:
        given = request.form
        noted = Noted(scope.study_id, code, scope.sites, given.get("source", ""), given.get("revision", type=int))
        try:
            note(rt, actor(), noted)
        except KeyError:
            abort(404)
        except RejectedError:
            return _form(rt, scope, code, unchosen=True), 422
        except StaleError:
            return _form(rt, scope, code, stale=True), 409
        return redirect(url_for("dashboard.reveal", code=code, study=scope.named, done="noted"), 303)


def _form(rt: Runtime, scope: Scope, code: str, *, unchosen: bool = False, stale: bool = False) -> str:
    loaded = _participant(rt, scope, code)
    # Assessors may note it too, but may not read what others noted.
    with rt.sessions.reading() as session:
        before = () if assesses(scope.study_id) else revelations.of_participant(session, loaded.case.participant.id)
    return render_template(
        "dashboard/reveal.html",
        scope=scope,
        person=loaded.case.participant,
        zone=page_stands_in(loaded.case.site_zone),
        told=TOLD,
        before=before,
        unchosen=unchosen,
        stale=stale,
        done=request.args.get("done"),
        typed=request.form,
    )


def _participant(rt: Runtime, scope: Scope, code: str) -> Loaded:
    with rt.sessions.reading() as session:
        found = cases.load_by_code(session, rt.loader, scope.study_id, code, scope.sites)
    if found is None:
        abort(404)
    return found


def _add_log(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/revealed")
    @needs("revelations")
    @in_study(rt, named=True)
    def revelations_log(scope: Scope) -> ResponseReturnValue:
        before = request.args.get("before", type=row_id)
        with rt.sessions.reading() as session:
            lines, after = revelations.list_revelations(session, scope.study_id, scope.chosen_sites, before=before)
        return render_template("dashboard/revealed.html", scope=scope, lines=lines, after=after, first=before is None)

    @pages.get("/revealed.csv")
    @needs("revelations")
    @in_study(rt, named=True, otherwise=not_found)
    @leaves_row(rt, "revealed.csv")
    def revelations_sheet(scope: Scope) -> ResponseReturnValue:
        head = ["noted_at", "participant", "site", "source", "noted_by"]
        return sheet(rt, f"{scope.study}-revealed", head, _every_line(rt, scope))


def _every_line(rt: Runtime, scope: Scope) -> Iterator[list[Cell]]:
    """Return every line, page after page; each page in a look of its own."""
    before, more = None, True
    while more:
        with rt.sessions.reading() as session:
            lines, before = revelations.list_revelations(
                session, scope.study_id, scope.chosen_sites, before=before, size=SHEET_PAGE
            )
        for line in lines:
            yield [iso8601.instant_text(line.at), line.participant, line.site, line.source, line.who]
        more = before is not None
