"""Capital letters do not tell two participants apart: whoever types a code, or texts one, would get the wrong one."""

import pytest
from sqlalchemy import event, select

from pro_service import paths
from pro_service.core.problems import Problem, RejectedError, words
from pro_service.runtime import Runtime
from pro_service.store.participants import enrolment
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
def test_a_code_that_capitals_alone_tell_apart_is_refused_with_the_spelling_there(
    rt: Runtime, study_id: int, more: int
) -> None:
    imported(rt, study_id, *THERE)
    others = [f"N-{number}" for number in range(more)]
    found = refused(rt, study_id, "p-001", "Q-001", *others, "IST-X.9", "Ii", "P-001")
    assert [(fault.path, fault.line) for fault in found] == [
        ("participant", 2), *(("participant", more + line) for line in (4, 5, 6)),
    ]  # fmt: skip
    assert [words(fault)[0].partition(" (")[0] for fault in found[:3]] == [
        "p-001 is enrolled already as P-001",
        "IST-X.9 is enrolled already as Ist-x.9",
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
