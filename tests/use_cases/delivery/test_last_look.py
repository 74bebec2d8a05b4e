"""The last look before a text leaves: whoever answered while a slow provider kept it waiting is not reminded."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event, select

from pro_service.gateways.outgoing import Accepted, Outgoing, Unavailable, Uncertain
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.messages import inbox
from pro_service.store.schema import escalations, messages
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.delivery.reconcile import reconcile
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

pytestmark = databases.ON_BOTH

PEOPLE = {f"P-00{number}": f"+1202555010{number}" for number in range(3)}
BOTH = {"NRS-AVG": "3", "PGIC": "2"}
Answering = Callable[[Runtime, str], None]


@dataclass(slots=True)
class Slow(Telephones):
    """A provider that takes seconds for each text; people do something in between."""

    clock: support.SetClock = field(default_factory=lambda: support.SetClock(support.at("2026-03-01 00:00")))
    meanwhile: Callable[[Outgoing], None] = lambda _: None

    def send(self, outgoing: Outgoing) -> Accepted:
        """Take one text, after a while."""
        self.clock.now += timedelta(seconds=5)
        self.meanwhile(outgoing)
        return Telephones.send(self, outgoing)


@pytest.fixture
def network(rt: Runtime, clock: support.SetClock, study_id: int) -> Slow:
    """Return a slow provider; three people were invited, and are to be reminded now."""
    for code, phone in PEOPLE.items():
        how = {"phone": phone, "channel": "sms-reply", "language": "en"}
        baseline = {"baseline_nrs_avg": "6", "baseline_nrs_now": "5"}
        support.enrolled(rt, study_id, code, date(2026, 3, 2), **how, **baseline)
    clock.now = support.at("2026-03-09 10:00")
    tick(rt)
    found = Slow(clock=clock)
    assert deliver(slowly(rt, found)).accepted == len(PEOPLE)
    clock.now = support.at("2026-03-10 18:30")
    tick(rt)
    return found


def slowly(rt: Runtime, network: Slow) -> Runtime:
    """Return the runtime with this provider and one worker."""
    delivery = replace(rt.settings.delivery, workers=1)
    return replace(rt, texts={"sms": network}, settings=replace(rt.settings, delivery=delivery))


def by_telephone(rt: Runtime, code: str) -> None:
    support.answered(rt, code, "W1", BOTH)


def by_text(rt: Runtime, code: str) -> None:
    for number in ("3", "2"):
        receive.receive(rt, text_of(said(code, number)))
        deliver(replace(rt, texts={"sms": Telephones("MM", rt.clock)}))


def by_text_that_nobody_has_read(rt: Runtime, code: str) -> None:
    parameters = said(code, "3")
    with rt.sessions.begin() as session:
        inbox.keep_text(session, rt.vault, text_of(parameters), rt.clock())


def said(code: str, body: str) -> dict[str, str]:
    return {"MessageSid": f"SM{code}{body}", "From": PEOPLE[code], "To": "+15005550006", "Body": body}


def reminded(network: Slow) -> list[str]:
    """Whose telephone got a reminder of the first question, in order."""
    return [text.to for text in network.sent if "do not have" in text.body and "0 = no pain" in text.body]


@pytest.mark.parametrize("answer", [by_telephone, by_text, by_text_that_nobody_has_read])
def test_who_answers_while_a_reminder_waits_for_a_slow_provider_does_not_get_it(
    rt: Runtime, network: Slow, answer: Answering
) -> None:
    def others_answer(outgoing: Outgoing) -> None:
        network.meanwhile = lambda _: None
        for code, phone in PEOPLE.items():
            if phone != outgoing.to:
                answer(rt, code)

    network.meanwhile = others_answer
    deliver(slowly(rt, network))
    assert len(reminded(network)) == 1
    tick(rt)
    deliver(slowly(rt, network))
    assert len(reminded(network)) == 1


def test_a_text_that_answers_nothing_puts_a_reminder_off_until_it_is_read(
    rt: Runtime, clock: support.SetClock, network: Slow
) -> None:
    parameters = said("P-001", "hello there")
    with rt.sessions.begin() as session:
        inbox.keep_text(session, rt.vault, text_of(parameters), rt.clock())
    deliver(slowly(rt, network))
    assert PEOPLE["P-001"] not in reminded(network)
    tick(rt)
    clock.now += timedelta(seconds=5)
    deliver(slowly(rt, network))
    assert PEOPLE["P-001"] in reminded(network)


@pytest.mark.parametrize("fault, ended", [(Uncertain(503), "cancelled"), (Unavailable(429), "expired")])
def test_a_reminder_that_was_answered_on_its_way_and_did_not_leave_is_nobodys_business(
    rt: Runtime, clock: support.SetClock, network: Slow, fault: Exception, ended: str
) -> None:
    def answers(outgoing: Outgoing) -> None:
        code = next(code for code, phone in PEOPLE.items() if phone == outgoing.to)
        support.answered(rt, code, "W1", BOTH)

    network.meanwhile = answers
    network.faults.extend([fault] * len(PEOPLE))
    deliver(slowly(rt, network))
    assert not reminded(network)
    for _ in range(8):
        clock.now += timedelta(minutes=2)
        tick(rt)
        deliver(slowly(rt, network))
        reconcile(slowly(rt, network))
    assert not reminded(network)
    with rt.sessions.reading() as session:
        states = set(session.scalars(select(messages.c.state).where(messages.c.kind == "reminder-1")))
        tasks = session.scalars(select(escalations.c.reason)).all()
    assert states == {ended}
    assert "uncertain_delivery" not in tasks


@pytest.mark.usefixtures("network")
def test_workers_that_stand_in_line_for_the_last_look_are_answered_together(
    rt: Runtime, clock: support.SetClock
) -> None:
    line, there, asked = threading.Barrier(len(PEOPLE), timeout=30), set[int](), list[str]()

    def later_in_a_worker() -> datetime:
        if not threading.current_thread().name.startswith("send"):
            return clock.now
        if threading.get_ident() not in there:
            there.add(threading.get_ident())
            line.wait()
        return clock.now + timedelta(seconds=1)

    def heard(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "AS unread" in statement:
            asked.append(statement)

    event.listen(rt.sessions.engine, "before_cursor_execute", heard)
    found = Telephones("MM", clock)
    assert deliver(replace(rt, texts={"sms": found}, clock=later_in_a_worker)).accepted == len(PEOPLE)
    assert len(asked) == 1
