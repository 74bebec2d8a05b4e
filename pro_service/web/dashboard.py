"""The coordinators' pages: today's work, the grid, compliance."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import escape

from pro_service.reports import compliance, grid
from pro_service.reports.grid import SHAPES, Look
from pro_service.runtime import Runtime
from pro_service.store.participants.cases import zone_of
from pro_service.web import (
    dashboard_acts,
    dashboard_alarms,
    dashboard_card,
    dashboard_compliance,
    dashboard_decisions,
    dashboard_enrol,
    dashboard_import,
    dashboard_inbox,
    dashboard_inbox_text,
    dashboard_messages,
    dashboard_office,
    dashboard_outcomes,
    dashboard_participant,
    dashboard_reach,
    dashboard_revealed,
    dashboard_study,
    dashboard_tasks,
    dashboard_today,
    dashboard_what_if,
    dashboard_words,
)
from pro_service.web.access import needs
from pro_service.web.browsers import secure
from pro_service.web.dashboard_compliance import CHANNELS, chosen, kept, labels
from pro_service.web.dashboard_scope import STUDY_COOKIE, Scope, scope_of
from pro_service.web.dashboard_times import times
from pro_service.web.sheets import Cell, sheet

LONGEST_CODE = 40
SHEET_PAGE = 500


def blueprint(rt: Runtime) -> Blueprint:
    """The dashboard's pages."""
    pages = Blueprint("dashboard", __name__)
    pages.app_template_filter("word")(_word)
    pages.app_template_filter("short_moment")(dashboard_words.short_moment)
    pages.app_template_filter("short_day")(dashboard_words.short_day)
    pages.app_template_global("of")(dashboard_words.of)
    pages.app_template_global("zone_of")(zone_of)
    dashboard_today.add(pages, rt)
    _add_grid(pages, rt)
    _add_study(pages, rt)
    dashboard_alarms.add(pages, rt)
    dashboard_compliance.add(pages, rt)
    dashboard_outcomes.add(pages, rt)
    dashboard_messages.add(pages, rt)
    dashboard_study.add(pages, rt)
    dashboard_participant.add(pages, rt)
    dashboard_office.add(pages, rt)
    dashboard_enrol.add(pages, rt)
    dashboard_import.add(pages, rt)
    dashboard_what_if.add(pages, rt)
    dashboard_card.add(pages, rt)
    dashboard_tasks.add(pages, rt)
    dashboard_acts.add(pages, rt)
    dashboard_decisions.add(pages, rt)
    dashboard_revealed.add(pages, rt)
    dashboard_inbox.add(pages, rt)
    dashboard_reach.add(pages, rt)
    dashboard_inbox_text.add(pages, rt)
    return pages


@pass_context
def _word(_context: Context, code: str, kind: str) -> str:
    """The word of a code. With the context, or a constant would be put into the first reader's language for all."""
    return dashboard_words.word(kind, code)


def _add_grid(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/participants")
    @needs("progress")
    def participants() -> ResponseReturnValue:
        scope, now = scope_of(rt), rt.clock()
        if scope.study_id is None:
            return render_template("dashboard/no_study.html", scope=scope)
        look = _look(scope)
        with rt.sessions.reading() as session:
            if look.search and look.after is None:
                for code in dict.fromkeys((look.search, look.search.upper())):
                    if compliance.loaded_by_code(session, rt.loader, scope.study_id, code, scope.sites) is not None:
                        return redirect(url_for("dashboard.participant", code=code), 303)
            page = grid.participants_page(session, rt.loader, scope.study_id, now, scope.chosen_sites, look)
        return render_template(
            "dashboard/participants.html", scope=scope, grid=page, look=look, rows=_grid_rows(page, now),
            labels=labels(scope), **times(now), shapes=SHAPES, channels=CHANNELS,
            kept=kept("site", "code", "channel", "window"),
        )  # fmt: skip

    @pages.get("/participants.csv")
    @needs("progress")
    def participants_sheet() -> Response:
        scope, now = scope_of(rt), rt.clock()
        if scope.study_id is None:
            abort(404)
        codes = [code for code in labels(scope) if chosen(scope).window in (None, code)]
        head = ["participant", "site", "status"]
        for code in codes:
            head += [f"{code}_status", f"{code}_opens_at", f"{code}_closes_at", f"{code}_answered_at"]
        return sheet(f"{scope.study}-participants", head, _everybody(rt, scope, _look(scope), codes, now))


def _everybody(rt: Runtime, scope: Scope, look: Look | None, codes: list[str], now: datetime) -> Iterator[list[Cell]]:
    """The grid's rows, page after page; each page in a look of its own, so that nobody waits for a slow reader."""
    while look is not None and scope.study_id is not None:
        with rt.sessions.reading() as session:
            page = grid.participants_page(
                session, rt.loader, scope.study_id, now, scope.chosen_sites, look, size=SHEET_PAGE
            )
        for row in page.rows:
            line: list[Cell] = [row.code, row.site, row.status]
            for code in codes:
                cell = row.cells.get(code)
                moments = (None,) * 3 if cell is None else (cell.opens_at, cell.closes_at, cell.answered_at)
                line += [None if cell is None else cell.status, *(compliance.instant(moment) for moment in moments)]
            yield line
        look = None if page.after is None else replace(look, after=page.after)


def _grid_rows(page: grid.Grid, now: datetime) -> list[tuple[grid.GridRow, list[tuple[str, ...] | None]]]:
    """Rows with their cells in words: (time point, shape, what stands there, what the title adds).

    All of it is safe to put into a page as it is: our own words, and codes that are escaped here.
    """
    rows, write = [], dashboard_words.CellWriter(now)
    codes = [str(escape(code)) for code in page.codes]
    for row in page.rows:
        zone = zone_of(row.zone)
        cells: list[tuple[str, ...] | None] = []
        for code, shown in zip(page.codes, codes, strict=True):
            cell = row.cells.get(code)
            cells.append(None if cell is None else (shown, cell.shape, *write(cell, zone)))
        rows.append((row, cells))
    return rows


def _add_study(pages: Blueprint, rt: Runtime) -> None:
    @pages.post("/study")
    @needs("account")
    def study() -> ResponseReturnValue:
        """Look at another study from now on."""
        chosen = next((s for s in scope_of(rt).studies if s == request.form.get("study")), None)
        response = make_response(redirect(url_for("dashboard.today"), 303))
        if chosen is not None:
            response.set_cookie(STUDY_COOKIE, chosen, httponly=True, samesite="Lax", secure=secure(rt))
        return response


def _look(scope: Scope) -> Look:
    asked = chosen(scope)
    return Look(_short("after"), _state(), _short("code"), asked.channel, asked.window)


def _short(name: str) -> str | None:
    return request.args.get(name, "").strip()[:LONGEST_CODE] or None


def _state() -> str | None:
    state = request.args.get("state")
    return state if state in SHAPES else None
