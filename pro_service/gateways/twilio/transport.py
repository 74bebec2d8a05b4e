"""The connection to Twilio: bounded waiting, and failures sorted by whether a byte can have left."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import local
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from twilio.http import HttpClient
from twilio.http.response import Response
from urllib3.util import make_headers

from pro_service.core.addresses import is_this_machine, leads_to_this_machine
from pro_service.gateways.http import never_left, retry_after
from pro_service.gateways.kinds import Kind
from pro_service.gateways.outgoing import Unavailable, Uncertain
from pro_service.gateways.twilio.codes import KINDS

CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0

_TOO_MANY = 429
_TIMED_OUT = 408
_SERVER_FAULT = 500


class PatientClient(HttpClient):
    """An HTTP client for the SDK, in place of its own, which by default waits for ever.

    It raises Unavailable if nothing was taken (429, no connection) and Uncertain if it may have been (5xx, a time-out,
    a broken connection); every other answer goes to the SDK. Safe to share between threads. It logs nothing: the SDK's
    own client logs addresses with telephone numbers in them.
    """

    def __init__(self, *, base_url: str | None, timeouts: tuple[float, float], pool_size: int) -> None:
        """Aim at `base_url` instead of Twilio's hosts where given; `timeouts` are (connect, read) in seconds."""
        super().__init__(logging.getLogger(__name__), is_async=False)
        self._base = urlsplit(base_url.rstrip("/")) if base_url else None
        self._timeouts = timeouts
        self._asked = local()
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=pool_size, max_retries=0)
        self._environment: dict[str, dict[str, Any]] = {}
        """Host -> proxies and trusted certificates, as the environment has them."""
        # urllib3 writes every path, query and all, at DEBUG.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

    @contextmanager
    def only_if(self, may_leave: Callable[[], bool]) -> Iterator[None]:
        """While the block runs, raise Unavailable instead of a request of this thread that may not leave any more."""
        self._asked.may_leave = may_leave
        try:
            yield
        finally:
            self._asked.may_leave = None

    def close(self) -> None:
        """Close the connections."""
        self._adapter.close()

    def server_time(self, uri: str) -> datetime | None:
        """Return the `Date` of whatever answer this address gives; None without one, or from this machine itself."""
        asked = requests.Request("GET", self._aim(uri), headers={"Cache-Control": "no-cache"}).prepare()
        if leads_to_this_machine(asked.url or ""):
            return None
        try:
            answer = self._adapter.send(asked, timeout=self._timeouts, **self._trusted(asked.url or ""))
            # An answer out of a cache is as old as it says.
            age = timedelta(seconds=int(answer.headers.get("Age", "0")))
            return (parsedate_to_datetime(answer.headers.get("Date", "")) + age).astimezone(UTC)
        except (requests.RequestException, ValueError, TypeError):
            return None

    def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,  # noqa: ARG002, FBT001, FBT002 (the SDK's signature)
    ) -> Response:
        """Make one request, never a second one on its own, and follow no redirect."""
        may_leave: Callable[[], bool] | None = getattr(self._asked, "may_leave", None)
        if may_leave is not None and not may_leave():
            raise Unavailable
        try:
            asked = _prepared(method.upper(), self._aim(uri), params, data, headers, auth)
            answer = self._adapter.send(asked, timeout=timeout or self._timeouts, **self._trusted(asked.url or ""))
            text = answer.content.decode(errors="replace")
        except requests.RequestException as fault:
            # `from None`: the exception's text holds the address asked for.
            raise (Unavailable() if never_left(fault) else Uncertain()) from None
        status = answer.status_code
        if status == _TOO_MANY:
            raise _too_many(status, text, answer.headers)
        if status >= _SERVER_FAULT or status == _TIMED_OUT:
            raise Uncertain(status)
        return Response(status, text, answer.headers)

    def _trusted(self, url: str) -> dict[str, Any]:
        """Return proxies and certificates for this host, read from the environment once."""
        host = urlsplit(url).hostname or ""
        if host not in self._environment:
            session = requests.Session()
            # A proxy of the environment is for the way out of the house, not for a rehearsal inside it.
            session.trust_env = not is_this_machine(host)
            self._environment[host] = session.merge_environment_settings(url, {}, False, None, None)
        return self._environment[host]

    def _aim(self, uri: str) -> str:
        if self._base is None:
            return uri
        wanted = urlsplit(uri)
        return urlunsplit((self._base.scheme, self._base.netloc, self._base.path + wanted.path, wanted.query, ""))


def _prepared(
    method: str,
    url: str,
    params: Mapping[str, object] | None,
    data: Mapping[str, object] | None,
    headers: Mapping[str, str] | None,
    auth: tuple[str, str] | None,
) -> requests.PreparedRequest:
    """Return the request as it is sent. Session.prepare_request does the same at several times the cost."""
    asked = requests.PreparedRequest()
    asked.method, asked.url = method, url
    if params:
        asked.prepare_url(url, params)  # type: ignore[arg-type]
    asked.headers = CaseInsensitiveDict(headers or {})
    if auth is not None:
        asked.headers.update(make_headers(basic_auth=":".join(auth)))
    if data is not None:
        asked.body = urlencode([(name, value) for name, value in data.items() if value is not None], doseq=True)
        asked.headers["Content-Length"] = str(len(asked.body))
        asked.headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    return asked


def _too_many(status: int, text: str, headers: Mapping[str, str]) -> Unavailable:
    """Return the error for a 429, with Twilio's own code where it gives one: some of them are over tomorrow only."""
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    code = said.get("code") if isinstance(said, dict) else None
    code = code if isinstance(code, int) else status
    kind: Kind = "daily_limit" if KINDS.get(str(code)) == "daily_limit" else "busy"
    return Unavailable(code, retry_after(headers), kind)
