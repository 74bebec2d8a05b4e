"""A ladder of channels in an enrolment file: what is skipped and who is reached by none is said before anybody is."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from pro_service.core.problems import RejectedError
from pro_service.runtime import Runtime
from pro_service.store.schema import escalations, participants
from pro_service.use_cases.enrolment import enrol, preview
from pro_service.use_cases.enrolment.enrol import Enrolled
from pro_service.use_cases.tick import tick
from tests import support
from tests.support import SetClock
from tests.use_cases.delivery.test_faults_stay_alone import Mailbox
from tests.use_cases.participants.changes import Office

HEADER = "participant,site,procedure_date,language,messaging_consent,phone,email,email_consent,whatsapp_consent,channel"
PHONE, ADDRESS, DAY = "+12025550123", "ada@example.org", "2026-03-01"


@pytest.fixture
def mailing(rt: Runtime) -> Runtime:
    """Return a runtime in which mails to participants are configured."""
    return replace(rt, mail=Mailbox())


def imported(rt: Runtime, study_id: int, *cells: str, dry_run: bool = False) -> Enrolled:
    data = f"{HEADER}\nP-001,IST,2026-03-02,tr,{','.join(cells)}\n".encode()
    return enrol.enrol_file(rt, support.SETUP, study_id, data, dry_run=dry_run)


@pytest.mark.parametrize(
    "cells, said",
    [
        ((DAY, PHONE, ADDRESS, DAY, "", "sms-reply>email-link"), []),
        ((DAY, PHONE, "", "", "", "sms-reply>email-link"), [("email_consent", "rung_without_consent")]),
        (
            ("", PHONE, "", DAY, "", "email-link"),
            [("email", "rung_without_address"), ("channel", "reached_by_none")],
        ),
        (("", "", ADDRESS, DAY, "", "email-link"), [("phone", "no_phone_but_mail")]),
        (("", "", "", DAY, "", "email-link"), [("phone", "no_phone"), ("email", "rung_without_address")]),
        ((DAY, PHONE, ADDRESS, DAY, "", "sms-reply"), [("email_consent", "consent_without_rung")]),
        (("", PHONE, "", "", "", ""), []),
    ],
)
def test_the_dry_run_says_which_rungs_are_skipped(
    mailing: Runtime, study_id: int, cells: tuple[str, ...], said: list[tuple[str, str]]
) -> None:
    done = imported(mailing, study_id, *cells, dry_run=True)
    assert [(one.path, one.code) for one in done.warnings] == said


def test_a_channel_that_is_not_configured_is_refused_with_every_other_fault(rt: Runtime, study_id: int) -> None:
    with pytest.raises(RejectedError) as error:
        imported(rt, study_id, "evet", PHONE, ADDRESS, DAY, DAY, "whatsapp>sms-link>email-link")
    assert {(fault.path, fault.code) for fault in error.value.faults} == {
        ("messaging_consent", "consent_without_date"),
        ("channel", "channel_not_configured"),
    }
    assert [fault.values["channel"] for fault in error.value.faults if fault.path == "channel"] == [
        *("whatsapp", "email-link")
    ]


def test_who_has_only_an_address_is_asked_by_mail_and_no_task_says_that_nobody_can(
    mailing: Runtime, study_id: int
) -> None:
    imported(mailing, study_id, "", "", ADDRESS, DAY, "", "email-link")
    tick(mailing)
    with mailing.sessions.reading() as session:
        row = session.execute(select(participants)).one()
        reasons = session.scalars(select(escalations.c.reason)).all()
    assert (row.channel, row.channel_2, row.email_consented_at) == ("email-link", None, support.at("2026-03-01 00:00"))
    assert reasons == ["no_procedure_time"]
    cells = dict(
        zip(HEADER.split(","), ("P-2", "IST", "2026-03-02", "tr", "", "", ADDRESS, DAY, "", "email-link"), strict=True)
    )
    shown = preview.preview(mailing, support.SETUP, study_id, cells)
    assert (shown.email, shown.person.asked_by) == ("a•••@e•••.org", "email-link")
    assert shown.outlook.first_text is not None


def test_an_import_after_a_change_here_knows_the_earlier_ladder_and_address(
    mailing: Runtime, study_id: int, clock: SetClock
) -> None:
    cells = (DAY, PHONE, ADDRESS, DAY, "", "sms-reply>email-link")
    imported(mailing, study_id, *cells)
    with mailing.sessions.reading() as session:
        who = session.execute(select(participants.c.id)).scalar_one()
    office = Office(mailing, study_id, clock, who)
    office.change("channel", channel="email-link>sms-link")
    office.change("channel", channel="email-link")
    office.change("email", address="ada@example.com", consent="stands")
    done = imported(mailing, study_id, *cells)
    assert (done.unchanged, sorted((one.path, one.code) for one in done.warnings if "changed" in one.code)) == (
        1,
        [("channel", "changed_here"), ("email", "email_changed_here")],
    )
    with pytest.raises(RejectedError) as error:
        imported(mailing, study_id, *cells[:-1], "sms-card>email-link")
    assert [fault.values["command"] for fault in error.value.faults] == [
        'channel P-001 --channel "sms-card>email-link"'
    ]
