"""The demonstration study on a fresh database, whose clock is ours, and who works on it."""

from collections.abc import Iterator

import pytest

from pro_service.runtime import Runtime, open_runtime
from pro_service.settings import Settings
from pro_service.store.audit import Actor
from tests import support


@pytest.fixture
def clock() -> support.SetClock:
    """Return the clock of the runtime."""
    return support.SetClock(support.at("2026-01-05 15:00"))


@pytest.fixture
def rt(settings: Settings, clock: support.SetClock) -> Iterator[Runtime]:
    """Return a runtime with the demonstration study."""
    runtime = support.with_clock(open_runtime(settings), clock)
    support.load_demo(runtime)
    yield runtime
    runtime.close()


@pytest.fixture
def study_id(rt: Runtime) -> int:
    """Return the demonstration study."""
    return support.load_demo(rt)


@pytest.fixture
def actor(rt: Runtime) -> Actor:
    """Return a coordinator."""
    user = support.coordinator(rt)
    return Actor(kind="staff", id=f"user:{user}", source="dashboard", user_id=user)
