"""Whatever is done to the database by hand is refused, or found and named; some of it only with an anchor."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from pro_service.core.trail.check import Finding
from pro_service.runtime import Runtime, open_runtime
from pro_service.store import guards
from pro_service.use_cases.trail.verify import verify
from tests import support
from tests.peers import configuration
from tests.peers.databases import PostgresDatabases, SqliteDatabases
from tests.use_cases.trail import tamperings
from tests.use_cases.trail.tamperings import ANCHOR, REFUSED, TAMPERINGS, Database, Hand, Tampering

PAGE = Path(__file__).parents[3] / "docs" / "trial-file" / "tamperings.md"
CASES = [
    pytest.param(database, one, id=f"{database}-{one.what}-{one.shown}")
    for database in tamperings.BOTH
    for one in TAMPERINGS
    if database in one.on
]


class Lived:
    """One lived database of each kind; every tampering happens to a copy of it."""

    def __init__(self, request: pytest.FixtureRequest, folder: Path, stack: ExitStack) -> None:
        self.request, self.folder, self.stack = request, folder, stack
        self.clock = support.SetClock(support.at("2026-03-02 15:00"))
        self.role = f"app_{secrets.token_hex(4)}"
        self.urls: dict[Database, str] = {}

    def hand(self, database: Database, stack: ExitStack) -> Hand:
        """Return somebody at a fresh copy."""
        original = self._original(database)
        self.clock.now = support.at("2026-03-09 12:05")

        def another() -> Runtime:
            url = stack.enter_context(self._databases(database).fresh(original))
            return self._runtime(url, stack)

        hand = Hand(another(), self.clock, self.role, another)
        hand.keep_anchor()
        return hand

    def _databases(self, database: Database) -> SqliteDatabases | PostgresDatabases:
        name = {"sqlite": "_sqlite_databases", "postgresql": "_postgres_databases"}[database]
        found: SqliteDatabases | PostgresDatabases = self.request.getfixturevalue(name)
        return found

    def _runtime(self, url: str, stack: ExitStack) -> Runtime:
        rt = support.with_clock(open_runtime(configuration.settings_for(url, self.folder)), self.clock)
        stack.callback(rt.close)
        return rt

    def _original(self, database: Database) -> str:
        if database not in self.urls:
            url = self.urls[database] = self.stack.enter_context(self._databases(database).fresh())
            with ExitStack() as only_now:
                tamperings.lived(self._runtime(url, only_now), self.clock)
            if database == "postgresql":
                with psycopg.connect(url, autocommit=True) as owner:
                    owner.execute(f"CREATE ROLE {self.role} LOGIN")
                    owner.execute(guards.grants(self.role))
        return self.urls[database]


@pytest.fixture(scope="module")
def there(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Return the lived databases."""
    with ExitStack() as stack:
        yield Lived(request, tmp_path_factory.mktemp("tamperings"), stack)


@pytest.mark.parametrize("database, one", CASES)
def test_a_tampering_is_refused_or_found(there: Lived, database: Database, one: Tampering) -> None:
    with ExitStack() as stack:
        hand = there.hand(database, stack)
        if one.shown == REFUSED:
            with pytest.raises((sqlite3.Error, psycopg.Error), match=r"append-only|must be owner|permission denied"):
                one.act(hand)
            assert verify(hand.rt, anchor=hand.anchor).findings == ()
            return
        one.act(hand)
        found = verify(hand.rt).findings
        assert all(one.participant or one.entity == "study" for one in found if one.kind == "facts_differ")
        assert kinds(found) == ("" if one.shown == ANCHOR else one.shown)
        if one.shown == ANCHOR:
            assert kinds(verify(hand.rt, anchor=hand.anchor).findings) == "rolled_back"


def kinds(findings: tuple[Finding, ...]) -> str:
    return " ".join(sorted({finding.kind for finding in findings}))


def test_the_page_about_tampering_is_written_from_this_list() -> None:
    assert PAGE.read_text(encoding="utf-8") == tamperings.page(), f"run: {tamperings.__doc__}"
