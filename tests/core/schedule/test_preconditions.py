"""Nobody is asked by a way that is not there: no text points to a card before it is made, and a number is asked for."""

from datetime import datetime

import pytest

from pro_service.core.commands import Resolve
from pro_service.core.schedule.agenda import next_moment
from pro_service.core.schedule.forecast import forecast
from tests.core.world import World, at, world

INVITED = "2026-01-19 10:00"


def without_card(**facts: object) -> World:
    """Return somebody who is to answer with a card that nobody has made."""
    return world(channel="sms-card", card_made_at=None, **facts)


def of_w1(life: World, *, open_only: bool = False) -> list[str]:
    return [task for task in life.escalations(open_only=open_only) if task.startswith("W1")]


def raised(life: World, reason: str) -> list[datetime]:
    return [one.raised_at for one in life.case.escalations if one.reason == reason]


# --- the card ---------------------------------------------------------------------------------------------------------


@pytest.mark.shows("card: none yet")
def test_without_a_card_no_text_goes_and_somebody_calls_when_it_was_due() -> None:
    life = without_card()
    life.until(at("2026-01-19 09:59"))
    assert of_w1(life) == []
    life.until(at(INVITED))
    life.acknowledge()
    life.until(at("2026-01-20 18:00"))
    assert life.accepted == []
    assert of_w1(life) == ["W1 E1 no_card"]
    assert raised(life, "no_card") == [at(INVITED)]
    (call,) = (one for one in life.case.escalations if one.reason == "no_card")
    assert call.due_at == at("2026-01-19 17:00"), "as the window's own call: on the same day in the first week"


@pytest.mark.shows("card: none yet")
def test_once_the_card_is_made_the_call_ends_and_an_invitation_goes() -> None:
    life = without_card()
    life.until(at("2026-01-20 15:00"))
    assert of_w1(life, open_only=True) == ["W1 E1 no_card", "W1 E2 no_card"], "nobody had taken it up"
    life.change(card_made_at=life.now)
    life.until(at("2026-01-20 18:31"))
    assert of_w1(life, open_only=True) == []
    assert (life.outcome("E1"), life.outcome("E2")) == ("cleared", "cleared")
    assert life.prompts() == ["W1 invitation"], "nobody is reminded of what they were not asked"
    life.until(at("2026-01-21 09:01"))
    assert of_w1(life, open_only=True) == ["W1 E1 unanswered"], "the window's own call comes at its own moment"


def test_a_card_made_while_the_invitation_is_of_use_is_invited_at_once() -> None:
    life = without_card()
    life.until(at("2026-01-19 15:00"))
    life.change(card_made_at=life.now)
    life.until(at("2026-01-19 15:01"))
    assert life.prompts() == ["W1 invitation"]


def test_while_the_call_for_want_of_a_card_is_open_the_window_has_no_second_one() -> None:
    life = without_card()
    life.until(at("2026-01-19 12:00"))
    life.acknowledge()
    life.until(at("2026-01-21 12:00"))
    assert of_w1(life) == ["W1 E1 no_card"]
    life.until(at("2026-01-22 12:00"))
    assert of_w1(life) == ["W1 E1 no_card", "W1 E2 little_time_left"]


def test_while_it_has_gone_up_the_window_has_no_second_urgent_call_and_gets_one_when_it_ends() -> None:
    life = without_card()
    life.until(at("2026-01-22 12:00"))
    assert of_w1(life, open_only=True) == ["W1 E1 no_card", "W1 E2 no_card"]
    life.change(card_made_at=life.now)
    life.until(life.now)
    assert of_w1(life, open_only=True) == ["W1 E1 by_telephone", "W1 E2 little_time_left"]


def test_an_outage_until_after_the_windows_own_call_raises_that_one_alone() -> None:
    life = without_card()
    life.ticking = False
    life.until(at("2026-01-21 13:00"))
    life.ticking = True
    life.until(life.now)
    assert of_w1(life) == ["W1 E1 by_telephone"]


def test_every_window_without_a_card_is_called_for_and_ends_its_calls() -> None:
    life = without_card()
    life.until(at("2026-06-01 12:00"))
    assert life.accepted == []
    called = [one for one in life.escalations() if one.endswith("no_card") and " E1 " in one]
    assert called == ["W1 E1 no_card", "M1 E1 no_card", "M3 E1 no_card"]
    assert [one for one in life.escalations(open_only=True) if " E1 " in one or " E2 " in one] == []


def test_an_answer_told_on_the_telephone_ends_the_call() -> None:
    life = without_card()
    life.until(at("2026-01-19 12:00"))
    life.answer("W1", {"NRS-AVG": 3, "PGIC": 2}, source="telephone")
    assert life.outcome("E1") == "completed_now"


@pytest.mark.parametrize("facts", [{"channel": "sms-reply"}, {"channel": "sms-link"}])
def test_another_channel_asks_for_no_card(facts: dict[str, object]) -> None:
    life = without_card()
    life.change(**facts)
    life.until(at("2026-01-19 10:01"))
    assert life.prompts() == ["W1 invitation"]
    assert raised(life, "no_card") == []


@pytest.mark.parametrize(
    "facts", [{"consented_at": None}, {"opted_out_at": at("2026-01-15 12:00")}, {"paused_at": at("2026-01-15 12:00")}]
)
def test_whoever_gets_no_texts_is_called_at_the_windows_own_moment(facts: dict[str, object]) -> None:
    life = without_card(**facts)
    life.until(at("2026-01-22 23:00"))
    assert raised(life, "no_card") == []
    assert "W1 E1 by_telephone" in life.escalations()


def test_the_forecast_says_that_people_call_until_there_is_a_card() -> None:
    life = without_card()
    first = forecast(life.case, life.now)[0]
    assert (first.window, first.step, first.at) == ("W1", "call", at(INVITED))
    life.change(card_made_at=life.now)
    assert forecast(life.case, life.now)[0].step == "invitation"


# --- the end of the procedure -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "facts, outcome",
    [
        ({"procedure_end": at("2026-01-12 11:00")}, "cleared"),
        ({"withdrawn_at": at("2026-01-14 12:00")}, "withdrew"),
        ({"died_at": at("2026-01-14 12:00")}, "died"),
    ],
)
def test_when_the_procedure_ended_is_asked_until_it_is_known(facts: dict[str, object], outcome: str) -> None:
    life = world(procedure_end=None)
    life.until(at("2026-01-12 13:00"))
    assert life.escalations(open_only=True) == ["E0 no_procedure_time"]
    life.change(**facts)
    life.until(at("2026-01-14 12:01"))
    ended = next(one for one in life.case.escalations if one.reason == "no_procedure_time")
    assert ended.outcome == outcome


def test_it_is_asked_once_and_of_nobody_whose_procedure_is_to_come_or_whose_windows_are_over() -> None:
    life = world(procedure_end=None)
    life.until(life.now)
    life.carry_out((Resolve(next(iter(life.case.escalations)).id, "done"),))
    life.until(at("2026-01-18 12:00"))
    assert len(raised(life, "no_procedure_time")) == 1
    late = at("2026-08-01 12:00")
    for life in (world(), world(procedure_end=None, confirmed_at=None), world(procedure_end=None, enrolled_at=late)):
        life.until(life.now)
        assert raised(life, "no_procedure_time") == []


# --- the number -------------------------------------------------------------------------------------------------------


@pytest.mark.shows("case: no number")
@pytest.mark.parametrize("facts", [{}, {"consented_at": None}, {"confirmed_at": None}, {"channel": "sms-card"}])
def test_without_a_number_it_is_asked_for_at_once(facts: dict[str, object]) -> None:
    life = world(has_phone=False, **facts)
    life.until(life.now)
    assert "E0 no_way_to_ask" in life.escalations()


@pytest.mark.parametrize(
    "facts, outcome",
    [
        ({"has_phone": True}, "cleared"),
        ({"withdrawn_at": at("2026-01-14 12:00")}, "withdrew"),
        ({"died_at": at("2026-01-14 12:00")}, "died"),
    ],
)
def test_a_number_or_leaving_ends_it(facts: dict[str, object], outcome: str) -> None:
    life = world(has_phone=False)
    life.until(at("2026-01-14 12:00"))
    life.change(**facts)
    life.until(at("2026-01-14 12:01"))
    ended = next(one for one in life.case.escalations if one.reason == "no_way_to_ask")
    assert ended.outcome == outcome


def test_the_last_close_ends_it_for_then_nobody_is_asked_any_more() -> None:
    life = world(has_phone=False)
    life.until(at("2026-06-01 12:00"))
    told = [one for one in life.case.escalations if one.reason == "no_way_to_ask"]
    assert {one.outcome for one in told} == {"window_closed"}


def test_a_number_that_is_taken_away_again_is_asked_for_again() -> None:
    life = world(has_phone=False)
    for gone in (True, False, True):
        life.change(has_phone=not gone)
        life.until(life.now)
    assert life.escalations(open_only=True) == ["E0 no_way_to_ask"]
    assert len(raised(life, "no_way_to_ask")) == 2


def test_who_ended_it_by_hand_knows_and_is_not_told_again() -> None:
    life = world(has_phone=False)
    life.until(life.now)
    task = next(one for one in life.case.escalations if one.reason == "no_way_to_ask")
    life.carry_out((Resolve(task.id, "done"),))
    life.until(at("2026-01-15 12:00"))
    assert len(raised(life, "no_way_to_ask")) == 1


def test_nobody_who_has_a_number_or_is_no_longer_asked_has_the_task() -> None:
    late = at("2026-08-01 12:00")
    for life in (world(), world(has_phone=False, enrolled_at=late, confirmed_at=late)):
        life.until(life.now)
        assert raised(life, "no_way_to_ask") == []
    assert next_moment(world(has_phone=False).case, at("2026-01-12 12:00")) is not None
