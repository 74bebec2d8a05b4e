"""No word of the allocation anywhere: not in a page, a text, a study, a table, an address, nor a name in the code."""

import ast
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest

from pro_service import paths
from pro_service.core.enrolment.blinding import check_blinding, is_allocation, spoken
from pro_service.core.study_file.file import check
from pro_service.runtime import open_runtime
from pro_service.settings import Settings
from pro_service.store.schema import metadata
from pro_service.web.app import create_app

ROOT = Path(__file__).resolve().parents[1]
READ = (".html", ".txt", ".po", ".toml", ".css", ".js", ".svg")
ALLOWED: dict[str, str] = {
    "grouped": "the digits of a telephone number, some at a time",
    "optgroup": "an element of HTML: choices under a heading",
    "treatment": "that it was revealed is noted; what it is, never",
    "treatments": "the log of those notes",
    "tedavi": "the same in Turkish",
    "tedaviyi": "the same in Turkish",
    "tedavinin": "the same in Turkish",
    "tedavisini": "the same in Turkish",
    "tedaviler": "the same in Turkish",
    "allocation": "the report of a rehearsal says that there is none",
    "rastgele": "the same in Turkish",
    "kontrol": "to check, in Turkish",
    "random": "the report of a rehearsal: the seed that people are invented from",
    "group": "a colour group of the report's stylesheet",
    "groups": "the outcomes of a call, a few under each heading",
    "rx": "the radius of a rounded corner in SVG",
    "arm": "REDCap's own word for a sequence of events, where a file of its is read",
    "arms": "the refusal of an export of several",
    "grubudur": "the same in Turkish",
    "grubu": "what is stored nowhere, in Turkish: tedavi grubu",
    "grubuna": "the same",
    "grubunda": "the same",
    "grubunu": "the same",
    "grubundan": "the same",
    "rastgelelik": "the number that invented people are made from, in Turkish",
    "gruplar": "how the signs of a card code stand together, in Turkish",
    "tedaviye": "the outcomes say that nothing is shown by it, in Turkish",
    "unblinding": "a data set's README says when the list that is kept elsewhere is put beside it",
    "unblind": "what is typed may; the investigator is told so",
    "kol": "the Turkish catalogue's word that the rates are shown without",
}
"""Word → why it stands in something that people read. Each new one needs a reason."""
NAMES: dict[str, str] = {
    "random": "the standard library's, for invented people and waiting times",
    "urandom": "the operating system's, for keys",
    "group": "click's, for commands; a match's",
    "groups": "a match's; files of a rehearsal's people",
    "groupdict": "a match's",
    "groupby": "itertools'",
    "group_by": "SQL's",
    "is_allocation": "the refusal itself",
    "allocations": "columns that are refused",
    "looks_like_allocation": "the refusal itself",
    "arm": "of an event in a REDCap export, which is refused where there are several",
    "arms": "the same",
    "grouped": "rows of one record brought together",
    "unblinding": "what whoever assesses never sees",
}
"""Name in the code → why."""
CODE = sorted((ROOT / "pro_service").rglob("*.py"))


def words(text: str) -> set[str]:
    return {word.casefold() for word in re.findall(r"[^\W\d_]+", text) if is_allocation(word)}


def names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.alias(name=name):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.keyword(arg=str(name)):
                yield name
            case _:
                pass


def test_nothing_that_people_read_speaks_of_it() -> None:
    files = [file for part in (paths.templates(), paths.protocols()) for file in part.rglob("*") if file.suffix in READ]
    found = {word: file.name for file in files for word in words(file.read_text(encoding="utf-8"))}
    assert len(files) > 150
    assert {word: where for word, where in found.items() if word not in ALLOWED} == {}
    assert set(ALLOWED) - set(found) == set(), "a reason for a word that nobody writes any more"


def test_no_name_in_the_code_is_one_of_it() -> None:
    found = {
        name: file.name
        for file in CODE
        for name in names(ast.parse(file.read_text(encoding="utf-8")))
        if any(is_allocation(part) for part in name.split("_"))
    }
    assert {name: where for name, where in found.items() if name.strip("_").casefold() not in NAMES} == {}


def test_no_table_and_no_column_is_one_of_it() -> None:
    stored = [name for table in metadata.sorted_tables for name in (table.name, *table.columns.keys())]
    assert [name for name in stored if is_allocation(name)] == []


def test_no_address_is_one_of_it(settings: Settings) -> None:
    rt = open_runtime(settings)
    app = create_app(rt)
    rules = [(rule.rule, rule.endpoint, *rule.arguments) for rule in app.url_map.iter_rules()]
    app.extensions["intake"].close()
    rt.close()
    assert [said for rule in rules for said in rule if is_allocation(said)] == []


@pytest.mark.parametrize(
    "text, word",
    [
        ("You are in the treatment group.", "treatment group"),
        ("Kontrol grubundasınız.", "kontrol grubundasiniz"),
        ("PLASEBO aldınız", "plasebo"),
        ("a sham injection", "sham"),
        ("You were randomised on 3 March.", "randomised"),
        ("Does your arm hurt since the treatment?", None),
        ("Kol ağrınız tedaviden sonra nasıl?", None),
        ("", None),
    ],
)
def test_a_text_may_speak_of_an_arm_that_hurts_and_not_of_one_of_the_study(text: str, word: str | None) -> None:
    found = spoken(text)
    assert found == (None if word is None else found)
    assert (found is None) == (word is None)


def test_a_study_that_speaks_of_it_is_refused_with_every_place() -> None:
    protocol, faults = check((paths.protocols() / "demo.toml").read_text(encoding="utf-8"))
    assert protocol is not None, faults
    frames = {"en": {"thanks": "Thanks, placebo group."}, "tr": {"thanks": "Teşekkürler."}}
    assert [fault.path for fault in check_blinding(protocol, frames)] == ["en/thanks.txt"]
    points = list(deepcopy(protocol.time_points))
    points[0] = replace(points[0], label={"en": "control arm", "tr": "kontrol kolu"})
    changed = replace(protocol, time_points=tuple(points))
    places = [fault.path for fault in check_blinding(changed, {})]
    assert places == [f"time_point.{points[0].code}.label.en", f"time_point.{points[0].code}.label.tr"]
