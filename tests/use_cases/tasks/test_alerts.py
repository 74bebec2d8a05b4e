"""Alert mails: who hears of an escalation, once, and what the mail does not say."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.schema import escalations, messages, roles
from pro_service.use_cases.delivery.deliver import DeliverReport, deliver
from pro_service.use_cases.inbound.receive import receive
from pro_service.use_cases.staff import administration
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

PHONE = "+12025550123"
BASELINE = {"baseline_nrs_avg": "6", "baseline_nrs_now": "5"}


@pytest.fixture
def letters() -> Telephones:
    """Return the letter boxes that mails arrive in."""
    return Telephones(kind="mail-")


@pytest.fixture
def mailing(rt: Runtime, letters: Telephones, study_id: int) -> Runtime:
    """Return a runtime that can send mail, with a silent participant at the first site."""
    runtime = replace(rt, mail=letters)
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=PHONE, channel="sms-reply", **BASELINE)
    return runtime


@pytest.mark.parametrize("language", ["", "en", "tr", "nonsense"])
@databases.ON_BOTH
def test_a_coordinator_of_the_site_gets_one_mail_per_task_whatever_language_is_set(
    mailing: Runtime, clock: support.SetClock, letters: Telephones, language: str
) -> None:
    support.coordinator(mailing, "here@example.org", site="IST", language=language)
    support.coordinator(mailing, "there@example.org", site="BER")
    support.coordinator(mailing, "looker@example.org", role="monitor")
    clock.now = support.at("2026-03-11 09:00")
    for _ in range(2):
        assert tick(mailing).faults == 0
        deliver(mailing)
    assert [letter.to for letter in letters.sent] == ["here@example.org"]
    letter = letters.sent[0]
    assert letter.subject is not None
    assert "P-001" in letter.subject
    assert "W1" in letter.subject
    assert "/escalations/" in letter.body
    assert PHONE not in letter.body + letter.subject


@databases.ON_BOTH
def test_without_a_mail_host_the_task_is_there_all_the_same(
    rt: Runtime, mailing: Runtime, clock: support.SetClock
) -> None:
    support.coordinator(mailing)
    clock.now = support.at("2026-03-11 09:00")
    assert tick(rt).faults == 0
    assert deliver(rt).accepted == 1  # the text
    with rt.sessions.reading() as session:
        assert session.scalars(select(messages.c.channel)).all() == ["sms"]
        assert session.scalars(select(escalations.c.level)).all() == ["E1"]


@databases.ON_BOTH
def test_a_provider_that_gives_one_id_twice_does_not_stop_the_others(
    rt: Runtime, mailing: Runtime, clock: support.SetClock, phones: Telephones, study_id: int
) -> None:
    other = {"phone": "+12025550124", "channel": "sms-reply"}
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), **other, **BASELINE)
    support.coordinator(mailing)
    clock.now = support.at("2026-03-11 09:00")
    tick(mailing)
    report = deliver(replace(mailing, mail=Telephones(kind=phones.kind)))
    assert report == DeliverReport(accepted=4)


def test_each_rung_goes_at_once_to_the_roles_it_names_and_to_each_once(
    mailing: Runtime, clock: support.SetClock, letters: Telephones
) -> None:
    """E1 a call, E2 little time, E3 missed, unseen: E4; nobody works, and the beat goes on."""
    for name, role in (("call", "coordinator"), ("lead", "investigator"), ("data", "data-manager")):
        support.coordinator(mailing, f"{name}@example.org", role=role, language="en")
    heard: list[tuple[str, str]] = []
    clock.now = support.at("2026-03-11 09:00")
    for _ in range(24 * 12):
        for _ in range(2):
            tick(mailing)
        deliver(mailing)
        # Senders work side by side: the mails of one hour leave in any order.
        hour = [(one.to.partition("@")[0], one.subject or "") for one in letters.sent if "/escalations/" in one.body]
        heard += sorted(hour)
        heard = [(who, subject) for who, subject in heard if "work on" not in subject]
        letters.sent.clear()
        clock.now += timedelta(hours=1)
    assert len(heard) == len(set(heard)), heard
    assert heard == [
        ("call", "P-001 · W1: please call"),
        ("call", "P-001 · W1: urgent: please see to it today"),
        ("lead", "P-001 · W1: urgent: please see to it today"),
        ("call", "P-001 · W1: window missed, please give the reason"),
        ("lead", "P-001 · W1: window missed, please give the reason"),
        ("lead", "P-001 · W1: the investigator decides"),
    ]


def test_a_safety_word_at_night_is_mailed_in_the_same_minute(
    mailing: Runtime, clock: support.SetClock, letters: Telephones
) -> None:
    support.coordinator(mailing, "call@example.org", site="IST")
    support.coordinator(mailing, "lead@example.org", role="investigator")
    clock.now = support.at("2026-03-14 03:10")  # a Saturday
    tick(mailing)
    deliver(mailing)
    letters.sent.clear()
    for number in ("SM1", "SM1"):
        receive(mailing, text_of({"MessageSid": number, "From": PHONE, "Body": "nefes alamıyorum"}))
    for _ in range(2):
        tick(mailing)
        deliver(mailing)
    told = [(one.to, (one.subject or "").partition(": ")[2]) for one in letters.sent]
    assert sorted(told) == [
        ("call@example.org", "safety: please look at once"),
        ("lead@example.org", "safety: please look at once"),
    ]


@databases.ON_BOTH
def test_a_mail_that_waits_does_not_reach_who_has_no_access_left(
    mailing: Runtime, clock: support.SetClock, letters: Telephones
) -> None:
    ended, shut, stays = (support.coordinator(mailing, f"{name}@example.org") for name in ("ended", "shut", "stays"))
    support.coordinator(mailing, "stays@example.org", role="monitor", site="IST")
    clock.now = support.at("2026-03-11 09:00")
    tick(mailing)  # and the relay is away
    with mailing.sessions.reading() as session:
        held = {
            row.user_id: row.id for row in session.execute(select(roles.c.id, roles.c.user_id).order_by(-roles.c.id))
        }
    assert administration.revoke(mailing, support.SETUP, ended, held[ended])
    assert administration.disable(mailing, support.SETUP, shut)
    assert administration.revoke(mailing, support.SETUP, stays, held[stays])
    deliver(mailing)
    assert [letter.to for letter in letters.sent] == ["stays@example.org"]


@databases.ON_BOTH
def test_a_role_that_waits_brings_no_mail(mailing: Runtime, clock: support.SetClock, letters: Telephones) -> None:
    waiting = support.coordinator(mailing)
    with mailing.sessions.begin() as session:
        session.execute(roles.update().where(roles.c.user_id == waiting).values(approved_at=None))
    clock.now = support.at("2026-03-11 09:00")
    tick(mailing)
    deliver(mailing)
    assert letters.sent == []
