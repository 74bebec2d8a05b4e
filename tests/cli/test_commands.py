"""What the commands print, and how they end."""

import json
import os
import subprocess
import sys
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from waitress.proxy_headers import proxy_headers_middleware

from pro_service import paths
from pro_service.cli.service import with_whole_address
from tests.cli.conftest import Run
from tests.peers import configuration, databases

HEADER = "participant,site,procedure_date,language,messaging_consent,phone"
ROWS = ("P-001,IST,2026-03-02,en,2026-03-02,+12025550123", "P-002,BER,2026-03-09,tr,,")
DEMO = paths.protocols() / "demo.toml"


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """Return a file with two participants."""
    file = tmp_path / "participants.csv"
    file.write_text("\n".join((HEADER, *ROWS)), encoding="utf-8")
    return file


@pytest.fixture
def enrolled(run: Run, study: str, csv: Path) -> str:
    """Return the study, with both participants in it."""
    assert run("participant", "import", csv).status == 0
    return study


def test_a_file_is_checked_without_a_database(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("pro-service")
    environment = {name: value for name, value in os.environ.items() if name == "PATH"}
    command: list[str | Path] = [program, "study", "check", DEMO, "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")


def test_every_fault_of_a_protocol_is_named_for_people_and_programs(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    text = DEMO.read_text(encoding="utf-8").replace("title =", "titel =").replace('last_day = "P7D"', 'last_day = "x"')
    file.write_text(text, encoding="utf-8")
    faults = run("study", "check", file, "--json")
    assert faults.status == 1
    assert all(set(fault) == {"path", "line", "code", "fault", "remedy"} for fault in faults.json)
    plain = run("study", "check", file)
    assert (plain.status, plain.out.count("→")) == (1, len(faults.json))
    assert "line" in plain.out


def test_the_real_protocol_is_sound_and_says_what_is_left_to_fill_in(run: Run) -> None:
    done = run("study", "check", paths.protocols() / "nct07326982.toml")
    assert done.status == 0
    assert "telephone" in done.err
    assert run("study", "load", paths.protocols() / "nct07326982.toml").status == 1


def test_the_check_says_which_letters_make_which_texts_dear(run: Run, tmp_path: Path) -> None:
    said = " ".join(run("study", "check", DEMO).out.split())
    assert "tr/reach-test 108 2 1 ı ş in the text itself; İ in site.IST.short_name.tr" in said
    assert "texts, at most 4 segments, 0 in UCS-2; 1 of more than 3 segments" in said
    assert "the question PGIC alone has 170 characters" in said
    file = tmp_path / "study.toml"
    text = DEMO.read_text(encoding="utf-8").replace('en = "Berlin Demo Clinic" }', 'en = "Berlin Demo Clinıc" }')
    file.write_text(text, encoding="utf-8")
    said = " ".join(run("study", "check", file).out.split())
    assert "en/help 121 2 1 ı in site.BER.short_name.en" in said


@databases.ON_BOTH
def test_a_study_is_loaded_once_and_shown(run: Run, study: str) -> None:
    assert "unchanged" in run("study", "load", DEMO).out
    shown = run("study", "show", "--json").json
    assert (shown["study"], shown["version"], shown["participants"]) == (study, 1, 0)
    assert [window["code"] for window in shown["windows"]] == ["V0", "V1H", "W1", "M1", "M3"]
    assert "Istanbul Demo Clinic" in run("study", "show").out


@databases.ON_BOTH
def test_an_import_is_tried_done_and_done_again(run: Run, study: str, csv: Path) -> None:
    assert study in run("participant", "import", csv, "--dry-run").out
    assert run("participant", "list", "--json").json == []
    assert run("participant", "import", csv, "--json").json["enrolled"] == 2
    assert run("participant", "import", csv, "--json").json["unchanged"] == 2


def test_the_faults_of_an_import_are_json_on_demand(run: Run, study: str, csv: Path) -> None:
    assert study
    csv.write_text("\n".join((HEADER, *ROWS, "P-003,XXX,1.3.2026,tr,,")), encoding="utf-8")
    done = run("participant", "import", csv, "--json")
    assert done.status == 1
    assert [(fault["line"], fault["path"]) for fault in done.json] == [(4, "site"), (4, "procedure_date")]
    assert run("participant", "list", "--json").json == []


def test_participants_are_listed_and_shown(run: Run, enrolled: str) -> None:
    assert enrolled
    listed = run("participant", "list", "--json").json
    assert [(row["participant"], row["status"]) for row in listed] == [("P-001", "active"), ("P-002", "planned")]
    shown = run("participant", "show", "P-001", "--json").json
    names = [
        "participant",
        "status",
        "asked_by",
        "ladder",
        "card_made_at",
        "card_handed_at",
        "windows",
        "messages",
        "responses",
        "derived",
        "escalations",
    ]
    assert list(shown) == names
    assert shown["windows"][0]["opens_at"].endswith("Z")
    assert "W1" in run("participant", "show", "P-001").out
    assert run("participant", "show", "P-404", "--json").json[0]["path"] == "CODE"


def test_a_procedure_is_confirmed(run: Run, enrolled: str, now: Path) -> None:
    assert enrolled
    assert run("participant", "confirm", "P-002").status == 1
    now.write_text("2026-03-10T12:00:00Z", encoding="utf-8")
    done = run("participant", "confirm", "P-002", "--procedure-date", "2026-03-10", "--json").json
    assert (done["procedure_date"], done["rescheduled"]) == ("2026-03-10", True)
    out = run("participant", "confirm", "P-002").out
    assert "was confirmed already" in out
    assert "No window yet for V1H" in out
    assert "confirmed, procedure" in run("participant", "confirm", "P-002", "--procedure-time", "12:30").out
    assert run("participant", "confirm", "P-002", "--procedure-time", "half past").status == 1
    assert run("participant", "confirm", "P-002", "--procedure-date", "10.03.2026").status == 2


@databases.ON_BOTH
def test_beats_and_reports_answer_in_json(run: Run, enrolled: str) -> None:
    assert enrolled
    assert run("tick", "--json").json["looked_at"] == 2
    assert set(run("deliver", "--json").json)
    assert [row["code"] for row in run("report", "compliance", "--json").json] == ["V0", "V1H", "W1", "M1", "M3"]
    assert isinstance(run("report", "escalations", "--json").json, list)
    assert "with late ones" in run("report", "compliance").out
    assert run("report", "escalations").status == 0


def test_a_user_is_added_with_a_password_from_standard_input(run: Run, study: str) -> None:
    assert study
    add = ("user", "add", "someone@example.org", "--role", "coordinator")
    assert run(*add, "--site", "IST", text="a quiet morning in April\n").status == 0
    assert "already" in run(*add, "--site", "IST", text="\n").out
    short = run("user", "add", "other@example.org", "--role", "king", "--json", text="short\n")
    assert (short.status, {fault["path"] for fault in short.json}) == (1, {"password", "role"})


def test_an_upgrade_says_who_will_set_up_a_second_factor(run: Run, study: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert study
    add = ("user", "add", "someone@example.org", "--role", "coordinator")
    assert run(*add, text="a quiet morning in April\n").status == 0
    assert "someone@example.org" not in run("db", "upgrade").out
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://pro.example.org")
    assert "set up a second factor (an authenticator app): someone@example.org." in run("db", "upgrade").out


def test_the_doctor_is_red_when_nobody_beats(run: Run, enrolled: str) -> None:
    assert enrolled
    done = run("doctor", "--json")
    red = [finding["part"] for finding in done.json if finding["colour"] == "red"]
    assert (done.status, red) == (1, ["scheduler", "safety"])
    said = run("doctor").out
    assert "never run" in said
    assert "nobody would hear of a safety task at DEMO BER, DEMO IST" in said


@pytest.mark.parametrize("words", [("nonsense",), ("study", "check", "no-such-file"), ("user", "add", "a@b.example")])
def test_wrong_usage_ends_with_2(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words).status == 2


def test_without_a_study_the_remedy_is_named(run: Run) -> None:
    assert "study load FILE" in run("participant", "list").out


@pytest.mark.parametrize(
    "written, found",
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("198.51.100.7:4711", "198.51.100.7"),
        ("2001:db8:1:2::7", "2001:db8:1:2::7"),
        ("10.0.0.1, 2001:db8::7", "2001:db8::7"),
    ],
)
def test_behind_a_proxy_each_visitor_has_an_address_of_their_own(written: str, found: str) -> None:
    seen: list[str] = []

    def app(environ: WSGIEnvironment, _: StartResponse) -> list[bytes]:
        seen.append(environ["REMOTE_ADDR"])
        return []

    served = proxy_headers_middleware(
        with_whole_address(app), "127.0.0.1", trusted_proxy_count=1, trusted_proxy_headers={"x-forwarded-for"}
    )
    given = {"REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "50000", "HTTP_X_FORWARDED_FOR": written}
    served(given, lambda _status, _headers, _fault=None: lambda _sent: None)
    assert seen == [found]


NOT_TO_LOOK = (
    *("alembic", "apscheduler", "argon2", "babel", "flask", "holidays", "jinja2", "phonenumbers", "requests", "twilio"),
    *("smtplib", "sqlalchemy.orm", "sqlalchemy.dialects.postgresql"),
    *("pro_service.core.replies.reading", "pro_service.use_cases.tick", "pro_service.use_cases.transaction"),
)
"""Modules that take long to import, and that are not needed to see that nothing is due."""
SHOW_IMPORTED = """
import sys
from pro_service.cli import main
main(standalone_mode=False)
print(*sys.modules, file=sys.stderr)
"""
CONFIGURED = {
    "TWILIO_ACCOUNT_SID": configuration.ACCOUNT_SID,
    "TWILIO_AUTH_TOKEN": configuration.AUTH_TOKEN,
    "TWILIO_FROM": "+12025550100",
    "TWILIO_BASE_URL": "http://127.0.0.1:8026",
    "SMTP_HOST": "127.0.0.1",
    "MAIL_FROM": "pro@example.org",
}


@databases.ON_BOTH
def test_a_quarantine_that_only_a_person_ends_says_what_to_compare_and_how_to_lift_it(
    run: Run, study: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"VERIMOR_USERNAME": "908501234567", "VERIMOR_PASSWORD": "secret", "VERIMOR_SENDER": "KLINIK"}
    for name, value in {**told, "VERIMOR_BASE_URL": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(name, value)
    for command in (("quarantine", "begin"), ("reconcile",), ("deliver", "--json")):
        said = run(*command).err
        assert "texts by Verimor are held since" in said, study
        assert "known here: 0 that left after" in said
        assert "run `pro-service quarantine lift`" in said
    assert "Texts are sent again" in run("quarantine", "lift", "--reason", "its pages show none").out
    assert "held" not in run("reconcile").err


def test_an_idle_tick_imports_only_what_looks(
    run: Run, study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Cron starts one each minute, and importing takes longer than all the rest of it.
    for name, value in CONFIGURED.items():
        monkeypatch.setenv(name, value)
    assert run("tick").status == 0, study
    command: list[str | Path] = [
        sys.executable,
        "-c",
        SHOW_IMPORTED,
        "--env-file",
        tmp_path / "service.env",
        "tick",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not any(json.loads(done.stdout).values())
    assert set(NOT_TO_LOOK) & set(done.stderr.split()) == set()
