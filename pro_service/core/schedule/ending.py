"""What the close of a study means for one participant: waiting texts are cancelled, and every window ends.

A window that had not closed is counted if its answers say how; otherwise it ends uncounted, because nobody missed it.
"""

from collections.abc import Iterator
from datetime import datetime

from pro_service.core.case import PENDING, Case
from pro_service.core.commands import CancelTexts, Command, EndWindow, Settle
from pro_service.core.schedule.status import settled_as

UNANSWERED = frozenset({"missed", "missed_before_enrolment"})


def on_end_of_study(case: Case, closed_at: datetime) -> Iterator[Command]:
    """Yield what is still to be done; nothing once it is done."""
    waiting = (text for text in case.messages if text.state in PENDING and text.queued_at <= closed_at)
    if any(text.useful_until is None or text.useful_until > closed_at for text in waiting):
        yield CancelTexts(replies=True)
    for window in case.current:
        if window.settled is not None:
            continue
        closes = window.span.closes_at
        settled = settled_as(window, case.participant, case.protocol.primary(window.point), max(closes, closed_at))
        if settled in UNANSWERED and closes > closed_at:
            yield EndWindow(window.id)
        else:
            yield Settle(window.id, settled)
