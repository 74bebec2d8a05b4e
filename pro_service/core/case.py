"""One participant's facts, as the rules see them: frozen, whole, without contact data."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain, count
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias, cast
from zoneinfo import ZoneInfo

from pro_service.core.protocol import MEDIA, Channel, LevelCode, Medium, Protocol, Site, TimePoint, Window

Source: TypeAlias = Literal["sms", "web", "card", "email", "whatsapp", "telephone", "clinic", "import"]
"""How an answer came: `sms` and `whatsapp` as a reply; through the link in a text (`web`) or a mail (`email`), or the
printed card (`card`), which all lead to the same form."""
BY_REPLY: Mapping[Medium, Source] = MappingProxyType({"sms": "sms", "whatsapp": "whatsapp"})
"""What a reply came by -> the source of the answer in it."""
REPLIED: frozenset[str] = frozenset(BY_REPLY.values())
BY_THEMSELVES: frozenset[Source] = frozenset({"sms", "web", "card", "email", "whatsapp"})
"""Sources of answers that participants give by themselves, and nobody fetches."""
STAFF_SOURCES: frozenset[Source] = frozenset({"telephone", "clinic", "import"})
"""Sources of answers that a member of staff enters."""

State: TypeAlias = Literal[
    "ready",
    "sending",
    "accepted",
    "sent",
    "delivered",
    "undelivered",
    "failed",
    "refused",
    "uncertain",
    "expired",
    "cancelled",
    "dead",
]
"""A message's stored state: the outbox is a state machine."""

Part: TypeAlias = Literal["morning", "afternoon", "evening"]
"""Part of the day at the site; what its hours are, `schedule.call_times` says."""

PENDING: frozenset[State] = frozenset({"ready", "sending", "uncertain"})
"""States in which the provider may still get the message."""

LOOK_AGAIN = timedelta(minutes=15)
"""How soon the rules look again whether a question to another participant on the same telephone has left."""

WRONG_CLOCK = "wrong_clock"
"""The outcome of a task that a clock had raised which ran ahead; the rules do not see it any more."""

RUNG = ">"
"""Between the channels of a ladder: `whatsapp>sms-reply>email-link`."""

CONSENTED: Mapping[Medium, str] = MappingProxyType(
    {"sms": "consented_at", "email": "email_consented_at", "whatsapp": "whatsapp_consented_at"}
)
"""Medium -> the fact of a participant that says since when they agree to it."""
UNREACHABLE: Mapping[Medium, str] = MappingProxyType(
    {"sms": "unreachable_at", "email": "email_unreachable_at", "whatsapp": "whatsapp_unreachable_at"}
)
"""Medium -> the fact of a participant that says since when it leads nowhere."""

PROMPTS = frozenset({"invitation", "reminder-1", "reminder-2", "reminder-3"})
"""Kinds of message that the study sends on its own; every other text answers something."""


@dataclass(frozen=True, slots=True)
class Participant:
    """The participant. `None` in a fact's instant means it has not happened."""

    id: int
    code: str
    site: Site
    language: str
    zone: ZoneInfo
    channel: Channel
    has_phone: bool
    procedure_date: date
    enrolled_at: datetime
    confirmed_at: datetime | None = None
    consented_at: datetime | None = None
    opted_out_at: datetime | None = None
    paused_at: datetime | None = None
    paused_until: datetime | None = None
    withdrawn_at: datetime | None = None
    died_at: datetime | None = None
    texts_held_until: datetime | None = None
    snoozed_until: datetime | None = None
    unreachable_at: datetime | None = None
    first_text_at: datetime | None = None
    card_made_at: datetime | None = None
    card_handed_at: datetime | None = None
    revision: int = 1
    procedure_end: datetime | None = None
    """When the procedure ended: windows of minutes are counted from it."""
    erased_at: datetime | None = None
    """When contact data and texts were destroyed for good."""
    channel_2: Channel | None = None
    """Asks if the channel before it fails for good; `channel_3` likewise."""
    channel_3: Channel | None = None
    email_consented_at: datetime | None = None
    email_unreachable_at: datetime | None = None
    whatsapp_consented_at: datetime | None = None
    whatsapp_unreachable_at: datetime | None = None
    phone_since: datetime | None = None
    """When this telephone number took the place of another, or of none; None: it is the first."""
    email_since: datetime | None = None
    has_email: bool = False

    @property
    def ladder(self) -> tuple[Channel, ...]:
        """The channels in their order; people telephone where none is left."""
        return tuple(channel for channel in (self.channel, self.channel_2, self.channel_3) if channel is not None)

    @property
    def led_to(self) -> Channel | None:
        """The first channel of the ladder that leads to the participant, whether they want texts now or not.

        Where none does any more, the first of those that did; None where only a call ever led to them.
        """
        if self.reached_by(MEDIA[self.channel]):
            return self.channel  # by far most, and this is asked for each participant at each tick
        ladder = [channel for channel in self.ladder if self.agreed_to(MEDIA[channel])]
        return next((channel for channel in ladder if self.reached_by(MEDIA[channel])), next(iter(ladder), None))

    @property
    def asked_by(self) -> Channel | None:
        """The channel by which prompts go now; None where people telephone."""
        if self.opted_out_at is not None or self.died_at is not None or self.withdrawn_at is not None:
            return None
        channel = self.led_to
        return channel if channel is not None and self.reached_by(MEDIA[channel]) else None

    def still_stopped(self, wanted: Collection[Medium]) -> frozenset[Medium]:
        """Return the media on which a stop stands when messages are wanted again by these: all others.

        None where no channel of the ladder leads to the participant by these: they were only where that could be said.
        """
        mine = {MEDIA[channel] for channel in self.ladder}
        if not any(medium in mine and self.reached_by(medium) for medium in wanted):
            return frozenset()
        return frozenset(CONSENTED) - frozenset(wanted)

    def agreed_to(self, medium: Medium) -> bool:
        """Whether there is an address for this medium, and consent."""
        if medium == "sms":
            return self.has_phone and self.consented_at is not None
        if medium == "email":
            return self.has_email and self.email_consented_at is not None
        return self.has_phone and self.whatsapp_consented_at is not None

    def since(self, medium: Medium) -> datetime | None:
        """Return when the address of this medium took another one's place; None for the first there was."""
        return self.email_since if medium == "email" else self.phone_since

    def reached_by(self, medium: Medium) -> bool:
        """Whether a medium leads to the participant: an address, consent, and no sign that it does not."""
        return self.agreed_to(medium) and getattr(self, UNREACHABLE[medium]) is None

    @property
    def left_at(self) -> datetime | None:
        """When the participant died or withdrew from the study, whichever came first."""
        if self.died_at is None or self.withdrawn_at is None:
            return self.died_at or self.withdrawn_at
        return min(self.died_at, self.withdrawn_at)

    @property
    def lacks_card(self) -> bool:
        """Whether a prompt to this participant would point to a card that does not exist."""
        return self.asked_by == "sms-card" and self.card_made_at is None

    @property
    def started_at(self) -> datetime | None:
        """From when on the service could ask: enrolled, and the procedure confirmed."""
        return None if self.confirmed_at is None else max(self.enrolled_at, self.confirmed_at)


class Answer(NamedTuple):
    """The newest version of one item's answer; neither value nor declined = taken back."""

    item: str
    value: int | None
    declined: bool
    version: int
    source: Source
    received_at: datetime
    in_window: bool

    @property
    def given(self) -> bool:
        """Whether it counts as answered: a value, or a stated wish not to answer."""
        return self.declined or self.value is not None


@dataclass(frozen=True, slots=True)
class WindowFacts:
    """One window of one participant with what has happened in it."""

    id: int
    schedule: int
    span: Window
    point: TimePoint
    answers: Mapping[str, Answer]
    cancelled_at: datetime | None = None
    settled: str | None = None

    @property
    def code(self) -> str:
        """The time point's code."""
        return self.span.code

    def has_answer(self, item: str) -> bool:
        """Whether this item has an answer (a value, or declined)."""
        answer = self.answers.get(item)
        return answer is not None and answer.given

    def missing(self) -> tuple[str, ...]:
        """Return the items without an answer, in the protocol's order."""
        return tuple(item for item in self.point.items if not self.has_answer(item))


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """One text to the participant, as far as the rules need it."""

    id: int
    window_id: int | None
    kind: str
    frame: str
    item: str | None
    proposed: int | None
    state: State
    queued_at: datetime
    accepted_at: datetime | None
    useful_until: datetime | None

    @property
    def channel(self) -> str:
        """The channel a prompt asked by (`invitation.sms-card`); empty for other texts."""
        return self.frame.partition(".")[2] if self.kind in PROMPTS else ""

    @property
    def medium(self) -> Medium | None:
        """The medium a prompt went by; None for other texts."""
        return MEDIA.get(cast("Channel", self.channel))

    def before(self, since: datetime | None) -> bool:
        """Whether it was written before the address took another one's place, so it did not go to this one."""
        return since is not None and self.queued_at < since


@dataclass(frozen=True, slots=True)
class EscalationFacts:
    """One escalation; open until `resolved_at`."""

    id: int
    window_id: int | None
    level: LevelCode
    reason: str
    key: str
    raised_at: datetime
    due_at: datetime
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    outcome: str | None = None
    asked_at: datetime | None = None
    """When the participant last asked for this call; None if they did not."""
    part_of_day: Part | None = None
    """In which part of the day they asked for it; None = at any time."""

    @property
    def open(self) -> bool:
        """Whether it is still an open task."""
        return self.resolved_at is None


@dataclass(frozen=True, slots=True)
class Call:
    """One telephone call a coordinator made."""

    window_id: int | None
    called_at: datetime
    outcome: str


@dataclass(frozen=True, slots=True)
class Other:
    """Another participant who uses the same telephone."""

    id: int
    code: str
    taken_until: datetime | None = None
    """Until when their conversation keeps the telephone; None if they have none."""
    under_way_until: datetime | None = None
    """Until when a question to them may still leave; None if none is under way."""
    study: str = ""
    """The study they take part in: two studies may give the same code."""

    def busy_until(self, now: datetime) -> datetime | None:
        """Return until when the others wait for them; None if they need not.

        While a question to them is under way, that is at most the next look at whether it has left.
        """
        if self.under_way_until is None or self.under_way_until <= now:
            return self.taken_until
        return max(self.taken_until or now, min(self.under_way_until, now + LOOK_AGAIN))


@dataclass(frozen=True, slots=True)
class Case:
    """Everything the rules may use when they decide about one participant."""

    participant: Participant
    protocol: Protocol
    holidays: frozenset[date]
    """Public holidays of the site's country, around the windows."""
    windows: tuple[WindowFacts, ...]
    """All schedules, ordered by opening."""
    messages: tuple[MessageFacts, ...] = ()
    """Ordered by `queued_at`."""
    escalations: tuple[EscalationFacts, ...] = ()
    calls: tuple[Call, ...] = ()
    others: tuple[Other, ...] = ()
    """Those who share the telephone."""
    closed_at: datetime | None = None
    """When the study was closed: nobody is asked any more."""
    locked_at: datetime | None = None
    """Since when no answer may be added or changed."""

    @property
    def site_zone(self) -> ZoneInfo:
        """The site's zone, in which windows, days and staff's working hours are counted."""
        return ZoneInfo(self.participant.site.zone)

    @property
    def current(self) -> tuple[WindowFacts, ...]:
        """The windows of the current schedule."""
        return tuple(window for window in self.windows if window.cancelled_at is None)

    @property
    def asks_until(self) -> datetime | None:
        """When the last window that asks by message or call closes; None where there is none."""
        return max((window.span.closes_at for window in self.current if window.point.prompted), default=None)

    def asks_no_more(self, now: datetime) -> bool:
        """Whether nothing is left that would be asked: the last window has closed, or the study has."""
        return self.closed_at is not None or self.asks_until is None or self.asks_until <= now

    @property
    def without_end(self) -> tuple[TimePoint, ...]:
        """Time points without a window, because the procedure took place but the time when it ended is not known."""
        person = self.participant
        if person.confirmed_at is None or person.procedure_end is not None or person.left_at is not None:
            return ()
        return tuple(point for point in self.protocol.time_points if point.minutes is not None)

    def window(self, window_id: int) -> WindowFacts:
        """Return the window with this id; raise KeyError if it is not this participant's."""
        for window in self.windows:
            if window.id == window_id:
                return window
        raise KeyError(window_id)

    def texts(self, window_id: int) -> tuple[MessageFacts, ...]:
        """Return the messages about one window and those it replaced, oldest first.

        Not those accepted before it opened: under an earlier schedule, or by a wrong clock. They asked nothing of it.
        """
        window = self.window(window_id)
        about = {window_id, *self._replaced(window)}
        return tuple(
            text
            for text in self.messages
            if text.window_id in about
            and (text.window_id == window_id if text.accepted_at is None else text.accepted_at >= window.span.opens_at)
        )

    def _replaced(self, window: WindowFacts) -> frozenset[int]:
        """Return the windows of the same time point under earlier schedules; most participants have none."""
        if window.schedule == 1:
            return frozenset()
        earlier = (other for other in self.windows if other.code == window.code and other.schedule < window.schedule)
        return frozenset(other.id for other in earlier)

    def replaced_at(self, window: WindowFacts) -> datetime | None:
        """Return when a later schedule put this window in the place of another; None for one of the first schedule."""
        if window.schedule == 1:
            return None
        gave_way = [
            other.cancelled_at
            for other in self.windows
            if other.code == window.code and other.schedule < window.schedule and other.cancelled_at is not None
        ]
        return max(gave_way, default=None)

    def baseline(self, item: str) -> int | None:
        """Return the baseline value of an item, from the protocol's first time point; None if there is none."""
        point = self.protocol.baseline
        for window in self.current:
            if point is not None and window.code == point.code and item in window.answers:
                return window.answers[item].value
        return None

    def escalated(self, key: str) -> bool:
        """Whether an escalation with this key was ever raised; a key exists once."""
        return any(escalation.key == key for escalation in self.escalations)

    def free_key(self, key: str) -> str:
        """Return the first of `key`, `key:2`, `key:3` … that no escalation has: for tasks that may be raised again."""
        taken = {escalation.key for escalation in self.escalations}
        return next(free for free in chain([key], (f"{key}:{n}" for n in count(2))) if free not in taken)
