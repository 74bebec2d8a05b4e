"""Where a run happens: a fresh copy of one migrated database with the study and the staff already in it."""

import dataclasses
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from sqlalchemy import event

from pro_service import paths, runtime
from pro_service.runtime import Memory, Runtime
from pro_service.store.audit import Actor
from pro_service.store.database import make_engine
from pro_service.use_cases import study
from tests import support
from tests.peers import databases, postgres
from tests.peers.configuration import settings_for
from tests.simulation.breaking import Boundary, BreakingSessions

Kind: TypeAlias = Literal["sqlite", "postgresql"]
ALL_DAY = 'contact_hours = { from = "00:00", to = "24:00" }'
BY_DAY = 'contact_hours = { from = "09:00", to = "20:00" }'
TEMPLATE, RUN = "template_simulation", "run"


@dataclass(frozen=True, slots=True)
class Made:
    """What the template holds."""

    rt: Runtime
    """Its connections are closed; a run gives it a database of its own."""
    study_id: int
    coordinator: Actor
    investigator: Actor


class Places:
    """One database, made anew for each run while a block runs; its statements are prepared once for all of them."""

    def __init__(self, kind: Kind, folder: Path, server: postgres.Postgres | None) -> None:
        self._folder, self._server = folder, server
        template = server.create(TEMPLATE) if server else f"sqlite:///{folder / TEMPLATE}.db"
        databases.migrate(template, folder)
        self.made = _furnished(template, folder)
        url = server.url(RUN) if server else f"sqlite:///{folder / RUN}.db"
        self._engine = make_engine(settings_for(url, folder).database_url)
        if kind == "sqlite":
            event.listen(self._engine, "connect", _hurry)

    @contextmanager
    def fresh(self, boundary: Callable[[Boundary], None]) -> Iterator[Runtime]:
        """Give the product on a new database, whose process may be killed at `boundary`."""
        if self._server is not None:
            self._server.create(RUN, TEMPLATE)
        else:
            (self._folder / f"{RUN}.db").write_bytes((self._folder / f"{TEMPLATE}.db").read_bytes())
        sessions = BreakingSessions(self._engine, boundary)
        try:
            yield dataclasses.replace(self.made.rt, sessions=sessions, memory=Memory())
        finally:
            sessions.close()
            if self._server is not None:
                self._server.drop(RUN)
            for left in self._folder.glob(f"{RUN}.db*"):
                left.unlink()


@contextmanager
def places(kind: Kind = "sqlite") -> Iterator[Places]:
    """A folder and, where it is asked for, a PostgreSQL, while the block runs."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pro-simulation-")))
        server = stack.enter_context(postgres.running()) if kind == "postgresql" else None
        yield Places(kind, folder, server)


def protocol_text() -> str:
    """The demonstration's protocol, but with nights: what is texted at every hour proves nothing about hours."""
    text = (paths.protocols() / "demo.toml").read_text(encoding="utf-8")
    if ALL_DAY not in text:
        raise LookupError(ALL_DAY)
    return text.replace(ALL_DAY, BY_DAY)


def _furnished(url: str, folder: Path) -> Made:
    """Load the study and give the staff accounts; the connections are closed, so that the database can be copied."""
    rt = runtime.open_runtime(settings_for(url, folder))
    # One sender at a time: what happens in a run hangs on its seed alone.
    delivery = dataclasses.replace(rt.settings.delivery, workers=1)
    # Before the first of all lives begins.
    clock = support.SetClock(datetime(2025, 12, 1, tzinfo=UTC))
    rt = dataclasses.replace(rt, settings=dataclasses.replace(rt.settings, delivery=delivery), clock=clock)
    study_id = study.load(rt, support.SETUP, protocol_text()).study.id
    user_id = support.coordinator(rt, "coordinator@example.org")
    lead_id = support.coordinator(rt, "investigator@example.org", role="investigator")
    rt.sessions.close()
    coordinator, lead = (Actor("staff", f"user:{one}", "dashboard", user_id=one) for one in (user_id, lead_id))
    return Made(rt, study_id, coordinator, lead)


def _hurry(connection: Any, _record: object) -> None:
    """Power cuts are not what this is about: a commit need not wait for the disk."""
    connection.execute("PRAGMA synchronous = OFF")
