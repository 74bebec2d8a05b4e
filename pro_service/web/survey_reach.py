"""The page behind the link of a reachability test: one button; looking writes nothing."""

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue

from pro_service.runtime import Runtime
from pro_service.use_cases.participants import contact_test
from pro_service.web.i18n import LANGUAGES


def add(pages: Blueprint, rt: Runtime) -> None:
    """Add the page to the participants' pages."""

    @pages.get("/reach/<token>")
    def reach_page(token: str) -> ResponseReturnValue:
        language = contact_test.language_of(rt, token)
        return _gone() if language is None else _page(language, done=False)

    @pages.post("/reach/<token>")
    def reach_confirm(token: str) -> ResponseReturnValue:
        g.page = "survey.reach_page"
        language = contact_test.confirm_by_link(rt, token)
        return _gone() if language is None else _page(language, done=True)


def _gone() -> ResponseReturnValue:
    return render_template("survey_gone.html"), 404


def _page(language: str, *, done: bool) -> str:
    g.language = language if language in LANGUAGES else g.language
    return render_template("survey_reach.html", done=done)
