"""Staff's changes on a participant's page: choose, fill in, see every consequence, and only then confirm."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import cast
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.changes.preview import ChangePreview
from pro_service.core.problems import ChangeRefusedError, Problem
from pro_service.core.routes import CHANNELS
from pro_service.reports import participant
from pro_service.reports.participant import Change
from pro_service.runtime import Runtime
from pro_service.store.participants import cases
from pro_service.store.participants.cases import Loaded
from pro_service.use_cases.participants import change
from pro_service.use_cases.participants.change_form import ACTIONS, Action, ChangeForm
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.web.access import needs
from pro_service.web.dashboard import change_words
from pro_service.web.dashboard.formatting import form_made_at, times, word
from pro_service.web.i18n import day, moment, page_stands_in
from pro_service.web.problems import words
from pro_service.web.scope import Scope, actor, in_study, not_found

MAKE, AGAIN = "make", "again"
"""What the buttons of the preview ask for; every other form asks for the preview."""


@dataclass(frozen=True, slots=True)
class _Page:
    """One change of one participant, as far as it has come."""

    scope: Scope
    loaded: Loaded
    wanted: ChangeForm
    notes: tuple[Problem, ...] = ()
    """What stands against it."""
    outlook: ChangePreview | None = None
    stale: bool = False
    changes: list[Change] = field(default_factory=list)
    """What happened since the form was made."""


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the pages of staff's changes."""

    @pages.get("/participants/<code>/change/<action>", endpoint="change")
    @needs("work")
    @in_study(rt, named=True, otherwise=not_found)
    def change_form(scope: Scope, code: str, action: str) -> ResponseReturnValue:
        loaded = _participant(rt, scope, code, action)
        shown = {one.name: one.value for one in change_words.fields(cast("Action", action), loaded.case)}
        return _form(rt, _Page(scope, loaded, ChangeForm(cast("Action", action), shown)))

    @pages.post("/participants/<code>/change/<action>")
    @needs("work")
    @in_study(rt, named=True, otherwise=not_found)
    def changed(scope: Scope, code: str, action: str) -> ResponseReturnValue:
        loaded = _participant(rt, scope, code, action)
        wanted = _filled(loaded, cast("Action", action))
        step = request.form.get("step")
        if step == AGAIN:
            return _form(rt, _Page(scope, loaded, wanted))
        try:
            return _change(rt, scope, code, wanted) if step == MAKE else _preview(rt, scope, loaded, wanted)
        except KeyError:
            abort(404)
        except ChangeRefusedError as refused:
            return _form(rt, _Page(scope, loaded, wanted, refused.notes)), 422
        except StaleError:
            with rt.sessions.reading() as session:
                happened = participant.changes(session, rt.vault, loaded.case.participant.id, form_made_at())
            return _form(rt, _Page(scope, loaded, wanted, stale=True, changes=happened)), 409


def _participant(rt: Runtime, scope: Scope, code: str, action: str) -> Loaded:
    """Return the participant; 404 if they are not the reader's, or the address names no change."""
    if action not in ACTIONS:
        abort(404)
    with rt.sessions.reading() as session:
        loaded = cases.load_by_code(session, rt.loader, scope.study_id, code, scope.sites)
    if loaded is None:
        abort(404)
    return loaded


def _filled(loaded: Loaded, action: Action) -> ChangeForm:
    given = {one.name: request.form.get(one.name, "") for one in change_words.fields(action, loaded.case)}
    return ChangeForm(action, given, request.form.get("reason", ""))


def _preview(rt: Runtime, scope: Scope, loaded: Loaded, wanted: ChangeForm) -> str:
    code = loaded.case.participant.code
    shown = change.preview(rt, scope.study_id, code, wanted, sites=scope.sites)
    return _form(rt, _Page(scope, loaded, wanted, outlook=shown))


def _change(rt: Runtime, scope: Scope, code: str, wanted: ChangeForm) -> ResponseReturnValue:
    """Make the change. Without its revision a form is as stale as an old one: nobody can have seen what follows."""
    revision = request.form.get("revision", default=-1, type=int)
    done = change.change(rt, actor(), scope.study_id, code, wanted, revision=revision, sites=scope.sites)
    outcome = "unchanged" if done.unchanged else "changed"
    if wanted.action == "move" and scope.sites is not None:
        return redirect(url_for("dashboard.participants"), 303)
    return redirect(url_for("dashboard.participant", code=code, study=scope.named, done=outcome), 303)


def _form(rt: Runtime, page: _Page) -> str:
    now, case = rt.clock(), page.loaded.case
    action, zone = page.wanted.action, page_stands_in(case.site_zone)
    at: dict[str, list[tuple[str, str]]] = {}
    for note in page.notes:
        at.setdefault(note.path, []).append(words(note))
    shown = page.outlook
    return render_template(
        "dashboard/change.html",
        scope=page.scope,
        case=case,
        person=case.participant,
        zone=zone,
        action=action,
        fields=change_words.fields(action, case),
        typed=page.wanted.fields,
        reason=page.wanted.reason,
        faults=at,
        explained=change_words.explained(action),
        stale=page.stale,
        changes=page.changes,
        told=shown,
        steps=[] if shown is None else sorted(shown.steps, key=lambda step: step.at is None),
        minding=[words(note) for note in shown.notes] if shown else [],
        said=lambda value: value_words(value, zone),
        revision=case.participant.revision,
        **times(now),
    )


def value_words(value: object, zone: ZoneInfo) -> str:
    """Return a fact as people read it."""
    if isinstance(value, datetime):
        return moment(value, zone)
    if isinstance(value, date):
        return day(value)
    if value in CHANNELS:
        return word("channel", str(value))
    return "–" if value is None else str(value)
