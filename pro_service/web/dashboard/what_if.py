"""What if the procedure were on this day: windows on a line of time with what is no working day, texts and calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from pro_service.core.enrolment import cells
from pro_service.core.enrolment.cells import CellError
from pro_service.core.protocol import Window
from pro_service.core.replies.folding import visible
from pro_service.core.schedule.forecast import PlannedWindow, WhatIf
from pro_service.core.schedule.windows import local_instant
from pro_service.runtime import Runtime, holiday_names
from pro_service.use_cases.enrolment import preview
from pro_service.use_cases.enrolment.preview import Question
from pro_service.web.access import needs
from pro_service.web.dashboard.formatting import times
from pro_service.web.i18n import beside, language, of, page_stands_in
from pro_service.web.problems import words
from pro_service.web.scope import Scope, in_study
from pro_service.wording import local

DAY = timedelta(days=1)
NOON = time(12)


@dataclass(frozen=True, slots=True)
class Row:
    """One window as the page draws it: places in percent of its line."""

    laid: PlannedWindow
    place: tuple[float, float] = (0, 0)
    """On the line of all: from, width."""
    cells: tuple[tuple[float, float, str], ...] = ()
    """Its days: from, width, kind."""
    target: float = 0
    prompts: tuple[float, ...] = ()
    call: float | None = None
    free: tuple[tuple[date, str], ...] = ()
    """Days on which nobody works, with the holiday's name; empty = weekend."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole answer, drawn."""

    told: WhatIf
    rows: tuple[Row, ...]
    marks: Mapping[str, float] = field(default_factory=dict)
    """Where today and the study's end lie on the line of all."""
    minding: tuple[tuple[str, str], ...] = ()


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the page, and how it says days."""
    pages.app_template_filter("dated")(dated)
    pages.app_template_filter("dated_at")(dated_at)
    pages.app_template_filter("dated_short")(dated_short)
    pages.app_template_filter("dated_moment")(dated_moment)

    @pages.get("/what-if")
    @needs("progress")
    @in_study(rt, named=True)
    def what_if(scope: Scope) -> ResponseReturnValue:
        now = rt.clock()
        question, faults = _question(scope, now)
        shown = None
        if question is not None:
            shown = picture(preview.ask(rt, scope.protocol, question), scope.protocol.sites[question.site].country, now)
        page = render_template(
            "dashboard/what_if.html",
            scope=scope,
            sites=sites_of(scope),
            typed=_typed_values(scope, now),
            faults=faults,
            shown=shown,
            **times(now),
        )
        return page, 422 if faults else 200


def sites_of(scope: Scope) -> dict[str, str]:
    """Return code -> name of the study's sites that the reader may see, in the protocol's order."""
    every = scope.protocol.sites.items()
    return {code: of(site.name) for code, site in every if scope.sites is None or code in scope.site_codes.values()}


def _typed_values(scope: Scope, now: datetime) -> dict[str, str]:
    given = {name: visible(request.args.get(name, "")) for name in ("date", "site", "time", "ask")}
    day = given["date"] if "date" in request.args else local(now, scope.zone).date().isoformat()
    return given | {"date": day}


def _question(scope: Scope, now: datetime) -> tuple[Question | None, dict[str, tuple[str, str]]]:
    """Return the question in the address, or what is wrong with it by field."""
    typed, sites = _typed_values(scope, now), sites_of(scope)
    faults: dict[str, tuple[str, str]] = {}
    day, at = None, None
    try:
        day = cells.day(typed["date"])
    except CellError as error:
        faults["date"] = words(error.problem)
    try:
        at = cells.clock(typed["time"]) if typed["time"] else None
    except CellError as error:
        faults["time"] = words(error.problem)
    site = typed["site"] if typed["site"] in sites else next(iter(sites), None)
    if faults or day is None or site is None:
        return None, faults
    return Question(site, day, at, texts=typed["ask"] != "calls"), {}


def picture(told: WhatIf, country: str, now: datetime) -> Picture:
    """Draw an answer for a site of this country."""
    start = local_instant(told.day, time(), page_stands_in(told.zone))
    spans = [laid.span for laid in told.windows if laid.span is not None]
    ends = [span.late_until for span in spans]
    study_end = None if told.ends is None else local_instant(told.ends + DAY, time(), told.zone)
    whole = max([*ends, start + DAY]) - start
    marks = {"today": now, "end": study_end}
    return Picture(
        told,
        tuple(_row(laid, told.zone, country, start, whole) for laid in told.windows),
        {
            name: 100 * ((at - start) / whole)
            for name, at in marks.items()
            if at is not None and start <= at <= start + whole
        },
        tuple(words(note) for note in told.notes),
    )


def _row(laid: PlannedWindow, zone: ZoneInfo, country: str, start: datetime, whole: timedelta) -> Row:
    span = laid.span
    if span is None:
        return Row(laid)
    length = span.closes_at - span.opens_at

    def at(moment: datetime) -> float:
        return max(0.0, min(100.0, 100 * ((moment - span.opens_at) / length)))

    days = [(local_instant(one.day, time(), zone), one) for one in laid.days]
    return Row(
        laid,
        place=(100 * ((span.opens_at - start) / whole), 100 * (length / whole)),
        cells=tuple((at(first), at(first + DAY) - at(first), one.kind) for first, one in days),
        target=at(_target(span, zone)),
        prompts=tuple(at(one.at) for one in laid.prompts),
        call=None if laid.call is None else at(laid.call),
        free=tuple((one.day, _holiday(one.day, country)) for _, one in days if one.kind != "working"),
    )


def _target(span: Window, zone: ZoneInfo) -> datetime:
    return span.target_at or local_instant(span.target, NOON, zone)


def _holiday(day: date, country: str) -> str:
    return holiday_names(country, day.year, language()).get(day, "")


def dated(day: date) -> str:
    """Return `Tue 20 Jan 2026`, in the reader's language."""
    return format_date(day, "EEE d MMM y", locale=language())


def dated_at(instant: datetime, zone: ZoneInfo) -> str:
    """Return the day of an instant in a zone: `Tue 20 Jan 2026`."""
    return dated(local(instant, zone).date())


def dated_short(day: date) -> str:
    """Return `Tue 20 Jan`, where the year is plain from what stands beside it."""
    return format_date(day, "EEE d MMM", locale=language())


def dated_moment(instant: datetime, zone: ZoneInfo) -> str:
    """Return `Tue 20 Jan 18:30`."""
    at = local(instant, zone)
    return beside(f"{dated_short(at.date())} {at:%H:%M}", zone)
