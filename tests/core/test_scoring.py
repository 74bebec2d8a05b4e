"""Derived values: percentage reduction, responders, global impression."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pro_service.core.scores import FORMULA_VERSION, Derived, derive, derive_impression, pgic_responder

SCALE = st.integers(min_value=0, max_value=10)


@pytest.mark.parametrize(
    "baseline, followup, percent, responder30, responder50",
    [
        (10, 7, "30.00", True, False),
        (10, 5, "50.00", True, True),
        (8, 4, "50.00", True, True),
        (7, 5, "28.57", False, False),
        (3, 2, "33.33", True, False),
        (6, 2, "66.67", True, True),
        (7, 7, "0.00", False, False),
        (5, 10, "-100.00", False, False),
        (1, 10, "-900.00", False, False),
        (3, 4, "-33.33", False, False),
        (9, 0, "100.00", True, True),
        (800, 799, "0.12", False, False),  # 0.125 half to even
        (800, 797, "0.38", False, False),  # 0.375 half to even
    ],
)
def test_a_reduction_is_a_percentage_of_the_baseline(
    baseline: int,
    followup: int,
    percent: str,
    *,
    responder30: bool,
    responder50: bool,
) -> None:
    derived = derive("NRS-AVG", baseline, followup)
    assert derived == Derived(
        "NRS-AVG",
        baseline,
        followup,
        percent_reduction=Decimal(percent),
        absolute_change=baseline - followup,
        responder30=responder30,
        responder50=responder50,
    )
    assert str(derived.percent_reduction) == percent


def test_a_baseline_of_zero_leaves_the_change_alone() -> None:
    assert derive("NRS-AVG", 0, 3) == Derived("NRS-AVG", 0, 3, absolute_change=-3, reason="baseline_zero")


def test_what_is_missing_is_named() -> None:
    assert derive("NRS-AVG", None, 3) == Derived("NRS-AVG", None, 3, reason="baseline_missing")
    assert derive("NRS-AVG", 3, None) == Derived("NRS-AVG", 3, None, reason="followup_missing")
    assert derive("NRS-AVG", None, None).reason == "baseline_missing"


def test_a_follow_up_of_zero_is_not_missing() -> None:
    assert derive("NRS-AVG", 4, 0).percent_reduction == Decimal(100)


def test_no_percentage_is_taken_of_a_negative_baseline() -> None:
    with pytest.raises(ValueError, match="NRS-AVG"):
        derive("NRS-AVG", -1, 3)


@given(SCALE, SCALE)
def test_the_percentage_is_exact_to_half_a_hundredth(baseline: int, followup: int) -> None:
    derived = derive("X", baseline, followup)
    if derived.percent_reduction is None:
        assert baseline == 0
        return
    exact = Fraction(baseline - followup, baseline) * 100
    assert abs(Fraction(derived.percent_reduction) - exact) <= Fraction(1, 200)
    assert derived.responder30 == (exact >= 30)
    assert derived.responder50 == (exact >= 50)
    assert derived.formula_version == FORMULA_VERSION == "1"


@given(st.none() | SCALE, st.none() | SCALE)
def test_a_null_percentage_has_a_reason(baseline: int | None, followup: int | None) -> None:
    derived = derive("X", baseline, followup)
    assert (derived.percent_reduction is None) == (derived.reason is not None)
    assert (derived.responder30 is None) == (derived.responder50 is None) == (derived.percent_reduction is None)


@pytest.mark.parametrize("value, responds", [(1, True), (2, True), (3, False), (4, False), (7, False), (None, None)])
def test_much_improved_or_better_responds(value: int | None, responds: bool | None) -> None:  # noqa: FBT001
    assert pgic_responder(value) is responds
    assert derive_impression("PGIC", value).clinical_improvement is responds


def test_an_impression_needs_no_baseline() -> None:
    assert derive_impression("PGIC", 2) == Derived("PGIC", None, 2, pgic_responder=True)
    assert derive_impression("PGIC", None) == Derived("PGIC", None, None, reason="followup_missing")
