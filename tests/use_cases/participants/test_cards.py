"""Cards that are due: listed, printed many at once, handed over, taken back; and no text goes before one is made."""

from datetime import date

import pytest
from sqlalchemy import select, update

from pro_service.core.problems import RejectedError, words
from pro_service.reports import cards, today
from pro_service.runtime import Runtime
from pro_service.store.schema import audit_trail, entry_codes, messages, participants
from pro_service.store.studies import site_ids
from pro_service.use_cases import reporting
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.participants import card, card_entry
from pro_service.use_cases.participants.change import change
from pro_service.use_cases.participants.change_form import ChangeForm
from pro_service.use_cases.tick import tick
from tests import support
from tests.old_cards import old_card
from tests.peers import databases
from tests.support import SETUP
from tests.telephones import Telephones

PROCEDURE = date(2026, 3, 2)
INVITED = support.at("2026-03-09 10:00")


def by_card(rt: Runtime, study_id: int, code: str, **cells: str) -> int:
    """Enrol somebody in Turkey who answers with a card; the telephone ends as the code does."""
    phone = cells.pop("phone", f"+90532123{code[-3:]}0")
    return support.enrolled(rt, study_id, code, PROCEDURE, channel="sms-card", phone=phone, **cells)


@pytest.fixture
def three(rt: Runtime, study_id: int) -> tuple[str, ...]:
    """Return three participants without a card, one of them at another site."""
    for code, site in (("P-001", "IST"), ("P-002", "IST"), ("P-003", "BER")):
        by_card(rt, study_id, code, site=site)
    return "P-001", "P-002", "P-003"


def due(rt: Runtime, study_id: int, sites: list[int] | None = None) -> tuple[list[str], list[str]]:
    """Codes of those whose card is to be printed, and to be handed over."""
    with rt.sessions.reading() as session:
        found = cards.cards(session, rt.loader, study_id, rt.clock(), sites)
    return [row.participant for row in found.to_print], [row.participant for row in found.to_hand]


def on_today(rt: Runtime, study_id: int) -> tuple[int, int]:
    with rt.sessions.reading() as session:
        found = today.today(session, rt.loader, study_id, rt.clock())
    return found.cards_to_print, found.cards_to_hand


def facts(rt: Runtime, code: str) -> tuple[object, object]:
    with rt.sessions.reading() as session:
        p = participants.c
        return tuple(session.execute(select(p.card_made_at, p.card_handed_at).where(p.code == code)).one())


@pytest.mark.shows("card: to print")
@databases.ON_BOTH
def test_who_answers_with_a_card_is_listed_until_it_is_printed_and_handed_over(
    rt: Runtime, study_id: int, three: tuple[str, ...]
) -> None:
    support.enrolled(rt, study_id, "P-004", PROCEDURE, channel="sms-link", phone="+12025550123")
    assert due(rt, study_id) == (list(three), [])
    made = card.show_many(rt, SETUP, study_id, three)
    assert [one.participant for one in made] == list(three)
    assert len({one.code for one in made}) == 3
    assert due(rt, study_id) == ([], list(three))
    assert on_today(rt, study_id) == (0, 3)
    assert card.hand_over(rt, SETUP, study_id, three[:2]) == 2
    assert due(rt, study_id) == ([], ["P-003"])
    assert card.hand_over(rt, SETUP, study_id, three) == 1, "the others were handed over before"
    assert due(rt, study_id) == ([], [])
    assert on_today(rt, study_id) == (0, 0)


@databases.ON_BOTH
def test_each_site_has_its_own_list(rt: Runtime, study_id: int, three: tuple[str, ...]) -> None:
    with rt.sessions.reading() as session:
        ids = site_ids(session, study_id)
    assert due(rt, study_id, [ids["BER"]]) == (["P-003"], [])
    assert [row.participant for row in reporting.due_cards(rt, study_id, "IST").to_print] == ["P-001", "P-002"]
    with pytest.raises(RejectedError):
        reporting.due_cards(rt, study_id, "NOWHERE")
    with pytest.raises(KeyError):
        card.show_many(rt, SETUP, study_id, three, [ids["BER"]])
    with rt.sessions.reading() as session:
        assert session.scalars(select(entry_codes.c.id)).all() == [], "all of them or none"


@pytest.mark.parametrize(
    "facts_of",
    [
        {"consented_at": None},
        {"phone": None},
        {"opted_out_at": INVITED},
        {"unreachable_at": INVITED},
        {"withdrawn_at": INVITED},
        {"died_at": INVITED},
        {"channel": "sms-link"},
    ],
)
def test_to_whom_no_text_goes_needs_no_card(
    rt: Runtime, study_id: int, three: tuple[str, ...], facts_of: dict[str, object]
) -> None:
    with rt.sessions.begin() as session:
        session.execute(update(participants).where(participants.c.code == three[0]).values(**facts_of))
    assert due(rt, study_id)[0] == ["P-002", "P-003"]
    assert on_today(rt, study_id) == (2, 0)


def test_once_all_windows_have_closed_no_card_is_due(
    rt: Runtime, study_id: int, clock: support.SetClock, three: tuple[str, ...]
) -> None:
    clock.now = support.at("2026-12-01 10:00")
    assert due(rt, study_id) == ([], [])
    assert three


def test_a_planned_procedure_and_what_is_asked_next_stand_beside_each_card(rt: Runtime, study_id: int) -> None:
    planned = support.enrolled(
        rt,
        study_id,
        "P-001",
        date(2026, 3, 4),
        channel="sms-card",
        phone="+905321230010",
        messaging_consent="2026-03-02",
    )
    by_card(rt, study_id, "P-002")
    with rt.sessions.reading() as session:
        first, second = cards.cards(session, rt.loader, study_id, rt.clock()).to_print
    assert (first.confirmed, second.confirmed) == (False, True)
    assert second.asked_from == support.at("2026-03-08 00:00")
    assert planned


@pytest.mark.shows("card: none yet")
@databases.ON_BOTH
def test_a_text_waits_for_the_card_and_the_next_one_goes_once_it_is_made(
    rt: Runtime, study_id: int, clock: support.SetClock, phones: Telephones
) -> None:
    who = by_card(rt, study_id, "P-001")
    clock.now = INVITED
    tick(rt)
    deliver(rt)
    assert phones.sent == []
    assert [(e.level, e.reason) for e in support.loaded(rt, who).case.escalations if e.window_id][-1] == (
        "E1",
        "no_card",
    )
    clock.now = support.at("2026-03-10 15:00")
    card.show_many(rt, SETUP, study_id, ["P-001"])
    clock.now = support.at("2026-03-10 18:30")
    tick(rt)
    deliver(rt)
    assert len(phones.sent) == 1
    assert "Kart" in phones.sent[0].body
    assert next(e.open for e in support.loaded(rt, who).case.escalations if e.reason == "no_card") is False


@databases.ON_BOTH
def test_a_text_that_was_queued_before_is_not_claimed_without_a_card(
    rt: Runtime, study_id: int, clock: support.SetClock, phones: Telephones
) -> None:
    """As an earlier release left it: the database says so too, right before the text leaves."""
    who = by_card(rt, study_id, "P-001")
    card.show(rt, SETUP, study_id, "P-001")
    clock.now = INVITED
    tick(rt)
    with rt.sessions.begin() as session:
        session.execute(update(participants).where(participants.c.id == who).values(card_made_at=None))
    deliver(rt)
    assert phones.sent == []
    with rt.sessions.reading() as session:
        assert session.scalars(select(messages.c.state).where(messages.c.participant_id == who)).all() == ["ready"]


def test_too_many_at_once_are_refused(rt: Runtime, study_id: int) -> None:
    with pytest.raises(RejectedError) as caught:
        card.show_many(rt, SETUP, study_id, [f"P-{number}" for number in range(card.MOST_AT_ONCE + 1)])
    assert "at most 120" in words(caught.value.faults[0])[0]


@pytest.mark.shows("card: printed again")
@databases.ON_BOTH
def test_cards_with_a_short_code_are_listed_until_they_are_printed_again(
    rt: Runtime, study_id: int, clock: support.SetClock, three: tuple[str, ...]
) -> None:
    old_card(rt, study_id, three[0])
    old_card(rt, study_id, three[2])
    card.show(rt, SETUP, study_id, three[1])

    def to_renew(sites: list[int] | None = None) -> list[str]:
        with rt.sessions.reading() as session:
            found = cards.cards(session, rt.loader, study_id, rt.clock(), sites)
        return [row.participant for row in found.to_renew]

    with rt.sessions.reading() as session:
        ids = site_ids(session, study_id)
    assert to_renew() == [three[0], three[2]]
    with rt.sessions.reading() as session:
        assert today.today(session, rt.loader, study_id, rt.clock()).cards_to_renew == 2
    assert to_renew([ids["BER"]]) == [three[2]]
    card.show_many(rt, SETUP, study_id, [three[2]])
    assert to_renew() == [three[0]]
    assert three[2] in due(rt, study_id)[1], "the new card is to be handed over"
    clock.now = support.at("2026-12-01 10:00")
    assert to_renew() == [], "nothing is asked any more"


# --- handing over -----------------------------------------------------------------------------------------------------


@databases.ON_BOTH
def test_the_day_of_handing_over_is_kept_and_may_be_an_earlier_one(
    rt: Runtime, study_id: int, clock: support.SetClock, three: tuple[str, ...]
) -> None:
    card.show_many(rt, SETUP, study_id, three)
    clock.now = support.at("2026-03-05 10:00")
    card.hand_over(rt, SETUP, study_id, ["P-001"], date(2026, 3, 4))
    card.hand_over(rt, SETUP, study_id, ["P-002"], date(2026, 3, 5))
    card.hand_over(rt, SETUP, study_id, ["P-003"], date(2026, 3, 2))
    assert facts(rt, "P-001")[1] == support.at("2026-03-04 12:00")
    assert facts(rt, "P-002")[1] == clock.now
    assert facts(rt, "P-003")[1] == support.at("2026-03-02 15:00"), "never before it was made, which was at three"


@pytest.mark.parametrize(
    "on, codes, said",
    [
        (None, ("P-001", "P-002"), "P-002 has no card yet"),
        (date(2026, 3, 6), ("P-001",), "still to come"),
        (date(2026, 3, 1), ("P-001",), "made after that day"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    rt: Runtime,
    study_id: int,
    clock: support.SetClock,
    three: tuple[str, ...],
    on: date,
    codes: tuple[str, ...],
    said: str,
) -> None:
    card.show(rt, SETUP, study_id, three[0])
    clock.now = support.at("2026-03-05 10:00")
    with pytest.raises(RejectedError) as caught:
        card.hand_over(rt, SETUP, study_id, codes, on)
    assert said in words(caught.value.faults[0])[0]
    assert facts(rt, "P-001")[1] is None


def test_a_card_that_was_not_handed_over_after_all_is_listed_again(
    rt: Runtime, study_id: int, three: tuple[str, ...]
) -> None:
    card.show_many(rt, SETUP, study_id, three)
    card.hand_over(rt, SETUP, study_id, three)
    assert card.take_back(rt, SETUP, study_id, ["P-002"]) == 1
    assert card.take_back(rt, SETUP, study_id, ["P-002"]) == 0
    assert due(rt, study_id) == ([], ["P-002"])
    with rt.sessions.reading() as session:
        trail = session.scalars(select(audit_trail.c.action).order_by(audit_trail.c.id)).all()
    assert (trail.count("make_code"), trail.count("hand_card"), trail.count("unhand_card")) == (3, 3, 1)


def test_a_new_card_is_to_be_handed_over_again(rt: Runtime, study_id: int, three: tuple[str, ...]) -> None:
    card.show(rt, SETUP, study_id, three[0])
    card.hand_over(rt, SETUP, study_id, three[:1])
    card.replace(rt, SETUP, study_id, three[0], "lost")
    assert facts(rt, three[0])[1] is None
    assert due(rt, study_id) == (["P-002", "P-003"], ["P-001"])


def test_a_card_that_is_used_was_handed_over(
    rt: Runtime, study_id: int, clock: support.SetClock, three: tuple[str, ...]
) -> None:
    made = card.show(rt, SETUP, study_id, three[0])
    assert card_entry.scan(rt, made.scanned, "203.0.113.7") is not None
    assert facts(rt, three[0])[1] is None, "no window is open: whoever tries it may be a coordinator"
    clock.now = INVITED
    for _ in range(2):
        card_entry.scan(rt, made.scanned, "203.0.113.7")
    assert facts(rt, three[0])[1] == INVITED
    with rt.sessions.reading() as session:
        assert session.scalars(select(audit_trail.c.action)).all().count("use_card") == 1


# --- on paper ---------------------------------------------------------------------------------------------------------


def test_four_cards_are_on_a_sheet_each_in_its_participants_language(rt: Runtime, study_id: int) -> None:
    codes = [f"P-{number:03}" for number in range(1, 13)]
    for number, code in enumerate(codes):
        by_card(rt, study_id, code, language="en" if number % 2 else "tr")
    page = card.sheets_document(card.show_many(rt, SETUP, study_id, codes))
    assert page.count('class="a4"') == 3
    assert page.count('class="card-side"') == 12
    assert page.count('lang="en">') == page.count('lang="tr">') - 1 == 6, "and the page itself"
    assert "size: A4" in page
    assert page.index("size: A4") > page.index("size: 105mm"), "the last rule for pages holds"
    assert not [word for word in ("<script", "href=", "532123") if word in page]


@pytest.mark.parametrize(
    "cells, said, not_said",
    [
        ({}, "size mesaj göndeririz", "sizi ararız"),
        ({"messaging_consent": ""}, "sizi ararız", "mesaj göndeririz"),
        ({"phone": ""}, "sizi ararız", "mesaj göndeririz"),
    ],
)
def test_a_card_says_how_its_participant_hears_of_the_questions(
    rt: Runtime, study_id: int, cells: dict[str, str], said: str, not_said: str
) -> None:
    by_card(rt, study_id, "P-001", **cells)
    page = card.sides(card.show(rt, SETUP, study_id, "P-001")).partition("</section>")[0]
    assert said in page
    assert not_said not in page


# --- what a change says -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [False, True])
def test_a_change_to_the_card_says_that_texts_wait_for_it(rt: Runtime, study_id: int, made: bool) -> None:  # noqa: FBT001
    support.enrolled(rt, study_id, "P-001", PROCEDURE, channel="sms-link", phone="+12025550123")
    if made:
        card.show(rt, SETUP, study_id, "P-001")
    done = change(rt, SETUP, study_id, "P-001", ChangeForm("channel", {"channel": "sms-card"}, "no smartphone plan"))
    assert ("no_card" in [note.code for note in done.notes]) is not made
    steps = [step for step in done.steps if step.window == "W1" and step.at is not None]
    assert ("invitation" in [step.step for step in steps]) is made
    assert (due(rt, study_id) == (["P-001"], [])) is not made


def test_a_number_that_is_taken_away_says_that_nobody_can_ask_and_a_new_one_ends_the_task(
    rt: Runtime, study_id: int
) -> None:
    who = support.enrolled(rt, study_id, "P-001", PROCEDURE, channel="sms-link", phone="+12025550123")
    gone = change(rt, SETUP, study_id, "P-001", ChangeForm("phone", {"remove": "1"}, "has none any more"))
    assert [note.code for note in gone.notes] == ["no_number"]
    tick(rt)
    given = {"number": "+1 202 555 0124", "consent": "2026-03-02"}
    back = change(rt, SETUP, study_id, "P-001", ChangeForm("phone", given, "a new one"))
    assert [(task.reason, task.outcome) for task in back.tasks] == [("no_way_to_ask", "new_number")]
    assert [e.outcome for e in support.loaded(rt, who).case.escalations] == ["new_number"]
