"""A written set is a valid data package, as the library of the format reads it."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.exports import made_set


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return made_set.write(tmp_path)


def faults(folder: Path) -> list[tuple[str, str]]:
    """Return (file, kind of error) of what the library finds.

    As a program of its own: in this one it would change for good what the csv module takes.
    """
    command = (sys.executable, "-m", "frictionless", "validate", "datapackage.json", "--json")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert done.returncode == (0 if report["valid"] else 1), done.stderr
    errors = [(task["place"], error["type"]) for task in report["tasks"] for error in task["errors"]]
    return errors + [("", error["type"]) for error in report["errors"]]


def test_a_written_set_is_a_valid_data_package(folder: Path) -> None:
    package = json.loads((folder / "datapackage.json").read_text())
    assert {resource["path"] for resource in package["resources"]} == {
        file.relative_to(folder).as_posix() for file in folder.rglob("*.csv")
    }
    assert faults(folder) == []


def test_the_library_sees_what_the_package_forbids(folder: Path) -> None:
    visits, answers = "data/visits.csv", "data/answers.csv"
    damages = [
        (visits, ",completed_in_window,", ",finished,", "constraint-error"),
        (visits, ",4,0,", ",11,0,", "constraint-error"),
        (visits, "P-001,1,V0,", ",1,V0,", "constraint-error"),
        (visits, ",2026-03-02T06:00:00Z,", ",yesterday,", "type-error"),
        (answers, ",W1,1,nrs_avg,2,", ",W1,1,nrs_avg,1,", "primary-key"),
        (answers, ",P-002,", ",P-003,", "foreign-key"),
    ]
    for path, old, new, _ in damages:
        text = (folder / path).read_text(encoding="utf-8")
        assert old in text
        (folder / path).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert Counter((path, kind) for path, *_, kind in damages) <= Counter(faults(folder))
