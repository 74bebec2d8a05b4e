"""The search at the top of every page: by a participant's code, among those the reader may see."""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.replies.folding import visible
from pro_service.reports import grid
from pro_service.runtime import Runtime
from pro_service.store.participants import cases
from pro_service.web.access import needs
from pro_service.web.dashboard.grid import LONGEST_CODE
from pro_service.web.scope import Scope, in_study

FEWEST_DIGITS = 7
"""Digits of a telephone number. A search with so many and no letter enters no address, unless it is a known code."""


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the search. It is sent as a form, not in an address, because servers on the way keep addresses."""

    @pages.post("/search")
    @needs("progress")
    @in_study(rt)
    def search(scope: Scope) -> ResponseReturnValue:
        typed = visible(request.form.get("find", "")).strip()[:LONGEST_CODE]
        if not typed:
            return redirect(url_for("dashboard.participants"), 303)
        spellings = tuple(dict.fromkeys((typed, typed.upper())))
        with rt.sessions.reading() as session:
            for code in spellings:
                if cases.load_by_code(session, rt.loader, scope.study_id, code, scope.sites) is not None:
                    return redirect(url_for("dashboard.participant", code=code), 303)
            for code in () if could_be_a_number(typed) else spellings:
                look = grid.Look(search=code)
                if grid.participants_page(
                    session, rt.loader, scope.study_id, rt.clock(), scope.sites, look, size=1
                ).rows:
                    return redirect(url_for("dashboard.participants", code=code), 303)
        return redirect(url_for("dashboard.participants", nobody=1), 303)


def could_be_a_number(text: str) -> bool:
    """Return whether this may be somebody's telephone number."""
    return sum(sign.isdigit() for sign in text) >= FEWEST_DIGITS and not any(sign.isalpha() for sign in text)
