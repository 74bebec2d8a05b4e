"""What providers call: one shape of request for all, and what each provider's own module makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pro_service.core.providers import Arrival, Receipt


@dataclass(frozen=True, slots=True)
class HookRequest:
    """One request of somebody who may be a provider. Nothing of it goes into a log."""

    url: str = field(repr=False)
    """Whole, as the provider was given it: the public address, the path and the query as they came."""
    path: str = field(repr=False)
    """What follows `/hooks/<provider>/`."""
    headers: Mapping[str, str] = field(repr=False)
    """By name in small letters."""
    body: bytes = field(repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    """The fields of a form, the first value of each; None if it is none. May have a `getlist`."""
    address: str = field(default="", repr=False)
    """The network address it came from."""


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """What a provider wants to hear."""

    status: int
    body: bytes = b""
    mimetype: str = "text/plain"


class NotOursError(Exception):
    """A genuine request that nothing can be made of: not a call that this provider makes."""


class Hooks(Protocol):
    """The calls of one provider."""

    def genuine(self, request: HookRequest) -> bool:
        """Whether this provider made it."""
        ...

    def read(self, request: HookRequest) -> Sequence[Arrival | Receipt]:
        """Return what it brings, in order; one push may carry many. Raise NotOursError."""
        ...

    def answer(self, request: HookRequest) -> HookAnswer:
        """Return what to answer once everything that it brought is kept."""
        ...
