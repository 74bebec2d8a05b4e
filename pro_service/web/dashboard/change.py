"""Changes of the office on a participant's page: choose, fill in, see every consequence, and only then confirm."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import cast
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.changes.preview import ChangePreview
from pro_service.core.problems import ChangeRefusedError, Note
from pro_service.reports import participant
from pro_service.reports.participant import Change
from pro_service.runtime import Runtime
from pro_service.store.participants import cases
from pro_service.store.participants.cases import Loaded
from pro_service.use_cases.participants import change
from pro_service.use_cases.participants.change_form import ACTIONS, Action, ChangeForm
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.web.access import needs
from pro_service.web.dashboard import change_words as words
from pro_service.web.dashboard import problems
from pro_service.web.dashboard.formatting import since, times
from pro_service.web.i18n import day, moment
from pro_service.web.scope import Scope, actor, scope_here

MAKE, AGAIN = "make", "again"
"""What the buttons of the preview ask for; every other form asks for the preview."""


@dataclass(frozen=True, slots=True)
class _Page:
    """One change of one participant, as far as it has come."""

    scope: Scope
    loaded: Loaded
    wanted: ChangeForm
    notes: tuple[Note, ...] = ()
    """What stands against it."""
    outlook: ChangePreview | None = None
    stale: bool = False
    changes: list[Change] = field(default_factory=list)
    """What happened since the form was made."""


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the pages of the office's changes."""

    @pages.get("/participants/<code>/change/<action>")
    @needs("work")
    def change(code: str, action: str) -> ResponseReturnValue:
        scope, loaded = _theirs(rt, code, action)
        shown = {one.name: one.value for one in words.fields(cast("Action", action), loaded.case)}
        return _form(rt, _Page(scope, loaded, ChangeForm(cast("Action", action), shown)))

    @pages.post("/participants/<code>/change/<action>")
    @needs("work")
    def changed(code: str, action: str) -> ResponseReturnValue:
        scope, loaded = _theirs(rt, code, action)
        wanted = _filled(loaded, cast("Action", action))
        step = request.form.get("step")
        if step == AGAIN:
            return _form(rt, _Page(scope, loaded, wanted))
        try:
            return _make(rt, scope, code, wanted) if step == MAKE else _look(rt, scope, loaded, wanted)
        except KeyError:
            abort(404)
        except ChangeRefusedError as refused:
            return _form(rt, _Page(scope, loaded, wanted, refused.notes)), 422
        except StaleError:
            with rt.sessions.reading() as session:
                happened = participant.changes(session, loaded.case.participant.id, since())
            return _form(rt, _Page(scope, loaded, wanted, stale=True, changes=happened)), 409


def _theirs(rt: Runtime, code: str, action: str) -> tuple[Scope, Loaded]:
    scope = scope_here(rt)
    if scope.study_id is None or action not in ACTIONS:
        abort(404)
    with rt.sessions.reading() as session:
        loaded = cases.load_by_code(session, rt.loader, scope.study_id, code, scope.sites)
    if loaded is None:
        abort(404)
    return scope, loaded


def _filled(loaded: Loaded, action: Action) -> ChangeForm:
    given = {one.name: request.form.get(one.name, "") for one in words.fields(action, loaded.case)}
    return ChangeForm(action, given, request.form.get("reason", ""))


def _look(rt: Runtime, scope: Scope, loaded: Loaded, wanted: ChangeForm) -> str:
    code = loaded.case.participant.code
    shown = change.preview(rt, scope.study_id or 0, code, wanted, sites=scope.sites)
    return _form(rt, _Page(scope, loaded, wanted, outlook=shown))


def _make(rt: Runtime, scope: Scope, code: str, wanted: ChangeForm) -> ResponseReturnValue:
    """A form without its revision is as stale as an old one: nobody can have seen what would follow."""
    revision = request.form.get("revision", default=-1, type=int)
    done = change.change(rt, actor(), scope.study_id or 0, code, wanted, revision=revision, sites=scope.sites)
    outcome = "unchanged" if done.unchanged else "changed"
    if wanted.action == "move" and scope.sites is not None:
        return redirect(url_for("dashboard.participants"), 303)
    return redirect(url_for("dashboard.participant", code=code, study=scope.named, done=outcome), 303)


def _form(rt: Runtime, page: _Page) -> str:
    now, case = rt.clock(), page.loaded.case
    action, zone = page.wanted.action, case.site_zone
    at: dict[str, list[tuple[str, str]]] = {}
    for note in page.notes:
        at.setdefault(note.field, []).append(problems.note_words(note))
    shown = page.outlook
    return render_template(
        "dashboard/change.html", scope=page.scope, case=case, person=case.participant, zone=zone, action=action,
        fields=words.fields(action, case), typed=page.wanted.fields, reason=page.wanted.reason, faults=at,
        explained=words.explained(action), stale=page.stale, changes=page.changes, told=shown,
        minding=[problems.note_words(note) for note in shown.notes] if shown else [],
        said=lambda value: value_words(value, zone), revision=case.participant.revision, **times(now),
    )  # fmt: skip


def value_words(value: object, zone: ZoneInfo) -> str:
    """A fact as people read it."""
    if isinstance(value, datetime):
        return moment(value, zone)
    if isinstance(value, date):
        return day(value)
    return "–" if value is None else str(value)
