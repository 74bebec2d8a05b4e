"""What every test can ask for: databases of both kinds, a telephone company, a mail host, a browser."""

import gc
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from pro_service.settings import Settings
from tests.peers import chromium as chromium_peer
from tests.peers import configuration, databases, mail, network, places, postgres
from tests.peers import emulate as emulate_peer


def pytest_configure() -> None:
    """Keep every test on this machine, and let property tests take their time on a busy one."""
    network.stay_inside()
    hypothesis.settings.register_profile(
        "house",
        deadline=None,
        derandomize="CI" in os.environ,  # there the same commit gives the same result
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile("house")


_LONG = (
    "tests/test_comm",
    "tests/test_up.py",
    "tests/crash/",
    "tests/rehearsal/",
    "tests/journeys/",
    "tests/simulation/",
)
"""Where single tests take long. Tests of one of these share what they set up, but for the lives of the simulation."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked with `databases.ON_BOTH` on each database; in a marked module, those that open one."""
    if "database_url" in metafunc.fixturenames and metafunc.definition.get_closest_marker("on_both"):
        metafunc.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deal what takes long out to all workers, first of all: else the suite ends with one core at work.

    A worker begins with an unbroken part of all tests, and whoever has none left takes from the end of another's.
    """
    workers = getattr(config, "workerinput", {"workercount": 1})["workercount"]
    hands: dict[str, list[pytest.Item]] = {}
    rest: list[pytest.Item] = []
    for item in items:
        place = next((place for place in _LONG if item.nodeid.startswith(place)), None)
        if place is None:
            rest.append(item)
        else:
            hands.setdefault(item.nodeid if place == _LONG[-1] else place, []).append(item)
    dealt: list[pytest.Item] = []
    for worker in range(workers):
        long = [item for hand in list(hands.values())[worker::workers] for item in hand]
        short = max(0, (len(items) - len(dealt)) // (workers - worker) - len(long))
        dealt += long + rest[:short]
        del rest[:short]
    items[:] = dealt + rest


def pytest_collection_finish() -> None:
    """Let the garbage collector look only at what tests make, not again and again at five thousand tests."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have measured beside their result (`record_property`)."""
    for name in ("passed", "failed"):
        for report in terminalreporter.stats.get(name, ()):
            for measure, figure in report.user_properties:
                terminalreporter.write_line(f"{measure}: {figure}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Postgres]:
    """Return a running PostgreSQL, without any database of ours."""
    with postgres.running() as server:
        yield server


@pytest.fixture(scope="session")
def _sqlite_databases() -> Iterator[databases.SqliteDatabases]:
    # In memory where there is room: every commit waits for its disk.
    with tempfile.TemporaryDirectory(prefix="pro-sqlite-", dir=postgres.memory()) as folder:
        yield databases.SqliteDatabases(Path(folder))


@pytest.fixture(scope="session")
def _postgres_databases(
    postgres_server: postgres.Postgres, tmp_path_factory: pytest.TempPathFactory
) -> databases.PostgresDatabases:
    return databases.PostgresDatabases(postgres_server, tmp_path_factory.mktemp("databases"))


@pytest.fixture
def sqlite_url(_sqlite_databases: databases.SqliteDatabases) -> Iterator[str]:
    """Return the address of a fresh, migrated SQLite database."""
    with _sqlite_databases.fresh() as url:
        yield url


@pytest.fixture
def postgres_url(_postgres_databases: databases.PostgresDatabases) -> Iterator[str]:
    """Return the address of a fresh, migrated PostgreSQL database."""
    with _postgres_databases.fresh() as url:
        yield url


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the address of a fresh, migrated database: on SQLite, and with `databases.ON_BOTH` on each kind."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[getattr(request, "param", "sqlite")]
    url = request.getfixturevalue(fixture)
    assert isinstance(url, str)
    return url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Return settings for a fresh database, without a provider."""
    return configuration.settings_for(database_url, tmp_path)


@pytest.fixture(scope="session")
def emulate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[emulate_peer.Emulate]:
    """Return a running Twilio that we did not write."""
    with emulate_peer.running(tmp_path_factory.mktemp("emulate")) as emulator:
        yield emulator


@pytest.fixture
def mail_host() -> Iterator[mail.MailHost]:
    """Return a running SMTP host that keeps what it is given."""
    with mail.running() as host:
        yield host


@pytest.fixture(scope="session")
def _started_browsers() -> Iterator[Callable[[places.Browser], Browser]]:
    with chromium_peer.running() as start:
        yield start


@pytest.fixture
def chromium(request: pytest.FixtureRequest, _started_browsers: Callable[[places.Browser], Browser]) -> Browser:
    """Return a running Chromium: the pinned one, or the one that the test names."""
    return _started_browsers(getattr(request, "param", places.pinned_browser()))


@pytest.fixture
def browser_context(chromium: Browser) -> Iterator[BrowserContext]:
    """Return a browser with no past: no cookies, no cache."""
    context = chromium.new_context(timezone_id="Europe/Istanbul")
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(browser_context: BrowserContext) -> Page:
    """Return an empty tab of a browser with no past."""
    return browser_context.new_page()
