"""A Twilio that answers quickly and counts: Messages, in a process of its own, with faults when told.

`python -m tests.bench.provider PORT` serves it. It says nothing about a message that a real one would not say.
"""

import asyncio
import email.utils
import json
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.bench.places import NOW
from tests.peers import servers

TOO_MANY_EVERY, SILENT_EVERY = 10, 20
"""With faults: every tenth call is one too many; every twentieth gets no answer, half of those are accepted."""
_CREATED = email.utils.format_datetime(NOW)
_TOO_MANY = b'{"code": 20429, "message": "Too many", "status": 429}'
_REASONS = {200: "OK", 201: "Created", 429: "Too Many Requests"}


class Provider:
    """What was accepted, and how it answers."""

    def __init__(self) -> None:
        self._sids = count()
        self.reset(latency=0.0, faults=False)

    def reset(self, *, latency: float, faults: bool) -> None:
        """Forget every message, and answer after `latency` seconds from now on."""
        self.latency, self.faults = latency, faults
        self.calls = 0
        self.accepted: list[dict[str, str]] = []
        self.arrived: list[tuple[str, float]] = []

    def create(self, form: dict[str, str]) -> tuple[int, bytes] | None:
        """Take a message; None: say nothing."""
        self.calls += 1
        number = self.calls
        if self.faults and number % TOO_MANY_EVERY == 1:
            return 429, _TOO_MANY
        silent = self.faults and number % SILENT_EVERY == 2
        if silent and number // SILENT_EVERY % 2:
            return None
        self.arrived.append((form["To"], time.monotonic()))
        made = {"sid": f"SM{next(self._sids):032x}", "to": form["To"], "body": form["Body"]}
        self.accepted.append(made)
        return None if silent else (201, json.dumps(_message(made)).encode())

    def asked(self, path: str, query: dict[str, str]) -> bytes:
        """Answer a GET: the list of messages, or what the benchmark wants to know."""
        if path == "/reset":
            self.reset(latency=float(query["latency"]), faults=query["faults"] == "True")
            return b"{}"
        if path == "/seen":
            times = Counter((one["to"], one["body"]) for one in self.accepted)
            seen = {"calls": self.calls, "accepted": len(times), "most": max(times.values(), default=0)}
            return json.dumps(seen | {"arrived": self.arrived}).encode()
        found = [_message(one) for one in reversed(self.accepted) if query.get("To") in (None, one["to"])]
        return json.dumps({"messages": found, "next_page_uri": None}).encode()


def _message(made: dict[str, str]) -> dict[str, Any]:
    return {
        **made,
        "account_sid": "AC" + "0" * 32,
        "status": "queued",
        "direction": "outbound-api",
        "from": "+15005550006",
        "date_created": _CREATED,
        "date_updated": _CREATED,
        "date_sent": None,
        "num_media": "0",
        "num_segments": "1",
        "error_code": None,
        "error_message": None,
        "uri": f"/2010-04-01/Accounts/AC/Messages/{made['sid']}.json",
    }


class _Wire(asyncio.Protocol):
    """One connection: just enough HTTP for clients that speak it well."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.transport: asyncio.Transport
        self.heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.heard += data
        head, found, body = self.heard.partition(b"\r\n\r\n")
        if not found:
            return
        lines = head.decode("latin-1").split("\r\n")
        length = next((int(line[15:]) for line in lines if line.lower().startswith("content-length:")), 0)
        if len(body) < length:
            return
        self.heard = body[length:]
        method, target, _ = lines[0].split(" ")
        parts = urlsplit(target)
        if method == "POST":
            answer = self.provider.create(_flat(body[:length].decode()))
            if answer is not None:
                asyncio.get_running_loop().call_later(self.provider.latency, self.say, *answer)
        else:
            self.say(200, self.provider.asked(parts.path, _flat(parts.query)))

    def say(self, status: int, body: bytes) -> None:
        wish = "Retry-After: 1\r\n" if status == 429 else ""
        head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n{wish}"
        self.transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


def _flat(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}


class Handle:
    """The running provider, from outside."""

    def __init__(self, url: str) -> None:
        self.url = url

    def reset(self, *, latency: float = 0.0, faults: bool = False) -> None:
        """Begin anew."""
        self._get("/reset?" + urlencode({"latency": latency, "faults": faults}))

    def seen(self) -> dict[str, Any]:
        """Calls, different messages accepted, how often the most frequent one was, and (to, when) of each arrival."""
        return self._get("/seen")

    def _get(self, path: str) -> dict[str, Any]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.url + path, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


@contextmanager
def provided(folder: Path) -> Iterator[Handle]:
    """Run a provider while the block runs."""
    port = servers.free_port()
    command = [sys.executable, "-m", "tests.bench.provider", str(port)]
    with servers.running(command, f"http://127.0.0.1:{port}/seen", folder / "provider.log"):
        yield Handle(f"http://127.0.0.1:{port}")


async def _serve(port: int) -> None:
    provider = Provider()
    server = await asyncio.get_running_loop().create_server(lambda: _Wire(provider), "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
