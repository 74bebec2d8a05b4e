"""The participants' form behind `/q/<token>`: no login, no script needed, nothing written by looking."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from pro_service.runtime import Runtime
from pro_service.use_cases.participants import contact_test, survey
from pro_service.use_cases.participants.survey import FieldFault, Form
from pro_service.web.i18n import LANGUAGES


def add_contact_test(pages: Blueprint, rt: Runtime) -> None:
    """Add the page to the participants' pages."""

    @pages.get("/reach/<token>")
    def reach_page(token: str) -> ResponseReturnValue:
        language = contact_test.language_of(rt, token)
        return _gone() if language is None else _contact_test_page(language, done=False)

    @pages.post("/reach/<token>")
    def reach_confirm(token: str) -> ResponseReturnValue:
        g.page = "survey.reach_page"
        language = contact_test.confirm_by_link(rt, token)
        return _gone() if language is None else _contact_test_page(language, done=True)


def _contact_test_page(language: str, *, done: bool) -> str:
    g.language = language if language in LANGUAGES else g.language
    return render_template("survey_reach.html", done=done)


def blueprint(rt: Runtime) -> Blueprint:
    """Return the form of one runtime."""
    pages = Blueprint("survey", __name__, url_prefix="/q")

    @pages.after_request
    def keep_private(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    @pages.get("/<token>")
    def form(token: str) -> ResponseReturnValue:
        found = survey.open_form(rt, token)
        return _gone() if found is None else _page(token, found)

    @pages.post("/<token>")
    def answer(token: str) -> ResponseReturnValue:
        outcome = survey.submit(rt, token, request.form)
        if outcome.form is None:
            return _gone()
        if outcome.faults:
            return _page(token, outcome.form, outcome.faults, request.form), 422
        return _back(token)

    @pages.post("/<token>/call")
    def call(token: str) -> ResponseReturnValue:
        g.page = "survey.form"
        asked = survey.ask_for_call(rt, token, request.form.get("part", ""))
        return _back(token, called=1) if asked else _gone()

    add_contact_test(pages, rt)
    _add_stop(pages, rt)
    return pages


def _add_stop(pages: Blueprint, rt: Runtime) -> None:
    """Add the page behind the last address of a mail.

    A mail program sends the POST by itself when its reader presses "unsubscribe" (RFC 8058); a look changes nothing.
    """

    @pages.get("/<token>/stop")
    def stop_page(token: str) -> ResponseReturnValue:
        language = survey.language_of(rt, token)
        return _gone() if language is None else _stop_page(language, done=False)

    @pages.post("/<token>/stop")
    def stop(token: str) -> ResponseReturnValue:
        g.page = "survey.stop_page"
        language = survey.stop(rt, token)
        return _gone() if language is None else _stop_page(language, done=True)


def _stop_page(language: str, *, done: bool) -> str:
    g.language = language if language in LANGUAGES else g.language
    return render_template("survey_stop.html", done=done)


def _gone() -> ResponseReturnValue:
    """Return one page for a token nobody has, a closed window and somebody who has left."""
    return render_template("survey_gone.html"), 404


def _page(
    token: str, form: Form, faults: Mapping[str, FieldFault] | None = None, typed: Mapping[str, str] | None = None
) -> str:
    _speak(form)
    changing = "change" in request.args and form.changeable
    # After a part the rest is asked for; to change an answer all of them are shown, as they stand.
    shown = form.questions if changing else form.missing
    values = {question.item.id: question.given for question in shown}
    if typed is not None:
        values |= {name: typed.get(name, "") for name in values}
    return render_template(
        "survey.html",
        form=form,
        shown=shown,
        asking=form.state in ("open", "late") or changing,
        values=values,
        faults=faults or {},
        called=form.call_wanted or ("called" in request.args and form.call_pending),
        action=_address("answer", token, **({"change": 1} if changing else {})),
        change=_address("form", token, change=1),
        call=_address("call", token),
    )


def _speak(form: Form) -> None:
    """Answer in the participant's language, unless another one was asked for that the study has too."""
    asked = request.args.get("lang")
    spoken = [language for language in form.languages if language in LANGUAGES]
    g.language = asked if asked in spoken else form.language


def _address(view: str, token: str, **more: int) -> str:
    """Return the address of a view of this form; a language that was asked for stays."""
    values: dict[str, Any] = {"token": token, **more}
    if request.args.get("lang") in LANGUAGES:
        values["lang"] = request.args["lang"]
    return url_for(f"survey.{view}", **values)


def _back(token: str, **more: int) -> ResponseReturnValue:
    return redirect(_address("form", token, **more), 303)
