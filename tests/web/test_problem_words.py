"""All that can go wrong is said in every language of the pages, and in that language only."""

import io
import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from string import Formatter

import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from pro_service.core.problem_words import CATALOGUE, DID_YOU_MEAN, SUBJECTS
from pro_service.core.problems import Problem, RejectedError, problem
from pro_service.runtime import Runtime
from pro_service.use_cases.enrolment import enrol
from pro_service.web.i18n import LANGUAGES, gettext
from pro_service.web.problems import words
from tests import support
from tests.core.enrolment.redcap import HEADER, MAPPING, export, procedure, screening
from tests.test_texts import turkish_catalogue

ENGLISH = re.compile(
    r"(?i)(?<![\w`’.-])(the|is|are|was|of|to|in|it|its|and|or|this|that|these|there|with|for|has|have|give|write|"
    r"take|choose|number|cell|column|line|file|must)(?![\w`-])(?! =)"
)
"""Words that an English sentence can hardly do without, and that stand in no Turkish one."""
QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|\[[^\]]*\]|\b(pro-service [a-z].*|(from|values|email|telephone) = .*)")
"""What is typed or found as it is, in any language."""
GIVEN = "ŞŞŞ"


def english(text: str) -> bool:
    return ENGLISH.search(QUOTED.sub("", text)) is not None


def blanks(pattern: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(pattern) if name}


def patterns(code: str) -> tuple[str, str]:
    """Return what a page says of this code: what is wrong, what to do."""
    entry = CATALOGUE[code]
    return entry.what, entry.on_page or entry.remedy


@pytest.fixture
def speaking(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


@pytest.mark.usefixtures("speaking")
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_problem_has_its_words_in_every_language(language: str) -> None:
    g.language = language
    for code in CATALOGUE:
        names = set[str]().union(*map(blanks, patterns(code)))
        said = words(problem(code, **dict.fromkeys(names, GIVEN)))
        assert all(said), code
        assert (GIVEN in "".join(said)) == bool(names), code
        assert language == "en" or not english(" ".join(said)), f"{code}: {said}"


def test_every_pattern_of_a_page_is_translated_and_keeps_its_blanks() -> None:
    known = turkish_catalogue()
    said = {text for code in CATALOGUE for text in patterns(code)} | {DID_YOU_MEAN}
    assert sorted(said - known) == []


@pytest.mark.usefixtures("speaking")
def test_a_translation_fills_the_blanks_of_the_english_words() -> None:
    g.language = "tr"
    for code in CATALOGUE:
        for text in patterns(code):
            assert blanks(gettext(text)) == blanks(text), code


# --- each fault of an import, on a Turkish page -----------------------------------------------------------------------

ENROL = "participant,site,procedure_date,language,messaging_consent"
PLAIN = "IST,2026-03-02,tr,"
"""Site, day, language, no consent: a row without a fault but for its code."""


def file(*rows: str, header: str = ENROL) -> bytes:
    return "\n".join((header, *rows)).encode()


def cell(column: str, *values: str) -> bytes:
    """Return a file whose rows differ in one column."""
    known = {"participant": "", "site": "IST", "procedure_date": "2026-03-02", "language": "tr"}
    names = list(dict.fromkeys((*ENROL.split(","), column)))
    rows = []
    for number, value in enumerate(values):
        cells = known | {"participant": f"P-{number:03}"} | {column: value}
        rows.append(",".join(cells.get(name, "") for name in names))
    return file(*rows, header=",".join(names))


def texted(*phones: str, channel: str = "") -> bytes:
    """Return a file of participants who agreed to texts."""
    rows = [f"P-{n:03},IST,2026-03-02,tr,2026-03-01,{phone},{channel}" for n, phone in enumerate(phones)]
    return file(*rows, header=f"{ENROL},phone,channel")


ROW = export([screening(1), procedure(1)])
FILES: dict[str, tuple[bytes, str]] = {
    "spreadsheet": (b"PK\x03\x04", ""),
    "utf16": (b"\xff\xfea", ""),
    "no_text": (b"a\x01", ""),
    "not_utf8": ("katılımcı".encode("cp1254"), ""),
    "empty_file": (b"\n", ""),
    "empty_first_line": (b"\na", ""),
    "quotes_in_first_line": (b'"participant', ""),
    "quotes": (file('"P-001', f"P-002,{PLAIN}"), ""),
    "not_csv": (b"<html></html>", ""),
    "names_further_down": (file("x", ENROL, header="Enrolment,,,,"), ""),
    "export_unmapped": (b"record_id,mobile\n", ""),
    "xml": (b'<?xml version="1.0"?><ODM/>', ""),
    "data_dictionary": (b'"Variable / Field Name","Form Name"\nrecord_id,a\n', MAPPING),
    "cell_too_long": (file("x" * 140_000), ""),
    "too_many_columns": (("x," * 1_000).encode(), ""),
    "cells_missing": (file("P-001"), ""),
    "cell_without_column": (file(f"P-001,{PLAIN},7"), ""),
    "column_twice": (file(header=f"{ENROL},phone,phone"), ""),
    "column_allocation": (file(header=f"{ENROL},arm"), ""),
    "column_unknown": (file(header=f"{ENROL},qqq,phon"), ""),
    "column_missing": (file(header="participant"), ""),
    "no_rows": (file(), ""),
    "code_empty": (file(f",{PLAIN}"), ""),
    "code_decimal": (cell("participant", "1.0"), ""),
    "cell_too_narrow": (cell("procedure_date", "#####"), ""),
    "cell_of_formula": (cell("site", "#NAME?"), ""),
    "not_a_code": (cell("participant", "Ayşe Y"), ""),
    "code_again": (file(f"P-001,{PLAIN}", f"p-001,{PLAIN}"), ""),
    "empty": (cell("site", ""), ""),
    "not_a_site": (cell("site", "ANK", "ISS"), ""),
    "not_your_site": (cell("site", "BER"), ""),
    "not_a_language": (cell("language", "xx"), ""),
    "not_a_channel": (cell("channel", "fax"), ""),
    "ladder_gap": (cell("channel", "sms-reply>"), ""),
    "ladder_only_calls": (cell("channel", "calls"), ""),
    "ladder_calls_not_last": (cell("channel", "calls>sms-reply"), ""),
    "ladder_medium_twice": (cell("channel", "sms-reply>sms-link"), ""),
    "date_empty": (cell("procedure_date", ""), ""),
    "date_ambiguous": (cell("procedure_date", "1.2.2026"), ""),
    "date_in_other_order": (cell("procedure_date", "24.02.2026"), ""),
    "date_as_number": (cell("procedure_date", "46077"), ""),
    "not_a_date": (cell("procedure_date", "x"), ""),
    "not_in_calendar": (cell("procedure_date", "2026-02-30"), ""),
    "not_of_a_study": (cell("procedure_date", "1926-02-03"), ""),
    "not_a_time": (cell("procedure_time", "25:00"), ""),
    "consent_in_future": (cell("messaging_consent", "2099-01-01"), ""),
    "consent_without_date": (cell("messaging_consent", "evet"), ""),
    "consent_refused": (cell("messaging_consent", "hayır"), ""),
    "consent_without_zone": (cell("messaging_consent", "2026-03-01T10:00"), ""),
    "consent_not_of_a_study": (cell("messaging_consent", "1926-03-01T10:00+03:00"), ""),
    "not_an_email": (cell("email", "x"), ""),
    "not_an_answer": (cell("baseline_nrs_avg", "11"), ""),
    "zone_of_machine": (cell("timezone", "localtime"), ""),
    "not_a_zone": (cell("timezone", "Qqqq/X", "Europe/Istanbull"), ""),
    "phone_cut_short": (texted("9.05E+11"), ""),
    "phone_decimal": (texted("905321234567.0"), ""),
    "phone_letter_o": (texted("O532 123 45 67"), ""),
    "phone_none": (cell("phone", "yok"), ""),
    "phone_several": (texted("0532 123 45 67 veya 0532 123 45 68"), ""),
    "phone_characters": (texted("0532 123 45 67 (eşi)"), ""),
    "not_a_phone": (texted("1"), ""),
    "phone_does_not_exist": (texted("+90 532 123 45"), ""),
    "phone_of_neighbour": (cell("phone", "+33 692 12 34 56"), ""),
    "phone_of_study": (cell("phone", "+1 202 555 0199"), ""),
    "phone_service": (texted("+90 800 123 45 67"), ""),
    "phone_0850": (texted("0850 123 45 67"), ""),
    "phone_444": (texted("444 1 234"), ""),
    "landline": (texted("+442079460958", channel="sms-link"), ""),
    "no_texts_to_landlines": (texted("+902121234567"), ""),
    "northern_cyprus": (texted("+905338123456"), ""),
    "no_answers": (texted("+905321234567", channel="sms-reply"), ""),
    "no_links": (texted("+905321234567", channel="sms-link"), ""),
    "no_answers_but": (texted("+212612345678", channel="sms-reply"), ""),
    "enrolled_elsewhere": (cell("participant", "P-BER"), ""),
    "enrolled_otherwise": (cell("participant", "P-IST").replace(b",tr,", b",en,"), ""),
    "enrolled_otherwise_for_good": (file(f"P-IST,{PLAIN},,5", header=f"{ENROL},phone,baseline_nrs_avg"), ""),
    "code_nearly_taken": (cell("participant", "p-ist"), ""),
    "export_empty": (b" ", MAPPING),
    "export_quotes": (b'"record_id', MAPPING),
    "export_allocation": (export([], f"{HEADER},rand_arm"), MAPPING),
    "code_names_arm": (cell("participant", "SHAM-9"), ""),
    "export_names_arm": (export([screening(1).replace("Demir", "Placebo 3"), procedure(1)]), MAPPING),
    "mapping_names_arm": (ROW, MAPPING.replace('"istanbul" =', '"Sham" =')),
    "export_arms": (export([procedure(1), procedure(2).replace("arm_1", "arm_2")]), MAPPING),
    "export_column_twice": (export([procedure(1)], f"{HEADER},lang"), MAPPING),
    "export_column_missing": (ROW, MAPPING.replace('"mobile"', '"mobil"').replace('"lang"', '"qqqqqq"')),
    "event_not_named": (ROW, MAPPING.replace('event = "baseline_arm_1"', "", 1)),
    "event_unknown": (ROW, MAPPING.replace("screening_arm_1", "other")),
    "no_events": (ROW.replace(b"redcap_event_name", b"other"), MAPPING),
    "no_checkbox": (ROW.replace(b",1,0,2026", b",x,0,2026"), MAPPING),
    "ticked_and_empty": (ROW.replace(b",1,0,2026-03-01", b",1,0,"), MAPPING),
    "value_not_mapped": (export([screening(1), procedure(1, lang="3")]), MAPPING),
    "missing_data_code": (export([screening(1).replace("+1 202 555 0101", "UNK"), procedure(1)]), MAPPING),
    "mapping_no_list": (ROW, f"empty = 1\n{MAPPING}"),
    "mapping_out_of_place": (ROW, MAPPING.replace('"mobile"', '"mobile"\nwhen_is = "1"')),
    "rows_differ": (export([screening(1), screening(2).replace("P-002", "P-001"), procedure(1)]), MAPPING),
    "date_not_as_mapped": (export([screening(1), procedure(1, at="2.3.2026")]), MAPPING),
    "mapping_not_toml": (ROW, "x"),
    "mapping_key_unknown": (ROW, f"evnt = 1\n{MAPPING}\nqqqq = 1"),
    "mapping_no_columns": (ROW, "column = 1"),
    "mapping_no_table": (ROW, "[column]\nsite = 1"),
    "mapping_no_values": (ROW, '[column.site]\nfrom = "a"\nvalues = 1'),
    "mapping_no_text": (ROW, "[column.site]\nfrom = 1"),
    "mapping_column_missing": (ROW, '[column.site]\nfrom = "a"'),
    "mapping_column_unknown": (ROW, f'{MAPPING}[column.qqqq]\nfrom = "a"\n[column.telephone]\nfrom = "a"'),
    "mapping_contact": (ROW, MAPPING.replace('"mobile"', '"mobile"\nvalues = { a = "b" }')),
    "mapping_format": (ROW, MAPPING.replace('"proc_datetime"', '"proc_datetime"\nformat = "YY"')),
    "mapping_instance": (ROW, f'instance = "first"\n{MAPPING}'),
    "mapping_one_origin": (ROW, MAPPING.replace('always = "sms-link"', "")),
    "mapping_same_for_all": (ROW, MAPPING.replace('from = "record_id"', 'always = "P-001"')),
    "mapping_allocation": (ROW, MAPPING.replace('"lang"', '"rand_arm"')),
}
"""For each fault a file and its mapping that has it."""
OF_AN_IMPORT = (
    "Files of participants",
    "REDCap exports and their column mapping",
    "Cells of a row, and fields that are read as cells",
    "Telephone numbers",
    "Rows against what is there already",
)
ELSEWHERE = {
    "no_file": "there is none: test_import_file",
    "too_large": "256 MB are not posted",
    "too_large_for_page": "test_import_file posts such a file",
    "not_the_file": "not a fault of a file: test_import_file",
    "mapping_values": "of the form in which columns are chosen",
    "not_to_withdraw_from": "of a change",
    "no_protocol": "of a study",
    "column_not_held_up": "of the page on which a column is let pass",
    "may_not_decide": "of the command that lets a column pass",
    "consent_of_dead_row": "of somebody who has died: test_contact_changes",
    "no_participant": "of commands",
    "kept_texts_unfit_for_card": "of a change",
    "texts_unfit_for_card": "the texts of the demonstration hold no address",
}
"""Faults that stand beside those of an import, and why no file here has them."""


@pytest.fixture
def office(rt: Runtime, client: FlaskClient, study_id: int) -> FlaskClient:
    """Return a browser in which a Turkish coordinator of one site is signed in; two are enrolled already."""
    support.enrolled(rt, study_id, "P-IST", date(2026, 3, 2), phone="")
    support.enrolled(rt, study_id, "P-BER", date(2026, 3, 2), site="BER", phone="")
    support.coordinator(rt, site="IST", language="tr")
    support.sign_in(client)
    return client


def listed(page: str) -> list[tuple[str, str]]:
    """Return what is wrong and what to do about it of each fault that a page lists."""
    rows = re.findall(r"<tr>\s*<th scope=\"row\".*?</tr>", page.partition("<main")[2], re.DOTALL)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]
    return [(unescape(one[-2]).strip(), unescape(one[-1]).strip()) for one in cells]


def test_every_fault_of_an_import_is_said_in_turkish(rt: Runtime, office: FlaskClient, study_id: int) -> None:
    csrf = support.csrf_of(office.get("/enrol/import").text)
    absent, foreign = list[str](), list[str]()
    for code, (data, mapping) in FILES.items():
        fields = {
            "csrf": csrf,
            "file": (io.BytesIO(data), "a.csv"),
            "mapping": (io.BytesIO(mapping.encode()), "a.toml"),
        }
        answer = office.post("/enrol/import", data=fields, content_type="multipart/form-data")
        said = listed(answer.text)
        assert (code, answer.status_code, bool(said)) == (code, 422, True)
        found = {fault.code for fault in faults_of(rt, study_id, data, mapping)}
        absent += [] if code in found else [f"{code}, but {found}"]
        foreign += [f"{code}: {text}" for pair in said for text in pair if english(text)]
    assert (absent, foreign) == ([], [])


def test_no_fault_of_an_import_is_left_out() -> None:
    subjects = [entries for subject, entries in SUBJECTS.items() if subject in OF_AN_IMPORT]
    every = {code for entries in subjects for code, entry in entries.items() if entry.severity == "refuse"}
    assert every - FILES.keys() == ELSEWHERE.keys()


def test_a_code_is_in_the_catalogue_once() -> None:
    assert len(CATALOGUE) == sum(map(len, SUBJECTS.values()))


def faults_of(rt: Runtime, study_id: int, data: bytes, mapping: str) -> tuple[Problem, ...]:
    """Return what importing this file as that coordinator finds."""
    try:
        read = enrol.mapping_of(rt, study_id, mapping.encode()) if mapping else None
        enrol.enrol_file(rt, support.SETUP, study_id, data, dry_run=True, sites=("IST",), mapping=read)
    except RejectedError as rejected:
        return rejected.faults
    return ()
