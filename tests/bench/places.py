"""Where the benchmarks run: databases of both kinds that keep their promises in a crash, and runtimes on them."""

import dataclasses
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import make_url

from pro_service import paths, runtime
from pro_service.gateways.nowhere import NowhereGateway
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.use_cases import study
from tests.peers import postgres
from tests.peers.configuration import settings_for

Kind = Literal["sqlite", "postgresql"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgresql")
NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
"""A Wednesday noon: every benchmark happens at this instant."""
ACTOR = Actor(kind="system", id="bench", source="cli")
STUDY = "DEMO"


class FaultyWorkError(Exception):
    """The work that was timed was not done, or not right: its time means nothing."""


def check(true: object, what: str) -> None:
    """Raise FaultyWorkError unless it is so: a fast wrong result must not look like a record."""
    if not true:
        raise FaultyWorkError(what)


class Places:
    """Fresh databases while a block runs."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self._server: postgres.Postgres | None = None

    def url(self, kind: Kind) -> str:
        """The address of a new, empty database."""
        name = f"bench_{secrets.token_hex(4)}"
        if kind == "sqlite":
            return f"sqlite:///{self.folder / name}.db"
        if self._server is None:
            self._server = self._stack.enter_context(postgres.running(safe=True))
        return self._server.create(name)

    def gone(self, url: str) -> None:
        """Give back the room of a database that is not needed any more."""
        name = Path(make_url(url).database or "").name
        if url.startswith("sqlite"):
            for file in self.folder.glob(f"{name}*"):
                file.unlink()
        elif self._server is not None:
            self._server.drop(name)

    @contextmanager
    def runtime(self, kind: Kind) -> Iterator[Runtime]:
        """The product on a fresh database with the demonstration study, its clock at NOW, its texts going nowhere."""
        url = self.url(kind)
        settings = settings_for(url, self.folder)
        runtime.upgrade(settings, test=True)
        opened = runtime.open_runtime(settings)
        rt = dataclasses.replace(opened, clock=lambda: NOW, texts={"sms": NowhereGateway()})
        try:
            study.load(rt, ACTOR, (paths.protocols() / "demo.toml").read_text(encoding="utf-8"))
            yield rt
        finally:
            opened.close()
            self.gone(url)


@contextmanager
def places() -> Iterator[Places]:
    """A folder and, when asked for, a PostgreSQL with fsync, while the block runs."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pro-bench-")))
        yield Places(folder, stack)
