"""Who carries messages: what each way out can promise, and what providers tell us, in words of our own.

`channel` is how a participant is asked (`sms-link`), `provider` is who carries it (`twilio`), and a way out is one
provider's service (`sms`): what the outbox, its pace, its stop and its quarantine are kept by.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal, TypeAlias

from pro_service.core.protocol import Medium
from pro_service.core.texts import Charset

WayOut: TypeAlias = str
"""One of the keys of `FACTS`."""

STAFF_MAIL: WayOut = "email"
"""The way out of mails to staff; every other leads to participants, and to staff who left a telephone."""
MAIL: WayOut = "email-link"
"""The way out of mails to participants."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What one way out is and can promise, wherever it leads; what it carries to one country stands in `routes`."""

    way: WayOut
    """As in the tables `messages` and `channels`."""
    provider: str
    """As in `routes` and in `/hooks/<provider>/…`."""
    name: str
    """What the provider calls itself."""
    medium: Medium
    needs: str
    """The settings without which it is not configured."""
    charset: Charset = "gsm"
    """How a text is counted in segments."""
    pull: bool = False
    """It lists what people wrote."""
    lists_sent: bool = False
    """It lists what it was given, so that a quarantine ends by itself; else a person ends it."""
    same_text: bool = True
    """It takes the same words to the same telephone twice within a day."""
    session: timedelta | None = None
    """How long free words may be sent after somebody wrote; at other times only a template. None: always."""
    same_message: bool = False
    """Readers see a message once, even if it is sent twice (a mail's Message-ID): one in doubt is sent again."""


FACTS: Mapping[WayOut, Facts] = MappingProxyType(
    {
        one.way: one
        for one in (
            Facts(
                way="sms",
                provider="twilio",
                name="Twilio",
                medium="sms",
                needs="TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_FROM or TWILIO_MESSAGING_SERVICE_SID",
                pull=True,
                lists_sent=True,
            ),
            Facts(
                way="verimor",
                provider="verimor",
                name="Verimor",
                medium="sms",
                needs="VERIMOR_USERNAME, VERIMOR_PASSWORD and VERIMOR_SENDER",
                charset="turkish",
                pull=True,
                same_text=False,
            ),
            Facts(
                way="whatsapp",
                provider="twilio",
                name="Twilio",
                medium="whatsapp",
                needs="TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_WHATSAPP_FROM",
                pull=True,
                lists_sent=True,
                session=timedelta(hours=24),
            ),
            Facts(
                way="email-link",
                provider="smtp",
                name="E-mail",
                medium="email",
                needs="SMTP_HOST and MAIL_FROM",
                same_message=True,
            ),
            Facts(
                way="email",
                provider="smtp",
                name="E-mail",
                medium="email",
                needs="SMTP_HOST and MAIL_FROM",
                same_message=True,
            ),
        )
    }
)
"""The oldest provider stands first."""

TEXTS: tuple[WayOut, ...] = tuple(way for way, facts in FACTS.items() if facts.medium != "email")
"""The ways to telephones."""
TO_PARTICIPANTS: tuple[WayOut, ...] = (*TEXTS, MAIL)
SAME_MESSAGE: tuple[WayOut, ...] = tuple(way for way, facts in FACTS.items() if facts.same_message)


def ways_of(medium: Medium) -> tuple[WayOut, ...]:
    """Return the ways to participants that go by a medium."""
    return tuple(way for way in TO_PARTICIPANTS if FACTS[way].medium == medium)


@dataclass(frozen=True, slots=True)
class Pace:
    """What a sender may carry: segments a second, and segments a UTC day. None = without a limit."""

    per_second: float | None = None
    per_day: int | None = None


SMS: Mapping[str, WayOut] = MappingProxyType({one.provider: way for way, one in FACTS.items() if one.medium == "sms"})
"""Provider -> the way out by which it carries texts."""


def way_of(provider_id: str) -> WayOut:
    """Return the way out that an id of a provider's belongs to: those of every provider but the first begin with it."""
    name = provider_id.partition(":")[0]
    return next((way for way in TEXTS if way == name), "sms")


LONGEST_ID, LONGEST_STATUS, LONGEST_CODE = 64, 20, 40
"""Characters of what is kept of a provider's words."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A text that somebody wrote, as a provider brings it. What it says stays out of the repr: that ends up in logs."""

    way: WayOut
    provider_id: str
    """Unique among all providers."""
    sender: str = field(repr=False)
    """E.164."""
    body: str = field(repr=False)
    raw: Mapping[str, object] = field(repr=False)
    """Everything that came, as it came; JSON."""
    to: str = field(default="", repr=False)
    media: int = 0
    """How many pictures and the like came with it."""
    opt_out: Literal["STOP", "START", "HELP"] | None = None
    """What the provider itself has made of it and done."""
    at: datetime | None = None
    """When the provider got it, where that is known; aware UTC."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider says of a message of ours."""

    provider_id: str
    status: str
    """queued, accepted, sending, sent, delivered, undelivered or failed; any other word is kept, and moves nothing."""
    error: str = ""
    """The provider's code; empty without one."""
    token: str | None = None
    """Of the attempt it is about; None where only the provider's id says which message is meant."""

    def __post_init__(self) -> None:
        """Keep of a provider's words what a database can hold."""
        for name, longest in (("provider_id", LONGEST_ID), ("status", LONGEST_STATUS), ("error", LONGEST_CODE)):
            kept = "".join(filter(str.isprintable, getattr(self, name)))[:longest]
            object.__setattr__(self, name, kept)
