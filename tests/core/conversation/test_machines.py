"""Machines on the other side, wishes for another hour, and an echo that says which window it is about."""

from datetime import timedelta

import pytest

from pro_service import paths
from pro_service.core.commands import Send
from pro_service.wording import Wording
from tests.core.world import World, at, completed, invited

AWAY = "Automatic reply: I am out of the office until 7 March"
FRAMES = {
    language: {
        file.stem: file.read_text(encoding="utf-8") for file in (paths.templates() / "sms" / language).glob("*.txt")
    }
    for language in ("en", "tr")
}


def said(life: World) -> list[str]:
    """The words of our texts that are no prompts, in order."""
    wording = Wording(1, FRAMES)
    return [wording.text(life.case, command) for _, command in life.done if isinstance(command, Send)]


@pytest.mark.shows("conversation: machines")
def test_a_machine_is_never_answered_and_gives_no_score() -> None:
    life = invited()
    assert [life.text(AWAY, after=60) for _ in range(20)] == [[]] * 20
    assert life.text("Otomatik yanıt: 7", after=60) == []
    assert life.values("W1") == {}
    assert [raised for raised in life.escalations() if raised.startswith("W1")] == []


@pytest.mark.shows("conversation: machines")
def test_a_machine_that_answers_everything_is_told_no_more_than_so_often_a_day() -> None:
    life = completed()
    told = 0
    for _ in range(24 * 12):
        told += len(life.text("HELP", after=300))
    assert told == 12
    life.until(life.now + timedelta(days=1))
    assert life.text("HELP") == ["help"]


@pytest.mark.shows("conversation: machines")
def test_a_loop_of_words_ends_with_a_person() -> None:
    life = invited()
    frames = [frame for _ in range(48) for frame in life.text("thank you for your message!", after=600)]
    assert frames == ["reask", "reask-2", "handed-over"]
    assert "W1 E0 unreadable_reply" in life.escalations(open_only=True)


@pytest.mark.shows("stopping: snooze")
@pytest.mark.parametrize(
    "words, hour", [("2 saat sonra", "12:01"), ("in three hours", "13:01"), ("in 2 hours", "12:01")]
)
def test_so_many_hours_later_is_so_many_hours_later(words: str, hour: str) -> None:
    life = invited()
    life.until(at("2026-01-20 08:00"))
    life.until(at("2026-01-20 10:01"))
    assert life.text(words) == ["snoozed"]
    assert life.case.participant.snoozed_until == at(f"2026-01-20 {hour}")


@pytest.mark.shows("conversation: newer window", "conversation: correction")
@pytest.mark.parametrize("language, label", [("en", "(1 week)"), ("tr", "1. hafta")])
def test_the_echo_of_a_correction_names_the_window(language: str, label: str) -> None:
    life = invited(language=language)
    life.delay = None
    life.text("7", after=60)
    assert life.text("I meant 5", after=120) == ["corrected"]
    assert label in said(life)[-1].splitlines()[0]
    assert "5" in said(life)[-1].splitlines()[0]
