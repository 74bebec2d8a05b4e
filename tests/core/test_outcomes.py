"""Derived outcomes of many: equal to those of each, both denominators, reasons, classes and quartiles."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pro_service.core.scores import Share, derive, outcome

NRS = st.integers(0, 10)
PEOPLE = st.lists(st.tuples(st.none() | NRS, st.none() | NRS), max_size=60)


@given(people=PEOPLE, silent=st.integers(0, 20))
def test_what_is_counted_by_pairs_is_what_each_would_be(
    people: list[tuple[int | None, int | None]], silent: int
) -> None:
    answered = [pair for pair in people if pair[1] is not None]
    due = len(answered) + silent
    found = outcome("W1", "NRS-AVG", due, Counter(answered), compared=True)
    each = [derive("NRS-AVG", *pair) for pair in answered]
    judged = [one for one in each if one.responder30 is not None]
    assert found.responder30 == Share(sum(one.responder30 is True for one in judged), len(judged), due)
    assert found.responder50 == Share(sum(one.responder50 is True for one in judged), len(judged), due)
    assert sum(found.classes) == len(judged)
    assert found.valued == len(answered)
    assert sum(found.reasons.values()) == due - len(judged)
    percents = sorted(float(one.percent_reduction) for one in judged if one.percent_reduction is not None)
    assert (found.percent is None) == (percents == [])
    if found.percent is not None:
        assert found.percent[1] == percents[(len(percents) - 1) // 2]


def test_missing_is_not_a_failure_where_it_is_observed_and_one_where_it_counts_as_such() -> None:
    found = outcome("M1", "NRS-AVG", 10, {(10, 7): 2, (10, 8): 1, (0, 0): 1, (None, 3): 1}, compared=True)
    assert found.responder30 == Share(2, 3, 10)
    assert found.responder50 == Share(0, 3, 10)
    assert found.reasons == {"baseline_missing": 1, "baseline_zero": 1, "followup_missing": 5}
    assert found.classes == (0, 1, 2, 0, 0)


def test_an_item_with_its_own_comparison_needs_no_baseline() -> None:
    found = outcome("M1", "PGIC", 4, {(None, 2): 1, (None, 4): 2}, compared=False)
    assert (found.pgic_responder, found.responder30) == (Share(1, 3, 4), None)
    assert (found.classes, found.percent, found.change) == ((), None, None)


def test_worse_is_a_class_of_its_own() -> None:
    found = outcome("M1", "NRS-AVG", 5, {(4, 6): 1, (4, 4): 1, (4, 2): 1, (4, 1): 1, (4, 0): 1}, compared=True)
    assert found.classes == (1, 1, 0, 1, 2)
