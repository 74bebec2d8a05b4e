"""`pro-service audit …`: what is printed, and the exit status that a cron job reads."""

import json
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

from sqlalchemy import make_url

from pro_service.settings import Settings
from tests.cli.conftest import Run


def test_the_trail_is_sealed_checked_and_proved(run: Run, study: str, settings: Settings, tmp_path: Path) -> None:
    assert study
    file = tmp_path / "participants.csv"
    today = date(2026, 3, 2).isoformat()
    file.write_text(
        "participant,site,procedure_date,language,messaging_consent,baseline_nrs_avg\n"
        f"P-001,IST,{today},en,{today},8\n",
        encoding="utf-8",
    )
    assert run("participant", "import", file).status == 0
    assert "rows sealed" in run("audit", "seal").out
    clean = run("audit", "verify", "--full", "--json")
    assert (clean.status, clean.json["findings"], clean.json["anchor"], clean.json["seals"]) == (0, [], "none", 1)
    anchor = clean.json["newest_seal"]
    assert "Not compared with an anchor" in run("audit", "verify").out
    proof = tmp_path / "proof.json"
    assert run("audit", "proof", "P-001", "--out", proof).status == 0
    assert proof.stat().st_mode & 0o777 == 0o600
    assert run("audit", "proof", "P-001", "--out", tmp_path / "nowhere" / "proof.json").status == 1
    checked = run("audit", "check-proof", proof, "--anchor", anchor, "--json")
    assert (checked.status, checked.json["participant"], checked.json["anchor"]) == (0, "P-001", "checked")
    with closing(sqlite3.connect(str(make_url(settings.database_url).database))) as connection, connection:
        connection.execute("DROP TRIGGER responses_no_update")
        connection.execute("UPDATE responses SET value = 1")
    found = run("audit", "verify", "--full", "--json")
    assert found.status == 1
    assert [(one["kind"], one["participant"]) for one in found.json["findings"]] == [
        ("trigger", None),
        ("facts_differ", "P-001"),
    ]
    assert json.dumps(found.json["findings"]).count("P-001") == 1
    told = run("audit", "verify", "--full")
    assert "facts_differ  response" in told.out
    assert "(P-001)" in told.out


def test_the_grants_are_printed_for_a_role_with_a_plain_name(run: Run) -> None:
    assert "GRANT SELECT, INSERT ON audit_trail" in run("db", "grants", "--role", "pro_app").out
    assert run("db", "grants", "--role", "x; DROP TABLE users").status == 1
