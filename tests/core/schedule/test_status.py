"""What a window is at an instant: each status, and which facts are stronger than which."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pro_service.core.case import Answer, Participant, WindowFacts
from pro_service.core.schedule.status import Status, settled_as, status
from tests.core.world import STUDY, at, case_of, person

PRIMARY = "NRS-AVG"
OPENS, CLOSES = at("2026-01-18 00:00"), at("2026-01-23 00:00")
BEFORE, DURING, AFTER = OPENS - timedelta(days=1), OPENS + timedelta(days=1), CLOSES + timedelta(days=1)


def w1(**given: Answer) -> WindowFacts:
    found = next(window for window in case_of(person()).windows if window.code == "W1")
    assert (found.span.opens_at, found.span.closes_at) == (OPENS, CLOSES)
    return replace(found, answers={name.replace("_", "-"): answer for name, answer in given.items()})


def answer(value: int | None, at_instant: datetime = DURING) -> Answer:
    in_window = OPENS <= at_instant < CLOSES
    return Answer("any", value, value is None, 1, "web", at_instant, in_window)


CASES: tuple[tuple[WindowFacts, dict[str, object], datetime, Status], ...] = (
    (w1(), {}, BEFORE, "upcoming"),
    (w1(), {}, OPENS, "open"),
    (w1(), {}, CLOSES - timedelta(microseconds=1), "open"),
    (w1(), {}, CLOSES, "missed"),
    (w1(), {"enrolled_at": CLOSES}, AFTER, "missed_before_enrolment"),
    (w1(), {"enrolled_at": CLOSES - timedelta(seconds=1)}, AFTER, "missed"),
    (w1(NRS_AVG=answer(7)), {}, DURING, "partial"),
    (w1(PGIC=answer(2)), {}, DURING, "partial"),
    (w1(NRS_AVG=answer(7)), {}, AFTER, "partial"),
    (w1(PGIC=answer(2)), {}, AFTER, "missed"),
    (w1(NRS_AVG=answer(7), PGIC=answer(2)), {}, AFTER, "completed_in_window"),
    (w1(NRS_AVG=answer(0), PGIC=answer(None)), {}, AFTER, "completed_in_window"),
    (w1(NRS_AVG=answer(7), PGIC=answer(2, AFTER)), {}, AFTER, "completed_late"),
    (w1(NRS_AVG=answer(None)), {}, DURING, "declined"),
    (w1(NRS_AVG=answer(None), PGIC=answer(2)), {}, AFTER, "declined"),
    (w1(), {"withdrawn_at": BEFORE}, DURING, "withdrawn"),
    (w1(), {"died_at": DURING}, AFTER, "died"),
    (w1(), {"withdrawn_at": BEFORE, "died_at": DURING}, AFTER, "withdrawn"),
    (w1(), {"died_at": AFTER}, AFTER, "missed"),
    (w1(NRS_AVG=answer(7), PGIC=answer(2)), {"died_at": DURING}, AFTER, "completed_in_window"),
    (w1(), {"opted_out_at": BEFORE}, AFTER, "missed"),
    (replace(w1(NRS_AVG=answer(7)), cancelled_at=BEFORE), {}, AFTER, "cancelled"),
)


@pytest.mark.parametrize("window, facts, now, expected", CASES)
def test_a_window_is_what_the_facts_say(
    window: WindowFacts, facts: dict[str, object], now: datetime, expected: Status
) -> None:
    assert status(window, person(**facts), PRIMARY, now) == expected


def test_an_answer_taken_back_is_missing_again() -> None:
    taken_back = Answer(PRIMARY, None, declined=False, version=2, source="clinic", received_at=DURING, in_window=True)
    assert status(w1(NRS_AVG=taken_back), person(), PRIMARY, AFTER) == "missed"


def test_a_window_without_a_primary_item_in_which_all_is_declined_is_declined() -> None:
    window = w1(NRS_AVG=answer(None), PGIC=answer(None))
    assert status(window, person(), None, AFTER) == "declined"


def test_who_left_while_the_window_was_open_is_counted_as_due() -> None:
    assert settled_as(w1(), person(died_at=DURING), PRIMARY, AFTER) == "died_after_opening"
    assert settled_as(w1(), person(died_at=BEFORE), PRIMARY, AFTER) == "died"


moments = st.integers(-8 * 24 * 60, 19 * 24 * 60).map(lambda minutes: OPENS + timedelta(minutes=minutes))
maybe = st.one_of(st.none(), moments)


@given(
    st.builds(person, enrolled_at=moments, withdrawn_at=maybe, died_at=maybe),
    st.dictionaries(
        st.sampled_from(STUDY.time_point("W1").items),
        st.builds(answer, st.one_of(st.none(), st.integers(1, 7)), moments),
    ),
    moments,
    moments,
)
def test_after_the_close_time_alone_changes_nothing(
    who: Participant, answers: dict[str, Answer], one: datetime, other: datetime
) -> None:
    window = replace(w1(), answers=answers)
    one, other = max(one, CLOSES), max(other, CLOSES)
    assert status(window, who, PRIMARY, one) == status(window, who, PRIMARY, other)
    assert status(window, who, PRIMARY, one) not in ("upcoming", "open")
