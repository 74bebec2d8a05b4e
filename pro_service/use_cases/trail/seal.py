"""Seal what is new in the audit trail, and log each seal's anchor, out of reach of the database."""

import importlib.metadata
from dataclasses import dataclass
from itertools import islice

from pro_service import logs
from pro_service.core.trail.seals import MOST_ROWS, Header, Seal, anchor_of
from pro_service.runtime import Runtime
from pro_service.store import bulk, seals
from pro_service.use_cases import trusted_time

BEAT = "seal"
"""The heartbeat of sealing. While it goes on, a row that waits too long for a seal is a finding."""


@dataclass(slots=True)
class SealReport:
    """What was sealed."""

    rows: int = 0
    seals: int = 0


def seal(rt: Runtime) -> SealReport:
    """Seal every row that no seal covers; none while the clock is not believed, because a seal says when it was made.

    The tree is built outside the writing transaction. If two processes seal at once, only one can write the next
    number; the other stops.
    """
    report = SealReport()
    if not trusted_time.is_believed(rt):
        return report
    while (made := _next(rt)) is not None:
        with rt.sessions.begin() as session:
            won = seals.add(session, made, rt.vault)
        if not won:
            break
        report.rows += made.header.rows
        report.seals += 1
        logs.event("audit.sealed", anchor=str(anchor_of(made.header)), rows=made.header.rows)
        if made.header.rows < MOST_ROWS:
            break
    trusted_time.beat(rt, BEAT)
    return report


def _next(rt: Runtime) -> Seal | None:
    """Return the next seal; None where there is nothing to seal."""
    now = rt.clock()
    with rt.sessions.reading() as session:
        before = seals.newest(session)
        settled = seals.settled_below(session, before, now)
        low = 0 if before is None else before.settled_below
        covered = seals.covered_since(session, before)
        open_ids = (row_id for row_id in seals.ids_between(session, low) if row_id not in covered)
        ids = list(islice(open_ids, MOST_ROWS + 1))
        if len(ids) > MOST_ROWS:
            # What is left for the next seal is not settled.
            settled = min(settled, ids.pop())
        if not ids and not _says_more(before, settled):
            return None
        return seals.build(
            seals.rows_of(session, ids),
            before,
            now,
            settled=settled,
            last_id=bulk.last_id(session.connection()),
            version=importlib.metadata.version("pro-service"),
        )


def _says_more(before: Header | None, settled: int) -> bool:
    """Whether a seal without rows says something new: that more ids are settled."""
    return before is not None and settled > before.settled_below
