"""Seal texts from before telephones had keys with the key of their telephone, in batches, while the service runs.

Each batch is one transaction: whatever ends this, every text is sealed with one key or the other.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from pro_service.runtime import Runtime
from pro_service.store.messages import telephone_keys

BATCH = 200
"""Few enough that a text which comes in at this moment waits for no longer than a tenth of a second."""
FOR = 30.0
"""Seconds after which the scheduler leaves the rest to its next beat."""


@dataclass(slots=True)
class ResealReport:
    """What was sealed anew, and how many texts could not be decrypted."""

    resealed: int = 0
    unreadable: int = 0


def reseal(
    rt: Runtime,
    stop: Event | None = None,
    *,
    seconds: float | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> ResealReport:
    """Seal all of them anew, or as many as so many `seconds` allow. `progress` is called with (done, of how many)."""
    began, report = time.monotonic(), ResealReport()
    with rt.sessions.reading() as session:
        total = telephone_keys.count_old(session)
    after = 0
    while total and not (stop is not None and stop.is_set()):
        if seconds is not None and time.monotonic() - began > seconds:
            break
        with rt.sessions.begin() as session:
            seen, unreadable = telephone_keys.reseal(session, rt.vault, after, BATCH)
        if not seen:
            break
        after = seen[-1]
        report.resealed += len(seen) - unreadable
        report.unreadable += unreadable
        progress(report.resealed + report.unreadable, total)
    return report
