"""What staff can change about a participant, as values. `plan` works out what each of them brings about."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from pro_service.core.ladder import Ladder
from pro_service.core.protocol import Medium, Protocol, Site

Origin: TypeAlias = Literal["messages", "study"]
"""What somebody withdraws from. Who wants no messages stays in the study and may be telephoned."""


@dataclass(frozen=True, slots=True)
class Reschedule:
    """The procedure took, or will take, place on another day; or it ended at another time."""

    day: date
    end: datetime | None
    """When it ended, where that is known: what windows of minutes are counted from."""


@dataclass(frozen=True, slots=True)
class Pause:
    """No prompts before this instant; then they begin again by themselves."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Resume:
    """Prompts begin again now: a pause, and a hold after a stop word, have ended."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """No more messages; or nothing at all any more."""

    origin: Origin
    at: datetime | None = None
    """When that was said, where it was not now; of the study only."""


@dataclass(frozen=True, slots=True)
class Die:
    """The participant has died: silence, at once."""

    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reinstate:
    """The death, or else the withdrawal from the study, was entered by mistake: it never happened."""


@dataclass(frozen=True, slots=True)
class NewTelephone:
    """Another number, or none. The number itself stays outside the rules."""

    given: bool
    consents: Mapping[Medium, datetime | None]
    """Consent to texts and to WhatsApp on this number; None of either = it is only called."""


@dataclass(frozen=True, slots=True)
class NewAddress:
    """Another e-mail address, or none. The address itself stays outside the rules."""

    given: bool
    consented_at: datetime | None
    """Consent to mails to this address; None = nothing is sent to it."""


@dataclass(frozen=True, slots=True)
class NewLanguage:
    """Texts and forms in another language."""

    language: str


@dataclass(frozen=True, slots=True)
class NewZone:
    """The participant lives in another time zone."""

    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class NewChannel:
    """The participant is asked by another ladder of channels."""

    ladder: Ladder


@dataclass(frozen=True, slots=True)
class NewConsent:
    """Consent to messages by one medium given (again) at this instant, or taken back."""

    consented_at: datetime | None
    medium: Medium = "sms"


@dataclass(frozen=True, slots=True)
class Move:
    """Another site looks after the participant."""

    site: Site


@dataclass(frozen=True, slots=True)
class Migrate:
    """Another version of the protocol holds for the participant."""

    protocol: Protocol


Change: TypeAlias = (
    Reschedule
    | Pause
    | Resume
    | Withdraw
    | Die
    | Reinstate
    | NewTelephone
    | NewAddress
    | NewLanguage
    | NewZone
    | NewChannel
    | NewConsent
    | Move
    | Migrate
)
