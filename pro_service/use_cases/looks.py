"""Record in the trail who looks at scores or conversations or downloads a file: a row for each page and sign-in.

The row is written after the response is sent: no page waits for it, and none fails because of it.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pro_service import logs
from pro_service.runtime import Runtime
from pro_service.store import looks
from pro_service.store.audit import Actor, Entry
from pro_service.store.participants import cases
from pro_service.use_cases.staff.accounts import UTC
from pro_service.use_cases.transaction import transaction

Action: TypeAlias = Literal["look", "download"]
REMEMBERED = 10_000
"""How many recorded looks a process remembers; about others it asks the database."""


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody looked at, in one session."""

    action: Action
    page: str
    study_id: int | None
    """None: a page of the reader's own."""
    session_id: int
    """Row id of the sign-in."""
    participant: str | None = None
    """Code of the participant on the page."""
    inbound_id: int | None = None
    """The text that the page shows."""


def note(rt: Runtime, actor: Actor, look: Look) -> None:
    """Write the row of a look, unless this session has one for this page."""
    known = rt.memory.looks
    if look in known:
        return
    try:
        _write(rt, actor, look)
    except Exception as fault:  # noqa: BLE001 -- the response is sent; that nothing can be saved shows on every page
        logs.event("look.not_written", error=type(fault).__name__)
        return
    if len(known) >= REMEMBERED:
        known.clear()
    known.add(look)


def _write(rt: Runtime, actor: Actor, look: Look) -> None:
    changes: dict[str, tuple[object, object]] = {
        "page": (None, look.page),
        "session": (None, look.session_id),
    }
    if look.inbound_id is not None:
        changes["inbound"] = (None, look.inbound_id)
    with rt.sessions.reading() as session:
        of = None
        if look.study_id is not None and look.participant is not None:
            of = cases.find(session, look.study_id, look.participant)
        if looks.recorded(session, actor, look.action, of, changes):
            return
    with transaction(rt, actor, rt.clock()) as tx:
        tx.writer.audit(Entry(look.action, "page", None, changes, look.study_id, of), UTC)
