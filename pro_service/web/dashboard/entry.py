"""The entry form: answers given on the telephone or in the clinic, written down by staff for one window.

It starts empty for everybody. What stands there is shown by a press that leaves an audit row, and never to an assessor
of the study, whatever else they are; who has no work at the site enters the clinic's windows alone.
"""

from collections.abc import Mapping
from dataclasses import replace

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.case import WindowFacts
from pro_service.core.problems import Problem, RejectedError
from pro_service.core.schedule.status import status
from pro_service.reports import participant, today
from pro_service.runtime import Runtime
from pro_service.store.participants.cases import Loaded
from pro_service.use_cases.participants import entry
from pro_service.use_cases.participants.entry import Filled, Mode
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.web.access import assesses, may_at, needs
from pro_service.web.dashboard import queries
from pro_service.web.dashboard.formatting import form_made_at, times
from pro_service.web.dashboard.participant import participant_of
from pro_service.web.i18n import of, page_stands_in
from pro_service.web.problems import by_field
from pro_service.web.scope import Scope, actor, in_study, not_found, row_id


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the entry form."""

    @pages.get("/participants/<code>/enter/<window>")
    @needs("entry")
    @in_study(rt, named=True, otherwise=not_found)
    def enter(scope: Scope, code: str, window: str) -> ResponseReturnValue:
        """Show the form, empty."""
        loaded, facts = _window(rt, scope, code, window)
        return _form(rt, scope, loaded, facts, _empty())

    @pages.post("/participants/<code>/enter/<window>/show")
    @needs("work")
    @in_study(rt, named=True, otherwise=not_found)
    def show_answers(scope: Scope, code: str, window: str) -> ResponseReturnValue:
        """Show once what stands there, beside the form; who looked stands in the audit trail."""
        loaded, facts = _window(rt, scope, code, window)
        if assesses(scope.study_id):
            abort(403)
        entry.show_answers(rt, actor(), scope.study_id, code, window, sites=scope.sites)
        return _form(rt, scope, loaded, facts, _empty(), shown=True)

    @pages.post("/participants/<code>/enter/<window>")
    @needs("entry")
    @in_study(rt, named=True, otherwise=not_found)
    def entered(scope: Scope, code: str, window: str) -> ResponseReturnValue:
        """Keep the answers and lead back to the participant, or to the list of visits."""
        loaded, facts = _window(rt, scope, code, window)
        filled = replace(_filled(facts), blind=assesses(scope.study_id))
        try:
            kept = entry.enter(rt, actor(), scope.study_id, code, window, filled, sites=scope.sites)
        except RejectedError as rejected:
            return _form(rt, scope, loaded, facts, filled, faults=rejected.faults), 422
        except StaleError:
            return _form(rt, scope, loaded, facts, filled, stale=True), 409
        done = "unchanged" if not kept.items else "entered" if set(kept.items) - set(filled.cleared) else "cleared"
        if not _works(loaded):
            return redirect(url_for("clinic.list", study=scope.named, done=done), 303)
        return redirect(url_for("dashboard.participant", code=code, study=scope.named, done=done), 303)


def _window(rt: Runtime, scope: Scope, code: str, window: str) -> tuple[Loaded, WindowFacts]:
    """Return the participant and their window; 404 for what is not there, or not for who enters in the clinic only."""
    loaded = participant_of(rt, scope, code)
    facts = next((facts for facts in loaded.case.current if facts.code == window), None) if loaded else None
    if loaded is None or facts is None or (not _works(loaded) and facts.point.prompted):
        abort(404)
    return loaded, facts


def _works(loaded: Loaded) -> bool:
    """Return whether the reader works with this participant; who does not, enters the clinic's windows only."""
    return may_at("work", loaded.study_id, loaded.site_id)


def _mode(given: Mapping[str, str]) -> Mode:
    return "telephone" if given.get("mode") == "telephone" else "clinic"


def _empty() -> Filled:
    """Return the form with nothing in it, as its address asks for it."""
    given = request.values
    return Filled({}, mode=_mode(given), task=given.get("task", type=row_id))


def _filled(facts: WindowFacts) -> Filled:
    """Return the form as it came."""
    given = request.form
    declined = {item for item in facts.point.items if item in given.getlist("declined")}
    return Filled(
        values={item: given.get(item, "") for item in facts.point.items},
        declined=frozenset(declined),
        cleared=tuple(item for item in facts.point.items if item in given.getlist("cleared")),
        reason=given.get("reason", ""),
        mode=_mode(given if "mode" in given else request.args),
        revision=given.get("revision", type=int),
        task=given.get("task", type=row_id) or request.args.get("task", type=row_id),
    )


def _form(
    rt: Runtime,
    scope: Scope,
    loaded: Loaded,
    facts: WindowFacts,
    filled: Filled,
    *,
    faults: tuple[Problem, ...] = (),
    stale: bool = False,
    shown: bool = False,
) -> str:
    """Return the form, with what was typed; if it was `stale`, with what has changed since it was made.

    With what stands there if it is `shown`.
    """
    now, case, works = rt.clock(), loaded.case, _works(loaded)
    with rt.sessions.reading() as session:
        changes = participant.changes(session, rt.vault, case.participant.id, form_made_at()) if stale and works else []
        task = None
        if filled.task is not None and works:
            task = today.task(session, rt.loader, scope.study_id, filled.task, scope.sites)
    asked = queries.about_participant(rt, loaded) if may_at("reply", loaded.study_id, loaded.site_id) else []
    return render_template(
        "dashboard/enter.html",
        scope=scope,
        case=case,
        person=case.participant,
        window=facts,
        filled=filled,
        items=[case.protocol.items[item] for item in facts.point.items],
        spoken=case.participant.language,
        task=task,
        faults=by_field(faults),
        stale=stale,
        changes=changes,
        status=status(facts, case.participant, case.protocol.primary(facts.point), now),
        zone=page_stands_in(case.site_zone),
        label=of(facts.point.label),
        works=works,
        blind=assesses(scope.study_id),
        shown=shown,
        queries=[query for query in asked if query.visit == facts.code and query.state == "open"],
        item_words=queries.item_words(case.protocol),
        **times(now),
    )
