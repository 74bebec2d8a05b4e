"""What every gateway takes and answers, and the errors, named for what the caller can do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from pro_service.gateways.codes import Kind


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One finished message on its way to one person.

    `to` is an E.164 number or an e-mail address. `callback_url` carries the attempt's own token; `validity_seconds` is
    how long the provider may go on trying; `reference` is the stable stem of an e-mail's Message-ID, so that a second
    attempt is recognisably the same mail; `may_leave` says, right before the first byte, whether the
    claim is young enough still. Number and text stay out of the repr: it ends up in logs.
    """

    message_id: int
    to: str = field(repr=False)
    body: str = field(repr=False)
    callback_url: str | None = field(default=None, repr=False)
    validity_seconds: int | None = None
    subject: str | None = field(default=None, repr=False)
    reference: str = ""
    may_leave: Callable[[], bool] = field(default=lambda: True, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken the message: its own id for it, and the status it began with."""

    sid: str
    status: str


@dataclass(frozen=True, slots=True)
class Record:
    """One message as the provider remembers it; `created_at` is aware UTC. Numbers and text stay out of the repr."""

    sid: str
    status: str
    direction: str
    to: str = field(repr=False)
    from_: str = field(repr=False)
    body: str = field(repr=False)
    created_at: datetime | None
    error_code: int | None
    media: int = 0

    @property
    def inbound(self) -> bool:
        """Whether a person wrote it."""
        return self.direction == "inbound"


Forgotten: TypeAlias = Literal["deleted", "redacted", "unknown"]
"""What became of a provider's copy: gone, its words gone, or the provider has none."""


class GatewayError(Exception):
    """A gateway did not confirm a message. It carries codes only: never a number, an address or a text."""

    def __init__(self, code: int | None = None) -> None:
        """Keep the provider's code, or the HTTP or SMTP status, or None where there was no answer."""
        super().__init__(code)
        self.code = code


class Refused(GatewayError):  # noqa: N818 (named for what the caller can do)
    """A definite no: the message was not sent, and sending the same again would be refused again."""

    def __init__(self, code: int | None = None, kind: Kind = "other") -> None:
        """Keep the code and the class of its cause (see `codes`)."""
        super().__init__(code)
        self.kind: Kind = kind

    def __str__(self) -> str:
        """Say code and class."""
        return f"refused: {self.code} ({self.kind})"


class Unavailable(GatewayError):  # noqa: N818 (named for what the caller can do)
    """The message certainly did not leave: it may be tried again, after `retry_after` seconds if that is known."""

    def __init__(self, code: int | None = None, retry_after: float | None = None, kind: Kind = "busy") -> None:
        """Keep the code, the provider's wish and the class of the cause (see `codes`)."""
        super().__init__(code)
        self.retry_after = retry_after
        self.kind: Kind = kind

    def __str__(self) -> str:
        """Say code and wait."""
        return f"unavailable: {self.code}, retry after {self.retry_after}"


class Uncertain(GatewayError):  # noqa: N818 (named for what the caller can do)
    """The message may or may not have been taken: ask the provider before anything is sent again."""

    def __str__(self) -> str:
        """Say the code."""
        return f"uncertain: {self.code}"


class Gateway(Protocol):
    """A gateway. Called with no transaction open; may be called from several threads at once."""

    def send(self, outgoing: Outgoing) -> Accepted:
        """Hand one message to the provider; raise Refused, Unavailable or Uncertain."""
        ...


class TextGateway(Gateway, Protocol):
    """A gateway that can be asked what became of a message. Raise Unavailable or Refused if it cannot answer."""

    @property
    def elsewhere(self) -> bool:
        """Whether texts leave this machine, and may reach somebody's telephone."""
        ...

    def fetch(self, sid: str) -> Record | None:
        """Read one message back; None if the provider does not know it."""
        ...

    def find(self, to: str, body: str, created_after: datetime) -> list[Record]:
        """List what was sent to one person since then and contains this text."""
        ...

    def list_outbound(self, created_after: datetime) -> list[Record]:
        """List everything that was sent since then, newest first."""
        ...

    def list_inbound(self, created_after: datetime) -> list[Record]:
        """List the texts people sent us since then, newest first."""
        ...

    def forget(self, sid: str) -> Forgotten:
        """Delete the provider's copy of a text with its pictures, or else its words; say which.

        Unavailable: it may be tried again, because a text on its way cannot be deleted. Refused: never.
        """
        ...


@runtime_checkable
class Dated(TextGateway, Protocol):
    """A provider on another machine, whose answers say what time it is there."""

    def server_time(self) -> datetime | None:
        """Ask for the provider's time; None if it does not answer, or runs on this machine."""
        ...
