"""The dashboard put together: its pages, one module each, and the words they share."""

from flask import Blueprint, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from jinja2 import pass_context
from jinja2.runtime import Context

from pro_service.runtime import Runtime
from pro_service.store.participants.cases import zone_of
from pro_service.web.access import needs
from pro_service.web.browsers import secure
from pro_service.web.dashboard import (
    alarms,
    card,
    change,
    compliance,
    contact_test,
    decisions,
    enrol,
    formatting,
    grid,
    import_file,
    inbox,
    inbox_text,
    messages,
    outcomes,
    participant,
    revelations,
    study,
    task,
    task_actions,
    today,
    what_if,
)
from pro_service.web.scope import STUDY_COOKIE, chosen_scope

PARTS = (
    today,
    grid,
    alarms,
    compliance,
    outcomes,
    messages,
    study,
    participant,
    change,
    enrol,
    import_file,
    what_if,
    card,
    task,
    task_actions,
    decisions,
    revelations,
    inbox,
    inbox_text,
    contact_test,
)


def blueprint(rt: Runtime) -> Blueprint:
    """The dashboard's pages."""
    pages = Blueprint("dashboard", __name__)
    pages.app_template_filter("word")(_word)
    pages.app_template_filter("short_moment")(formatting.short_moment)
    pages.app_template_filter("short_day")(formatting.short_day)
    pages.app_template_global("of")(formatting.of)
    pages.app_template_global("zone_of")(zone_of)
    for part in PARTS:
        part.add_routes(pages, rt)
    _add_choice_of_study(pages, rt)
    return pages


@pass_context
def _word(_context: Context, code: str, kind: str) -> str:
    """The word of a code. With the context, or a constant would be put into the first reader's language for all."""
    return formatting.word(kind, code)


def _add_choice_of_study(pages: Blueprint, rt: Runtime) -> None:
    @pages.post("/study", endpoint="study")
    @needs("account")
    def choose_study() -> ResponseReturnValue:
        """Look at another study from now on."""
        chosen = next((s for s in chosen_scope(rt).studies if s == request.form.get("study")), None)
        response = make_response(redirect(url_for("dashboard.today"), 303))
        if chosen is not None:
            response.set_cookie(STUDY_COOKIE, chosen, httponly=True, samesite="Lax", secure=secure(rt))
        return response
