"""A participant's card on the dashboard: shown by a button, for who looked is kept; and another code, with a reason."""

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from pro_service.core.problems import Fault, RejectedError
from pro_service.runtime import Runtime
from pro_service.use_cases.participants import card
from pro_service.web.access import needs
from pro_service.web.scope import Scope, actor, scope_here


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the pages of the card."""

    @pages.post("/participants/<code>/card")
    @needs("work")
    def show_card(code: str) -> ResponseReturnValue:
        """Show the card, to be printed."""
        return _card(rt, code, again=False)

    @pages.post("/participants/<code>/card/replace")
    @needs("work")
    def replace_card(code: str) -> ResponseReturnValue:
        """Make another code: the old card ends."""
        return _card(rt, code, again=True)


def _card(rt: Runtime, code: str, *, again: bool) -> ResponseReturnValue:
    scope = scope_here(rt)
    if scope.study_id is None:
        abort(404)
    faults: tuple[Fault, ...] = ()
    try:
        if again:
            try:
                found = card.replace(rt, actor(), scope.study_id, code, request.form.get("reason", ""), scope.sites)
            except RejectedError as error:
                faults, found = error.faults, card.show(rt, actor(), scope.study_id, code, scope.sites)
        else:
            found = card.show(rt, actor(), scope.study_id, code, scope.sites)
    except (KeyError, RejectedError):
        abort(404)
    return _page(scope, found, replaced=again and not faults, fault=bool(faults)), 422 if faults else 200


def _page(scope: Scope, found: card.Card, *, replaced: bool, fault: bool) -> str:
    return render_template(
        "dashboard/card.html", scope=scope, card=found, sides=card.sides(found), replaced=replaced, fault=fault
    )
