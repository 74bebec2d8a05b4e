"""`python -m tests.crash.backups`: kill backups, restores, upgrades and copies at random; nothing is half there.

Each is tried again and again where it was killed, on what the killed one left.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from sqlalchemy import MetaData, make_url, select

from pro_service import runtime
from pro_service.core.problems import SetUpError
from pro_service.runtime import open_runtime
from pro_service.settings import Settings, at
from pro_service.store import manifests, readiness, transfer
from pro_service.store.audit import Actor
from pro_service.store.database import make_engine
from pro_service.store.unavailable import UNREACHABLE
from pro_service.use_cases import backup, restore, upgrade
from pro_service.use_cases.trail.verify import verify
from tests.peers import postgres
from tests.releases import kept

ACTOR = Actor(kind="system", id="crash", source="cli")
OWN = frozenset({"audit_trail", "channels", "audit_checks"})
"""Tables in which a restore or copy leaves what it did."""
WORKS = ("backup", "restore", "upgrade", "copy")
UNHARMED = 3
"""How often each ends without a kill, to see how long it takes."""
CLOSED = {"database_unfinished": "unfinished", "schema_behind": "nothing"}
"""Why nothing opens a database -> what is left there."""
OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}


def main() -> int:
    """Run and print the figures; 1 if anything was half there, or what was there before had changed."""
    top = argparse.ArgumentParser(prog="python -m tests.crash.backups", description=__doc__)
    top.add_argument("--kills", type=int, default=50, help="how often each of them is killed (default %(default)s)")
    top.add_argument("--database", choices=sorted(OTHER), default="sqlite", help="of which kind (default %(default)s)")
    top.add_argument("--works", nargs="+", choices=WORKS, default=WORKS, help="which of them (default: all)")
    top.add_argument("--seed", type=int, default=7, help="of the moments of the kills (default %(default)s)")
    options = top.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pro-backups-", dir=postgres.memory())))
        needs_server = options.database == "postgresql" or "copy" in options.works
        server = stack.enter_context(postgres.running()) if needs_server else None
        trial = Trial(folder, server, options.database, options.kills, random.Random(options.seed))  # noqa: S311
        figures = {work: getattr(trial, work)() for work in options.works}
    sys.stdout.write(json.dumps(figures) + "\n")
    return 1 if any(found["broken"] for found in figures.values()) else 0


@dataclass
class Trial:
    """One kind of database, and what it came to."""

    folder: Path
    server: postgres.Postgres | None
    engine: str
    kills: int
    dice: random.Random
    numbers: "count[int]" = field(default_factory=count)

    def backup(self) -> dict[str, object]:
        """Kill backups: a folder is whole, or not there; the database is as it was."""
        told = self._lived()
        before = stored(told)
        place = self.folder / "backups" / "one"

        def left() -> str:
            if not place.exists():
                return "nothing"
            found = manifests.read(place)
            assert all(manifests.sha256(place / name) == digest for name, digest in found.manifest.files.items())
            shutil.rmtree(place)
            return "whole"

        return self._killed(lambda: backup.make(told, place), left, lambda: stored(told) == before)

    def restore(self) -> dict[str, object]:
        """Kill restores: a database is whole, or nothing opens it."""
        told = self._lived()
        made = backup.make(told, self.folder / "kept")
        return self._into_empty(
            self.engine,
            told,
            lambda target: restore.restore(target, made.folder, ACTOR, step=quiet),
        )

    def copy(self) -> dict[str, object]:
        """Kill copies to the other kind, in the same way."""
        told = self._lived()
        return self._into_empty(
            OTHER[self.engine],
            told,
            lambda target: restore.copy(told, target, ACTOR, step=quiet, progress=quiet),
        )

    def upgrade(self) -> dict[str, object]:
        """Kill upgrades: the schema is the old one or the new one, with every row; a backup is whole."""
        now = [self._kept()]
        first = stored(now[0])
        revision = _revision(now[0])

        def left() -> str:
            for place in now[0].backup_dir.glob("[!.]*"):
                found = manifests.read(place)
                assert all(manifests.sha256(place / name) == digest for name, digest in found.manifest.files.items())
                shutil.rmtree(place)
            at = _revision(now[0])
            if at == revision:
                assert stored(now[0]) == first
                return "nothing"
            assert at == readiness.head()
            now[0] = self._kept()
            return "whole"

        def work() -> None:
            upgrade.upgrade(
                now[0], test=False, back_up=True, waiting=lambda: None, backed_up=lambda _made: None, progress=quiet
            )

        return self._killed(work, left, lambda: True)

    def _into_empty(self, engine: str, source: Settings, work: Callable[[Settings], object]) -> dict[str, object]:
        before = stored(source)
        rows = amounts(source)
        target = [at(source, self._empty(engine), "--into")]

        def left() -> str:
            if engine == "sqlite" and not Path(make_url(target[0].database_url).database or "").exists():
                return "nothing"
            try:
                rt = open_runtime(target[0])
            except SetUpError as error:
                return CLOSED[error.problem.code]
            with rt.sessions.reading() as session:
                assert set(transfer.different(rows, transfer.amounts(session))) <= OWN
            assert verify(rt).findings == ()
            rt.close()
            target[0] = at(source, self._empty(engine), "--into")
            return "whole"

        return self._killed(lambda: work(target[0]), left, lambda: stored(source) == before)

    def _killed(
        self, work: Callable[[], object], left: Callable[[], str], untouched: Callable[[], bool]
    ) -> dict[str, object]:
        """Do this in a process of its own, kill it after a random part of the time it takes, and look what is left."""
        found, broken, longest = Counter[str](), [], 0.0
        for _ in range(UNHARMED):
            began = time.monotonic()
            _wait(_fork(work))
            longest = max(longest, time.monotonic() - began)
            assert left() == "whole", "it ended without a kill, and is not whole"
        for _ in range(self.kills):
            child = _fork(work)
            time.sleep(self.dice.random() * longest * 1.1)
            os.kill(child, signal.SIGKILL)
            ended = _wait(child)
            # What it had started may still be at work: nobody else is waited for.
            try:
                found[("ended before: " if ended == 0 else "") + left()] += 1
            except (AssertionError, KeyError, *UNREACHABLE) as fault:
                broken.append(f"{type(fault).__name__}: {fault}"[:200])
        time.sleep(longest)
        _wait(_fork(work))
        again = left()
        if again != "whole":
            broken.append(f"after the last kill it does not end: {again}")
        if not untouched():
            broken.append("what was there before has changed")
        return {"kills": self.kills, "left": dict(found), "broken": broken, "seconds": round(longest, 2)}

    def _kept(self) -> Settings:
        url = self._empty(self.engine)
        home = self.folder / f"home-{next(self.numbers)}"
        home.mkdir()
        return kept.newest(self.engine, url, home)

    def _lived(self) -> Settings:
        told = self._kept()
        runtime.upgrade(told)
        return told

    def _empty(self, engine: str) -> str:
        name = f"place_{next(self.numbers)}"
        if engine == "sqlite":
            return f"sqlite:///{self.folder / name / 'pro.db'}"
        assert self.server is not None
        return self.server.create(name)


def quiet(_step: object, _total: object = None) -> None:
    """Say nothing."""


def stored(told: Settings) -> Mapping[str, list[tuple[object, ...]]]:
    """Return every row of whatever schema, as it is stored."""
    engine = make_engine(told.database_url)
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        rows = {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in found.sorted_tables
        }
    engine.dispose()
    return rows


def amounts(told: Settings) -> Mapping[str, str]:
    """Return what the rows of each table amount to."""
    rt = open_runtime(told)
    with rt.sessions.reading() as session:
        found = transfer.amounts(session)
    rt.close()
    return found


def _revision(told: Settings) -> str | None:
    engine = make_engine(told.database_url)
    try:
        return readiness.revision(engine)
    finally:
        engine.dispose()


def _fork(work: Callable[[], object]) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)


def _wait(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    raise SystemExit(main())
