"""What a procedure on a day would bring: its windows day by day, what is asked when, and what to mind.

Nothing here lays out anything of its own: the windows are `schedule`'s, the texts and calls are what the rules decide
when they live through the time that is to come.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from pro_service.core.calendar import local_day
from pro_service.core.case import Case, Participant, WindowFacts
from pro_service.core.changes import Note
from pro_service.core.concerns import concerns
from pro_service.core.forecast import Foretold, forecast
from pro_service.core.protocol import Channel, Protocol, Site, TimePoint, Window
from pro_service.core.windows import local_instant, schedule

NOON = time(12)
_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)
_SATURDAY = 5

Stage: TypeAlias = Literal["over", "open", "ahead"]
Kind: TypeAlias = Literal["working", "weekend", "holiday"]


@dataclass(frozen=True, slots=True)
class Whom:
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
class Laid:
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
    laid: tuple[Laid, ...]
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
    protocol: Protocol, whom: Whom, day: date, end: datetime | None, holidays: frozenset[date], now: datetime
) -> WhatIf:
    """Lay out a procedure on `day` for somebody who is enrolled at `now`.

    `end`: when it ended, which windows of minutes are counted from. A procedure to come is taken as confirmed at its
    end, or at noon of its day. Nobody answers.
    """
    zone = ZoneInfo(whom.site.zone)
    spans = schedule(protocol, day, zone, end)
    confirmed_at = max(now, end or local_instant(day, NOON, zone)) if day > local_day(now, zone) else now
    asked = forecast(_case(protocol, whom, day, spans, holidays, now, confirmed_at), confirmed_at)
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
    whom: Whom,
    day: date,
    spans: Sequence[Window],
    holidays: frozenset[date],
    now: datetime,
    confirmed_at: datetime,
) -> Case:
    person = Participant(
        id=0,
        code="",
        site=whom.site,
        language=whom.language,
        zone=whom.zone,
        channel=whom.channel,
        has_phone=whom.has_phone,
        procedure_date=day,
        enrolled_at=now,
        confirmed_at=confirmed_at,
        consented_at=whom.consented_at,
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
) -> Laid:
    if span is None:
        return Laid(point, None)
    stage: Stage = "over" if span.closes_at <= now else "open" if span.opens_at <= now else "ahead"
    mine = tuple(one for one in asked if one.window == point.code)
    return Laid(point, span, tuple(_days(span, zone, holidays)), stage, mine)


def _days(span: Window, zone: ZoneInfo, holidays: frozenset[date]) -> Iterator[Day]:
    day, last = local_day(span.opens_at, zone), local_day(span.closes_at - _INSTANT, zone)
    while day <= last:
        # A holiday on a weekend is both; its name says more.
        yield Day(day, "holiday" if day in holidays else "weekend" if day.weekday() >= _SATURDAY else "working")
        day += _DAY
