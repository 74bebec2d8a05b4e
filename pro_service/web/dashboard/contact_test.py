"""The reachability test on a participant's page: begin it, say what came of it, see how it stands."""

from datetime import timedelta

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.conversation import contact_test as rules
from pro_service.core.conversation.contact_test import ReachTest
from pro_service.runtime import Runtime
from pro_service.use_cases.participants import contact_test
from pro_service.use_cases.participants.contact_test import ReachRefusedError, Subject
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.web.access import needs
from pro_service.web.scope import actor, scope_here

MINUTES = (10, 30, 60)


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the forms, and `reach_of(participant id)`, `reach_state(test)` for the page."""

    def of(participant_id: int) -> ReachTest | None:
        return contact_test.latest(rt, participant_id)

    pages.app_template_global("reach_of")(of)
    pages.app_template_global("reach_state")(rules.state)
    pages.app_template_global("reach_closed")(rules.closed_by)
    pages.app_template_global("reach_minutes")(lambda: MINUTES)

    @pages.post("/participants/<code>/reach/<any(begin, confirm, fail):action>")
    @needs("work")
    def reach_test(code: str, action: str) -> ResponseReturnValue:
        return _act(rt, code, action)


def _act(rt: Runtime, code: str, action: str) -> ResponseReturnValue:
    """Do it and come back to the page, which says what came of it."""
    scope, given = scope_here(rt), request.form
    if scope.study_id is None:
        abort(404)
    whom = Subject(scope.study_id, code, scope.sites, given.get("revision", type=int))
    told = f"reach_{action}"
    try:
        if action == "begin":
            minutes = given.get("minutes", 30, type=int)
            contact_test.begin(rt, actor(), whom, timedelta(minutes=minutes if minutes in MINUTES else 0))
        elif action == "confirm":
            contact_test.confirm_by_staff(rt, actor(), whom)
        else:
            contact_test.fail_by_staff(rt, actor(), whom, given.get("reason", ""))
    except KeyError:
        abort(404)
    except ReachRefusedError as refusal:
        told = f"refused_{refusal.code}"
    except StaleError:
        told = "refused_stale"
    return redirect(f"{url_for('dashboard.participant', code=code, study=scope.named, reach=told)}#reach", 303)
