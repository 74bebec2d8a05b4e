"""A full disk, a locked file, a server that is gone: nothing is sent or lost, everybody is told, and it recovers."""

import re
import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, event, func, make_url, select, text
from sqlalchemy.dialects.postgresql import dialect as PostgreSQL  # noqa: N812 -- a class under another name
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from pro_service import logs
from pro_service.core.problems import unavailable, words
from pro_service.gateways.twilio.signatures import sign
from pro_service.runtime import Runtime, open_runtime
from pro_service.store import heartbeats, readiness
from pro_service.store.database import make_engine
from pro_service.store.schema import inbound, receipts, responses
from pro_service.store.unavailable import UNREACHABLE, why_unavailable
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.tick import tick
from pro_service.web.app import create_app
from tests import support
from tests.peers import configuration
from tests.telephones import Telephones
from tests.web.conftest import OPEN, TOKEN

TEXT = {"MessageSid": "SM" + "1" * 32, "From": "+12025550123", "To": "+15005550006", "Body": "7", "NumMedia": "0"}
Fault: TypeAlias = Callable[[Runtime], AbstractContextManager[None]]


@contextmanager
def disk_full(rt: Runtime) -> Iterator[None]:
    """Let the system take not one more byte into any file of this process."""
    assert rt.sessions.sqlite
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def locked(rt: Runtime) -> Iterator[None]:
    """Let another program hold the file, as a careless backup does."""

    def impatient(connection: Any, _record: object, _proxy: object) -> None:
        connection.execute("PRAGMA busy_timeout = 100")

    event.listen(rt.sessions.engine, "checkout", impatient)
    other = make_engine(rt.settings.database_url)
    with other.connect() as connection:
        connection.exec_driver_sql("PRAGMA user_version = 1")  # takes part in the transaction that holds the lock
        yield
    other.dispose()


@contextmanager
def gone(rt: Runtime) -> Iterator[None]:
    """Let PostgreSQL end every connection and take no other one."""
    name = make_url(rt.settings.database_url).database
    url = make_url(rt.settings.database_url).set(database="postgres")
    server = make_engine(url.render_as_string(hide_password=False))

    def run(*statements: str) -> None:
        with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                connection.execute(text(statement))

    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608
    run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false", end)
    try:
        yield
    finally:
        run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        server.dispose()


@contextmanager
def read_only(rt: Runtime) -> Iterator[None]:
    """Let every transaction only read, as of a file on a read-only disk."""
    event.listen(rt.sessions.engine, "begin", _only_read)
    yield
    event.remove(rt.sessions.engine, "begin", _only_read)
    rt.sessions.engine.dispose()


def _only_read(connection: Connection) -> None:
    connection.exec_driver_sql("PRAGMA query_only = ON")


FAULTS = {
    "sqlite-full": (disk_full, {"full", "disk"}),
    "sqlite-locked": (locked, {"locked"}),
    "sqlite-read-only": (read_only, {"read_only"}),
    "postgresql-gone": (gone, {"unreachable"}),
}
"""A way in which a database fails, and as what it is told apart."""


@pytest.fixture(params=sorted(FAULTS))
def way(request: pytest.FixtureRequest) -> str:
    """Return the name of a way in which a database fails."""
    return str(request.param)


@pytest.fixture
def fault(way: str) -> Fault:
    """Return what lets a database fail like that."""
    return FAULTS[way][0]


@pytest.fixture
def database_url(request: pytest.FixtureRequest, way: str) -> str:
    """Return the address of a database that can fail like that."""
    return str(request.getfixturevalue("postgres_url" if way.startswith("postgresql") else "sqlite_url"))


@pytest.fixture
def rt(database_url: str, clock: support.SetClock, tmp_path: Path) -> Iterator[Runtime]:
    """Return a runtime with webhooks."""
    settings = configuration.settings_for(database_url, tmp_path, TWILIO_AUTH_TOKEN=configuration.AUTH_TOKEN)
    runtime = support.with_clock(open_runtime(settings), clock)
    yield runtime
    runtime.close()


@pytest.fixture
def client(rt: Runtime) -> Iterator[FlaskClient]:
    """Return whoever calls; what they brought is read before the database is closed."""
    made = create_app(rt)
    yield made.test_client()
    made.extensions["intake"].close()


def hook(client: FlaskClient, path: str, form: dict[str, str]) -> TestResponse:
    signature = sign(configuration.AUTH_TOKEN, configuration.PUBLIC_BASE_URL + path, form)
    return client.post(path, data=form, headers={"X-Twilio-Signature": signature})


def count(rt: Runtime, table: Any) -> int:
    with rt.sessions.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_webhooks_ask_to_be_called_again_and_nothing_is_lost(
    rt: Runtime, client: FlaskClient, participant: int, fault: Fault
) -> None:
    status = {"MessageSid": "SM" + "2" * 32, "MessageStatus": "sent"}
    with fault(rt):
        assert hook(client, "/hooks/twilio/inbound", TEXT).status_code == 503
        assert hook(client, "/hooks/twilio/status/some-token", status).status_code in (204, 503)
    assert count(rt, inbound) == count(rt, receipts) == 0
    # Twilio calls again.
    assert hook(client, "/hooks/twilio/inbound", TEXT).status_code == 200
    assert count(rt, inbound) == 1
    assert participant


def test_a_participant_reads_that_nothing_was_saved_and_sends_the_same_again_with_one_press(
    rt: Runtime, client: FlaskClient, participant: int, fault: Fault
) -> None:
    answer = {"NRS-AVG": "7", "PGIC": "2"}
    with fault(rt):
        refused = client.post(f"/q/{TOKEN}?lang=en", data=answer)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "60")
        assert "What you sent was not saved: we cannot save anything right now." in refused.text
        assert "lost" not in refused.text
    assert count(rt, responses) == 0
    form = refused.text.partition("<form")[2]
    path = form.partition('action="')[2].partition('"')[0]
    kept = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="(\w+)">', form))
    assert kept == answer
    assert client.post(path, data=kept).status_code in (200, 303)
    assert count(rt, responses) == 2
    assert participant


def test_a_coordinator_reads_on_and_is_told_on_every_page(
    rt: Runtime, client: FlaskClient, clock: support.SetClock, participant: int, way: str, fault: Fault
) -> None:
    assert participant
    support.coordinator(rt, language="en")
    support.coordinator(rt, "administrator@example.org", role="administrator", language="en")
    support.sign_in(client)
    administrator = client.application.test_client()
    support.sign_in(administrator, "administrator@example.org")
    # Sooner than the next look of somebody signed in is noted.
    clock.now += timedelta(seconds=30)
    if way == "postgresql-gone":
        with fault(rt):
            page = client.get("/")
            assert (page.status_code, page.headers["Retry-After"]) == (503, "60")
        return
    with fault(rt):
        page = client.get("/")
        assert page.status_code == 200
        assert "Nothing can be saved: " in page.text
        assert "write the answers on paper" in page.text
        assert re.search(r'<b>Database</b>\s*<span class="flag">', administrator.get("/system").text)
        csrf = support.csrf_of(page.text)
        refused = client.post("/account/digest", data={"csrf": csrf, "wanted": "no"})
        assert refused.status_code == 503
        assert f'<input type="hidden" name="csrf" value="{csrf}">' in refused.text
        assert 'name="wanted" value="no"' in refused.text
    clock.now += timedelta(minutes=1)
    assert "Nothing can be saved: " not in client.get("/").text


def test_the_log_the_doctor_and_a_command_tell_one_fault_from_another(
    rt: Runtime, clock: support.SetClock, way: str, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    causes = FAULTS[way][1]
    with fault(rt), pytest.raises(UNREACHABLE) as caught:
        tick_something(rt, clock)
    assert why_unavailable(caught.value) in causes
    logs.fault("tick", caught.value)
    ids = getattr(caplog.records[-1], "ids")  # noqa: B009 -- a field of ours that the type does not know
    assert ids.get("code") or way == "postgresql-gone", "there is nobody left who could tell one"
    with fault(rt):
        assert readiness.try_to_write(rt.sessions) in causes
    assert readiness.try_to_write(rt.sessions) is None
    assert all(all(words(unavailable(cause))) for cause in causes)


@pytest.mark.parametrize(
    "state, cause",
    [
        ("53100", "full"),
        ("25006", "read_only"),
        ("0A000", "read_only"),  # a standby, told to write by a connection that has only read
        ("42501", "forbidden"),
        ("55P03", "locked"),
        ("57P01", "unreachable"),
        ("23505", None),
    ],
)
def test_what_postgresql_says_is_told_apart(state: str, cause: str | None) -> None:
    said = psycopg.errors.lookup(state)("told by a server")
    raised = DBAPIError.instance("SELECT 1", None, said, psycopg.Error, dialect=PostgreSQL())  # type: ignore[no-untyped-call]
    assert why_unavailable(raised) == cause


def tick_something(rt: Runtime, clock: support.SetClock) -> None:
    with rt.sessions.begin() as session:
        heartbeats.beat(session, "tick", clock.now)


def test_health_turns_red_and_green_again(
    rt: Runtime, client: FlaskClient, clock: support.SetClock, participant: int, fault: Fault
) -> None:
    assert client.get("/readyz").status_code == 200
    with fault(rt):
        # The last write was a moment ago: the next one is tried as time passes.
        clock.now += timedelta(minutes=5)
        red = client.get("/readyz")
        assert (red.status_code, client.get("/healthz").status_code) == (503, 200)
        assert red.json is not None
        assert (red.json["ready"], red.json["writable"]) == (False, False)
    assert client.get("/readyz").status_code == 200
    assert participant


def test_nothing_is_sent_without_a_committed_intent(
    rt: Runtime, clock: support.SetClock, study_id: int, fault: Fault
) -> None:
    how = {"phone": "+12025550123", "channel": "sms-reply", "baseline_nrs_avg": "6", "baseline_nrs_now": "5"}
    clock.now = support.at("2026-03-02 15:00")
    support.enrolled(rt, study_id, "P-009", clock.now.date(), **how)
    clock.now = OPEN
    tick(rt)
    phones = Telephones(clock=clock)
    sending = replace(rt, texts={"sms": phones})
    with fault(rt), pytest.raises(UNREACHABLE):
        deliver(sending)
    assert phones.sent == []
    assert deliver(sending).accepted == 1
    assert len(phones.sent) == 1
