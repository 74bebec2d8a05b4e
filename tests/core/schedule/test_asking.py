"""How somebody is asked is said as it is, and a call begins with what really happened to this person."""

from datetime import timedelta

import pytest

from pro_service.core.case import State
from pro_service.core.schedule.asking import Opening, Way, call_opening, way_of_asking
from tests.core.world import World, at, person, world

THEN = at("2026-01-14 12:00")


@pytest.mark.parametrize(
    "facts, way",
    [
        ({}, "sms-reply"),
        ({"channel": "sms-link"}, "sms-link"),
        ({"channel": "sms-card"}, "sms-card"),
        ({"channel": "sms-card", "card_made_at": None}, "no-card"),
        ({"channel": "sms-card", "card_made_at": None, "consented_at": None}, "calls"),
        ({"consented_at": None}, "calls"),
        ({"opted_out_at": THEN}, "no-texts"),
        ({"opted_out_at": THEN, "unreachable_at": THEN}, "no-texts"),
        ({"unreachable_at": THEN}, "bad-number"),
        ({"has_phone": False}, "no-number"),
        ({"has_phone": False, "consented_at": None}, "no-number"),
        ({"has_phone": False, "withdrawn_at": THEN}, "left"),
        ({"died_at": THEN}, "left"),
    ],
)
def test_the_way_of_asking_is_the_one_that_happens(facts: dict[str, object], way: Way) -> None:
    assert way_of_asking(person(**facts)) == way


def opening(life: World) -> Opening:
    return call_opening(life.case, life.window("W1"))


def asked(state: State | None = None, **facts: object) -> World:
    """Return somebody at the time of the week's call; every prompt sent so far is in this state."""
    life = world(**facts)
    life.until(at("2026-01-21 09:30"))
    for text in life.case.messages if state is not None else ():
        life.mark(text.id, state or "accepted")
    return life


@pytest.mark.parametrize(
    "facts, before",
    [
        ({"consented_at": None}, "calls"),
        ({"opted_out_at": THEN}, "no_texts"),
        ({"channel": "sms-card", "card_made_at": None}, "no_card"),
        ({"paused_at": THEN}, "not_asked"),
        ({"has_phone": False}, "not_asked"),
        ({"unreachable_at": THEN}, "not_asked"),
    ],
)
def test_to_whom_nothing_was_sent_nobody_says_that_something_was(facts: dict[str, object], before: str) -> None:
    life = asked(None, **facts)
    assert life.accepted == []
    assert opening(life) == Opening(before)  # type: ignore[arg-type]


@pytest.mark.parametrize("channel", ["sms-reply", "sms-link", "sms-card"])
@pytest.mark.parametrize("state, arrived", [("accepted", False), ("sent", False), ("delivered", True)])
def test_a_text_that_left_is_spoken_of_and_only_one_that_arrived_as_such(
    channel: str,
    state: State,
    arrived: bool,  # noqa: FBT001 -- of the table
) -> None:
    found = opening(asked(state, channel=channel))
    assert (found.before, found.arrived) == (channel, arrived)


@pytest.mark.parametrize("state", ["undelivered", "failed"])
def test_texts_of_which_none_arrived_are_said_not_to_have(state: State) -> None:
    assert opening(asked(state)).before == "not_arrived"


def test_one_that_arrived_counts_although_another_did_not() -> None:
    life = asked("delivered")
    life.mark(life.case.messages[-1].id, "undelivered")
    assert opening(life) == Opening("sms-reply", arrived=True)


def test_a_text_that_waits_or_was_withdrawn_is_none() -> None:
    life = world()
    life.delay = timedelta(days=3)
    life.until(at("2026-01-21 09:30"))
    assert life.case.messages
    assert opening(life).before == "not_asked"


def test_who_stopped_the_texts_after_one_is_not_told_of_it() -> None:
    life = asked("delivered")
    life.change(opted_out_at=life.now)
    assert opening(life).before == "no_texts"


def test_what_was_answered_already_and_a_card_handed_over_are_known() -> None:
    life = asked("delivered", channel="sms-card")
    assert not opening(life).has_card
    life.answer("W1", {"PGIC": 2})
    life.change(card_handed_at=life.now)
    assert opening(life) == Opening("sms-card", arrived=True, partly=True, has_card=True)


def test_texts_of_an_earlier_schedule_or_of_another_window_are_none_of_this_one() -> None:
    life = asked("delivered")
    assert call_opening(life.case, life.window("M1")).before == "not_asked"
