"""One participant's pages: the story, the telephone number once, the procedure's confirmation, the entry form."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.case import WindowFacts
from pro_service.core.problems import RejectedError
from pro_service.core.schedule.status import status
from pro_service.reports import (
    events,
    today,
)
from pro_service.reports import (
    participant as report_participant,
)
from pro_service.reports import (
    story as report_story,
)
from pro_service.reports.events import StoryQuery
from pro_service.reports.participant import WindowView
from pro_service.runtime import Runtime
from pro_service.store.participants import cases
from pro_service.store.participants.cases import Loaded
from pro_service.use_cases.participants import entry
from pro_service.use_cases.participants.confirm import confirm
from pro_service.use_cases.participants.entry import EntryFault, EntryRejectedError, Filled, Mode
from pro_service.use_cases.tasks import calls
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.web.access import may_at, needs
from pro_service.web.dashboard import (
    change,
    formatting,
    timeline,
)
from pro_service.web.dashboard import (
    story as dashboard_story,
)
from pro_service.web.dashboard import (
    task as dashboard_tasks,
)
from pro_service.web.dashboard.formatting import since, times
from pro_service.web.dashboard.story import CHIPS, Reader
from pro_service.web.scope import Scope, actor, row_id, scope_here


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the pages of one participant."""
    _add_story(pages, rt)
    _add_confirm(pages, rt)
    _add_entry(pages, rt)


def _add_story(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/participants/<code>")
    @needs("progress")
    def participant(code: str) -> ResponseReturnValue:
        """The story; with what can be done where the reader works, with scores where their role has them."""
        return _story(rt, scope_here(rt), code)

    @pages.post("/participants/<code>/telephone")
    @needs("contact")
    def telephone(code: str) -> ResponseReturnValue:
        """Show the number once; who looked stands in the audit trail."""
        scope = scope_here(rt)
        task = request.form.get("task", type=row_id)
        if scope.study_id is None or (task is not None and not dashboard_tasks.is_about(rt, task, scope, code)):
            abort(404)
        try:
            number = calls.show_telephone(rt, actor(), scope.study_id, code, scope.sites)
        except KeyError:
            abort(404)
        if task is not None:
            return dashboard_tasks.page(rt, task, number=number or "")
        return _story(rt, scope, code, number=number or "")


def _story(rt: Runtime, scope: Scope, code: str, number: str | None = None, *, refused: bool = False) -> str:
    now = rt.clock()
    if scope.study_id is None:
        abort(404)
    with rt.sessions.reading() as session:
        view = report_participant.participant_view(session, rt.loader, scope.study_id, code, now, scope.sites)
        if view is None:
            abort(404)
        reader = _reader(view.loaded)
        chip, before = dashboard_story.asked()
        wanted = StoryQuery(dashboard_story.kinds(chip), before, dashboard_story.PAGE + 1, scores=reader.scores)
        happened = events.event_page(session, view.loaded.case, now, wanted)
    case = view.loaded.case
    story = dashboard_story.story_page(happened, case, reader)
    return render_template(
        "dashboard/participant.html", scope=scope, view=view, case=case, reader=reader, story=story, chips=CHIPS,
        line=timeline.line(case, view.windows, story.every, now), lane_word=timeline.lane_word,
        nearest=_nearest(view.windows, now), person=case.participant, zone=case.site_zone, number=number,
        refused=refused, done=request.args.get("done"), told=change.value_words, place=dashboard_story.place,
        office=formatting.words("change") if reader.works else {}, fact=dashboard_story.fact,
        derived=tuple(report_story.derived_values(case, now)) if reader.scores else (), **times(now),
    )  # fmt: skip


def _reader(loaded: Loaded) -> Reader:
    """What the reader may do and see at this participant's site."""
    works, scores, words = (
        may_at(asked, loaded.study_id, loaded.site_id) for asked in ("work", "scores", "free_text")
    )  # fmt: skip
    return Reader(works, scores, words)


def _nearest(views: Iterable[WindowView], now: datetime) -> WindowView | None:
    """The window to look at: the one that is open and asks by itself, else the next one that opens."""
    ahead = [view for view in views if view.facts.span.closes_at > now and view.status not in dashboard_story.LEFT]
    return min(ahead, key=lambda view: (not view.facts.point.prompted, view.facts.span.closes_at), default=None)


def _add_confirm(pages: Blueprint, rt: Runtime) -> None:
    @pages.post("/participants/<code>/confirm")
    @needs("work")
    def confirm_procedure(code: str) -> ResponseReturnValue:
        """The procedure took place on the day that was planned."""
        scope = scope_here(rt)
        if scope.study_id is None or _seen(rt, scope, code) is None:
            abort(404)
        try:
            confirm(rt, actor(), scope.study_id, code)
        except RejectedError:
            return _story(rt, scope, code, refused=True), 422
        return redirect(url_for("dashboard.participant", code=code, study=scope.named, done="confirmed"), 303)


def _seen(rt: Runtime, scope: Scope, code: str) -> Loaded | None:
    """The participant, if the reader may see it."""
    if scope.study_id is None:
        return None
    with rt.sessions.reading() as session:
        return cases.load_by_code(session, rt.loader, scope.study_id, code, scope.sites)


def _add_entry(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/participants/<code>/enter/<window>")
    @needs("entry")
    def enter(code: str, window: str) -> ResponseReturnValue:
        scope = scope_here(rt)
        loaded, facts = _window(rt, scope, code, window)
        answers = {} if _blind(loaded) else facts.answers
        typed = {item: str(answer.value) for item, answer in answers.items() if answer.value is not None}
        declined = frozenset(item for item, answer in answers.items() if answer.declined)
        filled = Filled(typed, declined, mode=_mode(request.args), task=request.args.get("task", type=row_id))
        return _form(rt, scope, loaded, facts, filled)

    @pages.post("/participants/<code>/enter/<window>")
    @needs("entry")
    def entered(code: str, window: str) -> ResponseReturnValue:
        scope = scope_here(rt)
        loaded, facts = _window(rt, scope, code, window)
        filled = replace(_filled(facts), blind=_blind(loaded))
        try:
            kept = entry.enter(rt, actor(), scope.study_id or 0, code, window, filled, sites=scope.sites)
        except EntryRejectedError as rejected:
            return _form(rt, scope, loaded, facts, filled, faults=rejected.faults), 422
        except StaleError:
            return _form(rt, scope, loaded, facts, filled, stale=True), 409
        if _blind(loaded):
            return redirect(url_for("clinic.list", study=scope.named, done="entered"), 303)
        done = "entered" if kept.items else "unchanged"
        return redirect(url_for("dashboard.participant", code=code, study=scope.named, done=done), 303)


def _window(rt: Runtime, scope: Scope, code: str, window: str) -> tuple[Loaded, WindowFacts]:
    loaded = _seen(rt, scope, code)
    facts = next((facts for facts in loaded.case.current if facts.code == window), None) if loaded else None
    if loaded is None or facts is None or (_blind(loaded) and facts.point.prompted):
        abort(404)
    return loaded, facts


def _blind(loaded: Loaded) -> bool:
    """Whether the reader takes new scores in the clinic and must not see earlier ones."""
    return not may_at("work", loaded.study_id, loaded.site_id)


def _mode(given: Mapping[str, str]) -> Mode:
    return "telephone" if given.get("mode") == "telephone" else "clinic"


def _filled(facts: WindowFacts) -> Filled:
    given = request.form
    declined = {item for item in facts.point.items if item in given.getlist("declined")}
    return Filled(
        values={item: given.get(item, "") for item in facts.point.items},
        declined=frozenset(declined),
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
    faults: tuple[EntryFault, ...] = (),
    stale: bool = False,
) -> str:
    """The entry form, with what was typed; `stale`: with what has changed since it was made."""
    now, case, blind = rt.clock(), loaded.case, _blind(loaded)
    with rt.sessions.reading() as session:
        changes = report_participant.changes(session, case.participant.id, since()) if stale and not blind else []
        task = None
        if filled.task is not None and not blind and scope.study_id is not None:
            task = today.task(session, rt.loader, scope.study_id, filled.task, scope.sites)
    spoken = case.participant.language
    return render_template(
        "dashboard/enter.html", scope=scope, case=case, person=case.participant, window=facts, filled=filled,
        items=[case.protocol.items[item] for item in facts.point.items], spoken=spoken, task=task,
        faults={fault.place: fault.code for fault in faults}, stale=stale, changes=changes,
        status=status(facts, case.participant, case.protocol.primary(facts.point), now),
        zone=case.site_zone, label=formatting.of(facts.point.label), blind=blind, **times(now),
    )  # fmt: skip
