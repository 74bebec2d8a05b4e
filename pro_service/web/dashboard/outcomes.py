"""Derived outcomes beside compliance, for roles that may see scores: responders, how reductions are spread, a file."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from pro_service.core.scores import BOUNDS, FORMULA_VERSION, Derived
from pro_service.reports import outcomes
from pro_service.reports.outcomes import Counts
from pro_service.runtime import Runtime
from pro_service.store.studies import Sites
from pro_service.web.access import needs
from pro_service.web.cached_figures import CachedFigures
from pro_service.web.csv_export import Cell, sheet
from pro_service.web.dashboard.compliance import filters, kept_in_address, labels
from pro_service.web.dashboard.formatting import times
from pro_service.web.i18n import gettext as _
from pro_service.web.scope import Scope, in_study, leaves_row, not_found

WORTH = 100
"""What took a second to count is shown for a hundred seconds,"""
LONGEST = timedelta(minutes=15)
"""but not for longer than this."""
HEAD = (
    "participant",
    "site",
    "window",
    "item",
    "baseline",
    "followup",
    "percent_reduction",
    "absolute_change",
    "responder30",
    "responder50",
    "pgic_responder",
    "clinical_improvement",
    "reason",
    "formula_version",
)


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the page and its table file."""
    cache = CachedFigures(rt.clock, kept_for=LONGEST, worth=WORTH)

    def count(scope: Scope, now: datetime) -> Counts:
        with rt.sessions.reading() as session:
            return outcomes.counts(session, scope.study_id, scope.protocol, now)

    @pages.get("/compliance/outcomes", endpoint="outcomes")
    @needs("scores")
    @in_study(rt)
    @leaves_row(rt, "outcomes")
    def outcomes_page(scope: Scope) -> ResponseReturnValue:
        look = filters(scope)
        counted = cache.figures(scope.study_id, lambda now: count(scope, now))
        found = outcomes.outcomes(counted, scope.protocol, look.sites, look.window)
        baseline = scope.protocol.baseline
        codes = {code: name for code, name in labels(scope).items() if baseline is None or code != baseline.code}
        return render_template(
            "dashboard/outcomes.html",
            scope=scope,
            look=look,
            found=found,
            at=counted.at,
            labels=codes,
            kept=kept_in_address("site", "window"),
            classes=classes(),
            version=FORMULA_VERSION,
            items=scope.protocol.items,
            **times(counted.at),
        )

    @pages.get("/compliance/outcomes.csv")
    @needs("scores")
    @in_study(rt, otherwise=not_found)
    @leaves_row(rt, "outcomes.csv")
    def outcomes_sheet(scope: Scope) -> ResponseReturnValue:
        look = filters(scope)
        rows = _rows(rt, scope.study_id, look.sites, look.window)
        return sheet(rt, f"{scope.study}-outcomes", HEAD, rows)


def classes() -> tuple[str, ...]:
    """Return what the classes of percent reduction are called, in order."""
    between = [_("{a} to under {b} percent").format(a=a, b=b) for a, b in pairwise(BOUNDS)]
    return (_("worse"), *between, _("{a} percent or more").format(a=BOUNDS[-1]))


def _rows(rt: Runtime, study_id: int, sites: Sites, window: str | None) -> Iterator[tuple[Cell, ...]]:
    """Participant after participant; each batch in a look of its own, so that nobody waits for a slow reader."""
    after: str | None = ""
    while after is not None:
        with rt.sessions.reading() as session:
            lines, after = outcomes.lines(session, rt.loader, study_id, rt.clock(), sites, after)
        yield from (
            (person, site, code, *_cells(value)) for person, site, code, value in lines if window in (None, code)
        )


def _cells(value: Derived) -> tuple[Cell, ...]:
    return (
        value.item,
        value.baseline,
        value.followup,
        value.percent_reduction,
        value.absolute_change,
        _yes(value.responder30),
        _yes(value.responder50),
        _yes(value.pgic_responder),
        _yes(value.clinical_improvement),
        value.reason,
        value.formula_version,
    )


def _yes(value: bool | None) -> Cell:  # noqa: FBT001 -- a value, not a switch
    return None if value is None else int(value)
