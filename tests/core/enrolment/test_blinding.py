"""What may tell the allocation: names of columns, codes of participants, cells; and what only looks like it."""

import pytest

from pro_service.core.enrolment.blinding import code_may_tell, is_telling, may_tell
from pro_service.core.enrolment.redcap import read_rows
from tests.core.enrolment import redcap as sample
from tests.core.enrolment.test_redcap import found_in, mapped


@pytest.mark.parametrize("cell", ["SHAM-9", "Sham", "sham9", "PLACEBO_03", "IST-Plasebo-3", "verum", "sham injection"])
def test_a_cell_that_names_an_arm_is_telling(cell: str) -> None:
    assert is_telling(cell)


@pytest.mark.parametrize("cell", ["P-009", "Shamrock", "told of a sham knife", "Şam", "", "hasham@example.org"])
def test_other_cells_are_not(cell: str) -> None:
    assert not is_telling(cell)


@pytest.mark.parametrize("code", ["TRT-12", "AKTIF3", "KOL-B", "tx_1", "KOHORT-2", "CTRL-7"])
def test_a_code_may_tell(code: str) -> None:
    assert code_may_tell(code)
    assert not code_may_tell("IUC-001")


@pytest.mark.parametrize(
    "name", ["tx", "tx_no", "Blok", "blok2", "KOHORT", "İlaç", "ilac_kodu", "enjeksiyon", "Injection"]
)
def test_a_column_may_tell_by_its_name(name: str) -> None:
    assert may_tell(name)
    header = f"{sample.HEADER},{name}"
    found = found_in(f"{sample.screening(1)},1", f"{sample.procedure(1)},2", header=header)
    assert [(concern.code, concern.path) for concern in found.concerns] == [("export_may_tell", name)]
    assert name in found.ignored


@pytest.mark.parametrize("column", ["surname", "lang", "note"])
def test_an_export_of_which_a_cell_names_an_arm_is_refused_without_saying_whose(column: str) -> None:
    header = f"{sample.HEADER},note"
    told = [f"{sample.screening(1)},", f"{sample.procedure(1)},"]
    told[0] = {
        "surname": told[0].replace("Demir", "Sham-9"),
        "lang": told[0].replace("+1 202 555 0101,", "+1 202 555 0101,Placebo"),
        "note": f"{told[0]}verum",
    }[column]
    found, faults = read_rows(sample.export(told, header), mapped())
    assert found is None
    assert [(fault.code, fault.path, fault.line) for fault in faults] == [("export_names_arm", column, 1)]
    assert not {"Sham", "Placebo", "verum", "P-001"} & set(str(faults).split("'"))
