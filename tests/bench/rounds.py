"""Rounds in which ours, the limit and the peers take turns, and what is made of them: medians of ratios, slopes."""

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Literal

Unit = Literal["/s", "µs", "s", "MiB"]
Contender = Callable[[int], float]
"""(number of the round) -> seconds for one unit of work."""

OURS, LIMIT = "ours", "limit"


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for on the command line."""

    rounds: int
    sizes: tuple[int, ...]
    """Participants (H2, H4, H5, H6, H8)."""
    ahead: tuple[int, ...]
    """Windows that lie in the future (H1, H8)."""
    due: int
    """Participants who are due at once (H1, H8)."""
    calls: int
    """Texts that come in during one round (H4)."""
    databases: tuple[str, ...]
    quick: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table. Times are medians in seconds (memory: MiB), ratios medians of the rounds' ratios."""

    measure: str
    database: str
    size: int
    unit: Unit
    ours: float
    limit: float
    of_limit: float
    """How far from the limit: ours / limit, as rates; 1 = there."""
    peers: Mapping[str, float] = field(default_factory=dict)
    of_peers: Mapping[str, float] = field(default_factory=dict)
    """How many times faster than each peer."""
    more: Mapping[str, float | str] = field(default_factory=dict)
    slope: float | None = None
    """Log-log growth of ours over the sizes: 0 is flat."""
    slope_of_limit: float | None = None
    """The same of ours / limit: what a machine that slows down meanwhile does not move."""


def take_turns(contenders: Mapping[str, Contender], rounds: int) -> dict[str, list[float]]:
    """Run every contender once a round, each round beginning with another one."""
    names = list(contenders)
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            times[name].append(contenders[name](number))
    return times


def line(
    measure: str, database: str, size: int, unit: Unit, times: Mapping[str, Sequence[float]], **more: float | str
) -> Line:
    """Sum rounds up."""
    others = [name for name in times if name not in (OURS, LIMIT)]

    def ratio(over: str, under: str) -> float:
        return statistics.median(a / b for a, b in zip(times[over], times[under], strict=True))

    return Line(
        measure=measure,
        database=database,
        size=size,
        unit=unit,
        ours=statistics.median(times[OURS]),
        limit=statistics.median(times[LIMIT]),
        of_limit=ratio(LIMIT, OURS),
        peers={name: statistics.median(times[name]) for name in others},
        of_peers={name: ratio(name, OURS) for name in others},
        more=more,
    )


def with_slopes(lines: Sequence[Line]) -> list[Line]:
    """Add the growth of each measure over its sizes, where there are two or more."""
    done = []
    for _, group in groupby(lines, key=lambda one: (one.measure, one.database)):
        alike = list(group)
        own = _slope([(one.size, one.ours) for one in alike])
        of_limit = _slope([(one.size, 1 / one.of_limit) for one in alike])
        done += [replace(one, slope=own, slope_of_limit=of_limit) for one in alike]
    return done


def _slope(points: Sequence[tuple[int, float]]) -> float | None:
    sized = [(math.log(size), math.log(time)) for size, time in points if size]
    return statistics.linear_regression(*zip(*sized, strict=True)).slope if len(sized) > 1 else None


def typical(work: Callable[[], object], times: int) -> float:
    """The median of so many calls, in seconds."""
    return statistics.median(sampled(work, times))


def sampled(work: Callable[[], object], times: int, *, before: Callable[[], object] = bool) -> list[float]:
    """How long each of so many calls took, in seconds, in order of length; without what is done `before` each."""
    found = []
    for _ in range(times):
        before()
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return sorted(found)
