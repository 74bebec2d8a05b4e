"""The simulated Verimor: takes campaigns, refuses the same words twice, and pushes receipts and people's texts.

Source: Verimor, "SMS API dökümanı". Numbers that begin with +90555 00000 have a fate of their own: see `FATES`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from threading import Lock
from time import monotonic
from types import MappingProxyType
from zoneinfo import ZoneInfo

from pro_service.core.texts import encoding, segments
from pro_service.simulator.faults import Dice
from pro_service.simulator.network import Campaign, Network, Text
from pro_service.simulator.postman import Postman
from pro_service.simulator.provider import CannotReply, Pace, Provider
from pro_service.simulator.rules import is_telephone

NAME = "Verimor"
ISTANBUL = ZoneInfo("Europe/Istanbul")
SAME = timedelta(hours=24)
"""How long the same words under the same header go to a number once only."""
MOST_SEGMENTS = 7
TOGETHER = 0.02
"""Seconds for which what is to be pushed is gathered."""

FATES: Mapping[str, str] = MappingProxyType(
    {
        "+905550000001": "INVALID_DESTINATION_ADDRESS",
        "+905550000002": "INSUFFICIENT_CREDITS",
        "+905550000003": "FORBIDDEN_MESSAGE",
        "+905550000011": "INVALID_DESTINATION_ADDRESS",
        "+905550000012": "NOT_ALLOWED_BY_IYS",
        "+905550000013": "REJECTED",
        "+905550000014": "EXPIRED",
        "+905550000015": "NOT_DELIVERED",
        "+905550000019": "EATEN_BY_A_DOG",  # a word that nobody knows
    }
)
"""Refused at once (…01 to …09), or reported afterwards (…11 to …19)."""
_AT_ONCE = "+9055500000"
_STATUSES = {"accepted": "SENDING", "queued": "SENDING", "sent": "WAITING", "delivered": "DELIVERED"}
_PERIOD = re.compile(r"(\d{1,2}):([0-5]\d)")
_SHORTEST, _LONGEST = 1, 48 * 60
_SHORT_CODE = 6


class Refusal(Exception):  # noqa: N818 (an answer, not a fault)
    """Verimor's answer in words, and the HTTP status it comes with."""

    def __init__(self, words: str, status: int = 400) -> None:
        """Keep both."""
        super().__init__(words)
        self.words, self.status = words, status


@dataclass(frozen=True, slots=True, kw_only=True)
class VerimorAccount:
    """The simulated account: who may call, what texts come from, and where pushes go."""

    username: str
    password: str
    headers: tuple[str, ...]
    hook_url: str = ""
    """Empty: nothing is pushed."""
    reply_to: str = ""
    """The number that people can write to; empty: to a header that is a number."""
    keyword: str = ""
    """The word with which texts to a shared short code begin."""
    pauses: tuple[float, ...] = (300.0, 300.0, 300.0)
    """Seconds before each further try of a push that was not answered with 200."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRequest:
    """What a client asks to be sent: one text to one number of a campaign."""

    to: str
    body: str
    header: str = ""
    valid_for: str = "24:00"
    datacoding: str = ""
    token: str = ""
    message_token: str = ""


class Bucket:
    """How many requests a client may make: so many a minute, and so many at once."""

    def __init__(self, per_minute: float, burst: int) -> None:
        """Begin full."""
        self._rate, self._burst, self._left, self._at = per_minute / 60, float(burst), float(burst), monotonic()
        self._lock = Lock()

    def take(self) -> None:
        """Take one; raise Refusal if none is left."""
        with self._lock:
            now = monotonic()
            self._left, self._at = min(self._burst, self._left + (now - self._at) * self._rate), now
            if self._left < 1:
                raise Refusal("Too Many Requests", 429)
            self._left -= 1


@dataclass(slots=True)
class Limits:
    """The buckets of an account."""

    sending: Bucket = field(default_factory=lambda: Bucket(240, 80))
    asking: Bucket = field(default_factory=lambda: Bucket(20, 10))


class Verimor(Provider):
    """Takes campaigns and carries them, at its pace and with its faults."""

    name = NAME

    def __init__(
        self,
        account: VerimorAccount,
        network: Network,
        postman: Postman,
        dice: Dice,
        pace: Pace,
        clock: Callable[[], datetime],
        *,
        limits: bool = False,
    ) -> None:
        """Put the parts together."""
        super().__init__(network, postman, dice, pace, clock)
        self.account, self.limits = account, Limits() if limits else None
        self.blacklist: set[str] = set()
        self._numbers, self._lock = count(20121), Lock()
        self._gathered: list[tuple[dict[str, object], str]] = []

    # --- texts of the study ------------------------------------------------------------------------------------------

    def take(self, campaign: list[CampaignRequest]) -> int:
        """Accept a campaign and send it on its way; raise Refusal for all of it."""
        for wanted in campaign:
            self._check(wanted)
        with self._lock:
            number = next(self._numbers)
        for wanted in campaign:
            self._take_over(wanted, number)
        return number

    def of_campaign(self, *, token: str = "", number: str = "") -> list[Text]:
        """Return the texts of a campaign, by the client's key or by its number."""
        return [
            text
            for text in self.network.listed(self.name)
            if text.campaign is not None
            and ((token and text.campaign.token == token) or (number and str(text.campaign.number) == number))
        ]

    def _take_over(self, wanted: CampaignRequest, number: int) -> None:
        text = replace(
            self._text(wanted.to, wanted.header, _coded(wanted.body, wanted.datacoding), "accepted"),
            listed_from=monotonic() + self.dice.faults.list_lag_seconds,
            campaign=Campaign(number, wanted.token, wanted.message_token),
        )
        # Looked for before it is there itself.
        repeated = self._sent_before(text.to, text.from_, text.body)
        self.network.add(text)
        blocked = "BLACKLISTED_DESTINATION_ADDRESS" if text.to in self.blacklist else FATES.get(text.to)
        self.set_out(text, "DOUBLE_SEND_ERROR" if repeated else blocked)

    def _check(self, wanted: CampaignRequest) -> None:
        """Refuse what Verimor refuses at once; raise Refusal."""
        if wanted.header not in self.account.headers:
            raise Refusal("INVALID_SOURCE_ADDRESS")
        if not wanted.body:
            raise Refusal("MISSING_MESSAGE")
        if wanted.datacoding not in ("", "0", "1", "2"):
            raise Refusal("INVALID_DATACODING")
        if segments(_coded(wanted.body, wanted.datacoding), "turkish") > MOST_SEGMENTS:
            raise Refusal("MESSAGE_TOO_LONG")
        period = _PERIOD.fullmatch(wanted.valid_for)
        if not period or not _SHORTEST <= int(period[1]) * 60 + int(period[2]) <= _LONGEST:
            raise Refusal("INVALID_PERIOD")
        if not is_telephone(wanted.to):
            raise Refusal("INVALID_DESTINATION_ADDRESS")
        if wanted.to.startswith(_AT_ONCE) and wanted.to[-2] == "0" and wanted.to in FATES:
            raise Refusal(FATES[wanted.to])
        coded = _coded(wanted.body, wanted.datacoding)
        late = self.dice.happens(self.dice.faults.repeats_refused_late)
        if not late and self._sent_before(wanted.to, wanted.header, coded):
            raise Refusal("MUKERRER_RAPORLAMA")

    def _text(self, to: str, from_: str, body: str, status: str, *, inbound: bool = False) -> Text:
        now = self.clock()
        with self._lock:
            sid = f"{self.name}{next(self._numbers)}"
        return Text(sid, inbound, to, from_, body, status, created_at=now, updated_at=now, provider=self.name)

    def _sent_before(self, to: str, header: str, body: str) -> bool:
        """Whether the same words went to this number under this header within a day, and were not refused."""
        return any(
            text.provider == self.name
            and not text.inbound
            and (text.from_, text.body) == (header, body)
            and text.error_code != "DOUBLE_SEND_ERROR"
            and self.clock() - text.created_at < SAME
            for text in self.network.thread(to)
        )

    # --- texts of people ---------------------------------------------------------------------------------------------

    def answered_at(self, telephone: str) -> str:
        """Return the number that people write to."""
        return self.account.reply_to or self.sender_to(telephone) or self.account.headers[0]

    def why_no_reply(self, telephone: str) -> str | None:
        """Return why nobody can answer: a header that is a name takes no texts."""
        if self.answered_at(telephone).removeprefix("+").isdecimal():
            return None
        return "The texts come from a sender name, not a number: it cannot be answered."

    def person_writes(self, telephone: str, body: str) -> Text:
        """Deliver a person's text by a push; raise CannotReply."""
        if why := self.why_no_reply(telephone):
            raise CannotReply(why)
        to, word = self.answered_at(telephone), self.account.keyword
        if len(to) <= _SHORT_CODE and word and not body.casefold().startswith(word.casefold()):
            raise CannotReply(f"A text to {to} reaches the study only if it begins with {word}.")
        text = self._text(to, telephone, body, "received", inbound=True)
        self.network.add(text)
        self._gather(inbound(text, self.account.keyword) | {"type": "inbound", **_pushed(text)}, text.sid)
        return text

    def written(self) -> list[Text]:
        """Return what people wrote, oldest first."""
        return [text for text in reversed(self.network.listed(self.name)) if text.inbound]

    # --- pushes ------------------------------------------------------------------------------------------------------

    def report(self, text: Text, status: str, error: int | str | None, *, at_once: bool = False) -> None:
        """Push how far a text got, with whatever else there is to push then."""
        said: dict[str, object] = {"type": "outbound", **outbound(text, status, error)}
        if at_once and self.account.hook_url:
            self.postman.push(self.account.hook_url, [said], pauses=(), done=lambda _: None)
        else:
            self._gather(said, "")

    def _gather(self, said: dict[str, object], sid: str) -> None:
        """Push something a little later; `sid`: whose telephone is to learn whether the study took it."""
        if not self.account.hook_url:
            return
        with self._lock:
            first = not self._gathered
            self._gathered.append((said, sid))
        if first:
            self.postman.later(TOGETHER, self._push)

    def _push(self) -> None:
        with self._lock:
            together, self._gathered = self._gathered, []

        def done(taken: bool) -> None:  # noqa: FBT001 (the postman's)
            for _, sid in together:
                if sid:
                    self.network.change(sid, taken=taken)

        said = [one for one, _ in together]
        self.postman.push(self.account.hook_url, said, pauses=self.account.pauses, done=done)


def number_of(text: Text) -> int:
    """Return the number that Verimor has for a text."""
    return int(text.sid.removeprefix(NAME))


def outbound(text: Text, status: str, error: int | str | None) -> dict[str, object]:
    """Return what Verimor says of a text of the study, pushed and asked for alike."""
    campaign = text.campaign or Campaign(0)
    at = f"{text.updated_at.astimezone(ISTANBUL):%Y-%m-%d %H:%M:%S}"
    return {
        "campaign_id": campaign.number,
        "campaign_custom_id": campaign.token,
        "message_id": str(number_of(text)),
        "message_custom_id": campaign.message_token,
        "dest": text.to[1:],
        "size": segments(text.body, "turkish"),
        "international_multiplier": 1,
        "credits": segments(text.body, "turkish"),
        "status": str(error) if error else _STATUSES.get(status, "SENDING"),
        "gsm_error": "0",
        "sent_at": at if status == "delivered" else None,
        "done_at": at if status in ("delivered", "undelivered") else None,
    }


def inbound(text: Text, keyword: str) -> dict[str, object]:
    """Return a person's text as the list shows it: with the zone in every instant."""
    at = f"{text.created_at.astimezone(ISTANBUL).isoformat(timespec='milliseconds')}"
    return {
        "message_id": number_of(text),
        "created_at": at,
        "network": "TURKCELL",
        "source_addr": text.from_[1:],
        "destination_addr": text.to,
        "keyword": keyword,
        "content": text.body,
        "received_at": at,
    }


def _pushed(text: Text) -> dict[str, object]:
    """Return the instants of a person's text as a push shows them: without a zone."""
    at = f"{text.created_at.astimezone(ISTANBUL):%Y-%m-%d %H:%M:%S}"
    return {"created_at": at, "received_at": at}


def _coded(body: str, datacoding: str) -> str:
    """Return a text as it arrives: a letter that its coding does not know becomes a question mark."""
    wanted = datacoding or ("0" if encoding(body, "turkish") == "GSM-7" else "1")
    known = {"0": ("GSM-7",), "1": ("GSM-7", "Turkish"), "2": ("GSM-7", "Turkish", "UCS-2")}[wanted]
    return "".join(letter if encoding(letter, "turkish") in known else "?" for letter in body)
