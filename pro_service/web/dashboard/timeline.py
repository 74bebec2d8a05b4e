"""The line of time of one participant: windows, texts, answers, calls and changes on one scale that both ends share.

Windows are where people look, and take a small part of the time: they are drawn wider, and the gaps between them
narrower, by the square root of their length. The scale is the same in every row of the picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import sqrt
from zoneinfo import ZoneInfo

from pro_service.core.case import Case
from pro_service.reports.events import Kind
from pro_service.reports.participant import WindowView
from pro_service.web.dashboard.formatting import short_day, window_shape, word
from pro_service.web.dashboard.story import Entry
from pro_service.web.i18n import MINUTE
from pro_service.web.i18n import gettext as _

WIDER = 2.5
"""So much wider is an open window drawn than a gap of its length."""
LEAST, NEAR, NARROW = 1.2, 7.0, 16.0
"""In percent of the line: the narrowest window; how far dates stand apart, at a desk and on a telephone."""
DAY = timedelta(days=1)
LANES: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    ("texts", ("message", "reply", "reach")),
    ("answers", ("answer",)),
    ("calls", ("call", "task")),
    ("changes", ("change",)),
)


@dataclass(frozen=True, slots=True)
class Span:
    """One window on the line."""

    code: str
    x: float
    width: float
    tone: str
    status: str
    """The word of its state."""
    opens: datetime
    closes: datetime
    earlier: bool = False
    """Of a schedule that another has taken over."""
    labelled: bool = True
    """Whether there is room for its code."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of the picture."""

    name: str
    marks: tuple[tuple[float, Entry], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """The whole picture; every `x` in percent from the left."""

    spans: tuple[Span, ...]
    earlier: tuple[Span, ...]
    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[float, str, bool], ...]
    """(x, date, whether it is left out where the line is short)."""
    now: float


class Scale:
    """From instants to percent of the line."""

    def __init__(self, windows: Sequence[tuple[datetime, datetime]], first: datetime, last: datetime) -> None:
        bounds = {first, last} | {bound for window in windows for bound in window if first <= bound <= last}
        self._stops = [(min(bounds), 0.0)]
        for start, end in pairwise(sorted(bounds)):
            inside = any(opens <= start and end <= closes for opens, closes in windows)
            weight = sqrt((end - start) / DAY) * (WIDER if inside else 1)
            self._stops.append((end, self._stops[-1][1] + weight))
        self._whole = self._stops[-1][1] or 1.0

    def __call__(self, moment: datetime) -> float:
        """Return where a moment stands; what lies beyond the ends stands at them."""
        for (start, low), (end, high) in pairwise(self._stops):
            if moment <= end:
                part = max((moment - start) / (end - start), 0.0)
                return round(100 * (low + part * (high - low)) / self._whole, 2)
        return 100.0


def line(case: Case, windows: Sequence[WindowView], entries: Sequence[Entry], now: datetime) -> Line:
    """Return the picture of everything that is told."""
    current = [view for view in windows if view.facts.cancelled_at is None]
    spans = [(view.facts.span.opens_at, view.facts.span.closes_at) for view in current]
    moments = [now, *(entry.at for entry in entries), *(bound for span in spans for bound in span)]
    moments += [view.facts.span.opens_at for view in windows]
    scale = Scale(spans, min(moments) - DAY / 2, max(moments) + DAY)
    drawn = _spans(current, scale)
    return Line(
        spans=drawn,
        earlier=_spans([view for view in windows if view.facts.cancelled_at is not None], scale),
        lanes=tuple(_lane(name, kinds, entries, scale) for name, kinds in LANES),
        ticks=_ticks(drawn, scale, case.site_zone),
        now=scale(now),
    )


def lane_word(name: str) -> str:
    """Return what a row of the picture is called."""
    return {
        "texts": _("Messages"),
        "answers": _("Answers"),
        "calls": _("Calls, tasks"),
        "changes": _("Changes"),
    }[name]


def _spans(views: Sequence[WindowView], scale: Scale) -> tuple[Span, ...]:
    found: list[Span] = []
    for view in views:
        span, state = view.facts.span, view.status
        x = scale(span.opens_at)
        width = max(scale(span.closes_at) - x, LEAST)
        tone = window_shape(state, at_risk=view.at_risk)
        free = all(abs(x - other.x) >= LEAST * 3 for other in found if other.labelled)
        said = word("shape", "at_risk") if view.at_risk else word("status", state)
        earlier = view.facts.cancelled_at is not None
        found.append(
            Span(view.facts.code, x, round(width, 2), tone, said, span.opens_at, span.closes_at - MINUTE, earlier, free)
        )
    return tuple(found)


def _lane(name: str, kinds: tuple[Kind, ...], entries: Sequence[Entry], scale: Scale) -> Lane:
    mine = sorted(
        (entry for entry in entries if entry.kind in kinds and entry.glyph != "mail"), key=lambda entry: entry.at
    )
    return Lane(name, tuple((scale(entry.at), entry) for entry in mine))


def _ticks(spans: Sequence[Span], scale: Scale, zone: ZoneInfo) -> tuple[tuple[float, str, bool], ...]:
    found: list[tuple[float, str, bool]] = []
    wide = -NARROW
    for span in spans:
        x = scale(span.opens)
        if found and x - found[-1][0] < NEAR:
            continue
        tight = x - wide < NARROW
        wide = wide if tight else x
        found.append((x, short_day(span.opens, zone), tight))
    return tuple(found)
