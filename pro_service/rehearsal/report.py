"""The report of a rehearsal: what it shows, and the page it becomes. It holds figures only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

from pro_service import documents

Texts: TypeAlias = Mapping[str, str]
Severity: TypeAlias = Literal["attention", "note", "good"]
SEVERITIES: tuple[Severity, ...] = ("attention", "note", "good")

BINS = (15, 60, 4 * 60, 12 * 60, 24 * 60, 48 * 60, 96 * 60)
"""Upper bounds, in minutes, of the classes of time to answer; the last class has none."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What was rehearsed, and with what."""

    study: str
    title: str
    version: int | None
    sha256: str
    release: str
    participants: int
    days: int
    seed: int
    first: date
    last: date
    enrolling: int
    channels: tuple[str, ...]
    price: float | None
    price_whatsapp: float | None
    most_segments: int
    calls_a_day: int
    minutes_a_call: int
    minutes_a_task: int
    clinic_entered: int
    rounds: tuple[str, ...]
    working_hours: str
    contact_hours: str
    address: str
    """Of the installation: the beginning of every link."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at before the study starts; `code` has its words in the template."""

    severity: Severity
    code: str
    values: Mapping[str, str | int | date | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Window:
    """Compliance of one time point, as the product's own report has it, and how the answers came."""

    code: str
    label: Texts
    prompted: bool
    due: int
    in_window: int
    late: int
    partial: int
    declined: int
    missed: int
    left: int
    before_enrolment: int
    not_closed: int
    sources: Mapping[str, int]
    """How the first answer to the deciding item came -> how many."""

    @property
    def rate(self) -> float | None:
        """Completed in the window, of what was due."""
        return self.in_window / self.due if self.due else None

    @property
    def rate_any(self) -> float | None:
        """Completed at any time, of what was due."""
        return (self.in_window + self.late) / self.due if self.due else None


@dataclass(frozen=True, slots=True)
class Step:
    """One prompt of one window over all participants."""

    window: str
    kind: str
    expected: int
    """Windows that reached this step's moment, of participants who get texts."""
    sent: int
    delivered: int
    failed: int
    answered: int
    """Answers that came after this text and before the next one."""
    segments: int

    @property
    def not_needed(self) -> int:
        """Expected and not sent: answered before, stopped, or the number does not work."""
        return self.expected - self.sent


@dataclass(frozen=True, slots=True)
class Traffic:
    """Texts of one kind, language or channel."""

    name: str
    expected: int | None
    """Prompts that the protocol has for these participants; None where that is not counted."""
    prompts: int
    """Prompts among what was sent."""
    sent: int
    delivered: int
    failed: int
    answered: int
    segments: int
    cost: float | None


@dataclass(frozen=True, slots=True)
class Times:
    """How long after the first text of a window its answer came, in minutes."""

    window: str
    answers: int
    quarter: int | None
    half: int | None
    three_quarters: int | None
    classes: tuple[int, ...]
    """How many in each class of BINS."""


@dataclass(frozen=True, slots=True)
class Level:
    """The escalations of one rung of the ladder."""

    code: str
    raised: int
    in_time: int
    """Somebody took it up, or it ended by itself, before it was due."""
    too_late: int
    untouched: int
    """Open at the end, and nobody has taken it up."""
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class WorkDay:
    """One day of one site's coordinators."""

    day: date
    working: bool
    calls: int
    tasks: int
    entries: int
    minutes: int
    waiting: int
    """Tasks open in the evening."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The work at one site."""

    site: str
    name: Texts
    days: tuple[WorkDay, ...]

    @property
    def weeks(self) -> tuple[tuple[WorkDay, ...], ...]:
        """The days in calendar weeks, Monday first; weeks without any work left out."""
        found: dict[tuple[int, int], list[WorkDay]] = {}
        for day in self.days:
            found.setdefault(day.day.isocalendar()[:2], []).append(day)
        return tuple(tuple(days) for days in found.values() if any(day.minutes or day.waiting for day in days))

    @property
    def busiest(self) -> WorkDay:
        """The day with the most minutes of work; the first of several."""
        return max(self.days, key=lambda day: day.minutes)


@dataclass(frozen=True, slots=True)
class Kind:
    """One temperament: what was assumed, and what came of it."""

    code: str
    label: Texts
    people: int
    assumed: Mapping[str, int]
    after: int
    within: int
    """Minutes."""
    due: int
    in_window: int
    late: int
    texts: int
    calls: int


@dataclass(frozen=True, slots=True)
class Bubble:
    """One entry of a thread. `side`: the study's text, the participant's, or something that happened."""

    at: datetime
    side: Literal["ours", "theirs", "event"]
    words: str
    code: str = ""
    """What kind of event, or how a reply was read."""
    detail: str = ""
    """Of a call its outcome, of a close what the window is."""
    segments: int = 0
    arrived: bool = True


@dataclass(frozen=True, slots=True)
class Thread:
    """Everything one participant's telephone showed."""

    temperament: Texts
    participant: str
    language: str
    zone: str
    channel: str
    bubbles: tuple[Bubble, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One participant in the overview."""

    participant: str
    temperament: Texts
    channel: str
    statuses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the report shows, in the order in which it shows it."""

    parameters: Parameters
    findings: tuple[Finding, ...]
    windows: tuple[Window, ...]
    rows: tuple[Row, ...]
    steps: tuple[Step, ...]
    kinds: tuple[Traffic, ...]
    languages: tuple[Traffic, ...]
    channels: tuple[Traffic, ...]
    cost: float | None
    """Of all messages, in the currency of the prices."""
    mails: int
    replies: int
    times: tuple[Times, ...]
    levels: tuple[Level, ...]
    calls: Mapping[str, int]
    desks: tuple[Desk, ...]
    temperaments: tuple[Kind, ...]
    threads: tuple[Thread, ...]

    @property
    def texts(self) -> int:
        """How many texts left."""
        return sum(kind.sent for kind in self.kinds)

    @property
    def segments(self) -> int:
        """How many segments are paid for."""
        return sum(kind.segments for kind in self.kinds)

    @property
    def asked(self) -> tuple[Window, ...]:
        """The windows that ask by message."""
        return tuple(window for window in self.windows if window.prompted)


def page(report: Report, language: str) -> str:
    """Return the report as one HTML file that loads nothing."""
    return documents.render("rehearsal/report.html", language, {"report": report, "bins": BINS})
