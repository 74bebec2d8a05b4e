"""Check the audit trail, seal by seal and row by row, wherever they are stored.

Somebody with the database and its keys can write another history that fits; only an anchor from outside shows that.
Every other change is found and named here.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from pro_service.core.problems import Problem, problem
from pro_service.core.trail import merkle
from pro_service.core.trail.seals import FIRST_PREVIOUS, MARK, Anchor, Header, Seal, covers

UNSEALED_AFTER = timedelta(minutes=10)
"""While the service runs, every row is sealed by this age."""

Kind: TypeAlias = Literal[
    "edited",
    "missing",
    "inserted",
    "reordered",
    "seal",
    "tail_cut",
    "rolled_back",
    "unsealed",
    "wrong_key",
    "trigger",
    "facts_differ",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written."""

    kind: Kind
    entity: str
    """Where it is: `audit_trail`, `audit_seals`, `participant`, `window`, `response`, `study`, `database`."""
    id: int | None
    participant: int | None
    """Row id of the participant it is about, where that is known."""
    problem: Problem


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the trail as it is stored now."""

    id: int
    leaf: bytes
    genuine: bool
    """Whether its HMAC fits what it says."""
    swapped_with: int | None
    """The id of another row whose HMAC does not fit, if this row's HMAC would fit under that id."""
    at: datetime
    participant: int | None


@dataclass(frozen=True, slots=True)
class Stored:
    """One seal as it is stored now."""

    seal: Seal
    hash: bytes
    genuine: bool
    """Whether its HMAC fits its hash."""


@dataclass(slots=True)
class Check:
    """A check that goes through the seals by number; keeps only the ids of about an hour in memory."""

    before: Header | None = None
    """The last seal that was checked."""
    covered: set[int] = field(default_factory=set)
    """Ids in the seals checked so far, from `settled` on."""
    wrong: int = 0
    """Rows whose HMAC does not fit."""
    rows: int = 0
    changed: set[int] = field(default_factory=set)
    """Participants whose facts the new rows may hold, in a check of what is new."""
    unclear_below: int = 0
    """Below this id a seal is missing or was changed, so a row without a seal need not have been put in later."""

    @property
    def settled(self) -> int:
        """Every row below this id has been compared with the seals."""
        return 0 if self.before is None else self.before.settled_below

    def seal(
        self, stored: Stored, rows: Mapping[int, Row], present: Iterable[int], newest_id: int
    ) -> Iterator[Finding]:
        """Check one seal.

        `rows`: those of its rows that still exist, by id. `present`: the ids of all rows from `settled` up to the
        id below which this seal says that all is settled. `newest_id`: the highest id in the trail.
        """
        broken = list(self._chain(stored))
        if broken:
            self.unclear_below = max(self.unclear_below, stored.seal.header.last_id + 1)
        yield from broken
        yield from self._rows(stored.seal, rows, newest_id)
        self.covered.update(stored.seal.ids)
        late = (row_id for row_id in present if row_id not in self.covered and row_id >= self.unclear_below)
        yield from (_in_trail("inserted", row_id, None) for row_id in late)
        settled = max(self.settled, stored.seal.header.settled_below)
        self.covered = {row_id for row_id in self.covered if row_id >= settled}
        self.before = stored.seal.header

    def after_the_last(self, rows: Iterable[Row], now: datetime, *, sealing: bool) -> Iterator[Finding]:
        """Check the rows that no seal covers yet. `sealing`: whether the service has been making seals lately."""
        late: list[Row] = []
        for row in rows:
            self.rows += 1
            yield from self._own(row)
            if sealing and now - row.at > UNSEALED_AFTER:
                late.append(row)
        if late:
            yield Finding(
                "unsealed",
                "audit_trail",
                late[0].id,
                late[0].participant,
                problem("trail_unsealed", count=len(late)),
            )

    def _chain(self, stored: Stored) -> Iterator[Finding]:
        header, before = stored.seal.header, self.before
        number, own = (0, FIRST_PREVIOUS) if before is None else (before.number, before.hash)
        faults = []
        if header.number != number + 1:
            faults.append("trail_seal_missing")
        elif header.previous != own:
            faults.append("trail_seal_loose")
        if header.hash != stored.hash or not stored.genuine:
            faults.append("trail_seal_rewritten")
        if header.covers != covers(stored.seal.ids, stored.seal.marks) or header.rows != len(stored.seal.ids):
            faults.append("trail_seal_ids")
        yield from (Finding("seal", "audit_seals", header.number, None, problem(code)) for code in faults)

    def _rows(self, seal: Seal, rows: Mapping[int, Row], newest_id: int) -> Iterator[Finding]:
        changed = False
        gone = [row_id for row_id in seal.ids if row_id not in rows]
        for place, row_id in enumerate(seal.ids):
            row = rows.get(row_id)
            if row is None:
                continue
            self.rows += 1
            own = list(self._own(row))
            if not own and row.leaf[:MARK] != seal.marks[MARK * place : MARK * place + MARK]:
                own = [_in_trail("edited", row_id, row.participant)]
            changed |= bool(own)
            yield from own
        cut = [row_id for row_id in gone if row_id > newest_id]
        if cut:
            yield Finding("tail_cut", "audit_trail", cut[0], None, problem("trail_tail_cut", count=len(cut)))
        yield from (_in_trail("missing", row_id, None) for row_id in gone if row_id <= newest_id)
        if not changed and not gone:
            found = merkle.root([rows[row_id].leaf for row_id in seal.ids])
            if found != seal.header.root:
                yield Finding("seal", "audit_seals", seal.header.number, None, problem("trail_seal_root"))

    def _own(self, row: Row) -> Iterator[Finding]:
        """Check what a row says against its own HMAC."""
        if row.genuine:
            return
        self.wrong += 1
        if row.swapped_with is None:
            yield _in_trail("edited", row.id, row.participant)
        else:
            found = problem("trail_reordered", other=row.swapped_with)
            yield Finding("reordered", "audit_trail", row.id, row.participant, found)


def against(kept: Anchor, header: Header | None) -> Iterator[Finding]:
    """Compare an anchor from outside with the seal of its number: it shows an older copy and a rewritten history."""
    if header is None:
        code = "trail_rolled_back"
    elif header.hash != kept.hash:
        code = "trail_rewritten"
    else:
        return
    yield Finding("rolled_back", "audit_seals", kept.number, None, problem(code))


def wrong_key(check: Check, findings: Collection[Finding]) -> tuple[Finding, ...] | None:
    """Return one finding in place of all others if not a single row fits the key; else None."""
    if check.rows and check.wrong == check.rows:
        return (
            Finding("wrong_key", "database", None, None, problem("trail_wrong_key", count=check.rows)),
            *(finding for finding in findings if finding.kind in {"trigger", "rolled_back"}),
        )
    return None


_CODES: Mapping[Literal["edited", "missing", "inserted"], str] = {
    "edited": "trail_edited",
    "missing": "trail_missing",
    "inserted": "trail_inserted",
}


def _in_trail(kind: Literal["edited", "missing", "inserted"], row_id: int, participant: int | None) -> Finding:
    return Finding(kind, "audit_trail", row_id, participant, problem(_CODES[kind]))
