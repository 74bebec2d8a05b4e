"""Erasing on the command line: shown first, done once, listed, and done again in an older copy."""

from pathlib import Path

from tests.cli.conftest import Run

ENROLMENT = (
    "participant,site,procedure_date,language,messaging_consent,phone,baseline_nrs_avg\n"
    "P-001,IST,2026-03-02,en,2026-03-02,+12025550123,6\n"
)


def test_a_participant_is_erased_once_and_listed_without_a_word_about_them(
    run: Run, study: str, tmp_path: Path
) -> None:
    file, kept = tmp_path / "enrol.csv", tmp_path / "erased.json"
    file.write_text(ENROLMENT, encoding="utf-8")
    assert run("participant", "import", file).status == 0
    assert study
    shown = run("participant", "erase", "P-001", "--reason", "letter", "--dry-run")
    assert (shown.status, "Nothing was changed." in shown.out) == (0, True)
    for wanted, code in (("P-009", "no participant"), ("P-001", "say in a few words why")):
        refused = run("participant", "erase", wanted, "--reason", "letter" if wanted == "P-009" else " ")
        assert (refused.status, code in refused.out) == (1, True)
    done = run("participant", "erase", "P-001", "--reason", "letter", "--json").json
    assert (done["participant"], done["scrubbed"], done["dry_run"]) == ("P-001", True, False)
    again = run("participant", "erase", "P-001", "--reason", "letter")
    assert (again.status, "was erased already" in again.out) == (1, True)
    assert [one["participant"] for one in run("participant", "erased", "--json").json] == ["P-001"]
    assert run("participant", "erased", "--out", kept).status == 0
    assert "2025550123" not in kept.read_text(encoding="utf-8")
    assert run("participant", "erase-again", kept).out == "erased already: P-001\n"
    assert run("audit", "verify", "--full").status == 0
