"""The whole way, as its users walk it: real programs, a real Twilio peer, a real mail host, a real browser.

Only the clock is ours: PRO_SERVICE_NOW names a file, and the database was made for that.
"""

import json
import re
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page

from pro_service import paths
from tests import support
from tests.peers import chromium, configuration, mail, servers

PROGRAM = Path(sys.executable).parent / "pro-service"
BY_TEXT, BY_LINK, SILENT = "+12025550110", "+12025550111", "+12025550112"
COLUMNS = "participant,site,procedure_date,language,messaging_consent,phone,channel,baseline_nrs_avg,baseline_nrs_now"
ENROLMENT = f"""{COLUMNS}
P-001,IST,2026-03-02,en,2026-03-02,{BY_TEXT},sms-reply,8,7
P-002,IST,2026-03-02,tr,2026-03-02,{BY_LINK},sms-link,6,6
P-003,IST,2026-03-02,en,2026-03-02,{SILENT},sms-reply,5,5
"""


@dataclass
class Service:
    """A running service: its programs, its addresses, and the hands of its clock."""

    folder: Path
    environment: dict[str, str]
    web: str
    telephones: str

    def run(self, *command: str, given: str | None = None, status: int = 0) -> str:
        """Run one command of the product; gives what it printed."""
        done = subprocess.run(
            [PROGRAM, *command],
            cwd=self.folder,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def at(self, local: str) -> None:
        """Set the clock, and let time and the outbox do their work."""
        (self.folder / "now").write_text(support.at(local).isoformat(), encoding="utf-8")
        self.beat()

    def beat(self) -> None:
        assert json.loads(self.run("tick", "--json"))["faults"] == 0
        assert json.loads(self.run("deliver", "--json"))["dead"] == 0

    def shown(self, code: str) -> dict[str, Any]:
        """Read `participant show --json`."""
        found: dict[str, Any] = json.loads(self.run("participant", "show", code, "--json"))
        return found

    def texts(self, number: str) -> list[str]:
        """Read what one simulated telephone got."""
        phones = requests.get(f"{self.telephones}/telephones.json", timeout=10).json()
        found = [phone["texts"] for phone in phones if phone["number"] == number]
        return [text["body"] for text in found[0] if text["direction"] == "outbound"] if found else []

    def reply(self, number: str, words: str) -> None:
        """Type a reply on a simulated telephone."""
        address = f"{self.telephones}/telephones/{urllib.parse.quote(number)}/reply"
        requests.post(address, data={"body": words}, headers={"Origin": self.telephones}, timeout=10).raise_for_status()
        self.beat()


@pytest.fixture
def mail_peer() -> Iterator[mail.MailHost]:
    """Return a running SMTP host."""
    with mail.running() as host:
        yield host


@pytest.fixture
def service(database_url: str, tmp_path: Path, mail_peer: mail.MailHost) -> Iterator[Service]:
    """Return the service, running, with the demonstration study, a coordinator and three participants."""
    web, telephones = servers.free_port(), servers.free_port()
    environment = configuration.environment(
        database_url,
        PATH="/usr/bin:/bin",
        PUBLIC_BASE_URL=f"http://127.0.0.1:{web}",
        TWILIO_ACCOUNT_SID=configuration.ACCOUNT_SID,
        TWILIO_AUTH_TOKEN=configuration.AUTH_TOKEN,
        TWILIO_FROM="+15005550006",
        TWILIO_BASE_URL=f"http://127.0.0.1:{telephones}",
        SMTP_HOST=mail_peer.host,
        SMTP_PORT=str(mail_peer.port),
        MAIL_FROM="pro@example.org",
        PRO_SERVICE_NOW=str(tmp_path / "now"),
    )
    made = Service(tmp_path, environment, f"http://127.0.0.1:{web}", f"http://127.0.0.1:{telephones}")
    (tmp_path / "now").write_text(support.at("2026-03-02 15:00").isoformat(), encoding="utf-8")
    (tmp_path / "people.csv").write_text(ENROLMENT, encoding="utf-8")
    made.run("db", "upgrade", "--test")
    made.run("study", "load", str(paths.protocols() / "demo.toml"))
    made.run("user", "add", support.EMAIL, "--role", "coordinator", given=support.PASSWORD + "\n")
    made.run("participant", "import", "people.csv", "--dry-run")
    made.run("participant", "import", "people.csv")
    programs: tuple[tuple[list[str | Path], str], ...] = (
        ([PROGRAM, "serve", "--port", str(web)], f"{made.web}/healthz"),
        ([PROGRAM, "simulate-twilio", "--port", str(telephones)], made.telephones),
    )
    with ExitStack() as running:
        for command, answers_at in programs:
            log = tmp_path / f"{command[1]}.log"
            running.enter_context(servers.running(command, answers_at, log, environment, tmp_path))
        yield made


def answers(service: Service, code: str) -> dict[tuple[str, str], int | None]:
    """(window, item) -> value of the newest version."""
    return {(each["window"], each["item"]): each["value"] for each in service.shown(code)["responses"]}


def log_in(page: Page, service: Service) -> None:
    """Sign in as the coordinator."""
    page.goto(f"{service.web}/login?lang=en")
    page.fill("input[name=email]", support.EMAIL)
    page.fill("input[name=password]", support.PASSWORD)
    with chromium.another_page(page):
        page.press("input[name=password]", "Enter")
    assert page.url == f"{service.web}/"


def test_from_a_procedure_date_to_a_score_an_escalation_and_a_dashboard(
    service: Service, page: Page, mail_peer: mail.MailHost
) -> None:
    # Nothing before its moment.
    service.at("2026-03-09 09:59")
    assert service.texts(BY_TEXT) == []

    # The invitation arrives, is answered by text, and the second question follows.
    service.at("2026-03-09 10:00")
    assert "0 = no pain" in service.texts(BY_TEXT)[0]
    service.reply(BY_TEXT, "4")
    assert "very much improved" in service.texts(BY_TEXT)[1]
    service.reply(BY_TEXT, "2")
    assert answers(service, "P-001")["W1", "NRS-AVG"] == 4
    assert answers(service, "P-001")["W1", "PGIC"] == 2
    derived = next(d for d in service.shown("P-001")["derived"] if d["window"] == "W1" and d["item"] == "NRS-AVG")
    assert float(derived["percent_reduction"]) == 50
    assert derived["responder50"] is True

    fill_in_the_form(service, page)
    work_through_a_silent_window(service, page, mail_peer)

    # The figures say the same everywhere.
    week = next(row for row in json.loads(service.run("report", "compliance", "--json")) if row["code"] == "W1")
    assert (week["due"], week["completed_in_window"], week["missed"]) == (3, 2, 1)
    log_in(page, service)
    page.goto(f"{service.web}/compliance")
    assert "2/3" in page.locator("main").inner_text()


def fill_in_the_form(service: Service, page: Page) -> None:
    """The link opens a form in Turkish; it is filled in without JavaScript's help."""
    link = re.search(r"https?://\S+/q/\S+", service.texts(BY_LINK)[0])
    assert link is not None
    page.goto(link[0])
    assert page.locator("html").get_attribute("lang") == "tr"
    page.check("input[name='NRS-AVG'][value='0']", force=True)
    page.check("input[name='PGIC'][value='1']", force=True)
    with chromium.another_page(page):
        page.click("main button")
    assert answers(service, "P-002")["W1", "NRS-AVG"] == 0
    assert service.shown("P-002")["responses"][-1]["source"] == "web"


def work_through_a_silent_window(service: Service, page: Page, mail_peer: mail.MailHost) -> None:
    """A window left alone is called for while it can be saved, then missed, and both are mailed without a number."""
    service.at("2026-03-11 09:00")
    service.at("2026-03-11 12:30")
    log_in(page, service)
    assert "P-003" in page.locator("main").inner_text()
    assert chromium.axe_faults(page) == []
    service.at("2026-03-13 00:00")
    silent = service.shown("P-003")
    levels = [each["level"] for each in silent["escalations"] if each["window"] == "W1"]
    assert levels[0] == "E1"
    assert levels.count("E3") == 1
    assert {w["code"]: w["status"] for w in silent["windows"]}["W1"] == "missed"
    subjects = [letter["Subject"] for letter in mail_peer.received]
    assert any("P-003" in subject and "W1" in subject for subject in subjects)
    assert not any("+1202" in letter.as_string() for letter in mail_peer.received)
