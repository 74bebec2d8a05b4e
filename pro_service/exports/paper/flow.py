"""`paper/flow.csv`: the boxes of a CONSORT flow diagram, with what CONSORT-PRO asks to be made clear for each visit.

A row is one box of one site: of the participants (visit `all`), or of a visit. Never by treatment: no allocation is
here.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from pro_service.exports.paper.completeness import ALL, Visits
from pro_service.exports.tables import Cell, Code, Column, Table
from pro_service.exports.words import codes, column, word

NAME = "flow"
OF_PARTICIPANTS = ("enrolled", "procedure_confirmed", "opted_out", "withdrawn", "died", "erased")
OF_VISITS = (
    *("planned", "not_yet_due", "before_enrolment", "withdrawn_before", "died_before"),
    *("expected", "received", "available", "missed", "left_during"),
)


class Participants:
    """Counts rows of `participants.csv`."""

    def __init__(self, columns: Sequence[str]) -> None:
        """Take the names of the columns, in the order of the cells that `add` gets."""
        names = ("site", "opted_out_at", "withdrawn_at", "died_at", "erased")
        self._parts: Any = itemgetter(*(columns.index(name) for name in names))
        self.boxes: Counter[tuple[str, str]] = Counter()
        """(site, box) -> how many; the site may be `ALL`."""

    def add(self, row: Sequence[Cell], *, confirmed: bool) -> None:
        """Count one participant; `confirmed`: somebody has said that the procedure took place."""
        own, opted_out, withdrawn, died, erased = self._parts(row)
        happened = (True, confirmed, opted_out is not None, withdrawn is not None, died is not None, erased == 1)
        for box, true in zip(OF_PARTICIPANTS, happened, strict=True):
            for site in (ALL, own) if true else ():
                self.boxes[site, box] += 1


def table(visits: Sequence[Code], sites: Sequence[Code]) -> Table:
    """Return the file's columns. `visits` and `sites`: those of the study, in their order."""
    columns = (
        Column("site", "code", column(NAME, "site"), (Code(ALL, word("codes", "all", "sites")), *sites)),
        Column("visit", "code", column(NAME, "visit"), (Code(ALL, word("codes", "all", "participants")), *visits)),
        Column("box", "code", column(NAME, "box"), codes("box")),
        Column("participants", "integer", column(NAME, "participants"), minimum=0),
    )
    return Table(NAME, word("tables", NAME), columns, ("site", "visit", "box"), folder="paper")


def rows(participants: Participants, visits: Visits, described: Table) -> Iterator[tuple[Cell, ...]]:
    """Yield the file's rows, in the order of their codes; every box is there, also where nobody is in it."""
    counted = visits.by_place()
    sites, points = ([str(code.value) for code in one.codes] for one in described.columns[:2])
    for site in sites:
        yield from ((site, ALL, box, participants.boxes[site, box]) for box in OF_PARTICIPANTS)
        for visit in points:
            if visit != ALL:
                found = counted.get((site, visit), {}).get(ALL, Counter())
                yield from ((site, visit, box, count) for box, count in _of_visit(found).items())


def _of_visit(found: Mapping[str, int]) -> dict[str, int]:
    """Return the boxes of one visit from its figures of completeness."""
    boxes = {name: found.get(name, 0) for name in OF_VISITS}
    boxes["expected"] = found.get("due", 0)
    known = (boxes[name] for name in ("expected", "before_enrolment", "withdrawn_before", "died_before"))
    boxes["not_yet_due"] = boxes["planned"] - sum(known)
    boxes["available"] = boxes["received"] - found.get("declined", 0)
    return boxes
