"""SMS through Verimor, by its HTTP interface."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import requests

from pro_service.core.addresses import leads_to_this_machine
from pro_service.core.providers import FACTS, Arrival, Facts
from pro_service.core.texts import Encoding, encoding
from pro_service.core.throttle import Allowance
from pro_service.gateways.http import CONNECT_SECONDS, READ_SECONDS, Wire, read_json
from pro_service.gateways.outgoing import (
    Accepted,
    CannotTell,
    Forgotten,
    Outgoing,
    Record,
    Refused,
    Unavailable,
    Uncertain,
    asking,
)
from pro_service.gateways.verimor.codes import KINDS
from pro_service.gateways.verimor.wire import HOME, ISTANBUL, WAY, arrival_of, dialled, identifier, instant, receipt_of

ADDRESS = "https://sms.verimor.com.tr"
PACE = 4.0
"""240 requests a minute, of which each of ours carries one text."""
SHORTEST_VALIDITY, LONGEST_VALIDITY = 60, 48 * 3600
KEPT_BACK = 3
"""Questions that only those for people's texts may use: these come first."""
PAGE_SIZE = 100
LAG = timedelta(hours=1)
"""How much later than it was written a text may have been registered: the list is cut by that."""
CODINGS: Mapping[Encoding, str] = {"GSM-7": "0", "Turkish": "1", "UCS-2": "2"}

_OK, _BAD_REQUEST, _UNAUTHORIZED, _NOT_FOUND, _TOO_LARGE = 200, 400, 401, 404, 413
_WORD = re.compile(r"[A-Z][A-Z0-9_]{2,39}")
_OF_A_CAMPAIGN = b"kampanya"
"""In the answer about a campaign that is not ours or not there; 401 without it says that we were not let in."""


class VerimorTexts(CannotTell):
    """Verimor's campaigns, each of one message, with every answer sorted into what the outbox can do about it."""

    facts: Facts = FACTS[WAY]
    pace: float | None = PACE
    questions = Allowance(burst=10, every=timedelta(seconds=3))
    """20 a minute, for receipts, people's texts, credit and headers together."""

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
    ) -> None:
        """Send under `sender`, a header of the account. `keyword`: see `arrival_of`."""
        self._login = {"username": username, "password": password}
        self._sender, self._keyword, self._clock = sender, keyword, clock
        self._base = (base_url or ADDRESS).rstrip("/")
        self._wire = Wire(timeouts=timeouts, pool_size=pool_size)
        self._asking = Lock()
        self._asked_until: datetime | None = None
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
            with asking():  # it does no harm a second time, and the text has not left
                self._call("DELETE", f"blacklists/{dialled(outgoing.to)}", params=self._login)
        if not outgoing.may_leave():
            raise Unavailable
        return Accepted(f"{WAY}:{_campaign_of(self._call('POST', 'send.json', json=campaign))}", "queued")

    def recall(self, token: str, to: str, body: str, created_after: datetime) -> list[Record]:  # noqa: ARG002
        """List what became of an attempt, by its token. Raise Unavailable or Refused."""
        said = self._asked("status", {"custom_id": token}, kept_back=KEPT_BACK)
        return [record for one in said if (record := _record(one)) is not None]

    def pull(self, created_after: datetime) -> list[Arrival]:
        """List the texts people sent us since then, each once. Raise Unavailable or Refused."""
        found: dict[str, Arrival] = {}
        times = {"from_time": created_after - LAG, "to_time": self._clock() + LAG}
        wanted = {name: f"{at.astimezone(ISTANBUL):%Y-%m-%d %H:%M:%S}" for name, at in times.items()}
        while True:
            page = self._asked("inbound_messages", wanted)
            for one in page:
                if (arrival := arrival_of(one, self._keyword)) is not None:
                    found.setdefault(arrival.provider_id, arrival)
            numbers = [identifier(one.get("message_id")) for one in page]
            last = str(max((int(one) for one in numbers if one.isdecimal()), default=0))
            if len(page) < PAGE_SIZE or wanted.get("greater_than") == last:
                return list(found.values())
            wanted = {"greater_than": last}

    def forget(self, sid: str) -> Forgotten:  # noqa: ARG002
        """Raise Refused: Verimor deletes no copy when it is asked to."""
        raise Refused("cannot_delete")

    def _asked(self, what: str, params: Mapping[str, str], *, kept_back: int = 0) -> list[dict[str, Any]]:
        """Ask a question if it may be asked now; the password stands in its address, as Verimor wants it."""
        allowance = replace(self.questions, burst=self.questions.burst - kept_back)
        with self._asking:
            now = self._clock()
            if not allowance.admits(self._asked_until, now):
                raise Unavailable
            self._asked_until = allowance.owed_after(self._asked_until, now)
        with asking():
            answer = self._call("GET", what, params={**self._login, **params})
        said = read_json(answer.content) if answer.status_code == _OK else None
        if answer.status_code in (_UNAUTHORIZED, _NOT_FOUND) and _OF_A_CAMPAIGN in answer.content.lower():
            return []
        if not isinstance(said, list):
            raise Unavailable(answer.status_code)
        return [one for one in said if isinstance(one, dict)]

    def _call(self, method: str, what: str, **parts: Any) -> requests.Response:
        """Make one request, and return its answer; raise Refused if we are not let in."""
        answer = self._wire.call(requests.Request(method, f"{self._base}/v2/{what}", **parts).prepare())
        if answer.status_code == _UNAUTHORIZED and (method != "GET" or _OF_A_CAMPAIGN not in answer.content.lower()):
            raise Refused(_UNAUTHORIZED, "credentials")
        return answer


def _campaign_of(answer: requests.Response) -> str:
    """Return the id under which a campaign was taken; raise what else the answer says."""
    status, word = answer.status_code, answer.content.decode(errors="replace").strip()
    if status == _OK:
        said = read_json(answer.content)
        campaign = identifier(said.get("campaign_id") if isinstance(said, dict) else said)
        if campaign.isdecimal():
            return campaign
        raise Uncertain
    if status == _TOO_LARGE:
        raise Refused(status, "template")
    if status == _BAD_REQUEST and _WORD.fullmatch(word):
        raise Refused(word, KINDS.get(word, "other"))
    raise Uncertain(status)


def _record(said: Mapping[str, Any]) -> Record | None:
    """Return what Verimor remembers of a text; the earliest instant it gives is the best word for when it was taken."""
    receipt = receipt_of(said)
    if receipt is None:
        return None
    moments = [at for name in ("sent_at", "done_at") if (at := instant(said.get(name))) is not None]
    return Record(receipt.provider_id, receipt.status, "", "", min(moments, default=None), receipt.error)
