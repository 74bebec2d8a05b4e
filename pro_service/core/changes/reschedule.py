"""Windows laid out anew: which give way, which take their place, and what becomes of the answers there are.

No answer is lost or overwritten. One that arrived inside the new window, or while late answers are kept, goes along;
an early one stays where it was given, for it was about another exposure, and the new window asks again.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pro_service.core.case import STAFF_SOURCES, Answer, Case, WindowFacts
from pro_service.core.commands import CancelTexts, Command, Resolve, Settle
from pro_service.core.protocol import LevelCode, Protocol, TimePoint, Window

Verdict: TypeAlias = Literal["in_window", "late", "baseline", "early", "too_late", "not_asked"]
"""How an answer stands to a window laid out anew; the last three stay with the window they were given in."""

GOES_ALONG: frozenset[Verdict] = frozenset({"in_window", "late", "baseline"})
ABOUT_THE_ANSWER: frozenset[LevelCode] = frozenset({"E1", "E2", "E3", "E4"})
"""Work that is about getting a window's answer ends with the window; a bad number or a safety matter does not."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer and how it stands to the new window."""

    answer: Answer
    verdict: Verdict

    @property
    def in_window(self) -> bool:
        """Whether it counts as given in time; a baseline was measured before, whatever day that became."""
        return self.answer.in_window if self.verdict == "baseline" else self.verdict == "in_window"


@dataclass(frozen=True, slots=True)
class NewWindow:
    """A new window with what becomes of the answers given for its time point."""

    span: Window
    point: TimePoint
    replaces: WindowFacts | None
    answers: tuple[Judged, ...]

    @property
    def goes_along(self) -> tuple[Judged, ...]:
        """The answers that the new window takes over."""
        return tuple(one for one in self.answers if one.verdict in GOES_ALONG)


@dataclass(frozen=True, slots=True)
class Rescheduled:
    """What gives way and what comes; windows named in neither stay as they are."""

    ended: tuple[WindowFacts, ...] = ()
    laid: tuple[NewWindow, ...] = ()


def relay(
    case: Case,
    spans: Iterable[Window],
    protocol: Protocol,
    *,
    moves: Callable[[WindowFacts], bool],
    joins: Callable[[Window], bool],
) -> Rescheduled:
    """Put `spans` in the place of the current windows that `moves`; those that come out the same stay.

    A span whose time point has no window yet is laid where it `joins`; a window without a span ends.
    """
    current = {window.code: window for window in case.current}
    ended: list[WindowFacts] = []
    laid: list[NewWindow] = []
    for span in spans:
        old = current.pop(span.code, None)
        if old is not None and (old.span == span or not moves(old)):
            continue
        if old is None and not joins(span):
            continue
        ended += [] if old is None else [old]
        laid.append(NewWindow(span, protocol.time_point(span.code), old, _judged(case, protocol, span)))
    ended += [window for window in current.values() if moves(window)]
    return Rescheduled(tuple(ended), tuple(laid))


def consequences(case: Case, relaid: Rescheduled) -> Iterator[Command]:
    """What hung on the windows that end: texts that wait are withdrawn, work about their answers ends."""
    ended = {window.id for window in relaid.ended}
    for escalation in case.escalations:
        if escalation.open and escalation.window_id in ended and escalation.level in ABOUT_THE_ANSWER:
            yield Resolve(escalation.id, "rescheduled")
    for window in relaid.ended:
        yield CancelTexts(window.id)
        if window.settled is not None:
            # A window that was counted leaves its tally.
            yield Settle(window.id, "cancelled")


def _judged(case: Case, protocol: Protocol, span: Window) -> tuple[Judged, ...]:
    """The answer that stands for each item, whichever schedule it was given under.

    In time before late, then the newest schedule: a date that is corrected back finds the first answers again. What
    was taken back under the newest schedule stays taken back.
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
            Judged(answer, _verdict(answer, window, point, span, baseline=point.code == _baseline(protocol)))
            for window, answer in versions
            if answer.given
        ]
        found.append(max(ranked, key=lambda one: (one.verdict in GOES_ALONG, one.in_window)))
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
        return "in_window" if old.opens_at < span.closes_at and span.opens_at < old.closes_at else _by(answer, span)
    return _by(answer, span)


def _by(answer: Answer, span: Window) -> Verdict:
    if answer.received_at < span.opens_at:
        return "early"
    if answer.received_at < span.closes_at:
        return "in_window"
    return "late" if answer.received_at < span.late_until or answer.source in STAFF_SOURCES else "too_late"
