"""SMS through Verimor, by its HTTP interface."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import requests

from pro_service.core.addresses import leads_to_this_machine
from pro_service.core.providers import FACTS, Arrival, Facts
from pro_service.core.texts import Encoding, encoding
from pro_service.gateways.http import CONNECT_SECONDS, READ_SECONDS, TOO_MANY, Wire, retry_after
from pro_service.gateways.outgoing import Accepted, Forgotten, Outgoing, Record, Refused, Unavailable, Uncertain
from pro_service.gateways.verimor.allowance import Allowance
from pro_service.gateways.verimor.codes import KINDS
from pro_service.gateways.verimor.wire import HOME, ISTANBUL, WAY, arrival_of, dialled, identifier, instant, receipt_of

ADDRESS = "https://sms.verimor.com.tr"
PACE = 4.0
"""240 requests a minute, of which each of ours carries one text."""
SHORTEST_VALIDITY, LONGEST_VALIDITY = 60, 48 * 3600
PAGE_SIZE = 100
LAG = timedelta(hours=1)
"""How much later than it was written a text may have been registered: the list is cut by that."""
CODINGS: Mapping[Encoding, str] = {"GSM-7": "0", "Turkish": "1", "UCS-2": "2"}

_OK, _BAD_REQUEST, _UNAUTHORIZED, _NOT_FOUND, _TOO_LARGE, _FAULT = 200, 400, 401, 404, 413, 500
_WORD = re.compile(r"[A-Z][A-Z0-9_]{2,39}")
_OF_A_CAMPAIGN = "kampanya"
"""In the answer about a campaign that is not ours or not there; 401 without it says that we were not let in."""


class VerimorTexts:
    """Verimor's campaigns, each of one message, with every answer sorted into what the outbox can do about it."""

    facts: Facts = FACTS[WAY]
    pace: float | None = PACE

    def __init__(
        self,
        username: str,
        password: str,
        *,
        sender: str,
        clock: Callable[[], datetime],
        keyword: str = "",
        base_url: str | None = None,
        timeouts: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
        pool_size: int = 8,
        allowance: Allowance | None = None,
    ) -> None:
        """Send under `sender`, a header of the account. `keyword`: see `arrival_of`; `allowance`: of questions."""
        self._login = {"username": username, "password": password}
        self._sender, self._keyword, self._clock = sender, keyword, clock
        self._base = (base_url or ADDRESS).rstrip("/")
        self._wire = Wire(timeouts=timeouts, pool_size=pool_size)
        self._allowance = allowance or Allowance()
        self.elsewhere = not leads_to_this_machine(self._base)

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def server_time(self) -> datetime | None:
        """Return what time it is at Verimor; None if it does not answer. Any answer will do."""
        return self._wire.server_time(self._base)

    def send(self, outgoing: Outgoing) -> Accepted:
        """Hand over one campaign of one message, under our token; raise Refused, Unavailable or Uncertain."""
        seconds = LONGEST_VALIDITY if outgoing.validity_seconds is None else outgoing.validity_seconds
        if seconds < SHORTEST_VALIDITY:
            # It would arrive when nobody waits for it any more. The outbox finds it void as soon as its time is over.
            raise Unavailable("expired", retry_after=float(seconds))
        hours, minutes = divmod(min(seconds, LONGEST_VALIDITY) // 60, 60)
        campaign: dict[str, Any] = self._login | {
            "source_addr": self._sender,
            "valid_for": f"{hours:02}:{minutes:02}",
            "custom_id": outgoing.token,
            "is_commercial": False,
            "messages": [{"msg": outgoing.body, "dest": dialled(outgoing.to), "id": outgoing.token}],
        }
        if outgoing.to.startswith(HOME):  # texts abroad go without
            campaign["datacoding"] = CODINGS[encoding(outgoing.body, self.facts.charset)]
        if outgoing.restores:
            self._take_off_blacklist(outgoing.to)
        asked = requests.Request("POST", f"{self._base}/v2/send.json", json=campaign).prepare()
        if not outgoing.may_leave():
            raise Unavailable
        return Accepted(f"{WAY}:{_campaign_of(self._wire.call(asked))}", "queued")

    def _take_off_blacklist(self, to: str) -> None:
        """Let texts go to a number again, whose owner has asked for them; a number that is not listed is let be."""
        where = f"{self._base}/v2/blacklists/{dialled(to)}"
        asked = requests.Request("DELETE", where, params=self._login).prepare()
        try:
            answer = self._wire.call(asked)
        except Uncertain as fault:
            raise Unavailable(fault.code) from None  # it does no harm a second time, and the text has not left
        if answer.status_code == _UNAUTHORIZED:
            raise Refused(_UNAUTHORIZED, "credentials")
        if answer.status_code == TOO_MANY or answer.status_code >= _FAULT:
            raise Unavailable(answer.status_code, retry_after(answer.headers))

    def fetch(self, sid: str) -> Record | None:  # noqa: ARG002 (a channel's shape)
        """Return nothing: what Verimor can say of a text it says by our token."""
        return None

    def recall(self, token: str, to: str, body: str, created_after: datetime) -> list[Record]:  # noqa: ARG002
        """List what became of an attempt, by its token. Raise Unavailable or Refused."""
        self._allowance.take(ours=False)
        return [record for one in self._asked("status", custom_id=token) if (record := _record(one)) is not None]

    def list_sent(self, created_after: datetime) -> list[Record]:  # noqa: ARG002
        """Return nothing: Verimor knows texts by our tokens only."""
        return []

    def pull(self, created_after: datetime) -> list[Arrival]:
        """List the texts people sent us since then, newest first, each once. Raise Unavailable or Refused."""
        found: dict[str, Arrival] = {}
        times = {"from_time": created_after - LAG, "to_time": self._clock() + LAG}
        wanted = {name: f"{at.astimezone(ISTANBUL):%Y-%m-%d %H:%M:%S}" for name, at in times.items()}
        while True:
            self._allowance.take(ours=True)
            page = self._asked("inbound_messages", **wanted)
            for one in page:
                if (arrival := arrival_of(one, self._keyword)) is not None:
                    found.setdefault(arrival.provider_id, self._dated(arrival))
            numbers = [identifier(one.get("message_id")) for one in page]
            last = str(max((int(one) for one in numbers if one.isdecimal()), default=0))
            if len(page) < PAGE_SIZE or wanted.get("greater_than") == last:
                return sorted(found.values(), key=lambda one: (one.at is not None, one.at), reverse=True)
            wanted = {"greater_than": last}

    def forget(self, sid: str) -> Forgotten:  # noqa: ARG002
        """Raise Refused: Verimor deletes no copy when it is asked to."""
        raise Refused("cannot_delete")

    def _dated(self, arrival: Arrival) -> Arrival:
        """Return a text without an instant that is yet to come: nothing would be asked for before that."""
        return replace(arrival, at=None) if arrival.at and arrival.at > self._clock() + LAG else arrival

    def _asked(self, what: str, **params: str) -> list[dict[str, Any]]:
        """Ask a question; the password stands in its address, as Verimor wants it."""
        asked = requests.Request("GET", f"{self._base}/v2/{what}", params=self._login | params).prepare()
        try:
            answer = self._wire.call(asked)
        except Uncertain as fault:
            raise Unavailable(fault.code) from None  # a question that got no clear answer may be asked again
        status, text = answer.status_code, _text_of(answer)
        if status in (_UNAUTHORIZED, _NOT_FOUND) and _OF_A_CAMPAIGN in text.casefold():
            return []
        if status == _UNAUTHORIZED:
            raise Refused(status, "credentials")
        said = _json(text) if status == _OK else None
        if not isinstance(said, list):
            raise Unavailable(status, retry_after(answer.headers))
        return [one for one in said if isinstance(one, dict)]


def _campaign_of(answer: requests.Response) -> str:
    """Return the id under which a campaign was taken; raise what else the answer says."""
    status, text = answer.status_code, _text_of(answer).strip()
    if status == _OK:
        said = _json(text)
        campaign = identifier(said.get("campaign_id") if isinstance(said, dict) else said)
        if campaign.isdecimal():
            return campaign
        raise Uncertain
    if status == TOO_MANY:
        raise Unavailable(status, retry_after(answer.headers))
    if status in (_UNAUTHORIZED, _TOO_LARGE):
        raise Refused(status, KINDS[str(status)])
    if status == _BAD_REQUEST and _WORD.fullmatch(text):
        raise Refused(text, KINDS.get(text, "other"))
    raise Uncertain(status)


def _record(said: Mapping[str, Any]) -> Record | None:
    """Return what Verimor remembers of a text; the earliest instant it gives is the best word for when it was taken."""
    receipt = receipt_of(said)
    if receipt is None:
        return None
    moments = [at for name in ("sent_at", "done_at") if (at := instant(said.get(name))) is not None]
    return Record(
        sid=receipt.provider_id,
        status=receipt.status,
        to="",
        body="",
        created_at=min(moments, default=None),
        error=receipt.error,
    )


def _text_of(answer: requests.Response) -> str:
    return answer.content.decode(errors="replace")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
