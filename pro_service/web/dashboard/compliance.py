"""The compliance page: rates, their course and parts, what is due, who is at risk; and the rates as a table file."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, get_args

from babel.dates import format_date
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from pro_service.core.protocol import Channel
from pro_service.reports import ahead, breakdown
from pro_service.reports.ahead import Day, Times
from pro_service.reports.breakdown import Breakdown, Chosen
from pro_service.reports.compliance import ComplianceRow, left_during
from pro_service.runtime import Runtime
from pro_service.store import heartbeats
from pro_service.store.participants.cases import Loader
from pro_service.store.participants.counts import CALLS
from pro_service.store.session import Session
from pro_service.web.access import needs
from pro_service.web.cached_figures import A_MINUTE, CachedFigures
from pro_service.web.csv_export import Cell, sheet
from pro_service.web.dashboard import formatting
from pro_service.web.dashboard.formatting import times
from pro_service.web.i18n import language, of
from pro_service.web.scope import Scope, in_study, leaves_row, not_found

CHANNELS: tuple[str, ...] = (*get_args(Channel), CALLS)
MONTHS = 24
"""So many months, the newest, stand in the picture; the table file has all."""
COUNTS = ("completed_in_window", "late", "partial", "declined", "missed")
"""What a bar is made of, and what left during the window."""
TONES = ("completed_in_window", "completed_late", "partial", "declined", "missed", "not_applicable")


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the page and its table file."""
    pages.app_template_filter("parts")(parts)
    pages.app_template_filter("month")(month)
    pages.app_template_filter("weekday")(weekday)

    cache = CachedFigures(rt.clock, kept_for=A_MINUTE)

    @pages.get("/compliance", endpoint="compliance")
    @needs("progress")
    @in_study(rt)
    def compliance_page(scope: Scope) -> ResponseReturnValue:
        now = rt.clock()
        look = filters(scope)
        with rt.sessions.reading() as session:
            tick = heartbeats.last(session, "tick")
            found, due, took = cache.as_of(
                tick, now, (scope.study_id, look), lambda at: _count(session, rt.loader, scope, at, look)
            )
            risk = ahead.risk(session, rt.loader, scope.study_id, scope.protocol, now, look)
        over = "so_far" if request.args.get("over") == "so_far" else "months"
        course = list((found.so_far if over == "so_far" else found.months).items())[-MONTHS:]
        names = labels(scope)
        return render_template(
            "dashboard/compliance.html",
            scope=scope,
            look=look,
            found=found,
            over=over,
            by_window=[(row["code"], names.get(row["code"], ""), row) for row in found.windows],
            by_month=[(month(value), "", row) for value, row in course],
            by_site=[(code, "", found.sites[key]) for key, code in scope.site_codes.items() if key in found.sites],
            by_channel=[(formatting.word("channel", code), "", row) for code, row in found.channels.items()],
            tones=TONES,
            channels=CHANNELS,
            left=left_during,
            kept=kept_in_address("site", "channel", "window", "over"),
            labels=names,
            span=span,
            due=due,
            took=took,
            risk=risk,
            heartbeat=tick,
            **times(now),
        )

    @pages.get("/compliance.csv")
    @needs("progress")
    @in_study(rt, otherwise=not_found)
    @leaves_row(rt, "compliance.csv")
    def compliance_sheet(scope: Scope) -> ResponseReturnValue:
        now = rt.clock()
        with rt.sessions.reading() as session:
            found = breakdown.breakdown(session, rt.loader, scope.study_id, now, filters(scope))
        head = ("by", "value", "due", *COUNTS, "left_during", "missed_before_enrolment", "rate_in_window", "rate_any")
        return sheet(rt, f"{scope.study}-compliance", head, _lines(found, scope))


def _count(
    session: Session, loader: Loader, scope: Scope, now: datetime, look: Chosen
) -> tuple[Breakdown, list[Day], Times]:
    """Count what the page shows as of the last tick; who is at risk is looked up each time."""
    return (
        breakdown.breakdown(session, loader, scope.study_id, now, look),
        ahead.due(session, scope.study_id, now, scope.zone, look),
        ahead.times(session, scope.study_id, now, look),
    )


def filters(scope: Scope) -> Chosen:
    """Return what the address asks for; what there is not is left out."""
    codes = [point.code for point in scope.protocol.time_points]
    channel, window = request.args.get("channel"), request.args.get("window")
    return Chosen(scope.chosen_sites, channel if channel in CHANNELS else None, window if window in codes else None)


def labels(scope: Scope) -> dict[str, str]:
    """Return what the newest protocol calls its time points, in the reader's language, by their codes."""
    return {point.code: of(point.label) for point in scope.protocol.time_points}


def kept_in_address(*names: str) -> dict[str, str]:
    """Return what stays in the address when something else in it is chosen."""
    return {name: request.args[name] for name in names if request.args.get(name)}


def parts(row: ComplianceRow) -> list[tuple[str, int]]:
    """Return (tone, how many) of everything that was due, in the order of a bar."""
    counts: Mapping[str, Any] = row
    return list(zip(TONES, (*(counts[name] for name in COUNTS), left_during(row)), strict=True))


def month(value: str) -> str:
    """Return `2026-03` as the reader says it: `Mar 26`."""
    return format_date(date.fromisoformat(f"{value}-01"), "MMM yy", locale=language())


def weekday(value: date) -> str:
    """Return a day of the week as the reader says it: `Tue`."""
    return format_date(value, "EEE", locale=language())


def span(value: timedelta) -> str:
    """Return a length of time as people say it."""
    unit, n = formatting.measured(value)
    return formatting.word("time", unit).format(n=n)


def _lines(found: Breakdown, scope: Scope) -> Iterator[tuple[Cell, ...]]:
    yield _line("all", "", found.all)
    yield from (_line("window", row["code"], row) for row in found.windows)
    yield from (_line("site", scope.site_codes.get(key, ""), row) for key, row in found.sites.items())
    yield from (_line("channel", key, row) for key, row in found.channels.items())
    yield from (_line("month", key, row) for key, row in found.months.items())
    yield from (_line("until month", key, row) for key, row in found.so_far.items())
    if found.complete is not None:
        done, of = found.complete
        yield ("complete cases", "", of, done)


def _line(by: str, value: str, row: ComplianceRow) -> tuple[Cell, ...]:
    counts: Mapping[str, Any] = row
    rates = (row["missed_before_enrolment"], row["rate_in_window"], row["rate_any"])
    return (by, value, row["due"], *(counts[name] for name in COUNTS), left_during(row), *rates)
