"""Derived outcomes of many windows: n/N with both denominators, why there is none, and how the reduction is spread.

Windows are counted by their pair of values, of which there are few: every pair is derived by `scoring`, so the formula
stands there alone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from pro_service.core.scoring import FORMULA_VERSION, Derived, derive, derive_impression

Pair: TypeAlias = tuple[int | None, int | None]
"""(baseline, follow-up) of one item; None = no value."""

BOUNDS = (0, 30, 50, 75)
"""Where one class of percent reduction ends and the next begins: below 0 is worse than at the baseline."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of those who were judged; and of all who were due, where whoever was not counts as a failure."""

    yes: int
    judged: int
    due: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """One item in one window."""

    window: str
    item: str
    due: int
    """Windows that were due and have closed."""
    valued: int
    """Of these, those in which the item has a value, in time or late."""
    responder30: Share | None
    """None for an item that carries its own comparison; then `pgic_responder`."""
    responder50: Share | None
    pgic_responder: Share | None
    reasons: Mapping[str, int]
    """Why there is no value, and in how many windows."""
    classes: tuple[int, ...]
    """Windows by percent reduction, parted by `BOUNDS`; empty where there is none."""
    percent: tuple[float, float, float] | None
    """Quartiles of the percent reduction."""
    change: tuple[float, float, float] | None
    """Quartiles of the absolute change."""
    formula_version: str = FORMULA_VERSION


def outcome(window: str, item: str, due: int, pairs: Mapping[Pair, int], *, compared: bool) -> Outcome:
    """Judge an item in a window of which `due` were due, by its pairs of those with a value.

    `compared`: the baseline asks it too; else it carries its own comparison.
    """
    valued = sum(n for (_, followup), n in pairs.items() if followup is not None)
    judged = [
        (derive(item, *pair) if compared else derive_impression(item, pair[1]), n)
        for pair, n in pairs.items()
        if pair[1] is not None
    ]
    reasons: Counter[str] = Counter()
    for derived, n in judged:
        if derived.reason is not None:
            reasons[derived.reason] += n
    if due > valued:
        reasons["followup_missing"] += due - valued
    percents = [(Fraction(one.percent_reduction), n) for one, n in judged if one.percent_reduction is not None]
    changes = [(Fraction(one.absolute_change), n) for one, n in judged if one.absolute_change is not None]
    return Outcome(
        window=window,
        item=item,
        due=due,
        valued=valued,
        responder30=_share(judged, "responder30", due) if compared else None,
        responder50=_share(judged, "responder50", due) if compared else None,
        pgic_responder=None if compared else _share(judged, "pgic_responder", due),
        reasons=dict(sorted(reasons.items())),
        classes=_classes(percents) if compared else (),
        percent=_quartiles(percents),
        change=_quartiles(changes),
    )


def _share(judged: Iterable[tuple[Derived, int]], name: str, due: int) -> Share:
    counts: Counter[bool] = Counter()
    for derived, n in judged:
        met: bool | None = getattr(derived, name)
        if met is not None:
            counts[met] += n
    return Share(counts[True], counts.total(), due)


def _classes(percents: Iterable[tuple[Fraction, int]]) -> tuple[int, ...]:
    found = [0] * (len(BOUNDS) + 1)
    for percent, n in percents:
        found[sum(percent >= bound for bound in BOUNDS)] += n
    return tuple(found)


def _quartiles(values: Iterable[tuple[Fraction, int]]) -> tuple[float, float, float] | None:
    """The smallest values that a quarter, half and three quarters do not exceed; None where there are none."""
    ordered = sorted(values)
    whole = sum(n for _, n in ordered)
    if not whole:
        return None
    found: list[float] = []
    passed = 0
    for value, n in ordered:
        passed += n
        while len(found) < len(_QUARTERS) and passed >= _QUARTERS[len(found)] * whole:
            found.append(float(value))
    return found[0], found[1], found[2]


_QUARTERS = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
