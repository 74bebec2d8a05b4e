"""Two rehearsals that the tests look at: one in which every window closes, one that leaves nothing to chance."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from pro_service import paths
from pro_service.rehearsal import temperaments
from pro_service.rehearsal.plan import Plan
from pro_service.rehearsal.rehearse import rehearse_in
from pro_service.rehearsal.report import Report, Thread
from pro_service.store.database import make_engine
from pro_service.use_cases import study

REAL = paths.protocols() / "nct07326982.toml"
PRICE = Decimal("0.05")


def plan(**more: object) -> Plan:
    """A plan for the real study, with its contact filled in."""
    protocol = REAL.read_text(encoding="utf-8")
    protocol = protocol.replace('telephone = ""', 'telephone = "+90 212 555 0100"')
    protocol = protocol.replace('email = ""', 'email = "study@example.org"')
    return replace(Plan(study.check(protocol), temperaments.shipped_temperaments()), **more)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a rehearsal gave, and its database, which is kept for once."""

    plan: Plan
    report: Report
    engine: Engine

    def number(self, statement: str, **given: str) -> int:
        """The number that a statement finds in the database."""
        with self.engine.connect() as connection:
            return int(connection.execute(text(statement), given).scalar_one() or 0)

    def thread(self, code: str) -> Thread:
        """The thread of a temperament."""
        label = next(kind.label for kind in self.plan.crowd.temperaments if kind.code == code)
        return next(thread for thread in self.report.threads if thread.temperament == label)


@contextmanager
def lived(folder: Path, planned: Plan) -> Iterator[Rehearsed]:
    """Live through a plan, and keep its database."""
    report = rehearse_in(folder, planned, lambda _done, _days: None)
    engine = make_engine(f"sqlite:///{folder / 'rehearsal.db'}")
    yield Rehearsed(planned, report, engine)
    engine.dispose()


@pytest.fixture(scope="session")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsed]:
    """Return a rehearsal of the real study with two dozen participants."""
    planned = plan(participants=24, days=118, price=PRICE, seed=11)
    with lived(tmp_path_factory.mktemp("rehearsal"), planned) as found:
        yield found


ALWAYS, NEVER = 100, 0
CERTAIN = {
    "punctual": {"invited": ALWAYS},
    "called": {"picks_up": ALWAYS, "tells": ALWAYS},
    "words": {"invited": ALWAYS},
    "ranges": {"invited": ALWAYS, "range": ALWAYS, "picks_up": ALWAYS},
    "twice": {"invited": ALWAYS, "twice": ALWAYS},
    "changing": {"invited": ALWAYS, "changes": ALWAYS},
    "link": {"invited": ALWAYS},
    "declining": {"invited": ALWAYS, "declines": ALWAYS},
    "stopping": {"invited": ALWAYS, "stops": ALWAYS, "picks_up": NEVER},
    "lost": {},
    "wrong": {},
    "silent": {"picks_up": NEVER},
    "returning": {"invited": NEVER, "reminded": NEVER, "picks_up": NEVER, "rings_back": ALWAYS},
    "late": {"late": ALWAYS, "picks_up": NEVER},
    "alarming": {"invited": ALWAYS, "alarms": ALWAYS},
}
"""Temperaments that leave nothing to chance: what is expected of them is certain."""


@pytest.fixture(scope="session")
def certain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsed]:
    """Return a rehearsal of one window with one participant of each of these temperaments."""
    shipped = temperaments.shipped_temperaments()
    kinds = tuple(
        replace(kind, percent={**kind.percent, "finish": ALWAYS, **CERTAIN[kind.code]}, lost_after=timedelta())
        for kind in shipped.temperaments
        if kind.code in CERTAIN
    )
    planned = plan(crowd=replace(shipped, temperaments=kinds), participants=len(kinds), days=24, enrolment_days=5)
    with lived(tmp_path_factory.mktemp("certain"), planned) as found:
        yield found
