"""The papers' tables: what was due and what came of it, counted from the rows of the analysis file alone."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import pytest

from pro_service.exports.data_tables import data_tables
from pro_service.exports.paper import completeness, flow
from pro_service.exports.tables import Cell, Code, Table
from tests.exports.made_set import SHAPE, row

TABLES = {table.name: table for table in data_tables(SHAPE)}
COLUMNS = [column.name for column in TABLES["visits"].columns]
VISITS = (Code("W1", {"en": "1 week"}), Code("M1", {"en": "1 month"}))
SITES = (Code("BER", {"en": "Berlin"}), Code("IST", {"en": "Istanbul"}))
WEEK = [
    # site, status, due, missing reason, mode
    ("IST", "completed_in_window", 1, None, "sms"),
    ("IST", "completed_in_window", 1, None, "telephone"),
    ("IST", "completed_late", 1, None, "sms"),
    ("IST", "partial", 1, "not_explained", "sms"),
    ("IST", "declined", 1, None, "telephone"),
    ("IST", "missed", 1, "too_ill", None),
    ("IST", "withdrawn", 1, None, None),
    ("IST", "withdrawn", 0, None, None),
    ("IST", "died", 0, None, None),
    ("IST", "missed_before_enrolment", 0, None, None),
    ("IST", "open", 0, None, None),
    ("IST", "completed_in_window", 0, None, "web"),
    ("BER", "missed", 1, "died", None),
]


def counted() -> completeness.Visits:
    visits = completeness.Visits(COLUMNS)
    for site, status, due, reason, mode in WEEK:
        cells: dict[str, Cell] = {"site": site, "status": status, "due": due, "missing_reason": reason, "mode": mode}
        visits.add(row(TABLES["visits"], visit="W1", **cells))
    return visits


def named(table: Table, rows: Iterator[Sequence[Cell]]) -> list[dict[str, Cell]]:
    names = [column.name for column in table.columns]
    return [dict(zip(names, cells, strict=True)) for cells in rows]


@pytest.fixture(scope="module")
def rows() -> dict[tuple[Cell, ...], dict[str, Cell]]:
    table = completeness.table(VISITS, SITES)
    found = named(table, completeness.rows(counted(), table))
    return {(one["site"], one["visit"], one["mode"]): one for one in found}


def test_a_row_is_there_for_every_site_and_visit_and_for_each_mode_in_which_something_came(
    rows: dict[tuple[Cell, ...], dict[str, Cell]],
) -> None:
    week = [(mode, site) for site, visit, mode in rows if visit == "W1"]
    of_ist = ["all", "sms", "telephone"]
    assert week == [(mode, "all") for mode in of_ist] + [("all", "BER")] + [(mode, "IST") for mode in of_ist]
    assert [(site, mode) for site, visit, mode in rows if visit == "M1"] == [(s, "all") for s in ("all", "BER", "IST")]


def test_what_was_due_is_the_sum_of_its_parts(rows: dict[tuple[Cell, ...], dict[str, Cell]]) -> None:
    one = rows["IST", "W1", "all"]
    assert (one["planned"], one["due"], one["received"]) == (12, 7, 5)
    parts = ("received_in_window", "received_late", "partial", "declined", "missed", "left_during")
    assert [one[part] for part in parts] == [2, 1, 1, 1, 1, 1]
    assert (one["died_before"], one["withdrawn_before"], one["before_enrolment"]) == (1, 1, 1)
    assert (one["rate_due"], one["rate_any"]) == (Decimal("0.2857"), Decimal("0.4286"))


def test_a_reason_is_counted_in_a_column_that_hides_no_other(rows: dict[tuple[Cell, ...], dict[str, Cell]]) -> None:
    said = {name: count for name, count in rows["all", "W1", "all"].items() if name.startswith("why_") and count}
    assert said == {"why_not_explained": 1, "why_too_ill": 1, "why_died": 1}
    assert rows["all", "W1", "all"]["died_before"] == 1


def test_by_mode_only_what_was_received_is_said(rows: dict[tuple[Cell, ...], dict[str, Cell]]) -> None:
    said = {name: count for name, count in rows["IST", "W1", "sms"].items() if count is not None}
    place = {"site": "IST", "visit": "W1", "mode": "sms"}
    came = {"received": 3, "received_in_window": 1, "received_late": 1, "partial": 1, "declined": 0}
    assert said == place | came


def test_where_nothing_was_due_there_is_no_rate(rows: dict[tuple[Cell, ...], dict[str, Cell]]) -> None:
    one = rows["BER", "M1", "all"]
    assert (one["planned"], one["due"], one["rate_due"], one["rate_any"]) == (0, 0, None, None)


def test_a_site_that_the_table_does_not_know_is_no_row_that_is_lost() -> None:
    table = completeness.table(VISITS, SITES[:1])
    with pytest.raises(KeyError, match="IST"):
        list(completeness.rows(counted(), table))


def test_a_flow_diagram_gets_all_its_boxes() -> None:
    people = flow.Participants([column.name for column in TABLES["participants"].columns])
    happened = "2026-03-02T06:00:00Z"
    for site, confirmed, cells in (
        ("IST", True, {}),
        ("IST", True, {"withdrawn_at": happened, "opted_out_at": happened}),
        ("BER", False, {"died_at": happened}),
    ):
        more: dict[str, Cell] = {"site": site, "erased": 0, **cells}
        people.add(row(TABLES["participants"], **more), confirmed=confirmed)
    table = flow.table(VISITS, SITES)
    found = named(table, flow.rows(people, counted(), table))
    assert len(found) == 3 * (len(flow.OF_PARTICIPANTS) + 2 * len(flow.OF_VISITS))
    boxes = {(one["site"], one["visit"], one["box"]): one["participants"] for one in found}
    assert [boxes["all", "all", box] for box in flow.OF_PARTICIPANTS] == [3, 2, 1, 1, 1, 0]
    assert [boxes["IST", "W1", box] for box in flow.OF_VISITS] == [12, 2, 1, 1, 1, 7, 5, 4, 1, 1]
    assert {boxes["IST", "M1", box] for box in flow.OF_VISITS} == {0}
