"""A running service: real programs, a real Twilio peer, a real mail host; only its clock is ours.

PRO_SERVICE_NOW names a file, and the database was made for that.
"""

import json
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from pro_service import paths
from pro_service.cli import main
from tests import support
from tests.peers import configuration, mail, servers

ANSWERED_WITHIN = 30.0  # seconds
PROGRAM = Path(sys.executable).parent / "pro-service"
BY_TEXT, BY_LINK, SILENT, ON_WHATSAPP = "+12025550110", "+12025550111", "+12025550112", "+12025550113"
IN_TURKEY = "+905551000001"
COLUMNS = (
    "participant,site,procedure_date,language,messaging_consent,phone,channel,baseline_nrs_avg,baseline_nrs_now,"
    "whatsapp_consent"
)
ENROLMENT = f"""{COLUMNS}
P-001,IST,2026-03-02,en,2026-03-02,{BY_TEXT},sms-reply,8,7,
P-002,IST,2026-03-02,tr,2026-03-02,{BY_LINK},sms-link,6,6,
P-003,IST,2026-03-02,en,2026-03-02,{SILENT},sms-reply,5,5,
P-004,IST,2026-03-02,en,,{ON_WHATSAPP},whatsapp,6,6,2026-03-02
P-005,IST,2026-03-02,tr,2026-03-02,{IN_TURKEY},sms-reply,6,6,
"""


@dataclass
class Service:
    """A running service: its programs, its addresses, and the hands of its clock."""

    folder: Path
    environment: dict[str, str]
    web: str
    telephones: str

    def start(self, command: str) -> None:
        """Run a command as cron does: as a program."""
        done = subprocess.run(
            [PROGRAM, command], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"

    def run(self, *command: str | Path, given: str | None = None) -> str:
        """Run a command in this process, since thirty starts would take a minute; gives what it printed."""
        done = CliRunner().invoke(main, [*map(str, command)], input=given, env=self.environment)
        assert done.exit_code == 0, f"{command}\n{done.output}"
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
        """Type a reply on a simulated telephone, and let the outbox work until something has come of it."""
        before = len(self.texts(number))
        address = f"{self.telephones}/telephones/{urllib.parse.quote(number)}/reply"
        requests.post(address, data={"body": words}, headers={"Origin": self.telephones}, timeout=10).raise_for_status()
        self.until_answered(number, before)

    def until_answered(self, number: str, before: int) -> None:
        """Let the outbox work until a telephone has more texts than before."""
        deadline = time.monotonic() + ANSWERED_WITHIN
        while len(self.texts(number)) == before:
            assert time.monotonic() < deadline, "the reply was not answered"
            self.beat()


@pytest.fixture
def mail_peer() -> Iterator[mail.MailHost]:
    """Return a running SMTP host."""
    with mail.running() as host:
        yield host


@pytest.fixture
def service(database_url: str, tmp_path: Path, mail_peer: mail.MailHost) -> Iterator[Service]:
    """Return the service, running, with the demonstration study, a coordinator and five participants."""
    web, telephones = servers.free_port(), servers.free_port()
    environment = configuration.environment(
        database_url,
        PATH="/usr/bin:/bin",
        PUBLIC_BASE_URL=f"http://127.0.0.1:{web}",
        TWILIO_ACCOUNT_SID=configuration.ACCOUNT_SID,
        TWILIO_AUTH_TOKEN=configuration.AUTH_TOKEN,
        TWILIO_FROM="+15005550006",
        TWILIO_WHATSAPP_FROM="+15005550007",
        TWILIO_PER_SECOND="0",
        TWILIO_BASE_URL=f"http://127.0.0.1:{telephones}",
        VERIMOR_USERNAME="908500000000",
        VERIMOR_PASSWORD="simulated",
        VERIMOR_SENDER="PROSERVICE",
        VERIMOR_REPLY_TO="08500000000",
        VERIMOR_HOOK_SECRET="simulated-and-long-enough-for-a-secret",
        VERIMOR_HOOK_ADDRESSES="127.0.0.1",
        VERIMOR_BASE_URL=f"http://127.0.0.1:{telephones}",
        SMTP_HOST=mail_peer.host,
        SMTP_PORT=str(mail_peer.port),
        MAIL_FROM="pro@example.org",
        PRO_SERVICE_NOW=str(tmp_path / "now"),
    )
    made = Service(tmp_path, environment, f"http://127.0.0.1:{web}", f"http://127.0.0.1:{telephones}")
    (tmp_path / "now").write_text(support.at("2026-03-02 15:00").isoformat(), encoding="utf-8")
    people = tmp_path / "people.csv"
    people.write_text(ENROLMENT, encoding="utf-8")
    demo, study = (paths.protocols() / "demo.toml").read_text(encoding="utf-8"), tmp_path / "study.toml"
    study.write_text(demo.replace('["Later", "Call me"]', '["3", "Later"]'), encoding="utf-8")
    made.run("db", "upgrade", "--test")
    made.run("study", "load", study)
    made.run("user", "add", support.EMAIL, "--role", "coordinator", given=support.PASSWORD + "\n")
    made.run("participant", "import", people, "--dry-run")
    made.run("participant", "import", people)
    made.start("tick")
    made.start("deliver")
    programs: tuple[tuple[list[str | Path], str], ...] = (
        ([PROGRAM, "serve", "--port", str(web)], f"{made.web}/healthz"),
        ([PROGRAM, "simulate-twilio", "--port", str(telephones)], made.telephones),
    )
    with ExitStack() as running:
        for command, answers_at in programs:
            log = tmp_path / f"{command[1]}.log"
            running.enter_context(servers.running(command, answers_at, log, environment, tmp_path))
        yield made
