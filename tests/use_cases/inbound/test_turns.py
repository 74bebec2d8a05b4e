"""Two participants on one telephone: one conversation at a time, each text says whose turn it is, no guesses."""

import threading
from collections.abc import Callable
from datetime import date, timedelta
from itertools import count

import pytest
from sqlalchemy import select

from pro_service import paths
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.schema import escalations, inbound, messages, responses
from pro_service.use_cases import study
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

pytestmark = databases.ON_BOTH

PHONE = "+12025550123"
TEN = support.at("2026-03-09 10:00")
Says = Callable[[str], None]


@pytest.fixture
def couple(rt: Runtime, study_id: int) -> tuple[int, int]:
    """Return two who share a telephone and are due to be asked at the same moment."""
    more = {"phone": PHONE, "channel": "sms-reply", "language": "en"}
    first = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), **more)
    return first, support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), **more)


@pytest.fixture
def says(rt: Runtime, clock: support.SetClock) -> Says:
    """Return what lets somebody write a text from the telephone, two minutes after the last."""
    numbers = count(1)

    def say(body: str) -> None:
        clock.now += timedelta(minutes=2)
        given = {"MessageSid": f"SM{next(numbers):032d}", "From": PHONE, "To": "+15005550006", "Body": body}
        receive.receive(rt, text_of(given))
        beat(rt)

    return say


def test_thanks_on_a_shared_telephone_say_for_whom(
    rt: Runtime, couple: tuple[int, int], says: Says, clock: support.SetClock, phones: Telephones
) -> None:
    clock.now = TEN
    beat(rt)
    says("7")
    says("2")
    thanks = [text.body for text in phones.sent if "Thank you, your answers" in text.body]
    assert [body.partition(":")[0] for body in thanks] == ["P-001"]
    assert couple


def beat(rt: Runtime) -> None:
    tick(rt)
    deliver(rt)


def asked(rt: Runtime) -> list[int | None]:
    """Whom prompts were queued for, in order."""
    with rt.sessions.reading() as session:
        m = messages.c
        prompts = select(m.participant_id).where(m.kind.in_(("invitation", "reminder-1", "reminder-2", "reminder-3")))
        return list(session.scalars(prompts.order_by(m.queued_at, m.id)))


def answers(rt: Runtime, participant: int) -> list[tuple[str, int | None]]:
    with rt.sessions.reading() as session:
        r = responses.c
        rows = session.execute(select(r.item, r.value).where(r.participant_id == participant).order_by(r.id))
        return [(row.item, row.value) for row in rows]


@pytest.mark.shows("conversation: serialised")
def test_the_second_waits_until_the_first_has_finished(
    rt: Runtime, couple: tuple[int, int], says: Says, phones: Telephones, clock: support.SetClock
) -> None:
    first, second = couple
    clock.now = TEN
    beat(rt)
    assert asked(rt) == [first]
    says("7")
    says("2")
    assert answers(rt, first) == [("NRS-AVG", 7), ("PGIC", 2)]
    assert asked(rt) == [first]
    clock.now += timedelta(minutes=10)
    beat(rt)
    assert asked(rt) == [first, second]
    assert phones.to(PHONE)[0].startswith("This text is for P-001. ")
    assert phones.to(PHONE)[1].startswith("This text is for P-001. ")
    assert phones.to(PHONE)[-1].startswith("This text is for P-002. ")
    says("4")
    says("3")
    assert answers(rt, second) == [("NRS-AVG", 4), ("PGIC", 3)]


@pytest.mark.shows("conversation: serialised")
def test_an_unanswered_turn_is_over_in_time_for_the_other_on_the_same_day(
    rt: Runtime, couple: tuple[int, int], clock: support.SetClock
) -> None:
    clock.now = TEN
    beat(rt)
    clock.now = TEN + timedelta(hours=2, minutes=59)
    beat(rt)
    assert asked(rt) == [couple[0]]
    clock.now = TEN + timedelta(hours=3)
    beat(rt)
    assert asked(rt) == list(couple)


def test_who_was_waiting_need_not_wait_longer_than_the_conversation(
    rt: Runtime, couple: tuple[int, int], says: Says, clock: support.SetClock
) -> None:
    clock.now = TEN
    beat(rt)
    before = support.loaded(rt, couple[1]).next_check_at
    assert before == TEN + timedelta(hours=3)
    says("7")
    says("2")
    clock.now += timedelta(minutes=10)
    assert support.loaded(rt, couple[1]).next_check_at == clock.now
    beat(rt)
    assert asked(rt) == list(couple)


def test_a_text_that_has_not_left_keeps_the_other_waiting(
    rt: Runtime, couple: tuple[int, int], phones: Telephones, clock: support.SetClock
) -> None:
    clock.now = TEN
    tick(rt)
    clock.now = TEN + timedelta(hours=5)
    tick(rt)
    assert (asked(rt), phones.sent) == ([couple[0]], [])
    beat(rt)
    clock.now = TEN + timedelta(hours=8)
    beat(rt)
    assert asked(rt) == list(couple)


@pytest.mark.shows("conversation: ambiguous")
def test_a_number_that_could_be_eithers_is_nobodys(
    rt: Runtime, couple: tuple[int, int], says: Says, clock: support.SetClock
) -> None:
    clock.now = TEN
    beat(rt)
    clock.now = TEN + timedelta(hours=3)
    beat(rt)
    says("7")
    assert answers(rt, couple[0]) == answers(rt, couple[1]) == []
    with rt.sessions.reading() as session:
        assert session.scalar(select(inbound.c.handed_for)) == "shared_telephone"
        assert "shared_telephone" in session.scalars(select(escalations.c.reason)).all()


@pytest.mark.parametrize("body", ["P-002 7", "p002: 7", "P-002: 7/10", "P 002 - seven"])
@pytest.mark.shows("conversation: ambiguous")
def test_a_text_that_begins_with_a_code_is_that_participants(
    rt: Runtime, couple: tuple[int, int], says: Says, clock: support.SetClock, body: str
) -> None:
    clock.now = TEN
    beat(rt)
    clock.now = TEN + timedelta(hours=3)
    beat(rt)
    says(body)
    assert (answers(rt, couple[0]), answers(rt, couple[1])) == ([], [("NRS-AVG", 7)])


@pytest.fixture
def numbered(rt: Runtime, study_id: int) -> tuple[int, int]:
    """Return two whom REDCap numbered, on one telephone."""
    more = {"phone": PHONE, "channel": "sms-reply", "language": "en"}
    first = support.enrolled(rt, study_id, "8", date(2026, 3, 2), **more)
    return first, support.enrolled(rt, study_id, "7", date(2026, 3, 2), **more)


@pytest.mark.shows("conversation: what we ask for")
def test_a_code_that_could_be_an_answer_is_asked_for_with_a_sign_and_understood(
    rt: Runtime, numbered: tuple[int, int], says: Says, phones: Telephones, clock: support.SetClock
) -> None:
    clock.now = TEN
    beat(rt)
    assert phones.to(PHONE)[-1].startswith("This text is for #8. ")
    assert "begin your answer with #8." in phones.to(PHONE)[-1]
    clock.now = TEN + timedelta(hours=3)
    beat(rt)
    says("#7 8")
    says("no 8: 7")
    assert (answers(rt, numbered[0]), answers(rt, numbered[1])) == ([("NRS-AVG", 7)], [("NRS-AVG", 8)])


@pytest.mark.shows("conversation: who sent it")
@pytest.mark.parametrize("body", ["8 8", "8 7", "7", "8"])
def test_a_text_that_may_be_eithers_is_answered_with_what_to_begin_with(
    rt: Runtime, numbered: tuple[int, int], says: Says, phones: Telephones, clock: support.SetClock, body: str
) -> None:
    clock.now = TEN
    beat(rt)
    clock.now = TEN + timedelta(hours=3)
    beat(rt)
    before = len(phones.to(PHONE))
    says(body)
    assert answers(rt, numbered[0]) == answers(rt, numbered[1]) == []
    (asked_back,) = phones.to(PHONE)[before:]
    assert asked_back.endswith("begin it with your code: #7 / #8")


def test_two_numbers_while_one_is_asked_are_asked_about(
    rt: Runtime, numbered: tuple[int, int], says: Says, phones: Telephones, clock: support.SetClock
) -> None:
    clock.now = TEN
    beat(rt)
    says("8 7")
    assert answers(rt, numbered[0]) == []
    assert phones.to(PHONE)[-1].startswith("This text is for #8. ")
    says("#8 7")
    assert answers(rt, numbered[0]) == [("NRS-AVG", 7)]


@pytest.mark.usefixtures("numbered")
@pytest.mark.shows("conversation: who sent it")
def test_whoever_writes_what_is_nobodys_on_and_on_is_not_answered_on_and_on(
    rt: Runtime, says: Says, phones: Telephones, clock: support.SetClock
) -> None:
    clock.now = TEN
    beat(rt)
    clock.now = TEN + timedelta(hours=3)
    beat(rt)
    before = len(phones.to(PHONE))
    for _ in range(5):
        says("7")
    assert len(phones.to(PHONE)) == before + 3


@pytest.fixture
def twins(rt: Runtime, study_id: int) -> tuple[int, int]:
    """Return two of two studies on one telephone, to whom both studies gave the same code."""
    text = (paths.protocols() / "demo.toml").read_text(encoding="utf-8").replace('study = "DEMO"', 'study = "OTHER"')
    other = study.load(rt, support.SETUP, text).study.id
    more = {"phone": PHONE, "channel": "sms-reply", "language": "en"}
    first = support.enrolled(rt, study_id, "8", date(2026, 3, 2), **more)
    return first, support.enrolled(rt, other, "8", date(2026, 3, 2), **more)


@pytest.mark.shows("conversation: what we ask for")
def test_two_studies_that_gave_one_code_are_told_apart_by_their_names(
    rt: Runtime, twins: tuple[int, int], says: Says, phones: Telephones, clock: support.SetClock
) -> None:
    clock.now = TEN
    beat(rt)
    asked_for = phones.to(PHONE)[-1].partition(".")[0].removeprefix("This text is for ")
    assert asked_for.endswith(" 8")
    clock.now = TEN + timedelta(hours=3)
    beat(rt)
    says("#8 7")
    assert answers(rt, twins[0]) == answers(rt, twins[1]) == []
    says(f"{asked_for} 7")
    says("OTHER 8: 6")
    assert (answers(rt, twins[0]), answers(rt, twins[1])) == ([("NRS-AVG", 7)], [("NRS-AVG", 6)])


@pytest.mark.shows("conversation: what we ask for")
def test_the_code_alone_is_enough_while_one_of_two_studies_asks(
    rt: Runtime, twins: tuple[int, int], says: Says, clock: support.SetClock
) -> None:
    clock.now = TEN
    beat(rt)
    says("#8 7")
    assert (answers(rt, twins[0]), answers(rt, twins[1])) == ([("NRS-AVG", 7)], [])


def test_an_answer_may_begin_with_the_code_though_nobody_shares_the_telephone_any_more(
    rt: Runtime, study_id: int, says: Says, clock: support.SetClock
) -> None:
    more = {"phone": PHONE, "channel": "sms-reply", "language": "en"}
    alone = support.enrolled(rt, study_id, "8", date(2026, 3, 2), **more)
    clock.now = TEN
    beat(rt)
    says("#8 7")
    assert answers(rt, alone) == [("NRS-AVG", 7)]


def test_a_code_is_no_answer_and_holds_no_number(
    rt: Runtime, couple: tuple[int, int], says: Says, clock: support.SetClock
) -> None:
    clock.now = TEN
    beat(rt)
    for body in ("P-001", "P-0017", "P-003 5"):
        says(body)
    assert answers(rt, couple[0]) == answers(rt, couple[1]) == []


def test_a_stop_with_a_code_is_that_participants_alone(
    rt: Runtime, couple: tuple[int, int], says: Says, clock: support.SetClock
) -> None:
    clock.now = TEN
    beat(rt)
    says("P-002 STOP")
    assert [support.loaded(rt, one).case.participant.opted_out_at is None for one in couple] == [True, False]


def test_two_schedulers_ask_one_of_them(rt: Runtime, couple: tuple[int, int], clock: support.SetClock) -> None:
    clock.now = TEN
    together = threading.Barrier(2)

    def at_once() -> None:
        together.wait()
        tick(rt)

    threads = [threading.Thread(target=at_once) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tick(rt)
    assert len(asked(rt)) == 1
    assert asked(rt)[0] in couple


def test_who_has_the_telephone_alone_is_not_told_whose_turn_it_is(
    rt: Runtime, study_id: int, phones: Telephones, clock: support.SetClock
) -> None:
    support.enrolled(rt, study_id, "P-003", date(2026, 3, 2), phone=PHONE, channel="sms-reply", language="en")
    clock.now = TEN
    beat(rt)
    assert "P-003" not in phones.to(PHONE)[0]
