"""One fault at a time in a good protocol file: each is named in its place, with a remedy."""

from pathlib import Path

import pytest

from pro_service.core import problems
from pro_service.core.problems import Problem
from pro_service.core.study_file.file import check

GOOD = (Path(__file__).parents[3] / "pro_service" / "protocols" / "nct07326982.toml").read_text(encoding="utf-8")
STEP = 'invitation = { after = "P0D", at = "10:00" }'
CALL = 'after = "P2D"\nat = "09:00"'


def faults_of(below: str, old: str, new: str) -> tuple[Problem, ...]:
    """The faults of the good file with one thing changed below a line."""
    head, mark, tail = GOOD.partition(below) if below else ("", "", GOOD)
    assert old in tail
    protocol, faults = check(head + mark + tail.replace(old, new, 1))
    assert (protocol is None) == bool(faults)
    return faults


def below(code: str) -> str:
    return f'code = "{code}"'


@pytest.mark.parametrize(
    "code, old, new, path, words",
    [
        ("W1", 'last_day = "P3D"', 'last_day = "P3W"', "[3].first_day", "windows W1 and M1 overlap"),
        ("M1", '"-P3D"', '"-P19D"', "[3].first_day", "after a procedure on 20"),
        ("V0", 'last_day = "P0D"', 'last_day = "-P1D"', "[0].last_day", "backwards"),
        ("W1", 'first_day = "-P1D"', 'first_day = "P1D"', "[2].first_day", "target lies outside"),
        ("W1", 'target = "P1W"', 'target = "-P1W"', "[2].target", "W1 comes before V0"),
        ("M1", 'target = "P1M"', 'target = "P3D"', "[3].target", "comes before W1"),
        ("V1H", '"PT45M"', '"PT95M"', "[1].after_procedure", "backwards"),
        ("V1H", '"PT90M"', '"P9D"', "[1].after_procedure.to", "three days"),
        ("M3", '"P28D"', '"P7D"', "[4].late_until", "late answers"),
        ("V0", "planned_day = 1", "planned_day = 0", "[0].planned_day", "no study day 0"),
        ("V0", 'mode = "clinic"', 'mode = "clinik"', "[0].mode", "not known"),
    ],
)
def test_a_window_that_cannot_be_is_refused(code: str, old: str, new: str, path: str, words: str) -> None:
    (fault,) = faults_of(below(code), old, new)
    assert fault.path == f"time_point{path}"
    assert words in problems.words(fault)[0]


def test_a_code_is_used_once() -> None:
    (fault,) = faults_of(below("W1"), below("M1"), below("W1"))
    assert fault.path == "time_point[3].code"
    assert "taken by time_point[2]" in problems.words(fault)[0]


@pytest.mark.parametrize(
    "code, old, new, path, words",
    [
        ("M3", 'after = "P11D"', 'after = "P15D"', "[4].reminder[2].after", "after the window closed"),
        ("W1", 'after = "P0D"', 'after = "-P2D"', "[2].invitation.after", "before the window opens"),
        ("M3", 'after = "P11D"', 'after = "P14D"', "[4].reminder[2].at", "less than 6 hours"),
        ("W1", 'after = "P2D"', 'after = "P1D"', "[2].reminder[1].after", "not in order"),
        ("W1", CALL, CALL.replace("P2D", "P4D"), "[2].call.after", "not before close"),
        ("W1", CALL, CALL.replace("P2D", "P0D"), "[2].call.after", "not after the invitation"),
        ("W1", STEP, "", "[2].invitation", "missing"),
        ("W1", f"[time_point.call]{'':11}# a", "[time_point.called] # a", "[2].called", "unknown key"),
        (
            "M3",
            'after = "P11D"',
            'after = "P9D"\nat = "12:00"\n[[time_point.reminder]]\nafter = "P11D"',
            "[4].reminder[3]",
            "many",
        ),
        ("V0", "planned_day = 1", f"planned_day = 1\n{STEP}", "[0].invitation", "clinic"),
        ("V0", "planned_day = 1", "planned_day = 1\ncall = { after = 'P0D' }", "[0].call", "clinic"),
    ],
)
def test_a_prompt_or_call_out_of_place_is_refused(code: str, old: str, new: str, path: str, words: str) -> None:
    faults = {fault.path: fault for fault in faults_of(below(code), old, new)}
    assert words in problems.words(faults[f"time_point{path}"])[0]


@pytest.mark.parametrize(
    "item, old, new, path, words",
    [
        ("NRS-AVG", "primary = true", "primary = false", "item", "no item is primary"),
        ("PGIC", "minimum = 1", "minimum = 1\nprimary = true", "item[2].primary", "a second primary"),
        ("NRS-NOW", "minimum = 0", "minimum = 12", "item[1].maximum", "backwards"),
        ("NRS-NOW", "maximum = 10", "maximum = 1000", "item[1].maximum", "out of range"),
        ("NRS-NOW", "maximum = 10", 'maximum = "ten"', "item[1].maximum", "not a whole number"),
        ("NRS-NOW", "maximum = 10", "maximum = true", "item[1].maximum", "not a whole number"),
        ("PGIC", '    "değişmedi",\n', "", "item[2].choices.tr", "6 choices for 7 values"),
        ("PGIC", '"much worse"', '"no change"', "item[2].choices.en[5]", "twice"),
        ("NRS-AVG", "review_at = 8", "review_at = 11", "item[0].review_at", "not a value"),
        ("NRS-AVG", "review_rise = 2", "review_rise = 11", "item[0].review_rise", "cannot happen"),
        ("PGIC", 'tr = "genel durum"', 'tr = " "', "item[2].short.tr", "empty"),
        ("PGIC", 'tr = "genel durum"\n', "", "item[2].short.tr", "missing"),
        ("NRS-AVG", "[item.low]", '[item.low]\nde = "kein Schmerz"', "item[0].low.de", "unknown key"),
    ],
)
def test_an_item_that_cannot_be_asked_is_refused(item: str, old: str, new: str, path: str, words: str) -> None:
    (fault,) = faults_of(f'id = "{item}"', old, new)
    assert fault.path == path
    assert words in problems.words(fault)[0]
    assert fault.line


def test_an_item_is_there_once() -> None:
    faults = {
        fault.path: problems.words(fault)[0]
        for fault in faults_of('id = "NRS-AVG"', 'id = "NRS-NOW"', 'id = "NRS-AVG"')
    }
    assert "twice" in faults["item[1].id"]
    assert "unknown item" in faults["time_point[0].items[1]"]


def test_every_message_window_asks_the_primary_item() -> None:
    (fault,) = faults_of(below("W1"), '["NRS-AVG", "PGIC"]', '["PGIC"]')
    assert (fault.path, problems.words(fault)[1]) == ("time_point[2].items", 'add "NRS-AVG"')


@pytest.mark.parametrize(
    "old, new, path, words",
    [
        ('next = "E2"', 'next = "E7"', "ladder.E0.next", "not known"),
        (
            "due_working_days = 0\n\n[ladder.E3]",
            "due_working_days = 0\nnext = 'E2'\n\n[ladder.E3]",
            "ladder.E2.next",
            "back",
        ),
        ('roles = ["coordinator"]', 'roles = ["coordinater"]', "ladder.E0.roles[0]", "not a role"),
        ('roles = ["coordinator"]', 'roles = ["assessor"]', "ladder.E0.roles[0]", "no list of tasks"),
        ('roles = ["coordinator"]', "roles = []", "ladder.E0.roles", "empty"),
        ("due_hours = 2", "due_hours = 2\ndue_working_days = 1", "ladder.ES", "one deadline"),
        ("due_hours = 2", "", "ladder.ES", "one deadline"),
        ("[ladder.E4]", "[ladder.E5]", "ladder.E5", "unknown key"),
        ("[ladder.E4]", "[ladder.E5]", "ladder.E4", "missing"),
    ],
)
def test_a_ladder_with_a_loose_rung_is_refused(old: str, new: str, path: str, words: str) -> None:
    assert any(fault.path == path and words in problems.words(fault)[0] for fault in faults_of("[ladder.E0]", old, new))


@pytest.mark.parametrize(
    "old, new, path, words",
    [
        ('country = "TR"', 'country = "TU"', "site[0].country", "no country"),
        ('country = "TR"', 'country = "tr"', "site[0].country", "no country"),
        ('"Europe/Istanbul"', '"../../etc/passwd"', "site[0].zone", "no time zone"),
        ('"Europe/Istanbul"', '"Europe"', "site[0].zone", "no time zone"),
        ('"Europe/Istanbul"', '"localtime"', "site[0].zone", "not the time zone of a place"),
        ('"Europe/Istanbul"', '"Factory"', "site[0].zone", "not the time zone of a place"),
        ('telephone = ""', 'telephone = "0212 555 01 99"', "site[0].telephone", "not an international"),
        ('email = ""', 'email = "study"', "site[0].email", "not an e-mail"),
        ("[safety_words]", '[[route]]\ncountry = "XX"\nchannel = "sms-reply"\nreason = "r"\n[safety_words]',
         "route[0].country", "no country"),
    ],
)  # fmt: skip
def test_a_place_that_does_not_exist_is_refused(old: str, new: str, path: str, words: str) -> None:
    (fault,) = faults_of("[[site]]", old, new)
    assert fault.path == path
    assert words in problems.words(fault)[0]


@pytest.mark.parametrize(
    "old, new, path, words",
    [
        ("ends = 2026-06-22", "ends = 2024-06-22", "ends", "before it starts"),
        ("ends = 2026-06-22", 'ends = "2026-06-31"', "ends", "not a date"),
        ('"PT24H"', '"24 hours"', "prompts.useful_for", "is not an ISO 8601 duration"),
        ('"PT24H"', '"-PT24H"', "prompts.useful_for", "is negative"),
        ('to = "20:00"', 'to = "08:00"', "prompts.contact_hours", "end before they begin"),
        ('to = "20:00"', 'to = "25:00"', "prompts.contact_hours.to", "not a time of day"),
        ('first_day = "-P1D"', 'first_day = "-P1M"', "time_point[2].first_day", "no fixed length"),
        ("planned_participants = 42", "planned_participants = 0", "planned_participants", "out of range"),
        ('["tr", "en"]', '["tr", "en", "english"]', "languages[2]", "not a language code"),
        ('["tr", "en"]', '["tr", "en", "de"]', "safety_words.de", "is missing"),
        ('["tr", "en"]', '["tr", "en", "de"]', "time_point[4].label.de", "is missing"),
    ],
)
def test_a_value_that_cannot_be_is_refused(old: str, new: str, path: str, words: str) -> None:
    faults = {fault.path: fault for fault in faults_of("", old, new)}
    assert words in problems.words(faults[path])[0]
    assert all(problems.words(fault)[1] for fault in faults.values())


def test_midnight_ends_a_day_of_contact_hours() -> None:
    assert faults_of("", 'to = "20:00"', 'to = "24:00"') == ()
    assert faults_of("", 'from = "09:00", to = "20:00"', 'from = "00:00", to = "24:00"') == ()
