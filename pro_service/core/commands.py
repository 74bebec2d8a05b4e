"""What the rules can call for, as values.

`store.participants.writer` is the one executor; mypy reports a command that it does not handle.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from pro_service.core.case import WRONG_CLOCK, Part, Source
from pro_service.core.protocol import LevelCode, Medium


@dataclass(frozen=True, slots=True)
class Send:
    """Queue one text to the participant. `key` may exist once; the words come later, from `frame`."""

    key: str
    kind: str
    frame: str
    window_id: int | None = None
    item: str | None = None
    """The item this text asks for."""
    about: str | None = None
    """The item it is about, if that is another one."""
    proposed: int | None = None
    useful_until: datetime | None = None
    """Never sent at or after this instant."""
    contact_hours: bool = False
    """Send it only inside contact hours: the participant did not just ask for it."""
    inbound_id: int | None = None
    when: datetime | None = None
    """An instant the text speaks of (a snooze, a call)."""
    until: datetime | None = None
    """The end of the hours that begin then."""
    after: str | None = None
    """The frame of the line above it, which says that we call: somebody sent an answer and a wish in one text."""
    medium: Medium = "sms"
    """What an answer goes by; a prompt goes by that of its channel."""
    skipped: tuple[str, ...] = ()
    """Prompts whose time has passed, in whose place it comes: they are not sent any more."""


@dataclass(frozen=True, slots=True)
class Record:
    """Store one version of one answer. Neither value nor declined = taken back."""

    window_id: int | None
    item: str
    value: int | None
    declined: bool
    source: Source
    received_at: datetime
    in_window: bool
    inbound_id: int | None = None
    entered_by: int | None = None
    reason: str | None = None
    carried_from: int | None = None
    """The answer in an earlier window that this one copies."""


@dataclass(frozen=True, slots=True)
class CallWish:
    """A participant's wish to be called: since when, in which part of the day (None = at any time)."""

    asked_at: datetime
    part: Part | None = None
    not_before: datetime | None = None
    """When that part of the day begins; None where a call is welcome now."""


@dataclass(frozen=True, slots=True)
class Escalate:
    """Raise a task for staff. `key` may exist once."""

    key: str
    level: LevelCode
    reason: str
    due_at: datetime
    window_id: int | None = None
    save_by: datetime | None = None
    """The window's close, after which a call can save nothing."""
    wish: CallWish | None = None


@dataclass(frozen=True, slots=True)
class MoveCall:
    """A call that is open already falls due at another moment, because the participant asked for it."""

    escalation_id: int
    due_at: datetime
    wish: CallWish


@dataclass(frozen=True, slots=True)
class Resolve:
    """End an escalation, with its outcome."""

    escalation_id: int
    outcome: str


@dataclass(frozen=True, slots=True)
class Settle:
    """Count a closed window, once."""

    window_id: int
    settled: str
    missing_reason: str | None = None


@dataclass(frozen=True, slots=True)
class EndWindow:
    """End a window that had not closed when the study was closed; it is never counted."""

    window_id: int


@dataclass(frozen=True, slots=True)
class CancelTexts:
    """Cancel what is queued and not yet sent, of one window or of all. Prompts are cancelled, replies stay."""

    window_id: int | None = None
    replies: bool = False
    """Replies are cancelled too: nothing that waits is sent."""


@dataclass(frozen=True, slots=True)
class OptOut:
    """The participant wants no more messages, on any channel."""


@dataclass(frozen=True, slots=True)
class OptIn:
    """The participant asked for messages again, by the medium that they wrote on: on the others the stop stands."""

    medium: Medium = "sms"


@dataclass(frozen=True, slots=True)
class HoldTexts:
    """Send no automatic text until a person has looked, or until then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Snooze:
    """The participant asked to be asked again later."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The number or address is not the participant's, or takes no messages: stop writing to it."""

    reason: str
    medium: Medium = "sms"


@dataclass(frozen=True, slots=True)
class Reopen:
    """A window was counted before its close, by a clock that ran ahead: it is counted no more, until it closes."""

    window_id: int


@dataclass(frozen=True, slots=True)
class Retract:
    """An escalation was raised by a clock that ran ahead: it ends, and may be raised again when its time comes."""

    escalation_id: int


@dataclass(frozen=True, slots=True)
class Redate:
    """An escalation was raised for a reason that stands, at a moment that is still to come: it is raised now."""

    escalation_id: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Unresolve:
    """An escalation that ended for a cause which did not hold is open again; `reason` says why."""

    escalation_id: int
    reason: str = WRONG_CLOCK


Command: TypeAlias = (
    Send
    | Record
    | Escalate
    | MoveCall
    | Resolve
    | Settle
    | CancelTexts
    | EndWindow
    | OptOut
    | OptIn
    | HoldTexts
    | Snooze
    | Unreachable
    | Reopen
    | Retract
    | Redate
    | Unresolve
)
