"""`python -m tests.crash.keys`: kill a rotation of keys again and again, then count what nobody can read any more."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path

from sqlalchemy import insert, select

from pro_service import paths, runtime
from pro_service.runtime import Runtime
from pro_service.settings import Settings
from pro_service.store.bulk import row_ids
from pro_service.store.participants import cases
from pro_service.store.schema import participants
from pro_service.store.vault import UnreadableError, opened, sealed
from pro_service.use_cases import keys, study
from pro_service.use_cases.enrolment import enrol
from tests.crash import batches
from tests.crash.__main__ import address
from tests.crash.programs import ACTOR, STUDY
from tests.peers import postgres
from tests.peers.configuration import settings_for

OLD, NEW = ("k1", bytes(range(32))), ("k2", bytes(range(1, 33)))
EMAIL = b"nobody@example.org"
CHUNK = 5_000


def main() -> int:
    """Run and print the figures; 1 if a value cannot be read, or the old key is still needed."""
    options = batches.asked("tests.crash.keys", __doc__, (100_000, "participants, each with a key"), "the rotation")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pro-keys-", dir=postgres.memory())))
        told = replace(settings_for(address(options.database, folder, stack), folder), data_keys=(OLD,))
        fill(told, options.rows)
        figures = killed(replace(told, data_keys=(NEW, OLD)), options.rows, options.kills, options.seed)
        figures |= {"unreadable": unreadable(replace(told, data_keys=(NEW,))), "rows": options.rows}
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0 if not figures["unreadable"] and figures["k1_may_go"] else 1


def fill(told: Settings, rows: int) -> None:
    """Make a database with so many participants, whose keys the old key wraps."""
    runtime.upgrade(told, test=True)
    rt = runtime.open_runtime(told)
    study.load(rt, ACTOR, (paths.protocols() / "demo.toml").read_text(encoding="utf-8"))
    study_id = study.chosen(rt, STUDY).id
    day = date(2026, 3, 2).isoformat()
    enrol.enrol_one(
        rt,
        ACTOR,
        study_id,
        {"participant": "K-first", "site": "IST", "procedure_date": day, "language": "en", "messaging_consent": day},
    )
    for start in range(1, rows, CHUNK):
        with rt.sessions.begin() as session:
            first = cases.find(session, study_id, "K-first")
            like = dict(session.execute(select(participants).where(participants.c.id == first)).mappings().one())
            ids = row_ids(session)
            more = [_clone(rt, like, next(ids), number) for number in range(start, min(start + CHUNK, rows))]
            session.execute(insert(participants), more)
    rt.close()


def _clone(rt: Runtime, like: dict[str, object], row_id: int, number: int) -> dict[str, object]:
    key, wrapped = rt.vault.new_data_key(row_id)
    email = sealed(key, EMAIL, f"participants|email|{row_id}")
    return like | {"id": row_id, "code": f"K-{number}", "data_key": wrapped, "email": email, "next_check_at": None}


def killed(told: Settings, rows: int, kills: int, seed: int) -> dict[str, object]:
    """Rotate in a process of its own that is killed again and again; then let one end."""
    began = time.monotonic()

    def work(done: Callable[[], None]) -> None:
        keys.rotate(runtime.open_runtime(told), ACTOR, progress=lambda _done, _total: done())

    survived = batches.killed(work, rows / keys.BATCH, kills, seed)
    rt = runtime.open_runtime(told)
    before = {one.key: one.values for one in keys.all_keys(rt)}
    last = keys.rotate(rt, ACTOR)
    after = {one.key: one.may_go for one in keys.all_keys(rt)}
    rt.close()
    return {
        "kills": kills,
        "ended_before_the_kill": survived,
        "left_for_the_last": before["k1"],
        "wrapped_by_the_last": last.values,
        "k1_may_go": after["k1"],
        "seconds": round(time.monotonic() - began, 1),
    }


def unreadable(told: Settings) -> int:
    """Return how many participants' addresses cannot be read with the new key alone."""
    rt, lost = runtime.open_runtime(told), 0
    with rt.sessions.reading() as session:
        p = participants.c
        for row in session.execute(select(p.id, p.data_key, p.email).where(p.code != "K-first")):
            try:
                key = rt.vault.data_key(row.data_key, row.id)
                lost += opened(key, row.email, f"participants|email|{row.id}") != EMAIL
            except UnreadableError:
                lost += 1
    rt.close()
    return lost


if __name__ == "__main__":
    raise SystemExit(main())
