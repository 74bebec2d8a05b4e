"""People are compared, not spellings: capital letters and leading zeros do not tell two participants apart.

Whoever types a code, or texts one, would get the wrong one; and a spreadsheet takes the zeros off.
"""

import pytest
from sqlalchemy import event, select

from pro_service import paths
from pro_service.core.enrolment.cells import alike
from pro_service.core.problems import Problem, RejectedError, words
from pro_service.runtime import Runtime
from pro_service.store.participants import cases, enrolment
from pro_service.store.schema import participants
from pro_service.use_cases import study
from pro_service.use_cases.enrolment import enrol
from tests import support

HEADER = "participant,site,procedure_date,language,messaging_consent"
THERE = ("P-001", "Ist-x.9", "iI")
MANY = enrolment.FEW
"""Rows of so many new codes with letters: the whole study is read instead of each spelling."""


def imported(rt: Runtime, study_id: int, *written: str) -> enrol.Enrolled:
    rows = [HEADER, *(f"{code},IST,2026-03-02,tr," for code in written)]
    return enrol.enrol_file(rt, support.SETUP, study_id, "\n".join(rows).encode())


def refused(rt: Runtime, study_id: int, *written: str) -> tuple[Problem, ...]:
    with pytest.raises(RejectedError) as error:
        imported(rt, study_id, *written)
    return error.value.faults


def enrolled(rt: Runtime) -> set[str]:
    with rt.sessions.reading() as session:
        return set(session.scalars(select(participants.c.code)))


@pytest.mark.parametrize("more", [0, MANY], ids=["few", "many"])
def test_a_code_that_capitals_or_zeros_alone_tell_apart_is_refused_with_the_spelling_there(
    rt: Runtime, study_id: int, more: int
) -> None:
    imported(rt, study_id, *THERE)
    others = [f"N-{number}" for number in range(more)]
    found = refused(rt, study_id, "p-001", "Q-001", *others, "IST-X.09", "Ii", "P-1")
    assert [(fault.path, fault.line) for fault in found] == [
        ("participant", 2), *(("participant", more + line) for line in (4, 5, 6)),
    ]  # fmt: skip
    assert [words(fault)[0].partition(" (")[0] for fault in found[:3]] == [
        "p-001 is enrolled already as P-001",
        "IST-X.09 is enrolled already as Ist-x.9",
        "Ii is enrolled already as iI",
    ]
    assert "the code of line 2 again" in words(found[3])[0]
    assert enrolled(rt) == set(THERE)


def test_the_same_spelling_changes_nothing_and_another_code_is_enrolled(rt: Runtime, study_id: int) -> None:
    imported(rt, study_id, *THERE)
    done = imported(rt, study_id, *THERE, "P-0011", "P-00", "Ist-x-9")
    assert (done.enrolled, done.unchanged) == (3, len(THERE))


def test_a_code_of_letters_alone_is_found_however_it_is_written(rt: Runtime, study_id: int) -> None:
    imported(rt, study_id, "LongerThanAnyListOfSpellings")
    assert "as LongerThan" in words(refused(rt, study_id, "longerThanAnyListOfSpellings")[0])[0]


def test_codes_without_their_zeros_are_the_same_people(rt: Runtime, study_id: int) -> None:
    imported(rt, study_id, "001", "002", "0", "TR-01-002")
    found = refused(rt, study_id, "1", "0002", "00", "TR-1-2", "tr-01-02", "10", "TR-10-2")
    assert [(fault.line, fault.code) for fault in found] == [
        *((line, "code_nearly_taken") for line in (2, 3, 4, 5)), (6, "code_again"),
    ]  # fmt: skip
    assert "formatted as text" in words(found[0])[1]


@pytest.mark.parametrize("code", ["1", "p-001", "TR-10-02", "0", "A0b00C1"])
def test_every_code_that_is_looked_for_is_like_the_one_given(code: str) -> None:
    found = list(enrolment._spellings(code))  # noqa: SLF001 -- what the database is asked is no part of any answer
    assert {alike(one) for one in found} == {alike(code)}
    assert {code, code.lower(), code.upper(), alike(code)} <= set(found)
    assert len(found) <= enrolment._how_many(code)  # noqa: SLF001


NAMED = f"{HEADER},phone"
THERE_BY_PHONE = "P-001,IST,2026-03-02,tr,2026-03-01,+12025550123"


def minded(
    rt: Runtime, study_id: int, *rows: str, sites: tuple[str, ...] | None = None
) -> list[tuple[int | None, str]]:
    data = "\n".join((NAMED, *rows)).encode()
    done = enrol.enrol_file(rt, support.SETUP, study_id, data, dry_run=True, sites=sites)
    assert "0123" not in "".join("".join(words(one)) for one in done.warnings)
    return [(one.line, one.code) for one in done.warnings if one.path == "phone"]


def test_the_dry_run_names_whose_telephone_site_and_day_are_somebodys_already(rt: Runtime, study_id: int) -> None:
    rows = [
        "Q-1,IST,2026-03-02,tr,2026-03-01,(202) 555-0123",
        "Q-2,BER,2026-03-02,en,2026-03-01,+12025550123",
        "Q-3,IST,2026-03-09,en,2026-03-01,+1 202 555 0123",
        "Q-4,IST,2026-03-02,tr,2026-03-01,+12025550177",
    ]
    rows[0] = rows[0].replace("(202)", "+1 202")
    enrol.enrol_file(rt, support.SETUP, study_id, f"{NAMED}\n{THERE_BY_PHONE}".encode())
    expected = [(2, "person_enrolled"), (3, "phone_enrolled"), (4, "phone_enrolled")]
    assert minded(rt, study_id, *rows) == expected
    assert minded(rt, study_id, THERE_BY_PHONE) == [], "who is enrolled is not told about themselves"


def test_the_dry_run_names_a_telephone_that_the_file_gives_twice(rt: Runtime, study_id: int) -> None:
    same, other_day = THERE_BY_PHONE.replace("P-001", "P-002"), "P-003,IST,2026-03-01,tr,2026-03-01,+1 202 555 01 23"
    assert minded(rt, study_id, THERE_BY_PHONE, same, other_day) == [(3, "person_again"), (4, "phone_again")]


def test_whose_telephone_it_is_elsewhere_is_not_told(rt: Runtime, study_id: int) -> None:
    enrol.enrol_file(rt, support.SETUP, study_id, f"{NAMED}\n{THERE_BY_PHONE}".encode())
    row = "Q-2,BER,2026-03-02,en,2026-03-01,+12025550123"
    assert minded(rt, study_id, row, sites=("BER",)) == []
    assert minded(rt, study_id, row, sites=("BER", "IST")) == [(2, "phone_enrolled")]


def test_a_code_is_found_however_it_was_copied(rt: Runtime, study_id: int) -> None:
    imported(rt, study_id, "P-001")
    assert imported(rt, study_id, "\u200bP-\u00ad００１\u200e").unchanged == 1
    with rt.sessions.reading() as session:
        assert cases.find(session, study_id, "\ufeffP-001\u202c") == cases.find(session, study_id, "P-001")
    row = dict(zip(HEADER.split(","), ("P-\u2060002", "IST", "2026-03-02\u200b", "tr", ""), strict=True))
    assert enrol.enrol_one(rt, support.SETUP, study_id, row).enrolled == 1
    assert enrolled(rt) == {"P-001", "P-002"}


def test_the_spelling_of_another_study_is_nobodys(rt: Runtime, study_id: int) -> None:
    imported(rt, study_id, "P-001")
    text = (paths.protocols() / "demo.toml").read_text(encoding="utf-8").replace('study = "DEMO"', 'study = "OTHER"')
    other = study.load(rt, support.SETUP, text).study.id
    assert imported(rt, other, "p-001").enrolled == 1


def test_an_import_reads_the_codes_of_a_study_once_and_none_for_known_rows(rt: Runtime, study_id: int) -> None:
    statements: list[str] = []
    event.listen(rt.sessions.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    many = [f"P-{number}" for number in range(2 * enrol.BATCH)]
    for known, asked in ((0, 1), (len(many), 0)):
        statements.clear()
        assert imported(rt, study_id, *many).unchanged == known
        assert len([text for text in statements if text.startswith("SELECT participants.code")]) == asked
