"""More than a hundred files as coordinators send them, each with what an import must say of it.

That is how many are enrolled, or the codes of what is wrong. Made by pattern from one seed: exports of REDCap, and
lists as spreadsheets with Turkish, German, French and American settings save them. Numbers are of ranges reserved for
fiction where a country has one. `python -m tests.import_files` prints what the import says of each file, in words.
"""

import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pro_service import paths
from pro_service.core.problems import Problem, RejectedError, words
from pro_service.runtime import Runtime, open_runtime
from pro_service.use_cases import study
from pro_service.use_cases.enrolment import enrol
from tests import support
from tests.peers import configuration, databases

COLUMNS = ("participant", "site", "procedure_date", "language", "messaging_consent", "phone", "channel")
RANDOM = random.Random(1)  # noqa: S311 -- invented people, the same each time
DAYS = [f"2026-02-{day}" for day in RANDOM.sample(range(16, 28), 8)]
"""Of the procedures, none of which can be read in two orders."""
AMERICANS = [f"+1202555{number:04}" for number in RANDOM.sample(range(110, 190), 8)]
AS_TEXT = "sms-reply"

SITES = """
[[site]]
code = "NYC"
name = "New York Demo Clinic"
zone = "America/New_York"
country = "US"
telephone = "+1 202 555 0197"
email = "demo@example.org"

[[site]]
code = "PAR"
name = "Paris Demo Clinic"
zone = "Europe/Paris"
country = "FR"
telephone = "+1 202 555 0196"
email = "demo@example.org"
"""


def protocol() -> str:
    """Return the demonstration's protocol, with a site in the United States and one in France."""
    demo = (paths.protocols() / "demo.toml").read_text(encoding="utf-8")
    before, words, after = demo.partition("[safety_words]")
    return f"{before}{SITES}\n{words}{after}"


@dataclass(frozen=True, slots=True)
class File:
    """One file and what is to be said of it."""

    name: str
    data: bytes
    says: int | frozenset[str]
    """How many would be enrolled, or the codes of what is wrong."""
    mapping: str = ""


def people(count: int = 8, **same: str) -> list[dict[str, str]]:
    """Return some Americans who agreed to texts; `same` holds for all of them."""
    return [
        {
            "participant": f"{number:03}",
            "site": "NYC",
            "procedure_date": DAYS[number - 1],
            "language": "en",
            "messaging_consent": "2026-02-15",
            "phone": AMERICANS[number - 1],
            "channel": AS_TEXT,
            **same,
        }
        for number in range(1, count + 1)
    ]


def written(
    rows: Iterable[dict[str, str]],
    sep: str = ",",
    *,
    encoding: str = "utf-8",
    end: str = "\r\n",
    columns: Sequence[str] = COLUMNS,
    before: Sequence[str] = (),
    after: Sequence[str] = (),
) -> bytes:
    """Return a list as a spreadsheet saves it: cells in quotes only where they must be."""

    def cell(text: str) -> str:
        return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(sign in text for sign in (sep, '"', "\n")) else text

    lines = [*before, sep.join(map(cell, columns))]
    lines += [sep.join(cell(row.get(name, "")) for name in columns) for row in rows]
    return "".join(line + end for line in (*lines, *after)).encode(encoding)


def changed(column: str, *values: str, **same: str) -> list[dict[str, str]]:
    """Return people who differ in one column."""
    return [one | {column: value} for one, value in zip(people(len(values), **same), values, strict=True)]


def says(*codes: str) -> frozenset[str]:
    return frozenset(codes)


# --- a list of our own, by the habits of spreadsheets -----------------------------------------------------------------


def habits() -> list[File]:
    """Separators, alphabets, ends of lines, and what stands above and below a list."""
    some, all_blank = people(), ";" * (len(COLUMNS) - 1)
    title = "DEMO – Enrolment list, February 2026"
    names = "Katılımcı;Merkez;İşlem;Dil;Onay;Telefon;Kanal"
    return [
        File("tr-TR, CSV UTF-8", written(some, ";", encoding="utf-8-sig"), 8),
        File("de-DE, CSV UTF-8", written(people(site="BER"), ";", encoding="utf-8-sig"), 8),
        File("fr-FR, CSV UTF-8", written(people(site="PAR"), ";", encoding="utf-8-sig"), 8),
        File("en-US, CSV UTF-8", written(some, encoding="utf-8-sig"), 8),
        File("plain CSV of a script", written(some, end="\n"), 8),
        File("old Macintosh line ends", written(some, end="\r"), 8),
        File("tabs", written(some, "\t"), 8),
        File("pipes", written(some, "|"), 8),
        File("carets", written(some, "^"), 8),
        File("sep= above it", written(some, ";", before=["sep=;"]), 8),
        File("sep= with a mark before it", written(some, ";", before=["sep=;"], encoding="utf-8-sig"), 8),
        File(
            "semicolons, and commas in quotes", written(changed("participant", "A,1", "A,2"), ";"), says("not_a_code")
        ),
        File("all in quotes", b'"' + written(some).replace(b",", b'","').replace(b"\r\n", b'"\r\n"')[:-1], 8),
        File("blank rows at the end", written(some, ";", after=[all_blank] * 40), 8),
        File("rows of blanks at the end", written(some, ";", after=[all_blank.replace(";", " ;\xa0")] * 3), 8),
        File("blank columns at the right", written(some, ";", columns=(*COLUMNS, "", "", "")), 8),
        File(
            "blank rows in the middle",
            written(some[:4], ";", after=[all_blank, ""]) + written(some[4:], ";").split(b"\r\n", 1)[1],
            8,
        ),
        File("a title above it", written(some, ";", before=[title + all_blank, all_blank]), says("names_further_down")),
        File(
            "merged heads above it",
            written(some, ";", before=["Person;;Procedure;;Contact;;"]),
            says("names_further_down"),
        ),
        File("blank row above it", written(some, ";", before=[all_blank]), says("names_further_down")),
        File("empty line above it", written(some, ";", before=[""]), says("empty_first_line")),
        File(
            "Turkish names of the columns",
            names.encode() + b"\r\n" + written(some, ";").split(b"\r\n", 1)[1],
            says("column_unknown", "column_missing"),
        ),
        File(
            "capitals and blanks in the names",
            written(some).replace(b"procedure_date", b" Procedure Date ").replace(b"phone", b"PHONE"),
            8,
        ),
        File("cp1254", written(some, ";", after=["Ağrı;;;;;;"], encoding="cp1254"), says("not_utf8")),
        File("cp1252", written(some, ";", after=["Schmerz über 7;;;;;;"], encoding="cp1252"), says("not_utf8")),
        File("cp1254 without a Turkish letter", written(some, ";", encoding="cp1254"), 8),
        File("Unicode text, little end first", written(some, "\t", encoding="utf-16"), says("utf16")),
        File("Unicode text, big end first", b"\xfe\xff" + written(some, "\t", encoding="utf-16-be"), says("utf16")),
        File("Unicode text without its mark", written(some, "\t", encoding="utf-16-le"), says("utf16")),
        File(
            "a comment with a line break",
            written([one | {"comment": "left\nleg"} for one in some], columns=(*COLUMNS, "comment")),
            says("column_unknown"),
        ),
        File(
            "a cell too many",
            written(some, after=["009,NYC,2026-02-17,en,2026-02-15,+12025550109,sms-reply,x"]),
            says("cell_without_column"),
        ),
        File("a cell too few", written(some, after=["009,NYC,2026-02-17,en"]), says("cells_missing")),
        File("a quote that does not end", written(some, after=['"009,NYC,2026-02-17,en,,,']), says("quotes")),
        File("names of columns alone", written([]), says("no_rows")),
        File("nothing in it", b"", says("empty_file")),
        File("separators alone", (all_blank + "\r\n").encode() * 5, says("empty_first_line")),
        File(
            "another sheet of the workbook",
            b"visit;weight;height\r\n1;81;179\r\n2;64;171\r\n",
            says("column_unknown", "column_missing"),
        ),
        File(
            "with the allocation",
            written([one | {"arm": "A"} for one in some], columns=(*COLUMNS, "arm")),
            says("column_allocation"),
        ),
        File("sites as numbers", written(people(site="1")), says("not_a_site")),
    ]


def no_csv() -> list[File]:
    """What is named .csv and is something else."""
    page = "<html><table><tr><td>participant</td></tr></table></html>"
    return [
        File("xlsx", b"PK\x03\x04\x14\0\x06\0\x08\0", says("spreadsheet")),
        File("xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16), says("spreadsheet")),
        File("a web page", page.encode(), says("not_csv")),
        File("a web page of a Turkish system", ("\n <!DOCTYPE html>\n" + page).encode(), says("not_csv")),
        File("PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", says("not_csv")),
        File("JSON of REDCap's interface", b'[{"record_id":"1","mobile":"+12025550101"}]', says("not_csv")),
        File("a letter", b"{\\rtf1\\ansi participant}", says("not_csv")),
        File("a project of REDCap", b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8" ?>\n<ODM/>', says("xml")),
        File("a data dictionary", DICTIONARY.encode("utf-8-sig"), says("data_dictionary")),
    ]


DICTIONARY = '"Variable / Field Name","Form Name","Section Header"\nrecord_id,baseline,\nmobile,baseline,\n'


# --- cells ------------------------------------------------------------------------------------------------------------


def days() -> list[File]:
    """Days as people and spreadsheets write them."""

    def of(name: str, *values: str, code: str | int) -> File:
        return File(
            f"days: {name}", written(changed("procedure_date", *values)), code if isinstance(code, int) else says(code)
        )

    return [
        of("German and Turkish", "24.02.2026", "17.02.2026", code="date_in_other_order"),
        of("French", "24/02/2026", code="date_in_other_order"),
        of("American", "2/24/2026", code="date_in_other_order"),
        of("of two digits", "24.02.26", code="date_ambiguous"),
        of("that are two days", "02.03.2026", code="date_ambiguous"),
        of("of a spreadsheet's count", "46077", code="date_as_number"),
        of("of its count, with the time", "46077,4375", code="date_as_number"),
        of("with a time behind", "2026-02-24 00:00:00", code="date_in_other_order"),
        of("in words", "24 Şub 2026", "24 févr. 2026", "Feb 24, 2026", code="not_a_date"),
        of("in a column too narrow", "########", code="cell_too_narrow"),
        of("not in the calendar", "2026-02-30", "30.02.2026", code="not_in_calendar"),
        of("of another century", "1926-02-24", code="not_of_a_study"),
        of("empty", "", code="date_empty"),
        of("with a blank behind", "2026-02-24\xa0", "\u200e2026-02-17", code=2),
    ]


def telephones() -> list[File]:
    """Telephones in national spellings, with what is copied along, and what spreadsheets make of them."""
    turkish = (
        "0532 123 45 67",
        "532 123 45 68",
        "0 (532) 123 45 69",
        "+90 532 123 45 70",
        "0090 532 123 45 71",
        "90 532 123 45 72",
        "0532.123.45.73",
        "+90 (532) 123-45-74",
    )
    german = ("0151 23456781", "+49 151 23456782", "0049 151 23456783", "+49 (0)151 23456784", "0151/23456785")
    french = ("06 12 34 56 71", "06.12.34.56.72", "+33 6 12 34 56 73", "06\u202f12\u202f34\u202f56\u202f74")
    american = ("(202) 555-0181", "202.555.0182", "1-202-555-0183", "202 555 0184", "\u202a+1 202-555-0185\u202c")
    hidden = ("+1 202\u200b555 0181", "\ufeff+12025550182", "+1\xa0202\xa0555\xa00183", "+1202\u20105550184")

    def of(name: str, values: Sequence[str], code: str | int, sep: str = ",", **same: str) -> File:
        data = written(changed("phone", *values, **same), sep)
        return File(f"telephones: {name}", data, code if isinstance(code, int) else says(code))

    called = {"messaging_consent": "", "channel": ""}
    return [
        of("Turkish", turkish, 8, site="IST", channel="sms-card", language="tr"),
        of("German", german, 5, site="BER"),
        of("French", french, 4, site="PAR"),
        of("American", american, 5),
        of("British, at a German site", ("+44 7400 123456", "+44 (0)7400 123457"), 2, site="BER"),
        of("with invisible signs", hidden, 4),
        of("as formulas", ('="+12025550181"', '="2025550182"'), 2),
        of("behind an apostrophe", ("'2025550181", "'+12025550182"), 2),
        of("without the zero", ("5321234567", "5321234568"), 2, site="IST", channel="sms-card"),
        of("cut short", ("9.05321E+11", "1,2025E+10"), "phone_cut_short", ";"),
        of("as decimals", ("905321234567.0", "12025550181,0"), "phone_decimal", ";"),
        of("two in one cell", ("202 555 0181 / 202 555 0182", "2025550183; 2025550184"), "phone_several"),
        of("with a name", ("202 555 0181 (wife)", "+1 202 555 0182 Maria"), "phone_characters"),
        of("with the letter O", ("2O2 555 0181", "O532 123 45 67"), "phone_letter_o"),
        of("a digit short", ("202 555 018", "+90 532 123 45 6"), "phone_does_not_exist"),
        of("none, in words", ("yok", "none", "-", "n/a", "keine", "aucun"), "phone_none", **called),
        of("a formula's fault", ("#NAME?", "#AD?", "#N/A", "#BEZUG!"), "cell_of_formula"),
        of("of Réunion, at a French site", ("0692 12 34 56", "06 39 01 23 45"), "phone_of_neighbour", site="PAR"),
        of("landlines, to be texted", ("0212 414 30 00",), "no_texts_to_landlines", site="IST", channel="sms-card"),
        of("landlines, to be called", ("0212 414 30 00", "0212 414 30 01"), 2, site="IST", **called),
        of("of the study itself", ("+1 202 555 0197", "(202) 555-0199"), "phone_of_study"),
        of("an emergency", ("911", "112"), "phone_does_not_exist"),
        of("of one family", ("202 555 0181", "+1 (202) 555-0181"), 2),
    ]


def others() -> list[File]:
    """Codes, consent, words and numbers in the other cells."""

    def of(name: str, column: str, values: Sequence[str], code: str | int, *more: str) -> File:
        columns = COLUMNS if column in COLUMNS else (*COLUMNS, column)
        data = written(changed(column, *values), columns=columns)
        return File(name, data, code if isinstance(code, int) else says(code, *more))

    return [
        of("codes with blanks", "participant", ("Site A 003", "IST/004", "P 5"), "not_a_code"),
        of("names for codes", "participant", ("Maria Q", "Ayşe Yılmaz"), "not_a_code"),
        of("codes with and without zeros", "participant", ("001", "1", "2"), "code_again"),
        of("codes as decimals", "participant", ("1.0", "2.0"), "code_decimal"),
        of("codes as formulas", "participant", ('="001"', '="002"'), 2),
        of("no code", "participant", ("", "002"), "code_empty"),
        of(
            "consent as yes",
            "messaging_consent",
            ("Yes", "evet", "ja", "oui", "1", "X", "TRUE"),
            "consent_without_date",
        ),
        of("consent as no", "messaging_consent", ("No", "hayır", "nein", "non", "0", "FALSE"), "consent_refused"),
        of("consent to come", "messaging_consent", ("2026-12-01",), "consent_in_future"),
        of("consent at a time", "messaging_consent", ("2026-02-15 10:30",), "consent_without_zone"),
        of("languages in words", "language", ("English", "İngilizce", "EN"), "not_a_language"),
        of("channels in words", "channel", ("SMS", "text"), "not_a_channel"),
        of("times with seconds", "procedure_time", ("14:30:00", "09:05:00", "9:05"), 3),
        of("times of other habits", "procedure_time", ("14.30", "2:30 PM", "0,604166"), "not_a_time"),
        of("scores as decimals", "baseline_nrs_avg", ("7", "11", "7,0", "seven"), "not_an_answer"),
        of("time zones of machines", "timezone", ("localtime", "Factory"), "zone_of_machine"),
        of("time zones in words", "timezone", ("GMT+3", "Istanbul"), "not_a_zone"),
    ]


# --- exports of REDCap ------------------------------------------------------------------------------------------------

RAW = """
{top}
[column.participant]
from = "record_id"
[column.site]
always = "NYC"
[column.procedure_date]
from = "proc_date"
{date}
[column.language]
always = "en"
[column.channel]
always = "sms-reply"
[column.phone]
from = "mobile"
{phone}
"""


def mapping(top: str = "", date: str = "", phone: str = "", more: str = "") -> str:
    """Return a mapping of the plain export below."""
    return RAW.format(top=top, date=date, phone=phone) + more


CONSENT = '[column.messaging_consent]\nfrom = "consent_date"\nwhen = "{box}"\n{more}\n'
LABELLED = (
    mapping()
    .replace('"record_id"', '"Record ID"')
    .replace('"proc_date"', '"Date of procedure (day, month, year)"')
    .replace('"mobile"', '"Mobile; of the participant"')
)


def plain_rows(count: int = 4) -> list[dict[str, str]]:
    return [
        {"record_id": str(number), "proc_date": DAYS[number - 1], "mobile": AMERICANS[number - 1]}
        for number in range(1, count + 1)
    ]


def exports() -> list[File]:
    """Raw and labelled exports, as they come and as spreadsheets saved them again."""
    head = ("record_id", "proc_date", "mobile")
    rows = plain_rows()

    def of(name: str, data: bytes, code: int | str, how: str = mapping(), *more: str) -> File:
        return File(f"REDCap: {name}", data, code if isinstance(code, int) else says(code, *more), how)

    def with_(column: str, *values: str) -> list[dict[str, str]]:
        return [row | {column: value} for row, value in zip(rows, values, strict=False)]

    labelled = [
        {
            "Record ID": row["record_id"],
            "Date of procedure (day, month, year)": row["proc_date"],
            "Mobile; of the participant": row["mobile"],
        }
        for row in rows
    ]
    consents = [
        row | {"consent___1": box, "consent_date": day}
        for row, box, day in zip(rows, "1010", ("2026-02-15", "") * 2, strict=True)
    ]
    german = [row | {"proc_date": ".".join(reversed(row["proc_date"].split("-")))} for row in rows]
    events = ("record_id", "redcap_event_name", "proc_date", "mobile")
    visits = [
        *(row | {"redcap_event_name": "visit_arm_1", "mobile": ""} for row in rows),
        *(row | {"redcap_event_name": "contact_arm_1", "proc_date": ""} for row in rows[:3]),
    ]
    by_event = mapping('event = "visit_arm_1"', phone='event = "contact_arm_1"')
    repeated = (*events, "redcap_repeat_instrument", "redcap_repeat_instance")
    twice = [*visits, visits[-1] | {"redcap_repeat_instance": "2", "mobile": AMERICANS[7]}]
    return [
        of("raw", written(rows, columns=head, encoding="utf-8-sig"), 4),
        of("raw, saved by a German spreadsheet", written(german, ";", columns=head), "date_not_as_mapped"),
        of(
            "the same, with its dates named",
            written(german, ";", columns=head),
            4,
            mapping(date='format = "DD.MM.YYYY"'),
        ),
        of("labelled, with separators in the labels", written(labelled, columns=tuple(labelled[0])), 4, LABELLED),
        of("labelled, with semicolons", written(labelled, ";", columns=tuple(labelled[0])), 4, LABELLED),
        of("labelled, read by a raw mapping", written(labelled, columns=tuple(labelled[0])), "export_column_missing"),
        of("without a mapping", written(visits, columns=events), "export_unmapped", ""),
        of("labelled, without a mapping", written(labelled, columns=tuple(labelled[0])), "export_unmapped", ""),
        of("missing-data codes", written(with_("mobile", "UNK", "NASK"), columns=head), "missing_data_code"),
        of(
            "missing-data codes, named",
            written(with_("mobile", "UNK", "NASK"), columns=head),
            2,
            mapping('empty = ["UNK", "NASK"]'),
        ),
        of(
            "a missing day",
            written(with_("proc_date", "NASK"), columns=head),
            "date_empty",
            mapping('empty = ["NASK"]'),
        ),
        of(
            "consent by checkbox",
            written(consents, columns=(*head, "consent___1", "consent_date")),
            4,
            mapping(more=CONSENT.format(box="consent___1", more="")),
        ),
        of(
            "a box ticked without its day",
            written([row | {"consent_date": ""} for row in consents], columns=(*head, "consent___1", "consent_date")),
            "ticked_and_empty",
            mapping(more=CONSENT.format(box="consent___1", more="")),
        ),
        of(
            "yes/no for a checkbox",
            written([row | {"agrees": "Yes"} for row in consents], columns=(*head, "agrees", "consent_date")),
            "no_checkbox",
            mapping(more=CONSENT.format(box="agrees", more="")),
        ),
        of(
            "yes/no, named",
            written(
                [row | {"agrees": word} for row, word in zip(consents, ("Yes", "No") * 2, strict=True)],
                columns=(*head, "agrees", "consent_date"),
            ),
            4,
            mapping(more=CONSENT.format(box="agrees", more='when_is = "Yes"')),
        ),
        of("record ids with blanks", written(with_("record_id", "Site A 003", "IST/004"), columns=head), "not_a_code"),
        of(
            "record ids with blanks, replaced",
            written(with_("record_id", "Site A 003", "IST/004"), columns=head),
            2,
            mapping().replace('from = "record_id"', 'from = "record_id"\nreplace = { " " = "-", "/" = "-" }'),
        ),
        of("events", written(visits, columns=events), 4, by_event),
        of("events, and the mapping names none", written(visits, columns=events), "event_not_named"),
        of(
            "an event that is not there",
            written(visits, columns=events),
            "event_unknown",
            by_event.replace("contact_arm_1", "kontakt_arm_1"),
        ),
        of("repeated events that differ", written(twice, columns=repeated), "rows_differ", by_event),
        of("repeated events, the last taken", written(twice, columns=repeated), 4, 'instance = "last"\n' + by_event),
        of(
            "two arms",
            written([*visits, visits[0] | {"record_id": "9", "redcap_event_name": "visit_arm_2"}], columns=events),
            "export_arms",
            by_event,
        ),
        of(
            "an allocation",
            written([row | {"rand_group": "1"} for row in rows], columns=(*head, "rand_group")),
            "export_allocation",
        ),
        of(
            "a field that only sounds like one",
            written(
                [row | {"survey_after_intervention_complete": "2"} for row in rows],
                columns=(*head, "survey_after_intervention_complete"),
            ),
            "export_allocation",
        ),
        of(
            "a label with a line break",
            written(rows, columns=head).replace(b"mobile", b'"Mobile\nof the participant"'),
            4,
            mapping().replace('"mobile"', '"Mobile of the participant"'),
        ),
        of(
            "a note with line breaks",
            written([row | {"note": 'left;\nright, "both"'} for row in rows], columns=(*head, "note")),
            4,
        ),
        of("a data dictionary", DICTIONARY.encode(), "data_dictionary"),
        of("a project", b'<?xml version="1.0"?><ODM/>', "xml"),
        of("saved as Unicode text", written(rows, "\t", columns=head, encoding="utf-16"), "utf16"),
        of("no records", written([], columns=head), "no_rows"),
    ]


def every() -> list[File]:
    """Return all of them."""
    return [*habits(), *no_csv(), *days(), *telephones(), *others(), *exports()]


def told(rt: Runtime, study_id: int, file: File) -> tuple[int | frozenset[str], tuple[Problem, ...]]:
    """Return what a dry run says of a file: how many would be enrolled with the warnings, or codes with the faults."""
    try:
        mapped = enrol.mapping_of(rt, study_id, file.mapping.encode()) if file.mapping else None
        done = enrol.enrol_file(rt, support.SETUP, study_id, file.data, dry_run=True, mapping=mapped)
    except RejectedError as rejected:
        return frozenset(fault.code for fault in rejected.faults), rejected.faults
    return done.enrolled, tuple(done.warnings)


def load(rt: Runtime) -> int:
    """Load the study that the files are about."""
    return study.load(rt, support.SETUP, protocol()).study.id


def main() -> None:
    """Print what each file is told, in words."""
    with TemporaryDirectory() as home, databases.SqliteDatabases(Path(home)).fresh() as url:
        settings = configuration.settings_for(url, Path(home))
        rt = support.with_clock(open_runtime(settings), support.SetClock(support.at("2026-03-02 15:00")))
        study_id = load(rt)
        for file in every():
            found, about = told(rt, study_id, file)
            said = f"{found} enrolled" if isinstance(found, int) else ", ".join(sorted(found))
            lines = [f"    line {one.line}, {one.path or '-'}: {' -> '.join(words(one))}" for one in about]
            sys.stdout.write("\n".join((f"{file.name}: {said}", *lines, "")))
        rt.close()


if __name__ == "__main__":
    main()
