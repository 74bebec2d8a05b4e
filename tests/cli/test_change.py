"""The office's changes on the command line: shown first, made with a reason, refused with a remedy."""

from pathlib import Path

import pytest

from pro_service import paths
from tests.cli.conftest import Run

ENROLMENT = (
    "participant,site,procedure_date,language,messaging_consent,phone,baseline_nrs_avg\n"
    "P-001,IST,2026-03-02,en,2026-03-02,+12025550123,6\n"
)


@pytest.fixture
def enrolled(run: Run, study: str, tmp_path: Path) -> str:
    """Return the code of somebody who is enrolled."""
    file = tmp_path / "enrol.csv"
    file.write_text(ENROLMENT, encoding="utf-8")
    assert run("participant", "import", file).status == 0
    assert study
    return "P-001"


def test_a_dry_run_shows_every_consequence_and_changes_nothing(run: Run, enrolled: str) -> None:
    before = run("participant", "show", enrolled, "--json").json
    said = run("participant", "reschedule", enrolled, "--procedure-date", "2026-03-01", "--reason", "book", "--dry-run")
    assert said.status == 0
    assert "procedure date: 2026-03-02 → 2026-03-01" in said.out
    assert "Nothing was changed." in said.out
    assert run("participant", "show", enrolled, "--json").json == before


def test_a_change_is_made_and_stands_in_the_story_with_who_and_why(run: Run, enrolled: str) -> None:
    done = run("participant", "reschedule", enrolled, "--procedure-date", "2026-03-01", "--reason", "book", "--json")
    assert done.status == 0
    assert {window["code"] for window in done.json["windows"] if window["moved"]} == {"V0", "W1", "M1", "M3"}
    story = run("participant", "show", enrolled, "--json").json
    w1 = [window for window in story["windows"] if window["code"] == "W1"]
    assert [(one["schedule"], one["status"]) for one in sorted(w1, key=lambda one: one["schedule"])] == [
        (1, "cancelled"),
        (2, "upcoming"),
    ]
    held = next(one for one in w1 if one["schedule"] == 2)
    assert (held["moved"][0]["cause"], held["moved"][0]["reason"]) == ("reschedule", "book")
    assert held["moved"][0]["changes"] == {"procedure_date": ["2026-03-02", "2026-03-01"]}
    assert "anchor 2026-03-01" in held["why"]
    assert "anchor 2026-03-02" in next(one for one in w1 if one["schedule"] == 1)["why"]


@pytest.mark.parametrize(
    "command",
    [
        ("pause", "--until", "2026-03-10"),
        ("withdraw", "--from", "messages"),
        ("withdraw", "--from", "study", "--on", "2026-03-01"),
        ("died", "--on", "2026-03-01"),
        ("phone", "--number", "+12025550145", "--consent", "stands"),
        ("language", "--language", "tr"),
        ("zone", "--zone", "Europe/Berlin"),
        ("channel", "--channel", "sms-link"),
        ("consent", "--withdrawn"),
        ("move", "--site", "BER"),
    ],
    ids=" ".join,
)
def test_every_change_is_made_once(run: Run, enrolled: str, command: tuple[str, ...]) -> None:
    action, *options = command
    first = run("participant", action, enrolled, *options, "--reason", "she said so", "--json")
    assert (first.status, first.json["unchanged"]) == (0, False), first.out
    again = run("participant", action, enrolled, *options, "--reason", "she said so")
    assert again.status == 0
    assert "this is saved already" in again.out


def test_prompts_are_resumed(run: Run, enrolled: str) -> None:
    assert run("participant", "pause", enrolled, "--until", "2026-03-10", "--reason", "in hospital").status == 0
    assert run("participant", "resume", enrolled, "--reason", "home again", "--json").json["unchanged"] is False


def test_a_number_is_asked_for_out_of_the_shells_history(run: Run, enrolled: str) -> None:
    said = run("participant", "phone", enrolled, "--number", "-", "--reason", "new", text="+12025550145\n")
    assert said.status == 0
    assert "+12025550145" not in said.out + said.err
    assert "phone: +1 2" in said.out


def test_what_is_wrong_is_said_at_its_option_with_the_remedy(run: Run, enrolled: str) -> None:
    said = run("participant", "reschedule", enrolled, "--procedure-date", "2026-02-30", "--reason", " ")
    assert said.status == 1
    assert '--procedure-date: "2026-02-30" is not in the calendar' in said.out
    assert "--reason: a reason is needed" in said.out
    assert "2 faults; nothing was changed." in said.err


def test_an_unknown_participant_and_a_missing_reason_are_refused(run: Run, enrolled: str) -> None:
    assert "there is no participant" in run("participant", "resume", "P-404", "--reason", "x").out
    assert run("participant", "resume", enrolled).status == 2


def test_everybody_is_moved_to_a_newer_version_after_a_look(run: Run, enrolled: str, tmp_path: Path) -> None:
    file = tmp_path / "newer.toml"
    text = (paths.protocols() / "demo.toml").read_text(encoding="utf-8")
    file.write_text(text.replace('target = "P1M"', 'target = "P30D"'), encoding="utf-8")
    assert run("study", "load", file).status == 0
    shown = run("study", "migrate", "--reason", "amendment 2", "--dry-run")
    assert (shown.status, "1 would be moved to version 2. Nothing was changed." in shown.out) == (0, True)
    done = run("study", "migrate", "--reason", "amendment 2", "--json").json
    assert [(one["participant"], [w["code"] for w in one["windows"]]) for one in done["migrated"]] == [
        # Late answers to W1 are taken until M1 opens.
        (enrolled, ["W1", "M1"])
    ]
    assert (
        run("study", "migrate", "--reason", "amendment 2", "--participant", enrolled, "--json").json["unchanged"] == 1
    )


def test_a_wrong_answer_is_taken_away_once_with_a_reason(run: Run, enrolled: str) -> None:
    wanted = ("participant", "clear", enrolled, "V0", "NRS-AVG", "--reason", "the wrong person")
    assert "missing again" in run(*wanted).out
    again = run(*wanted)
    assert again.status == 1
    assert "no answer is saved there" in again.out + again.err
