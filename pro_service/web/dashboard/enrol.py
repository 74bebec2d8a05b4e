"""Enrol one participant: fill in, see every consequence, and only then enrol; then what comes next."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.problems import Problem, RejectedError
from pro_service.core.replies.folding import visible
from pro_service.core.routes import Carriers, usual_channel
from pro_service.core.schedule.asking import rungs
from pro_service.reports import participant
from pro_service.runtime import Runtime
from pro_service.use_cases.enrolment import enrol, preview
from pro_service.use_cases.enrolment.preview import Preview
from pro_service.web import problems
from pro_service.web.access import needs
from pro_service.web.dashboard import enrol_form
from pro_service.web.dashboard.formatting import times
from pro_service.web.dashboard.what_if import Picture, picture, sites_of
from pro_service.web.i18n import page_stands_in
from pro_service.web.problems import words
from pro_service.web.scope import Scope, actor, in_study, not_found

LOOK, MAKE, AGAIN = "look", "make", "again"
LONGEST = 200
"""Characters of one field; no column of the file needs as many."""

Faults = Mapping[str, list[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class _Page:
    """The form as far as it has come."""

    scope: Scope
    typed: Mapping[str, str] = field(repr=False)
    faults: Faults = field(default_factory=dict)
    preview: Preview | None = None


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the form, and the page after it."""
    _add_form(pages, rt)
    _add_next(pages, rt)


def _add_form(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/enrol", endpoint="enrol_form")
    @needs("work")
    @in_study(rt, named=True)
    def empty_form(scope: Scope) -> ResponseReturnValue:
        return _form(rt, _Page(scope, _initial_values(scope, rt.carriers)))

    @pages.post("/enrol")
    @needs("work")
    @in_study(rt, named=True, otherwise=not_found)
    def enrol_one(scope: Scope) -> ResponseReturnValue:
        typed = _typed_values(scope)
        step = request.form.get("step", LOOK)
        try:
            if step == MAKE:
                return _enrol(rt, scope, typed)
            shown = None if step == AGAIN else _preview(rt, scope, typed)
        except RejectedError as rejected:
            return _form(rt, _Page(scope, typed, _faults_by_field(rejected.faults))), 422
        return _form(rt, _Page(scope, typed, preview=shown))


def _add_next(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/participants/<code>/enrolled")
    @needs("work")
    @in_study(rt, named=True, otherwise=not_found)
    def enrolled(scope: Scope, code: str) -> ResponseReturnValue:
        """Show what comes next: does a text arrive, the card, the page."""
        now = rt.clock()
        with rt.sessions.reading() as session:
            view = participant.participant_view(session, rt.vault, rt.loader, scope.study_id, code, now, scope.sites)
        if view is None:
            abort(404)
        case = view.loaded.case
        return render_template(
            "dashboard/enrolled.html",
            scope=scope,
            view=view,
            case=case,
            person=case.participant,
            zone=page_stands_in(case.site_zone),
            done=request.args.get("done"),
            **times(now),
        )


def _field_names(scope: Scope) -> list[str]:
    """Return the fields of the form: columns of the file."""
    return [one.name for part in enrol_form.fields(scope.protocol, sites_of(scope)).values() for one in part]


def _initial_values(scope: Scope, carriers: Carriers) -> dict[str, str]:
    """Return what stands in an empty form; what the address gives goes along, from the what-if for instance."""
    given = {name: request.args.get(name, "")[:LONGEST] for name in _field_names(scope) if name in request.args}
    if "date" in request.args:
        given.setdefault("procedure_date", request.args["date"][:LONGEST])
    languages = scope.protocol.languages
    # Of several sites none: what stands there already is what is sent in a hurry.
    sites = tuple(sites_of(scope))
    site = given.get("site") or (sites[0] if len(sites) == 1 else "")
    known = [scope.protocol.sites[code] for code in ((site,) if site in sites else sites)]
    usual = {usual_channel(carriers.to(one.country, one.provider), one.country, scope.protocol.routes) for one in known}
    return {
        "site": site,
        "language": languages[0] if languages else "",
        "channel": usual.pop() if len(usual) == 1 else "",
    } | given


def _typed_values(scope: Scope) -> dict[str, str]:
    return {name: visible(request.form.get(name, ""))[:LONGEST] for name in _field_names(scope)}


def allowed_sites(scope: Scope) -> tuple[str, ...] | None:
    """Return codes of the sites at which the reader may enrol; None = all of the study."""
    return None if scope.sites is None else tuple(sites_of(scope))


def _preview(rt: Runtime, scope: Scope, typed: Mapping[str, str]) -> Preview:
    return preview.preview(rt, actor(), scope.study_id, enrol_form.cells(typed), sites=allowed_sites(scope))


def _enrol(rt: Runtime, scope: Scope, typed: Mapping[str, str]) -> ResponseReturnValue:
    """Enrol the participant. The code makes it happen once: the same a second time changes nothing and says so."""
    done = enrol.enrol_one(rt, actor(), scope.study_id, enrol_form.cells(typed), sites=allowed_sites(scope))
    outcome = "enrolled" if done.enrolled else "unchanged"
    return redirect(url_for("dashboard.enrolled", code=typed["participant"], study=scope.named, done=outcome), 303)


def _faults_by_field(faults: tuple[Problem, ...]) -> dict[str, list[tuple[str, str]]]:
    """Return what is wrong with each field and what to do, in the reader's words."""
    found: dict[str, list[tuple[str, str]]] = {}
    for fault in faults:
        found.setdefault(fault.path, []).append(words(fault))
    return found


def _form(rt: Runtime, page: _Page) -> str:
    scope, now, shown = page.scope, rt.clock(), page.preview
    parts = enrol_form.fields(scope.protocol, sites_of(scope))
    drawn: Picture | None = None
    if shown is not None:
        drawn = picture(shown.outlook, scope.protocol.sites[shown.enrolment.site].country, now)
    return render_template(
        "dashboard/enrol.html",
        scope=scope,
        parts=parts,
        titles=enrol_form.titles(),
        typed=page.typed,
        faults=page.faults,
        preview=shown,
        rungs=rungs(shown.person) if shown else (),
        shown=drawn,
        minding=[words(one) for one in shown.warnings] if shown else [],
        columns=problems.columns(),
        named=problems.column,
        **times(now),
    )
