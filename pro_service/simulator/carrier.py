"""The simulated Twilio: takes messages, says how far they got, and delivers people's replies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from uuid import uuid4

from pro_service.core.texts import segments
from pro_service.gateways.twilio.signatures import CALLBACK_RETRIES
from pro_service.simulator.faults import Dice
from pro_service.simulator.network import Network, Text
from pro_service.simulator.postman import Postman
from pro_service.simulator.provider import CannotReply, Pace, Provider
from pro_service.simulator.rules import WHATSAPP, Refusal, check, is_telephone, is_turkish, lost_on_the_way

API_VERSION = "2010-04-01"
_STOP = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
_START = {"START", "UNSTOP"}
_HELP = {"HELP", "INFO"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The simulated account: who may call, the number that texts come from, and where replies go."""

    sid: str
    auth_token: str
    inbound_url: str
    sender: str
    api_key: tuple[str, str] | None = None
    advanced_opt_out: bool = False

    def lets_in(self, user: str, password: str) -> bool:
        """Whether a user and password are those of the account or of its API key."""
        return (user, password) in ((self.sid, self.auth_token), self.api_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRequest:
    """What a client asks to be sent."""

    to: str
    body: str
    sender: str = ""
    service: str = ""
    callback_url: str = ""
    content_sid: str = ""
    content_variables: str = ""


class Carrier(Provider):
    """Takes messages and carries them, at its pace and with its faults."""

    name = "Twilio"

    def __init__(
        self,
        account: Account,
        network: Network,
        postman: Postman,
        dice: Dice,
        pace: Pace,
        clock: Callable[[], datetime],
    ) -> None:
        """Put the parts together."""
        super().__init__(network, postman, dice, pace, clock)
        self.account = account

    def take(self, wanted: MessageRequest) -> Text:
        """Accept one message and send it on its way; raise Refusal."""
        check(to=wanted.to, sender=wanted.sender, service=wanted.service, body=wanted.body)
        sender = wanted.sender or self.account.sender
        if self.network.is_blocked(wanted.to, sender):
            raise Refusal(21610)
        now = self.clock()
        text = Text(
            sid=f"SM{uuid4().hex}",
            inbound=False,
            to=wanted.to,
            from_=sender,
            body=wanted.body,
            status="accepted" if wanted.service else "queued",
            created_at=now,
            updated_at=now,
            service=wanted.service,
            callback_url=wanted.callback_url,
            listed_from=monotonic() + self.dice.faults.list_lag_seconds,
        )
        self.network.add(text)
        self.set_out(text, lost_on_the_way(text.to, text.body))
        return text

    def answered_at(self, telephone: str) -> str:
        """Return which number or name texted this telephone last."""
        return self.sender_to(telephone) or self.account.sender

    def why_no_reply(self, telephone: str) -> str | None:
        """Return why nobody can answer from this telephone; None if they can."""
        if is_turkish(telephone):
            return "Twilio has no two-way texting in Turkey: a reply from +90 reaches nobody."
        if not is_telephone(self.answered_at(telephone)):
            return "The texts come from a sender name, not a number: it cannot be answered."
        return None

    def person_writes(self, telephone: str, body: str) -> Text:
        """Deliver a person's text to the study's webhook; raise CannotReply."""
        if why := self.why_no_reply(telephone):
            raise CannotReply(why)
        now = self.clock()
        text = Text(
            sid=f"SM{uuid4().hex}",
            inbound=True,
            to=self.answered_at(telephone),
            from_=telephone,
            body=body,
            status="received",
            created_at=now,
            updated_at=now,
            sent_at=now,
            service=next((text.service for text in reversed(self.network.thread(telephone)) if text.service), ""),
        )
        self.network.add(text)
        self.deliver_inbound(text)
        return text

    def deliver_inbound(self, text: Text, more: Mapping[str, str] | None = None) -> None:
        """Call the study's webhook with what somebody wrote; `more`: fields beside those of every text."""
        params = self._inbound_params(text) | dict(more or {})
        self.postman.later(
            0,
            lambda: self.postman.post(
                self.account.inbound_url + CALLBACK_RETRIES,
                params,
                done=lambda taken: self._told(text.sid, taken=taken),
            ),
        )

    def _told(self, sid: str, *, taken: bool) -> None:
        self.network.change(sid, taken=taken)

    def _inbound_params(self, text: Text) -> dict[str, str]:
        params = {
            "ApiVersion": API_VERSION,
            "AccountSid": self.account.sid,
            "MessageSid": text.sid,
            "SmsSid": text.sid,
            "SmsMessageSid": text.sid,
            "SmsStatus": "received",
            "From": address_of(text, text.from_),
            "To": address_of(text, text.to),
            "Body": text.body,
            "NumMedia": "0",
            "NumSegments": str(segments(text.body)),
            "FromCountry": "",
            "ToCountry": "",
        }
        if text.service:
            params["MessagingServiceSid"] = text.service
        if self.account.advanced_opt_out and (kind := _opt_out_type(text.body)):
            params["OptOutType"] = kind
            if kind != "HELP":
                self.network.block(text.from_, text.to, blocked=kind == "STOP")
        return params

    def report(self, text: Text, status: str, error: int | str | None, *, at_once: bool = False) -> None:  # noqa: ARG002
        """Call the address that came with the text."""
        if text.callback_url:
            self.postman.post(text.callback_url, self._status_params(text, status, error))

    def _status_params(self, text: Text, status: str, code: int | str | None) -> dict[str, str]:
        params = {
            "ApiVersion": API_VERSION,
            "AccountSid": self.account.sid,
            "MessageSid": text.sid,
            "SmsSid": text.sid,
            "MessageStatus": status,
            "SmsStatus": status,
            "From": address_of(text, text.from_),
            "To": address_of(text, text.to),
        }
        if text.service:
            params["MessagingServiceSid"] = text.service
        if code:
            params["ErrorCode"] = str(code)
        if status == "delivered":
            params["RawDlrDoneDate"] = self.clock().strftime("%y%m%d%H%M")
        return params


def address_of(text: Text, number: str) -> str:
    """Return a number of a text as Twilio writes it: with the channel before it where that is not SMS."""
    return number if text.provider == Carrier.name else WHATSAPP + number


def _opt_out_type(body: str) -> str | None:
    word = body.strip().upper()
    return "STOP" if word in _STOP else "START" if word in _START else "HELP" if word in _HELP else None
