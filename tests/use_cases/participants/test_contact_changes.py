"""Another number, language, clock, channel, consent, site: what waits does not leave, what went is not repeated."""

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from pro_service.core.problems import RejectedError
from pro_service.core.texts import masked
from pro_service.gateways.outgoing import Uncertain
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.participants import shared_phone
from pro_service.store.schema import audit_trail, escalations, former_telephones, participants, tallies
from pro_service.store.vault import opened
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.delivery.reconcile import reconcile
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tasks import calls
from pro_service.use_cases.tick import tick
from pro_service.use_cases.trail.verify import verify
from tests import support
from tests.peers import databases
from tests.support import SetClock
from tests.telephones import Telephones
from tests.use_cases.delivery.test_faults_stay_alone import Mailbox
from tests.use_cases.participants.changes import REASON, STAFF, Office

OLD, NEW = "+12025550123", "+12025550145"
MONDAY = date(2026, 3, 2)


@pytest.fixture
def desk(rt: Runtime, study_id: int, clock: SetClock) -> Office:
    """Return the office of somebody who is asked by text; W1 is aimed at the 9th, open from the 8th to the 12th."""
    who = support.enrolled(rt, study_id, "P-001", MONDAY, phone=OLD, baseline_nrs_avg="6", language="en")
    return Office(rt, study_id, clock, who)


def codes(desk: Office, action: str, **fields: str) -> list[str]:
    return [note.code for note in desk.preview(action, **fields).notes]


# An address, a ladder, and consent to each ----------------------------------------------------------------------------

ADDRESS, OTHER = "ada@example.org", "ada@example.com"


@pytest.fixture
def writing(rt: Runtime, study_id: int, clock: SetClock) -> tuple[Office, Mailbox]:
    """Return the office of somebody who is asked by mail, and by text where mails do not arrive."""
    mailbox = Mailbox()
    mailing = replace(rt, mail=mailbox)
    how = {"phone": OLD, "email": ADDRESS, "email_consent": "2026-03-01", "channel": "email-link>sms-link"}
    who = support.enrolled(mailing, study_id, "P-001", MONDAY, baseline_nrs_avg="6", language="en", **how)
    return Office(mailing, study_id, clock, who), mailbox


@databases.ON_BOTH
def test_mails_that_wait_for_the_old_address_do_not_leave_and_the_new_one_is_asked(
    writing: tuple[Office, Mailbox], rt: Runtime
) -> None:
    desk, mailbox = writing
    desk.clock.now = support.at("2026-03-09 10:00")
    tick(desk.rt)
    told = desk.change("email", address=OTHER, consent="stands")
    assert [(text.kind, text.fate) for text in told.texts] == [("invitation", "withdrawn")]
    assert told.facts == (("email", "a•••@e•••.org", "a•••@e•••.com"),)
    assert desk.change("email", address=OTHER, consent="stands").unchanged
    desk.beat()
    assert [mail.to for mail in mailbox.sent] == [OTHER]
    with rt.sessions.reading() as session:
        changes = session.scalars(select(audit_trail.c.changes).where(audit_trail.c.action == "new_address")).one()
    assert "@example" not in changes
    # `support.enrolled` writes the end of the procedure past the trail.
    assert [one.problem.values for one in verify(desk.rt).findings] == [{"names": ("procedure_end",)}]


def test_who_takes_back_one_consent_is_asked_by_the_next_channel_and_then_called(
    writing: tuple[Office, Mailbox], phones: Telephones
) -> None:
    desk, mailbox = writing
    told = desk.change("consent", withdrawn="yes", medium="email")
    assert (told.notes, desk.case.participant.asked_by) == ((), "sms-link")
    desk.until("2026-03-09 10:00")
    assert (mailbox.sent, len(phones.to(OLD))) == ([], 1)
    assert [note.code for note in desk.change("consent", withdrawn="yes").notes] == ["reached_by_none"]
    assert desk.refused("consent", consent="2026-03-05", medium="fax") == [("medium", "not_a_medium")]
    desk.change("withdraw", from_="messages")
    desk.change("consent", consent="2026-03-09", medium="email")
    assert desk.case.participant.asked_by == "email-link"


def test_the_address_is_shown_and_who_looked_is_kept(writing: tuple[Office, Mailbox]) -> None:
    desk, _ = writing
    assert calls.show_address(desk.rt, STAFF, desk.study_id, "P-001") == ADDRESS
    assert desk.audited("view_contact") == [("cli:office", None)]
    with pytest.raises(KeyError):
        calls.show_address(desk.rt, STAFF, desk.study_id, "P-001", sites={-1})
    desk.change("email", remove="yes")
    assert calls.show_address(desk.rt, STAFF, desk.study_id, "P-001") is None


def test_a_ladder_is_changed_with_every_rung_that_is_skipped_said(writing: tuple[Office, Mailbox]) -> None:
    desk, _ = writing
    told = desk.change("channel", channel="sms-link", channel_3="email-link")
    assert told.facts == (("channel", "email-link", "sms-link"), ("channel_2", "sms-link", "email-link"))
    assert desk.refused("channel", channel="whatsapp>sms-card>sms-link") == [
        ("channel", "ladder_medium_twice"),
    ]
    assert desk.refused("channel", channel="whatsapp") == [("channel", "channel_not_configured")]
    desk.change("email", remove="yes")
    notes = desk.change("channel", channel="email-link>sms-link").notes
    assert [note.code for note in notes] == ["rung_without_consent"]
    assert [note.code for note in desk.change("phone", remove="yes").notes] == ["no_number"]


# Another number ------------------------------------------------------------------------------------------------------


@pytest.mark.shows("turn: telephone")
@databases.ON_BOTH
def test_texts_that_wait_for_the_old_number_do_not_leave_and_the_new_one_is_asked(
    desk: Office, phones: Telephones
) -> None:
    desk.clock.now = support.at("2026-03-09 10:00")
    tick(desk.rt)
    told = desk.change("phone", number=NEW, consent="stands")
    assert [(text.kind, text.fate) for text in told.texts] == [("invitation", "withdrawn")]
    assert told.facts[0] == ("phone", masked(OLD), masked(NEW))
    desk.beat()
    assert (phones.to(OLD), len(phones.to(NEW))) == ([], 1)


def test_no_consent_is_recorded_for_somebody_who_has_died(desk: Office, rt: Runtime) -> None:
    desk.change("consent", withdrawn="yes")
    desk.change("died")
    assert desk.refused("consent", consent="2026-03-01") == [("consent", "consent_of_dead")]
    assert desk.refused("phone", number=NEW, consent="2026-03-02") == [("consent", "consent_of_dead")]
    desk.change("phone", number=NEW)
    with pytest.raises(RejectedError) as error:
        support.enrolled(rt, desk.study_id, "P-001", MONDAY, phone=NEW, language="en", messaging_consent="2026-02-28")
    assert ("messaging_consent", "consent_of_dead_row") in [(one.path, one.code) for one in error.value.faults]


@pytest.mark.shows("turn: telephone")
@databases.ON_BOTH
def test_the_old_number_is_kept_encrypted_and_found_no_more(desk: Office, rt: Runtime) -> None:
    desk.change("phone", number=NEW, consent="stands")
    with rt.sessions.reading() as session:
        row = session.execute(select(former_telephones)).one()
        wrapped = session.scalar(select(participants.c.data_key))
        assert wrapped is not None
        key = rt.vault.data_key(wrapped, desk.who)
        assert opened(key, row.phone, f"former_telephones|phone|{row.id}").decode() == OLD
        assert shared_phone.with_telephone(session, rt.vault.index("phone", OLD)) == []
        assert shared_phone.with_telephone(session, rt.vault.index("phone", NEW)) == [desk.who]
        changes = session.scalars(select(audit_trail.c.changes).where(audit_trail.c.action == "new_telephone")).one()
    assert OLD not in changes
    assert NEW not in changes
    assert masked(NEW) in changes
    assert desk.audited("new_telephone") == [("cli:office", REASON)]


@pytest.mark.shows("turn: telephone")
def test_without_a_consent_for_the_new_number_people_call(desk: Office, phones: Telephones) -> None:
    told = desk.change("phone", number=NEW)
    assert [note.code for note in told.notes] == ["calls_only"]
    assert {one.step for one in told.steps if one.at is not None} == {"call"}
    desk.until("2026-03-09 10:00")
    assert phones.sent == []
    desk.change("consent", consent="2026-03-09")
    desk.beat()
    assert len(phones.to(NEW)) == 1


def test_a_consent_given_anew_for_the_number_is_recorded(desk: Office) -> None:
    desk.change("phone", number=NEW, consent="2026-03-02")
    assert desk.case.participant.consented_at == support.at("2026-03-02 00:00")


def test_another_number_settles_what_was_wrong_with_the_old_one(desk: Office, phones: Telephones) -> None:
    desk.until("2026-03-09 10:00")
    receive.receive(desk.rt, text_of({"MessageSid": "SM1", "From": OLD, "To": "+15005550006", "Body": "wrong number"}))
    assert desk.case.participant.unreachable_at is not None
    told = desk.change("phone", number=NEW, consent="stands")
    assert {one.outcome for one in told.tasks if one.reason == "wrong_number"} == {"new_number"}
    desk.until("2026-03-10 18:30")
    assert len(phones.to(NEW)) == 1


@databases.ON_BOTH
def test_a_text_of_unknown_fate_is_asked_about_under_the_number_it_went_to(
    desk: Office, phones: Telephones, rt: Runtime
) -> None:
    phones.faults.append(Uncertain())
    phones.takes = True
    desk.until("2026-03-09 10:00")
    desk.clock.now += timedelta(seconds=30)
    told = desk.change("phone", number=NEW, consent="stands")
    assert [(text.kind, text.fate) for text in told.texts] == [("invitation", "may_arrive")]
    desk.clock.now += timedelta(minutes=3)
    assert reconcile(rt).found == 1
    deliver(rt)
    assert (len(phones.to(OLD)), len(phones.to(NEW))) == (1, 0)
    assert desk.texts() == [("invitation", "accepted")]


def test_a_number_that_is_removed_leaves_the_calls(desk: Office, rt: Runtime) -> None:
    desk.change("phone", remove="yes")
    assert not desk.case.participant.has_phone
    with rt.sessions.reading() as session:
        assert session.execute(select(participants.c.phone, participants.c.phone_index)).one() == (None, None)


def test_the_same_number_again_changes_nothing(desk: Office, rt: Runtime) -> None:
    rows = support.rows_of(rt)
    assert desk.change("phone", number=OLD, consent="stands").unchanged
    assert support.rows_of(rt) == rows


@databases.ON_BOTH
def test_a_number_that_somebody_else_has_is_said(desk: Office) -> None:
    support.enrolled(desk.rt, desk.study_id, "P-002", MONDAY, phone=NEW)
    assert codes(desk, "phone", number=NEW, consent="stands") == ["shared"]


@pytest.mark.parametrize(
    "number, said",
    [
        ("0532 123 45 6O", "the letter O"),
        ("0850 222 33 44", "0850 is a company's number"),
        ("444 12 34", "444 is a company's number"),
        ("+90 212 414 30 00", "landline"),
        ("+90 533 861 23 45", "Northern Cyprus"),
        ("+90 532 123 45 67", "Turkey"),
        ("+44 7400", "not a number that exists"),
    ],
)
@pytest.mark.shows("turn: telephone")
def test_a_number_that_is_something_else_is_refused_with_the_reason(desk: Office, number: str, said: str) -> None:
    found = desk.faults("phone", number=number, consent="stands")
    assert {path for path, _, _ in found} == {"number"}
    assert any(said in fault for _, fault, _ in found), found
    assert all(remedy for _, _, remedy in found)
    assert not any(number in f"{fault} {remedy}" for _, fault, remedy in found)


def test_a_landline_is_taken_where_it_is_only_called(desk: Office) -> None:
    desk.change("phone", number="+90 212 414 30 00")
    assert desk.case.participant.has_phone


def test_a_number_is_given_or_removed(desk: Office) -> None:
    assert desk.refused("phone") == [("number", "needs_number")]
    assert desk.refused("phone", number=NEW, remove="yes") == [("number", "number_or_none")]


# Language, clock, channel --------------------------------------------------------------------------------------------


@pytest.mark.shows("turn: language")
def test_a_prompt_that_waits_is_written_anew_in_the_other_language(desk: Office, phones: Telephones) -> None:
    desk.clock.now = support.at("2026-03-09 10:00")
    tick(desk.rt)
    desk.change("language", language="tr")
    desk.beat()
    assert desk.texts() == [("invitation", "cancelled"), ("invitation", "accepted")]
    assert "anket" in phones.to(OLD)[0].casefold() or "ağrı" in phones.to(OLD)[0]
    assert desk.audited("language") == [("cli:office", REASON)]


@pytest.mark.shows("turn: language")
def test_another_clock_moves_what_is_to_come_and_repeats_nothing(desk: Office, phones: Telephones) -> None:
    desk.until("2026-03-09 10:00")
    told = desk.change("zone", timezone="America/New_York")
    assert [text.fate for text in told.texts] == ["counts"]
    first = next(one for one in told.steps if (one.window, one.step) == ("W1", "reminder-1"))
    assert (first.old_at, first.at) == (support.at("2026-03-10 18:30"), support.at("2026-03-11 01:30"))
    desk.until("2026-03-10 18:30")
    assert len(phones.to(OLD)) == 1
    desk.until("2026-03-11 01:30")
    assert len(phones.to(OLD)) == 2


def test_a_zone_that_does_not_exist_is_refused(desk: Office) -> None:
    assert desk.faults("zone", timezone="Europe/Istambul")[0][0] == "timezone"
    assert "Europe/Istanbul" in desk.faults("zone", timezone="Europe/Istambul")[0][2]


def test_the_channel_changes_what_is_sent_next(desk: Office, phones: Telephones) -> None:
    desk.change("channel", channel="sms-link")
    desk.until("2026-03-09 10:00")
    assert "/q/" in phones.to(OLD)[0]


def test_a_language_or_channel_that_is_not_there_is_refused(desk: Office) -> None:
    assert desk.refused("language", language="de") == [("language", "not_a_language")]
    assert desk.refused("channel", channel="pigeon") == [("channel", "not_a_channel")]


# Consent -------------------------------------------------------------------------------------------------------------


def test_a_consent_taken_back_stops_texts_and_leaves_calls(desk: Office, phones: Telephones) -> None:
    told = desk.change("consent", withdrawn="yes")
    assert {one.step for one in told.steps if one.at is not None} == {"call"}
    desk.until("2026-03-09 10:00")
    assert phones.sent == []


@pytest.mark.shows("turn: consent")
@databases.ON_BOTH
def test_a_consent_given_after_a_stop_undoes_it_and_an_older_one_does_not(desk: Office, phones: Telephones) -> None:
    desk.until("2026-03-05 12:00")
    desk.change("withdraw", from_="messages")
    desk.until("2026-03-09 12:00")
    assert desk.refused("consent", consent="2026-03-04") == [("consent", "before_opt_out")]
    desk.change("consent", consent="2026-03-09")
    assert desk.case.participant.opted_out_at is None
    desk.beat()
    assert len(phones.sent) == 1


def test_a_consent_is_given_or_taken_back(desk: Office) -> None:
    assert desk.refused("consent") == [("consent", "given_or_taken_back")]
    assert desk.refused("consent", consent="2026-03-01", withdrawn="yes") == [("consent", "given_or_taken_back")]
    assert desk.refused("consent", consent="2026-03-20") == [("consent", "consent_in_future")]


# Another site --------------------------------------------------------------------------------------------------------


@pytest.mark.shows("turn: site")
@databases.ON_BOTH
def test_tasks_and_counts_go_with_a_participant_to_the_new_site(desk: Office, rt: Runtime) -> None:
    desk.until("2026-03-14 10:00")
    told = desk.change("move", site="BER")
    assert ("site", "IST", "BER") in told.facts
    with rt.sessions.reading() as session:
        site = session.scalar(select(participants.c.site_id))
        open_work = select(escalations.c.site_id).where(escalations.c.resolved_at.is_(None))
        assert set(session.scalars(open_work)) == {site}
        t = tallies.c
        assert set(session.scalars(select(t.site_id).where(t.count != 0))) == {site}
        assert session.scalar(select(t.count).where(t.site_id == site, t.code == "W1", t.status == "missed")) == 1


@pytest.mark.shows("turn: site")
def test_windows_to_come_follow_the_new_sites_calendar_and_those_that_opened_keep_their_bounds(desk: Office) -> None:
    desk.until("2026-03-09 10:00")
    told = desk.change("move", site="BER")
    assert [window.code for window in told.windows if window.moved] == ["M1", "M3"]
    spans = {one.code: one.span for one in desk.case.current}
    assert spans["W1"].opens_at == support.at("2026-03-08 00:00")
    assert spans["M1"].opens_at == support.at("2026-03-30 00:00", ZoneInfo("Europe/Berlin"))
    assert [note.code for note in told.notes] == ["zone_stays"]


@pytest.mark.shows("turn: site")
def test_the_other_site_sees_the_participant_and_the_old_one_no_more(desk: Office) -> None:
    assert (desk.seen_from("IST"), desk.seen_from("BER")) == (True, False)
    desk.change("move", site="BER")
    assert (desk.seen_from("IST"), desk.seen_from("BER")) == (False, True)


def test_a_site_that_is_not_there_is_refused(desk: Office) -> None:
    assert desk.refused("move", site="ANK") == [("site", "not_a_site")]
    assert desk.change("move", site="IST").unchanged


def test_an_unknown_participant_is_nobodys(desk: Office) -> None:
    desk.code = "P-404"
    with pytest.raises(KeyError):
        desk.preview("resume")
