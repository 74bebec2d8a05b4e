"""At most one prompt a day, though a network may be slow, silent or uncertain, and a participant may be late."""

from datetime import timedelta

from tests.core.world import World, at, invited, world


def entered(moment: str, **facts: object) -> World:
    """Return a world in which somebody was enrolled and confirmed at this moment."""
    return world(enrolled_at=at(moment), confirmed_at=at(moment), **facts)


def test_a_prompt_accepted_a_day_late_puts_the_next_one_off() -> None:
    life = world()
    life.delay = timedelta(hours=23, minutes=30)
    life.until(at("2026-01-20 09:30"))
    assert life.prompts() == ["W1 invitation"]
    life.delay = timedelta(seconds=2)
    life.until(at("2026-01-21 08:59"))
    assert life.prompts() == ["W1 invitation"]
    life.until(at("2026-01-21 09:01"))
    assert life.prompts() == ["W1 invitation", "W1 reminder-1"]


def test_no_reminder_is_queued_while_the_invitation_may_still_leave() -> None:
    life = entered("2026-01-19 19:00")
    life.delay = None
    life.until(at("2026-01-20 18:59"))
    assert [text.kind for text in life.case.messages] == ["invitation"]
    life.until(at("2026-01-21 09:00"))
    assert [(text.kind, text.state) for text in life.case.messages] == [
        ("invitation", "expired"),
        ("invitation", "ready"),
    ]


def test_a_prompt_nobody_knows_the_fate_of_counts_on_the_last_day_it_may_have_left() -> None:
    life = entered("2026-01-19 19:00")
    life.delay = None
    life.until(at("2026-01-19 19:01"))
    life.mark(life.case.messages[0].id, "uncertain")
    life.delay = timedelta(seconds=2)
    life.until(at("2026-01-20 23:59"))
    assert life.prompts() == []
    life.until(at("2026-01-21 09:01"))
    assert life.prompts() == ["W1 reminder-1"]


def test_a_prompt_that_was_refused_does_not_hold_the_next_one_back() -> None:
    life = entered("2026-01-20 10:00")
    life.delay = None
    life.until(at("2026-01-20 10:01"))
    life.mark(life.case.messages[0].id, "refused")
    life.delay = timedelta(seconds=2)
    life.until(at("2026-01-20 18:31"))
    assert life.prompts() == ["W1 invitation"]


def test_who_was_enrolled_after_a_reminder_is_invited_first() -> None:
    life = entered("2026-01-20 19:00")
    life.until(at("2026-01-20 19:01"))
    assert life.prompts() == ["W1 invitation"]


def test_a_reminder_that_fell_due_before_the_invitation_had_left_is_not_sent_after_it() -> None:
    at_its_moment = entered("2026-01-20 18:30")
    waits_past_it = entered("2026-01-20 18:00")
    waits_past_it.delay = timedelta(minutes=40)
    for life in (at_its_moment, waits_past_it):
        life.until(at("2026-01-20 19:00"))
        life.delay = timedelta(seconds=2)
        assert life.prompts() == ["W1 invitation"]
        life.until(at("2026-01-21 12:00"))
        assert life.prompts() == ["W1 invitation"]
        life.until(at("2026-01-21 12:31"))
        assert life.prompts() == ["W1 invitation", "W1 reminder-2"]


def test_who_was_enrolled_during_a_pause_is_invited_after_it() -> None:
    life = entered("2026-01-19 12:00", paused_at=at("2026-01-19 12:00"), paused_until=at("2026-01-20 20:00"))
    life.until(at("2026-01-21 09:01"))
    assert life.prompts() == ["W1 invitation"]


def test_tomorrow_puts_the_reminder_of_today_off() -> None:
    life = invited()
    life.until(at("2026-01-20 12:00"))
    assert life.text("yarın") == ["snoozed"]
    life.until(at("2026-01-21 09:59"))
    assert life.prompts() == ["W1 invitation"]
    life.until(at("2026-01-21 10:01"))
    assert life.prompts() == ["W1 invitation", "W1 reminder-1"]
