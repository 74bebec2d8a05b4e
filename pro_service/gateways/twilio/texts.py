"""SMS and WhatsApp through Twilio, by its own SDK: one list of messages, in which they are told apart."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.rest import Client

from pro_service.core.addresses import leads_to_this_machine
from pro_service.core.providers import FACTS, Arrival, Facts
from pro_service.core.texts import in_one_line
from pro_service.gateways.http import CONNECT_SECONDS, READ_SECONDS
from pro_service.gateways.kinds import REMEDIES
from pro_service.gateways.outgoing import (
    Accepted,
    Forgotten,
    GatewayError,
    Outgoing,
    Record,
    Refused,
    Unavailable,
    Uncertain,
    asking,
)
from pro_service.gateways.twilio.codes import KINDS
from pro_service.gateways.twilio.hooks import WHATSAPP, mark_of, status_of, text_of
from pro_service.gateways.twilio.signatures import CALLBACK_RETRIES
from pro_service.gateways.twilio.transport import PatientClient

LONGEST_VALIDITY = 36_000  # seconds: Twilio's limit, ten hours
ADDRESS = "https://api.twilio.com/2010-04-01"
PAGE_SIZE = 100
MOST_LISTED = 20_000
OUT_OF_ORDER = timedelta(minutes=10)
"""How much older than its neighbours a message may stand in a list that is newest first."""

LONG_CODE_PACE, TOLL_FREE_PACE, SENDER_NAME_PACE, SHORT_CODE_PACE = 1.0, 3.0, 10.0, 100.0
WHATSAPP_PACE = 80.0
TOLL_FREE = frozenset({"1800", "1833", "1844", "1855", "1866", "1877", "1888"})

_UNAUTHORIZED, _NOT_FOUND = 401, 404
_NOT_FINISHED = 20009
"""A message on its way can be neither deleted nor emptied."""
_CLIENT_FAULT = range(400, 500)
_OF_THE_SDK = (TwilioException, ValueError, TypeError, AttributeError)
"""What the SDK raises; the last three at an answer that it cannot read."""


class TwilioTexts:
    """Twilio's Messages, with the answer to every call sorted into accepted, refused, unavailable and uncertain.

    Either its texts or its WhatsApp messages: the other ones of the account are as good as not there.
    """

    def __init__(
        self,
        account_sid: str,
        *,
        facts: Facts = FACTS["sms"],
        auth_token: str | None = None,
        api_key: tuple[str, str] | None = None,
        messaging_service_sid: str | None = None,
        from_number: str | None = None,
        base_url: str | None = None,
        callbacks: str | None = None,
        timeouts: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
        pool_size: int = 8,
    ) -> None:
        """Sign in with the Auth Token, or with an API key (its SID and secret), which wins where both are given.

        Texts go out by the Messaging Service, or else from the number or sender name. `callbacks` is the address under
        which it says what became of a text, which the text's token is added to. `pool_size` is the number of workers
        that send at once; `timeouts` are (connect, read) in seconds.
        """
        user, password = api_key or (account_sid, auth_token or "")
        self._wire = PatientClient(base_url=base_url, timeouts=timeouts, pool_size=pool_size)
        # An empty environment would make the SDK read the process's own.
        nothing = {"": ""}
        self._client = Client(user, password, account_sid, http_client=self._wire, environment=nothing)
        self.facts = facts
        self._mark = WHATSAPP if facts.medium == "whatsapp" else ""
        """What stands before the numbers and ids of its messages."""
        self._from_number = self._mark + from_number if from_number else None
        self._callbacks = callbacks
        self.elsewhere = not leads_to_this_machine(base_url or ADDRESS)
        pace = usual_pace(messaging_service_sid=messaging_service_sid, sender=from_number)
        self.pace = WHATSAPP_PACE if self._mark else pace
        self._sender: dict[str, Any] = (
            {"messaging_service_sid": messaging_service_sid} if messaging_service_sid else {"from_": self._from_number}
        )

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def server_time(self) -> datetime | None:
        """Return what time it is at Twilio; None if it does not answer. Any answer will do: nobody signs in for it."""
        return self._wire.server_time(ADDRESS)

    def send(self, outgoing: Outgoing) -> Accepted:
        """Create the message once; raise Refused, Unavailable or Uncertain."""
        asked: dict[str, Any] = {"to": self._mark + outgoing.to} | self._sender | _words(outgoing)
        if self._callbacks and outgoing.token:
            asked["status_callback"] = f"{self._callbacks}/{outgoing.token}{CALLBACK_RETRIES}"
        if outgoing.validity_seconds is not None:
            asked["validity_period"] = max(1, min(outgoing.validity_seconds, LONGEST_VALIDITY))
        with _in_our_words(), self._wire.only_if(outgoing.may_leave):
            created = self._client.messages.create(**asked)
        if not isinstance(created.sid, str) or not created.sid.startswith(("SM", "MM")):
            raise Uncertain
        return Accepted(self._mark + created.sid, str(created.status or "queued"))

    def fetch(self, sid: str) -> Record | None:
        """Read one message back; None if Twilio does not know it. Raise Unavailable or Refused."""
        with asking(), _in_our_words():
            try:
                return _record(self._message(sid).fetch())
            except TwilioRestException as answer:
                if answer.status == _NOT_FOUND:
                    return None
                raise

    def recall(self, token: str, to: str, body: str, created_after: datetime) -> list[Record]:  # noqa: ARG002 (a key of ours is not kept there)
        """List what was sent to one person and contains our text (a trial account prefixes it), newest first.

        However its lines are broken: no value of a template has several. One in the list without words may be it.
        No filter by DateSent: it is null while a message is queued. Raise Unavailable or Refused.
        """
        return [
            record
            for record in map(_record, self._listed(created_after, _of_ours, to=self._mark + to))
            if record.to == to and (in_one_line(body) in in_one_line(record.body) or (self._mark and not record.body))
        ]

    def list_sent(self, created_after: datetime) -> list[Record]:
        """List everything sent since an instant, newest first: by the sender where it is one, else by the account.

        No filter by DateSent here either. Raise Unavailable or Refused.
        """
        narrowed = {"from_": self._from_number} if self._from_number else {}
        return [_record(one) for one in self._listed(created_after, _of_ours, **narrowed)]

    def pull(self, created_after: datetime) -> list[Arrival]:
        """List the texts people sent us since an instant, so that a reply survives our own outage.

        By our number where there is one, else for the whole account. Raise Unavailable or Refused.
        """
        narrowed: dict[str, Any] = {"date_sent_after": created_after.astimezone(UTC)}
        if self._from_number:
            narrowed["to"] = self._from_number
        return [_arrival(one) for one in self._listed(created_after, _of_a_person, **narrowed)]

    def forget(self, sid: str) -> Forgotten:
        """Delete a message and its media; if that is not allowed, empty its words. Raise Unavailable or Refused."""
        try:
            return self._deleted(self._message(sid))
        except Refused as fault:
            try:
                self._message(sid).update(body="")
            except (GatewayError, *_OF_THE_SDK):
                raise fault from None
            return "redacted"

    def _deleted(self, message: Any) -> Forgotten:
        with asking(), _in_our_words():
            try:
                if _media_of(message.fetch()):
                    for picture in message.media.list():
                        picture.delete()
                message.delete()
            except TwilioRestException as answer:
                if answer.status == _NOT_FOUND:
                    return "unknown"
                if answer.code == _NOT_FINISHED:
                    raise Unavailable(_NOT_FINISHED) from None
                raise
        return "deleted"

    def _message(self, sid: str) -> Any:
        return self._client.messages(sid.removeprefix(self._mark))

    def _listed(self, created_after: datetime, wanted: Callable[[Any], bool], **filters: Any) -> Iterator[Any]:
        """Return the list, which is newest first, back to that instant; a list that does not reach it says nothing."""
        with asking(), _in_our_words():
            for read, one in enumerate(self._client.messages.stream(page_size=PAGE_SIZE, **filters)):
                if one.date_created is not None and one.date_created < created_after - OUT_OF_ORDER:
                    return
                if read >= MOST_LISTED:
                    raise Unavailable
                mine = _mark(one) == self._mark and wanted(one)
                if mine and (one.date_created is None or one.date_created >= created_after):
                    yield one


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Raise what Twilio's answer means for us in the place of what the SDK raises."""
    try:
        yield
    except (TwilioRestException, TwilioServiceException) as answer:
        raise sorted_out(answer) from None
    except _OF_THE_SDK:
        raise Uncertain from None  # an answer that is not Twilio's JSON: a message may still have been taken


def sorted_out(answer: TwilioRestException | TwilioServiceException) -> GatewayError:
    """Return the error for a refusal of Twilio's that its caller can act on; it carries codes only."""
    status, code = int(answer.status), answer.code
    if status not in _CLIENT_FAULT:
        return Uncertain(status)
    if not isinstance(code, int) or code == status:
        # The SDK fills in the HTTP status where the body was not Twilio's: a proxy's page, say. It decides nothing,
        # except that nobody who was not let in has been served.
        return Refused(status, "credentials") if status == _UNAUTHORIZED else Uncertain(status)
    kind = KINDS.get(str(code), "other")
    return Unavailable(code, kind=kind) if REMEDIES[kind] in ("wait", "tomorrow") else Refused(code, kind)


def _media_of(message: Any) -> int:
    return int(message.num_media) if str(message.num_media).isdecimal() else 0


def _of_a_person(message: Any) -> bool:
    return str(message.direction) == "inbound"


def _of_ours(message: Any) -> bool:
    return not _of_a_person(message)


def _words(outgoing: Outgoing) -> dict[str, Any]:
    if outgoing.template is None:
        return {"body": outgoing.body, "smart_encoded": False}
    values = {str(number): in_one_line(value) for number, value in enumerate(outgoing.template.values, start=1)}
    return {"content_sid": outgoing.template.id, "content_variables": json.dumps(values, ensure_ascii=False)}


def _mark(message: Any) -> str:
    return mark_of({"From": message.from_ or "", "To": message.to or ""})


def _record(message: Any) -> Record:
    code = message.error_code
    return Record(
        sid=_mark(message) + str(message.sid),
        status=status_of(str(message.status)),
        to=(message.to or "").removeprefix(WHATSAPP),
        body=message.body or "",
        created_at=message.date_created,
        error=str(code) if code is not None and str(code).isdecimal() else "",
    )


def _arrival(message: Any) -> Arrival:
    """Return a text of the list in the shape in which a webhook brings it."""
    given = {"MessageSid": str(message.sid), "From": message.from_ or "", "To": message.to or ""}
    return text_of(given | {"Body": message.body or "", "NumMedia": str(_media_of(message))}, message.date_created)


def usual_pace(*, messaging_service_sid: str | None, sender: str | None) -> float | None:
    """Return how many segments a second a sender of this kind may send; None = no limit of ours.

    Source: Twilio, "Understanding Twilio rate limits and message queues": a long code 1, toll-free 3, a sender name 10,
    a short code 100. A Messaging Service spreads its messages over its own senders.
    """
    if messaging_service_sid or not sender:
        return None
    if not sender.startswith("+"):
        return SHORT_CODE_PACE if sender.isdecimal() else SENDER_NAME_PACE
    return TOLL_FREE_PACE if sender[1:5] in TOLL_FREE else LONG_CODE_PACE
