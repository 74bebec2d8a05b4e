"""The printed cards: which are due, many of them on sheets, and that they were handed over."""

from collections.abc import Sequence
from datetime import date

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.problems import Problem, RejectedError, problem
from pro_service.core.schedule.calendar import local_day
from pro_service.reports import cards
from pro_service.runtime import Runtime
from pro_service.use_cases.participants import card
from pro_service.web.access import needs
from pro_service.web.dashboard.formatting import times
from pro_service.web.problems import words
from pro_service.web.scope import Scope, actor, in_study, not_found

LONGEST = 4000
"""Characters of codes that an address repeats."""


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the list, the sheets, and what is said about the cards that were handed over."""
    _add_lists(pages, rt)
    _add_handing_over(pages, rt)


def _add_lists(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/cards", endpoint="cards")
    @needs("work")
    @in_study(rt, named=True)
    def due_cards(scope: Scope) -> ResponseReturnValue:
        return _list_page(rt, scope)

    @pages.post("/cards/sheets")
    @needs("work")
    @in_study(rt, named=True, otherwise=not_found)
    def card_sheets(scope: Scope) -> ResponseReturnValue:
        """Make what is not made yet of these cards, and show them on sheets; who looked is kept."""
        codes = _chosen()
        if not codes:
            return _list_page(rt, scope, (problem("nobody_chosen", "code"),)), 422
        try:
            shown = card.show_many(rt, actor(), scope.study_id, codes, scope.sites)
        except KeyError:
            abort(404)
        except RejectedError as rejected:
            return _list_page(rt, scope, rejected.faults), 422
        return render_template(
            "dashboard/card_sheets.html",
            scope=scope,
            codes=codes,
            sheets=card.sheets(shown),
            count=card.count_sheets(shown),
            today=_today(rt, scope),
        )


def _add_handing_over(pages: Blueprint, rt: Runtime) -> None:
    @pages.post("/cards/handed")
    @needs("work")
    @in_study(rt, named=True, otherwise=not_found)
    def cards_handed(scope: Scope) -> ResponseReturnValue:
        """Write down that these cards were handed over."""
        return _said(rt, scope, handed=True)

    @pages.post("/cards/back")
    @needs("work")
    @in_study(rt, named=True, otherwise=not_found)
    def cards_back(scope: Scope) -> ResponseReturnValue:
        """Write down that they were not handed over after all."""
        return _said(rt, scope, handed=False)


def _said(rt: Runtime, scope: Scope, *, handed: bool) -> ResponseReturnValue:
    codes = _chosen()
    if not codes:
        return _list_page(rt, scope, (problem("nobody_chosen", "code"),)), 422
    try:
        if handed:
            card.hand_over(rt, actor(), scope.study_id, codes, _day(), scope.sites)
        else:
            card.take_back(rt, actor(), scope.study_id, codes, scope.sites)
    except KeyError:
        abort(404)
    except RejectedError as rejected:
        return _list_page(rt, scope, rejected.faults), 422
    done = "handed" if handed else "back"
    if request.form.get("then") == "participant":
        return redirect(url_for("dashboard.participant", code=codes[0], study=scope.named, done=done), 303)
    return redirect(url_for("dashboard.cards", study=scope.named, done=done, of=",".join(codes)[:LONGEST]), 303)


def _chosen() -> list[str]:
    return list(dict.fromkeys(request.form.getlist("code")))


def _day() -> date | None:
    """The day that was filled in; None for today."""
    text = request.form.get("on", "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise RejectedError((problem("no_handing_day", "on"),)) from None


def _today(rt: Runtime, scope: Scope) -> date:
    return local_day(rt.clock(), scope.zone)


def _list_page(rt: Runtime, scope: Scope, faults: Sequence[Problem] = ()) -> str:
    now, done = rt.clock(), request.args.get("done")
    with rt.sessions.reading() as session:
        found = cards.cards(session, rt.loader, scope.study_id, now, scope.sites)
    return render_template(
        "dashboard/cards.html",
        scope=scope,
        cards=found,
        most=cards.SHOWN,
        a_sheet=card.TO_A_SHEET,
        faults=[words(fault) for fault in faults],
        chosen=frozenset(_chosen()),
        first=request.method == "GET",
        done=done if done in ("handed", "back") else None,
        of=[code for code in request.args.get("of", "").split(",") if code],
        today=local_day(now, scope.zone),
        **times(now),
    )
