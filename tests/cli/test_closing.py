"""`study close`, `lock` and `unlock`: what is shown, and who unlocks."""

from pathlib import Path

from tests import support
from tests.cli.conftest import Run

LEAD = "lead@example.org"


def test_a_study_is_closed_locked_and_unlocked_by_an_investigator(run: Run, study: str, tmp_path: Path) -> None:
    assert study
    file = tmp_path / "participants.csv"
    file.write_text(
        "participant,site,procedure_date,language,messaging_consent\nP-001,IST,2026-03-02,en,2026-03-02\n",
        encoding="utf-8",
    )
    assert run("participant", "import", file).status == 0
    assert run("user", "add", LEAD, "--role", "investigator", text=f"{support.PASSWORD}\n").status == 0
    seen = run("study", "close", "--dry-run", "--reason", "only a look").out
    assert seen.startswith("DEMO is open.\n")
    assert "Windows not counted:" in seen
    assert run("study", "lock", "--reason", "too early").status == 1
    assert run("study", "close", "--reason", " ").status == 1
    closed = run("study", "close", "--lock-data", "--reason", "the last visit is over", "--json").json
    assert (closed["closed_at"], closed["locked_at"]) == ("2026-03-02T12:00:00Z", "2026-03-02T12:00:00Z")
    assert (closed["texts"], closed["open_windows"], closed["windows_to_come"], closed["closed_windows"]) == (
        0,
        0,
        0,
        0,
    )
    assert "data locked since 2026-03-02 12:00Z" in run("study", "close", "--dry-run", "--reason", "a look").out
    refused = run("participant", "import", file.with_name("participants.csv"))
    assert "the study is closed" in refused.out
    assert run("study", "unlock", "--by", "nobody@example.org", "--reason", "a query").status == 1
    assert run("study", "unlock", "--by", LEAD, "--reason", "a query").out == "DEMO: the data are unlocked.\n"
    assert run("study", "lock", "--reason", "the query is answered").out == "DEMO: the data are locked.\n"
    file = tmp_path / "certificate.txt"
    words = ("study", "erase-contacts", "--reason", "as the ethics committee asked", "--out", file)
    later = run(*words, "--after", "2026-03-02")
    assert "contact data of 1 participants are erased after 2026-03-02" in later.out
    assert not file.exists()
    assert "contact data of all 1 participants are erased" in run(*words, "--after", "2026-03-01").out
    assert "P-001" in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o777 == 0o600
