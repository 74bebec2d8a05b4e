"""The morning's digest: whose day it tells, when it comes, once whatever happens, and what it never says."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from pro_service.gateways.email import EmailGateway
from pro_service.runtime import Runtime
from pro_service.store.schema import audit_trail, messages, participants, roles, sites, users
from pro_service.store.vault import Vault
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.idle import TickReport
from pro_service.use_cases.staff import administration
from pro_service.use_cases.tasks import digest
from pro_service.use_cases.tick import beat, tick
from pro_service.use_cases.trail.seal import seal
from pro_service.use_cases.trail.verify import verify
from tests import support
from tests.peers import databases
from tests.peers.mail import MailHost
from tests.telephones import Telephones

PHONE = "+12025550123"
BASELINE = {"baseline_nrs_avg": "6", "baseline_nrs_now": "5"}
MORNING = "2026-03-12 09:00"
"""A Thursday: the call of the one-week window was raised the day before, and can be made until midnight."""


@pytest.fixture
def letters() -> Telephones:
    """Return the letter boxes that mails arrive in."""
    return Telephones(kind="mail-")


@pytest.fixture
def office(rt: Runtime, letters: Telephones, study_id: int, clock: support.SetClock) -> Runtime:
    """Return a runtime that can send mail, on the eve of a morning with one call to make at IST."""
    runtime = replace(rt, mail=letters)
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=PHONE, channel="sms-reply", **BASELINE)
    clock.now = support.at("2026-03-11 09:00")
    tick(rt)  # without a mail host: no immediate alert
    clock.now = support.at("2026-03-11 20:00")
    tick(runtime)
    return runtime


def participant_id(rt: Runtime) -> int:
    """Return the row id of the one participant."""
    with rt.sessions.reading() as session:
        return int(session.scalars(select(participants.c.id)).one())


def read(letters: Telephones) -> list[tuple[str, str]]:
    """(to, subject) of the digests that arrived, and forget all mails."""
    found = [(letter.to, letter.subject or "") for letter in letters.sent if "/account" in letter.body]
    letters.sent.clear()
    return found


def morning(rt: Runtime) -> TickReport:
    beat(rt, "tick")
    report = tick(rt)
    deliver(rt)
    return report


def test_a_coordinator_reads_whom_to_call_and_how_long_there_is(
    office: Runtime, clock: support.SetClock, letters: Telephones
) -> None:
    support.coordinator(office, "here@example.org", site="IST", language="en")
    support.coordinator(office, "there@example.org", site="BER")
    support.coordinator(office, "looker@example.org", role="monitor")
    support.coordinator(office, "blind@example.org", role="assessor")
    clock.now = support.at(MORNING)
    morning(office)
    digests = [letter for letter in letters.sent if "/account" in letter.body]
    assert [letter.to for letter in digests] == ["here@example.org"]
    assert digests[0].subject == "PRO Service: your work on Thursday 12 March (1)"
    assert (
        "P-001 · W1: urgent: please see to it today. 15 h left, closes Thursday 12 March 23:59 (Istanbul)."
        in digests[0].body
    )
    assert "/escalations/" in digests[0].body
    assert not {PHONE, "0123", "6", "NRS"} & set(digests[0].body.split())


def test_an_investigators_and_a_monitors_digest_prove_the_trail_until_then(
    office: Runtime, clock: support.SetClock, letters: Telephones
) -> None:
    support.coordinator(office, "one@example.org", site="IST", language="en")
    support.coordinator(office, "two@example.org", role="investigator", language="en")
    for role in ("monitor", "coordinator"):
        support.coordinator(office, "three@example.org", role=role, language="en")
    clock.now = support.at(MORNING)
    seal(office)
    newest = verify(office).newest_seal
    support.to_decide(office, participant_id(office))
    morning(office)
    bodies = {letter.to: letter.body for letter in letters.sent if "/account" in letter.body}
    for kept in ("two@example.org", "three@example.org"):
        assert f"Newest seal of the audit trail: {newest}. Keep this mail" in bodies[kept]
    assert "seal" not in bodies["one@example.org"]


@databases.ON_BOTH
def test_it_comes_once_a_day_and_not_before_working_hours(
    office: Runtime, clock: support.SetClock, letters: Telephones
) -> None:
    support.coordinator(office, "here@example.org", site="IST")
    for moment in ("2026-03-12 08:59", MORNING, "2026-03-12 09:01", "2026-03-12 16:59"):
        clock.now = support.at(moment)
        morning(office)
        assert len(read(letters)) == (moment == MORNING), moment


def test_days_off_and_days_without_work_bring_none(
    office: Runtime, clock: support.SetClock, letters: Telephones
) -> None:
    support.coordinator(office, "here@example.org", site="IST")
    # Saturday; Sunday; then Monday, with the window that was missed; Friday 20 March is a holiday in Turkey.
    for moment, how_many in (("14", 0), ("15", 0), ("16", 1), ("20", 0)):
        clock.now = support.at(f"2026-03-{moment} 09:00")
        morning(office)
        assert len(read(letters)) == how_many, moment


def test_nothing_to_say_is_not_said(rt: Runtime, clock: support.SetClock, letters: Telephones, study_id: int) -> None:
    office = replace(rt, mail=letters)
    support.coordinator(rt)
    tick(office)
    clock.now = support.at("2026-03-03 09:00")
    assert morning(office).digests == 0
    assert read(letters) == []
    assert study_id


def test_an_outage_brings_one_for_today_and_none_after_hours(
    office: Runtime, clock: support.SetClock, letters: Telephones
) -> None:
    support.coordinator(office, "here@example.org", site="IST")
    clock.now = support.at("2026-03-18 18:00")
    morning(office)
    assert read(letters) == []
    clock.now = support.at("2026-03-25 14:00")
    for _ in range(3):
        morning(office)
    assert len(read(letters)) == 1


@databases.ON_BOTH
def test_two_schedulers_and_two_sites_write_one(office: Runtime, clock: support.SetClock, letters: Telephones) -> None:
    support.coordinator(office, "here@example.org")
    clock.now = support.at("2026-03-12 10:30")  # when both Istanbul and Berlin are at work
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(digest.send, [office] * 4)) == 1
    deliver(office)
    assert len(read(letters)) == 1


@databases.ON_BOTH
def test_a_crash_before_the_end_takes_nothing_along_and_doubles_nothing(
    office: Runtime, clock: support.SetClock, letters: Telephones
) -> None:
    support.coordinator(office, "here@example.org", site="IST")
    clock.now = support.at(MORNING)
    with office.sessions.reading() as session:
        before = session.scalars(select(sites.c.digest_at)).all()
    # A round that fails after it was taken over fails as a whole; the next one does it.
    broken = replace(office, vault=object.__new__(Vault))
    assert digest.send(broken) == 0
    with office.sessions.reading() as session:
        assert session.scalars(select(sites.c.digest_at)).all() == before
    assert digest.send(office) == 1
    with office.sessions.begin() as session:
        session.execute(sites.update().values(digest_at=clock.now))
    assert digest.send(office) == 0
    assert letters.sent == []


def test_whoever_left_is_away_or_does_not_want_it_gets_none(
    office: Runtime, clock: support.SetClock, letters: Telephones
) -> None:
    gone = support.coordinator(office, "gone@example.org")
    administration.disable(office, support.SETUP, gone)
    ended = support.coordinator(office, "ended@example.org")
    with office.sessions.begin() as session:
        session.execute(roles.update().where(roles.c.user_id == ended).values(revoked_at=clock.now))
    waiting = support.coordinator(office, "waiting@example.org")
    with office.sessions.begin() as session:
        session.execute(roles.update().where(roles.c.user_id == waiting).values(approved_at=None))
    unwilling = support.coordinator(office, "unwilling@example.org")
    with office.sessions.begin() as session:
        session.execute(users.update().where(users.c.id == unwilling).values(digest=False))
    away = support.coordinator(office, "away@example.org")
    with office.sessions.begin() as session:
        session.execute(users.update().where(users.c.id == away).values(away_until=support.at("2026-03-13 00:00")))
    clock.now = support.at(MORNING)
    assert morning(office).digests == 0
    assert read(letters) == []


def test_investigators_read_their_rungs_and_administrators_what_fails(
    office: Runtime, clock: support.SetClock, letters: Telephones
) -> None:
    support.coordinator(office, "lead@example.org", role="investigator", language="tr")
    support.coordinator(office, "admin@example.org", role="administrator", language="en")
    clock.now = support.at("2026-03-16 09:00")
    digest.send(office)  # before the beat: the scheduler has been silent
    deliver(office)
    by_whom = {letter.to: letter.body for letter in letters.sent if "/account" in letter.body}
    assert "The scheduler is not working" in by_whom["admin@example.org"]
    assert "P-001" not in by_whom["admin@example.org"]
    assert "acil: lütfen bugün ilgilenin" in by_whom["lead@example.org"]


@databases.ON_BOTH
def test_an_idle_tick_asks_nobody(office: Runtime, clock: support.SetClock) -> None:
    support.coordinator(office, "here@example.org", site="IST")
    clock.now = support.at(MORNING)
    morning(office)
    tick(office)  # nothing sends here: the invitation that was of no use any more is written anew
    before = support.rows_of(office)
    assert tick(office) == TickReport()
    assert support.rows_of(office) == before


@databases.ON_BOTH
def test_every_digest_stands_in_the_trail(office: Runtime, clock: support.SetClock) -> None:
    user_id = support.coordinator(office, "here@example.org", site="IST")
    clock.now = support.at(MORNING)
    morning(office)
    with office.sessions.reading() as session:
        rows = session.scalars(select(audit_trail.c.changes).where(audit_trail.c.action == "digest")).all()
        keys = session.scalars(select(messages.c.dedup_key).where(messages.c.kind == "digest")).all()
    assert rows == [f'{{"user":[null,{user_id}]}}']
    assert keys == [f"d:{user_id}:2026-03-12"]


def test_a_real_mail_host_takes_it(office: Runtime, clock: support.SetClock, mail_host: MailHost) -> None:
    support.coordinator(office, "here@example.org", site="IST", language="tr")
    gateway = EmailGateway(mail_host.host, mail_host.port, mail_from="pro@example.org", clock=clock)
    clock.now = support.at(MORNING)
    morning(replace(office, mail=gateway))
    [letter] = [one for one in mail_host.received if "/account" in one.get_content()]
    assert letter["Subject"] == "PRO Service: 12 Mart Perşembe günü işleriniz (1)"
    assert "15 saat kaldı" in letter.get_content()
