"""What will follow: each prompt and each call if nobody answers, and what a procedure on some day would bring.

Nothing here has dates of its own: windows come from `schedule`, and the texts and calls to come are what the rules
decide as time passes. Notes on a procedure date are shown and refuse nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from pro_service.core.case import PROMPTS, Case, EscalationFacts, MessageFacts, Participant, WindowFacts
from pro_service.core.commands import CancelTexts, Command, Escalate, Resolve, Send, Settle
from pro_service.core.problems import Problem, problem
from pro_service.core.protocol import Protocol, TimePoint, Window
from pro_service.core.schedule.agenda import next_moment, on_time
from pro_service.core.schedule.calendar import local_day, working_days_between
from pro_service.core.schedule.projection import apply_commands
from pro_service.core.schedule.windows import local_instant, schedule

MAX_STEPS = 400
"""Enough to reach the end of any protocol. A rule that never ends must not keep a page from loading."""
NOON = time(12)
_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)
_SATURDAY = 5
Stage: TypeAlias = Literal["over", "open", "ahead"]
Kind: TypeAlias = Literal["working", "weekend", "holiday"]


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One prompt or call to come."""

    window: str
    step: str
    """`invitation` …, or `call`."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """One local calendar day of a window, at the site."""

    day: date
    kind: Kind


@dataclass(frozen=True, slots=True)
class PlannedWindow:
    """One time point with its dates; a window of minutes has no span while the procedure's end is unknown."""

    point: TimePoint
    span: Window | None
    days: tuple[Day, ...] = ()
    stage: Stage = "ahead"
    """Seen from now: what is `over` before the enrolment is never asked."""
    steps: tuple[PlannedStep, ...] = ()
    """Prompts, and the call, if nobody answers."""

    @property
    def working(self) -> int:
        """How many working days it holds."""
        return sum(day.kind == "working" for day in self.days)

    @property
    def call(self) -> datetime | None:
        """When staff are to call, if nobody answers."""
        return next((one.at for one in self.steps if one.step == "call"), None)

    @property
    def prompts(self) -> tuple[PlannedStep, ...]:
        """The texts alone."""
        return tuple(one for one in self.steps if one.step != "call")


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Everything a procedure on this day would bring."""

    day: date
    zone: ZoneInfo
    """The site's."""
    windows: tuple[PlannedWindow, ...]
    notes: tuple[Problem, ...]
    to_come: bool
    """The procedure is still ahead: nothing is sent before somebody confirms it, on the day itself as assumed here."""
    ends: date | None
    """The study's last day."""

    @property
    def last(self) -> datetime | None:
        """When the last window closes."""
        return max((one.span.closes_at for one in self.windows if one.span is not None), default=None)

    @property
    def first_text(self) -> PlannedStep | None:
        """The first text of all."""
        return min((one for window in self.windows for one in window.prompts), key=lambda one: one.at, default=None)


def forecast(case: Case, now: datetime) -> tuple[PlannedStep, ...]:
    """Return every prompt and every window's first call from `now` on, in order, if nobody answers."""
    return tuple(_steps(case, now))


def what_if(protocol: Protocol, person: Participant, holidays: frozenset[date], now: datetime) -> WhatIf:
    """Return what this procedure would bring for a participant enrolled at `now` who never answers.

    A procedure to come is taken as confirmed at its end, or at noon of its day; who answers with a card is taken to
    have it.
    """
    zone, day, end = ZoneInfo(person.site.zone), person.procedure_date, person.procedure_end
    spans = schedule(protocol, day, zone, end)
    confirmed_at = max(now, end or local_instant(day, NOON, zone)) if day > local_day(now, zone) else now
    case = _planned_case(protocol, replace(person, confirmed_at=confirmed_at, card_made_at=now), spans, holidays)
    steps = forecast(case, confirmed_at)
    known = {span.code: span for span in spans}
    windows = (
        _planned_window(point, known.get(point.code), steps, zone, holidays, now) for point in protocol.time_points
    )
    return WhatIf(
        day=day,
        zone=zone,
        windows=tuple(windows),
        notes=tuple(procedure_date_notes(protocol, day, spans, zone, holidays)),
        to_come=confirmed_at != now,
        ends=protocol.ends,
    )


def procedure_date_notes(
    protocol: Protocol, day: date, windows: Iterable[Window], zone: ZoneInfo, holidays: frozenset[date]
) -> Iterator[Problem]:
    """Yield what to mind about a procedure on `day`; nothing is refused.

    A procedure or a last window outside the study's first and last day, and windows without a working day.
    """
    spans = list(windows)
    starts, ends = protocol.starts, protocol.ends
    last = max((local_day(span.closes_at - _INSTANT, zone) for span in spans), default=day)
    if starts is not None and day < starts:
        yield problem("before_start", "procedure_date", day=day, start=starts)
    if ends is not None and day > ends:
        yield problem("after_end", "procedure_date", day=day, end=ends)
    elif ends is not None and last > ends:
        yield problem("last_after_end", "procedure_date", last=last, end=ends)
    for span in spans:
        first, final = local_day(span.opens_at, zone), local_day(span.closes_at - _INSTANT, zone)
        if protocol.time_point(span.code).prompted and not working_days_between(first, final, holidays):
            yield problem("no_working_day", "procedure_date", window=span.code, first=first, last=final)


# The future, step by step --------------------------------------------------------------------------------------------


def _steps(case: Case, now: datetime) -> Iterator[PlannedStep]:
    """Apply the rules at each moment they name, until they name none."""
    at, number = now, -1
    for _ in range(MAX_STEPS):
        for command in on_time(case, at):
            number -= 1
            step = _planned_step(case, command, at)
            if step is not None:
                yield step
            case = _case_after(case, command, at, number)
        coming = next_moment(case, at + _INSTANT)
        if coming is None:
            return
        at = coming


def _planned_step(case: Case, command: Command, at: datetime) -> PlannedStep | None:
    if isinstance(command, Send) and command.kind in PROMPTS and command.window_id is not None:
        return PlannedStep(case.window(command.window_id).code, command.kind, at)
    if isinstance(command, Escalate) and command.level in ("E1", "E2") and command.window_id is not None:
        window = case.window(command.window_id)
        first = not any(e.window_id == window.id and e.level in ("E1", "E2") for e in case.escalations)
        return PlannedStep(window.code, "call", at) if first else None
    return None


def _case_after(case: Case, command: Command, at: datetime, number: int) -> Case:
    """Return the case once a command is done; a text counts as accepted at once."""
    if isinstance(command, Send):
        about = (command.window_id, command.kind, command.frame, command.item, command.proposed)
        text = MessageFacts(number, *about, "accepted", at, at, command.useful_until)
        person = replace(case.participant, first_text_at=case.participant.first_text_at or at, snoozed_until=None)
        return replace(case, messages=(*case.messages, text), participant=person)
    if isinstance(command, Escalate):
        raised = EscalationFacts(
            number, command.window_id, command.level, command.reason, command.key, at, command.due_at, at, None
        )
        return replace(case, escalations=(*case.escalations, raised))
    known = isinstance(command, CancelTexts | Resolve | Settle)
    return apply_commands(case, [command], at) if known else case


# A participant who is not there yet ----------------------------------------------------------------------------------


def _planned_case(protocol: Protocol, person: Participant, spans: Sequence[Window], holidays: frozenset[date]) -> Case:
    facts = (
        WindowFacts(number, 1, span, protocol.time_point(span.code), {})
        for number, span in enumerate(sorted(spans, key=lambda span: span.opens_at), start=1)
    )
    return Case(person, protocol, holidays, tuple(facts))


def _planned_window(
    point: TimePoint,
    span: Window | None,
    steps: Sequence[PlannedStep],
    zone: ZoneInfo,
    holidays: frozenset[date],
    now: datetime,
) -> PlannedWindow:
    if span is None:
        return PlannedWindow(point, None)
    stage: Stage = "over" if span.closes_at <= now else "open" if span.opens_at <= now else "ahead"
    mine = tuple(one for one in steps if one.window == point.code)
    return PlannedWindow(point, span, tuple(_days_of(span, zone, holidays)), stage, mine)


def _days_of(span: Window, zone: ZoneInfo, holidays: frozenset[date]) -> Iterator[Day]:
    day, last = local_day(span.opens_at, zone), local_day(span.closes_at - _INSTANT, zone)
    while day <= last:
        # A holiday on a weekend is shown as a holiday, because it has a name.
        yield Day(day, "holiday" if day in holidays else "weekend" if day.weekday() >= _SATURDAY else "working")
        day += _DAY
