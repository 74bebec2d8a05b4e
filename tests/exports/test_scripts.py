"""The scripts of a data set: the one for Python reads it as it is; the others name every column, code and label."""

import importlib.util
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pro_service.exports import scripts
from pro_service.exports.formats.finished import instant, with_codes
from pro_service.exports.tables import Cell, Column
from tests.exports import sample


def read_module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("read", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_python(column: Column, cell: Cell) -> object:
    if cell is None:
        return None
    if column.kind == "instant":
        return instant(cell)
    return float(cell) if isinstance(cell, Decimal) else cell


def test_the_script_for_python_reads_values_types_and_labels(tmp_path: Path) -> None:
    import pandas as pd  # noqa: PLC0415 -- large, and of this test alone

    finished = sample.finished(tmp_path)
    scripts.write(finished, tmp_path)
    frames = read_module(tmp_path / "scripts" / "read.py").tables()
    for table, cells in sample.SET:
        frame = frames[table.name]

        def plain(column: Column, cell: Any) -> object:
            if pd.isna(cell):
                return None
            return str(cell.date()) if column.kind == "date" else cell

        found = [
            tuple(plain(*pair) for pair in zip(table.columns, row, strict=True))
            for row in frame.itertuples(index=False, name=None)
        ]
        assert found == [tuple(in_python(*pair) for pair in zip(table.columns, row, strict=True)) for row in cells]
        assert frame.attrs["label"] == table.labels["en"]
        assert frame.attrs["labels"] == {column.name: column.labels["en"] for column in table.columns}
    visits = frames["visits"]
    status = next(column for column in sample.VISITS.columns if column.name == "status")
    assert list(visits["status"].cat.categories) == [code.value for code in status.codes]
    assert visits.attrs["value_labels"]["nrs_avg"] == {0: "end 0", 1: "1", 2: "2", 3: "end 3"}
    assert str(visits["never_counted"].dtype) == "Int64"


@pytest.mark.parametrize("name", sorted(scripts.SCRIPTS))
def test_a_script_names_every_column_and_code_with_its_label(name: str, tmp_path: Path) -> None:
    text = scripts.SCRIPTS[name](sample.finished(tmp_path, "tr"))
    for table, _ in sample.SET:
        assert table.path in text
        for column in map(with_codes, table.columns):
            assert column.labels["tr"] in text
            assert [code for code in column.codes if code.labels["tr"].replace("'", "''") not in text] == []
    # To Stata that begins a comment, in a line that is one already, too.
    assert name != "read.do" or "/*" not in text
