"""Alert mails: who hears of an escalation, once, and what the mail does not say."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from pro_service.runtime import Runtime
from pro_service.store.schema import escalations, messages
from pro_service.use_cases.deliver import DeliverReport, deliver
from pro_service.use_cases.tick import tick
from tests import support
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
