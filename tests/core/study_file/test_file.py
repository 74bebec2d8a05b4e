"""The protocol file: every fault at once, in the place where it is, with its remedy."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pro_service.core.problems import Problem, words
from pro_service.core.protocol import Hours, Offset, Protocol
from pro_service.core.study_file.file import check
from pro_service.core.study_file.protocol_json import from_json, to_json
from pro_service.core.study_file.rules import contacts_missing
from pro_service.core.toml_faults import lines_by_path

FOLDER = Path(__file__).parents[3] / "pro_service" / "protocols"
GOOD = (FOLDER / "nct07326982.toml").read_text(encoding="utf-8")


def changed(*changes: tuple[str, str]) -> str:
    """The good file with some of its words replaced once each."""
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def faults_of(text: str) -> tuple[Problem, ...]:
    protocol, faults = check(text)
    assert (protocol is None) == bool(faults)
    return faults


def only_fault(text: str) -> Problem:
    faults = faults_of(text)
    assert len(faults) == 1, faults
    return faults[0]


def study(name: str) -> Protocol:
    protocol, faults = check((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    assert faults == ()
    assert protocol is not None
    return protocol


def test_the_first_study_is_read_as_its_protocol_says() -> None:
    protocol = study("nct07326982")
    assert [point.code for point in protocol.time_points] == ["V0", "V1H", "W1", "M1", "M3"]
    assert [point.planned_day for point in protocol.time_points] == [1, 1, 8, 31, 91]
    assert [(point.before, point.after) for point in protocol.time_points[2:]] == [(1, 3), (3, 7), (7, 14)]
    assert [len(point.steps) for point in protocol.time_points] == [0, 0, 3, 3, 4]
    assert [point.call_after for point in protocol.time_points[2:]] == [2, 4, 7]
    assert protocol.time_point("V1H").minutes == (60, 45, 90)
    assert protocol.time_point("M3").late == Offset(days=28)
    assert protocol.primary(protocol.time_point("W1")) == "NRS-AVG"
    assert not protocol.demo
    assert protocol.sites["IUC"].telephone == ""


def test_the_demonstration_differs_in_hours_sites_and_contacts() -> None:
    demo, real = study("demo"), study("nct07326982")
    assert demo.demo
    assert demo.contact_hours == Hours(start=real.contact_hours.start.replace(hour=0), end=demo.contact_hours.start)
    assert demo.time_points == real.time_points
    assert demo.items == real.items
    assert contacts_missing(demo) == ()


@pytest.mark.parametrize("name", ["demo", "nct07326982"])
def test_a_protocol_survives_being_stored(name: str) -> None:
    protocol = study(name)
    stored = to_json(protocol)
    assert from_json(stored) == protocol
    assert to_json(from_json(stored)) == stored
    assert not re.search(r'": |, "', stored)


def test_equal_protocols_are_stored_as_equal_texts() -> None:
    moved = changed(("starts = 2025-12-25\nends = 2026-06-22\n", "ends = 2026-06-22\nstarts = 2025-12-25\n"))
    protocol, _ = check(moved)
    assert protocol is not None
    assert to_json(protocol) == to_json(study("nct07326982"))


NAMES = GOOD[GOOD.index("name = { tr") : GOOD.index('zone = "Europe/Istanbul"')]


@pytest.mark.parametrize(
    "written, name, short",
    [
        ('name = "Klinik"', {"tr": "Klinik", "en": "Klinik"}, {"tr": "Klinik", "en": "Klinik"}),
        ('name = { tr = "Klinik", en = "Clinic" }', {"tr": "Klinik", "en": "Clinic"}, {"tr": "Klinik", "en": "Clinic"}),
        ('name = "Klinik"\nshort_name = "K"', {"tr": "Klinik", "en": "Klinik"}, {"tr": "K", "en": "K"}),
        (
            'name = "Klinik"\nshort_name = { tr = "K", en = "C" }',
            {"tr": "Klinik", "en": "Klinik"},
            {"tr": "K", "en": "C"},
        ),
    ],
)
def test_a_site_has_one_name_for_all_languages_or_one_for_each(
    written: str, name: dict[str, str], short: dict[str, str]
) -> None:
    text = changed((NAMES, f"{written}\n"))
    protocol, faults = check(text)
    assert protocol is not None, faults
    assert (protocol.sites["IUC"].name, protocol.sites["IUC"].short_name) == (name, short)
    assert from_json(to_json(protocol)) == protocol


@pytest.mark.parametrize(
    "written, path, fault",
    [
        ("name = 7", "site[0].name", "is not a text"),
        ('short_name = "K"', "site[0].name", "is missing"),
        ('name = ""', "site[0].name", "is empty"),
        ('name = "Klinik"\nshort_name = ""', "site[0].short_name", "is empty"),
        ('name = { tr = "Klinik" }', "site[0].name.en", "is missing"),
        ('name = "K"\nshort_name = { tr = "K", en = "C", de = "P" }', "site[0].short_name.de", 'unknown key "de"'),
    ],
)
def test_a_faulty_name_of_a_site_is_named(written: str, path: str, fault: str) -> None:
    found = only_fault(changed((NAMES, f"{written}\n")))
    assert (found.path, words(found)[0]) == (path, fault)


def test_a_protocol_without_names_in_languages_is_stored_as_by_earlier_releases() -> None:
    protocol, faults = check(changed((NAMES, 'name = "Clinic, Istanbul"\n')))
    assert protocol is not None, faults
    site = (
        '{"IUC":{"code":"IUC","country":"TR","email":"","name":"Clinic, Istanbul","telephone":"",'
        '"zone":"Europe/Istanbul"}}'
    )
    assert f'"sites":{site}' in to_json(protocol)
    assert from_json(to_json(protocol)) == protocol


def test_a_name_is_stored_by_language_only_where_languages_differ() -> None:
    protocol, faults = check(changed((NAMES, 'name = { tr = "K", en = "K" }\nshort_name = { tr = "k", en = "c" }\n')))
    assert protocol is not None, faults
    assert '"name":"K","short_name":{"en":"c","tr":"k"},' in to_json(protocol)


@pytest.mark.parametrize("part", ['"sites":', '"name":"K"'])
def test_a_stored_protocol_that_lacks_a_field_is_refused(part: str) -> None:
    stored = to_json(check(changed((NAMES, 'name = "K"\n')))[0] or study("demo"))
    at = stored.rindex(part)
    with pytest.raises(ValueError, match="is missing"):
        from_json(f"{stored[:at]}{part.replace('e', 'x')}{stored[at + len(part) :]}")


def test_a_stored_protocol_without_a_newer_field_takes_its_default() -> None:
    older = to_json(study("demo")).replace('"routes":[],', "")
    assert from_json(older) == study("demo")


@pytest.mark.parametrize("old, new", [('"demo":true', '"demo":"yes"'), ('"code":"E0"', '"code":"E9"')])
def test_a_stored_protocol_of_another_shape_is_refused(old: str, new: str) -> None:
    stored = to_json(study("demo"))
    assert old in stored
    with pytest.raises(ValueError, match="is not"):
        from_json(stored.replace(old, new, 1))


def test_a_site_without_a_contact_is_named_with_its_line() -> None:
    missing = contacts_missing(study("nct07326982"), GOOD)
    lines = GOOD.splitlines()
    assert [fault.path for fault in missing] == ["site[0].telephone", "site[0].email"]
    assert [lines[(fault.line or 0) - 1] for fault in missing] == ['telephone = ""', 'email = ""']


def test_every_fault_is_named_at_once_in_the_order_of_the_file() -> None:
    text = changed(
        ('study = "NCT07326982"', 'study = "nct 1"'),
        ('contact_hours = { from = "09:00"', 'contact_hours = { from = "21:00"'),
        ("maximum = 10\nprimary", "maximun = 10\nprimary"),
        ('tr = "şu anki ağrı puanı"\n', ""),
        ('items = ["NRS-AVG", "PGIC"]\ntarget = "P1W"', 'items = ["NRS-AVG", "PGIS"]\ntarget = "P1W"'),
        ('after = "P1D"\nat = "18:30"', 'after = "P1D"\nat = "25:30"'),
        ('zone = "Europe/Istanbul"', 'zone = "Europe/Istambul"'),
    )
    faults = faults_of(text)
    assert [fault.path for fault in faults] == [
        "study",
        "prompts.contact_hours",
        "item[0].maximum",
        "item[0].maximun",
        "item[1].short.tr",
        "time_point[2].items[1]",
        "time_point[2].reminder[0].at",
        "site[0].zone",
    ]
    lines = text.splitlines()
    named = {fault.path: lines[(fault.line or 0) - 1] for fault in faults}
    assert named["time_point[2].reminder[0].at"] == 'at = "25:30"'
    assert named["time_point[2].items[1]"] == 'items = ["NRS-AVG", "PGIS"]'
    assert named["item[1].short.tr"] == "[item.short]"
    assert named["item[0].maximun"] == "maximun = 10"
    remedies = {fault.path: words(fault)[1] for fault in faults}
    assert remedies["item[0].maximun"] == 'did you mean "maximum"?'
    assert remedies["time_point[2].items[1]"] == 'did you mean "PGIC"?'
    assert remedies["site[0].zone"] == 'did you mean "Europe/Istanbul"?'


def test_a_missing_table_is_one_fault_not_one_for_each_key() -> None:
    paths = [fault.path for fault in faults_of(changed(("[calls]", "[unheard]")))]
    assert sorted(paths) == ["calls", "unheard"]


def test_an_empty_file_names_all_that_is_missing() -> None:
    paths = {fault.path for fault in faults_of("")}
    assert {"study", "title", "languages", "prompts", "calls", "item", "time_point", "ladder", "site"} <= paths


@pytest.mark.parametrize(
    "text, line",
    [("study = \n", 1), ('a = 1\nb = "open\n', 2), ("a = 1\na = 2\n", 2), ('a = """\n\n', 3), ("a = 2026-02-30", 1)],
)
def test_what_is_not_toml_is_named_with_its_line(text: str, line: int) -> None:
    fault = only_fault(text)
    assert fault.line == line
    assert "not TOML" in words(fault)[0]


def test_a_byte_order_mark_does_no_harm() -> None:
    assert faults_of("\ufeff" + GOOD) == ()


@settings(deadline=None)
@given(st.data())
def test_a_damaged_file_gets_faults_and_never_an_exception(data: st.DataObject) -> None:
    lines = GOOD.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(lines) - 1))
        value = data.draw(
            st.sampled_from(["", "x = 1", "0", '""', "[]", "{}", "[[item]]", "[ladder]", "1e400", "true"])
        )
        key, equals, _ = lines[place].partition(" = ")
        lines[place] = f"{key} = {value}" if equals and data.draw(st.booleans()) else value
    protocol, faults = check("\n".join(lines))
    assert (protocol is None) == bool(faults)
    assert all(fault.line is None or 1 <= fault.line <= len(lines) + 1 for fault in faults)


def test_lines_are_found_for_tables_keys_and_dotted_keys() -> None:
    text = 'a.b = 1\n[[t]]\nx = """\ny = 2\n"""\n[[t.u]]\nk = [\n  1,\n]\n[[t]]\n[[t.u]]\n[[t.u]]\n"q" = { z = 1 }\n'
    assert lines_by_path(text) == {
        "a": 1,
        "a.b": 1,
        "t[0]": 2,
        "t[0].x": 3,
        "t[0].u[0]": 6,
        "t[0].u[0].k": 7,
        "t[1]": 10,
        "t[1].u[0]": 11,
        "t[1].u[1]": 12,
        "t[1].u[1].q": 13,
    }
