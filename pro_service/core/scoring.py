"""Values worked out from answers: percentage reduction, responders, global impression.

No binary fraction takes part: responders are decided in whole numbers, so 10 → 7 is 30 %.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

FORMULA_VERSION = "1"
"""Stored with every derived value; a change of any rule below needs a new version."""

Reason = Literal["baseline_zero", "baseline_missing", "followup_missing"]

_MUCH_IMPROVED = 2


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


def derive(item: str, baseline: int | None, followup: int | None) -> Derived:
    """Compare a follow-up value with the baseline value of the same item.

    `(B − F) / B × 100`, rounded half to even at the second decimal; responders at ≥ 30 % and
    ≥ 50 % by whole numbers. A baseline of 0 leaves the absolute change alone. Raises ValueError
    for a negative baseline, of which no percentage can be taken.
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
    """Judge an item that carries its own comparison (1 very much improved … 7 very much worse)."""
    return Derived(
        item,
        None,
        followup,
        pgic_responder=pgic_responder(followup),
        reason="followup_missing" if followup is None else None,
    )


def pgic_responder(value: int | None) -> bool | None:
    """Whether a global impression is "much improved" or better (PGIC ≤ 2)."""
    return None if value is None else value <= _MUCH_IMPROVED


def _percent(part: int, whole: int) -> Decimal:
    hundredths = round(Fraction(part * 10_000, whole))  # of a Fraction: half to even
    return Decimal((int(hundredths < 0), tuple(map(int, str(abs(hundredths)))), -2))
