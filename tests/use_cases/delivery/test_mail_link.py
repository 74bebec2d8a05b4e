"""Participants who are asked by mail, through a real SMTP host: words, links, a stop, and whose turn it is next."""

from dataclasses import replace
from datetime import date, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update

from pro_service.gateways.email import EmailGateway
from pro_service.gateways.outgoing import Refused
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.messages import channels
from pro_service.store.schema import attempts, escalations, links, messages, participants, responses
from pro_service.store.vault import sealed
from pro_service.use_cases.delivery import quarantine
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.participants import change, survey
from pro_service.use_cases.participants.change_form import ChangeForm
from pro_service.use_cases.tick import tick
from pro_service.web.app import create_app
from tests import support
from tests.peers import databases
from tests.peers.mail import MailHost
from tests.telephones import Telephones

ADDRESS = "somebody@example.org"
INVITED = support.at("2026-03-09 10:00")
m = messages.c


def mailing(rt: Runtime, host: MailHost) -> Runtime:
    """Return the runtime with this relay, by which mails go to participants."""
    gateway = EmailGateway(host.host, host.port, mail_from="Clinic <pro@clinic.example.org>", clock=rt.clock)
    return replace(rt, mail=gateway, settings=replace(rt.settings, smtp_host=host.host))


def agrees(rt: Runtime, person: int, *, address: str = ADDRESS, **ladder: Any) -> None:
    """Let somebody be reached by mail as well, in this order of channels."""
    facts = support.loaded(rt, person)
    assert facts.data_key is not None
    key = rt.vault.data_key(facts.data_key, person)
    email = sealed(key, address.encode(), f"participants|email|{person}")
    values = {"email": email, "email_consented_at": rt.clock(), **ladder}
    with rt.sessions.begin() as session:
        session.execute(update(participants).where(participants.c.id == person).values(values))


@pytest.fixture
def person(rt: Runtime, study_id: int) -> int:
    """Return somebody whose procedure was on the Monday before."""
    how = {"phone": "+12025550100", "channel": "sms-link", "language": "tr"}
    baseline = {"baseline_nrs_avg": "6", "baseline_nrs_now": "5"}
    return support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), **how, **baseline)


def frames(rt: Runtime) -> list[tuple[str, str, str]]:
    with rt.sessions.reading() as session:
        rows = session.execute(select(m.frame, m.channel, m.state).where(m.channel != "email").order_by(m.queued_at))
        return [(row.frame, row.channel, row.state) for row in rows]


def reasons(rt: Runtime) -> list[str]:
    with rt.sessions.reading() as session:
        return list(session.scalars(select(escalations.c.reason).where(escalations.c.resolved_at.is_(None))))


def parts(mail: EmailMessage) -> tuple[str, str]:
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    return str(plain.get_content()), str(html.get_content())


@databases.ON_BOTH
def test_a_mail_asks_and_its_last_address_ends_the_messages(
    rt: Runtime, person: int, clock: support.SetClock, mail_host: MailHost
) -> None:
    agrees(rt, person, channel="email-link")
    rt, clock.now = mailing(rt, mail_host), INVITED
    tick(rt)
    assert deliver(rt).accepted == 1
    (mail,) = mail_host.received
    assert (mail["To"], mail["Subject"]) == (ADDRESS, "Size birkaç sorumuz var")
    assert mail["Message-ID"].startswith("<p.")
    plain, html = parts(mail)
    stop = str(mail["List-Unsubscribe"]).strip("<>")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert stop in plain
    assert f'<a href="{stop}">' in html
    form = stop.removesuffix("/stop")
    pages: FlaskClient = create_app(rt).test_client()
    opened = pages.get(form.removeprefix(rt.settings.public_base_url))
    assert opened.status_code == 200
    survey.submit(rt, form.rpartition("/")[2], {"NRS-AVG": "4"})
    with rt.sessions.reading() as session:
        assert list(session.scalars(select(responses.c.source).where(responses.c.source != "import"))) == ["email"]
    # A look ends nothing: mail programs fetch what a mail names.
    path = stop.removeprefix(rt.settings.public_base_url)
    assert pages.get(path).status_code == 200
    assert support.loaded(rt, person).case.participant.opted_out_at is None
    for _ in range(2):
        assert "artık mesaj göndermeyeceğiz" in pages.post(path, data={"List-Unsubscribe": "One-Click"}).text
    assert support.loaded(rt, person).case.participant.opted_out_at == INVITED
    assert reasons(rt) == ["stopped"]
    clock.now += timedelta(days=1)
    tick(rt)
    assert deliver(rt).accepted == 0
    assert pages.get("/q/nobodys/stop").status_code == pages.post("/q/nobodys/stop").status_code == 404


@databases.ON_BOTH
def test_a_mail_that_bounces_at_once_gives_the_day_to_the_next_channel(
    rt: Runtime, person: int, clock: support.SetClock, mail_host: MailHost, phones: Telephones
) -> None:
    agrees(rt, person, channel="email-link", channel_2="sms-link")
    rt, clock.now = mailing(rt, mail_host), INVITED
    mail_host.answer = "550 no such mailbox"
    mail_host.at_rcpt = True
    tick(rt)
    assert deliver(rt).refused == 1
    clock.now += timedelta(minutes=1)
    tick(rt)
    assert deliver(rt).accepted == 1
    assert frames(rt) == [
        ("invitation.email-link", "email-link", "refused"),
        ("invitation.sms-link", "sms", "accepted"),
    ]
    assert support.loaded(rt, person).case.participant.asked_by == "sms-link"
    # The next channel asks, so it is nobody's work; and no second prompt that day.
    assert reasons(rt) == []
    clock.now += timedelta(hours=5)
    tick(rt)
    assert deliver(rt).accepted == 0
    assert len(phones.sent) == 1


def test_a_mail_to_a_wrong_address_is_sent_anew_to_the_right_one_on_the_same_day(
    rt: Runtime, study_id: int, person: int, clock: support.SetClock, mail_host: MailHost
) -> None:
    agrees(rt, person, channel="email-link")
    rt, clock.now = mailing(rt, mail_host), INVITED
    mail_host.answer, mail_host.at_rcpt = "550 no such mailbox", True

    def correct(address: str) -> None:
        """Enter another address; the preview of it says what follows, and then it does."""
        clock.now += timedelta(minutes=1)
        fields = {"address": address, "consent": "stands"}
        change.change(rt, support.SETUP, study_id, "P-001", ChangeForm("email", fields, "misread"))

    def beat() -> None:
        clock.now += timedelta(minutes=1)
        tick(rt)
        deliver(rt)

    beat()
    assert reasons(rt) == ["bad_address"]
    correct("other@example.org")
    assert reasons(rt) == []
    beat()
    # The second address was wrong as well: that is a task of its own.
    assert reasons(rt) == ["bad_address"]
    mail_host.answer, mail_host.at_rcpt = "250 OK", False
    correct("right@example.org")
    for _ in range(3):
        beat()
    assert [state for _, _, state in frames(rt)] == ["refused", "refused", "accepted"]
    assert [mail["To"] for mail in mail_host.received] == ["right@example.org"]
    assert reasons(rt) == []


@pytest.mark.parametrize(
    "fields, then, left",
    [
        ({"address": "right@example.org", "consent": "stands"}, "reminder-1.email-link", "right@example.org"),
        ({"remove": "1"}, "reminder-1.sms-link", None),
    ],
)
def test_after_a_mail_that_came_back_later_staff_enter_another_address_or_none(
    rt: Runtime,
    person: int,
    clock: support.SetClock,
    mail_host: MailHost,
    *,
    fields: dict[str, str],
    then: str,
    left: str | None,
) -> None:
    agrees(rt, person, channel="email-link", channel_2="sms-link")
    rt, clock.now = mailing(rt, mail_host), INVITED
    tick(rt)
    # The relay takes it. That it comes back an hour later, nobody tells the service.
    assert deliver(rt).accepted == 1
    clock.now += timedelta(hours=5)
    tick(rt)
    assert deliver(rt).accepted == 0
    study_id = support.loaded(rt, person).study_id
    change.change(rt, support.SETUP, study_id, "P-001", ChangeForm("email", fields, "a mail came back"))
    tick(rt)
    assert deliver(rt).accepted == 0, "the invitation counts as sent"
    clock.now = support.at("2026-03-11 12:00")
    tick(rt)
    assert deliver(rt).accepted == 1
    assert [frame for frame, _, _ in frames(rt)] == ["invitation.email-link", then]
    assert [mail["To"] for mail in mail_host.received[1:]] == ([left] if left else [])


@databases.ON_BOTH
def test_a_telephone_that_takes_no_texts_gives_the_day_to_the_mail(
    rt: Runtime, person: int, clock: support.SetClock, mail_host: MailHost, phones: Telephones
) -> None:
    agrees(rt, person, channel_2="email-link")
    rt, clock.now = mailing(rt, mail_host), INVITED
    phones.faults.append(Refused(21614, "bad_number"))
    tick(rt)
    assert deliver(rt).refused == 1
    clock.now += timedelta(minutes=1)
    tick(rt)
    assert deliver(rt).accepted == 1
    assert len(mail_host.received) == 1
    # The number cannot be called either: somebody asks for another one.
    assert reasons(rt) == ["bad_number"]


def test_a_mail_of_unknown_fate_goes_again_as_the_same_mail(
    rt: Runtime, person: int, clock: support.SetClock, mail_host: MailHost
) -> None:
    agrees(rt, person, channel="email-link")
    rt, clock.now = mailing(rt, mail_host), INVITED
    tick(rt)
    mail_host.hangs_up = True
    assert deliver(rt).unavailable == 1
    mail_host.hangs_up = False
    clock.now += timedelta(minutes=10)
    assert deliver(rt).accepted == 1
    assert len(mail_host.received) == 2
    assert len({mail["Message-ID"] for mail in mail_host.received}) == 1
    assert reasons(rt) == []


def test_a_mail_in_doubt_goes_three_times_at_most_and_takes_its_day(
    rt: Runtime, person: int, clock: support.SetClock, mail_host: MailHost
) -> None:
    agrees(rt, person, channel="email-link", channel_2="sms-link")
    rt, clock.now = mailing(rt, mail_host), INVITED
    mail_host.hangs_up = True
    tick(rt)
    for hours in range(9):
        deliver(rt)
        tick(rt)
        clock.now = INVITED + timedelta(hours=hours + 1)
    assert len(mail_host.received) == 3
    assert len({mail["Message-ID"] for mail in mail_host.received}) == 1
    # Nobody knows whether it was read: a person hears of it, no other channel asks today, and the step is not repeated.
    assert frames(rt) == [("invitation.email-link", "email-link", "dead")]
    assert reasons(rt) == ["uncertain_delivery"]
    mail_host.hangs_up = False
    clock.now = support.at("2026-03-11 12:00")
    tick(rt)
    assert deliver(rt).accepted == 1
    assert [frame for frame, _, _ in frames(rt)] == ["invitation.email-link", "reminder-1.email-link"]


def test_a_change_meanwhile_does_not_have_a_mail_in_doubt_asked_twice_a_day(
    rt: Runtime, person: int, clock: support.SetClock, mail_host: MailHost, phones: Telephones
) -> None:
    agrees(rt, person, channel="email-link", channel_2="sms-link")
    rt, clock.now = mailing(rt, mail_host), INVITED
    mail_host.hangs_up = True
    tick(rt)
    deliver(rt)
    form = ChangeForm("channel", {"channel": "sms-link"}, "wants texts")
    change.change(rt, support.SETUP, support.loaded(rt, person).study_id, "P-001", form)
    clock.now += timedelta(minutes=20)
    tick(rt)
    assert deliver(rt).accepted == 0
    assert phones.sent == []


def test_who_starts_again_by_text_keeps_the_mails_if_those_alone_lead_to_them(
    rt: Runtime, person: int, clock: support.SetClock, mail_host: MailHost
) -> None:
    agrees(rt, person, channel="email-link")
    rt, clock.now = mailing(rt, mail_host), INVITED
    for number, word in enumerate(("DUR", "BAŞLA")):
        said = {"MessageSid": f"SM{number}", "From": "+12025550100", "To": "+15005550006", "Body": word}
        receive.receive(rt, text_of(said))
    assert support.loaded(rt, person).case.participant.asked_by == "email-link"
    agrees(rt, person, channel="email-link", channel_2="sms-link")
    for number, word in enumerate(("DUR", "BAŞLA"), start=2):
        said = {"MessageSid": f"SM{number}", "From": "+12025550100", "To": "+15005550006", "Body": word}
        receive.receive(rt, text_of(said))
    # On the other media the stop stands.
    assert support.loaded(rt, person).case.participant.asked_by == "sms-link"


def test_a_restored_database_writes_the_same_mail_with_the_same_link(
    rt: Runtime, person: int, clock: support.SetClock, mail_host: MailHost
) -> None:
    agrees(rt, person, channel="email-link")
    rt, clock.now = mailing(rt, mail_host), INVITED
    tick(rt)
    deliver(rt)
    with rt.sessions.begin() as session:
        # What a backup from before the tick does not know.
        for table in (attempts, links, messages):
            session.execute(delete(table))
        session.execute(update(participants).values(next_check_at=rt.clock()))
    clock.now += timedelta(minutes=1)
    tick(rt)
    assert deliver(rt).accepted == 1
    first, second = mail_host.received
    assert first["Message-ID"] == second["Message-ID"]
    assert first["List-Unsubscribe"] == second["List-Unsubscribe"]


def test_no_quarantine_holds_a_mail(rt: Runtime, person: int, clock: support.SetClock, mail_host: MailHost) -> None:
    agrees(rt, person, channel="email-link")
    rt, clock.now = mailing(rt, mail_host), INVITED
    quarantine.begin(rt, quarantine.BY_HAND)
    with rt.sessions.reading() as session:
        held = {name for name, one in channels.all_channels(session).items() if one.quarantined_at}
    assert held == {"sms"}
    tick(rt)
    assert deliver(rt).accepted == 1
