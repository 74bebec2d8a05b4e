"""Closed windows by site, channel and month, and complete cases: counts that move with the facts they count.

A case is complete when every window that its protocol's deciding items are asked in was completed, in time or late. It
is counted once all of these windows were due and have closed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Literal

from sqlalchemy import bindparam, insert, select, text, update

from pro_service.core.case import Case, Participant, WindowFacts
from pro_service.core.routes import CARD
from pro_service.store.bulk import change as change_rows
from pro_service.store.participants.cases import Loaded
from pro_service.store.schema import closings, participants, tallies, windows
from pro_service.store.session import Session

WHOLE = "*"
"""In place of a time point: the whole of one participant's case."""
p = participants.c
CALLS = "calls"
"""The channel of those who are only telephoned."""
COMPLETED = frozenset({"completed_in_window", "completed_late"})
NOT_DUE = frozenset({"missed_before_enrolment", "withdrawn", "died", "cancelled"})

Key = tuple[int, int, str, str, str, str]
"""(study id, site id, time point, channel, month, counted as)"""


def channel_of(person: Participant) -> str:
    """How a participant is asked now; who has no card yet is telephoned."""
    without_card = person.led_to == CARD and person.card_made_at is None
    return CALLS if without_card else person.led_to or CALLS


def month_of(window: WindowFacts) -> str:
    """The month in which a window's target lies, on the site's calendar."""
    return window.span.target.isoformat()[:7]


def completeness(case: Case, settled: Mapping[int, str | None]) -> Literal["complete", "incomplete"] | None:
    """What a case is counted as; None while one of its deciding windows is not due or has not closed.

    `settled`: by window id, how windows are counted where that differs from what the case says.
    """
    wanted = {point.code for point in case.protocol.time_points if case.protocol.primary(point) is not None}
    found = [settled.get(window.id, window.settled) for window in case.current if window.code in wanted]
    if not wanted or len(found) < len(wanted) or any(state is None or state in NOT_DUE for state in found):
        return None
    return "complete" if COMPLETED.issuperset(found) else "incomplete"


class Closings:
    """What one transaction will change of the counts."""

    def __init__(self) -> None:
        self._changes: dict[Key, int] = defaultdict(int)
        self._channels: dict[int, str] = {}
        """Window id -> channel, of windows that are counted for the first time."""

    def settle(
        self, session: Session, loaded: Loaded, window: WindowFacts, settled: str, others: Mapping[int, str | None]
    ) -> str:
        """Count a window as `settled`; return by which channel.

        `others`: windows of this case that the same transaction has counted.
        """
        case, before = loaded.case, others.get(window.id, window.settled)
        channel = self._channel(session, case.participant, window)
        key = (loaded.study_id, loaded.site_id, window.code, channel, month_of(window))
        self._changes[*key, settled] += 1
        if before is not None:
            self._changes[*key, before] -= 1
        whole = (loaded.study_id, loaded.site_id, WHOLE, "", "")
        was, now = completeness(case, others), completeness(case, {**others, window.id: settled})
        if now is not None and was != now:
            self._changes[*whole, now] += 1
        if was is not None and was != now:
            self._changes[*whole, was] -= 1
        return channel

    def reopen(self, session: Session, loaded: Loaded, window: WindowFacts, others: Mapping[int, str | None]) -> None:
        """Count a window no more, which was counted before its close."""
        before, case = others.get(window.id, window.settled), loaded.case
        channel = self._channel(session, case.participant, window)
        if before is not None:
            self._changes[loaded.study_id, loaded.site_id, window.code, channel, month_of(window), before] -= 1
        was = completeness(case, others)
        if was is not None and completeness(case, {**others, window.id: None}) is None:
            self._changes[loaded.study_id, loaded.site_id, WHOLE, "", "", was] -= 1

    def _channel(self, session: Session, person: Participant, window: WindowFacts) -> str:
        """The channel at the first count stays: a count must leave from where it was."""
        if window.settled is None:
            return self._channels.setdefault(window.id, channel_of(person))
        kept = session.scalar(select(windows.c.counted_channel).where(windows.c.id == window.id))
        return kept or channel_of(person)

    def write(self, session: Session) -> None:
        """Write everything, once; in one order for everybody, so that no two wait for each other."""
        if self._channels:
            rows = [{"w_id": key, "w_channel": channel} for key, channel in self._channels.items()]
            change_rows(session.connection(), _CHANNEL, rows)
        count(session, self._changes)
        self._changes.clear()
        self._channels.clear()


def tally(session: Session, changes: Mapping[tuple[int, int, str, str], int]) -> None:
    """Change the tallies, (study id, site id, time point, counted as), by so many; two may count the first at once."""
    names = [column.name for column in tallies.columns]
    for key, change in sorted(changes.items()):
        session.execute(_TALLY, dict(zip(names, (*key, change), strict=True)))


def count(session: Session, changes: Mapping[Key, int]) -> None:
    """Change the counts by so many."""
    names = [column.name for column in closings.columns]
    rows = [dict(zip(names, (*key, change), strict=True)) for key, change in sorted(changes.items()) if change]
    for row in rows:
        session.execute(_COUNT, row)


def move(session: Session, loaded: Loaded, site_id: int) -> None:
    """A participant goes to another site of the study, and what was counted of it goes along."""
    w, changes = windows.c, defaultdict[Key, int](int)
    person_id = loaded.case.participant.id
    counted = select(w.code, w.counted_channel, w.target, w.settled).where(
        w.participant_id == person_id, w.settled.is_not(None)
    )
    rows: Iterable[tuple[str, str, str, str]] = [
        (row.code, row.counted_channel, row.target.isoformat()[:7], row.settled) for row in session.execute(counted)
    ]
    whole = completeness(loaded.case, {})
    for row in (*rows, *([] if whole is None else [(WHOLE, "", "", whole)])):
        changes[loaded.study_id, loaded.site_id, *row] -= 1
        changes[loaded.study_id, site_id, *row] += 1
    count(session, changes)


def follow(session: Session, loaded: Loaded, settled: Mapping[int, str], then: Case) -> None:
    """Another version of the protocol holds: whether a case is complete may be another question now.

    `settled`: by window id, as this change has counted windows; `then`: the case as the version leaves it.
    """
    was, now = completeness(loaded.case, settled), completeness(then, {})
    if was != now:
        whole = (loaded.study_id, loaded.site_id, WHOLE, "", "")
        count(session, {(*whole, state): change for state, change in ((was, -1), (now, 1)) if state is not None})


_CHANNEL = update(windows).where(windows.c.id == bindparam("w_id")).values(counted_channel=bindparam("w_channel"))
_COUNT = text(
    str(insert(closings).compile())
    + " ON CONFLICT (study_id, site_id, code, channel, month, status) DO UPDATE SET count = closings.count + :count"
)
_TALLY = text(
    str(insert(tallies).compile())
    + " ON CONFLICT (study_id, site_id, code, status) DO UPDATE SET count = tallies.count + :count"
)
