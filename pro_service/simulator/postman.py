"""Calls the study's service as providers do: a little later, signed or not, and again if it was not taken."""

import logging
from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from itertools import count
from threading import Condition, Event, Thread
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import requests

from pro_service.gateways.twilio.signatures import SIGNATURE_HEADER, sign

_log = logging.getLogger(__name__)

WEBHOOK_SECONDS = 15.0  # Twilio's own patience
_OK, _GOOD = 200, range(200, 300)
_SERVER_FAULT = 500
_MOST_WAITING = 100_000


class Postman:
    """A few workers and a list of what is due when. Works until `close`."""

    def __init__(self, auth_token: str, *, workers: int = 4) -> None:
        """Sign with the Auth Token."""
        self._token = auth_token
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._bell = Condition()
        self._ended = Event()
        self._workers = [Thread(target=self._work, name=f"postman-{n}", daemon=True) for n in range(workers)]
        for worker in self._workers:
            worker.start()

    def close(self) -> None:
        """Stop; webhooks that were not delivered yet are dropped."""
        self._ended.set()
        with self._bell:
            self._bell.notify_all()
        for worker in self._workers:
            worker.join(WEBHOOK_SECONDS)

    def pause(self, seconds: float) -> None:
        """Keep the caller waiting, but not longer than the simulator runs."""
        self._ended.wait(seconds)

    def later(self, seconds: float, job: Callable[[], None]) -> None:
        """Do something after a while."""
        with self._bell:
            if len(self._waiting) < _MOST_WAITING:
                heappush(self._waiting, (monotonic() + seconds, next(self._order), job))
                self._bell.notify()

    def post(
        self, url: str, params: Mapping[str, str], *, failed: int = 0, done: Callable[[bool], None] | None = None
    ) -> None:
        """Send one webhook now; if it fails, again later as often as the URL's fragment asks (rc, rp).

        `done` is called once, with whether it was taken.
        """
        address = urlsplit(url)
        status = self._attempt(urlunsplit(address._replace(fragment="")), params)
        taken = status in _GOOD
        wishes = parse_qs(address.fragment)
        tries = int(wishes.get("rc", ["1"])[0])
        wanted = {word for words in wishes.get("rp", ["ct"]) for word in words.split(",")}
        why = {"ct", "rt"} if status is None else {"5xx"} if status >= _SERVER_FAULT else {"4xx"}
        if not taken and failed < tries and (why | {"all"}) & wanted:
            self.later(0.2 * 2**failed, lambda: self.post(url, params, failed=failed + 1, done=done))
        elif done is not None:
            done(taken)

    def push(
        self, url: str, said: list[dict[str, object]], *, pauses: Sequence[float], done: Callable[[bool], None]
    ) -> None:
        """Send a push now, unsigned; if it is not answered with 200, again after each pause. `done`: see `post`."""
        taken = self._call(url, json=said) == _OK
        if not taken and pauses:
            self.later(pauses[0], lambda: self.push(url, said, pauses=pauses[1:], done=done))
        else:
            done(taken)

    def press(self, url: str, params: Mapping[str, str]) -> bool:
        """Send a form once, as somebody's own program does; whether it was taken."""
        return self._call(url, data=dict(params)) in _GOOD

    def _attempt(self, url: str, params: Mapping[str, str]) -> int | None:
        headers = {SIGNATURE_HEADER: sign(self._token, url, params), "User-Agent": "TwilioProxy/1.1"}
        return self._call(url, data=dict(params), headers=headers)

    def _call(self, url: str, **body: Any) -> int | None:
        """Return the status of the answer, or None where there was none."""
        with requests.Session() as session:
            session.trust_env = False  # never through a proxy: the service is on this machine
            try:
                answer = session.post(url, timeout=WEBHOOK_SECONDS, allow_redirects=False, **body)
            except requests.RequestException as fault:
                _log.info("webhook not taken", extra={"fault": type(fault).__name__})
                return None
            return answer.status_code

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except Exception as fault:  # noqa: BLE001 (one bad errand must not end the round)
                _log.warning("errand failed", extra={"fault": type(fault).__name__})

    def _next(self) -> Callable[[], None] | None:
        with self._bell:
            while not self._ended.is_set():
                if not self._waiting:
                    self._bell.wait()
                    continue
                wait = self._waiting[0][0] - monotonic()
                if wait <= 0:
                    job = heappop(self._waiting)[2]
                    self._bell.notify()  # somebody else keeps watch over the next one
                    return job
                self._bell.wait(wait)
        return None
