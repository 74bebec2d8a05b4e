"""Queries: the page on which a site answers and the askers close them, and the form that asks one.

A query names a visit and an item, never a value: who answers may have no scores.
"""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.problems import Problem, RejectedError
from pro_service.core.protocol import Protocol, TimePoint
from pro_service.runtime import Runtime
from pro_service.store.participants import cases, queries
from pro_service.store.participants.cases import Loaded
from pro_service.store.participants.queries import Query
from pro_service.use_cases.participants import queries as use_case
from pro_service.use_cases.participants.queries import LONGEST, Asked
from pro_service.web.access import grants, may, may_at, needs
from pro_service.web.i18n import of, page_stands_in
from pro_service.web.problems import by_field
from pro_service.web.scope import NoStudy, Scope, actor, in_study, not_found, sites_of

SHOWN = 100
"""How many queries of each list the page holds."""


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the page and its forms."""
    _add_page(pages, rt)
    _add_form(pages, rt)


def count(rt: Runtime, scope: Scope | NoStudy) -> int:
    """Return how many queries wait for this reader: to be answered, or to be closed."""
    if isinstance(scope, NoStudy) or not may("queries"):
        return 0
    answering, asking = (sites_of(grants(what), scope.study_id) for what in ("reply", "ask"))
    with rt.sessions.glance() as connection:
        return queries.waiting(connection, scope.study_id, answering, asking)


def about_participant(rt: Runtime, loaded: Loaded) -> list[Query]:
    """Return the queries about a participant, where the reader may see them."""
    if not may_at("queries", loaded.study_id, loaded.site_id):
        return []
    with rt.sessions.reading() as session:
        return queries.of_participant(session, rt.vault, loaded.case.participant.id)


def item_words(protocol: Protocol) -> Mapping[str, str]:
    """Return what the items are called."""
    return {code: of(item.short) for code, item in protocol.items.items()}


# --- the page, and what is done on it ---------------------------------------------------------------------------------


def _add_page(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/queries", endpoint="queries")
    @needs("queries")
    @in_study(rt, named=True)
    def every(scope: Scope) -> ResponseReturnValue:
        """Show those that wait, the reader's first, and the newest that are closed; or all about one participant."""
        return _page(rt, scope)

    @pages.post("/queries/<int:query_id>/answer")
    @needs("reply")
    @in_study(rt, named=True, otherwise=not_found)
    def answer_query(scope: Scope, query_id: int) -> ResponseReturnValue:
        words = request.form.get("words", "")
        try:
            use_case.answer(rt, actor(), scope.study_id, query_id, words, sites=scope.sites)
        except KeyError:
            abort(404)
        except RejectedError as rejected:
            return _page(rt, scope, rejected.faults), HTTPStatus.UNPROCESSABLE_ENTITY
        return redirect(url_for("dashboard.queries", done="answered", study=scope.named), HTTPStatus.SEE_OTHER)

    @pages.post("/queries/<int:query_id>/close")
    @needs("ask")
    @in_study(rt, named=True, otherwise=not_found)
    def close_query(scope: Scope, query_id: int) -> ResponseReturnValue:
        try:
            use_case.close(rt, actor(), scope.study_id, query_id, sites=scope.sites)
        except KeyError:
            abort(404)
        except RejectedError as rejected:
            return _page(rt, scope, rejected.faults), HTTPStatus.CONFLICT
        return redirect(url_for("dashboard.queries", done="closed", study=scope.named), HTTPStatus.SEE_OTHER)


def _page(rt: Runtime, scope: Scope, faults: tuple[Problem, ...] = ()) -> str:
    seen = sites_of(grants("queries"), scope.study_id)
    chosen = scope.chosen_sites if scope.site is not None else seen
    whose = request.args.get("participant", "")
    with rt.sessions.reading() as session:
        if whose:
            loaded = cases.load_by_code(session, rt.loader, scope.study_id, whose, seen)
            if loaded is None:
                abort(404)
            found = queries.of_participant(session, rt.vault, loaded.case.participant.id)
        else:
            found = [
                query
                for closed in (False, True)
                for query in queries.of_study(session, rt.vault, scope.study_id, chosen, closed=closed, limit=SHOWN)
            ]
    mine = [query for query in found if _waits_for_reader(scope, query)]
    return render_template(
        "dashboard/queries.html",
        scope=scope,
        whose=whose,
        mine=mine,
        others=[query for query in found if query not in mine and query.state != "closed"],
        closed=[query for query in found if query.state == "closed"],
        visits=_visits(scope),
        items=item_words(scope.protocol),
        most=SHOWN,
        longest=LONGEST,
        may_close=lambda query: may_at("ask", scope.study_id, query.site_id),
        may_correct=lambda query: query.has_window and may_at("work", scope.study_id, query.site_id),
        prompted={point.code for point in scope.protocol.time_points if point.prompted},
        faults=by_field(faults),
        typed=request.form.get("words", ""),
        done=request.args.get("done"),
    )


def _waits_for_reader(scope: Scope, query: Query) -> bool:
    whose_turn: Mapping[str, bool] = {
        "open": may_at("reply", scope.study_id, query.site_id),
        "answered": may_at("ask", scope.study_id, query.site_id),
    }
    return whose_turn.get(query.state, False)


def _visits(scope: Scope) -> Mapping[str, str]:
    return {point.code: of(point.label) for point in scope.protocol.time_points}


# --- the form that asks -----------------------------------------------------------------------------------------------


def _add_form(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/participants/<code>/ask/<visit>")
    @needs("ask")
    @in_study(rt, named=True, otherwise=not_found)
    def ask(scope: Scope, code: str, visit: str) -> ResponseReturnValue:
        """Show the form; `item` in the address chooses a value."""
        return _form(rt, scope, code, visit)

    @pages.post("/participants/<code>/ask/<visit>")
    @needs("ask")
    @in_study(rt, named=True, otherwise=not_found)
    def asked(scope: Scope, code: str, visit: str) -> ResponseReturnValue:
        about = Asked(visit, request.form.get("item") or None, request.form.get("words", ""))
        try:
            use_case.ask(rt, actor(), scope.study_id, code, about, sites=scope.sites)
        except KeyError:
            abort(404)
        except RejectedError as rejected:
            return _form(rt, scope, code, visit, rejected.faults), HTTPStatus.UNPROCESSABLE_ENTITY
        back = url_for("dashboard.participant", code=code, study=scope.named, done="asked")
        return redirect(back, HTTPStatus.SEE_OTHER)


def _form(rt: Runtime, scope: Scope, code: str, visit: str, faults: tuple[Problem, ...] = ()) -> str:
    with rt.sessions.reading() as session:
        loaded = cases.load_by_code(session, rt.loader, scope.study_id, code, scope.sites)
        items = None if loaded is None else use_case.items_of(loaded, visit)
        if loaded is None or items is None:
            abort(404)
        before = queries.of_participant(session, rt.vault, loaded.case.participant.id)
    case = loaded.case
    return render_template(
        "dashboard/query_ask.html",
        scope=scope,
        person=case.participant,
        point=_point(loaded, visit),
        items=[case.protocol.items[item] for item in items],
        chosen=request.values.get("item", ""),
        typed=request.form.get("words", ""),
        before=[query for query in before if query.visit == visit and query.state != "closed"],
        item_words=item_words(case.protocol),
        longest=LONGEST,
        faults=by_field(faults),
        zone=page_stands_in(case.site_zone),
    )


def _point(loaded: Loaded, visit: str) -> TimePoint:
    points = [window.point for window in loaded.case.current] + list(loaded.case.protocol.time_points)
    return next(point for point in points if point.code == visit)
