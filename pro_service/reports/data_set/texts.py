"""Texts to participants at an instant: what had become of each by then, from what is stored of its attempts."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Select, and_, bindparam, case, select

from pro_service.core.case import PENDING
from pro_service.reports.data_set.frame import Frame
from pro_service.store.schema import AnyRow, attempts, messages, receipts, windows
from pro_service.store.session import Session

m, t = messages.c, attempts.c
WAITS = "pending"
"""The state of a text that is not known to have left."""
_IDS: BindParameter[Sequence[int]] = bindparam("ids", expanding=True)
_AS_OF: BindParameter[datetime] = bindparam("as_of", type_=m.queued_at.type)
_TEXTS: Select[Any] = (
    select(m.id, m.participant_id, m.window_id, m.kind, m.channel, m.segments, m.state, m.queued_at, m.accepted_at)
    .add_columns(m.sent_at, m.ended_at, m.attempt, m.error, windows.c.code.label("visit"))
    .add_columns(case((t.outcome == "accepted", t.ended_at)).label("taken_at"))
    .outerjoin(windows, windows.c.id == m.window_id)
    .outerjoin(attempts, and_(t.message_id == m.id, t.number == m.attempt))
    .where(m.participant_id.in_(_IDS), m.user_id.is_(None), m.queued_at <= _AS_OF)
    .order_by(m.queued_at, m.id)
)
_ATTEMPTS = (
    select(t.message_id, t.started_at, t.ended_at, t.outcome)
    .where(t.message_id.in_(_IDS), t.started_at <= _AS_OF)
    .order_by(t.message_id, t.number)
)
_RECEIPTS = (
    select(receipts.c.message_id, receipts.c.status, receipts.c.received_at)
    .where(receipts.c.message_id.in_(_IDS), receipts.c.received_at <= _AS_OF, ~receipts.c.contradicts)
    .order_by(receipts.c.received_at, receipts.c.id)
)


class Text(NamedTuple):
    """A text at the instant."""

    id: int
    participant_id: int
    window_id: int | None
    visit: str | None
    kind: str
    channel: str
    segments: int
    state: str
    queued_at: datetime
    accepted_at: datetime | None
    sent_at: datetime | None
    ended_at: datetime | None
    attempts: int
    error: str | None
    """Only of a text that had ended."""


def about(session: Session, frame: Frame, ids: Sequence[int], kinds: Collection[str] | None = None) -> Iterator[Text]:
    """Yield the texts to these participants, oldest first."""
    statement = _TEXTS if kinds is None else _TEXTS.where(m.kind.in_(sorted(kinds)))
    rows = session.execute(statement, {"ids": ids, "as_of": frame.as_of}).all()
    went_on = [row for row in rows if _went_on(row, frame.as_of)]
    told = _history(session, [row.id for row in went_on], frame.as_of)
    for row in rows:
        yield _then(row, told[row.id], frame.as_of) if row.id in told else _now(row)


def _went_on(row: AnyRow, as_of: datetime) -> bool:
    """Whether something may have become known of a text after the instant.

    It is put back when it failed, and goes again; and a provider may be asked later when it took a text.
    """
    if row.ended_at is not None or row.attempt == 0:
        return row.ended_at is not None and row.ended_at > as_of
    if row.state in PENDING or row.taken_at is None:
        return True
    return any(at is not None and at > as_of for at in (row.accepted_at, row.sent_at, row.taken_at))


def _now(row: AnyRow) -> Text:
    return _text(row, row.state, row.accepted_at, row.sent_at, row.attempt)


def _text(row: AnyRow, state: str, accepted_at: datetime | None, sent_at: datetime | None, tries: int) -> Text:
    over = state not in (*PENDING, WAITS, "accepted", "sent")
    return Text(
        id=row.id,
        participant_id=row.participant_id,
        window_id=row.window_id,
        visit=row.visit,
        kind=row.kind,
        channel=row.channel,
        segments=row.segments,
        state=WAITS if state in PENDING else state,
        queued_at=row.queued_at,
        accepted_at=accepted_at,
        sent_at=sent_at,
        ended_at=row.ended_at if over else None,
        attempts=tries,
        error=row.error if over else None,
    )


class _Told(NamedTuple):
    tries: list[AnyRow]
    heard: list[AnyRow]


def _history(session: Session, ids: Sequence[int], as_of: datetime) -> dict[int, _Told]:
    found: dict[int, _Told] = {}
    for first in range(0, len(ids), 500):
        some = ids[first : first + 500]
        found.update({row_id: _Told([], []) for row_id in some})
        for attempt in session.execute(_ATTEMPTS, {"ids": some, "as_of": as_of}):
            found[attempt.message_id].tries.append(attempt)
        for receipt in session.execute(_RECEIPTS, {"ids": some, "as_of": as_of}):
            found[receipt.message_id].heard.append(receipt)
    return found


def _then(row: AnyRow, told: _Told, as_of: datetime) -> Text:
    """Return what had become of a text: it may have been handed to the provider again since."""
    tries = len(told.tries)
    if row.ended_at is not None and row.ended_at <= as_of:
        return _text(row, row.state, row.accepted_at, row.sent_at, tries)
    if not tries:
        return _text(row, WAITS, None, None, 0)
    last = told.tries[-1]
    heard = [one for one in told.heard if one.received_at >= last.started_at]
    if any(one.status in ("delivered", "undelivered", "failed") for one in heard):
        # It had ended, and waits to be sent again: its end is not stored any more.
        return _text(row, WAITS, None, None, tries)
    accepted = heard[0].received_at if heard else None
    if last.outcome == "accepted" and last.ended_at <= as_of:
        # By the provider's own time, as long as that of this attempt is stored.
        own = row.accepted_at is not None and row.accepted_at <= as_of
        accepted = row.accepted_at if own else last.ended_at
    sent = next((one.received_at for one in heard if one.status == "sent"), None)
    state = WAITS if accepted is None else "accepted" if sent is None else "sent"
    return _text(row, state, accepted, sent, tries)
