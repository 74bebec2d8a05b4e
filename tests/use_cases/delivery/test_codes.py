"""A provider's code means one thing, whether it comes as the answer to a call or in a delivery report afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias, get_args

import pytest
from sqlalchemy import Table, delete, select, update
from twilio.base.exceptions import TwilioRestException

from pro_service.core.schedule.agenda import PERMANENT_FAILURES
from pro_service.gateways.kinds import REMEDIES, Kind
from pro_service.gateways.twilio.codes import KINDS
from pro_service.gateways.twilio.hooks import receipt_of
from pro_service.gateways.twilio.texts import sorted_out
from pro_service.runtime import Runtime
from pro_service.store.messages import channels
from pro_service.store.schema import AnyRow, attempts, escalations, messages, participants, receipts
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound.receive import take_receipt
from pro_service.use_cases.tick import tick
from pro_service.use_cases.watch import alarms
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

PHONE = "+12025550123"
INVITED = support.at("2026-03-09 10:00")
UNKNOWN = 39_999
BUSY, DAILY, UNREGISTERED = 30022, 30023, 30034


@dataclass(frozen=True, slots=True)
class Became:
    """What one text and its participant have become, as far as anybody can see it."""

    waits: str
    error: str | None
    tasks: tuple[str, ...]
    opted_out: bool
    unreachable: bool
    stopped_by: str | None
    alarms: frozenset[str]


@pytest.fixture
def invited(rt: Runtime, study_id: int, clock: support.SetClock) -> int:
    """Return somebody whose invitation is due now."""
    row_id = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=PHONE, channel="sms-reply", language="en")
    clock.now = INVITED
    tick(rt)
    return row_id


def answered_with(rt: Runtime, phones: Telephones, code: int, status: int = 400) -> None:
    """Let the provider refuse the text at once."""
    phones.faults.append(sorted_out(TwilioRestException(status, "/Messages", code=code)))
    deliver(rt)


def reported(rt: Runtime, phones: Telephones, code: int, status: str = "failed") -> None:
    """Let the provider take the text, and say afterwards that it failed."""
    assert deliver(rt).accepted == 1
    report(rt, phones, status, code)


def report(rt: Runtime, phones: Telephones, status: str, code: int | None = None, *, attempt: int = -1) -> None:
    """Let the provider say something of one attempt, the newest unless told otherwise."""
    token = phones.sent[attempt].token
    sid = f"SM{range(1, len(phones.sent) + 1)[attempt]:032d}"
    assert take_receipt(
        rt, receipt_of(token, {"MessageSid": sid, "MessageStatus": status, "ErrorCode": str(code or "")}), "twilio"
    )


def row(rt: Runtime) -> AnyRow:
    with rt.sessions.reading() as session:
        return session.execute(
            select(messages).where(messages.c.channel == "sms").order_by(messages.c.id).limit(1)
        ).one()


def tasks(rt: Runtime) -> tuple[str, ...]:
    with rt.sessions.reading() as session:
        found = session.scalars(select(escalations.c.reason).order_by(escalations.c.id)).all()
    return tuple(reason for reason in found if reason not in ("confirm_procedure", "missed"))


def became(rt: Runtime) -> Became:
    text, now = row(rt), rt.clock()
    waits = "ended"
    if text.state == "ready":
        waits = "today" if text.next_try_at - now <= timedelta(hours=1) else "tomorrow"
    elif text.state not in ("refused", "failed"):
        waits = text.state
    with rt.sessions.reading() as session:
        person = session.execute(select(participants)).one()
        way = channels.all_channels(session)["sms"]
    return Became(
        waits=waits,
        error=text.error,
        tasks=tasks(rt),
        opted_out=person.opted_out_at is not None,
        unreachable=person.unreachable_at is not None,
        stopped_by=way.stopped_by,
        alarms=frozenset(alarm.code for alarm in alarms(rt)),
    )


Rows: TypeAlias = Mapping[Table, Sequence[AnyRow]]


def remembered(rt: Runtime) -> Rows:
    with rt.sessions.reading() as session:
        return {table: session.execute(select(table)).all() for table in (messages, participants)}


def forget(rt: Runtime, before: Rows) -> None:
    """Let everything be as it was before the provider said anything."""
    with rt.sessions.begin() as session:
        for table in (escalations, receipts, attempts):
            session.execute(delete(table))
        channels.go_on(session, "sms")
        for table, rows in before.items():
            for one in rows:
                values = dict(zip(table.c.keys(), one, strict=True))
                session.execute(update(table).where(table.c.id == one.id).values(values))


def test_each_class_has_its_remedy() -> None:
    assert set(REMEDIES) == set(get_args(Kind))
    assert {kind for kind, remedy in REMEDIES.items() if remedy == "unreachable"} == PERMANENT_FAILURES


def test_a_code_means_the_same_as_an_answer_and_in_a_report(rt: Runtime, phones: Telephones, invited: int) -> None:
    before = remembered(rt)
    differs = {}
    for code in (*sorted(map(int, KINDS)), UNKNOWN):
        answered_with(rt, phones, code)
        answer = became(rt)
        forget(rt, before)
        reported(rt, phones, code)
        if (afterwards := became(rt)) != answer:
            differs[code] = (answer, afterwards)
        forget(rt, before)
    assert differs == {}
    assert invited


@databases.ON_BOTH
def test_a_text_the_operator_had_no_room_for_goes_again(
    rt: Runtime, phones: Telephones, clock: support.SetClock, invited: int
) -> None:
    reported(rt, phones, BUSY, "undelivered")
    clock.now += timedelta(minutes=1)
    assert deliver(rt).accepted == 1
    assert len(phones.to(PHONE)) == 2
    report(rt, phones, "delivered")
    assert (row(rt).state, row(rt).provider_id, row(rt).error) == ("delivered", phones.records[-1].sid, None)
    assert tasks(rt) == ()
    assert invited


@pytest.mark.parametrize("status", ["sending", "sent", "delivered", "undelivered"])
def test_what_is_said_late_of_the_first_attempt_does_not_move_the_second(
    rt: Runtime, phones: Telephones, invited: int, status: str
) -> None:
    reported(rt, phones, BUSY)
    report(rt, phones, status, attempt=0)
    assert (row(rt).state, row(rt).provider_id) == ("ready", None)
    assert invited


def test_a_daily_limit_is_over_tomorrow(rt: Runtime, phones: Telephones, clock: support.SetClock, invited: int) -> None:
    reported(rt, phones, DAILY)
    with rt.sessions.begin() as session:
        session.execute(update(messages).values(useful_until=None))
    clock.now += timedelta(hours=23)
    assert deliver(rt).accepted == 0
    clock.now += timedelta(hours=2)
    assert deliver(rt).accepted == 1
    assert len(phones.to(PHONE)) == 2
    assert invited


def test_a_text_that_would_come_too_late_does_not_go_again(
    rt: Runtime, phones: Telephones, clock: support.SetClock, invited: int
) -> None:
    assert deliver(rt).accepted == 1
    clock.now = row(rt).useful_until
    report(rt, phones, "failed", BUSY)
    assert row(rt).state == "failed"
    assert deliver(rt).accepted == 0
    assert len(phones.to(PHONE)) == 1
    assert invited


def test_a_question_that_was_answered_meanwhile_does_not_go_again(
    rt: Runtime, phones: Telephones, clock: support.SetClock, invited: int
) -> None:
    assert deliver(rt).accepted == 1
    case = support.loaded(rt, invited).case
    window = case.window(row(rt).window_id)
    clock.now += timedelta(minutes=5)
    support.answered(rt, "P-001", window.code, dict.fromkeys(window.point.items, "5"))
    report(rt, phones, "failed", BUSY)
    assert row(rt).state == "failed"
    clock.now += timedelta(hours=1)
    deliver(rt)
    assert len(phones.to(PHONE)) == 1
    assert tasks(rt) == ()


def test_a_sender_that_is_not_registered_is_one_alarm_and_nobodys_task(
    rt: Runtime, study_id: int, phones: Telephones, clock: support.SetClock
) -> None:
    for number in range(3):
        how = {"phone": f"+120255501{number:02}", "channel": "sms-reply", "language": "en"}
        support.enrolled(rt, study_id, f"P-{number:03}", date(2026, 3, 2), **how)
    clock.now = INVITED
    tick(rt)
    before = tasks(rt)
    assert deliver(rt).accepted == 3
    for attempt in range(3):
        report(rt, phones, "failed", UNREGISTERED, attempt=attempt)
    assert tasks(rt) == before
    assert stopped_by(rt) == str(UNREGISTERED)
    assert [alarm.code for alarm in alarms(rt)].count("stopped_sms") == 1
    clock.now += timedelta(minutes=6)
    assert deliver(rt).accepted == 3
    # That they were taken proves nothing: so were the first ones.
    assert stopped_by(rt) == str(UNREGISTERED)
    report(rt, phones, "delivered")
    assert stopped_by(rt) is None


def stopped_by(rt: Runtime) -> str | None:
    with rt.sessions.reading() as session:
        return channels.all_channels(session)["sms"].stopped_by
