"""Go-live is signed: no text leaves this machine before an investigator has confirmed its version."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from pro_service import paths
from pro_service.core.problems import RejectedError
from pro_service.gateways.twilio.hooks import text_of
from pro_service.gateways.twilio.texts import TwilioTexts
from pro_service.runtime import Runtime
from pro_service.settings import Settings
from pro_service.store.audit import Actor
from pro_service.store.schema import attempts, audit_trail, confirmations, messages
from pro_service.use_cases import confirmation, doctor, study
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.participants import contact_test, migrate
from pro_service.use_cases.participants.contact_test import ReachRefusedError, Subject
from pro_service.use_cases.tick import tick
from pro_service.use_cases.watch import alarms
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

DEMO = (paths.protocols() / "demo.toml").read_text(encoding="utf-8")
ONE, TWO = "+12025550123", "+12025550124"
INVITED = support.at("2026-03-09 10:00")


@pytest.fixture
def phones(clock: support.SetClock) -> Telephones:
    """Return telephones that only a provider elsewhere reaches."""
    return Telephones(clock=clock, elsewhere=True)


@dataclass
class Trial:
    """The study with one participant, who was to be invited a moment ago, and its investigator."""

    rt: Runtime
    clock: support.SetClock
    phones: Telephones
    study_id: int
    lead: int

    def enrol(self, code: str, phone: str, procedure: date = date(2026, 3, 2)) -> int:
        cells = {"phone": phone, "channel": "sms-reply", "language": "en"}
        return support.enrolled(self.rt, self.study_id, code, procedure, **cells)

    def load(self, old: str, new: str) -> str:
        assert old in DEMO
        return study.load(self.rt, support.SETUP, DEMO.replace(old, new)).version.sha256

    def at_work(self) -> None:
        """Tick and deliver once."""
        tick(self.rt)
        deliver(self.rt)

    def confirm(self, sha256: str | None = None, by: int | None = None, reason: str = "approved on 1 March") -> None:
        user = self.lead if by is None else by
        actor = Actor(kind="staff", id=f"user:{user}", source="dashboard", user_id=user)
        read = sha256 or confirmation.review(self.rt, self.study_id).version.sha256
        confirmation.confirm(self.rt, actor, self.study_id, user, reason, read)

    def refused(self, sha256: str | None = None, by: int | None = None, reason: str = "approved") -> list[str]:
        before = support.rows_of(self.rt)
        with pytest.raises(RejectedError) as error:
            self.confirm(sha256, by, reason)
        assert support.rows_of(self.rt) == before
        return [fault.code for fault in error.value.faults]

    def notice(self) -> tuple[str, int] | None:
        found = confirmation.unconfirmed(self.rt, self.study_id)
        return None if found is None else (found.notice, found.held)


@pytest.fixture
def trial(rt: Runtime, clock: support.SetClock, phones: Telephones, study_id: int) -> Trial:
    """Return the study at the moment of its first invitation."""
    clock.now = support.at("2026-03-02 15:00")
    made = Trial(rt, clock, phones, study_id, support.coordinator(rt, "lead@example.org", role="investigator"))
    made.enrol("P-001", ONE)
    clock.now = INVITED
    return made


@databases.ON_BOTH
def test_texts_wait_without_one_attempt_and_leave_once_their_version_is_confirmed(trial: Trial) -> None:
    # The provider as it is set up for a real study: nothing here reaches it, so a single try would fail this test.
    twilio = TwilioTexts("AC" + "0" * 32, auth_token="0" * 32, from_number="+15005550006")
    assert twilio.elsewhere
    away = replace(trial.rt, texts={"sms": twilio})
    tick(away)
    assert deliver(away).accepted == 0
    twilio.close()
    trial.clock.now += timedelta(hours=3)
    trial.at_work()
    with trial.rt.sessions.reading() as session:
        assert session.scalar(select(func.count()).select_from(attempts)) == 0
        assert session.scalars(select(messages.c.state).where(messages.c.channel == "sms")).all() == ["ready"]
    assert trial.notice() == ("waits", 1)
    assert "unconfirmed" in [alarm.code for alarm in alarms(trial.rt)]
    trial.confirm()
    trial.at_work()
    assert len(trial.phones.to(ONE)) == 1
    assert trial.notice() is None
    assert "unconfirmed" not in [alarm.code for alarm in alarms(trial.rt)]


@databases.ON_BOTH
def test_who_when_what_and_why_are_kept(trial: Trial) -> None:
    trial.confirm(reason="  approved by the   committee on 1 March ")
    c, a = confirmations.c, audit_trail.c
    with trial.rt.sessions.reading() as session:
        kept = session.execute(select(c.user_id, c.confirmed_at, c.sha256, c.reason)).one()
        told = session.execute(select(a.actor, a.reason, a.changes).where(a.action == "confirm_version")).one()
    sha256 = confirmation.review(trial.rt, trial.study_id).version.sha256
    assert tuple(kept) == (trial.lead, INVITED, sha256, "approved by the committee on 1 March")
    assert told[:2] == (f"user:{trial.lead}", "approved by the committee on 1 March")
    assert sha256 in told.changes


def test_a_provider_on_this_machine_asks_for_no_confirmation(trial: Trial) -> None:
    trial.phones.elsewhere = False
    trial.at_work()
    assert len(trial.phones.to(ONE)) == 1
    assert trial.notice() is None


@pytest.mark.parametrize(
    "address, elsewhere",
    [
        (None, True),
        ("https://api.example.org", True),
        ("http://10.0.0.7:8001", True),
        ("http://localhost.example.org", True),
        ("http://127.0.0.1:8001", False),
        ("http://[::1]:8001", False),
        ("http://localhost:8001", False),
    ],
)
def test_only_the_loopback_is_this_machine(settings: Settings, address: str | None, elsewhere: bool) -> None:  # noqa: FBT001
    gateway = TwilioTexts("AC", auth_token="0", from_number="+15005550006", base_url=address)
    assert gateway.elsewhere == elsewhere
    assert settings.twilio_base_url is None


def test_who_was_not_asked_for_want_of_a_confirmation_is_invited_later(trial: Trial) -> None:
    while trial.clock.now < support.at("2026-03-11 09:00"):
        trial.at_work()
        trial.clock.now += timedelta(hours=1)
    assert trial.phones.sent == []
    trial.confirm()
    trial.clock.now = support.at("2026-03-11 10:00")
    trial.at_work()
    (body,) = trial.phones.to(ONE)
    assert "do not have" not in body


def test_somebody_in_danger_is_told_at_once_whom_to_call(trial: Trial) -> None:
    receive.receive(trial.rt, text_of({"MessageSid": "SM1", "From": ONE, "Body": "I want to die"}))
    trial.at_work()
    (body,) = trial.phones.to(ONE)
    assert "112" in body


@databases.ON_BOTH
def test_what_was_confirmed_goes_on_while_a_newer_version_waits(trial: Trial) -> None:
    trial.confirm()
    read = confirmation.review(trial.rt, trial.study_id).version.sha256
    newest = trial.load('title = "Demonstration"', 'title = "Another"')
    trial.enrol("P-002", TWO)
    trial.at_work()
    assert (len(trial.phones.to(ONE)), len(trial.phones.to(TWO))) == (1, 0)
    assert trial.notice() == ("waits", 1)
    review = confirmation.review(trial.rt, trial.study_id)
    assert [(one.place, one.old, one.new) for one in review.differences] == [("title", "Demonstration", "Another")]
    assert review.base is not None
    assert review.base.number == 1
    assert trial.refused(read) == ["version_not_newest"]
    with pytest.raises(RejectedError) as error:
        migrate.migrate(trial.rt, support.SETUP, trial.study_id, "amendment")
    assert [fault.code for fault in error.value.faults] == ["version_unconfirmed"]
    trial.confirm(newest)
    assert trial.refused() == ["version_confirmed"]
    trial.at_work()
    assert len(trial.phones.to(TWO)) == 1
    assert migrate.migrate(trial.rt, support.SETUP, trial.study_id, "amendment").version == 2


def test_who_is_on_a_version_that_nobody_confirmed_is_named_when_a_newer_one_is(trial: Trial) -> None:
    trial.load('title = "Demonstration"', 'title = "Another"')
    trial.confirm()
    trial.at_work()
    assert trial.notice() == ("older_waits", 1)
    migrate.migrate(trial.rt, support.SETUP, trial.study_id, "to the confirmed version")
    trial.at_work()
    assert trial.notice() is None
    assert len(trial.phones.to(ONE)) == 1


def test_a_draft_a_stranger_and_a_confirmation_without_a_reason_are_refused(trial: Trial) -> None:
    helper = support.coordinator(trial.rt, "helper@example.org")
    of_one_site = support.coordinator(trial.rt, "ist@example.org", role="investigator", study="DEMO", site="IST")
    assert trial.refused(by=helper) == ["no_investigator"]
    assert trial.refused(by=of_one_site) == ["no_investigator"]
    assert trial.refused(reason=" ") == ["reason_missing"]
    trial.load("demo = true", "demo = true\ndraft = true  # nobody is to be asked yet")
    assert trial.refused() == ["version_draft"]
    assert trial.refused(by=helper, reason="") == ["version_draft", "no_investigator", "reason_missing"]
    for who in ("nobody@example.org", "helper@example.org"):
        if who == "helper@example.org":
            assert confirmation.user_of(trial.rt, " Helper@Example.org ") == helper
            continue
        with pytest.raises(RejectedError):
            confirmation.user_of(trial.rt, who)


def test_a_telephone_is_not_tested_by_a_text_that_may_not_leave(trial: Trial) -> None:
    with pytest.raises(ReachRefusedError) as error:
        contact_test.begin(trial.rt, support.SETUP, Subject(trial.study_id, "P-001"))
    assert error.value.code == "not_confirmed"
    trial.confirm()
    contact_test.begin(trial.rt, support.SETUP, Subject(trial.study_id, "P-001"))


def test_the_marks_of_the_file_are_kept_and_follow_it_until_it_is_confirmed(trial: Trial) -> None:
    def listed() -> list[str]:
        return [mark.words for mark in confirmation.review(trial.rt, trial.study_id).marks or ()]

    assert listed() == ["The Turkish wording is a draft."]
    draft = "# What is asked. The Turkish wording is a draft."
    trial.load(draft, f"{draft} It is to be confirmed by somebody.")
    assert listed() == ["The Turkish wording is a draft.", "It is to be confirmed by somebody."]
    trial.load(draft, "# What is asked.")
    assert listed() == []
    trial.confirm()
    trial.load(draft, draft)
    assert listed() == []


def test_the_doctor_names_the_study_and_what_to_do(trial: Trial, settings: Settings) -> None:
    del settings
    trial.at_work()
    (found,) = doctor.confirmations_of(trial.rt)
    assert (found.colour, found.finding) == (
        "red",
        "DEMO, version 1: no investigator has confirmed it; texts that wait: 1",
    )
    assert "pro-service study confirm" in found.remedy
    trial.confirm()
    assert [found.colour for found in doctor.confirmations_of(trial.rt)] == ["green"]
