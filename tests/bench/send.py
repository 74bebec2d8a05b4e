"""H3: the outbox through the real SDK to a Twilio that answers after 0 or 100 ms; with faults; and at a sender's pace.

The limit is C / latency, or a hand-written client where there is none; the peer is the SDK's own client in threads.
"""

import dataclasses
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta
from itertools import count, islice
from urllib.parse import urlencode, urlsplit

from sqlalchemy import func, select
from twilio.rest import Client

from pro_service.core.providers import Pace
from pro_service.gateways.twilio.texts import TwilioTexts
from pro_service.runtime import Runtime
from pro_service.store import schema
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.delivery.reconcile import reconcile
from pro_service.use_cases.tick import tick
from tests.bench import crowd
from tests.bench.callers import exchanged
from tests.bench.places import NOW, Kind, Places, check
from tests.bench.provider import SILENT_EVERY, Handle, provided
from tests.bench.rounds import LIMIT, OURS, Contender, Line, Plan, line, take_turns
from tests.bench.stories import Story
from tests.peers.configuration import ACCOUNT_SID, AUTH_TOKEN

LATENCY = 0.1
QUICKLY = (8, 32)
WORKERS = (8, 32, 64, 100)
WAVES, WAVES_QUICK = 40, 15
"""Messages of one round, for each worker."""
AT_ZERO, AT_ZERO_QUICK = 2_000, 500
FAULTY_WORKERS = 32
TIME_OUT = 1.0
PATIENT = 30.0
"""Seconds a client waits where nothing fails."""
PACE, PACED_FOR, PACED_FOR_QUICK = 20.0, 10, 5
ROUNDS_OF_ASKING = 12
ENDED = {"accepted", "dead"}
PEER = "twilio SDK"
NUMBER = "+15005550006"


class Running:
    """A clock that goes on from NOW, and can be put forward."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return NOW + self.ahead + timedelta(seconds=time.monotonic() - self._began)


class Outbox:
    """Invitations that wait, so many at a time, and the product that sends them."""

    def __init__(self, rt: Runtime, provider: Handle, stories: tuple[Story, ...], messages: int) -> None:
        self.provider = provider
        self._due = iter(crowd.gather(rt, stories, due=messages, ahead=0).due)
        self.clock = Running()
        self.rt = dataclasses.replace(rt, clock=self.clock)

    def filled(
        self, messages: int, workers: int, *, wait: float = PATIENT, pace: float = 0.0
    ) -> tuple[Runtime, TwilioTexts]:
        """The product with this many workers and its way out, and as many texts ready to be sent."""
        delivery = dataclasses.replace(
            self.rt.settings.delivery,
            workers=workers,
            timeouts={"sms": wait},
            paces={"sms": Pace(pace)},
            ask_after=timedelta(seconds=2),
            ask_again=timedelta(seconds=1),
        )
        crowd.wake(self.rt, tuple(islice(self._due, messages)))
        check(tick(self.rt).faults == 0, "a tick had faults")
        gateway = TwilioTexts(
            ACCOUNT_SID,
            auth_token=AUTH_TOKEN,
            from_number=NUMBER,
            base_url=self.provider.url,
            timeouts=(wait, wait),
            pool_size=workers,
        )
        settings = dataclasses.replace(self.rt.settings, delivery=delivery)
        return dataclasses.replace(self.rt, settings=settings, texts={"sms": gateway}), gateway

    def sent(self, messages: int, workers: int, latency: float) -> float:
        """Send them; gives the seconds for one."""
        rt, gateway = self.filled(messages, workers)
        self.provider.reset(latency=latency)
        began = time.perf_counter()
        report = deliver(rt)
        took = time.perf_counter() - began
        gateway.close()
        check(report.accepted == messages, f"{report.accepted} of {messages} were accepted")
        _once_each(self.provider, messages)
        return took / messages

    def states(self) -> dict[str, int]:
        """State -> how many messages."""
        m = schema.messages.c
        with self.rt.sessions.reading() as session:
            found = session.execute(select(m.state, func.count()).group_by(m.state)).all()
        return {row[0]: row[1] for row in found}


def measure(places: Places, plan: Plan, kind: Kind, stories: tuple[Story, ...]) -> Iterator[Line]:
    """One line for each latency and number of workers, one with faults, one at a sender's pace."""
    at_zero = AT_ZERO_QUICK if plan.quick else AT_ZERO
    waves = WAVES_QUICK if plan.quick else WAVES
    seconds = PACED_FOR_QUICK if plan.quick else PACED_FOR
    # (seconds, workers, messages)
    steps = [(0.0, workers, at_zero) for workers in QUICKLY]
    steps += [(LATENCY, workers, workers * waves) for workers in (QUICKLY if plan.quick else WORKERS)]
    faulty, paced = FAULTY_WORKERS * waves, int(PACE * seconds / 2)
    total = sum(messages for _, _, messages in steps) * plan.rounds + faulty + paced
    with ExitStack() as stack:
        rt = stack.enter_context(places.runtime(kind))
        provider = stack.enter_context(provided(places.folder))
        outbox = Outbox(rt, provider, stories, total)
        for latency, workers, messages in steps:
            yield _line(outbox, kind, workers, messages, latency, plan.rounds)
        yield _faults(outbox, kind, FAULTY_WORKERS, faulty)
        yield _paced(outbox, kind, paced)


def _line(outbox: Outbox, kind: Kind, workers: int, messages: int, latency: float, rounds: int) -> Line:
    def limit(_: int) -> float:
        return latency / workers if latency else by_hand(outbox.provider, messages, workers)

    contenders: dict[str, Contender] = {
        OURS: lambda _: outbox.sent(messages, workers, latency),
        LIMIT: limit,
        PEER: lambda _: _by_sdk(outbox.provider, messages, workers, latency),
    }
    times = take_turns(contenders, rounds)
    return line(f"H3 send, {latency * 1e3:.0f} ms", kind, workers, "/s", times, messages=messages)


def _once_each(provider: Handle, messages: int) -> None:
    seen = provider.seen()
    check(seen["accepted"] == messages, f"{seen['accepted']} of {messages} arrived")
    check(seen["most"] == 1, "something arrived twice")


def by_hand(provider: Handle, messages: int, at_once: int) -> float:
    """Write requests that are ready, on connections that stay open."""
    provider.reset()
    place = urlsplit(provider.url)
    made = []
    for number in range(messages):
        body = urlencode({"To": f"+49151{number:08}", "From": NUMBER, "Body": "x" * 160, "SmartEncoded": "False"})
        made.append(
            f"POST /2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json HTTP/1.1\r\nHost: {place.netloc}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
    took, _, unlike = exchanged(provider.url, made, at_once, lambda answer: answer.startswith(b"HTTP/1.1 201 "))
    check(unlike == 0, "the limit was refused")
    _once_each(provider, messages)
    return took / messages


def _by_sdk(provider: Handle, messages: int, workers: int, latency: float) -> float:
    """The SDK as it comes, one client for all threads."""
    provider.reset(latency=latency)
    client = Client(ACCOUNT_SID, AUTH_TOKEN)
    client.api.base_url = provider.url
    numbers = count()

    def one() -> None:
        client.messages.create(to=f"+49151{next(numbers):08}", from_=NUMBER, body="x" * 160)

    began = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        sent = [pool.submit(one) for _ in range(messages)]
    took = time.perf_counter() - began
    for future in sent:
        future.result()
    _once_each(provider, messages)
    return took / messages


def _faults(outbox: Outbox, kind: Kind, workers: int, messages: int) -> Line:
    """One call in ten is refused as one too many, one in twenty is never answered; in the end each arrived once."""
    rt, gateway = outbox.filled(messages, workers, wait=TIME_OUT)
    outbox.provider.reset(latency=LATENCY, faults=True)
    before = outbox.states()["accepted"]
    began = time.perf_counter()
    report = deliver(rt)
    took = time.perf_counter() - began
    calls = report.accepted + report.unavailable + report.uncertain
    again, ended = 0, outbox.states()
    for _ in range(ROUNDS_OF_ASKING):
        outbox.clock.ahead += timedelta(seconds=30)
        again += reconcile(rt).sent_again
        deliver(rt)
        ended = outbox.states()
        if set(ended) <= ENDED:
            break
    gateway.close()
    # What stays unanswered twice is nobody's guess any more: a person was told.
    told = ended.get("dead", 0)
    arrived = ended["accepted"] - before
    check(set(ended) <= ENDED and arrived + told == messages, f"in the end there are {ended}")
    _once_each(outbox.provider, arrived)
    silent = 1 / SILENT_EVERY
    limit = ((1 - silent) * LATENCY + silent * TIME_OUT) / workers
    times = {OURS: [took / calls], LIMIT: [limit]}
    more = {"refused": report.unavailable, "unanswered": report.uncertain, "sent again": again, "to a person": told}
    return line("H3 send, faults", kind, workers, "/s", times, lost=0, duplicated=0, **more)


def _paced(outbox: Outbox, kind: Kind, messages: int) -> Line:
    """At a sender's pace: the rate at the provider, and the most segments that arrived within any second."""
    rt, gateway = outbox.filled(messages, 8, pace=PACE)
    outbox.provider.reset()
    deliver(rt)
    gateway.close()
    arrived = outbox.provider.seen()["arrived"]
    segments = _segments(outbox.rt)
    moments = [(at, segments[rt.vault.index("phone", to)]) for to, at in arrived]
    rate = sum(count for _, count in moments[:-1]) / (moments[-1][0] - moments[0][0])
    within = [sum(n for at, n in moments if start <= at < start + 1) for start, _ in moments]
    largest = max(count for _, count in moments)
    check(max(within) <= PACE + largest, f"{max(within)} segments within one second")
    # Below the pace is a figure, "of limit"; above it is a fault.
    check(rate <= PACE * 1.01, f"{rate:.2f} segments a second instead of {PACE:.0f}")
    times = {OURS: [1 / rate], LIMIT: [1 / PACE]}
    return line("H3 send, paced", kind, 8, "/s", times, **{"most within 1 s": max(within), "messages": messages})


def _segments(rt: Runtime) -> dict[bytes, int]:
    """Blind index of a telephone -> segments of its last text."""
    m, p = schema.messages.c, schema.participants.c
    with rt.sessions.reading() as session:
        found = session.execute(select(p.phone_index, m.segments).join(schema.messages, m.participant_id == p.id))
        return {row[0]: row[1] for row in found.all()}
