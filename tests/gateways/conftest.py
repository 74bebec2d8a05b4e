"""Peers of the ways out: a webhook catcher, our simulator served for real, and a server that says what it is told."""

import queue
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl

import pytest
from flask import Flask
from waitress.server import create_server

from pro_service.gateways.twilio.texts import TwilioTexts
from pro_service.simulator import Faults, Pace, create_simulator
from tests.peers import certificates
from tests.peers.servers import free_port

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "12345"
NUMBER = "+15005550006"
SERVICE = "MG" + "0" * 32
FAST = Pace(queued=0.0, sent=0.0, delivered=0.0)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PATIENCE = 10.0


def until(true: Callable[[], bool]) -> None:
    """Wait for what another thread brings about."""
    ends = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.01)


@dataclass(frozen=True)
class Call:
    """One request that arrived."""

    path: str
    form: dict[str, str]
    headers: dict[str, str]
    body: str = ""

    @property
    def signature(self) -> str | None:
        return self.headers.get("X-Twilio-Signature")


@dataclass
class Answer:
    """What a scripted server says: `hang` says nothing at all, `drop` hangs up."""

    status: int = 204
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    drop: bool = False


class Scripted:
    """An HTTP server that keeps what arrives and answers from a script; with the script used up, 204."""

    def __init__(self) -> None:
        self.calls: queue.Queue[Call] = queue.Queue()
        self.script: list[Answer] = []
        self.released = Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def next(self) -> Call:
        return self.calls.get(timeout=PATIENCE)

    def until(self, **wanted: str) -> Call:
        """Return the first call whose form says this."""
        while True:
            call = self.next()
            if wanted.items() <= call.form.items():
                return call

    def clear(self) -> None:
        self.script.clear()
        while not self.calls.empty():
            self.calls.get_nowait()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                form = dict(parse_qsl(body, keep_blank_values=True))
                peer.calls.put(Call(self.path, form, dict(self.headers), body))
                answer = peer.script.pop(0) if peer.script else Answer()
                if answer.hang:
                    peer.released.wait(PATIENCE)
                if answer.hang or answer.drop:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.status != 204:
                    self.send_header("Content-Length", str(len(answer.body.encode())))
                self.end_headers()
                self.wfile.write(answer.body.encode())

            do_GET = do_DELETE = do_POST  # noqa: N815

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        return Handler


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an application with the product's own server while the block runs, and say where."""
    port = free_port()
    # A map of its own: the usual one is shared by every server of the process, and none of them would ever end.
    server: Any = create_server(app, map={}, host="127.0.0.1", port=port, threads=8)
    thread = Thread(target=server.run)
    thread.start()

    def end() -> None:
        for channel in list(server.active_channels.values()):
            channel.handle_close()
        server.close()

    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        carrier = app.extensions.get("carrier")
        if carrier:
            carrier.postman.close()
        with suppress(OSError):  # it may have heard, and be gone, before it is woken
            server.trigger.pull_trigger(end)  # in the server's own thread: its loop bears no other
        thread.join(PATIENCE)
        server.task_dispatcher.shutdown()


@contextmanager
def simulator(webhooks: Scripted, **options: Any) -> Iterator[tuple[Flask, str]]:
    """Serve a quick simulator that posts to the catcher."""
    made: dict[str, Any] = {
        "account_sid": ACCOUNT,
        "auth_token": TOKEN,
        "webhook_base": webhooks.url,
        "clock": lambda: datetime.now(UTC),
        "pace": FAST,
    }
    app = create_simulator(**(made | options))
    with served(app) as url:
        yield app, url


@pytest.fixture(scope="module")
def _catcher() -> Iterator[Scripted]:
    peer = Scripted()
    yield peer
    peer.close()


@pytest.fixture
def webhooks(_catcher: Scripted) -> Scripted:
    """Return the study's side: what Twilio calls."""
    _catcher.clear()
    return _catcher


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """Return a Twilio that says what the test tells it."""
    peer = Scripted()
    yield peer
    peer.close()


@pytest.fixture
def simulate(webhooks: Scripted) -> Iterator[Callable[..., tuple[Flask, TwilioTexts]]]:
    """Return a maker of a simulator and a gateway aimed at it, both gone after the test."""
    with ExitStack() as opened:

        def make(faults: Faults | None = None, **options: Any) -> tuple[Flask, TwilioTexts]:
            app, url = opened.enter_context(simulator(webhooks, faults=faults, **options))
            calls = f"{webhooks.url}/status"
            gateway = TwilioTexts(
                ACCOUNT, auth_token=TOKEN, from_number=NUMBER, base_url=url, callbacks=calls, timeouts=(1.0, 1.0)
            )
            opened.callback(gateway.close)
            return app, gateway

        yield make


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a file with a self-signed certificate for 127.0.0.1 and its key."""
    return str(certificates.make(tmp_path_factory.mktemp("tls") / "certificate.pem", 1))


@pytest.fixture
def untrusted(certificate: str) -> ssl.SSLContext:
    """Return a server's TLS that nobody vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
