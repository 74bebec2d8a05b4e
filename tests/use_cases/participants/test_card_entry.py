"""A card opens whichever window is open; wrong codes are few, counted for all, and shut out nobody who holds a card."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from pro_service.core import card_code
from pro_service.core.card_code import CodeError
from pro_service.core.throttle import ACQUAINTED, ADDRESS, EVERYBODY, LATELY, ThrottledError
from pro_service.runtime import Runtime
from pro_service.store import throttle
from pro_service.store.participants import card_codes
from pro_service.store.schema import entry_tries as table
from pro_service.store.schema import links, participants
from pro_service.use_cases import watch
from pro_service.use_cases.participants import card, survey
from pro_service.use_cases.participants.card_entry import Entry, enter
from tests import support
from tests.support import SETUP

PROCEDURE = date(2026, 3, 2)
OPEN = support.at("2026-03-09 10:00")
HOME, ELSEWHERE = "203.0.113.7", "198.51.100.9"


@pytest.fixture
def code(rt: Runtime, study_id: int, clock: support.SetClock) -> str:
    """Return the code of P-001, whose one-week window is open now."""
    support.enrolled(rt, study_id, "P-001", PROCEDURE, channel="sms-card", phone="+905321234567", language="en")
    clock.now = OPEN
    return card_code.read_code(card.show(rt, SETUP, study_id, "P-001").code)


def entered(rt: Runtime, code: str, *marks: str, address: str = HOME) -> Entry:
    found = enter(rt, code, marks, address)
    assert found is not None
    return found


def wrong(number: int) -> str:
    """A code that nobody has, or hardly."""
    return card_code.code_of(number * 7_000_003)


def burn(rt: Runtime, times: int) -> list[str]:
    """Type wrong codes from so many addresses; gives those that were turned away."""
    away = []
    for number in range(times):
        address = f"2001:db8:{number:x}::1"
        try:
            assert enter(rt, wrong(number), (), address) is None
        except ThrottledError:
            away.append(address)
    return away


def facts(rt: Runtime, participant_id: int, **values: object) -> None:
    with rt.sessions.begin() as session:
        session.execute(update(participants).where(participants.c.id == participant_id).values(**values))


# --- where a right code leads ----------------------------------------------------------------------------------------


def label(rt: Runtime, found: Entry) -> tuple[str, str]:
    form = survey.open_form(rt, found.token)
    assert form is not None
    return form.label["en"], form.state


@pytest.mark.shows("card: one for all")
@pytest.mark.parametrize(
    "moment, leads_to",
    [
        ("2026-03-08 00:00", ("1 week", "open")),
        ("2026-03-12 23:59", ("1 week", "open")),
        ("2026-03-13 00:00", ("1 week", "late")),
        ("2026-03-29 23:59", ("1 week", "late")),
        ("2026-03-30 00:00", ("1 month", "open")),
        ("2026-05-25 12:00", ("1 month", "late")),
        ("2026-06-02 10:00", ("3 months", "open")),
        ("2026-06-20 10:00", ("3 months", "late")),
    ],
)
def test_one_card_opens_whichever_window_is_open(
    rt: Runtime, clock: support.SetClock, code: str, moment: str, leads_to: tuple[str, str]
) -> None:
    clock.now = support.at(moment)
    assert label(rt, entered(rt, code)) == leads_to


def test_before_the_first_window_it_says_when(rt: Runtime, clock: support.SetClock, code: str) -> None:
    clock.now = support.at("2026-03-05 10:00")
    found = entered(rt, code)
    assert (found.state, found.token, found.opens_at) == ("later", "", support.at("2026-03-08 00:00"))


def test_no_day_is_promised_before_the_procedure_took_place(
    rt: Runtime, study_id: int, clock: support.SetClock
) -> None:
    support.enrolled(rt, study_id, "P-009", date(2026, 3, 20), messaging_consent="2026-03-02", channel="sms-card")
    found = entered(rt, card.show(rt, SETUP, study_id, "P-009").code)
    assert (found.state, found.opens_at) == ("later", None)
    assert clock.now < support.at("2026-03-20 00:00")


def test_an_answered_window_can_be_changed_while_it_is_open_and_then_the_next_is_told(
    rt: Runtime, clock: support.SetClock, code: str
) -> None:
    found = entered(rt, code)
    survey.submit(rt, found.token, {"NRS-AVG": "3", "PGIC": "2"})
    assert label(rt, entered(rt, code)) == ("1 week", "done")
    clock.now = support.at("2026-03-14 10:00")
    later = entered(rt, code)
    assert (later.state, later.opens_at) == ("later", support.at("2026-03-30 00:00"))


def test_after_the_last_window_nothing_is_left(rt: Runtime, clock: support.SetClock, code: str) -> None:
    clock.now = support.at("2026-12-01 10:00")
    assert entered(rt, code).state == "finished"


@pytest.mark.parametrize("fact", ["withdrawn_at", "died_at"])
def test_whoever_left_has_nothing_to_answer(rt: Runtime, code: str, fact: str) -> None:
    with rt.sessions.reading() as session:
        participant_id = session.scalars(select(participants.c.id)).one()
    facts(rt, participant_id, **{fact: OPEN - timedelta(days=1)})
    found = entered(rt, code)
    assert (found.state, found.token) == ("finished", "")


def test_whoever_wants_no_texts_may_answer_all_the_same(rt: Runtime, code: str) -> None:
    with rt.sessions.reading() as session:
        participant_id = session.scalars(select(participants.c.id)).one()
    facts(rt, participant_id, opted_out_at=OPEN)
    assert entered(rt, code).state == "form"


def test_the_same_card_opens_the_same_form_and_writes_one_address(rt: Runtime, code: str) -> None:
    first = entered(rt, code)
    before = support.rows_of(rt)
    assert entered(rt, f"{code[:4].lower()} {code[4:]}", first.mark) == first
    assert support.rows_of(rt) == before
    with rt.sessions.reading() as session:
        assert len(session.scalars(select(links.c.id)).all()) == 1


def test_two_cards_open_two_forms(rt: Runtime, study_id: int, code: str) -> None:
    support.enrolled(rt, study_id, "P-002", PROCEDURE, channel="sms-card", phone="+905321234567")
    other = card.show(rt, SETUP, study_id, "P-002").code
    assert entered(rt, code).token != entered(rt, other).token


# --- limits ----------------------------------------------------------------------------------------------------------


def test_what_cannot_be_a_code_is_not_counted(rt: Runtime, code: str) -> None:
    before = support.rows_of(rt)
    for typed in ("", "1234567", "IIIIIIII"):
        with pytest.raises(CodeError):
            enter(rt, typed, (), HOME)
    assert support.rows_of(rt) == before
    assert code


def test_right_codes_are_not_counted(rt: Runtime, code: str) -> None:
    for _ in range(ADDRESS.burst * 2):
        assert entered(rt, code).state == "form"


def test_an_address_may_be_wrong_a_few_times_and_then_now_and_again(
    rt: Runtime, clock: support.SetClock, code: str
) -> None:
    for number in range(ADDRESS.burst):
        assert enter(rt, wrong(number), (), HOME) is None
    with pytest.raises(ThrottledError) as caught:
        enter(rt, code, (), HOME)
    assert caught.value.again_at == OPEN + ADDRESS.every
    assert entered(rt, code, address=ELSEWHERE).state == "form"
    clock.now = caught.value.again_at
    assert entered(rt, code).state == "form"


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("a proxy", "a proxy", True),
        ("", "203.0.113.7", False),
    ],
)
def test_an_ipv6_network_counts_as_one_address(rt: Runtime, one: str, other: str, same: bool) -> None:  # noqa: FBT001 -- a parameter
    place = throttle.place_of
    assert (place(rt.vault, one) == place(rt.vault, other)) == same


def test_no_address_is_written_in_clear(rt: Runtime, code: str) -> None:
    assert enter(rt, wrong(1), (), HOME) is None
    assert entered(rt, code, address=ELSEWHERE).state == "form"
    with rt.sessions.reading() as session:
        places = session.scalars(select(table.c.place)).all()
    assert len(places) == 4
    assert not [place for place in places if HOME.encode() in place or ELSEWHERE.encode() in place]


@pytest.mark.shows("card: attempts")
def test_from_all_addresses_together_no_more_come_through_than_the_chance_was_worked_out_for(
    rt: Runtime, clock: support.SetClock, code: str
) -> None:
    assert len(burn(rt, EVERYBODY.burst + 7)) == 7
    clock.now += timedelta(hours=1)
    assert len(burn(rt, 30)) == 30 - timedelta(hours=1) // EVERYBODY.every
    assert code


def test_servers_that_ask_at_the_same_time_count_every_try(rt: Runtime, code: str) -> None:
    def one(number: int) -> bool:
        try:
            return enter(rt, wrong(number), (), f"198.51.100.{number}") is None
        except ThrottledError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(EVERYBODY.burst + 20))) == EVERYBODY.burst
    assert code


@pytest.mark.shows("card: attempts")
def test_a_scanned_card_is_served_while_somebody_guesses(rt: Runtime, code: str) -> None:
    burn(rt, EVERYBODY.burst)
    with pytest.raises(ThrottledError):
        enter(rt, code, (), ELSEWHERE)
    assert entered(rt, code, card_codes.mark_of(rt.vault, code), address=ELSEWHERE).state == "form"


def test_a_browser_that_was_let_in_before_is_served_while_somebody_guesses(rt: Runtime, code: str) -> None:
    mark = entered(rt, code).mark
    burn(rt, EVERYBODY.burst + ACQUAINTED.burst)
    assert entered(rt, code, "A" * 16, mark, address=ELSEWHERE).state == "form"


def test_a_mark_helps_to_guess_no_other_code(rt: Runtime, code: str) -> None:
    mark = entered(rt, code, address=ELSEWHERE).mark
    for number in range(ADDRESS.burst):
        assert enter(rt, wrong(number), (mark,), HOME) is None
    with pytest.raises(ThrottledError):
        enter(rt, wrong(99), (mark,), HOME)


def test_an_address_that_was_served_lately_has_an_allowance_that_nobody_else_can_use_up(
    rt: Runtime, clock: support.SetClock, code: str
) -> None:
    entered(rt, code)
    burn(rt, EVERYBODY.burst)
    assert entered(rt, code).state == "form"
    with pytest.raises(ThrottledError):
        enter(rt, code, (), ELSEWHERE)
    assert enter(rt, wrong(5), (), HOME) is None
    clock.now += LATELY
    burn(rt, EVERYBODY.burst)
    with pytest.raises(ThrottledError):
        enter(rt, code, (), HOME)


def test_addresses_that_owe_nothing_are_forgotten(rt: Runtime, clock: support.SetClock, code: str) -> None:
    burn(rt, 20)
    entered(rt, code)
    clock.now += timedelta(days=1)
    assert enter(rt, wrong(1), (), ELSEWHERE) is None
    # Everybody, the acquainted, the one that was served, and the last.
    assert support.rows_of(rt)["entry_tries"] == 4
    clock.now += LATELY + timedelta(days=1)
    assert enter(rt, wrong(2), (), ELSEWHERE) is None
    assert support.rows_of(rt)["entry_tries"] == 3


def test_guessing_raises_an_alarm_and_the_alarm_ends(rt: Runtime, clock: support.SetClock, code: str) -> None:
    def alarmed() -> bool:
        return "guessing" in [alarm.code for alarm in watch.alarms(rt)]

    burn(rt, 30)
    assert not alarmed()
    burn(rt, EVERYBODY.burst)
    assert alarmed()
    clock.now += timedelta(hours=2)
    assert not alarmed()
    assert code
