"""What answers call for, however they come: a text, the web form, a telephone call, the clinic, an import."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pro_service.core.case import PENDING, PROMPTS, STAFF_SOURCES, Answer, Case, Source, WindowFacts
from pro_service.core.commands import CancelTexts, Command, Record, Resolve, Settle, Unresolve
from pro_service.core.schedule.agenda import escalate
from pro_service.core.schedule.status import settled_as

CORRECTION = timedelta(minutes=10)
"""Another number this soon after an answer is about that answer."""
PATIENCE = timedelta(hours=2)
"""How long a reply of ours is worth sending."""
CLEARED = "answer_cleared"
"""Why a task is open again that an answer had ended."""
BY_ANSWER = frozenset({"answered", "answered_late", "completed_now"})
"""Outcomes that an answer gives a task."""


def editable(window: WindowFacts, source: Source, received_at: datetime) -> frozenset[str]:
    """Return the items whose answer may change now.

    Until the close all of them; after it, until late answers end, those without an answer. Staff may change all at any
    time from the opening on, with a reason. A measurement of before is imported at any time.
    """
    span = window.span
    if source == "import" or (source in STAFF_SOURCES and received_at >= span.opens_at):
        return frozenset(window.point.items)
    if span.opens_at <= received_at < span.closes_at:
        return frozenset(window.point.items)
    if span.closes_at <= received_at < span.late_until:
        return frozenset(window.missing())
    return frozenset()


def on_answers(
    case: Case,
    window: WindowFacts,
    answers: Mapping[str, int | None],
    *,
    source: Source,
    received_at: datetime,
    now: datetime,
    inbound_id: int | None = None,
    entered_by: int | None = None,
    reason: str | None = None,
    again: bool = False,
    cleared: Collection[str] = (),
) -> tuple[Command, ...]:
    """Return the records of new answers (item -> value, None = declined), and what follows from them.

    The items that are `cleared` are missing again: what was kept of them was never this participant's answer.

    An answer that is the same as the newest version changes nothing, so a double click makes one version. With
    `again` it is a version too: who must not learn the value would learn from its absence that it was the same.
    """
    allowed = editable(window, source, received_at)
    taken_away = [item for item in cleared if window.has_answer(item)]
    new = [(item, value, value is None) for item, value in answers.items() if again or not _same(window, item, value)]
    records = [
        Record(
            window_id=window.id,
            item=item,
            value=value,
            declined=declined,
            source=source,
            received_at=received_at,
            in_window=_in_window(window, item, source, received_at),
            inbound_id=inbound_id,
            entered_by=entered_by,
            reason=reason,
        )
        for item, value, declined in (*new, *((item, None, False) for item in taken_away))
        if item in allowed
    ]
    if not records:
        return ()
    return (*records, *_consequences(case, with_records(window, records), records, source, now))


def _in_window(window: WindowFacts, item: str, source: Source, received_at: datetime) -> bool:
    """Whether an answer counts as in time: by its arrival; a correction by staff, by the arrival of what it corrects.

    A baseline column is a transcript of what was measured in its window.
    """
    if source == "import" or window.span.opens_at <= received_at < window.span.closes_at:
        return True
    return source in STAFF_SOURCES and window.has_answer(item) and window.answers[item].in_window


def _same(window: WindowFacts, item: str, value: int | None) -> bool:
    answer = window.answers.get(item)
    return answer is not None and answer.given and answer.value == value and answer.declined == (value is None)


def with_records(window: WindowFacts, records: Sequence[Record]) -> WindowFacts:
    """Return the window as it will be once these answers are recorded."""
    new = {
        r.item: Answer(
            item=r.item,
            value=r.value,
            declined=r.declined,
            version=0,
            source=r.source,
            received_at=r.received_at,
            in_window=r.in_window,
        )
        for r in records
    }
    return replace(window, answers={**window.answers, **new})


def _consequences(
    case: Case, window: WindowFacts, records: list[Record], source: Source, now: datetime
) -> Iterator[Command]:
    primary = case.protocol.primary(window.point)
    answered = window.has_answer(primary) if primary is not None else not window.missing()
    if answered:
        yield from _resolve_answered(case, window, source, late=records[-1].received_at >= window.span.closes_at)
    elif case.participant.erased_at is None and any(r.value is None and not r.declined for r in records):
        yield from _open_again(case, window, primary, now)
    lead = window.answers.get(primary) if primary else None
    if not window.missing() or (lead is not None and lead.declined) or _asked_in_vain(case, window):
        yield CancelTexts(window.id)
    if window.settled is not None:
        # Counted already: a late answer moves it from one tally to the other.
        settled = settled_as(window, case.participant, primary, now)
        if settled != window.settled:
            yield Settle(window.id, settled)
    review = escalate(case, "ES", "score_threshold", now, window)
    high = any(
        record.value is not None and _needs_review(case, window, record.item, record.value) for record in records
    )
    if high and not case.escalated(review.key) and case.participant.erased_at is None:
        # Who was erased has no number any more: nobody could call.
        yield review


def _asked_in_vain(case: Case, window: WindowFacts) -> bool:
    """Whether a prompt that has not left asks what was answered; what is still missing is asked in its place."""
    waiting = (text for text in case.texts(window.id) if text.kind in PROMPTS and text.state in PENDING)
    return any(text.item is not None and window.has_answer(text.item) for text in waiting)


def _resolve_answered(case: Case, window: WindowFacts, source: Source, *, late: bool) -> Iterator[Command]:
    """Yield the end of tasks about getting this answer: calls while the window is open, the whole ladder after it."""
    in_time = "completed_now" if source == "telephone" else "answered"
    for escalation in case.escalations:
        if escalation.open and escalation.window_id == window.id and escalation.level in ("E1", "E2", "E3", "E4"):
            yield Resolve(escalation.id, "answered_late" if late else in_time)


def _open_again(case: Case, window: WindowFacts, primary: str | None, now: datetime) -> Iterator[Command]:
    """Yield what an answer that is taken away leaves to do: calls while the window is open, its reason after it."""
    closed = now >= window.span.closes_at
    for escalation in case.escalations:
        of_window = escalation.window_id == window.id and not escalation.open and escalation.outcome in BY_ANSWER
        if of_window and escalation.level in (("E3", "E4") if closed else ("E1", "E2")):
            yield Unresolve(escalation.id, CLEARED)
    missed = escalate(case, "E3", "missed", now, window)
    if closed and settled_as(window, case.participant, primary, now) == "missed" and not case.escalated(missed.key):
        yield missed


def _needs_review(case: Case, window: WindowFacts, item: str, value: int) -> bool:
    """Whether a score is so high, or so much worse than at baseline, that the clinic must look at it."""
    rule = case.protocol.items[item]
    baseline = case.protocol.baseline
    if baseline is not None and window.code == baseline.code:
        return False
    if rule.review_at is not None and value >= rule.review_at:
        return True
    before = case.baseline(item)
    return rule.review_rise is not None and before is not None and value - before >= rule.review_rise
