"""Whose telephones a database's texts go to, people's or simulated ones: the first delivery says, and it stays so."""

import json
from collections.abc import Mapping
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from pro_service.cli import main
from pro_service.runtime import Runtime, TelephonesError, open_runtime
from pro_service.settings import Settings, SettingsError
from pro_service.store import standing
from pro_service.store.audit import Actor
from pro_service.store.studies import Study
from pro_service.use_cases import confirmation, doctor
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.export import Wanted, export
from pro_service.use_cases.participants import card
from pro_service.use_cases.tick import tick
from pro_service.web.app import create_app
from tests import support
from tests.peers import configuration
from tests.telephones import Telephones

SIMULATOR = "http://127.0.0.1:8026"
ACCOUNT = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "12345", "TWILIO_FROM": "+15005550006"}
VERIMOR = {"VERIMOR_USERNAME": "908501234567", "VERIMOR_PASSWORD": "x", "VERIMOR_SENDER": "KLINIK"}
MAIL = {"SMTP_HOST": "mail.example.org", "MAIL_FROM": "pro@example.org"}
SIMULATED = {**ACCOUNT, "TWILIO_BASE_URL": SIMULATOR}
ACCOUNT_SID = "TWILIO_ACCOUNT_SID"
WHATSAPP = {**SIMULATED, "TWILIO_FROM": "", "TWILIO_WHATSAPP_FROM": "+15005550006"}


@pytest.mark.parametrize(
    "told, refused",
    [
        (SIMULATED, []),
        (ACCOUNT | VERIMOR | MAIL, []),
        ({**SIMULATED, **VERIMOR, "VERIMOR_BASE_URL": SIMULATOR, **MAIL, "SMTP_HOST": "localhost"}, []),
        (SIMULATED | VERIMOR, ["VERIMOR_USERNAME"]),
        (SIMULATED | MAIL, ["SMTP_HOST"]),
        ({**ACCOUNT, **VERIMOR, "VERIMOR_BASE_URL": SIMULATOR}, [ACCOUNT_SID]),
        ({**SIMULATED, **VERIMOR, "VERIMOR_BASE_URL": "https://sms.example.org"}, ["VERIMOR_USERNAME"]),
        ({"TWILIO_BASE_URL": SIMULATOR, **VERIMOR}, []),
        (WHATSAPP | MAIL, ["SMTP_HOST"]),
        ({**ACCOUNT, "TWILIO_WHATSAPP_FROM": "+15005550006", **VERIMOR, "VERIMOR_BASE_URL": SIMULATOR}, [ACCOUNT_SID]),
    ],
)
def test_simulated_telephones_are_refused_beside_what_reaches_people(
    tmp_path: Path, told: Mapping[str, str], refused: list[str]
) -> None:
    if not refused:
        found = configuration.settings_for("sqlite:///:memory:", tmp_path, **told)
        assert found.simulates == (SIMULATOR in told.values() and "TWILIO_FROM" in told)
        return
    with pytest.raises(SettingsError) as error:
        configuration.settings_for("sqlite:///:memory:", tmp_path, **told)
    assert [(one.path, one.code) for one in error.value.faults] == [(name, "real_beside_simulated") for name in refused]


@pytest.mark.parametrize("whose", ["simulated", "people"])
def test_a_database_stays_with_the_telephones_that_its_first_text_went_to(
    settings: Settings, rt: Runtime, study_id: int, phones: Telephones, clock: support.SetClock, whose: standing.Reached
) -> None:
    simulated = whose == "simulated"
    own, other = (SIMULATED, ACCOUNT) if simulated else (ACCOUNT, SIMULATED)
    as_before, otherwise = (
        configuration.settings_for(settings.database_url, settings.home, **one) for one in (own, other)
    )
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone="+12025550123", channel="sms-link")
    clock.now = support.at("2026-03-09 10:00")
    phones.elsewhere = not simulated
    tick(rt)
    open_runtime(otherwise).close()
    if not simulated:
        who = support.coordinator(rt, role="investigator")
        read = confirmation.review(rt, study_id).version.sha256
        confirmation.confirm(rt, Actor("staff", f"user:{who}", "dashboard"), study_id, who, "read on 1 March", read)
    deliver(rt)
    assert len(phones.sent) == 1
    with pytest.raises(TelephonesError):
        open_runtime(otherwise)
    mails, none = (configuration.settings_for(settings.database_url, settings.home, **one) for one in (MAIL, {}))
    if simulated:  # invented addresses may be somebody's too
        with pytest.raises(TelephonesError):
            open_runtime(mails)
    else:
        open_runtime(mails).close()
    with closing(open_runtime(none)) as looked_at:
        assert looked_at.for_trying_out is simulated
    (red,) = (found for found in doctor.examine(otherwise) if found.part == "texts" and found.colour == "red")
    assert ("new database" in red.remedy) == simulated
    open_runtime(as_before).close()
    with rt.sessions.begin() as session:
        standing.note_reached(session, "people" if simulated else "simulated")
        assert standing.reached(session) == whose


@pytest.mark.parametrize("path", ["/login", "/s/unknown-address", "/k", "/help", "/nothing-here"])
def test_every_page_says_that_the_telephones_are_simulated(rt: Runtime, phones: Telephones, path: str) -> None:
    said = "the telephones are simulated, and nobody gets a message"
    for elsewhere in (False, True):
        phones.elsewhere = elsewhere
        app = create_app(rt)
        page = app.test_client().get(path, headers={"Accept-Language": "en"}).text
        assert (said in " ".join(page.split())) is not elsewhere
        app.extensions["intake"].close()


def test_whatever_leaves_says_that_the_telephones_are_simulated(
    rt: Runtime, study_id: int, phones: Telephones, clock: support.SetClock, tmp_path: Path
) -> None:
    clock.now = support.at("2026-03-09 10:00")
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone="+12025550123", channel="sms-card")
    support.coordinator(rt, role="investigator")
    app = create_app(rt)
    client = app.test_client()
    support.sign_in(client)
    set_of = Wanted(Study(study_id, "DEMO"))
    for elsewhere in (False, True):
        phones.elsewhere = elsewhere
        shown = card.show(rt, support.SETUP, study_id, "P-001")
        blank = card.blank(rt, study_id, "IST")
        for page in (card.document(shown), card.document(blank), card.sheets_document([shown])):
            marked = page.count('class="card-trial"')
            assert marked == (0 if elsewhere else page.count('class="card-side"')), "each side: a sheet is cut"
        for path in ("/compliance.csv", "/participants.csv"):
            name = client.get(path).headers["Content-Disposition"].partition("filename=")[2]
            assert name.startswith('"simulated-') is not elsewhere
        folder = tmp_path / str(elsewhere)
        export(rt, support.SETUP, set_of, folder)
        assert json.loads((folder / "manifest.json").read_text())["simulated_telephones"] is not elsewhere
        assert ("FOR TRYING OUT ONLY" in (folder / "README.txt").read_text()) is not elsewhere
        methods = (folder / "paper" / "methods.txt").read_text()
        assert ("For trying out only" in methods and "Yalnızca deneme" in methods) is not elsewhere
    app.extensions["intake"].close()


def test_the_simulator_does_not_play_a_real_account() -> None:
    environment = configuration.environment("sqlite:///:memory:", **ACCOUNT)
    done = CliRunner().invoke(main, ["simulate"], env=environment)
    assert done.exit_code == 1
    assert "TWILIO_BASE_URL" in done.output
