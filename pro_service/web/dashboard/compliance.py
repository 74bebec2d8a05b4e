"""The compliance page: rates, their course and parts, what is due, who is at risk; and the rates as a table file."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from pro_service.core.protocol import Channel
from pro_service.reports import ahead, breakdown
from pro_service.reports.ahead import Day, Times
from pro_service.reports.breakdown import Breakdown, Chosen
from pro_service.reports.compliance import ComplianceRow, left_during
from pro_service.runtime import Runtime
from pro_service.store import heartbeats
from pro_service.store.database import Session
from pro_service.store.participants.cases import Loader
from pro_service.store.participants.counts import CALLS
from pro_service.web.access import needs
from pro_service.web.cached_figures import AsOf
from pro_service.web.csv_export import Cell, sheet
from pro_service.web.dashboard import formatting
from pro_service.web.dashboard.formatting import times
from pro_service.web.i18n import language
from pro_service.web.scope import Scope, scope_of

CHANNELS: tuple[str, ...] = (*get_args(Channel), CALLS)
MONTHS = 24
"""So many months, the newest, stand in the picture; the table file has all."""
COUNTS = ("completed_in_window", "late", "partial", "declined", "missed")
"""What a bar is made of, and what left during the window."""
TONES = ("completed_in_window", "completed_late", "partial", "declined", "missed", "not_applicable")


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """The page and its table file."""
    pages.app_template_filter("parts")(parts)
    pages.app_template_filter("month")(month)
    pages.app_template_filter("weekday")(weekday)

    known = AsOf()

    @pages.get("/compliance")
    @needs("progress")
    def compliance() -> ResponseReturnValue:
        scope, now = scope_of(rt), rt.clock()
        if scope.study_id is None or scope.protocol is None:
            return render_template("dashboard/no_study.html", scope=scope)
        look, study_id = chosen(scope), scope.study_id
        with rt.sessions.reading() as session:
            tick = heartbeats.last(session, "tick")
            found, due, took = known.told(
                (study_id, look), tick, now, lambda: _counted(session, rt.loader, study_id, now, scope.zone, look)
            )
            risk = ahead.risk(session, rt.loader, study_id, scope.protocol, now, look)
        over = "so_far" if request.args.get("over") == "so_far" else "months"
        course = dict(list((found.so_far if over == "so_far" else found.months).items())[-MONTHS:])
        return render_template(
            "dashboard/compliance.html", scope=scope, look=look, found=found, over=over, course=course, tones=TONES,
            channels=CHANNELS, left=left_during, kept=kept("site", "channel", "window", "over"),
            labels=labels(scope), span=span, due=due, took=took, risk=risk, heartbeat=tick, **times(now),
        )  # fmt: skip

    @pages.get("/compliance.csv")
    @needs("progress")
    def compliance_sheet() -> Response:
        scope, now = scope_of(rt), rt.clock()
        if scope.study_id is None:
            abort(404)
        with rt.sessions.reading() as session:
            found = breakdown.breakdown(session, rt.loader, scope.study_id, now, chosen(scope))
        head = ("by", "value", "due", *COUNTS, "left_during", "missed_before_enrolment", "rate_in_window", "rate_any")
        return sheet(f"{scope.study}-compliance", head, _lines(found, scope))


def _counted(
    session: Session, loader: Loader, study_id: int, now: datetime, zone: ZoneInfo, look: Chosen
) -> tuple[Breakdown, list[Day], Times]:
    """What the page tells as of the last tick; who is at risk it looks up."""
    return (
        breakdown.breakdown(session, loader, study_id, now, look),
        ahead.due(session, study_id, now, zone, look),
        ahead.times(session, study_id, now, look),
    )


def chosen(scope: Scope) -> Chosen:
    """What the address asks for; what it asks for in vain is left out."""
    codes = () if scope.protocol is None else [point.code for point in scope.protocol.time_points]
    channel, window = request.args.get("channel"), request.args.get("window")
    return Chosen(scope.chosen_sites, channel if channel in CHANNELS else None, window if window in codes else None)


def labels(scope: Scope) -> dict[str, str]:
    """What the newest protocol calls its time points, in the reader's language."""
    points = () if scope.protocol is None else scope.protocol.time_points
    return {point.code: formatting.of(point.label) for point in points}


def kept(*names: str) -> dict[str, str]:
    """What stays in the address when one thing of it is chosen anew."""
    return {name: request.args[name] for name in names if request.args.get(name)}


def parts(row: ComplianceRow) -> list[tuple[str, int]]:
    """(tone, how many) of everything that was due, in the order of a bar."""
    counts: Mapping[str, Any] = row
    return list(zip(TONES, (*(counts[name] for name in COUNTS), left_during(row)), strict=True))


def month(value: str) -> str:
    """`2026-03` as the reader says it: `Mar 26`."""
    return format_date(date.fromisoformat(f"{value}-01"), "MMM yy", locale=language())


def weekday(value: date) -> str:
    """A day of the week as the reader says it: `Tue`."""
    return format_date(value, "EEE", locale=language())


def span(value: timedelta) -> str:
    """A length of time as people say it."""
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
