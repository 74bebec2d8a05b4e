"""What answers call for, by whichever way they come."""

from datetime import timedelta

import pytest

from pro_service.core.case import Source
from pro_service.core.commands import CancelTexts, Escalate, Record, Resolve, Settle
from pro_service.core.conversation.answers import editable
from tests.core.world import at, invited, world

BOTH: dict[str, int | None] = {"NRS-AVG": 4, "PGIC": 2}


def test_the_same_form_twice_makes_one_version() -> None:
    life = invited()
    assert len([c for c in life.answer("W1", BOTH) if isinstance(c, Record)]) == 2
    assert life.answer("W1", BOTH) == ()


def test_a_changed_answer_makes_a_version_of_that_item_alone() -> None:
    life = invited()
    life.answer("W1", BOTH)
    changed = [c for c in life.answer("W1", {"NRS-AVG": 5, "PGIC": 2}) if isinstance(c, Record)]
    assert [(c.item, c.value) for c in changed] == [("NRS-AVG", 5)]


@pytest.mark.shows("conversation: web and text")
def test_a_prompt_that_waits_is_cancelled_by_the_answer() -> None:
    life = world()
    life.delay = None
    life.until(at("2026-01-19 10:00"))
    assert CancelTexts(life.window("W1").id) in life.answer("W1", BOTH)
    assert [text.state for text in life.case.messages] == ["cancelled"]


@pytest.mark.parametrize("source, outcome", [("web", "answered"), ("telephone", "completed_now")])
def test_an_answer_ends_the_calls_of_its_window(source: Source, outcome: str) -> None:
    life = world()
    life.until(at("2026-01-21 10:00"))
    life.answer("W1", BOTH, source)
    assert life.outcome("E1") == outcome


def test_the_primary_alone_ends_the_calls_too() -> None:
    life = world()
    life.until(at("2026-01-21 10:00"))
    life.answer("W1", {"NRS-AVG": 4})
    assert life.outcome("E1") == "answered"


def test_the_other_item_alone_does_not() -> None:
    life = world()
    life.until(at("2026-01-21 10:00"))
    life.answer("W1", {"PGIC": 4})
    assert life.outcome("E1") is None


def test_a_late_answer_ends_all_that_is_open_about_its_window_and_moves_its_count() -> None:
    life = world()
    life.until(at("2026-01-29 12:00"))
    assert life.window("W1").settled == "missed"
    commands = life.answer("W1", BOTH)
    about = [e for e in life.case.escalations if e.window_id == life.window("W1").id]
    assert {(e.level, e.outcome) for e in about if e.level in ("E3", "E4")} == {
        ("E3", "answered_late"),
        ("E4", "answered_late"),
    }
    assert Settle(life.window("W1").id, "completed_late") in commands
    assert life.status("W1") == "completed_late"


def test_a_late_answer_before_the_scheduler_saw_the_close_raises_nothing() -> None:
    life = world()
    life.until(at("2026-01-21 10:00"))
    life.ticking = False
    life.until(at("2026-01-23 08:00"))
    life.answer("W1", BOTH)
    assert life.outcome("E1") == "answered_late"
    life.ticking = True
    life.until(at("2026-01-24 00:00"))
    assert life.window("W1").settled == "completed_late"
    assert "W1 E3 missed" not in life.escalations()


def test_a_late_answer_does_not_change_one_that_was_in_time() -> None:
    life = invited()
    life.answer("W1", {"NRS-AVG": 4})
    life.until(at("2026-01-24 12:00"))
    life.answer("W1", {"NRS-AVG": 9, "PGIC": 2})
    assert life.values("W1") == {"NRS-AVG": 4, "PGIC": 2}


def test_nothing_is_kept_after_late_answers_end() -> None:
    life = world()
    life.until(at("2026-02-10 12:00"))
    assert life.answer("W1", BOTH) == ()


@pytest.mark.shows("case: instant of close")
def test_the_close_is_exclusive() -> None:
    life = world()
    closes = life.window("W1").span.closes_at
    life.until(closes - timedelta(microseconds=1))
    life.answer("W1", {"NRS-AVG": 4})
    life.until(closes)
    life.answer("W1", {"PGIC": 2})
    assert {item: answer.in_window for item, answer in life.window("W1").answers.items()} == {
        "NRS-AVG": True,
        "PGIC": False,
    }


@pytest.mark.parametrize("source", ["sms", "web", "telephone", "clinic"])
def test_nothing_is_answered_before_the_opening(source: Source) -> None:
    window = world().window("W1")
    assert editable(window, source, window.span.opens_at - timedelta(seconds=1)) == frozenset()


def test_a_baseline_is_imported_before_its_window() -> None:
    life = world(enrolled_at=at("2026-01-02 12:00"))
    life.answer("V0", {"NRS-AVG": 6}, "import")
    assert life.case.baseline("NRS-AVG") == 6
    assert life.window("V0").answers["NRS-AVG"].in_window


def test_what_staff_correct_after_the_close_stays_in_the_window() -> None:
    life = invited()
    life.answer("W1", BOTH)
    life.until(at("2026-02-20 12:00"))
    life.answer("W1", {"NRS-AVG": 5}, "telephone")
    assert life.status("W1") == "completed_in_window"
    assert life.window("W1").settled == "completed_in_window"


@pytest.mark.shows("stopping: score threshold")
@pytest.mark.parametrize("baseline, score, reviewed", [(7, 8, True), (5, 7, True), (6, 7, False), (None, 7, False)])
def test_a_high_or_risen_score_is_reviewed_once(baseline: int | None, score: int, *, reviewed: bool) -> None:
    life = world()
    if baseline is not None:
        life.answer("V0", {"NRS-AVG": baseline}, "import")
    life.until(at("2026-01-19 12:00"))
    life.answer("W1", {"NRS-AVG": score})
    life.answer("W1", {"NRS-AVG": 0})
    life.answer("W1", {"NRS-AVG": score})
    assert life.escalations().count("W1 ES score_threshold") == int(reviewed)


def test_the_baseline_itself_is_not_reviewed() -> None:
    life = world()
    commands = life.answer("V0", {"NRS-AVG": 10, "NRS-NOW": 10}, "clinic")
    assert not [command for command in commands if isinstance(command, Escalate | Resolve)]
