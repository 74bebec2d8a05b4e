"""Silent failures speak: each in its own word, once a day to those who run the service, and not without cause."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from threading import Event, Thread

import pytest
from sqlalchemy import insert, select

from pro_service import scheduler
from pro_service.core.providers import FACTS, TEXTS
from pro_service.gateways.outgoing import Accepted, Outgoing, Unavailable
from pro_service.gateways.twilio.hooks import receipt_of
from pro_service.runtime import Runtime
from pro_service.store.schema import heartbeats, inbound, messages, participants
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.mails import alarm_words
from pro_service.use_cases.tick import beat, tick
from pro_service.use_cases.watch import alarms, watch
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

PROCEDURE = date(2026, 3, 2)
INVITED = support.at("2026-03-09 10:00")
BASELINE = {"baseline_nrs_avg": "6", "baseline_nrs_now": "5"}


@dataclass
class Mailbox:
    """Mails that arrived."""

    sent: list[Outgoing] = field(default_factory=list)

    def send(self, outgoing: Outgoing) -> Accepted:
        self.sent.append(outgoing)
        return Accepted(f"<{len(self.sent)}@example.org>", "accepted")


@pytest.fixture
def people(rt: Runtime, study_id: int, clock: support.SetClock) -> int:
    """Return how many people were invited an hour and a half ago."""
    for number in range(12):
        how = {"phone": f"+120255501{number:02}", "channel": "sms-reply", "language": "en", **BASELINE}
        support.enrolled(rt, study_id, f"P-{number:03}", PROCEDURE, **how)
    clock.now = INVITED
    tick(rt)
    assert deliver(rt).accepted == 12
    clock.now += timedelta(minutes=90)
    beat(rt, "tick")
    return 12


def codes(rt: Runtime) -> list[str]:
    return [alarm.code for alarm in alarms(rt)]


def report(rt: Runtime, status: str, how_many: int) -> None:
    """Let the provider say what became of so many texts."""
    with rt.sessions.reading() as session:
        sids = session.scalars(select(messages.c.provider_id).order_by(messages.c.id)).all()
    for sid in sids[:how_many]:
        said = {"MessageSid": str(sid), "MessageStatus": status, "ErrorCode": "30007" if status != "delivered" else ""}
        assert receive.take_receipt(rt, receipt_of("a token of before the backup", said), "twilio")


@databases.ON_BOTH
def test_a_service_that_works_raises_no_alarm(rt: Runtime, people: int) -> None:
    report(rt, "delivered", people)
    assert codes(rt) == []


@databases.ON_BOTH
def test_nobody_enrolled_is_no_alarm(rt: Runtime, study_id: int) -> None:
    assert codes(rt) == []
    assert study_id


@databases.ON_BOTH
def test_a_scheduler_that_never_ran_or_is_silent(rt: Runtime, clock: support.SetClock, people: int) -> None:
    report(rt, "delivered", people)
    clock.now += timedelta(minutes=16)
    assert codes(rt) == ["scheduler"]
    with rt.sessions.begin() as session:
        session.execute(heartbeats.delete())
    assert codes(rt) == ["scheduler"]


@databases.ON_BOTH
def test_a_scheduler_that_lives_and_does_not_get_through(rt: Runtime, clock: support.SetClock, people: int) -> None:
    report(rt, "delivered", people)
    with rt.sessions.begin() as session:
        session.execute(participants.update().values(next_check_at=clock.now - timedelta(minutes=20)))
    assert codes(rt) == ["undecided"]


@databases.ON_BOTH
def test_texts_that_do_not_leave(rt: Runtime, clock: support.SetClock, phones: Telephones, people: int) -> None:
    report(rt, "delivered", people)
    with rt.sessions.begin() as session:
        one = select(messages.c.id).limit(1).scalar_subquery()
        waiting = {"state": "ready", "next_try_at": clock.now - timedelta(minutes=20), "useful_until": None}
        session.execute(messages.update().where(messages.c.id == one).values(**waiting))
    assert codes(rt) == ["waiting"]
    # What may not leave at all waits for nobody.
    with rt.sessions.begin() as session:
        session.execute(participants.update().values(paused_at=clock.now))
    assert codes(rt) == []
    assert phones.sent


@databases.ON_BOTH
def test_replies_that_nobody_reads(rt: Runtime, clock: support.SetClock, people: int) -> None:
    report(rt, "delivered", people)
    with rt.sessions.begin() as session:
        row = {"id": 10**6, "provider_id": "SM1", "sender_index": b"x", "raw": b"x"}
        session.execute(insert(inbound).values(**row, received_at=clock.now - timedelta(minutes=6)))
    assert codes(rt) == ["unread"]


@databases.ON_BOTH
def test_texts_that_do_not_arrive_or_of_which_nothing_is_heard(rt: Runtime, people: int) -> None:
    assert codes(rt) == ["no_receipts"]
    report(rt, "undelivered", people)
    assert codes(rt) == ["undelivered"]


@databases.ON_BOTH
def test_a_provider_that_is_away_is_heard_of(
    rt: Runtime, clock: support.SetClock, phones: Telephones, study_id: int
) -> None:
    how = {"phone": "+12025550150", "channel": "sms-reply", "language": "en", **BASELINE}
    support.enrolled(rt, study_id, "P-050", PROCEDURE, **how)
    clock.now = INVITED
    tick(rt)
    for _ in range(6):
        phones.faults.append(Unavailable(503))
        deliver(rt)
        clock.now += timedelta(minutes=16)
    beat(rt, "tick")
    assert "waiting" in codes(rt)


def test_every_alarm_has_words_in_both_languages() -> None:
    known = ("scheduler", "undecided", "waiting", *(f"stopped_{way}" for way in FACTS))
    known = (*known, *(f"quarantine_{way}" for way in TEXTS))
    for code in (*known, "daily_limit", "unread", "undelivered", "no_receipts"):
        for language in ("en", "tr"):
            what, remedy = alarm_words(language, code)
            assert what
            assert remedy.endswith(".")


@databases.ON_BOTH
def test_those_who_run_the_service_hear_of_it_once_a_day(rt: Runtime, clock: support.SetClock, people: int) -> None:
    mailbox = Mailbox()
    mailing = replace(rt, mail=mailbox)
    support.coordinator(rt)
    support.coordinator(rt, "admin@example.org", role="administrator")
    for _ in range(3):
        assert [alarm.code for alarm in watch(mailing)] == ["no_receipts"]
    deliver(mailing)
    assert [(mail.to, mail.subject) for mail in mailbox.sent] == [
        ("admin@example.org", "PRO Service: The provider does not report whether messages arrive")
    ]
    assert "+1202" not in mailbox.sent[0].body
    clock.now += timedelta(days=1)
    beat(rt, "tick")
    watch(mailing)
    deliver(mailing)
    assert len(mailbox.sent) == 2
    assert people


@databases.ON_BOTH
def test_nobody_hears_of_it_twice_in_one_night(rt: Runtime, clock: support.SetClock, people: int) -> None:
    mailbox = Mailbox()
    mailing = replace(rt, mail=mailbox)
    support.coordinator(rt, "admin@example.org", role="administrator")
    sent = []
    # 00:00 UTC is three in the morning in Istanbul.
    for moment in ("2026-03-10 02:50", "2026-03-10 03:10", "2026-03-11 02:40", "2026-03-11 02:50", "2026-03-11 03:10"):
        clock.now = support.at(moment)
        beat(rt, "tick")
        watch(mailing)
        deliver(mailing)
        sent.append(sum("whether messages arrive" in (mail.subject or "") for mail in mailbox.sent))
    assert sent == [1, 1, 1, 2, 2]
    assert people


@databases.ON_BOTH
def test_the_web_server_says_that_the_scheduler_is_dead(rt: Runtime, clock: support.SetClock, people: int) -> None:
    report(rt, "delivered", people)
    mailbox = Mailbox()
    support.coordinator(rt)
    clock.now += timedelta(minutes=20)
    told = Event()

    class Heard(Event):
        def wait(self, timeout: float | None = None) -> bool:
            assert timeout == scheduler.WATCH_SECONDS
            if told.is_set():
                return True
            told.set()
            return False

    watching = Thread(target=scheduler.watch_from_outside, args=(replace(rt, mail=mailbox), Heard()))
    watching.start()
    watching.join(30)
    assert [mail.subject for mail in mailbox.sent] == ["PRO Service: The scheduler is not working"]
