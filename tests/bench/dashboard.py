"""H6: the dashboard's pages, signed in, beside a hand-written tally, keyset query and template."""

import dataclasses
import gc
import gzip
import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import count
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jinja2 import Template
from sqlalchemy import select, text

from pro_service.runtime import Runtime
from pro_service.store import schema
from pro_service.use_cases.tick import beat
from pro_service.web.app import create_app
from tests import support
from tests.bench import crowd
from tests.bench.places import NOW, Kind, Places, check
from tests.bench.rounds import LIMIT, OURS, Contender, Line, Plan, line, sampled, take_turns
from tests.bench.stories import Story

CALLS = 30
"""Of each page in one round."""
PAGES = (("today", "/"), ("grid", "/participants"), ("compliance", "/compliance"), ("messages", "/messages"))
TOLD = (("compliance", "/compliance"), ("messages", "/messages"))
"""Pages with figures as of the last tick."""
PEOPLED = ("/participants",)
PAGE = 50
LARGEST = 64 * 1024
BY_HAND = Template(
    "<table>{% for row in tally %}<tr><td>{{ row[0] }}</td><td>{{ row[1] }}</td></tr>{% endfor %}</table>"
    "<ul>{% for row in people %}<li>{{ row[0] }}</li>{% endfor %}</ul>",
    autoescape=True,
)


def measure(places: Places, plan: Plan, kind: Kind, stories: tuple[Story, ...]) -> Iterator[Line]:
    """For each number of participants one line for each page: today, the grid at both ends, the figures."""
    lines: list[Line] = []
    for size in plan.sizes:
        with ExitStack() as stack:
            rt = stack.enter_context(places.runtime(kind))
            crowd.gather(rt, stories, due=0, ahead=size)
            # What made the crowd is no part of a web server: its heap must not be searched at every request.
            gc.collect()
            gc.freeze()
            beat(rt, "tick")
            client = _signed_in(rt)
            driver = stack.enter_context(rt.sessions.engine.connect()).connection.driver_connection
            least = _by_hand(rt, driver)
            for name, path in (*PAGES, ("deep grid", _deep(rt, size))):
                lines.append(_page(f"H6 {name}", kind, size, _Look(client, path), least, plan.rounds))
            for name, path in TOLD:
                look = _Look(client, path, _ticks(rt))
                lines.append(_page(f"H6 {name}, first after a tick", kind, size, look, least, plan.rounds))
    yield from sorted(lines, key=lambda one: (one.measure, one.size))


@dataclasses.dataclass(frozen=True)
class _Look:
    """One page, and what happens before each look at it, which is not its time."""

    client: FlaskClient
    path: str
    before: Callable[[], object] = bool

    def once(self) -> None:
        check(self.client.get(self.path).status_code == 200, self.path)


def _ticks(rt: Runtime) -> Callable[[], object]:
    """Beats of the scheduler, one after the other: figures that are told as of the last are counted anew."""
    numbers = count(1)
    return lambda: beat(dataclasses.replace(rt, clock=lambda: NOW + timedelta(microseconds=next(numbers))), "tick")


def _page(name: str, kind: Kind, size: int, look: _Look, by_hand: Callable[[], object], rounds: int) -> Line:
    path, answer = look.path, look.client.get(look.path)
    check(answer.status_code == 200, f"{path} answered {answer.status_code}")
    whole = gzip.decompress(answer.data)
    check(not path.startswith(PEOPLED) or whole.count(b"C-") >= PAGE / 2, "the grid shows nobody")
    samples: list[float] = []

    def ours(_: int) -> float:
        found = sampled(look.once, CALLS, before=look.before)
        samples.extend(found)
        return statistics.median(found)

    contenders: dict[str, Contender] = {OURS: ours, LIMIT: lambda _: statistics.median(sampled(by_hand, CALLS))}
    times = take_turns(contenders, rounds)
    slow = statistics.quantiles(samples, n=100)[98]
    sizes = {"kB": len(whole) / 1024, "kB on the wire": len(answer.data) / 1024}
    return line(name, kind, size, "µs", times, **{"p99 ms": slow * 1e3, **sizes})


def _signed_in(rt: Runtime) -> FlaskClient:
    support.coordinator(rt, language="en")
    app: Flask = create_app(dataclasses.replace(rt, clock=lambda: NOW))
    client = app.test_client()
    support.sign_in(client)
    client.environ_base |= {"HTTP_ACCEPT_ENCODING": "gzip", "HTTP_SEC_FETCH_SITE": "same-origin"}  # as browsers do
    return client


def _deep(rt: Runtime, size: int) -> str:
    """The address of a page near the end."""
    p = schema.participants.c
    with rt.sessions.reading() as session:
        codes = select(p.code).order_by(p.code).offset(max(size - 3 * PAGE, 0)).limit(1)
        return f"/participants?after={session.execute(codes).scalar_one()}"


def _by_hand(rt: Runtime, driver: Any) -> Callable[[], object]:
    """The least a page of this kind must do: read tallies, read one page by its key, fill a template."""
    with rt.sessions.reading() as session:
        study_id = session.execute(text("SELECT id FROM studies")).scalar_one()
    tally = f"SELECT status, sum(count) FROM tallies WHERE study_id = {study_id} GROUP BY status"  # noqa: S608
    page = f"SELECT code FROM participants WHERE study_id = {study_id} AND code > 'C-1' ORDER BY code LIMIT {PAGE}"  # noqa: S608

    def once() -> object:
        tallied, people = driver.execute(tally).fetchall(), driver.execute(page).fetchall()
        return BY_HAND.render(tally=tallied, people=people)

    return once
