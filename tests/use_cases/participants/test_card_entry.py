"""A card opens whichever window is open; wrong codes keep no holder out, and are few where codes are short."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from pro_service.core import card_code
from pro_service.core.card_code import CodeError
from pro_service.core.throttle import ACQUAINTED, ADDRESS, EVERYBODY, FLOOD, LATELY, ThrottledError
from pro_service.runtime import Runtime
from pro_service.store import throttle
from pro_service.store.participants import card_codes
from pro_service.store.schema import entry_tries as table
from pro_service.store.schema import links, participants
from pro_service.use_cases import watch
from pro_service.use_cases.participants import card, survey
from pro_service.use_cases.participants.card_entry import Entry, enter
from tests import support
from tests.old_cards import old_card, short_code
from tests.peers import databases
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


@pytest.fixture
def old(rt: Runtime, study_id: int, code: str) -> str:
    """Return the code of P-008, whose card is of an earlier release."""
    assert code
    support.enrolled(rt, study_id, "P-008", PROCEDURE, channel="sms-card", phone="+905321230008", language="en")
    return old_card(rt, study_id, "P-008")


def wrong(number: int) -> str:
    """A long code that nobody has, or hardly."""
    return card_code.code_of(number * 7_000_003)


def burn(rt: Runtime, times: int) -> list[str]:
    """Type wrong short codes from so many addresses; gives those that were turned away."""
    away = []
    for number in range(times):
        address = f"2001:db8:{number:x}::1"
        try:
            assert enter(rt, short_code(number), (), address) is None
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


@databases.ON_BOTH
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


@databases.ON_BOTH
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


# --- long codes: wrong ones keep nobody out --------------------------------------------------------------------------


@pytest.mark.shows("card: attempts")
def test_however_many_long_codes_were_wrong_a_right_one_is_served(rt: Runtime, code: str) -> None:
    before = support.rows_of(rt)
    for number in range(300):
        assert enter(rt, wrong(number), (), HOME) is None
    assert support.rows_of(rt) == before, "a wrong long code writes nothing"
    assert entered(rt, code).state == "form"
    assert entered(rt, code, address=ELSEWHERE).state == "form"
    assert "guessing" not in [alarm.code for alarm in watch.alarms(rt)]


def test_only_a_flood_is_slowed_down_and_marks_go_on_working(rt: Runtime, clock: support.SetClock, code: str) -> None:
    mark = card_codes.mark_of(rt.vault, code)
    rt.memory.flood.owed_until = clock.now + FLOOD.every * FLOOD.burst
    with pytest.raises(ThrottledError):
        enter(rt, wrong(1), (), ELSEWHERE)
    assert entered(rt, code, mark).state == "form"
    clock.now += FLOOD.every
    assert entered(rt, code).state == "form", "right ones take nothing away"
    assert enter(rt, wrong(2), (), ELSEWHERE) is None
    with pytest.raises(ThrottledError):
        enter(rt, wrong(3), (), HOME)


def test_a_flood_has_no_more_looked_up_than_the_chance_was_worked_out_for() -> None:
    flood, looked_up, start, minutes = throttle.Flood(), 0, OPEN, timedelta(minutes=15)
    for number in range(400 * int(minutes.total_seconds())):
        now = start + number * timedelta(seconds=1) / 400
        with suppress(ThrottledError):
            flood.admit(now)
            flood.count_failure(now)
            looked_up += 1
    assert 0.99 * FLOOD.most_in(minutes) < looked_up <= FLOOD.most_in(minutes)


@databases.ON_BOTH
def test_threads_count_every_wrong_code(rt: Runtime, clock: support.SetClock, code: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(lambda number: enter(rt, wrong(number), (), HOME), range(200)))
    assert rt.memory.flood.owed_until == clock.now + FLOOD.every * 200
    assert code


def test_a_short_code_is_looked_up_only_while_somebody_has_one(rt: Runtime, code: str) -> None:
    with pytest.raises(CodeError) as caught:
        enter(rt, code[:8], (), HOME)
    assert (caught.value.fault, caught.value.signs) == ("length", 8)


@pytest.mark.shows("card: attempts")
def test_guessing_at_old_cards_keeps_nobody_out_who_has_a_new_one(rt: Runtime, code: str, old: str) -> None:
    burn(rt, EVERYBODY.burst + ACQUAINTED.burst)
    for number in range(ADDRESS.burst):
        with suppress(ThrottledError):
            enter(rt, short_code(number), (), HOME)
    assert entered(rt, code).state == "form"
    with pytest.raises(ThrottledError):
        enter(rt, old, (), ELSEWHERE)
    assert entered(rt, old, card_codes.mark_of(rt.vault, old), address=ELSEWHERE).state == "form"


# --- short codes of earlier releases: limits -------------------------------------------------------------------------


def test_what_cannot_be_a_code_is_not_counted(rt: Runtime, old: str) -> None:
    before = support.rows_of(rt)
    for typed in ("", "1234567", "IIIIIIII", "IIIIIIIIIIII"):
        with pytest.raises(CodeError):
            enter(rt, typed, (), HOME)
    assert support.rows_of(rt) == before
    assert old


def test_right_codes_are_not_counted(rt: Runtime, old: str) -> None:
    for _ in range(ADDRESS.burst * 2):
        assert entered(rt, old).state == "form"


@databases.ON_BOTH
def test_an_address_may_be_wrong_a_few_times_and_then_now_and_again(
    rt: Runtime, clock: support.SetClock, old: str
) -> None:
    for number in range(ADDRESS.burst):
        assert enter(rt, short_code(number), (), HOME) is None
    with pytest.raises(ThrottledError) as caught:
        enter(rt, old, (), HOME)
    assert caught.value.again_at == OPEN + ADDRESS.every
    assert entered(rt, old, address=ELSEWHERE).state == "form"
    clock.now = caught.value.again_at
    assert entered(rt, old).state == "form"


def test_no_address_is_written_in_clear(rt: Runtime, old: str) -> None:
    assert enter(rt, short_code(1), (), HOME) is None
    assert entered(rt, old, address=ELSEWHERE).state == "form"
    with rt.sessions.reading() as session:
        places = session.scalars(select(table.c.place)).all()
    assert len(places) == 4
    assert not [place for place in places if HOME.encode() in place or ELSEWHERE.encode() in place]


@pytest.mark.shows("card: attempts")
@databases.ON_BOTH
def test_from_all_addresses_together_no_more_come_through_than_the_chance_was_worked_out_for(
    rt: Runtime, clock: support.SetClock, old: str
) -> None:
    assert len(burn(rt, EVERYBODY.burst + 7)) == 7
    clock.now += timedelta(hours=1)
    assert len(burn(rt, 30)) == 30 - timedelta(hours=1) // EVERYBODY.every
    assert old


@databases.ON_BOTH
def test_servers_that_ask_at_the_same_time_count_every_try(rt: Runtime, old: str) -> None:
    def one(number: int) -> bool:
        try:
            return enter(rt, short_code(number), (), f"198.51.100.{number}") is None
        except ThrottledError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(EVERYBODY.burst + 20))) == EVERYBODY.burst
    assert old


@pytest.mark.shows("card: attempts")
def test_a_scanned_card_is_served_while_somebody_guesses(rt: Runtime, old: str) -> None:
    burn(rt, EVERYBODY.burst)
    with pytest.raises(ThrottledError):
        enter(rt, old, (), ELSEWHERE)
    assert entered(rt, old, card_codes.mark_of(rt.vault, old), address=ELSEWHERE).state == "form"


def test_a_browser_that_was_let_in_before_is_served_while_somebody_guesses(rt: Runtime, old: str) -> None:
    mark = entered(rt, old).mark
    burn(rt, EVERYBODY.burst + ACQUAINTED.burst)
    assert entered(rt, old, "A" * 16, mark, address=ELSEWHERE).state == "form"


def test_a_mark_helps_to_guess_no_other_code(rt: Runtime, old: str) -> None:
    mark = entered(rt, old, address=ELSEWHERE).mark
    for number in range(ADDRESS.burst):
        assert enter(rt, short_code(number), (mark,), HOME) is None
    with pytest.raises(ThrottledError):
        enter(rt, short_code(99), (mark,), HOME)


def test_an_address_that_was_served_lately_has_an_allowance_that_nobody_else_can_use_up(
    rt: Runtime, clock: support.SetClock, old: str
) -> None:
    entered(rt, old)
    burn(rt, EVERYBODY.burst)
    assert entered(rt, old).state == "form"
    with pytest.raises(ThrottledError):
        enter(rt, old, (), ELSEWHERE)
    assert enter(rt, short_code(5), (), HOME) is None
    clock.now += LATELY
    burn(rt, EVERYBODY.burst)
    with pytest.raises(ThrottledError):
        enter(rt, old, (), HOME)


@databases.ON_BOTH
def test_addresses_that_owe_nothing_are_forgotten(rt: Runtime, clock: support.SetClock, old: str) -> None:
    burn(rt, 20)
    entered(rt, old)
    clock.now += timedelta(days=1)
    assert enter(rt, short_code(1), (), ELSEWHERE) is None
    # Everybody, the acquainted, the one that was served, and the last.
    assert support.rows_of(rt)["entry_tries"] == 4
    clock.now += LATELY + timedelta(days=1)
    assert enter(rt, short_code(2), (), ELSEWHERE) is None
    assert support.rows_of(rt)["entry_tries"] == 3


@databases.ON_BOTH
def test_guessing_raises_an_alarm_and_the_alarm_ends(rt: Runtime, clock: support.SetClock, old: str) -> None:
    def alarmed() -> bool:
        return "guessing" in [alarm.code for alarm in watch.alarms(rt)]

    burn(rt, 30)
    assert not alarmed()
    burn(rt, EVERYBODY.burst)
    assert alarmed()
    clock.now += timedelta(hours=3)
    assert not alarmed()
    assert old
