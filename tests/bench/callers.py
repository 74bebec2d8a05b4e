"""Twilio, calling: signed webhooks from a process of its own, so many at once on connections that stay open.

`python -m tests.bench.callers` reads a plan as JSON and prints what it saw as JSON.
"""

import base64
import hmac
import json
import random
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

GIVE_UP = 120.0
"""Seconds after which an answer is not waited for."""
OWN_NUMBER = "+15005550006"


@dataclass(frozen=True, slots=True)
class Calls:
    """What is to be called, and how."""

    url: str
    """Where, which is also what is signed."""
    token: str
    phones: tuple[str, ...]
    """Whose texts: one telephone after the other."""
    count: int
    prefix: int
    """Of the messages' ids, so that none is in two rounds."""
    again: float = 0.0
    """What share repeats an earlier call."""
    at_once: int = 16


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of it."""

    seconds: float
    times: tuple[float, ...]
    """Seconds from a call's last byte to its answer's, in order of length."""
    unlike: int
    """Answers other than 200 with an empty `<Response/>`."""
    texts: int
    """Different texts among the calls."""


def call(plan: Calls) -> Heard:
    """Carry a plan out in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.callers"]
    done = subprocess.run(command, input=json.dumps(asdict(plan)), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return Heard(**found | {"times": tuple(found["times"])})


def requests_of(plan: Calls) -> tuple[list[bytes], int]:
    """Every request, signed, ready to be written; and how many different ones there are."""
    dice = random.Random(plan.prefix)  # noqa: S311 -- the same calls every time
    made: list[bytes] = []
    texts = 0
    for _ in range(plan.count):
        if made and dice.random() < plan.again:
            made.append(dice.choice(made))
        else:
            made.append(_request(plan, texts))
            texts += 1
    return made, texts


def _request(plan: Calls, number: int) -> bytes:
    parts = urlsplit(plan.url)
    sid = f"SM{plan.prefix:08x}{number:024x}"
    form = _form(sid, plan.phones[number % len(plan.phones)], str(number % 8))
    signed = plan.url + "".join(f"{name}{form[name]}" for name in sorted(form))
    signature = base64.b64encode(hmac.digest(plan.token.encode(), signed.encode(), "sha1")).decode()
    body = urlencode(form)
    return (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nX-Twilio-Signature: {signature}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        f"User-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n\r\n{body}"
    ).encode()


def _form(sid: str, phone: str, body: str) -> dict[str, str]:
    """The parameters of a text, as many as Twilio sends."""
    place = {f"{whose}{what}": "" for whose in ("To", "From") for what in ("City", "State", "Zip")}
    return place | {
        "MessageSid": sid,
        "SmsSid": sid,
        "SmsMessageSid": sid,
        "AccountSid": "AC" + "0" * 32,
        "From": phone,
        "To": OWN_NUMBER,
        "Body": body,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
        "FromCountry": "DE",
        "ToCountry": "US",
    }


class _Line:
    """One connection that stays open, with one call at a time."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, GIVE_UP)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began = 0.0
        self._heard = b""

    def say(self, request: bytes) -> None:
        self._heard = b""
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def hear(self) -> bytes | None:
        """Read what is there; gives the answer once it is whole."""
        part = self.socket.recv(65536)
        self._heard += part
        head, found, body = self._heard.partition(b"\r\n\r\n")
        if not part:
            raise SystemExit("the server hung up")
        length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
        return self._heard if found and len(body) >= int(length.split(b":")[1]) else None


def exchanged(
    url: str, made: Sequence[bytes], at_once: int, good: Callable[[bytes], bool]
) -> tuple[float, list[float], int]:
    """Write these requests and hear the answers: (seconds, those of each, how many answers were not good)."""
    waiting = iter(made)
    parts = urlsplit(url)
    times: list[float] = []
    unlike = 0
    with selectors.DefaultSelector() as ready, ExitStack() as opened:
        lines = [_Line((parts.hostname or "", parts.port or 80)) for _ in range(at_once)]
        for line in lines:
            opened.callback(line.socket.close)
        began = time.perf_counter()
        for line, request in zip(lines, waiting, strict=False):
            ready.register(line.socket, selectors.EVENT_READ, line)
            line.say(request)
        for line in _heard_from(ready, len(made)):
            answer = line.hear()
            if answer is None:
                continue
            times.append(time.perf_counter() - line.began)
            unlike += not good(answer)
            if (request := next(waiting, b"")) != b"":
                line.say(request)
            if len(times) == len(made):
                break
        return time.perf_counter() - began, times, unlike


def _carried_out(plan: Calls) -> Heard:
    made, texts = requests_of(plan)
    took, times, unlike = exchanged(
        plan.url,
        made,
        plan.at_once,
        lambda answer: answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"<Response/>"),
    )
    return Heard(took, tuple(sorted(times)), unlike, texts)


def _heard_from(ready: selectors.BaseSelector, most: int) -> Iterator[_Line]:
    """Lines on which something is heard; at most so many answers' worth of waiting."""
    for _ in range(most * 10):
        found = ready.select(GIVE_UP)
        if not found:
            raise SystemExit("no answer")
        yield from (key.data for key, _ in found)


def quantile(times: Sequence[float], share: float) -> float:
    """The time that this share of calls did not exceed."""
    return times[min(int(len(times) * share), len(times) - 1)]


if __name__ == "__main__":
    told = json.load(sys.stdin)
    heard = _carried_out(Calls(**told | {"phones": tuple(told["phones"])}))
    sys.stdout.write(json.dumps(asdict(heard)))
