"""`python -m tests.bench.growth`: how much a study writes in a year, table by table, on both engines.

A rehearsal lives through the year with invented participants; what it has written is copied to PostgreSQL, whose tables
can be weighed one by one.
"""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from sqlalchemy import text

from pro_service import paths
from pro_service.rehearsal.plan import EXAMPLE, Plan, stage
from pro_service.rehearsal.run import Rehearsal
from pro_service.rehearsal.temperaments import shipped_temperaments
from pro_service.settings import at
from pro_service.store.audit import Actor
from pro_service.store.database import make_engine
from pro_service.store.disk import MEGABYTE
from pro_service.use_cases import backup as backups
from pro_service.use_cases import restore, study
from pro_service.use_cases.trail.seal import seal
from tests.peers import places, postgres

ACTOR = Actor(kind="system", id="growth", source="cli")
LEAST = 0.005
"""Tables with a smaller part of the whole are added up."""


def main() -> int:
    """Print how many rows and bytes there are after the year."""
    top = argparse.ArgumentParser(prog="python -m tests.bench.growth", description=__doc__)
    top.add_argument("--participants", type=int, default=1000, help="how many there are (default %(default)s)")
    top.add_argument("--days", type=int, default=365, help="for how many days (default %(default)s)")
    options = top.parse_args()
    checked = study.check((paths.protocols() / "nct07326982.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="pro-growth-", dir=postgres.memory()) as name, postgres.running() as server:
        folder = Path(name)
        with stage(folder, EXAMPLE) as rt:
            plan = Plan(checked, shipped_temperaments(), participants=options.participants, days=options.days)
            Rehearsal(rt, plan).run(lambda *_: None)
            seal(rt)
            told = replace(rt.settings, pg_bin=places.postgres_programs())
        target = at(told, server.create("growth"), "--into")
        restore.copy(told, target, ACTOR, step=lambda _: None, progress=lambda *_: None)
        for settings in (told, target):
            made = backups.make(settings, folder / f"backup-{settings is told}")
            say(f"a backup of {made.manifest.engine}: {made.size / MEGABYTE:.1f} MB")
        weigh(target.database_url)
    return 0


def weigh(url: str) -> None:
    """Print the size of every table with its indexes."""
    engine = make_engine(url)
    asked = text(
        "SELECT relname, pg_total_relation_size(oid) AS size, pg_indexes_size(oid) AS indexes FROM pg_class "
        "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC"
    )
    with engine.connect() as connection:
        found = connection.execute(asked).all()
        whole = sum(row.size for row in found)
        for row in found:
            if row.size >= LEAST * whole:
                rows = connection.scalar(text(f'SELECT count(*) FROM "{row.relname}"'))  # noqa: S608 -- our tables
                sizes = f"{row.size / MEGABYTE:8.1f} MB, of these {row.indexes / MEGABYTE:6.1f} MB of indexes"
                say(f"{row.relname:<20} {rows:>9} rows {sizes}")
        say(f"all of it on PostgreSQL: {whole / MEGABYTE:.1f} MB")
    engine.dispose()


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
