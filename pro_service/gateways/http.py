"""Calls over HTTP: bounded waiting, and failures sorted by whether anything can have left."""

import json
import logging
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from pro_service.core.addresses import is_this_machine, leads_to_this_machine
from pro_service.gateways.outgoing import Unavailable, Uncertain

CONNECT_SECONDS, READ_SECONDS = 5.0, 20.0

_TIMED_OUT, _TOO_MANY, _SERVER_FAULT = 408, 429, 500


class Wire:
    """The connections to one provider. Safe to share between threads. It logs nothing: addresses hold numbers."""

    def __init__(self, *, timeouts: tuple[float, float], pool_size: int) -> None:
        """`timeouts` are (connect, read) in seconds; `pool_size` is how many call at once."""
        self._timeouts = timeouts
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=pool_size, max_retries=0)
        self._environment: dict[str, dict[str, Any]] = {}
        """Host -> proxies and trusted certificates, as the environment has them."""
        # urllib3 writes every path, query and all, at DEBUG.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

    def close(self) -> None:
        """Close the connections."""
        self._adapter.close()

    def call(self, asked: requests.PreparedRequest, timeout: float | None = None) -> requests.Response:
        """Make one request, never a second one on its own, follow no redirect, and read the answer.

        Raise Unavailable if nothing was taken (it never left, or 429), and Uncertain if it may have been (5xx, a
        time-out, a broken connection).
        """
        url = asked.url or ""
        try:
            answer = self._adapter.send(asked, timeout=timeout or self._timeouts, **self._trusted(url))
            answer.content  # noqa: B018 -- read here, where a connection that breaks is sorted
        except requests.RequestException as fault:
            # `from None`: the exception's text holds the address asked for.
            raise (Unavailable() if never_left(fault) else Uncertain()) from None
        if answer.status_code >= _SERVER_FAULT or answer.status_code == _TIMED_OUT:
            raise Uncertain(answer.status_code)
        if answer.status_code == _TOO_MANY:
            raise self.too_many(answer)
        return answer

    def too_many(self, answer: requests.Response) -> Unavailable:
        """Return the error for a 429; a provider may say more in it."""
        return Unavailable(answer.status_code, retry_after(answer.headers))

    def server_time(self, url: str) -> datetime | None:
        """Return the `Date` of whatever answer this address gives; None without one, or from this machine itself."""
        asked = requests.Request("GET", url, headers={"Cache-Control": "no-cache"}).prepare()
        if leads_to_this_machine(asked.url or ""):
            return None
        try:
            answer = self._adapter.send(asked, timeout=self._timeouts, **self._trusted(asked.url or ""))
            # An answer out of a cache is as old as it says.
            age = timedelta(seconds=int(answer.headers.get("Age", "0")))
            return (parsedate_to_datetime(answer.headers.get("Date", "")) + age).astimezone(UTC)
        except (requests.RequestException, ValueError, TypeError):
            return None

    def _trusted(self, url: str) -> dict[str, Any]:
        """Return proxies and certificates for this host, read from the environment once."""
        host = urlsplit(url).hostname or ""
        if host not in self._environment:
            session = requests.Session()
            # A proxy of the environment is for the way out of the house, not for a rehearsal inside it.
            session.trust_env = not is_this_machine(host)
            self._environment[host] = session.merge_environment_settings(url, {}, False, None, None)
        return self._environment[host]


def read_json(content: bytes) -> Any:
    """Return what JSON says; None for what is none."""
    try:
        return json.loads(content.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None


def never_left(fault: requests.RequestException) -> bool:
    """Whether the request certainly never left: no name, no connection or no trust, before its first byte."""
    cause = fault.args[0] if fault.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    if isinstance(reason, NewConnectionError | ConnectTimeoutError):
        return True
    inner = reason.args[0] if isinstance(reason, Exception) and reason.args else None
    return isinstance(inner, ssl.SSLCertVerificationError)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return Retry-After in seconds, given as a number or as a date (counted from the answer's own Date)."""
    wish = headers.get("Retry-After", "").strip()
    if wish.isdecimal():
        return float(wish)
    try:
        until, now = parsedate_to_datetime(wish), parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):
        return None
