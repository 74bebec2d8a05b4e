"""Whatever goes wrong is in the catalogue, with all that its words have blanks for; and all of the catalogue can."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter
from typing import NamedTuple, get_args

import pro_service
from pro_service.core.problem_words import CATALOGUE, DID_YOU_MEAN
from pro_service.core.problems import Column, Country, problem, words
from pro_service.core.trusted_time import Doubt
from pro_service.store.unavailable import Cause
from pro_service.use_cases.participants.contact_test import Refusal

NOTED = {
    **dict.fromkeys(("problem", "CellError", "DurationError", "BehindError", "TestDatabaseError"), 0),
    **dict.fromkeys(("WrongKeyError", "ClockError"), 0),
    **dict.fromkeys(("self.fault", "table.fault", "level.fault", "root.fault", "faults.add"), 1),
}
"""What notes a problem -> which of its arguments is the code."""
ADDED = {
    "no_duration": {"given", "example"},
    "duration_of_hours": {"given", "example"},
    "duration_of_months": {"given", "example"},
    "duration_too_long": {"given", "example"},
    "duration_negative": {"given", "example"},
}
"""What the reader of a table adds to a code that comes from below."""


class Code(NamedTuple):
    """What the tests ask of the code, which is parsed once."""

    noted: list[tuple[str, ast.Call, list[str]]]
    """Where a problem is noted, the call, and the codes it names."""
    texts: set[str]


@cache
def code() -> Code:
    """Return what stands in the code beside the catalogue."""
    found = Code([], set())
    for file in Path(pro_service.__file__).parent.rglob("*.py"):
        if file.name == "problem_words.py":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.texts.add(node.value)
            if isinstance(node, ast.Call) and (place := NOTED.get(ast.unparse(node.func))) is not None:
                chosen = [part for arg in node.args[place : place + 1] for part in _branches(arg)]
                found.noted.append((f"{file.name}:{node.lineno}", node, chosen))
    return found


def _branches(arg: ast.expr) -> Iterator[str]:
    match arg:
        case ast.Constant(value=str(code)):
            yield code
        case ast.IfExp(body=body, orelse=other):
            yield from _branches(body)
            yield from _branches(other)
        case _:
            pass


def blanks(code: str) -> set[str]:
    entry = CATALOGUE[code]
    texts = (entry.what, entry.remedy, entry.on_page)
    return {name for text in texts for _, name, _, _ in Formatter().parse(text) if name}


def test_no_problem_is_noted_that_the_catalogue_does_not_know() -> None:
    found = code().noted
    assert len(found) > 200
    assert [f"{where} {code}" for where, _, codes in found for code in codes if code not in CATALOGUE] == []


def test_whoever_notes_a_problem_fills_every_blank_of_its_words() -> None:
    empty = []
    for where, call, codes in code().noted:
        given = {keyword.arg for keyword in call.keywords}
        if None not in given:
            empty += [f"{where} {code}" for code in codes if blanks(code) - given - ADDED.get(code, set())]
    assert empty == []


def test_every_problem_of_the_catalogue_can_come_about() -> None:
    texts = (
        code().texts
        | {f"database_{cause}" for cause in get_args(Cause)}
        | {f"reach_{code}" for code in get_args(Refusal)}
    )
    texts |= {f"clock_{doubt}" for doubt in get_args(Doubt)}
    assert sorted(CATALOGUE.keys() - texts) == []


def test_a_word_that_is_nearly_a_known_one_is_asked_about() -> None:
    found = problem("not_a_site", "site", 2, given='"ITS"', near="IST", known=("IST", "BER"))
    assert words(found) == ('"ITS" is not a site of this study', DID_YOU_MEAN.format(near="IST"))
    far = problem("not_a_site", "site", 2, given='"X"', near=None, known=("IST", "BER"))
    assert words(far)[1] == "one of: IST, BER"


def test_a_value_is_shown_as_its_reader_says_it() -> None:
    found = problem("enrolled_otherwise", code="P-001", column=Column("phone"), command="phone P-001")
    assert words(found, show=lambda value: str(value).upper(), on_page=True)[0].endswith("with another PHONE")
    assert "in Turkey" in words(problem("no_links", provider="twilio", country=Country("TR", "Turkey")))[0]


def test_a_problem_is_the_same_wherever_it_is_put() -> None:
    found = problem("quotes", "", 3)
    assert (found.at("x", 4).code, found.at("x", 4).line, found.severity) == ("quotes", 4, "refuse")
    assert hash(found) == hash(problem("quotes", "", 3))
