"""A study protocol as data: time points, items, reminders, escalation ladder, sites.

These are the values the rules work on. `protocol_file` reads them from TOML and names every fault; nothing here
checks anything, and nothing here knows what is being measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from pro_service.core.emergency import USUAL, number_in

Language: TypeAlias = str
"""ISO 639-1 code of a language participants read, e.g. `tr`, `en`."""

Texts: TypeAlias = Mapping[Language, str]
"""One text per language."""

Channel: TypeAlias = Literal["sms-reply", "sms-link", "sms-card", "email-link", "whatsapp"]
"""How a participant is asked, and how they answer."""

Medium: TypeAlias = Literal["sms", "email", "whatsapp"]
"""What a channel goes by. Consent, and the fact that it leads nowhere, are kept for each."""

MEDIA: Mapping[Channel, Medium] = MappingProxyType(
    {"sms-reply": "sms", "sms-link": "sms", "sms-card": "sms", "email-link": "email", "whatsapp": "whatsapp"}
)

CONVERSING: frozenset[str] = frozenset({"sms-reply", "whatsapp"})
"""Channels that ask one question at a time, which is answered by a text."""

Role: TypeAlias = Literal[
    "coordinator", "assessor", "investigator", "data-manager", "monitor", "statistician", "administrator"
]

LevelCode: TypeAlias = Literal["E0", "E1", "E2", "E3", "E4", "ES"]
"""Rung of the escalation ladder (E0 channel, E1 call, E2 lead, E3 missed, E4 pattern, ES safety)."""

LADDER_ROLES: tuple[Role, ...] = ("coordinator", "investigator", "data-manager", "monitor")
"""Roles that the ladder may name: those that may read what a task is about, and have a list of their tasks."""

INVESTIGATORS: frozenset[LevelCode] = frozenset({"E4", "ES"})
"""Levels whose tasks are an investigator's too where the ladder does not name one: what is decided, and safety."""


@dataclass(frozen=True, slots=True)
class Offset:
    """A distance on the calendar: whole months first (clamped to the month's end), then days. `P1M`, `-P3D`."""

    months: int = 0
    days: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """One question of an instrument, answered by an integer from `minimum` to `maximum`, both included."""

    id: str
    minimum: int
    maximum: int
    primary: bool
    question: Texts
    """The instrument's wording, whole, as approved."""
    short: Texts
    """What coordinators and the echo call it (`pain score`)."""
    low: Texts
    """Anchor in words at `minimum`."""
    high: Texts
    """Anchor in words at `maximum`."""
    choices: Mapping[Language, tuple[str, ...]]
    """One label per value from `minimum` up, or empty where only the anchors have words."""
    review_at: int | None = None
    """A value at or above this asks for a clinical review."""
    review_rise: int | None = None
    """A value this much above the baseline asks for a clinical review."""

    @property
    def slug(self) -> str:
        """Its name in files of data: `NRS-AVG` is `nrs_avg`."""
        return self.id.lower().replace("-", "_")


@dataclass(frozen=True, slots=True)
class Step:
    """One prompt of a window: `after` whole days from the target date, at the local hour `at`."""

    name: str
    """`invitation`, `reminder-1` … `reminder-3`."""
    after: int
    at: time


@dataclass(frozen=True, slots=True)
class TimePoint:
    """One assessment of the protocol, with its days counted from the procedure date."""

    code: str
    label: Texts
    mode: Literal["message", "clinic"]
    items: tuple[str, ...]
    target: Offset
    before: int
    """Whole days the window opens before the target."""
    after: int
    """Whole days the window still lasts after the target day."""
    planned_day: int
    """SDTM planned study day (VISITDY); there is no day 0."""
    steps: tuple[Step, ...] = ()
    call_after: int | None = None
    """Days after the target on which the call task falls due."""
    call_at: time = time(9)
    lead_before: timedelta = timedelta(hours=48)
    """An open call task goes to the lead when this much or less is left to close."""
    call_due_working_days: int = 1
    """Working days a coordinator has for the call task; 0 = the same day."""
    late: Offset | None = None
    """How long after the target a late answer is kept; None = until the next window opens."""
    minutes: tuple[int, int, int] | None = None
    """(target, from, to) in minutes after the procedure's end: the window is made of instants, not days."""

    @property
    def prompted(self) -> bool:
        """Whether participants are asked by message."""
        return self.mode == "message"


@dataclass(frozen=True, slots=True)
class Level:
    """One rung of the escalation ladder."""

    code: LevelCode
    roles: tuple[Role, ...]
    due_working_days: int | None
    """Working days until it is due, end of the working day; 0 = today."""
    due_hours: int | None = None
    """Plain hours until it is due, instead of working days."""
    next: LevelCode | None = None
    """Where it goes when nobody acknowledged it in time."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place where participants are seen and telephoned from."""

    code: str
    name: Texts
    """In full, as on the printed card."""
    short_name: Texts
    """What texts call it, where every character is paid for."""
    zone: str
    country: str
    """ISO 3166-1 alpha-2, for holidays and telephone numbers."""
    telephone: str
    email: str
    emergency: str = ""
    """The number to call in an emergency; empty: the country's own."""
    provider: str = ""
    """Who carries its texts (`core.routes`); empty: the provider that is configured for the telephone's country."""

    @property
    def emergency_number(self) -> str:
        """What participants are told to call in an emergency."""
        return self.emergency or number_in(self.country) or USUAL


@dataclass(frozen=True, slots=True)
class Hours:
    """Local hours of a day, `start` included, `end` excluded; `end` 00:00 means midnight."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class RouteOverride:
    """A stated reason why a route that the country table refuses is allowed in this study."""

    country: str
    channel: str
    reason: str


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """A text that a provider has approved: only such texts go to somebody who has not written for a day."""

    frame: str
    """The name of its text in templates/sms."""
    language: Language
    content_sid: str
    """Its id at the provider."""
    variables: tuple[str, ...]
    """Names of the placeholders that fill its blanks, from the first on."""
    buttons: tuple[str, ...] = ()
    """What the buttons below it say, and what is sent when one is pressed."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """A study protocol, whole. Participants keep the version they were enrolled with."""

    study: str
    title: str
    registry: str
    demo: bool
    starts: date | None
    ends: date | None
    planned_participants: int | None
    languages: tuple[Language, ...]
    contact_hours: Hours
    working_hours: Hours
    useful_for: timedelta
    """A prompt later than this after its moment is useless."""
    useless_before_close: timedelta
    """A prompt less than this before the close is useless."""
    failed_calls: int
    """So many unsuccessful calls in a window go to the lead."""
    missed_in_a_row: int
    """So many missed windows in a row are a pattern."""
    items: Mapping[str, Item]
    time_points: tuple[TimePoint, ...]
    ladder: Mapping[LevelCode, Level]
    sites: Mapping[str, Site]
    safety_words: Mapping[Language, tuple[str, ...]]
    routes: tuple[RouteOverride, ...] = ()
    whatsapp_templates: tuple[MessageTemplate, ...] = ()
    """One for each text that begins a conversation and each language; empty: nobody is asked on WhatsApp."""
    draft: bool = False
    """Whether it is not to be confirmed yet, and no text of it may leave."""

    def time_point(self, code: str) -> TimePoint:
        """The time point with this code; KeyError if the protocol has none."""
        for point in self.time_points:
            if point.code == code:
                return point
        raise KeyError(code)

    def primary(self, point: TimePoint) -> str | None:
        """The id of the item that decides completion at this time point, if one of its items is primary."""
        for item in point.items:
            if self.items[item].primary:
                return item
        return None

    def levels_of(self, role: Role) -> frozenset[LevelCode]:
        """Return the levels whose tasks are this role's: those that name it."""
        named = frozenset(code for code, level in self.ladder.items() if role in level.roles)
        return named | INVESTIGATORS if role == "investigator" else named

    @property
    def baseline(self) -> TimePoint | None:
        """The first time point, against which later values are compared."""
        return self.time_points[0] if self.time_points else None


class Window(NamedTuple):
    """One participant's time span for one time point, decided once from one procedure date."""

    code: str
    target: date
    """Local calendar date of the target at the site."""
    target_at: datetime | None
    """The target as an instant, where the window is made of instants."""
    opens_at: datetime
    closes_at: datetime
    """Exclusive."""
    late_until: datetime
    """A late answer is kept before this instant; equals `closes_at` where none is."""
    clamped: bool = False
    """The month's end moved the target (31 Jan + P1M)."""
