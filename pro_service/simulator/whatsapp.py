"""The simulated WhatsApp behind Twilio: templates and their buttons, the day in which anything may be said, blocks."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from uuid import uuid4

from pro_service.core.protocol import Protocol
from pro_service.simulator.carrier import Carrier, MessageRequest
from pro_service.simulator.network import Text
from pro_service.simulator.provider import Provider
from pro_service.simulator.rules import LONGEST_BODY, WHATSAPP, Refusal, is_telephone

NAME = "WhatsApp"
SESSION = timedelta(hours=24)
LONGEST = 1024
"""Characters of a template with its blanks filled."""

NOT_THERE, OTHER_CLIENT, BLOCKED, MARKETING = 63003, 63024, 63014, 63049
LOST: Mapping[str, int] = {
    "+12025550190": NOT_THERE,
    "+12025550191": OTHER_CLIENT,
    "+12025550192": BLOCKED,
    "+12025550193": MARKETING,
}
"""Numbers of ours, reserved for fiction, whose messages are taken and do not arrive."""
NO_SESSION, UNFIT_VALUE, WRONG_COUNT, TOO_LONG = 63016, 63013, 63028, 63021
UNKNOWN_TEMPLATE, UNREADABLE_VALUES = 21655, 21656
_UNFIT = re.compile(r"[\n\t]| {5}")
_BLANK = re.compile(r"\{\{(\d+)\}\}")


@dataclass(frozen=True, slots=True)
class Content:
    """A template as it was approved: its text with {{1}}, {{2}} …, and what its buttons say."""

    text: str
    buttons: tuple[str, ...] = ()


Contents = Callable[[str], Content | None]
"""Id of a template -> what it says; None if there is none."""


def contents_of(protocol: Protocol, frames: Mapping[str, Mapping[str, str]]) -> dict[str, Content]:
    """Return the templates of a study as they would have been approved: the words of its own texts."""
    found = {}
    for one in protocol.whatsapp_templates:
        text = frames.get(one.language, {}).get(one.frame, "")
        for number, name in enumerate(one.variables, start=1):
            text = text.replace(f"{{{name}}}", f"{{{{{number}}}}}")
        found[one.content_sid] = Content(text, one.buttons)
    return found


class WhatsApp(Provider):
    """Takes WhatsApp messages of the account that the simulated Twilio has, and what people write there."""

    name = NAME

    def __init__(self, carrier: Carrier, sender: str, contents: Contents) -> None:
        """Play it beside the texts of that account."""
        super().__init__(carrier.network, carrier.postman, carrier.dice, carrier.pace, carrier.clock)
        self._carrier, self._sender, self._contents = carrier, sender, contents

    def take(self, wanted: MessageRequest) -> Text:
        """Accept one message and send it on its way; raise Refusal."""
        to = wanted.to.removeprefix(WHATSAPP)
        if not is_telephone(to):
            raise Refusal(21211)
        if wanted.sender != WHATSAPP + self._sender:
            raise Refusal(63007)
        body, error, buttons = self._said(wanted)
        if not body:
            raise Refusal(21602)
        if len(body) > LONGEST_BODY:
            raise Refusal(21617)
        if not wanted.content_sid and not self._in_session(to):
            error = NO_SESSION
        now = self.clock()
        text = Text(
            sid=f"SM{uuid4().hex}",
            inbound=False,
            to=to,
            from_=self._sender,
            body=body,
            status="queued",
            created_at=now,
            updated_at=now,
            callback_url=wanted.callback_url,
            listed_from=monotonic() + self.dice.faults.list_lag_seconds,
            provider=NAME,
            buttons=buttons,
        )
        self.network.add(text)
        self.set_out(text, LOST.get(to) or error)
        return text

    def _said(self, wanted: MessageRequest) -> tuple[str, int | None, tuple[str, ...]]:
        """Return the words, what is wrong with them, and the buttons below them."""
        if not wanted.content_sid:
            return wanted.body, None, ()
        content = self._contents(wanted.content_sid)
        if content is None:
            raise Refusal(UNKNOWN_TEMPLATE)
        try:
            given = {str(name): str(value) for name, value in json.loads(wanted.content_variables or "{}").items()}
        except (ValueError, AttributeError):
            raise Refusal(UNREADABLE_VALUES) from None
        body = _BLANK.sub(lambda blank: given.get(blank[1], blank[0]), content.text).strip()
        error = None
        if set(_BLANK.findall(content.text)) != given.keys():
            error = WRONG_COUNT
        elif any(not value.strip() or _UNFIT.search(value) for value in given.values()):
            error = UNFIT_VALUE
        elif len(body) > LONGEST:
            error = TOO_LONG
        return body, error, content.buttons

    def _in_session(self, telephone: str) -> bool:
        since = self.clock() - SESSION
        thread = self.network.thread(telephone)
        return any(text.inbound and text.provider == NAME and text.created_at > since for text in thread)

    def report(self, text: Text, status: str, error: int | str | None, *, at_once: bool = False) -> None:
        """Call the address that came with the message."""
        self._carrier.report(text, status, error, at_once=at_once)

    def answered_at(self, telephone: str) -> str:  # noqa: ARG002 (there is one number)
        """Return the number of the study."""
        return self._sender

    def why_no_reply(self, telephone: str) -> str | None:
        """Return why nobody can answer from this telephone: it has no WhatsApp."""
        return "There is no WhatsApp on this telephone." if LOST.get(telephone) == NOT_THERE else None

    def person_writes(self, telephone: str, body: str, button: str = "") -> Text:
        """Deliver a person's message, or the button that they pressed, to the study's webhook."""
        now = self.clock()
        text = Text(
            sid=f"SM{uuid4().hex}",
            inbound=True,
            to=self._sender,
            from_=telephone,
            body=body,
            status="received",
            created_at=now,
            updated_at=now,
            sent_at=now,
            provider=NAME,
        )
        self.network.add(text)
        more = {"MessageType": "button", "ButtonText": body, "ButtonPayload": button} if button else {}
        digits = telephone.removeprefix("+")
        told = {"ProfileName": "Somebody", "WaId": digits, "MessageType": "text"}
        told["ChannelMetadata"] = json.dumps({"type": "whatsapp", "data": {"context": told}})
        self._carrier.deliver_inbound(text, told | more)
        return text
