"""Values worked out from answers, and how they are spread over many windows.

Of one answer: percentage reduction, responders, global impression. No binary fraction takes part: responders are
decided in whole numbers, so 10 → 7 is 30 %.

Of many windows: n/N with both denominators, why there is no value, and how the reduction is spread. Windows are counted
by their pair of values, of which there are few, and every pair is derived by `derive`, so the formula stands there
alone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

FORMULA_VERSION = "1"
"""Stored with every derived value; a change of any rule below needs a new version."""
BOUNDS = (0, 30, 50, 75)
"""Where one class of percent reduction ends and the next begins: below 0 is worse than at the baseline."""
_MUCH_IMPROVED = 2
_QUARTERS = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
Reason = Literal["baseline_zero", "baseline_missing", "followup_missing"]
Pair: TypeAlias = tuple[int | None, int | None]
"""(baseline, follow-up) of one item; None = no value."""


@dataclass(frozen=True, slots=True)
class Derived:
    """What one answer says beside its value. Every None has its cause in `reason`.

    `percent_reduction` in percent with two decimals, negative when worse, never clipped;
    `absolute_change` in points of the item, baseline minus follow-up.
    """

    item: str
    baseline: int | None
    followup: int | None
    percent_reduction: Decimal | None = None
    absolute_change: int | None = None
    responder30: bool | None = None
    responder50: bool | None = None
    pgic_responder: bool | None = None
    reason: Reason | None = None
    formula_version: str = FORMULA_VERSION

    @property
    def clinical_improvement(self) -> bool | None:
        """Placeholder: the same as `pgic_responder` until the investigator defines it."""
        return self.pgic_responder


@dataclass(frozen=True, slots=True)
class Share:
    """How many responded: of the windows with a result, and of all that were due (no result counts as a failure)."""

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
    """How many windows lie in each class of percent reduction, divided at `BOUNDS`; empty if nothing is compared."""
    percent: tuple[float, float, float] | None
    """Quartiles of the percent reduction."""
    change: tuple[float, float, float] | None
    """Quartiles of the absolute change."""
    formula_version: str = FORMULA_VERSION


def derive(item: str, baseline: int | None, followup: int | None) -> Derived:
    """Compare a follow-up value with the baseline value of the same item.

    `(B − F) / B × 100`, rounded half to even at the second decimal; responders at ≥ 30 % and ≥ 50 % by whole numbers.
    With a baseline of 0 there is an absolute change only. Raise ValueError for a negative baseline, of which no
    percentage can be taken.
    """
    if baseline is None:
        return Derived(item, None, followup, reason="baseline_missing")
    if followup is None:
        return Derived(item, baseline, None, reason="followup_missing")
    if baseline < 0:
        message = f"baseline of {item} is below zero: no percentage can be taken of it"
        raise ValueError(message)
    change = baseline - followup
    if baseline == 0:
        return Derived(item, 0, followup, absolute_change=change, reason="baseline_zero")
    return Derived(
        item,
        baseline,
        followup,
        percent_reduction=_percent(change, baseline),
        absolute_change=change,
        responder30=change * 100 >= 30 * baseline,
        responder50=change * 100 >= 50 * baseline,
    )


def derive_impression(item: str, followup: int | None) -> Derived:
    """Return the result of an item that carries its own comparison (1 very much improved … 7 very much worse)."""
    return Derived(
        item,
        None,
        followup,
        pgic_responder=pgic_responder(followup),
        reason="followup_missing" if followup is None else None,
    )


def pgic_responder(value: int | None) -> bool | None:
    """Whether a global impression is "much improved" or better (PGIC ≤ 2); None without a value."""
    return None if value is None else value <= _MUCH_IMPROVED


def outcome(window: str, item: str, due: int, pairs: Mapping[Pair, int], *, compared: bool) -> Outcome:
    """Return the outcome of an item in a window of which `due` were due; `pairs` counts the windows with each pair.

    `compared`: the baseline asks the item too. If not, the item carries its own comparison.
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


def _percent(part: int, whole: int) -> Decimal:
    hundredths = round(Fraction(part * 10_000, whole))  # of a Fraction: half to even
    return Decimal((int(hundredths < 0), tuple(map(int, str(abs(hundredths)))), -2))


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
    """Return the smallest values that a quarter, half and three quarters of `values` (value, n) do not exceed.

    None if there are no values.
    """
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
