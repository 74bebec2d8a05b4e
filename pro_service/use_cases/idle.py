"""Whether a tick has anything to do: a glance of its own, for what decides takes longer to import than to look."""

from dataclasses import dataclass
from datetime import datetime

from pro_service.runtime import Runtime
from pro_service.store import due
from pro_service.store.due import Due
from pro_service.use_cases import trusted_time


@dataclass(slots=True)
class TickReport:
    """What one tick did."""

    looked_at: int = 0
    commands: int = 0
    texts_read: int = 0
    faults: int = 0
    digests: int = 0


def look(rt: Runtime, now: datetime) -> Due:
    """Return what there is to do; a site's morning counts only where mails can be sent."""
    with rt.sessions.glance() as connection:
        found = due.anything(connection, now)
    return found._replace(digests=found.digests and rt.mail is not None)


def is_idle(rt: Runtime) -> bool:
    """Whether time calls for nothing now, and there is nothing to undo of a wrong clock."""
    return not (any(look(rt, rt.clock())) or trusted_time.repair_is_due(rt))
