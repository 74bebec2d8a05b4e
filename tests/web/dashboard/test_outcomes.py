"""Derived outcomes: for those whose role has scores, with both denominators, by site and window, as a file."""

import csv
import io
import re
from datetime import date

import pytest
from flask.testing import FlaskClient

from pro_service.runtime import Runtime
from pro_service.use_cases.participants import entry
from pro_service.use_cases.participants.entry import Filled
from pro_service.use_cases.tick import tick
from tests import support

DAY = date(2026, 3, 2)


@pytest.fixture
def desk(rt: Runtime, study_id: int, clock: support.SetClock, client: FlaskClient) -> FlaskClient:
    """Return a browser of the investigator; five whose first week has closed, one of them silent, one at Berlin."""
    answers = {
        "P-001": ("10", "7"),
        "P-002": ("8", "4"),
        "P-003": ("0", "1"),
        "P-004": (None, "5"),
        "P-005": ("6", None),
    }
    clock.now = support.at("2026-03-02 15:00")
    for number, code in enumerate(answers):
        cells = {"phone": f"+1202555010{number}", "site": "BER" if code == "P-002" else "IST"}
        support.enrolled(rt, study_id, code, DAY, **cells)
        before = answers[code][0]
        if before is not None:
            entry.enter(rt, support.SETUP, study_id, code, "V0", Filled({"NRS-AVG": before, "NRS-NOW": "5"}))
    clock.now = support.at("2026-03-10 10:00")
    tick(rt)
    for code, (_, after) in answers.items():
        if after is not None:
            filled = Filled({"NRS-AVG": after, "PGIC": "2" if code == "P-001" else "4"}, mode="telephone")
            entry.enter(rt, support.SETUP, study_id, code, "W1", filled)
    clock.now = support.at("2026-03-13 12:00")
    tick(rt)
    support.coordinator(rt, role="investigator")
    support.sign_in(client)
    return client


def section(page: str, title: str) -> str:
    """The text of one card."""
    found = re.search(rf"<h2[^>]*>{title}.*?</section>", page, re.DOTALL)
    assert found is not None
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0]))


def test_responders_stand_with_both_denominators_and_why_some_have_no_value(desk: FlaskClient) -> None:
    page = desk.get("/compliance/outcomes").text
    week = section(page, "W1 · average pain")
    assert "Reduction of 30 percent or more 100 % 2/2 40 % 2/5" in week
    assert "Reduction of 50 percent or more 50 % 1/2 20 % 1/5" in week
    assert "baseline of 0: no percentage can be calculated 1" in week
    assert "no baseline 1" in week
    assert "no answer in this window 1" in week
    assert "Much improved or better 25 % 1/4 20 % 1/5" in section(page, "W1 · overall")
    assert "Formula version 1" in page


def test_filters_stand_in_the_address_and_in_the_file(desk: FlaskClient) -> None:
    page = desk.get("/compliance/outcomes?site=BER&window=W1").text
    assert "Reduction of 50 percent or more 100 % 1/1 100 % 1/1" in section(page, "W1 · average pain")
    assert "M1 · average" not in page
    assert 'href="/compliance/outcomes.csv?site=BER&amp;window=W1"' in page


def test_the_file_has_a_line_for_each_value_with_codes(desk: FlaskClient) -> None:
    answer = desk.get("/compliance/outcomes.csv?window=W1")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    values = {row["participant"]: row for row in rows if row["item"] == "NRS-AVG"}
    assert sorted(values) == [f"P-00{n}" for n in range(1, 6)]
    first = values["P-001"]
    assert (first["percent_reduction"], first["responder30"], first["responder50"]) == ("30.00", "1", "0")
    assert values["P-003"]["reason"] == "baseline_zero"
    assert values["P-004"]["reason"] == "baseline_missing"
    assert values["P-005"]["reason"] == "followup_missing"
    assert {row["formula_version"] for row in rows} == {"1"}
    overall = {row["participant"]: row["clinical_improvement"] for row in rows if row["item"] == "PGIC"}
    assert overall == {row["participant"]: row["pgic_responder"] for row in rows if row["item"] == "PGIC"}
    assert set(overall.values()) == {"1", "0", ""}


def test_who_got_worse_has_a_number_as_everybody_has(desk: FlaskClient, rt: Runtime, study_id: int) -> None:
    worse = Filled({"NRS-AVG": "8", "NRS-NOW": "5"}, reason="read wrongly")
    entry.enter(rt, support.SETUP, study_id, "P-001", "V0", worse)
    answered = Filled({"NRS-AVG": "10", "PGIC": "6"}, reason="read wrongly", mode="telephone")
    entry.enter(rt, support.SETUP, study_id, "P-001", "W1", answered)
    rows = csv.DictReader(io.StringIO(desk.get("/compliance/outcomes.csv?window=W1").text.removeprefix("\ufeff")))
    first = next(row for row in rows if (row["participant"], row["item"]) == ("P-001", "NRS-AVG"))
    assert (first["percent_reduction"], first["absolute_change"]) == ("-25.00", "-2")
    assert (first["responder30"], first["responder50"]) == ("0", "0")


def test_a_corrected_answer_counts_by_its_newest_version(desk: FlaskClient, rt: Runtime, study_id: int) -> None:
    corrected = Filled({"NRS-AVG": "9", "PGIC": "2"}, reason="read wrongly", mode="telephone")
    entry.enter(rt, support.SETUP, study_id, "P-001", "W1", corrected)
    assert "30 percent or more 50 % 1/2" in section(desk.get("/compliance/outcomes").text, "W1 · average pain")


def test_whoever_may_not_see_scores_is_not_led_there(desk: FlaskClient, rt: Runtime) -> None:
    assert 'href="/compliance/outcomes"' in desk.get("/compliance").text
    support.coordinator(rt, "second@example.org")
    desk.post("/logout", data={"csrf": support.csrf_of(desk.get("/account").text)})
    support.sign_in(desk, "second@example.org")
    assert "/compliance/outcomes" not in desk.get("/compliance").text
    assert desk.get("/compliance/outcomes").status_code == 403
