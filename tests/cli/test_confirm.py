"""`study confirm`: what has changed and what is unsettled is shown first; who signs, and which version."""

from pathlib import Path

import pytest

from pro_service import paths
from tests import support
from tests.cli.conftest import Run

DEMO = (paths.protocols() / "demo.toml").read_text(encoding="utf-8")
LEAD = "lead@example.org"


@pytest.fixture
def signed(run: Run, study: str) -> str:
    """Return the hash of version 1, which the investigator has confirmed."""
    assert study
    assert run("user", "add", LEAD, "--role", "investigator", text=f"{support.PASSWORD}\n").status == 0
    said = run("study", "confirm", "--by", LEAD, "--reason", "approved")
    assert "No version was confirmed before" in said.out
    assert "line 31: item[0]: The Turkish wording is a draft." in said.out
    assert said.out.endswith(f"DEMO: version 1 is confirmed by {LEAD}.\n")
    return str(run("study", "show", "--json").json["sha256"])


def test_what_changed_is_shown_and_another_version_than_was_read_is_refused(
    run: Run, signed: str, tmp_path: Path
) -> None:
    file = tmp_path / "study.toml"
    file.write_text(DEMO.replace("review_at = 8", "review_at = 7"), encoding="utf-8")
    assert run("study", "load", file).status == 0
    words = ("study", "confirm", "--by", LEAD, "--reason", "amendment 1")
    shown = run(*words, "--dry-run")
    assert "Changed since version 1 (confirmed by lead@example.org):" in shown.out
    assert "item · NRS-AVG · review_at: 8 → 7" in shown.out
    assert "Nothing was changed." in shown.out
    assert "not confirmed" in run("study", "show").out
    refused = run(*words, "--sha256", signed)
    assert refused.status == 1
    assert "the version you read is no longer the newest: version 2 is" in refused.out
    done = run(*words, "--json")
    assert done.json["differences"] == [
        {"area": "items", "place": "item · NRS-AVG · review_at", "old": "8", "new": "7"}
    ]
    assert f"by {LEAD}" in run("study", "show").out
    assert run("study", "confirm", "--by", "nobody@example.org", "--reason", "x").status == 1


def test_check_lists_what_the_file_calls_unsettled(run: Run) -> None:
    said = run("study", "check", paths.protocols() / "nct07326982.toml")
    assert "draft = true: no investigator can confirm it" in said.out
    assert "To be confirmed, as comments of the file say (10):" in said.out
