"""H5: enrolment from a file, validated, encrypted and audited, beside the driver's bare inserts and add_job."""

import resource
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta

from sqlalchemy import MetaData, Table, text

from pro_service.store import schema
from pro_service.use_cases import study
from pro_service.use_cases.enrolment.enrol import enrol_file
from tests.bench import bulk
from tests.bench.crowd import count_of
from tests.bench.peers import ApScheduler, apscheduler
from tests.bench.places import ACTOR, NOW, STUDY, Kind, Places, check
from tests.bench.rounds import LIMIT, OURS, Contender, Line, Plan, line, take_turns
from tests.bench.stories import COLUMNS, ZONES, Story

DAYS = 90
MANY = 100_000
"""From here on three rounds are enough."""
PEER_JOBS = 300
MEGABYTE = 1024


def measure(places: Places, plan: Plan, kind: Kind, stories: tuple[Story, ...]) -> Iterator[Line]:
    """One line for each number of participants."""
    del stories
    for size in plan.sizes:
        with ExitStack() as stack:
            beats = stack.enter_context(apscheduler(places, kind, 0))
            grown: list[float] = []
            contenders = {
                OURS: _ours(places, kind, size, grown),
                LIMIT: _limit(places, kind, size),
                "APScheduler add_job": _add_job(beats),
            }
            times = take_turns(contenders, plan.rounds if size < MANY else min(plan.rounds, 3))
            yield line(
                "H5 enrol", kind, size, "/s", times, **{"MB grown": max(grown), "MB file": len(file_of(size)) / 1e6}
            )


def file_of(size: int, first_number: int = 0) -> bytes:
    """A file of so many participants in five zones, over some months; their codes and telephones from a number on."""
    rows = [COLUMNS]
    first: date = NOW.date() - timedelta(days=DAYS - 1)
    for number in range(first_number, first_number + size):
        day = first + timedelta(days=number % DAYS)
        cells = (f"E-{number:07}", ("IST", "BER")[number % 2], day, ("tr", "en")[number % 2], day)
        phone, zone = f"+49151{10_000_000 + number}", ZONES[number % len(ZONES)]
        rows.append(",".join(map(str, (*cells, phone, zone, ("sms-reply", "sms-link")[number % 2], "", number % 11))))
    return "\n".join(rows).encode()


def _add_job(beats: ApScheduler) -> Contender:
    return lambda _: beats.add(PEER_JOBS) / PEER_JOBS


def _ours(places: Places, kind: Kind, size: int, grown: list[float]) -> Contender:
    data = file_of(size)
    return lambda _: _enrol(places, kind, data, size, grown)


def _enrol(places: Places, kind: Kind, data: bytes, size: int, grown: list[float]) -> float:
    with places.runtime(kind) as rt:
        chosen = study.chosen(rt, STUDY).id
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        enrolled = enrol_file(rt, ACTOR, chosen, data)
        took = time.perf_counter() - began
        grown.append((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / MEGABYTE)
        with rt.sessions.reading() as session:
            found = [count_of(session, table) for table in (schema.participants, schema.windows, schema.responses)]
            audited = count_of(session, schema.audit_trail)
    check(enrolled.enrolled == size == found[0], "not everybody was enrolled")
    check(found[1] >= size * 4 and found[2] == size, "windows or baselines are missing")
    check(audited >= size, "enrolments are missing in the audit trail")
    return took / size


def _limit(places: Places, kind: Kind, size: int) -> Contender:
    return lambda _: _insert(places, kind, size)


def _insert(places: Places, kind: Kind, size: int) -> float:
    """The same number of rows of the same width, through the driver alone, in one transaction."""
    with places.runtime(kind) as rt, rt.sessions.engine.begin() as connection:
        row = "id BIGINT PRIMARY KEY, code TEXT, phone TEXT, day TEXT, note TEXT"
        connection.execute(text(f"CREATE TABLE bare_participants ({row})"))
        connection.execute(text(f"CREATE TABLE bare_windows ({row})"))
        began = time.perf_counter()
        for name, times in (("bare_participants", 1), ("bare_windows", 4)):
            table = Table(name, MetaData())
            rows = ((n, f"E-{n:07}", "+49151" + "0" * 60, "2026-01-01", "x" * 120) for n in range(size * times))
            bulk.insert(connection, table, ("id", "code", "phone", "day", "note"), rows)
        took = time.perf_counter() - began
        check(connection.execute(text("SELECT count(*) FROM bare_windows")).scalar() == size * 4, "rows are missing")
    return took / size
