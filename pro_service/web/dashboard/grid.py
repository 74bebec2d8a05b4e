"""The grid: every participant with every window, page by page; and the same as a table file."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import escape

from pro_service.core import iso8601
from pro_service.core.replies.folding import visible
from pro_service.reports import grid
from pro_service.reports.grid import ORDERS, SHAPES, Look, Order
from pro_service.runtime import Runtime
from pro_service.store.participants.cases import zone_of
from pro_service.web.access import needs
from pro_service.web.csv_export import Cell, sheet
from pro_service.web.dashboard import formatting
from pro_service.web.dashboard.compliance import CHANNELS, filters, kept_in_address, labels
from pro_service.web.dashboard.formatting import times
from pro_service.web.i18n import gettext as _
from pro_service.web.scope import Scope, in_study, leaves_row, not_found

LONGEST_CODE = 40
SHEET_PAGE = 500


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the grid and its file."""

    @pages.get("/participants")
    @needs("progress")
    @in_study(rt)
    def participants(scope: Scope) -> ResponseReturnValue:
        now = rt.clock()
        look = _filters(scope)
        with rt.sessions.reading() as session:
            page = grid.participants_page(session, rt.loader, scope.study_id, now, scope.chosen_sites, look)
        return render_template(
            "dashboard/participants.html",
            scope=scope,
            grid=page,
            look=look,
            rows=_grid_rows(page, now),
            labels=labels(scope),
            **times(now),
            shapes=SHAPES,
            channels=CHANNELS,
            kept=kept_in_address("site", "code", "channel", "window", "order"),
            orders=_order_links(look),
            nobody="nobody" in request.args,
        )

    @pages.get("/participants.csv")
    @needs("progress")
    @in_study(rt, otherwise=not_found)
    @leaves_row(rt, "participants.csv")
    def participants_sheet(scope: Scope) -> ResponseReturnValue:
        now = rt.clock()
        codes = [code for code in labels(scope) if filters(scope).window in (None, code)]
        head = ["participant", "site", "status", "procedure_date", "channel"]
        for code in codes:
            head += [f"{code}_status", f"{code}_opens_at", f"{code}_closes_at", f"{code}_answered_at"]
        return sheet(rt, f"{scope.study}-participants", head, _sheet_lines(rt, scope, _filters(scope), codes, now))


def _sheet_lines(rt: Runtime, scope: Scope, look: Look | None, codes: list[str], now: datetime) -> Iterator[list[Cell]]:
    """The grid's rows, page after page; each page in a look of its own, so that nobody waits for a slow reader."""
    while look is not None:
        with rt.sessions.reading() as session:
            page = grid.participants_page(
                session, rt.loader, scope.study_id, now, scope.chosen_sites, look, size=SHEET_PAGE
            )
        for row in page.rows:
            line: list[Cell] = [row.code, row.site, row.status, row.procedure_date.isoformat(), row.channel]
            for code in codes:
                cell = row.cells.get(code)
                moments = (None,) * 3 if cell is None else (cell.opens_at, cell.closes_at, cell.answered_at)
                line += [None if cell is None else cell.status, *(iso8601.instant_text(moment) for moment in moments)]
            yield line
        look = None if page.after is None else replace(look, after=page.after)


def _order_links(look: Look) -> list[tuple[str, str, Order, bool]]:
    """Return the orders of the list: (words, arrow, the order that a press asks for, whether it is the present one)."""
    first: tuple[tuple[str, Order, Order], ...] = (
        (_("Code"), "code", "-code"),
        (_("Procedure"), "-procedure", "procedure"),
    )
    found = []
    for words, usual, other in first:
        here = look.order in (usual, other)
        shown = look.order if here else usual
        found.append((words, "↓" if shown.startswith("-") else "↑", other if look.order == usual else usual, here))
    return found


CHANNEL_SHAPES = {
    "sms-reply": "text",
    "sms-link": "link",
    "sms-card": "card",
    "email-link": "link",
    "whatsapp": "text",
    "calls": "call",
}
Row = tuple[grid.GridRow, str, str, str, list[tuple[str, ...] | None]]


def _grid_rows(page: grid.Grid, now: datetime) -> list[Row]:
    """Return (row, the procedure's day, shape and word of the channel, cells) in words.

    A cell is (time point, shape or nothing, what stands there, what the title adds). All of it is safe to put into a
    page as it is: our own words, and codes that are escaped here.
    """
    rows: list[Row] = []
    write, channels = formatting.CellWriter(now), formatting.words("channel")
    codes = [str(escape(code)) for code in page.codes]
    waits = (
        str(escape(_("end?"))),
        str(escape(_("there is no window yet, because the end of the procedure is not known."))),
    )
    for row in page.rows:
        zone = zone_of(row.zone)
        cells: list[tuple[str, ...] | None] = []
        for code, shown in zip(page.codes, codes, strict=True):
            cell = row.cells.get(code)
            if cell is not None:
                cells.append((shown, cell.shape, *write(cell, zone)))
            else:
                cells.append((shown, "", *waits) if code in row.without_end else None)
        day = formatting.day_and_month(row.procedure_date)
        rows.append((row, day, CHANNEL_SHAPES[row.channel], channels[row.channel], cells))
    return rows


def _filters(scope: Scope) -> Look:
    asked = filters(scope)
    order: Order = next((one for one in ORDERS if one == request.args.get("order")), ORDERS[0])
    return Look(_short("after"), _state(), _short("code"), asked.channel, asked.window, order)


def _short(name: str) -> str | None:
    return visible(request.args.get(name, ""))[:LONGEST_CODE] or None


def _state() -> str | None:
    state = request.args.get("state")
    return state if state in SHAPES else None
