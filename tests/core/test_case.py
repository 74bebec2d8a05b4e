"""A participant's facts: which key is free for a task that may be raised again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pro_service.core.case import EscalationFacts
from tests.core.world import at, case_of, person

NOW = at("2026-01-19 10:00")


@pytest.mark.parametrize(
    "taken, free",
    [
        ((), "E0:x:w1"),
        (("E0:x:w12", "E0:y:w1"), "E0:x:w1"),
        (("E0:x:w1",), "E0:x:w1:2"),
        (("E0:x:w1", "E0:x:w1:2", "E0:x:w12"), "E0:x:w1:3"),
        (("E0:x:w1", "E0:x:w1:20260112093000", "E0:x:w1:i7"), "E0:x:w1:2"),
        (("E0:x:w1", "E0:x:w1:3"), "E0:x:w1:2"),
    ],
)
def test_the_key_of_a_task_that_is_raised_again_is_the_first_that_no_task_has(
    taken: tuple[str, ...], free: str
) -> None:
    tasks = (
        EscalationFacts(n, None, "E0", "x", key, NOW, NOW + timedelta(days=1), None, NOW) for n, key in enumerate(taken)
    )
    assert replace(case_of(person()), escalations=tuple(tasks)).free_key("E0:x:w1") == free
