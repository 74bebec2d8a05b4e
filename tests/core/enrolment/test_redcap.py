"""A REDCap export through a column mapping: which rows, which columns, which values, and what is refused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pro_service.core.enrolment.redcap import Found, read_rows
from pro_service.core.enrolment.redcap_mapping import Column, ColumnMapping, mapping_toml, parse
from pro_service.core.problem_words import BLINDING
from pro_service.core.problems import Problem, words
from pro_service.core.replies.folding import visible
from tests.core.enrolment import redcap as sample

ITEMS = ("NRS-AVG", "NRS-NOW")


def mapped(text: str = sample.MAPPING) -> ColumnMapping:
    found, faults = parse(text, ITEMS)
    assert found is not None, faults
    return found


def found_in(*rows: str, mapping: ColumnMapping | None = None, header: str = sample.HEADER) -> Found:
    found, faults = read_rows(sample.export(rows, header), mapping or mapped())
    assert found is not None, faults
    return found


def refused(data: bytes, mapping: ColumnMapping | None = None) -> str:
    found, faults = read_rows(data, mapping or mapped())
    assert found is None
    return said(faults)


def said(faults: tuple[Problem, ...]) -> str:
    return "\n".join(f"{fault.line} {fault.path}: {' → '.join(words(fault))}" for fault in faults)


def test_the_procedures_row_is_read_and_another_events_row_lends_its_columns() -> None:
    found = found_in(sample.screening(23), sample.procedure(23))
    assert [record.cells for record in found.records] == [
        {
            "participant": "P-023",
            "site": "IST",
            "procedure_date": "2026-03-02",
            "procedure_time": "09:30",
            "language": "tr",
            "messaging_consent": "2026-03-01",
            "phone": "+1 202 555 0123",
            "channel": "sms-link",
            "baseline_nrs_avg": "7",
        }
    ]
    assert (found.records[0].line, found.records[0].faults) == (3, ())


def test_what_is_left_out_is_said() -> None:
    rows = (sample.screening(1), sample.procedure(1), sample.repeated(1), sample.screening(2))
    found = found_in(*rows)
    assert (len(found.records), found.waiting, found.repeated) == (1, 1, 1)
    assert {"surname", "consent___2", "baseline_complete"} <= set(found.ignored)
    assert not {"mobile", "record_id", "redcap_event_name"} & set(found.ignored)


VISIT = "P-001,baseline_arm_1,,{},istanbul,,{},1,1,0,2026-03-01,{},7,2"
"""A row of a repeating event: its instance, the telephone, the procedure."""
BY_VISIT = sample.MAPPING.replace('event = "screening_arm_1"\n', "")


def contact(instance: str, phone: str) -> str:
    return f"P-001,screening_arm_1,,{instance},istanbul,,{phone},,,,,,,2"


def of_last(text: str) -> ColumnMapping:
    return mapped(f'instance = "last"\n{text}')


@pytest.mark.parametrize("instances", [("1", "2"), ("", "")], ids=["a repeating event", "the same row again"])
def test_rows_that_say_different_things_are_a_fault_and_the_number_is_not_said(instances: tuple[str, str]) -> None:
    rows = (contact(instances[0], "+1 202 555 0123"), contact(instances[1], "+1 202 555 0124"), sample.procedure(1))
    record = found_in(*rows).records[0]
    assert [(one.path, one.code, one.values["lines"]) for one in record.faults] == [("phone", "rows_differ", (2, 3))]
    assert "555" not in said(record.faults)


def test_the_newest_of_several_rows_is_taken_where_the_mapping_says_so() -> None:
    rows = (contact("10", "+1 202 555 0110"), contact("9", "+1 202 555 0109"), contact("11", ""), sample.procedure(1))
    below = sample.MAPPING.replace('"mobile"', '"mobile"\ninstance = "last"')
    for mapping in (of_last(sample.MAPPING), mapped(below)):
        record = found_in(*rows, mapping=mapping).records[0]
        assert (record.cells["phone"], record.faults) == ("+1 202 555 0110", ())


def test_rows_that_agree_are_one_however_a_telephone_is_spaced() -> None:
    rows = (contact("1", "+1 202 555 0123"), contact("2", "+12025550123"), contact("3", ""), sample.procedure(1))
    assert found_in(*rows).records[0].faults == ()


def test_a_procedure_in_a_repeating_event_is_one_participant() -> None:
    rows = [VISIT.format(n, f"+1 202 555 012{n}", f"2026-03-0{n + 1} 09:30") for n in (1, 2)]
    records = found_in(*rows, mapping=mapped(BY_VISIT)).records
    assert [[one.path for one in record.faults] for record in records] == [["procedure_date", "phone"]]
    (record,) = found_in(*rows, mapping=of_last(BY_VISIT)).records
    assert (record.cells["procedure_date"], record.cells["phone"]) == ("2026-03-03", "+1 202 555 0122")


def test_a_procedure_in_a_repeated_instrument_is_read() -> None:
    row = sample.procedure(1).replace("arm_1,,,", "arm_1,intervention_form,1,")
    assert found_in(sample.screening(1), row).records[0].cells["procedure_date"] == "2026-03-02"
    found = found_in(sample.screening(1), row, row.replace(",1,ist", ",2,ist").replace("03-02", "03-05"))
    assert [one.path for one in found.records[0].faults] == ["procedure_date"]


def test_the_same_row_twice_is_two_participants_of_one_code() -> None:
    assert len(found_in(sample.screening(1), sample.procedure(1), sample.procedure(1)).records) == 2


def test_codes_for_missing_data_are_named_and_count_as_empty_where_the_mapping_says_so() -> None:
    rows = (sample.screening(1).replace("+1 202 555 0101", "UNK"), sample.procedure(1, nrs="NASK"))
    record = found_in(*rows).records[0]
    assert [(one.path, one.code) for one in record.faults] == [
        ("phone", "missing_data_code"),
        ("baseline_nrs_avg", "missing_data_code"),
    ]
    record = found_in(*rows, mapping=mapped('empty = ["UNK", "NASK"]\n' + sample.MAPPING)).records[0]
    assert (record.cells["phone"], record.cells["baseline_nrs_avg"], record.faults) == ("", "", ())


@pytest.mark.parametrize("given, consent", [("Yes", "2026-03-01"), ("No", ""), ("", "")])
def test_a_yes_or_no_question_is_a_consent_where_the_mapping_says_what_a_yes_is(given: str, consent: str) -> None:
    row = sample.procedure(1).replace(",1,1,0,", f",1,{given},0,")
    text = sample.MAPPING.replace('when = "consent___1"', 'when = "consent___1"\nwhen_is = "Yes"')
    record = found_in(sample.screening(1), row, mapping=mapped(text)).records[0]
    assert (record.cells["messaging_consent"], record.faults) == (consent, ())


def test_signs_of_a_record_id_are_replaced_as_the_mapping_says() -> None:
    rows = [row.replace("P-001", "IST/A 001") for row in (sample.screening(1), sample.procedure(1))]
    text = sample.MAPPING.replace('"record_id"', '"record_id"\nreplace = { " " = "-", "/" = "-" }')
    record = found_in(*rows, mapping=mapped(text)).records[0]
    assert (record.cells["participant"], record.cells["phone"]) == ("IST-A-001", "+1 202 555 0101")


def test_what_belongs_to_another_column_is_a_fault_of_the_mapping() -> None:
    wrong = sample.MAPPING.replace('"mobile"', '"mobile"\nreplace = { a = "b" }\nwhen_is = "Yes"')
    assert "column.phone: `when_is` goes with" in said(parse(wrong, ITEMS)[1])
    assert "empty: is not a list" in said(parse(f'empty = "UNK"\n{sample.MAPPING}', ITEMS)[1])


def test_a_box_that_is_not_ticked_is_no_consent() -> None:
    assert found_in(sample.screening(1), sample.procedure(1, consent="0")).records[0].cells["messaging_consent"] == ""


def test_a_labelled_export_is_read_by_its_labels() -> None:
    header = "Record ID,Event Name,Procedure on,Consent (choice=by text),Consent given,Language"
    row = "P-001,Baseline (Arm 1: Everybody),02-03-2026,Checked,01-03-2026,Turkish"
    columns = {
        "participant": Column("Record ID"),
        "site": Column(always="IST"),
        "procedure_date": Column("Procedure on", format="DD-MM-YYYY"),
        "language": Column("Language", values={"Turkish": "tr"}),
        "messaging_consent": Column("Consent given", format="DD-MM-YYYY", when="Consent (choice=by text)"),
    }
    found = found_in(row, mapping=ColumnMapping(columns, "Baseline (Arm 1: Everybody)"), header=header)
    cells = found.records[0].cells
    assert (cells["procedure_date"], cells["messaging_consent"]) == ("2026-03-02", "2026-03-01")


@pytest.mark.parametrize(
    "row, column, fault",
    [
        (sample.procedure(1, lang="3"), "language", '"3" is not in the mapping\'s values'),
        (sample.procedure(1, consent="maybe"), "messaging_consent", "no checkbox"),
        (sample.procedure(1).replace("2026-03-01", ""), "messaging_consent", "is ticked, and consent_date is empty"),
        (sample.procedure(1, at="02.03.2026"), "procedure_date", "is not written as YYYY-MM-DD"),
    ],
)
def test_a_value_that_cannot_be_read_is_a_fault_of_its_row(row: str, column: str, fault: str) -> None:
    faults = found_in(sample.screening(1), row).records[0].faults
    assert [(one.path, one.line, fault in words(one)[0]) for one in faults] == [(column, 3, True)]


@pytest.mark.parametrize("column", ["arm", "Randomisation arm", "treatment___1", "group_assignment", "Çalışma kolu"])
def test_an_export_with_an_allocation_is_refused_whether_it_is_mapped_or_not(column: str) -> None:
    assert BLINDING in (told := refused(sample.export([f"{sample.procedure(1)},A"], f"{sample.HEADER},{column}")))
    assert "export again without it" in told
    assert BLINDING in said(parse(sample.MAPPING.replace('"lang"', f'"{column}"'), ITEMS)[1])


def test_an_event_chooses_rows_and_two_arms_are_refused() -> None:
    told = refused(sample.export([sample.procedure(1), sample.procedure(2).replace("arm_1", "arm_2")]))
    assert "2 arms" in told
    assert BLINDING in told
    kept = found_in(sample.screening(1), sample.procedure(1)).records[0]
    assert not any("arm_1" in value for value in kept.cells.values())


def test_every_column_and_event_that_is_not_there_is_said_at_once() -> None:
    header = sample.HEADER.replace("consent_date", "consent_on").replace("mobile", "telephone")
    told = refused(sample.export([sample.screening(1).replace("screening", "visit")], header))
    for part in ("consent_date: the mapping names", "mobile: the mapping names", "baseline_arm_1", "screening_arm_1"):
        assert part in told


def test_an_export_with_events_needs_to_know_which() -> None:
    told = refused(sample.export([sample.screening(1)]), replace(mapped(), event=""))
    assert 'event = "…"' in told
    assert "screening_arm_1" in told


def test_every_fault_of_a_mapping_is_said_at_once_with_its_line() -> None:
    told = said(
        parse('evnt = "x"\n[column.phone]\nvalues = { "1" = "2" }\n[column.sites]\nfrom = "a"\nformat = "YY"\n', ITEMS)[
            1
        ]
    )
    for part in (
        "1 evnt: unknown key",
        "column.participant: is missing",
        "column.procedure_date: is missing",
        "2 column.phone: needs one of",
        "3 column.phone.values: contact data",
        "4 column.sites: there is no such column",
        "6 column.sites.format: is not a format",
    ):
        assert part in told


def test_a_mapping_that_is_no_toml_is_refused() -> None:
    assert "not TOML" in said(parse("event = ", ITEMS)[1])


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.dictionaries(TEXTS, TEXTS), TEXTS.map(visible))
def test_a_mapping_that_is_written_down_is_read_back_the_same(values: dict[str, str], event: str) -> None:
    clean = {visible(theirs): visible(ours) for theirs, ours in values.items()}
    made = mapped()
    changed = {**made.columns, "language": replace(made.columns["language"], values=clean)}
    changed["phone"] = replace(changed["phone"], instance="last")
    changed["participant"] = replace(changed["participant"], replace={" ": "-", "/": ""})
    changed["messaging_consent"] = replace(changed["messaging_consent"], when_is="Yes")
    whole = ColumnMapping(changed, event, "last", ("UNK", "NASK"))
    assert parse(mapping_toml(whole), ITEMS) == (whole, ())


@given(st.binary() | st.text().map(str.encode) | st.text().map(lambda rest: f"{sample.HEADER}\n{rest}".encode()))
def test_arbitrary_bytes_are_read_or_refused_and_never_crash(data: bytes) -> None:
    found, faults = read_rows(data, mapped())
    assert (found is None) == bool(faults)
