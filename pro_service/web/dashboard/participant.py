"""One participant's page: their story, and what is done from it.

What is done from it: the telephone number is shown once, the procedure is confirmed, the card is shown or replaced, and
whether texts arrive is tested.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.conversation.contact_test import closed_by, may_begin, state
from pro_service.core.problems import Problem, RejectedError
from pro_service.core.routes import CHANNELS
from pro_service.core.schedule.asking import rungs, way_of_asking
from pro_service.core.schedule.calendar import local_day
from pro_service.reports import events, participant
from pro_service.reports.events import StoryQuery
from pro_service.reports.participant import WindowView
from pro_service.reports.story import derived_values
from pro_service.runtime import Runtime
from pro_service.store import erasure_requests
from pro_service.store.participants import cases
from pro_service.store.participants.cases import Loaded, zone_of
from pro_service.store.vault import UnreadableError
from pro_service.use_cases.participants import card, contact_test
from pro_service.use_cases.participants.confirm import confirm
from pro_service.use_cases.participants.contact_test import ReachRefusedError, Subject
from pro_service.use_cases.tasks import calls
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.web import problems
from pro_service.web.access import may_at, needs
from pro_service.web.dashboard import formatting, queries, story, timeline
from pro_service.web.dashboard.change import value_words
from pro_service.web.dashboard.formatting import times
from pro_service.web.dashboard.story import CHIPS, Reader
from pro_service.web.dashboard.task import is_about, task_page
from pro_service.web.i18n import gettext as _
from pro_service.web.i18n import page_stands_in
from pro_service.web.problems import words
from pro_service.web.scope import Scope, actor, in_study, leaves_row, not_found, row_id

TEST_MINUTES = (10, 30, 60)
"""For how long a test of reachability may wait."""


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the page of one participant, and what is done from it."""
    _add_story(pages, rt)
    _add_address(pages, rt)
    _add_confirm(pages, rt)
    _add_card(pages, rt)
    _add_contact_test(pages, rt)


def participant_of(rt: Runtime, scope: Scope, code: str) -> Loaded | None:
    """Return the participant, if the reader may see them."""
    with rt.sessions.reading() as session:
        return cases.load_by_code(session, rt.loader, scope.study_id, code, scope.sites)


# --- the story, and the telephone number ------------------------------------------------------------------------------


def _add_story(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/participants/<code>", endpoint="participant")
    @needs("progress")
    @in_study(rt, named=True, otherwise=not_found)
    @leaves_row(rt, "participant")
    def participant_page(scope: Scope, code: str) -> ResponseReturnValue:
        """Show the story; with what can be done where the reader works, with scores where their role has them."""
        return _story_page(rt, scope, code)

    @pages.post("/participants/<code>/telephone")
    @needs("contact")
    @in_study(rt, named=True, otherwise=not_found)
    def telephone(scope: Scope, code: str) -> ResponseReturnValue:
        """Show the number once; who looked stands in the audit trail."""
        task = request.form.get("task", type=row_id)
        if task is not None and not is_about(rt, task, scope, code):
            abort(404)
        try:
            number = calls.show_telephone(rt, actor(), scope.study_id, code, scope.sites)
        except KeyError:
            abort(404)
        except UnreadableError as fault:
            # The caller still needs the rest of the page.
            if task is not None:
                return task_page(rt, task, unreadable=_said(fault)), 500
            return _story_page(rt, scope, code, unreadable=_said(fault)), 500
        if task is not None:
            return task_page(rt, task, number=number or "")
        return _story_page(rt, scope, code, number=number or "")


def _add_address(pages: Blueprint, rt: Runtime) -> None:
    @pages.post("/participants/<code>/address")
    @needs("contact")
    @in_study(rt, named=True, otherwise=not_found)
    def address(scope: Scope, code: str) -> ResponseReturnValue:
        """Show the e-mail address once; who looked stands in the audit trail."""
        try:
            found = calls.show_address(rt, actor(), scope.study_id, code, scope.sites)
        except KeyError:
            abort(404)
        except UnreadableError as fault:
            return _story_page(rt, scope, code, unreadable=_said(fault)), 500
        return _story_page(rt, scope, code, address=found or "")


def _story_page(
    rt: Runtime,
    scope: Scope,
    code: str,
    number: str | None = None,
    *,
    address: str | None = None,
    refused: tuple[Problem, ...] = (),
    unreadable: tuple[str, str, str] | None = None,
) -> str:
    now = rt.clock()
    with rt.sessions.reading() as session:
        view = participant.participant_view(session, rt.vault, rt.loader, scope.study_id, code, now, scope.sites)
        if view is None:
            abort(404)
        reader = _reader(view.loaded)
        chip, before = story.filter_in_address()
        query = StoryQuery(story.kinds(chip), before, story.PAGE + 1, scores=reader.scores)
        asked = erasure_requests.newest(session, view.loaded.case.participant.id)
        happened = events.event_page(session, rt.vault, view.loaded.case, now, query)
    case = view.loaded.case
    zone = page_stands_in(case.site_zone)
    page = story.story_page(happened, case, reader)
    return render_template(
        "dashboard/participant.html",
        scope=scope,
        view=view,
        case=case,
        reader=reader,
        story=page,
        chips=CHIPS,
        channels=CHANNELS,
        line=timeline.line(case, view.windows, page.every, now),
        lane_word=timeline.lane_word,
        open_tasks=[entry for entry in page.every if entry.kind == "task" and entry.shape == "at_risk"],
        moved_windows=[window for window in view.windows if window.status == "cancelled"],
        unknown=case.without_end,
        nearest=_nearest_window(view.windows, now),
        person=case.participant,
        way=way_of_asking(case.participant),
        zone=zone,
        number=number,
        address=address,
        rungs=rungs(case.participant),
        unreadable=unreadable,
        refused=[words(fault) for fault in refused],
        counted_from_end=any(point.minutes is not None for point in case.protocol.time_points),
        done=request.args.get("done"),
        erasure_asked=asked is not None and asked.ended_at is None,
        told=value_words,
        place=story.place,
        office=formatting.words("change") if reader.works else {},
        fact=formatting.fact,
        queries=queries.about_participant(rt, view.loaded),
        asks=may_at("ask", view.loaded.study_id, view.loaded.site_id),
        item_words=queries.item_words(case.protocol),
        derived=tuple(derived_values(case, now)) if reader.scores else (),
        **times(now),
    )


def _said(fault: UnreadableError) -> tuple[str, str, str]:
    """Return what cannot be decrypted, what to do about it, and the code."""
    return (*problems.words(fault.problem), fault.problem.code)


def _reader(loaded: Loaded) -> Reader:
    """Return what the reader may do and see at this participant's site."""
    works, scores, words = (may_at(what, loaded.study_id, loaded.site_id) for what in ("work", "scores", "free_text"))
    return Reader(works, scores, words)


def _nearest_window(views: Iterable[WindowView], now: datetime) -> WindowView | None:
    """Return the window to look at: the one that is open and asks by itself, else the next one that opens."""
    ahead = [view for view in views if view.facts.span.closes_at > now and view.status not in formatting.LEFT]
    return min(ahead, key=lambda view: (not view.facts.point.prompted, view.facts.span.closes_at), default=None)


# --- the procedure's confirmation -------------------------------------------------------------------------------------


def _add_confirm(pages: Blueprint, rt: Runtime) -> None:
    @pages.post("/participants/<code>/confirm")
    @needs("work")
    @in_study(rt, named=True, otherwise=not_found)
    def confirm_procedure(scope: Scope, code: str) -> ResponseReturnValue:
        """Confirm that the procedure took place on the day that was planned."""
        if participant_of(rt, scope, code) is None:
            abort(404)
        try:
            confirm(rt, actor(), scope.study_id, code, procedure_time=request.form.get("procedure_time", ""))
        except RejectedError as rejected:
            return _story_page(rt, scope, code, refused=rejected.faults), 422
        return redirect(url_for("dashboard.participant", code=code, study=scope.named, done="confirmed"), 303)


# --- the card: shown by a button, so that the audit trail says who looked ---------------------------------------------


def _add_card(pages: Blueprint, rt: Runtime) -> None:
    @pages.post("/participants/<code>/card")
    @needs("work")
    @in_study(rt, named=True, otherwise=not_found)
    def show_card(scope: Scope, code: str) -> ResponseReturnValue:
        """Show the card, to be printed."""
        try:
            return _card_page(rt, scope, _card(rt, scope, code))
        except UnreadableError as fault:
            return _story_page(rt, scope, code, unreadable=_said(fault)), 500

    @pages.post("/participants/<code>/card/replace")
    @needs("work")
    @in_study(rt, named=True, otherwise=not_found)
    def replace_card(scope: Scope, code: str) -> ResponseReturnValue:
        """Make another code, with a reason: the old card ends."""
        reason = request.form.get("reason", "")
        try:
            new = card.replace(rt, actor(), scope.study_id, code, reason, scope.sites)
        except KeyError:
            abort(404)
        except RejectedError:
            return _card_page(rt, scope, _card(rt, scope, code), fault=True), 422
        return _card_page(rt, scope, new, replaced=True)


def _card(rt: Runtime, scope: Scope, code: str) -> card.Card:
    try:
        return card.show(rt, actor(), scope.study_id, code, scope.sites)
    except (KeyError, RejectedError):
        abort(404)


def _card_page(rt: Runtime, scope: Scope, shown: card.Card, *, replaced: bool = False, fault: bool = False) -> str:
    zone = page_stands_in(zone_of(shown.site.zone))
    return render_template(
        "dashboard/card.html",
        scope=scope,
        card=shown,
        sides=card.sides(shown),
        handed_at=shown.handed_at,
        zone=zone,
        today=local_day(rt.clock(), zone),
        replaced=replaced,
        fault=fault,
    )


# --- the test of whether messages arrive ------------------------------------------------------------------------------


def _add_contact_test(pages: Blueprint, rt: Runtime) -> None:
    pages.app_template_global("reach_of")(lambda participant_id: contact_test.latest(rt, participant_id))
    pages.app_template_global("reach_state")(state)
    pages.app_template_global("reach_closed")(closed_by)
    pages.app_template_global("reach_may_begin")(may_begin)
    pages.app_template_global("reach_words")(_contact_test_words)
    pages.app_template_global("reach_minutes")(lambda: TEST_MINUTES)

    @pages.post("/participants/<code>/reach/<any(begin, confirm, fail):action>")
    @needs("work")
    @in_study(rt, named=True, otherwise=not_found)
    def reach_test(scope: Scope, code: str, action: str) -> ResponseReturnValue:
        """Begin the test or say what came of it, and come back to the page, which says what was done."""
        subject = Subject(scope.study_id, code, scope.sites, request.form.get("revision", type=int))
        outcome = f"reach_{action}"
        try:
            _run_contact_test(rt, subject, action)
        except KeyError:
            abort(404)
        except ReachRefusedError as refusal:
            outcome = f"refused_{refusal.code}"
        except StaleError:
            outcome = "refused_stale"
        return redirect(f"{url_for('dashboard.participant', code=code, study=scope.named, reach=outcome)}#reach", 303)


def _run_contact_test(rt: Runtime, subject: Subject, action: str) -> None:
    if action == "begin":
        minutes = request.form.get("minutes", 30, type=int)
        contact_test.begin(rt, actor(), subject, timedelta(minutes=minutes if minutes in TEST_MINUTES else 0))
    elif action == "confirm":
        contact_test.confirm_by_staff(rt, actor(), subject)
    else:
        contact_test.fail_by_staff(rt, actor(), subject, request.form.get("reason", ""))


def _contact_test_words() -> dict[str, dict[str, str]]:
    """Return what the page says of a test: why nothing was done, how it was confirmed, why it failed."""
    return {
        "refusals": {
            "refused_no_texts": _("No message may go to this participant, so nothing was tried."),
            "refused_closed": _("The study is closed: no message is sent, so nothing was tried."),
            "refused_not_confirmed": _(
                "No investigator has confirmed this participant's version of the study yet, so no message may leave."
            ),
            "refused_waiting": _("A test is waiting already; nothing was sent twice."),
            "refused_minutes": _("Choose one of the times."),
            "refused_no_template": _(
                "The participant's version of the study has no text for this. "
                "Load the study again and move the participant to the new version."
            ),
            "refused_no_test": _("There is no test to report on."),
            "refused_decided": _("The result is saved already; nothing was changed."),
            "refused_needs_reason": _("Say why it does not work."),
            "refused_stale": _(
                "Something has changed since you opened this page; nothing was written. Look and try again."
            ),
        },
        "ways": {"reply": _("by reply"), "link": _("by its link"), "staff": _("by staff")},
        "failures": {
            "undelivered": _("the message did not arrive"),
            "unconfirmed": _("not confirmed in time"),
            "staff": _("staff said so"),
        },
    }
