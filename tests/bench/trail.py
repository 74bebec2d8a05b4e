"""H9: the audit trail is sealed and checked, beside reading its rows and hashing them by hand.

It grows as in a long study: some rows, two hours, more rows. What an hour holds is kept in memory, and no more.
"""

import dataclasses
import hashlib
import hmac
import json
import os
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

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
from tests.bench.inbound import PROGRAM
from tests.bench.places import ACTOR, NOW, STUDY, Kind, Places, check
from tests.bench.rounds import LIMIT, OURS, Line, Plan, line
from tests.bench.stories import Story
from tests.peers.configuration import environment

ROWS_OF_ONE = 10
"""Rows of the trail for each participant of the plan."""
ANSWERS = 3
"""How many of these are answers."""
PART = 500
"""Participants whose rows are written, and then sealed."""
PAUSE = timedelta(hours=2)
"""From one part to the next: older rows are settled by then."""
MEGABYTE = 1024
MANY = 1_000_000
"""Rows from which on one round is enough: it takes minutes."""


def measure(places: Places, plan: Plan, kind: Kind, stories: tuple[Story, ...]) -> Iterator[Line]:
    """For each length of the trail, how long a row takes to be sealed, and to be checked with everything else.

    The memory is that of the commands, `audit seal` for the last part and `audit verify --full`.
    """
    del stories
    found: dict[str, list[Line]] = {"H9 seal": [], "H9 verify": []}
    for size in (people * ROWS_OF_ONE for people in plan.sizes):
        rounds = [_round(places, kind, size) for _ in range(1 if size >= MANY else plan.rounds)]
        for place, (name, lines) in enumerate(found.items()):
            times = {OURS: [one[place] for one in rounds], LIMIT: [one[2] for one in rounds]}
            lines.append(line(name, kind, size, "/s", times, MB=max(one[3 + place] for one in rounds)))
    for lines in found.values():
        yield from lines


@dataclasses.dataclass(slots=True)
class _Clock:
    """A clock that is set by hand."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at


def _round(places: Places, kind: Kind, size: int) -> tuple[float, float, float, float, float]:
    """Return seconds a row: sealed, checked, hashed by hand; and the memory of sealing and of checking."""
    with places.runtime(kind) as fixed:
        clock = _Clock(NOW)
        rt = dataclasses.replace(fixed, clock=clock)
        rows, sealing, people = 0, 0.0, size // ROWS_OF_ONE
        for first in range(0, people, PART):
            if rows:
                clock.at += PAUSE
            _write(rt, first, min(PART, people - first))
            if first + PART < people:
                began = time.perf_counter()
                rows += seal(rt).rows
                sealing += time.perf_counter() - began
        told, sealing_memory = _command(rt, places, "audit", "seal", "--json")
        every = rows + told["rows"]
        check(every >= size, "not every row was sealed")
        began = time.perf_counter()
        found = verify(rt)
        checking = time.perf_counter() - began
        told, checking_memory = _command(rt, places, "audit", "verify", "--full", "--json")
        check(found.verified_rows == every == told["verified_rows"], "not every row was checked")
        check(not found.findings and not told["findings"], "an untouched trail was faulted")
        began = time.perf_counter()
        _hash(rt)
        took = time.perf_counter() - began
    return sealing / rows, checking / every, took / every, sealing_memory, checking_memory


def _command(rt: Runtime, places: Places, *words: str) -> tuple[dict[str, int], float]:
    """Run a command of the product at the clock's instant; return what it printed, and its most memory in MB."""
    told = environment(rt.settings.database_url, PRO_SERVICE_NOW=rt.clock().isoformat(), PATH="/usr/bin:/bin")
    with (places.folder / "command.json").open("w+b") as output:
        process = subprocess.Popen(
            [PROGRAM, *words], stdout=output, stderr=subprocess.DEVNULL, env=told, cwd=places.folder
        )
        _, status, used = os.wait4(process.pid, 0)
        check(status == 0, f"{words} failed")
        output.seek(0)
        return json.loads(output.read()), used.ru_maxrss / MEGABYTE


def _write(rt: Runtime, first: int, people: int) -> None:
    """Write the rows of so many more participants: the enrolment, answers, and what became of texts."""
    study_id = study.chosen(rt, STUDY).id
    p = participants.c
    with rt.sessions.reading() as session:
        before = session.scalar(select(p.id).order_by(p.id.desc()).limit(1)) or 0
    enrol_file(rt, ACTOR, study_id, file_of(people, first))
    with rt.sessions.reading() as session:
        ids = session.scalars(select(p.id).where(p.id > before).order_by(p.id)).all()
    with transaction(rt, ACTOR, rt.clock()) as tx:
        for loaded in rt.loader.load(tx.session, ids):
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
