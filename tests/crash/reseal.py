"""`python -m tests.crash.reseal`: kill the re-sealing of earlier texts again and again, then read every one of them."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from sqlalchemy import func, insert, select

from pro_service import paths, runtime
from pro_service.core.conversation.unknown_sender import KIND as STRANGER
from pro_service.runtime import Runtime
from pro_service.settings import Settings
from pro_service.store.bulk import row_ids
from pro_service.store.messages import inbox
from pro_service.store.messages.telephone_keys import count_old
from pro_service.store.schema import inbound, messages, telephone_keys
from pro_service.store.vault import UnreadableError, opened, sealed
from pro_service.use_cases import study
from pro_service.use_cases.inbound import reseal
from tests.crash import batches
from tests.crash.__main__ import address
from tests.crash.programs import ACTOR, STUDY
from tests.peers import postgres
from tests.peers.configuration import settings_for

CHUNK = 5_000
EACH = 4
"""Texts of one telephone."""
ANSWERED = 5
"""One text of so many was a stranger's, and answered."""


def main() -> int:
    """Run and print the figures; 1 if a text cannot be read, or is still sealed with the installation's key."""
    options = batches.asked("tests.crash.reseal", __doc__, (20_000, "texts of an earlier release"), "the re-sealing")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pro-reseal-", dir=postgres.memory())))
        told = settings_for(address(options.database, folder, stack), folder)
        fill(told, options.rows)
        figures = killed(told, options.rows, options.kills, options.seed)
        figures |= {"unreadable": unreadable(told), "rows": options.rows}
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0 if not figures["unreadable"] and not figures["left"] else 1


def fill(told: Settings, rows: int) -> None:
    """Make a database with so many texts, and answers to strangers, as an earlier release sealed them."""
    runtime.upgrade(told, test=True)
    rt = runtime.open_runtime(told)
    study.load(rt, ACTOR, (paths.protocols() / "demo.toml").read_text(encoding="utf-8"))
    study_id = study.chosen(rt, STUDY).id
    for start in range(0, rows, CHUNK):
        with rt.sessions.begin() as session:
            ids = row_ids(session)
            numbers = range(start, min(start + CHUNK, rows))
            texts = [_text(rt, study_id, next(ids), number) for number in numbers]
            session.execute(insert(inbound), texts)
            answered = islice(texts, 0, None, ANSWERED)
            session.execute(insert(messages), [_answer(rt, study_id, next(ids), one["id"]) for one in answered])
    rt.close()


def _text(rt: Runtime, study_id: int, row_id: int, number: int) -> dict[str, object]:
    sender = f"+49151{number // EACH:08}"
    raw = json.dumps({"From": sender, "Body": f"text {row_id}"}).encode()
    return {
        "id": row_id,
        "study_id": study_id,
        "provider_id": f"SM{row_id:032}",
        "sender_index": rt.vault.index("phone", sender),
        "raw": sealed(rt.vault.system_key, raw, f"inbound|raw|{row_id}"),
        "received_at": rt.clock(),
        "interpreted_at": rt.clock(),
    }


def _answer(rt: Runtime, study_id: int, row_id: int, inbound_id: object) -> dict[str, object]:
    return {
        "id": row_id,
        "study_id": study_id,
        "inbound_id": inbound_id,
        "dedup_key": f"stranger:{row_id}",
        "kind": STRANGER,
        "frame": STRANGER,
        "channel": "sms",
        "body": sealed(rt.vault.system_key, f"answer {row_id}".encode(), f"messages|body|{row_id}"),
        "state": "delivered",
        "queued_at": rt.clock(),
        "next_try_at": rt.clock(),
    }


def killed(told: Settings, rows: int, kills: int, seed: int) -> dict[str, object]:
    """Re-seal in a process that is killed again and again; then let one end, as the scheduler does."""
    began = time.monotonic()

    def work(done: Callable[[], None]) -> None:
        reseal.reseal(runtime.open_runtime(told), progress=lambda _done, _total: done())

    survived = batches.killed(work, rows / reseal.BATCH, kills, seed)
    rt = runtime.open_runtime(told)
    last = reseal.reseal(rt, seconds=reseal.FOR)
    with rt.sessions.reading() as session:
        left, numbers = count_old(session), session.scalar(select(func.count()).select_from(telephone_keys))
    rt.close()
    return {
        "kills": kills,
        "ended_before_the_kill": survived,
        "resealed_by_the_last": last.resealed,
        "left": left,
        "telephones": numbers,
        "seconds": round(time.monotonic() - began, 1),
    }


def unreadable(told: Settings) -> int:
    """Return how many texts, and answers to strangers, cannot be read with the key of their telephone."""
    rt, lost = runtime.open_runtime(told), 0
    with rt.sessions.reading() as session:
        m, keys = messages.c, dict[int, bytes]()
        for row in session.execute(inbox.TEXTS):
            try:
                keys[row.id] = inbox.key_of(rt.vault, row)
                lost += inbox.said(rt.vault, row).body != f"text {row.id}"
            except UnreadableError:
                lost += 1
        for answer in session.execute(select(m.id, m.inbound_id, m.body).where(m.kind == STRANGER)):
            try:
                said = opened(keys[answer.inbound_id], answer.body, f"messages|body|{answer.id}")
                lost += said != f"answer {answer.id}".encode()
            except UnreadableError:
                lost += 1
    rt.close()
    return lost


if __name__ == "__main__":
    raise SystemExit(main())
