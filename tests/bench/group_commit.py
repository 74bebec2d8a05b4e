"""The limit of H4: threads hand rows to one writer, which commits what waits together; driver calls alone."""

import os
import queue
import threading
import time
from itertools import count
from typing import Any

from tests.bench.limits import connected
from tests.bench.places import check

RAW = 700
"""Bytes of a row: a text's parameters, encrypted."""


class GroupCommit:
    """Callers that wait for their row, and the one thread that writes."""

    def __init__(self, url: str, at_once: int) -> None:
        self.at_once = at_once
        self.sqlite = url.startswith("sqlite")
        self.connection: Any = connected(url)
        number, raw = ("INTEGER", "BLOB") if self.sqlite else ("BIGINT", "BYTEA")
        self.connection.execute(f"CREATE TABLE kept (id {number} PRIMARY KEY, sid TEXT UNIQUE, raw {raw})")
        self._waiting: queue.SimpleQueue[tuple[int, threading.Event] | None] = queue.SimpleQueue()
        self._ids = count(1)

    def round(self, calls: int, _: int) -> float:
        """Keep so many rows, `at_once` callers at a time; gives the seconds for one."""
        before = self._count()
        left = iter(range(calls))
        writer = threading.Thread(target=self._write)
        callers = [threading.Thread(target=self._call, args=(left,)) for _ in range(self.at_once)]
        began = time.perf_counter()
        for thread in (writer, *callers):
            thread.start()
        for thread in callers:
            thread.join()
        took = time.perf_counter() - began
        self._waiting.put(None)
        writer.join()
        check(self._count() - before == calls, "the limit lost rows")
        return took / calls

    def _call(self, left: Any) -> None:
        for _ in left:
            kept = threading.Event()
            self._waiting.put((next(self._ids), kept))
            kept.wait()

    def _write(self) -> None:
        mark = "?" if self.sqlite else "%s"
        insert = f"INSERT INTO kept (id, sid, raw) VALUES ({mark}, {mark}, {mark})"  # noqa: S608 -- a marker
        while (first := self._waiting.get()) is not None:
            together = [first]
            while not self._waiting.empty() and (more := self._waiting.get()) is not None:
                together.append(more)
            self.connection.execute("BEGIN")
            rows = [(number, f"SM{number:032x}", os.urandom(RAW)) for number, _ in together]
            self.connection.cursor().executemany(insert, rows)
            self.connection.execute("COMMIT")
            for _, kept in together:
                kept.set()

    def _count(self) -> int:
        return int(self.connection.execute("SELECT count(*) FROM kept").fetchone()[0])

    def close(self) -> None:
        """End it."""
        self.connection.close()
