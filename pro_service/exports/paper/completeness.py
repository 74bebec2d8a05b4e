"""`paper/completeness.csv`: per site, visit and mode, what was due and what came of it (CONSORT-PRO 13a and P12a).

Every row of `visits.csv` is counted by what it says of itself, so this file cannot differ from it. The rates are those
of `report compliance`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from operator import itemgetter
from typing import Any, NamedTuple

from pro_service.exports.tables import Cell, Code, Column, Table
from pro_service.exports.words import codes, column, word

ALL = "all"
"""In place of a site, a visit or a mode: all of them together."""
NAME = "completeness"
WHY = "why_"
"""Before the code of a missing reason, in the name of its column: `died` alone would say something else."""
OF_ALL_MODES = ("planned", "died_before", "withdrawn_before", "before_enrolment", "due")
RECEIVED = ("received", "received_in_window", "received_late", "partial", "declined")
"""What is known by mode: how that came which came."""
NOT_RECEIVED = ("missed", "left_during")
_RATES: Mapping[str, tuple[str, ...]] = {
    "rate_due": ("received_in_window",),
    "rate_any": ("received_in_window", "received_late"),
}
"""Rate -> the parts of what was due that it counts."""
_BEFORE = {"died": "died_before", "withdrawn": "withdrawn_before", "missed_before_enrolment": "before_enrolment"}
_CAME = {
    "completed_in_window": "received_in_window",
    "completed_late": "received_late",
    "partial": "partial",
    "declined": "declined",
}
_LEFT = frozenset({"died", "withdrawn"})
_PLACES = Decimal("0.0001")


class Visit(NamedTuple):
    """What a row of `visits.csv` says that is counted here."""

    site: str
    visit: str
    status: str
    due: int
    missing_reason: str | None
    mode: str | None


class Visits:
    """Counts rows of `visits.csv`. However many there are, it holds one number for each kind of row."""

    def __init__(self, columns: Sequence[str]) -> None:
        """Take the names of the columns, in the order of the cells that `add` gets."""
        self._parts: Any = itemgetter(*(columns.index(name) for name in Visit._fields))
        self._counts: Counter[tuple[Any, ...]] = Counter()

    def add(self, row: Sequence[Cell]) -> None:
        """Count one row."""
        self._counts[self._parts(row)] += 1

    def by_place(self) -> Mapping[tuple[str, str], Mapping[str, Counter[str]]]:
        """Return (site, visit) -> mode -> figure -> how many; site and mode may be `ALL`."""
        counted: dict[tuple[str, str], dict[str, Counter[str]]] = {}
        for parts, count in self._counts.items():
            row = Visit(*parts)
            for site in (ALL, row.site):
                at = counted.setdefault((site, row.visit), {ALL: Counter()})
                for figure in figures(row):
                    at[ALL][figure] += count
                    if figure in RECEIVED and row.mode is not None:
                        at.setdefault(row.mode, Counter())[figure] += count
        return counted


def figures(row: Visit) -> Iterator[str]:
    """Yield the figures in which a visit is counted: one that was due is in exactly one of the parts of `due`."""
    yield "planned"
    if not row.due:
        if row.status in _BEFORE:
            yield _BEFORE[row.status]
        return
    yield "due"
    if row.status in _CAME:
        yield "received"
        yield _CAME[row.status]
    else:
        yield "left_during" if row.status in _LEFT else "missed"
    if row.missing_reason is not None:
        yield WHY + row.missing_reason


def table(visits: Sequence[Code], sites: Sequence[Code]) -> Table:
    """Return the file's columns. `visits` and `sites`: those of the study, in their order."""
    counted = [
        *(_count(name, missing="of_one_mode") for name in OF_ALL_MODES),
        *(_count(name) for name in RECEIVED),
        *(_count(name, missing="of_one_mode") for name in NOT_RECEIVED),
    ]
    columns = (
        Column("site", "code", column(NAME, "site"), (_all("sites"), *sites)),
        Column("visit", "code", column(NAME, "visit"), tuple(visits)),
        Column("mode", "code", column(NAME, "mode"), (_all("modes"), *codes("mode"))),
        *counted,
        *(_reason(code) for code in codes("missing_reason")),
        *(_rate(name, parts) for name, parts in _RATES.items()),
    )
    return Table(NAME, word("tables", NAME), columns, ("site", "visit", "mode"), folder="paper")


def rows(visits: Visits, described: Table) -> Iterator[tuple[Cell, ...]]:
    """Yield the file's rows, by site, visit and mode in the order of their codes.

    Below the row of all modes stands one for each mode in which something came. KeyError for a site or a visit that
    `table` was not told of.
    """
    counted = visits.by_place()
    sites, points, modes = ([str(code.value) for code in one.codes] for one in described.columns[:3])
    if unknown := counted.keys() - {(site, visit) for site in sites for visit in points}:
        raise KeyError(min(unknown))
    for site in sites:
        for visit in points:
            at = counted.get((site, visit), {ALL: Counter()})
            for mode in modes:
                if mode in at:
                    yield site, visit, mode, *_cells(at[mode], whole=mode == ALL)


def _cells(found: Mapping[str, int], *, whole: bool) -> Iterator[Cell]:
    yield from (found.get(name, 0) if whole else None for name in OF_ALL_MODES)
    yield from (found.get(name, 0) for name in RECEIVED)
    why = (f"{WHY}{code.value}" for code in codes("missing_reason"))
    yield from (found.get(name, 0) if whole else None for name in (*NOT_RECEIVED, *why))
    for parts in _RATES.values():
        yield share(sum(found.get(part, 0) for part in parts), found.get("due", 0)) if whole else None


def share(part: int, due: int) -> Decimal | None:
    """Return a share with four places, half to even; None where nothing was due."""
    return (Decimal(part) / due).quantize(_PLACES, ROUND_HALF_EVEN) if due else None


def _all(of: str) -> Code:
    return Code(ALL, word("codes", "all", of))


def _count(name: str, missing: str = "") -> Column:
    empty = word("missing", missing) if missing else {}
    return Column(name, "integer", column(NAME, name), minimum=0, missing=empty, derived_from=("status", "due"))


def _reason(code: Code) -> Column:
    pattern = column(NAME, "why", reason="{reason}")
    labels = {language: said.format(reason=code.labels[language]) for language, said in pattern.items()}
    empty = word("missing", "of_one_mode")
    name = f"{WHY}{code.value}"
    return Column(name, "integer", labels, minimum=0, missing=empty, derived_from=("missing_reason", "due"))


def _rate(name: str, parts: Sequence[str]) -> Column:
    return Column(
        name,
        "decimal",
        column(NAME, name),
        minimum=0,
        maximum=1,
        missing=word("missing", "no_rate"),
        derived_from=(*parts, "due"),
        formula=f"({' + '.join(parts)}) / due",
    )
