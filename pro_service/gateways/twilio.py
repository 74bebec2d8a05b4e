"""SMS through Twilio, by its own SDK."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.rest import Client

from pro_service.gateways.codes import kind_of
from pro_service.gateways.outgoing import Accepted, GatewayError, Outgoing, Refused, Unavailable, Uncertain
from pro_service.gateways.signatures import CALLBACK_RETRIES
from pro_service.gateways.transport import CONNECT_SECONDS, READ_SECONDS, PatientClient

LONGEST_VALIDITY = 36_000  # seconds: Twilio's limit, ten hours
PAGE_SIZE = 100
MOST_LISTED = 1_000

_UNAUTHORIZED = 401
_CLIENT_FAULT = range(400, 500)


@dataclass(frozen=True, slots=True)
class Record:
    """One message as Twilio remembers it; `created_at` is aware UTC. Numbers and text stay out of the repr."""

    sid: str
    status: str
    direction: str
    to: str = field(repr=False)
    from_: str = field(repr=False)
    body: str = field(repr=False)
    created_at: datetime | None
    error_code: int | None


class TwilioGateway:
    """Twilio's Messages, with the answer to every call sorted into accepted, refused, unavailable and uncertain."""

    def __init__(
        self,
        account_sid: str,
        *,
        auth_token: str | None = None,
        api_key: tuple[str, str] | None = None,
        messaging_service_sid: str | None = None,
        from_number: str | None = None,
        base_url: str | None = None,
        timeouts: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
        pool_size: int = 8,
    ) -> None:
        """Sign in with the Auth Token, or with an API key (its SID and secret), which wins where both are given.

        Texts go out by the Messaging Service, or else from the number or sender name. `pool_size` is the number of
        workers that send at once; `timeouts` are (connect, read) in seconds.
        """
        user, password = api_key or (account_sid, auth_token or "")
        self._wire = PatientClient(base_url=base_url, timeouts=timeouts, pool_size=pool_size)
        # An empty environment would make the SDK read the process's own.
        nothing = {"": ""}
        self._client = Client(user, password, account_sid, http_client=self._wire, environment=nothing)
        self._from_number = from_number
        self._sender: dict[str, Any] = (
            {"messaging_service_sid": messaging_service_sid} if messaging_service_sid else {"from_": from_number}
        )

    def close(self) -> None:
        """Let the connections go."""
        self._wire.close()

    def send(self, outgoing: Outgoing) -> Accepted:
        """Create the message once; raise Refused, Unavailable or Uncertain."""
        asked: dict[str, Any] = {"to": outgoing.to, "body": outgoing.body, "smart_encoded": False} | self._sender
        if outgoing.callback_url:
            asked["status_callback"] = outgoing.callback_url + CALLBACK_RETRIES
        if outgoing.validity_seconds is not None:
            asked["validity_period"] = max(1, min(outgoing.validity_seconds, LONGEST_VALIDITY))
        try:
            created = self._client.messages.create(**asked)
        except (TwilioRestException, TwilioServiceException) as answer:
            raise sorted_out(answer) from None
        except (TwilioException, ValueError, TypeError, AttributeError):
            raise Uncertain from None  # an answer that is not Twilio's JSON: it may still have been taken
        if not isinstance(created.sid, str) or not created.sid.startswith(("SM", "MM")):
            raise Uncertain
        return Accepted(created.sid, str(created.status or "queued"))

    def fetch(self, sid: str) -> Record | None:
        """Read one message back; None if Twilio does not know it. Raise Unavailable or Refused."""
        try:
            return _record(self._client.messages(sid).fetch())
        except GatewayError as fault:
            raise _unasked(fault) from None
        except TwilioRestException as answer:
            if answer.status == 404:  # noqa: PLR2004
                return None
            raise _unasked(sorted_out(answer)) from None
        except (TwilioException, ValueError, TypeError, AttributeError):
            raise Unavailable from None

    def find(self, to: str, body: str, created_after: datetime) -> list[Record]:
        """List what was sent to one person and contains our text (a trial account prefixes it), newest first.

        No filter by DateSent: it is null while a message is queued. Raise Unavailable or Refused.
        """
        return [
            record
            for record in self._listed(to=to)
            if record.direction != "inbound"
            and record.to == to
            and body in record.body
            and (record.created_at is None or record.created_at >= created_after)
        ]

    def list_inbound(self, created_after: datetime) -> list[Record]:
        """List the texts people sent us since an instant, so that a reply survives our own outage.

        By our number where there is one, else for the whole account. Raise Unavailable or Refused.
        """
        narrowed: dict[str, Any] = {"date_sent_after": created_after.astimezone(UTC)}
        if self._from_number:
            narrowed["to"] = self._from_number
        return [
            record
            for record in self._listed(**narrowed)
            if record.direction == "inbound" and (record.created_at is None or record.created_at >= created_after)
        ]

    def _listed(self, **filters: Any) -> Iterator[Record]:
        try:
            found = self._client.messages.stream(page_size=PAGE_SIZE, **filters)
            yield from map(_record, islice(found, MOST_LISTED))
        except GatewayError as fault:
            raise _unasked(fault) from None
        except (TwilioRestException, TwilioServiceException) as answer:
            raise _unasked(sorted_out(answer)) from None
        except (TwilioException, ValueError, TypeError, AttributeError):
            raise Unavailable from None


def sorted_out(answer: TwilioRestException | TwilioServiceException) -> GatewayError:
    """Turn a refusal of Twilio's into the error its caller can act on; only codes go along."""
    status, code = int(answer.status), answer.code
    if status not in _CLIENT_FAULT:
        return Uncertain(status)
    if not isinstance(code, int) or code == status:
        # The SDK fills in the HTTP status where the body was not Twilio's: a proxy's page, say. It decides nothing,
        # except that nobody who was not let in has been served.
        return Refused(status, "credentials") if status == _UNAUTHORIZED else Uncertain(status)
    kind = kind_of(code)
    return Unavailable(code) if kind == "busy" else Refused(code, kind)


def _unasked(fault: GatewayError) -> GatewayError:
    # A question that got no clear answer changes nothing: it may simply be asked again.
    return Unavailable(fault.code) if isinstance(fault, Uncertain) else fault


def _record(message: Any) -> Record:
    code = message.error_code
    return Record(
        sid=str(message.sid),
        status=str(message.status),
        direction=str(message.direction),
        to=message.to or "",
        from_=message.from_ or "",
        body=message.body or "",
        created_at=message.date_created,
        error_code=int(code) if code is not None and str(code).isdecimal() else None,
    )
