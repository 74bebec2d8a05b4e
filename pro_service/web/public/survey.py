"""The participants' form behind `/q/<token>`: no login, no script needed, nothing written by looking."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from pro_service.runtime import Runtime
from pro_service.use_cases.participants import contact_test, survey
from pro_service.use_cases.participants.survey import FieldFault, Form
from pro_service.web.i18n import LANGUAGES


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

    _add_button(pages, rt, "reach", "/reach/<token>", contact_test.language_of, contact_test.confirm_by_link)
    # Behind the last address of a mail; a mail program presses by itself when its reader unsubscribes (RFC 8058).
    _add_button(pages, rt, "stop", "/<token>/stop", survey.language_of, survey.stop)
    return pages


Speaks: TypeAlias = Callable[[Runtime, str], str | None]
"""(runtime, token) -> the language of the participant a link was sent to; None for a token nobody has."""


def _add_button(pages: Blueprint, rt: Runtime, name: str, rule: str, look: Speaks, press: Speaks) -> None:
    """Add a page with one button. Opening it changes nothing (`look`), pressing does what it says (`press`)."""

    def shown(token: str) -> ResponseReturnValue:
        return _button_page(name, look(rt, token), done=False)

    def pressed(token: str) -> ResponseReturnValue:
        g.page = f"survey.{name}_page"
        return _button_page(name, press(rt, token), done=True)

    pages.add_url_rule(rule, f"{name}_page", shown)
    pages.add_url_rule(rule, name, pressed, methods=["POST"])


def _button_page(name: str, language: str | None, *, done: bool) -> ResponseReturnValue:
    if language is None:
        return _gone()
    g.language = language if language in LANGUAGES else g.language
    return render_template(f"survey_{name}.html", done=done)


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
