"""Peers, one stored job per window each: APScheduler and procrastinate. Their jobs do nothing."""

import asyncio
import pickle
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from procrastinate import App, PsycopgConnector
from sqlalchemy import insert

from pro_service.settings import Settings
from pro_service.store.database import make_engine
from tests.bench.places import Kind, Places, check
from tests.peers.configuration import settings_for

FAR = timedelta(days=3_650)
GIVE_UP = 120.0
"""Seconds after which a peer has not done its work."""


class Done:
    """Counts the jobs that ran."""

    def __init__(self) -> None:
        self.count = 0
        self.lock = threading.Lock()

    def one(self) -> None:
        """One more."""
        with self.lock:
            self.count += 1


DONE = Done()
"""Stored jobs name what they run, so what they run is a function of this module."""


def job() -> None:
    """Do nothing, and say so."""
    DONE.one()


class ApScheduler:
    """APScheduler on a database like ours (same driver, same settings), holding some future jobs."""

    def __init__(self, url: str, ahead: int) -> None:
        self.engine = make_engine(url)
        self.store = SQLAlchemyJobStore(engine=self.engine)
        self.beats = BackgroundScheduler(
            jobstores={"default": self.store},
            executors={"default": ThreadPoolExecutor(10)},
            job_defaults={"misfire_grace_time": None, "max_instances": 1_000_000},
            timezone="UTC",
        )
        self.beats.start(paused=True)
        self._add_ahead(ahead)

    def _add_ahead(self, ahead: int) -> None:
        """Store jobs of the future without add_job, which would take a minute for a hundred thousand."""
        if not ahead:
            return
        model: Any = self.beats.add_job(job, "date", run_date=_now() + FAR, id="model")
        state = model.__getstate__()
        far = (_now() + FAR).timestamp()
        rows = (
            {
                "id": f"a{number}",
                "next_run_time": far + number,
                "job_state": pickle.dumps({**state, "id": f"a{number}"}),
            }
            for number in range(ahead - 1)
        )
        with self.engine.begin() as connection:
            connection.execute(insert(self.store.jobs_t), list(rows))

    def add(self, count: int) -> float:
        """Store so many jobs that are due at once; gives the seconds it took."""
        began = time.perf_counter()
        for _ in range(count):
            self.beats.add_job(job, "date", run_date=_now() - timedelta(seconds=1))
        return time.perf_counter() - began

    def drain(self, count: int) -> float:
        """Run so many jobs that are due; gives the seconds until all have run and are gone."""
        self.add(count)
        DONE.count = 0
        began = time.perf_counter()
        self.beats.resume()
        while (DONE.count < count or self.store.get_due_jobs(_now())) and time.perf_counter() - began < GIVE_UP:
            time.sleep(0.001)
        took = time.perf_counter() - began
        self.beats.pause()
        check(DONE.count == count, f"APScheduler ran {DONE.count} of {count} jobs")
        return took

    def wake_up(self) -> None:
        """What it does each time it wakes."""
        self.beats._process_jobs()  # noqa: SLF001 -- its beat has no public name

    def close(self) -> None:
        """End it."""
        self.beats.remove_all_jobs()
        self.beats.shutdown(wait=True)
        self.engine.dispose()


@contextmanager
def apscheduler(places: Places, kind: Kind, ahead: int) -> Iterator[ApScheduler]:
    """APScheduler on a fresh database while the block runs."""
    url = places.url(kind)
    settings: Settings = settings_for(url, places.folder)
    peer = ApScheduler(settings.database_url, ahead)
    try:
        yield peer
    finally:
        peer.close()
        places.gone(url)


class Procrastinate:
    """procrastinate on PostgreSQL, holding some future jobs."""

    def __init__(self, url: str, ahead: int) -> None:
        self.url = url
        asyncio.run(self._prepare())
        with psycopg.connect(url) as connection:
            connection.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, scheduled_at) "
                "SELECT 'default', 'nothing', now() + interval '10 years' FROM generate_series(1, %s)",
                (ahead,),
            )
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ANALYZE")

    def _app(self) -> App:
        app = App(connector=PsycopgConnector(conninfo=self.url))

        @app.task(name="nothing")
        def nothing() -> None:
            DONE.one()

        return app

    async def _prepare(self) -> None:
        app = self._app()
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    def drain(self, count: int) -> float:
        """Run so many jobs; gives the seconds until all have run."""
        return asyncio.run(self._drain(count))

    async def _drain(self, count: int) -> float:
        app = self._app()
        async with app.open_async():
            await app.tasks["nothing"].batch_defer_async(*({} for _ in range(count)))
            DONE.count = 0
            began = time.perf_counter()
            await app.run_worker_async(wait=False, concurrency=10, install_signal_handlers=False)
            took = time.perf_counter() - began
        check(DONE.count == count, f"procrastinate ran {DONE.count} of {count} jobs")
        return took


def _now() -> datetime:
    return datetime.now(UTC)
