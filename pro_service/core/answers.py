"""What answers call for, whoever brings them: a text, the web form, a telephone call, the clinic, an import."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from pro_service.core.case import Answer, Case, Source, WindowFacts, settled_as
from pro_service.core.commands import CancelTexts, Command, Record, Resolve, Settle
from pro_service.core.decisions import escalate

STAFF: frozenset[Source] = frozenset({"telephone", "clinic", "import"})
"""Sources behind which a member of staff stands."""


def editable(window: WindowFacts, source: Source, received_at: datetime) -> frozenset[str]:
    """Items whose answer may change now.

    Until the close all of them; after it, until late answers end, those without an answer; staff correct a given
    answer at any time, with a reason.
    """
    span = window.span
    if source in STAFF:
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
) -> tuple[Command, ...]:
    """Keep answers (item -> value, None = declined) that are new, and draw the consequences.

    An answer that is the same as the newest version changes nothing, so a double click makes one version.
    """
    allowed = editable(window, source, received_at)
    # A baseline column is a transcript of what was measured in its window; every other answer counts by its arrival.
    in_window = source == "import" or window.span.opens_at <= received_at < window.span.closes_at
    records = [
        Record(
            window_id=window.id,
            item=item,
            value=value,
            declined=value is None,
            source=source,
            received_at=received_at,
            in_window=in_window,
            inbound_id=inbound_id,
            entered_by=entered_by,
            reason=reason,
        )
        for item, value in answers.items()
        if item in allowed and not _same(window, item, value)
    ]
    if not records:
        return ()
    return (*records, *_consequences(case, _with(window, records), records, source, now))


def _same(window: WindowFacts, item: str, value: int | None) -> bool:
    answer = window.answers.get(item)
    return answer is not None and answer.given and answer.value == value and answer.declined == (value is None)


def _with(window: WindowFacts, records: list[Record]) -> WindowFacts:
    """The window as it will be once these are kept."""
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
    answered = window.given(primary) if primary is not None else not window.missing()
    if answered:
        yield from _ended(case, window, source)
    lead = window.answers.get(primary) if primary else None
    if not window.missing() or (lead is not None and lead.declined):
        yield CancelTexts(window.id)
    if window.settled is not None:
        # Counted already: a late answer moves it from one tally to the other.
        settled = settled_as(window, case.participant, primary, now)
        if settled != window.settled:
            yield Settle(window.id, settled)
    for record in records:
        if record.value is not None and _needs_review(case, window, record.item, record.value):
            review = escalate(case, "ES", "score_threshold", now, window)
            if not case.escalated(review.key):
                yield review


def _ended(case: Case, window: WindowFacts, source: Source) -> Iterator[Command]:
    """An answer ends the work that was about getting it. Calls end by their own outcome, entered with the answer."""
    for escalation in case.escalations:
        if not escalation.open or escalation.window_id != window.id:
            continue
        if escalation.level in ("E1", "E2"):
            yield Resolve(escalation.id, "completed_now" if source == "telephone" else "answered")
        elif escalation.level == "E3":
            yield Resolve(escalation.id, "answered_late")


def _needs_review(case: Case, window: WindowFacts, item: str, value: int) -> bool:
    """A score that high, or that much worse than at baseline, is a matter for the clinic."""
    rule = case.protocol.items[item]
    baseline = case.protocol.baseline
    if baseline is not None and window.code == baseline.code:
        return False
    if rule.review_at is not None and value >= rule.review_at:
        return True
    before = case.baseline(item)
    return rule.review_rise is not None and before is not None and value - before >= rule.review_rise
