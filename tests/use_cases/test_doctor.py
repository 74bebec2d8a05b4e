"""What the doctor says of accounts, of the codes on cards, of who hears of a safety task, and of who carries texts."""

import inspect
import json
import re
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from pro_service import paths
from pro_service.core.providers import FACTS
from pro_service.runtime import Runtime
from pro_service.settings import Settings
from pro_service.store import manifests
from pro_service.store.disk import disks
from pro_service.store.schema import protocol_versions, users
from pro_service.use_cases import backup, doctor, watch
from pro_service.use_cases.mails import alarm_words
from pro_service.use_cases.participants import card
from pro_service.use_cases.safety_alerts import Coverage
from tests import support
from tests.peers import certificates, databases
from tests.telephones import Telephones
from tests.use_cases.delivery.test_faults_stay_alone import Mailbox

DOCS = Path(__file__).parents[2] / "docs"


@databases.ON_BOTH
def test_the_codes_on_cards_are_counted_with_the_chance_to_hit_one(
    settings: Settings, rt: Runtime, study_id: int
) -> None:
    before = [found for found in doctor.examine(settings) if found.part == "cards"]
    assert [found.finding for found in before] == ["none has a code yet"]
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone="+12025550123", channel="sms-link")
    card.show(rt, support.SETUP, study_id, "P-001")
    (found,) = (found for found in doctor.examine(settings) if found.part == "cards")
    assert found.finding.startswith("1 codes; in a year somebody hits one with a chance of at most 3.")
    assert found.colour == "green"


@pytest.mark.parametrize(
    "long, short, colour, remedy",
    [
        (42, 0, "green", ""),
        (3000, 0, "green", ""),
        (4000, 0, "yellow", "FLOOD.every"),
        (41, 1, "yellow", "print these cards again"),
        (0, 2000, "yellow", "print these cards again"),
    ],
)
def test_old_cards_and_so_many_codes_that_one_may_be_hit_are_to_be_minded(
    long: int, short: int, colour: str, remedy: str
) -> None:
    found = doctor.codes_of(long, short)
    assert (found.colour, bool(found.remedy)) == (colour, bool(remedy)), "what is green needs no remedy"
    assert remedy in found.remedy


@pytest.mark.parametrize(
    "telephones, ways, colour, said",
    [
        (1, "mail text", "green", "somebody hears of it at every site"),
        (0, "mail text", "yellow", "nobody's telephone is known at DEMO IST"),
        (1, "mail", "yellow", "overdue tasks are mailed only"),
        (1, "text", "green", "somebody hears of it at every site"),
        (0, "text", "red", "mail is not set up: no alert about a safety task reaches those who answer for it at"),
        (1, "", "red", "DEMO IST (2 people)"),
    ],
)
def test_a_safety_task_that_neither_a_mail_nor_a_text_tells_of_is_a_red_finding(
    telephones: int, ways: str, colour: str, said: str
) -> None:
    site = Coverage("DEMO", "IST", readers=2, telephones=telephones)
    [found] = doctor.safety_of([site], mailing="mail" in ways, texting="text" in ways)
    assert (found.part, found.colour) == ("safety", colour)
    assert said in found.finding


def test_participants_who_are_to_reply_to_a_name_are_a_finding(settings: Settings, rt: Runtime, study_id: int) -> None:
    phone = "+4915112345678"
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=phone, site="BER", channel="sms-reply")

    def minded(sender: str) -> list[str]:
        found = doctor.examine(replace(settings, twilio_from=sender))
        return [one.finding for one in found if one.part == "texts" and one.colour == "yellow"]

    assert not any("nobody can reply" in one for one in minded("+12025550199"))
    assert [one for one in minded("CLINIC") if "nobody can reply" in one and "DEMO BER" in one]


def test_a_version_whose_texts_cannot_say_where_to_write_is_named_while_somebody_has_it(
    settings: Settings, rt: Runtime, study_id: int
) -> None:
    told = replace(settings, verimor_username="u", verimor_password="p", verimor_sender="KLINIK")
    told = replace(told, verimor_reply_to="08501234567")
    with rt.sessions.begin() as session:
        (wording,) = session.scalars(select(protocol_versions.c.wording))
        before = {
            language: {name: text for name, text in frames.items() if not name.startswith("reply-to")}
            for language, frames in json.loads(wording).items()
        }
        session.execute(update(protocol_versions).values(wording=json.dumps(before)))

    def named() -> list[str]:
        return [one.remedy for one in doctor.examine(told) if "do not say where: DEMO, version 1" in one.finding]

    assert named() == []
    phone = {"phone": "+905321234567", "channel": "sms-reply"}
    enrolling = replace(rt, texts={"verimor": Telephones("verimor:", facts=FACTS["verimor"])})
    support.enrolled(enrolling, study_id, "P-001", date(2026, 3, 2), **phone)
    (remedy,) = named()
    assert "study migrate" in remedy


@pytest.mark.usefixtures("study_id")
def test_who_carries_texts_where_is_said_with_what_works(settings: Settings) -> None:
    sending = replace(settings, twilio_account_sid="AC1", twilio_auth_tokens=("12345",), twilio_from="+15005550006")
    found = doctor.examine(sending)
    said = {one.finding: one.colour for one in found if one.part == "texts"}
    assert said["DEMO, TR by Twilio: sms-card; not sms-reply, sms-link"] == "green"
    assert said["DEMO, DE by Twilio: sms-reply, sms-link, sms-card"] == "green"


def test_a_channel_that_is_not_configured_is_red_while_somebody_is_to_be_asked_by_it(
    settings: Settings, rt: Runtime, study_id: int
) -> None:
    def said() -> dict[str, str]:
        found = [one for one in doctor.examine(settings) if one.part == "ways"]
        return {one.finding.split(" is ")[0]: one.colour for one in found}

    assert said() == {"email-link": "green", "whatsapp": "green"}
    mailing = replace(rt, mail=Mailbox())
    support.enrolled(mailing, study_id, "P-001", date(2026, 3, 2), phone="+12025550123", channel="sms-link>email-link")
    assert said() == {"participants are to be asked by email-link, which": "red", "whatsapp": "green"}


def test_accounts_without_a_second_factor_are_named(settings: Settings, rt: Runtime, study_id: int) -> None:
    assert study_id

    def said(**more: object) -> doctor.Finding:
        found = doctor.examine(replace(settings, **more))  # type: ignore[arg-type]
        return next(one for one in found if one.part == "accounts")

    assert said().colour == "green"
    support.coordinator(rt)
    support.coordinator(rt, "shut@example.org")
    with rt.sessions.begin() as session:
        session.execute(update(users).where(users.c.email == "shut@example.org").values(disabled_at=rt.clock()))
    free = said()
    assert (free.colour, free.finding) == ("yellow", f"1 without a second factor: {support.EMAIL}")
    assert "SECOND_FACTOR_ROLES=all" in free.remedy
    assert "asked to set one up at the next sign-in" in said(second_factor_roles=frozenset({"coordinator"})).remedy


@pytest.mark.parametrize(
    "hours, in_use, colour, said",
    [
        (None, False, "green", "none in BACKUP_DIR"),
        (None, True, "yellow", "none in BACKUP_DIR"),
        (3, True, "green", "the newest was made 3 h ago"),
        (49, True, "yellow", "the newest was made 2 days ago"),
        (490, False, "green", "the newest was made 20 days ago"),
    ],
)
def test_a_study_without_a_backup_of_the_last_two_days_is_to_be_minded(
    hours: int | None, colour: str, said: str, settings: Settings, *, in_use: bool
) -> None:
    newest = None if hours is None else backup.make(settings)
    now = datetime.now(UTC) if newest is None else newest.manifest.made_at + timedelta(hours=hours or 0)
    assert next(manifests.newest_first(settings.backup_dir), None) == newest
    found = doctor.backups_of(manifests.age(settings.backup_dir, now), in_use=in_use)
    assert (found.colour, found.finding, bool(found.remedy)) == (colour, said, colour != "green")


def test_a_disk_without_room_for_another_copy_is_an_alarm_before_it_is_full(rt: Runtime, tmp_path: Path) -> None:
    assert {one.colour for one in doctor.examine(rt.settings) if one.part == "disk"} == {"green"}
    assert "disk" not in [alarm.code for alarm in watch.alarms(rt)]
    huge = tmp_path / "huge.db"
    with huge.open("wb") as file:
        file.truncate(2**42)  # takes no room: its end alone is far away
    large = replace(rt, settings=replace(rt.settings, database_url=f"sqlite:///{huge}"))
    assert [(one.free < one.wanted, one.minded) for one in disks(f"sqlite:///{huge}", tmp_path / "none")] == [
        (True, True)
    ]
    assert [alarm.code for alarm in watch.alarms(large)] == ["disk"]
    assert all(all(alarm_words(language, "disk")) for language in ("en", "tr"))


def test_backups_that_are_no_longer_made_are_an_alarm_where_there_were_any(
    rt: Runtime, study_id: int, clock: support.SetClock
) -> None:
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2))
    codes = [[alarm.code for alarm in watch.alarms(rt)]]
    made = backup.make(rt.settings)
    for hours in (47, 49):
        clock.now = made.manifest.made_at + timedelta(hours=hours)
        codes.append([alarm.code for alarm in watch.alarms(rt)])
    assert ["backup" in found for found in codes] == [False, False, True]


def test_packages_of_other_versions_than_were_tested_are_named(tmp_path: Path) -> None:
    tested = tmp_path / "requirements.txt"
    locked = paths.requirements().read_text(encoding="utf-8")
    assert doctor.packages_of(paths.requirements()).colour == "green"
    tested.write_text(
        locked.replace("\nflask==", "\nflask==0.") + "colorama-of-another-system==1.0\n", encoding="utf-8"
    )
    found = doctor.packages_of(tested)
    assert (found.colour, found.finding.count("tested: ")) == ("yellow", 2)
    assert "flask 3" in found.finding


def test_settings_that_others_may_read_are_to_be_minded(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / ".env").touch(mode=0o600)
    told = replace(settings, home=tmp_path)
    assert not any(".env" in one.finding for one in doctor.examine(told))
    (tmp_path / ".env").chmod(0o640)
    assert [one.remedy for one in doctor.examine(told) if ".env" in one.finding] == [f"chmod 600 {tmp_path / '.env'}"]


def test_every_part_has_a_page_that_says_more() -> None:
    parts = set(re.findall(r'Finding\(\s*"([a-z ]+)"', inspect.getsource(doctor))) | {
        "safety",
        "audit trail",
        "sending",
    }
    assert parts == doctor.PAGES.keys()
    for page in doctor.PAGES.values():
        file, _, anchor = page.partition("#")
        heads = re.findall(r"^#+ (.*)$", (DOCS / file).read_text(encoding="utf-8"), re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}
        assert not anchor or anchor in slugs, page


@pytest.mark.parametrize(
    "days, authority, colour, said",
    [
        (90, "made.pem", "green", "good for 89 days"),
        (10, "made.pem", "yellow", "good for 9 days"),
        (-1, "made.pem", "red", "browsers refuse it: certificate has expired"),
        (90, "none.pem", "red", "browsers refuse it: self-signed certificate"),
    ],
)
def test_a_certificate_is_minded_before_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, authority: str, colour: str, said: str
) -> None:
    (tmp_path / "none.pem").touch()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.make(tmp_path / "made.pem", days))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / authority))
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with suppress(OSError), listening.accept()[0] as way, context.wrap_socket(way, server_side=True) as seen:
                seen.recv(1)

        answering = threading.Thread(target=answer)
        answering.start()
        port = listening.getsockname()[1]
        (found,) = doctor.certificate_of(f"https://127.0.0.1:{port}", datetime.now(UTC))
        answering.join()
    assert (found.part, found.colour, bool(found.remedy)) == ("certificate", colour, colour != "green")
    assert found.finding.startswith(said)
    # Nobody listens there any more: that says nothing of the certificate.
    (unseen,) = doctor.certificate_of(f"https://127.0.0.1:{port}", datetime.now(UTC))
    assert (unseen.colour, "does not answer from here" in unseen.finding) == ("yellow", True)
    assert list(doctor.certificate_of(f"http://127.0.0.1:{port}", datetime.now(UTC))) == []
