"""Items are columns of the data set: what SAS, Stata, SPSS or R cannot take as a name is refused."""

from dataclasses import replace

import pytest

from pro_service.exports.data_tables import name_faults
from tests.core.world import DEMO


@pytest.mark.parametrize(
    "name, code",
    [
        ("PAIN", None),
        ("INTEGER", None),
        ("WITH", "item_no_column"),
        ("STR12", "item_no_column"),
        ("NEXT", "item_no_column"),
        ("3D", "item_no_column"),
        ("P" * 18, "item_no_column"),
        ("SITE", "item_column_taken"),
    ],
)
def test_an_item_whose_name_cannot_be_a_column_is_refused(name: str, code: str | None) -> None:
    first, *others = DEMO.items.values()
    protocol = replace(DEMO, items={name: replace(first, id=name), **{item.id: item for item in others}})
    assert [fault.code for fault in name_faults(protocol)] == ([code] if code else [])
