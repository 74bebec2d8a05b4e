"""A web application on a fresh database, whose clock is ours, and a server for browsers."""

import threading
from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from playwright.sync_api import Page
from werkzeug.serving import make_server

from pro_service.runtime import Runtime, open_runtime
from pro_service.settings import Settings
from pro_service.web.app import create_app
from tests import support


class _Compiled(BytecodeCache):
    """Templates as they were compiled for an earlier test of this run."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read what is known of a template as it stands."""
        if bucket.key in self._known:
            bucket.bytecode_from_string(self._known[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template that was compiled."""
        self._known[bucket.key] = bucket.bytecode_to_string()


COMPILED = _Compiled()
TOKEN = "a-token-of-enough-random-bits"
OPEN = support.at("2026-03-09 10:00")
"""The day of the one-week window of a procedure on 2 March; it is open from the 8th to the 12th."""


@pytest.fixture
def clock() -> support.SetClock:
    """Return the clock of the application."""
    return support.SetClock(OPEN)


@pytest.fixture
def rt(settings: Settings, clock: support.SetClock) -> Iterator[Runtime]:
    """Return a runtime whose clock is ours, without a study."""
    runtime = support.with_clock(open_runtime(settings), clock)
    yield runtime
    runtime.close()


@pytest.fixture
def study_id(rt: Runtime) -> int:
    """Return the demonstration study, loaded."""
    return support.load_demo(rt)


@pytest.fixture
def participant(rt: Runtime, study_id: int, clock: support.SetClock) -> int:
    """Return a participant whose one-week window is open now, with an address of its form."""
    clock.now = support.at("2026-03-02 15:00")
    participant_id = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2))
    support.link_to(rt, participant_id, "W1", TOKEN)
    clock.now = OPEN
    return participant_id


@pytest.fixture
def app(rt: Runtime) -> Iterator[Flask]:
    """Return the web application."""
    made = create_app(rt)
    made.jinja_env.bytecode_cache = COMPILED
    yield made
    made.extensions["intake"].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a browser without a browser."""
    return app.test_client()


@pytest.fixture
def language(desk: Page) -> str:
    """Return the language of a look at a coordinator's page: each is read narrow and wide, one of them in the dark."""
    return "en" if desk.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "tr"


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Return the address of a server that a real browser can reach."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
