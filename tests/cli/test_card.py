"""`pro-service participant card`: the card on the terminal, as a file to print, with another code, or blank."""

import re
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Run

HEADER = "participant,site,procedure_date,language,messaging_consent,phone,channel"
ROW = "P-001,IST,2026-03-02,tr,2026-03-02,+90 532 123 45 67,sms-card"


@pytest.fixture
def enrolled(run: Run, study: str, tmp_path: Path) -> str:
    """Return the study, with one participant who answers with the card."""
    file = tmp_path / "participants.csv"
    file.write_text(f"{HEADER}\n{ROW}", encoding="utf-8")
    done = run("participant", "import", file)
    assert done.status == 0
    assert "registered sender" in done.err
    return study


def test_the_card_is_shown_for_people_and_programs(run: Run, enrolled: str) -> None:
    facts = run("participant", "card", "P-001", "--json").json
    assert set(facts) == {"participant", "code", "address", "telephone", "days", "file"}
    assert re.fullmatch(r"[2-9A-Y]{4} [2-9A-Y]{4} [2-9A-Y]{4}", facts["code"])
    assert facts["address"].endswith("/k")
    assert [day["target"] for day in facts["days"]] == ["2026-03-09", "2026-04-02", "2026-06-02"]
    plain = run("participant", "card", "P-001")
    assert plain.status == 0
    assert facts["code"] in plain.out
    assert "2026-03-09" in plain.out
    assert enrolled


def test_the_file_is_whole_and_nobody_elses(run: Run, enrolled: str, tmp_path: Path) -> None:
    file = tmp_path / "card.html"
    file.write_text("older", encoding="utf-8")
    file.chmod(0o644)
    assert run("participant", "card", "P-001", "--out", file).status == 0
    page = file.read_text(encoding="utf-8")
    assert run("participant", "card", "P-001", "--json").json["code"] in page
    assert "105mm 148mm" in page
    assert not re.findall(r"(?:src|href)=|<script", page)
    assert "532" not in re.sub(r'd="[^"]*"', "", page)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert enrolled


def test_a_code_is_replaced_with_a_reason(run: Run, enrolled: str) -> None:
    before = run("participant", "card", "P-001", "--json").json["code"]
    after = run("participant", "card", "P-001", "--replace", "--reason", "card lost", "--json").json["code"]
    assert before != after
    assert run("participant", "card", "P-001", "--json").json["code"] == after
    faults = run("participant", "card", "P-001", "--replace", "--reason", " ", "--json")
    assert (faults.status, faults.json[0]["path"]) == (1, "reason")
    assert enrolled


def test_each_side_calls_the_site_by_its_whole_name_in_its_language(run: Run, enrolled: str, tmp_path: Path) -> None:
    file = tmp_path / "card.html"
    assert run("participant", "card", "P-001", "--out", file).status == 0
    drawn = file.read_text(encoding="utf-8")
    sides = {part[:2]: part for part in drawn.split('class="card-side" lang="')[1:]}
    assert enrolled
    assert "Istanbul Demo Clinic" in sides["en"]
    assert "İstanbul Demo Kliniği" in sides["tr"]


def test_a_site_has_a_blank_one(run: Run, enrolled: str, tmp_path: Path) -> None:
    file = tmp_path / "blank.html"
    assert run("participant", "card", "--blank", "BER", "--out", file).status == 0
    assert "card-line" in file.read_text(encoding="utf-8")
    done = run("participant", "card", "--blank", "NOWHERE")
    assert done.status == 1
    assert "one of: " in done.out
    assert enrolled


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        ("P-001", "--blank", "IST"),
        ("P-001", "--replace"),
        ("P-001", "--reason", "lost"),
        ("--blank", "IST", "--replace", "--reason", "lost"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(run: Run, enrolled: str, wrong: tuple[str, ...]) -> None:
    assert run("participant", "card", *wrong).status == 2
    assert enrolled


def test_nobody_and_nowhere_are_said_with_a_remedy(run: Run, enrolled: str, tmp_path: Path) -> None:
    nobody = run("participant", "card", "P-999")
    assert nobody.status == 1
    assert "participant list" in nobody.out
    before = run("participant", "card", "P-001", "--json").json["code"]
    lost = ("--replace", "--reason", "lost")
    nowhere = run("participant", "card", "P-001", *lost, "--out", tmp_path / "no" / "card.html")
    assert nowhere.status == 1
    assert run("participant", "card", "P-001", "--json").json["code"] == before
    assert "cannot be written" in nowhere.out
    assert enrolled


def test_sheets_say_that_more_cards_remain_than_one_file_holds(run: Run, study: str, tmp_path: Path) -> None:
    assert study
    many, sheets = tmp_path / "many.csv", tmp_path / "sheets.html"
    rows = (
        f"P-{n:03},IST,2026-03-02,tr,2026-03-02,+90 532 123 {n // 100:02} {n % 100:02},sms-card" for n in range(121)
    )
    many.write_text("\n".join((HEADER, *rows)), encoding="utf-8")
    assert run("participant", "import", many).status == 0
    assert run("participant", "cards").out.splitlines()[2].endswith("2026-03-02      yes")
    first = run("participant", "cards", "--out", sheets).out
    assert first.startswith("120 cards: ")
    assert "More cards are to be printed: when these are, run the command again." in first
    rest = run("participant", "cards", "--out", sheets).out
    assert rest.startswith("1 card: ")
    assert "More cards" not in rest
    assert run("participant", "handed", "P-120").out == "1 of 1 card: handed over.\n"
    assert run("participant", "handed", "P-120", "P-119").out == "1 of 2 cards: handed over; the others were already.\n"
