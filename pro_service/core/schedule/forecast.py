"""What will follow: each prompt and each call if nobody answers, and what a procedure on some day would bring.

Nothing here lays out anything of its own: windows come from `schedule`, and texts and calls are what the rules decide
as time passes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from pro_service.core.case import PROMPTS, Case, EscalationFacts, MessageFacts, Participant, WindowFacts
from pro_service.core.commands import CancelTexts, Command, Escalate, Resolve, Send, Settle
from pro_service.core.problems import Note
from pro_service.core.protocol import Channel, Protocol, Site, TimePoint, Window
from pro_service.core.schedule.agenda import next_moment, on_time
from pro_service.core.schedule.calendar import local_day, working_days_between
from pro_service.core.schedule.projection import folded
from pro_service.core.schedule.windows import local_instant, schedule

MOST = 400
"""So many looks reach the end of any protocol; a rule that never ends must not hold a page."""
NOON = time(12)
_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Foretold:
    """One prompt or call to come."""

    window: str
    step: str
    """`invitation` …, or `call`."""
    at: datetime


def forecast(case: Case, now: datetime) -> tuple[Foretold, ...]:
    """Every prompt and every window's call from `now` on, in order, as long as nobody answers or takes anything up."""
    return tuple(_lived(case, now))


def _lived(case: Case, now: datetime) -> Iterator[Foretold]:
    at, number = now, -1
    for _ in range(MOST):
        for command in on_time(case, at):
            number -= 1
            told = _told(case, command, at)
            if told is not None:
                yield told
            case = _written(case, command, at, number)
        coming = next_moment(case, at + _INSTANT)
        if coming is None:
            return
        at = coming


def _told(case: Case, command: Command, at: datetime) -> Foretold | None:
    if isinstance(command, Send) and command.kind in PROMPTS and command.window_id is not None:
        return Foretold(case.window(command.window_id).code, command.kind, at)
    if isinstance(command, Escalate) and command.level in ("E1", "E2") and command.window_id is not None:
        window = case.window(command.window_id)
        first = not any(e.window_id == window.id and e.level in ("E1", "E2") for e in case.escalations)
        return Foretold(window.code, "call", at) if first else None
    return None


def _written(case: Case, command: Command, at: datetime, number: int) -> Case:
    """The case once a command is written, and a text has been accepted at once."""
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
    return folded(case, [command], at) if known else case


def concerns(
    protocol: Protocol, day: date, windows: Iterable[Window], zone: ZoneInfo, holidays: frozenset[date]
) -> Iterator[Note]:
    """A procedure or a last window outside the study's time, and windows in which nobody works."""
    laid = list(windows)
    starts, ends = protocol.starts, protocol.ends
    last = max((local_day(window.closes_at - _INSTANT, zone) for window in laid), default=day)
    if starts is not None and day < starts:
        yield Note("before_start", {"day": day, "start": starts}, "procedure_date")
    if ends is not None and day > ends:
        yield Note("after_end", {"day": day, "end": ends}, "procedure_date")
    elif ends is not None and last > ends:
        yield Note("last_after_end", {"last": last, "end": ends}, "procedure_date")
    for window in laid:
        first, final = local_day(window.opens_at, zone), local_day(window.closes_at - _INSTANT, zone)
        if protocol.time_point(window.code).prompted and not working_days_between(first, final, holidays):
            yield Note("no_working_day", {"window": window.code, "first": first, "last": final}, "procedure_date")


Stage: TypeAlias = Literal["over", "open", "ahead"]
Kind: TypeAlias = Literal["working", "weekend", "holiday"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who would be asked, as far as it changes what follows."""

    site: Site
    language: str
    zone: ZoneInfo
    """The participant's own clock."""
    channel: Channel
    has_phone: bool
    consented_at: datetime | None


@dataclass(frozen=True, slots=True)
class Day:
    """One local calendar day of a window, at the site."""

    day: date
    kind: Kind


@dataclass(frozen=True, slots=True)
class PlannedWindow:
    """One time point as it would be laid out; a window of minutes has no span while the procedure's end is unknown."""

    point: TimePoint
    span: Window | None
    days: tuple[Day, ...] = ()
    stage: Stage = "ahead"
    """Seen from now: what is `over` before the enrolment is never asked."""
    asked: tuple[Foretold, ...] = ()
    """Prompts, and the call, if nobody answers."""

    @property
    def working(self) -> int:
        """How many working days it holds."""
        return sum(day.kind == "working" for day in self.days)

    @property
    def call(self) -> datetime | None:
        """When somebody is to telephone, if nobody answers."""
        return next((one.at for one in self.asked if one.step == "call"), None)

    @property
    def prompts(self) -> tuple[Foretold, ...]:
        """The texts alone."""
        return tuple(one for one in self.asked if one.step != "call")


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Everything a procedure on this day would bring."""

    day: date
    zone: ZoneInfo
    """The site's."""
    laid: tuple[PlannedWindow, ...]
    notes: tuple[Note, ...]
    to_come: bool
    """The procedure is still ahead: nothing is sent before somebody confirms it, on the day itself as assumed here."""
    ends: date | None
    """The study's last day."""

    @property
    def last(self) -> datetime | None:
        """When the last window closes."""
        return max((one.span.closes_at for one in self.laid if one.span is not None), default=None)

    @property
    def first_text(self) -> Foretold | None:
        """The first text of all."""
        return min((one for laid in self.laid for one in laid.prompts), key=lambda one: one.at, default=None)


def what_if(
    protocol: Protocol, candidate: Candidate, day: date, end: datetime | None, holidays: frozenset[date], now: datetime
) -> WhatIf:
    """Lay out a procedure on `day` for somebody who is enrolled at `now`.

    `end`: when it ended, which windows of minutes are counted from. A procedure to come is taken as confirmed at its
    end, or at noon of its day. Nobody answers.
    """
    zone = ZoneInfo(candidate.site.zone)
    spans = schedule(protocol, day, zone, end)
    confirmed_at = max(now, end or local_instant(day, NOON, zone)) if day > local_day(now, zone) else now
    asked = forecast(_case(protocol, candidate, day, spans, holidays, now, confirmed_at), confirmed_at)
    laid = {span.code: span for span in spans}
    return WhatIf(
        day=day,
        zone=zone,
        laid=tuple(_laid(point, laid.get(point.code), asked, zone, holidays, now) for point in protocol.time_points),
        notes=tuple(concerns(protocol, day, spans, zone, holidays)),
        to_come=confirmed_at != now,
        ends=protocol.ends,
    )


def _case(
    protocol: Protocol,
    candidate: Candidate,
    day: date,
    spans: Sequence[Window],
    holidays: frozenset[date],
    now: datetime,
    confirmed_at: datetime,
) -> Case:
    person = Participant(
        id=0,
        code="",
        site=candidate.site,
        language=candidate.language,
        zone=candidate.zone,
        channel=candidate.channel,
        has_phone=candidate.has_phone,
        procedure_date=day,
        enrolled_at=now,
        confirmed_at=confirmed_at,
        consented_at=candidate.consented_at,
    )
    facts = (
        WindowFacts(number, 1, span, protocol.time_point(span.code), {})
        for number, span in enumerate(sorted(spans, key=lambda span: span.opens_at), start=1)
    )
    return Case(person, protocol, holidays, tuple(facts))


def _laid(
    point: TimePoint,
    span: Window | None,
    asked: Sequence[Foretold],
    zone: ZoneInfo,
    holidays: frozenset[date],
    now: datetime,
) -> PlannedWindow:
    if span is None:
        return PlannedWindow(point, None)
    stage: Stage = "over" if span.closes_at <= now else "open" if span.opens_at <= now else "ahead"
    mine = tuple(one for one in asked if one.window == point.code)
    return PlannedWindow(point, span, tuple(_days(span, zone, holidays)), stage, mine)


def _days(span: Window, zone: ZoneInfo, holidays: frozenset[date]) -> Iterator[Day]:
    day, last = local_day(span.opens_at, zone), local_day(span.closes_at - _INSTANT, zone)
    while day <= last:
        # A holiday on a weekend is both; its name says more.
        yield Day(day, "holiday" if day in holidays else "weekend" if day.weekday() >= _SATURDAY else "working")
        day += _DAY
