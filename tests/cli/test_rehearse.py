"""`pro-service rehearse`: what it prints and writes, and that the database in use stays as it is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pro_service import paths
from pro_service.runtime import open_runtime
from pro_service.settings import Settings
from tests import support
from tests.cli.conftest import Run
from tests.peers import databases

DEMO = paths.protocols() / "demo.toml"
SMALL = ("--participants", "3", "--days", "14", "--enrolment-days", "2")


@databases.ON_BOTH
def test_a_loaded_study_is_rehearsed_and_its_database_stays_as_it_is(
    run: Run, study: str, settings: Settings, tmp_path: Path
) -> None:
    rt = open_runtime(settings)
    before = support.rows_of(rt)
    done = run("rehearse", *SMALL, "--out", tmp_path / "report.html", "--price-per-segment", "0.0079")
    assert (done.status, study) == (0, "DEMO")
    assert "3/3" in done.out
    assert "cost" in done.out
    assert "simulated, no real participants" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert support.rows_of(rt) == before
    rt.close()


def test_a_file_needs_neither_a_database_nor_settings(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("pro-service")
    environment = {name: value for name, value in os.environ.items() if name == "PATH"}
    command: list[str | Path] = [program, "rehearse", "--file", DEMO, *SMALL, "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert report["parameters"]["study"] == "DEMO"
    assert report["parameters"]["first"] == "2026-01-05"
    assert [window["code"] for window in report["windows"]] == ["V0", "V1H", "W1", "M1", "M3"]
    assert list(tmp_path.iterdir()) == []


def test_people_see_days_go_by_and_the_report_speaks_turkish(run: Run, tmp_path: Path) -> None:
    done = run("rehearse", "--file", DEMO, *SMALL, "--out", tmp_path / "r.html", "--language", "tr")
    assert done.status == 0
    assert "Running 14 days" in done.err
    assert "gerçek katılımcı yok" in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [
        ("--participants", "0"),
        ("--days", "soon"),
        ("--study", "DEMO"),
        ("--price-per-segment", "-1"),
        ("--price-per-segment", "dear"),
        ("--channel", "pigeon"),
        ("--language", "de"),
    ],
)
def test_wrong_usage_ends_with_two(run: Run, words: tuple[str, ...]) -> None:
    assert run("rehearse", "--file", DEMO, *words).status == 2


def test_faults_in_what_was_given_end_with_one_and_are_all_named(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "people.toml"
    broken.write_text("[office]\ncalls_a_day = -1\n", encoding="utf-8")
    done = run("rehearse", "--file", DEMO, "--temperaments", broken, "--json")
    assert done.status == 1
    assert {"office.calls_a_day", "phrases", "temperament"} <= {fault["path"] for fault in done.json}
    assert run("rehearse", "--file", broken).status == 1
    nowhere = run("rehearse", "--file", DEMO, "--out", tmp_path / "nowhere" / "report.html")
    assert (nowhere.status, "--out" in nowhere.out) == (1, True)
    assert run("rehearse", *SMALL).status == 1
