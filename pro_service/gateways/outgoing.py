"""What every gateway takes and answers, and the errors, named for what the caller can do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from pro_service.core.providers import Arrival, Facts
from pro_service.gateways.kinds import Kind


@dataclass(frozen=True, slots=True)
class Template:
    """A text that the provider has on file and has had approved, and what fills its blanks, in their order."""

    id: str
    values: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One finished message on its way to one person.

    `to` is an E.164 number or an e-mail address. `token` is the attempt's own: what the provider says of it comes under
    it, and a provider that keeps our key is asked by it. `validity_seconds` is how long the provider may go on trying;
    `reference` is the stable stem of an e-mail's Message-ID, so that a second attempt is recognisably the same mail;
    `template`: what is sent in the place of `body`, where nothing but a template may be, and says the same;
    `unsubscribe` is the address at which its reader's mail program ends these mails (RFC 8058);
    `restores`: its reader has just asked for texts again, so a provider that lists who stopped takes them off;
    `may_leave` says, right before the first byte, whether the claim is young enough still. Number and text stay out of
    the repr: it ends up in logs.
    """

    message_id: int
    to: str = field(repr=False)
    body: str = field(repr=False)
    token: str = field(default="", repr=False)
    validity_seconds: int | None = None
    subject: str | None = field(default=None, repr=False)
    reference: str = ""
    unsubscribe: str = field(default="", repr=False)
    restores: bool = False
    template: Template | None = None
    may_leave: Callable[[], bool] = field(default=lambda: True, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken the message: its own id for it, and the status it began with."""

    sid: str
    status: str


@dataclass(frozen=True, slots=True)
class Record:
    """One message as the provider remembers it; `created_at` is aware UTC. Number and text stay out of the repr.

    `body` is empty where the provider was asked by our own key and does not say the words.
    """

    sid: str
    status: str
    to: str = field(repr=False)
    body: str = field(repr=False)
    created_at: datetime | None
    error: str = ""
    """The provider's code; empty without one."""


Forgotten: TypeAlias = Literal["deleted", "redacted", "unknown"]
"""What became of a provider's copy: gone, its words gone, or the provider has none."""


class GatewayError(Exception):
    """A gateway did not confirm a message. It carries codes only: never a number, an address or a text."""

    def __init__(self, code: int | str | None = None) -> None:
        """Keep the provider's code, or the HTTP or SMTP status, or None where there was no answer."""
        super().__init__(code)
        self.code = code


class Refused(GatewayError):  # noqa: N818 (named for what the caller can do)
    """A definite no: the message was not sent, and sending the same again would be refused again."""

    def __init__(self, code: int | str | None = None, kind: Kind = "other") -> None:
        """Keep the code and the class of its cause (see `codes`)."""
        super().__init__(code)
        self.kind: Kind = kind

    def __str__(self) -> str:
        """Say code and class."""
        return f"refused: {self.code} ({self.kind})"


class Unavailable(GatewayError):  # noqa: N818 (named for what the caller can do)
    """The message certainly did not leave: it may be tried again, after `retry_after` seconds if that is known."""

    def __init__(self, code: int | str | None = None, retry_after: float | None = None, kind: Kind = "busy") -> None:
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


@contextmanager
def asking() -> Iterator[None]:
    """While a question is asked: without a clear answer it may simply be asked again, so nothing is uncertain."""
    try:
        yield
    except Uncertain as fault:
        raise Unavailable(fault.code) from None


class Gateway(Protocol):
    """A gateway. Called with no transaction open; may be called from several threads at once."""

    def send(self, outgoing: Outgoing) -> Accepted:
        """Hand one message to the provider; raise Refused, Unavailable or Uncertain."""
        ...


class Channel(Gateway, Protocol):
    """One way out to telephones, which can be asked. Each question raises Unavailable or Refused if there is no answer.

    A provider that cannot tell (see its facts) answers a question as if it knew of nothing: see `CannotTell`.
    """

    @property
    def facts(self) -> Facts:
        """What it is and can promise."""
        ...

    @property
    def elsewhere(self) -> bool:
        """Whether texts leave this machine, and may reach somebody's telephone."""
        ...

    @property
    def pace(self) -> float | None:
        """How many segments a second its sender may send, unless the settings say otherwise; None = any number."""
        ...

    def fetch(self, sid: str) -> Record | None:
        """Read one message back, of ours or of a person; None if the provider does not know it."""
        ...

    def recall(self, token: str, to: str, body: str, created_after: datetime) -> list[Record]:
        """List what an attempt of unknown fate became: what has its token, or went to one person and says this."""
        ...

    def list_sent(self, created_after: datetime) -> list[Record]:
        """List everything that was sent since then, newest first."""
        ...

    def pull(self, created_after: datetime) -> list[Arrival]:
        """List the texts people sent us since then, those of one instant newest first."""
        ...

    def forget(self, sid: str) -> Forgotten:
        """Delete the provider's copy of a text with its pictures, or else its words; say which.

        Unavailable: it may be tried again, because a text on its way cannot be deleted. Refused: never.
        """
        ...

    def close(self) -> None:
        """Give its connections back."""
        ...


class CannotTell:
    """Answers of a channel whose provider is not asked: it takes messages, and knows of none."""

    def fetch(self, sid: str) -> Record | None:  # noqa: ARG002 (a channel's shape)
        """Return nothing."""
        return None

    def recall(self, token: str, to: str, body: str, created_after: datetime) -> list[Record]:  # noqa: ARG002
        """Return nothing."""
        return []

    def list_sent(self, created_after: datetime) -> list[Record]:  # noqa: ARG002
        """Return nothing."""
        return []

    def pull(self, created_after: datetime) -> list[Arrival]:  # noqa: ARG002
        """Return nothing."""
        return []

    def forget(self, sid: str) -> Forgotten:  # noqa: ARG002
        """Say that there is no copy."""
        return "unknown"

    def close(self) -> None:
        """There is nothing to close."""


@runtime_checkable
class Dated(Channel, Protocol):
    """A provider on another machine, whose answers say what time it is there."""

    def server_time(self) -> datetime | None:
        """Ask for the provider's time; None if it does not answer, or runs on this machine."""
        ...
