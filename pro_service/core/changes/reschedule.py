"""Windows that get new dates: which end, which take their place, and what becomes of the answers there are.

No answer is lost or overwritten. An answer that arrived inside the new window, or while late answers are kept, counts
for the new window. An early one stays with the old window, because it was about another exposure, and the new window
asks again.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pro_service.core.case import STAFF_SOURCES, Answer, Case, WindowFacts
from pro_service.core.commands import CancelTexts, Command, Resolve, Settle
from pro_service.core.protocol import LevelCode, Protocol, TimePoint, Window

Verdict: TypeAlias = Literal["in_window", "late", "baseline", "early", "too_late", "not_asked"]
"""How an answer counts for a new window; the last three stay with the window they were given in."""

KEPT_VERDICTS: frozenset[Verdict] = frozenset({"in_window", "late", "baseline"})
ABOUT_THE_ANSWER: frozenset[LevelCode] = frozenset({"E1", "E2", "E3", "E4"})
"""Tasks that are about getting a window's answer end with the window; those about a number or about safety do not."""


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """One answer, and how it counts for the new window."""

    answer: Answer
    verdict: Verdict

    @property
    def in_window(self) -> bool:
        """Whether it counts as given in time. A baseline always does: it was measured before the procedure."""
        return self.answer.in_window if self.verdict == "baseline" else self.verdict == "in_window"


@dataclass(frozen=True, slots=True)
class NewWindow:
    """A new window, with what becomes of the answers given for its time point."""

    span: Window
    point: TimePoint
    replaces: WindowFacts | None
    answers: tuple[JudgedAnswer, ...]

    @property
    def kept_answers(self) -> tuple[JudgedAnswer, ...]:
        """The answers that count for the new window."""
        return tuple(one for one in self.answers if one.verdict in KEPT_VERDICTS)


@dataclass(frozen=True, slots=True)
class Rescheduled:
    """The windows that end and the new ones; windows named in neither stay as they are."""

    ended: tuple[WindowFacts, ...] = ()
    new_windows: tuple[NewWindow, ...] = ()


def replace_windows(
    case: Case,
    spans: Iterable[Window],
    protocol: Protocol,
    *,
    moves: Callable[[WindowFacts], bool],
    joins: Callable[[Window], bool],
) -> Rescheduled:
    """Replace the current windows that `moves` by `spans`; those that come out the same stay.

    A span whose time point has no window yet becomes one if it `joins`; a window without a span ends.
    """
    current = {window.code: window for window in case.current}
    ended: list[WindowFacts] = []
    new_windows: list[NewWindow] = []
    for span in spans:
        old = current.pop(span.code, None)
        if old is not None and (old.span == span or not moves(old)):
            continue
        if old is None and not joins(span):
            continue
        ended += [] if old is None else [old]
        new_windows.append(NewWindow(span, protocol.time_point(span.code), old, _judged_answers(case, protocol, span)))
    ended += [window for window in current.values() if moves(window)]
    return Rescheduled(tuple(ended), tuple(new_windows))


def consequences(case: Case, rescheduled: Rescheduled) -> Iterator[Command]:
    """Yield what follows for the windows that end: waiting texts are cancelled, tasks about their answers end."""
    ended = {window.id for window in rescheduled.ended}
    for escalation in case.escalations:
        if escalation.open and escalation.window_id in ended and escalation.level in ABOUT_THE_ANSWER:
            yield Resolve(escalation.id, "rescheduled")
    for window in rescheduled.ended:
        yield CancelTexts(window.id)
        if window.settled is not None:
            # A window that was counted leaves its tally.
            yield Settle(window.id, "cancelled")


def _judged_answers(case: Case, protocol: Protocol, span: Window) -> tuple[JudgedAnswer, ...]:
    """Return the answer that counts for each item, from whichever schedule it was given under.

    In time before late, then the newest schedule: so a date that is corrected back finds the first answers again. An
    answer that was taken back under the newest schedule stays taken back.
    """
    point = protocol.time_point(span.code)
    given = sorted((w for w in case.windows if w.code == span.code), key=lambda w: w.schedule, reverse=True)
    items = dict.fromkeys(item for window in given for item in window.answers)
    found = []
    for item in items:
        versions = [(window, window.answers[item]) for window in given if item in window.answers]
        if not versions[0][1].given:
            continue
        ranked = [
            JudgedAnswer(answer, _verdict(answer, window, point, span, baseline=point.code == _baseline(protocol)))
            for window, answer in versions
            if answer.given
        ]
        found.append(max(ranked, key=lambda one: (one.verdict in KEPT_VERDICTS, one.in_window)))
    return tuple(found)


def _baseline(protocol: Protocol) -> str | None:
    return None if protocol.baseline is None else protocol.baseline.code


def _verdict(answer: Answer, given_in: WindowFacts, point: TimePoint, span: Window, *, baseline: bool) -> Verdict:
    if answer.item not in point.items:
        return "not_asked"
    if baseline:
        return "baseline"
    at, old = answer.received_at, given_in.span
    if answer.source in STAFF_SOURCES and answer.in_window and not old.opens_at <= at < old.closes_at:
        # Staff corrected what had arrived in time; by now only that it had is known.
        return (
            "in_window"
            if old.opens_at < span.closes_at and span.opens_at < old.closes_at
            else _verdict_by_time(answer, span)
        )
    return _verdict_by_time(answer, span)


def _verdict_by_time(answer: Answer, span: Window) -> Verdict:
    if answer.received_at < span.opens_at:
        return "early"
    if answer.received_at < span.closes_at:
        return "in_window"
    return "late" if answer.received_at < span.late_until or answer.source in STAFF_SOURCES else "too_late"
