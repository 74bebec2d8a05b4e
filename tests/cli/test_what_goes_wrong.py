"""Whatever is wrong with settings or database is said in a line, never as a traceback."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pro_service.cli import main
from pro_service.settings import NAMES
from tests.peers import configuration


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def ran(home: Path, *words: str, **changes: str) -> Result:
    environment = configuration.environment("sqlite:///service.db") | changes
    file = home / ".env"
    file.write_text("".join(f"{name}={value}\n" for name, value in environment.items() if value), encoding="utf-8")
    done = CliRunner().invoke(main, ["--env-file", str(file), *words])
    assert "Traceback" not in done.output
    return done


def test_every_fault_of_the_settings_is_said_at_once_and_no_value(tmp_path: Path) -> None:
    done = ran(tmp_path, "tick", "--json", SECRET_KEY="too-short", DATA_KEYS="", PUBLIC_BASE_URL="ftp://x")
    assert done.exit_code == 1
    assert {fault["path"] for fault in json.loads(done.stdout)} == {"SECRET_KEY", "DATA_KEYS", "PUBLIC_BASE_URL"}
    assert "too-short" not in done.output


@pytest.mark.parametrize("command", ["serve", "scheduler", "tick", "deliver"])
def test_a_database_that_is_behind_is_refused_and_the_command_named(tmp_path: Path, command: str) -> None:
    done = ran(tmp_path, command)
    assert done.exit_code == 1
    assert "pro-service db upgrade" in done.stderr


def test_a_program_is_told_of_it_as_of_every_other_fault(tmp_path: Path) -> None:
    done = ran(tmp_path, "tick", "--json")
    assert done.exit_code == 1
    (fault,) = json.loads(done.stdout)
    assert set(fault) == {"path", "line", "code", "fault", "remedy"}
    assert "db upgrade" in fault["remedy"]


def test_the_wrong_key_is_refused(tmp_path: Path) -> None:
    assert ran(tmp_path, "db", "upgrade").exit_code == 0
    done = ran(tmp_path, "tick", DATA_KEYS="k1:" + "A" * 43 + "=")
    assert done.exit_code == 1
    assert "'k1'" in done.stderr


def test_a_set_clock_is_refused_by_a_real_database(tmp_path: Path) -> None:
    assert ran(tmp_path, "db", "upgrade").exit_code == 0
    done = ran(tmp_path, "tick", PRO_SERVICE_NOW="2026-03-02T12:00:00Z")
    assert done.exit_code == 1
    assert "db upgrade --test" in done.stderr


def test_a_database_in_use_does_not_become_a_test_database(tmp_path: Path) -> None:
    assert ran(tmp_path, "db", "upgrade").exit_code == 0
    assert ran(tmp_path, "db", "upgrade", "--test").exit_code == 1


@pytest.mark.parametrize(
    "url, said",
    [
        ("postgresql://nobody@127.0.0.1:1/none", "the database cannot be reached"),
        ("sqlite:////dev/null/no-folder/pro.db", "the file of the database cannot be opened"),
    ],
)
def test_a_database_that_is_away_is_said_to_be(tmp_path: Path, url: str, said: str) -> None:
    done = ran(tmp_path, "tick", DATABASE_URL=url)
    assert done.exit_code == 1
    assert said in done.stderr
    doctor = ran(tmp_path, "doctor", DATABASE_URL=url)
    assert doctor.exit_code == 1
    assert said in doctor.stdout


def test_help_and_version_need_nothing() -> None:
    assert CliRunner().invoke(main, ["--help"]).exit_code == 0
    assert CliRunner().invoke(main, ["--version"]).exit_code == 0
