"""What Twilio calls: texts from telephones, and what became of ours. Every call is signed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from pro_service.core.providers import LONGEST_ID, Arrival, Receipt, WayOut
from pro_service.gateways.hooks import HookAnswer, HookRequest, NotOursError
from pro_service.gateways.twilio.signatures import SIGNATURE_HEADER, valid_signature

NOTHING = b"<?xml version='1.0' encoding='UTF-8'?><Response/>"
"""The answer to a text: replies go through the outbox like every other text."""
_INBOUND, _STATUS = "inbound", "status/"
WHATSAPP = "whatsapp:"
"""Before the numbers of WhatsApp messages; before their ids too, as we keep them: so they stay apart from texts."""
_KEPT = (
    *("MessageSid", "AccountSid", "From", "To", "Body", "NumMedia", "MessageType", "ButtonText", "ButtonPayload"),
    *("OriginalRepliedMessageSid", "OptOutType"),
)
"""What is kept of a WhatsApp message: neither the name that somebody chose there, nor where they are."""
_OPT_OUT: Mapping[str, Literal["STOP", "START", "HELP"]] = {"STOP": "STOP", "START": "START", "HELP": "HELP"}


class TwilioHooks:
    """The calls of one account."""

    def __init__(self, auth_tokens: Sequence[str]) -> None:
        """Believe what one of these tokens has signed (two during rotation)."""
        self._tokens = tuple(auth_tokens)

    def genuine(self, request: HookRequest) -> bool:
        """Whether it was signed for the address it came to. A body that is no form would be signed by anything."""
        if request.form is None:
            return False
        return valid_signature(self._tokens, request.url, request.form, request.headers.get(SIGNATURE_HEADER.lower()))

    def read(self, request: HookRequest) -> Sequence[Arrival | Receipt]:
        """Return the one text or the one receipt that a call brings; raise NotOursError for a text without an id."""
        form = dict(request.form or {})
        if request.path == _INBOUND:
            if not 0 < len(form.get("MessageSid", "")) <= LONGEST_ID - len(WHATSAPP):
                raise NotOursError
            return (text_of(form),)
        if request.path.startswith(_STATUS):
            return (receipt_of(request.path.removeprefix(_STATUS), form),)
        raise NotOursError

    def answer(self, request: HookRequest) -> HookAnswer:
        """Answer a text with an empty document, a receipt with nothing."""
        return HookAnswer(200, NOTHING, "text/xml") if request.path == _INBOUND else HookAnswer(204)


def text_of(form: Mapping[str, str], at: datetime | None = None, way: WayOut = "sms") -> Arrival:
    """Return a text from the fields of its webhook, which carries no time; `at`: where a list told it.

    Somebody who pressed a button says what stands behind it.
    """
    media, raw = form.get("NumMedia", "0"), dict(form)
    if form.get("From", "").startswith(WHATSAPP):
        way, raw = "whatsapp", {name: form[name] for name in _KEPT if name in form}
    return Arrival(
        way=way,
        provider_id=mark_of(form) + form.get("MessageSid", ""),
        sender=form.get("From", "").removeprefix(WHATSAPP),
        body=form.get("ButtonPayload") or form.get("ButtonText") or form.get("Body", ""),
        raw=raw,
        to=form.get("To", "").removeprefix(WHATSAPP),
        media=int(media) if media.isdecimal() else 0,
        opt_out=_OPT_OUT.get(form.get("OptOutType", "")),
        at=at,
    )


def receipt_of(token: str, form: Mapping[str, str]) -> Receipt:
    """Return what became of a message from the fields of a status callback; `token` is its attempt's."""
    return Receipt(
        provider_id=mark_of(form) + form.get("MessageSid", ""),
        status=status_of(form.get("MessageStatus", "")),
        error=form.get("ErrorCode", ""),
        token=token,
    )


def mark_of(form: Mapping[str, str]) -> str:
    """Return what stands before the id of a message that goes or came by WhatsApp; nothing before that of a text."""
    return WHATSAPP if WHATSAPP in (form.get(name, "")[: len(WHATSAPP)] for name in ("From", "To")) else ""


def status_of(status: str) -> str:
    """Return a status in our words: what was read there has arrived."""
    said = status.lower()
    return "delivered" if said == "read" else said
