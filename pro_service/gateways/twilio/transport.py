"""The connection to Twilio: an HTTP client for its SDK, in place of its own, which by default waits for ever."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from threading import local
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests
from requests.structures import CaseInsensitiveDict
from twilio.http import HttpClient
from twilio.http.response import Response
from urllib3.util import make_headers

from pro_service.gateways.http import Wire, read_json, retry_after
from pro_service.gateways.kinds import Kind
from pro_service.gateways.outgoing import Unavailable
from pro_service.gateways.twilio.codes import KINDS


class PatientClient(Wire, HttpClient):
    """Raise Unavailable if nothing was taken (429, no connection), Uncertain if it may have been; see `Wire`.

    Every other answer goes to the SDK, whose own client also logs addresses with telephone numbers in them.
    """

    def __init__(self, *, base_url: str | None, timeouts: tuple[float, float], pool_size: int) -> None:
        """Aim at `base_url` instead of Twilio's hosts where given."""
        Wire.__init__(self, timeouts=timeouts, pool_size=pool_size)
        HttpClient.__init__(self, logging.getLogger(__name__), is_async=False)
        self._base = urlsplit(base_url.rstrip("/")) if base_url else None
        self._asked = local()

    @contextmanager
    def only_if(self, may_leave: Callable[[], bool]) -> Iterator[None]:
        """While the block runs, raise Unavailable instead of a request of this thread that may not leave any more."""
        self._asked.may_leave = may_leave
        try:
            yield
        finally:
            self._asked.may_leave = None

    def server_time(self, url: str) -> datetime | None:
        """Return what time it is there, where this client aims."""
        return super().server_time(self._aim(url))

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
        answer = self.call(_prepared(method.upper(), self._aim(uri), params, data, headers, auth), timeout)
        text = answer.content.decode(errors="replace")
        return Response(answer.status_code, text, answer.headers)

    def too_many(self, answer: requests.Response) -> Unavailable:
        """Return the error for a 429, with Twilio's own code where it gives one: some are over tomorrow only."""
        said = read_json(answer.content)
        code = said.get("code") if isinstance(said, dict) else None
        kind: Kind = "daily_limit" if KINDS.get(str(code)) == "daily_limit" else "busy"
        return Unavailable(code if isinstance(code, int) else answer.status_code, retry_after(answer.headers), kind)

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
