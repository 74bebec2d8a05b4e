"""`pro-service participant reach`: begun, shown, confirmed, failed, and every refusal with its remedy."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run

HEADER = "participant,site,procedure_date,language,messaging_consent,phone"
ROWS = ("P-001,IST,2026-03-02,en,2026-03-02,+12025550123", "P-002,IST,2026-03-02,en,,+12025550124")


@pytest.fixture
def enrolled(run: Run, study: str, tmp_path: Path) -> str:
    """Return the code of somebody who agreed to texts; P-002 did not."""
    assert study
    file = tmp_path / "participants.csv"
    file.write_text("\n".join((HEADER, *ROWS)), encoding="utf-8")
    assert run("participant", "import", file).status == 0
    return "P-001"


def test_a_test_is_begun_and_confirmed(run: Run, enrolled: str) -> None:
    assert run("participant", "reach", enrolled, "--state").out == "P-001: not tried\n"
    assert run("participant", "reach", enrolled, "--minutes", "10").out == "P-001: waiting\n"
    assert run("participant", "reach", enrolled, "--confirmed").out == "P-001: confirmed (staff)\n"
    told = run("participant", "reach", enrolled, "--state", "--json").json
    assert (told["state"], told["confirmed_by"], told["expires_at"]) == ("confirmed", "staff", "2026-03-02T12:10:00Z")


def test_a_failure_needs_its_reason(run: Run, enrolled: str) -> None:
    assert run("participant", "reach", enrolled).status == 0
    assert "say with --reason" in run("participant", "reach", enrolled, "--failed").out
    done = run("participant", "reach", enrolled, "--failed", "--reason", "a landline")
    assert done.out == "P-001: failed (staff)\n"
    assert run("participant", "show", enrolled, "--json").json["escalations"][-1]["level"] == "E0"


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("P-999",), "there is no participant"),
        (("P-002",), "no message may go"),
        (("P-001", "--minutes", "1"), "give 5 to 1440 minutes"),
        (("P-001", "--confirmed"), "there is no test yet"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, enrolled: str, arguments: tuple[str, ...], said: str) -> None:
    assert enrolled
    done = run("participant", "reach", *arguments)
    assert (done.status, said in done.out) == (1, True)
