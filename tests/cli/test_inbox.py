"""`pro-service inbox`: what waits is listed, shown and ended, and no number is printed."""

from pathlib import Path

import pytest

from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import open_runtime
from pro_service.settings import load
from pro_service.use_cases.inbound import receive
from tests.cli.conftest import Run

PHONE = "+12025550123"
ROWS = "participant,site,procedure_date,language,messaging_consent,phone\nP-001,IST,2026-03-01,en,2026-03-01," + PHONE


@pytest.fixture
def waiting(run: Run, study: str, tmp_path: Path) -> str:
    """Return the id of a text that waits for a person."""
    assert study
    file = tmp_path / "participants.csv"
    file.write_text(ROWS, encoding="utf-8")
    assert run("participant", "import", file).status == 0
    rt = open_runtime(load(tmp_path / "service.env"))
    given = {"MessageSid": f"SM{1:032d}", "From": PHONE, "To": "+15005550006", "Body": "my mother says 5"}
    receive.receive(rt, text_of(given))
    rt.close()
    (row,) = run("inbox", "list", "--json").json
    assert (row["participant"], row["why"]) == ("P-001", "proxy_answer")
    return str(row["id"])


def test_a_text_is_listed_shown_and_ended(run: Run, waiting: str) -> None:
    listed, shown = run("inbox", "list"), run("inbox", "show", waiting)
    assert "P-001" in listed.out
    assert "mother" not in listed.out
    assert "them  my mother says 5" in shown.out
    assert PHONE not in listed.out + shown.out + run("inbox", "show", waiting, "--json").out
    assert run("inbox", "resolve", waiting, "--reason", "asked her herself").status == 0
    assert run("inbox", "list", "--json").json == []
    assert run("inbox", "list", "--all", "--json").json[0]["handled_at"] is not None
    assert run("inbox", "show", waiting, "--json").json["done"][0]["reason"] == "asked her herself"


def test_what_cannot_be_done_is_said_with_its_remedy(run: Run, waiting: str) -> None:
    assert run("inbox", "resolve", waiting, "--reason", " ").status == 1
    assert "no such message" in run("inbox", "show", "99999999").out
    assert "no such message" in run("inbox", "resolve", "99999999", "--reason", "why").out
    assert run("inbox", "resolve", waiting, "--reason", "why").status == 0
    again = run("inbox", "resolve", waiting, "--reason", "why")
    assert (again.status, "done already" in again.out) == (1, True)
