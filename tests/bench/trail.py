"""H9: the audit trail is sealed and checked, beside reading its rows and hashing them by hand."""

import hashlib
import hmac
import resource
import time
from collections.abc import Iterator

from sqlalchemy import select

from pro_service.core.case import WindowFacts
from pro_service.core.commands import Record
from pro_service.runtime import Runtime
from pro_service.store.schema import participants
from pro_service.use_cases import study
from pro_service.use_cases.enrolment.enrol import enrol_file
from pro_service.use_cases.trail.seal import seal
from pro_service.use_cases.trail.verify import verify
from pro_service.use_cases.transaction import transaction
from tests.bench.enrolment import file_of
from tests.bench.places import ACTOR, NOW, STUDY, Kind, Places, check
from tests.bench.rounds import LIMIT, OURS, Line, Plan, line
from tests.bench.stories import Story

ROWS_OF_ONE = 10
"""Rows of the trail for each participant of the plan."""
ANSWERS = 3
"""How many of these are answers."""
BATCH = 500
MEGABYTE = 1024


def measure(places: Places, plan: Plan, kind: Kind, stories: tuple[Story, ...]) -> Iterator[Line]:
    """For each length of the trail, how long a row takes to be sealed, and to be checked with everything else."""
    del stories
    found: dict[str, list[Line]] = {"H9 seal": [], "H9 verify": []}
    for size in (people * ROWS_OF_ONE for people in plan.sizes):
        rounds = [_round(places, kind, size) for _ in range(plan.rounds)]
        for place, (name, lines) in enumerate(found.items()):
            times = {OURS: [one[place] for one in rounds], LIMIT: [one[2] for one in rounds]}
            lines.append(line(name, kind, size, "/s", times, **{"MB grown": max(one[3] for one in rounds)}))
    for lines in found.values():
        yield from lines


def _round(places: Places, kind: Kind, size: int) -> tuple[float, float, float, float]:
    """Return seconds a row: sealed, checked, hashed by hand; and by how much the memory grew."""
    with places.runtime(kind) as rt:
        _write(rt, size)
        before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
        rows = seal(rt).rows
        sealed = time.perf_counter()
        found = verify(rt)
        checked = time.perf_counter()
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / MEGABYTE
        check(rows >= size, "not every row was sealed")
        check(found.verified_rows == rows, "not every row was checked")
        check(not found.findings, "an untouched trail was faulted")
        by_hand = time.perf_counter()
        _hash(rt)
        took = time.perf_counter() - by_hand
    return (sealed - began) / rows, (checked - sealed) / rows, took / rows, grown


def _write(rt: Runtime, size: int) -> None:
    """Write so many rows: of each participant the enrolment, answers, and what became of texts."""
    study_id = study.chosen(rt, STUDY).id
    enrol_file(rt, ACTOR, study_id, file_of(size // ROWS_OF_ONE))
    with rt.sessions.reading() as session:
        ids = session.scalars(select(participants.c.id).order_by(participants.c.id)).all()
    for first in range(0, len(ids), BATCH):
        with transaction(rt, ACTOR, NOW) as tx:
            for loaded in rt.loader.load(tx.session, ids[first : first + BATCH]):
                tx.carry_out(loaded, [_answer(window) for window in loaded.case.current[1 : 1 + ANSWERS]])
                for _ in range(ROWS_OF_ONE - 1 - ANSWERS):
                    tx.writer.note(loaded, "receipt", "message", None, {"state": ("sent", "delivered")})


def _answer(window: WindowFacts) -> Record:
    return Record(window.id, window.point.items[0], 4, declined=False, source="web", received_at=NOW, in_window=True)


def _hash(rt: Runtime) -> None:
    """Read every row through the driver, and hash it twice as a seal needs it."""
    with rt.sessions.reading() as session:
        for row in session.connection().exec_driver_sql("SELECT * FROM audit_trail ORDER BY id"):
            said = "".join(map(str, row)).encode()
            hashlib.sha256(said + hmac.digest(b"key", said, "sha256")).digest()
