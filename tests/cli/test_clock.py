"""`clock` on the command line: why the clock is not believed, and a person's word that it is right."""

from pathlib import Path

from tests.cli.conftest import Run


def test_a_clock_that_is_not_believed_is_shown_with_what_to_do_and_accepted_with_a_reason(
    run: Run, study: str, now: Path
) -> None:
    assert study
    assert run("tick").status == 0
    assert run("clock", "show").out == "2026-03-02T12:00:00Z, believed.\n"
    now.write_text("2026-04-02T12:00:00Z", encoding="utf-8")
    assert "nothing was decided or sent: the clock is not believed: it is more than 14 days ahead" in run("tick").err
    shown = run("clock", "show").out
    assert shown.startswith("2026-04-02T12:00:00Z; the clock is not believed: it is more than 14 days ahead")
    assert "`pro-service clock accept --reason …`" in shown
    found = next(one for one in run("doctor", "--json").json if one["part"] == "clock")
    assert found["colour"] == "red"
    assert "nothing is decided or sent: the clock is not believed" in found["finding"]
    assert found["remedy"].startswith("look at it")
    refused = run("clock", "accept", "--reason", " ")
    assert (refused.status, "say in a few words why" in refused.out) == (1, True)
    accepted = run("clock", "accept", "--reason", "the building had no power")
    assert accepted.out == "Believed from now on: it is 2026-04-02T12:00:00Z.\n"
    assert run("clock", "show").out == "2026-04-02T12:00:00Z, believed.\n"
