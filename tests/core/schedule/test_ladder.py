"""A ladder of channels: which of them asks, and who takes over when one leads nowhere."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pro_service.core.case import Case, MessageFacts
from pro_service.core.commands import CancelTexts, Escalate, Resolve, Send, Unreachable
from pro_service.core.schedule.agenda import next_moment, on_failure, on_time, wrong_telephone
from pro_service.core.schedule.asking import rungs
from tests.core.ledger import fold
from tests.core.world import at, case_of, person

AGREED = at("2026-01-12 12:00")
LADDER = {
    "channel": "whatsapp",
    "channel_2": "sms-link",
    "channel_3": "email-link",
    "has_email": True,
    "whatsapp_consented_at": AGREED,
    "email_consented_at": AGREED,
}
INVITED = at("2026-01-19 10:00")


def asked(case: Case, now: object) -> list[str]:
    """Return the frames of the texts that time calls for."""
    return [one.frame for one in on_time(case, now) if isinstance(one, Send)]  # type: ignore[arg-type]


def sent(case: Case, frame: str, state: str = "delivered", number: int = 1) -> Case:
    """Return the case with one more prompt of the first window, which came to this state."""
    window = next(window for window in case.current if window.point.prompted)
    text = MessageFacts(
        id=number,
        window_id=window.id,
        kind=frame.partition(".")[0],
        frame=frame,
        item=None,
        proposed=None,
        state=state,  # type: ignore[arg-type]
        queued_at=INVITED,
        accepted_at=None if state == "refused" else INVITED,
        useful_until=INVITED + timedelta(days=1),
    )
    return replace(case, messages=(*case.messages, text))


@pytest.mark.parametrize(
    "facts, asks",
    [
        ({}, "whatsapp"),
        ({"whatsapp_consented_at": None}, "sms-link"),
        ({"whatsapp_unreachable_at": AGREED}, "sms-link"),
        ({"whatsapp_unreachable_at": AGREED, "unreachable_at": AGREED}, "email-link"),
        ({"has_phone": False}, "email-link"),
        ({"consented_at": None, "whatsapp_consented_at": None, "has_email": False}, None),
        ({"opted_out_at": AGREED}, None),
        ({"withdrawn_at": AGREED}, None),
    ],
)
def test_the_first_channel_that_leads_to_somebody_asks(facts: dict[str, object], asks: str | None) -> None:
    somebody = person(**(LADDER | facts))
    assert somebody.asked_by == asks
    assert asked(case_of(somebody), INVITED) == ([f"invitation.{asks}"] if asks else [])


@pytest.mark.parametrize(
    "facts, standings",
    [
        ({}, ["asks", "next", "next"]),
        ({"whatsapp_consented_at": None, "unreachable_at": AGREED}, ["no-consent", "failed", "asks"]),
        ({"has_email": False, "opted_out_at": AGREED}, ["stopped", "stopped", "no-address"]),
        (
            {"channel": "sms-card", "channel_2": "email-link", "channel_3": None, "card_made_at": None},
            ["no-card", "next"],
        ),
    ],
)
def test_each_rung_says_whether_it_asks_and_why_not(facts: dict[str, object], standings: list[str]) -> None:
    found = rungs(person(**(LADDER | facts)))
    assert [one.standing for one in found] == standings
    assert [one.since for one in found] == [AGREED if one == "failed" else None for one in standings]


def test_a_telephone_of_somebody_else_is_closed_for_every_medium_that_goes_to_it() -> None:
    somebody = person(**LADDER)
    closed = (Unreachable("wrong_person"), Unreachable("wrong_person", "whatsapp"), CancelTexts())
    assert wrong_telephone(somebody, "wrong_person") == closed
    assert wrong_telephone(replace(somebody, unreachable_at=AGREED), "wrong_person") == closed[1:]
    assert wrong_telephone(person(unreachable_at=AGREED), "wrong_person") == ()


def test_the_next_channel_takes_over_on_the_same_day_when_one_fails_for_good() -> None:
    case = sent(case_of(person(**LADDER)), "invitation.whatsapp", "undelivered")
    window = case.messages[0].window_id
    commands = on_failure(case, case.messages[0], "whatsapp", "other_channel", INVITED)
    assert commands == (Unreachable("other_channel", "whatsapp"), CancelTexts())
    after = replace(case, participant=replace(case.participant, whatsapp_unreachable_at=INVITED))
    found = [one for one in on_time(after, INVITED + timedelta(minutes=1)) if isinstance(one, Send)]
    assert [(one.frame, one.key) for one in found] == [("invitation.sms-link", f"p:{window}:invitation:2")]


def test_one_prompt_a_day_and_none_twice_while_its_channel_works() -> None:
    case = sent(case_of(person(**LADDER)), "invitation.whatsapp", "undelivered")
    assert asked(case, INVITED + timedelta(minutes=1)) == []
    over = replace(case, participant=replace(case.participant, whatsapp_unreachable_at=INVITED))
    asked_again = sent(over, "invitation.sms-link", number=2)
    assert asked(asked_again, INVITED + timedelta(minutes=2)) == []
    # The first was delivered after all: its channel leads to them again, and its prompt counts.
    assert asked(case, INVITED + timedelta(minutes=2)) == []


def test_a_prompt_in_doubt_is_never_handed_over() -> None:
    case = sent(case_of(person(**LADDER)), "invitation.whatsapp", "uncertain")
    over = replace(case, participant=replace(case.participant, whatsapp_unreachable_at=INVITED))
    assert asked(over, INVITED + timedelta(minutes=1)) == []
    assert next_moment(over, INVITED + timedelta(minutes=1)) is not None


@pytest.mark.parametrize(
    "medium, facts, reason",
    [
        ("sms", {}, "bad_number"),
        ("email", {}, None),
        ("email", {"channel": "email-link", "channel_2": None, "channel_3": None}, "bad_address"),
    ],
)
def test_a_person_hears_of_a_dead_number_and_of_a_ladder_without_a_rung(
    medium: str, facts: dict[str, object], reason: str | None
) -> None:
    case = sent(case_of(person(**(LADDER | facts))), "invitation.email-link", "refused")
    commands = on_failure(case, case.messages[0], medium, "bad_number", INVITED)  # type: ignore[arg-type]
    assert Unreachable("bad_number", medium) in commands  # type: ignore[arg-type]
    assert [one.reason for one in commands if isinstance(one, Escalate)] == ([reason] if reason else [])


@pytest.mark.parametrize("state", ["refused", "undelivered", "failed", "delivered", "accepted"])
@pytest.mark.parametrize("since", ["phone_since", "email_since", None])
def test_what_failed_at_an_earlier_number_is_asked_anew_and_nothing_else(state: str, since: str | None) -> None:
    case = sent(case_of(person()), "invitation.sms-reply", state)
    noon = at("2026-01-19 12:00")
    facts = {} if since is None else {since: noon}
    corrected = replace(case, participant=replace(case.participant, **facts))  # type: ignore[arg-type]
    anew = since == "phone_since" and state not in ("delivered", "accepted")
    assert asked(corrected, noon + timedelta(minutes=1)) == (["invitation.sms-reply"] if anew else [])
    # Once a day, and no more of it where that fails as well.
    again = sent(corrected, "invitation.sms-reply", "refused", number=2)
    second = replace(again.messages[1], queued_at=noon + timedelta(minutes=1))
    assert asked(replace(again, messages=(again.messages[0], second)), noon + timedelta(minutes=2)) == []


def test_a_second_wrong_number_is_a_second_task_and_what_is_said_of_the_first_is_none() -> None:
    case = sent(case_of(person()), "invitation.sms-reply", "refused")
    text, noon = case.messages[0], at("2026-01-19 12:00")
    (_, _, task) = on_failure(case, text, "sms", "bad_number", INVITED)
    assert isinstance(task, Escalate)
    told = fold(replace(case, participant=replace(case.participant, unreachable_at=INVITED)), task, INVITED, 7)
    assert on_failure(told, text, "sms", "bad_number", noon) == ()
    assert on_failure(told, text, "sms", "expired", noon)[0].reason == "not_delivered"  # type: ignore[union-attr]
    ended = fold(told, Resolve(7, "new_number"), noon, 8)
    another = replace(ended, participant=replace(ended.participant, unreachable_at=None, phone_since=noon))
    assert on_failure(another, text, "sms", "bad_number", noon) == ()
    later = replace(text, queued_at=noon + timedelta(minutes=1))
    (_, _, second) = on_failure(another, later, "sms", "bad_number", noon + timedelta(minutes=2))
    assert isinstance(second, Escalate)
    assert (second.reason, second.key) == ("bad_number", f"{task.key}:2")
