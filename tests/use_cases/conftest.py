"""A runtime on a fresh database, whose clock and telephones are ours."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pro_service.runtime import Runtime, open_runtime
from pro_service.settings import Settings
from tests import support
from tests.telephones import Telephones

START = support.at("2026-03-02 15:00")
"""A Monday: the day of the procedure in most tests."""


@pytest.fixture
def clock() -> support.SetClock:
    """Return the clock of every use case."""
    return support.SetClock(START)


@pytest.fixture
def phones(clock: support.SetClock) -> Telephones:
    """Return the telephones that texts arrive on."""
    return Telephones(clock=clock)


@pytest.fixture
def rt(settings: Settings, clock: support.SetClock, phones: Telephones) -> Iterator[Runtime]:
    """Return a runtime with our clock and telephones, without a study."""
    runtime = replace(support.with_clock(open_runtime(settings), clock), texts={"sms": phones})
    yield runtime
    runtime.close()


@pytest.fixture
def study_id(rt: Runtime) -> int:
    """Return the demonstration study, loaded."""
    return support.load_demo(rt)
