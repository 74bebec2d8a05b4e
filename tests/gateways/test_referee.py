"""What we ask Twilio, and what its stand-ins answer, is what Twilio's OpenAPI description says: a referee looks on."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Response

from pro_service.gateways.outgoing import Outgoing, Refused
from pro_service.gateways.twilio.texts import PAGE_SIZE, TwilioTexts
from tests.gateways.conftest import ACCOUNT, LONG_AGO, NUMBER, TOKEN, Scripted, simulator
from tests.peers import emulate, referee
from tests.peers.referee import Violation

PERSON, MANY = "+447700900123", "+447700900456"
PAGING = ("uri", "first_page_uri", "next_page_uri", "previous_page_uri")
KNOWN = {
    # Twilio's pages are named by paths, also in the examples of the description, which calls them "uri".
    *((f"response.body.{name}", "format") for name in PAGING),
    # The description knows no other status than the good one.
    ("response", ""),
}
"""What the referee finds and Twilio itself does: (where, rule)."""
CALLBACKS = "http://127.0.0.1:9/hooks/twilio/status"


@dataclass
class Court:
    """A gateway, the Twilio it speaks to, and what the referee between them has found."""

    url: str
    account: str
    token: str
    number: str
    person_writes: Callable[[str, str], None]
    seen: list[tuple[str, int, Violation]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def keep(self, answer: requests.Response, *_: Any, **__: Any) -> None:
        self.calls.append(answer.request.method or "")
        self.seen += [(answer.url, answer.status_code, found) for found in referee.violations(answer.headers)]

    def gateway(self) -> TwilioTexts:
        made = TwilioTexts(
            self.account, auth_token=self.token, from_number=self.number, base_url=self.url, callbacks=CALLBACKS
        )
        adapter = made._wire._adapter  # noqa: SLF001 -- headers are of no use to its callers
        send = adapter.send

        def heard(*asked: Any, **how: Any) -> requests.Response:
            answer = send(*asked, **how)
            self.keep(answer)
            return answer

        adapter.send = heard  # type: ignore[method-assign]
        return made

    def ask(self, method: str, **more: Any) -> requests.Response:
        """Ask for messages by hand, past the SDK."""
        address = f"{self.url}/2010-04-01/Accounts/{self.account}/Messages.json"
        answer = requests.request(method, address, auth=(self.account, self.token), timeout=10, **more)
        self.keep(answer)
        return answer

    def found(self) -> list[tuple[str, str]]:
        """Say what was found that Twilio itself does not do: (where, rule)."""
        real = [(found.where, found.rule) for _, status, found in self.seen if not known(status, found)]
        return sorted(set(real))


def known(status: int, found: Violation) -> bool:
    """Say whether this is a known false positive; an unknown status is one only where it says what was wrong."""
    return (found.where, found.rule) in KNOWN and (found.where != "response" or 400 <= status < 500)


@contextmanager
def _emulated(folder: Path) -> Iterator[Court]:
    with emulate.running(folder) as peer, referee.running(folder, peer.url) as url:

        def person_writes(person: str, body: str) -> None:
            text = {"From": person, "To": peer.number, "Body": body}
            address = f"{peer.url}/_twilio/simulate/inbound-message"
            requests.post(address, data=text, auth=(peer.account_sid, peer.auth_token), timeout=10).raise_for_status()

        yield Court(url, peer.account_sid, peer.auth_token, peer.number, person_writes)


class _Lies:
    """Changes words in what the simulator answers, while there are any."""

    def __init__(self) -> None:
        self.words: dict[bytes, bytes] = {}

    def __call__(self, response: Response) -> Response:
        for true, lie in self.words.items():
            response.data = response.data.replace(true, lie)
        return response


@contextmanager
def _simulated(webhooks: Scripted, folder: Path, lies: _Lies) -> Iterator[Court]:
    with ExitStack() as opened:
        app, upstream = opened.enter_context(simulator(webhooks))
        app.after_request(lies)
        url = opened.enter_context(referee.running(folder, upstream))

        def person_writes(person: str, body: str) -> None:
            address = f"{upstream}/telephones/{person}/reply"
            requests.post(address, data={"body": body}, timeout=10).raise_for_status()

        yield Court(url, ACCOUNT, TOKEN, NUMBER, person_writes)


@pytest.fixture(scope="module")
def lies() -> _Lies:
    return _Lies()


@pytest.fixture(scope="module")
def courts(
    _catcher: Scripted, lies: _Lies, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Court]]:
    """Return the court of each Twilio, set up when it is first asked for."""
    folder = tmp_path_factory.mktemp("referee")
    kept: dict[str, Court] = {}
    with ExitStack() as opened:

        def court(name: str) -> Court:
            if name not in kept:
                made = _emulated(folder) if name == "emulate" else _simulated(_catcher, folder, lies)
                kept[name] = opened.enter_context(made)
            kept[name].seen.clear()
            kept[name].calls.clear()
            return kept[name]

        yield court


@pytest.fixture(params=["emulate", "simulator"])
def court(request: pytest.FixtureRequest, courts: Callable[[str], Court]) -> Court:
    return courts(request.param)


@pytest.fixture
def gateway(court: Court) -> Iterator[TwilioTexts]:
    made = court.gateway()
    yield made
    made.close()


def test_a_text_is_sent_and_read_back_by_the_book(court: Court, gateway: TwilioTexts) -> None:
    text = "Ağrınız nasıl? 0–10"
    sent = gateway.send(Outgoing(1, PERSON, text, "abc-123", validity_seconds=36_000))
    kept = gateway.fetch(sent.sid)
    assert kept is not None
    assert kept.body == text
    assert court.calls == ["POST", "GET"]
    assert court.seen == []


def test_lists_are_asked_for_and_answered_by_the_book(court: Court, gateway: TwilioTexts) -> None:
    sent = {gateway.send(Outgoing(n, MANY, "one of many")).sid for n in range(PAGE_SIZE + 1)}
    court.person_writes(PERSON, "7")
    court.calls.clear()
    assert {record.sid for record in gateway.recall("", MANY, "one of", LONG_AGO)} == sent
    assert sent <= {record.sid for record in gateway.list_sent(LONG_AGO)}
    assert [arrival.body for arrival in gateway.pull(LONG_AGO)] == ["7"]
    # More than one page was read, and the referee was there: what it is wrong about was said of each.
    assert len(court.calls) > 3
    assert {found.where for _, _, found in court.seen} == {f"response.body.{name}" for name in PAGING}
    assert court.found() == []


def test_a_refusal_and_an_unknown_text_are_by_the_book(court: Court, gateway: TwilioTexts) -> None:
    with pytest.raises(Refused):
        gateway.send(Outgoing(1, "+1", "hello"))
    assert gateway.fetch("SM" + "f" * 32) is None
    assert [status for _, status, _ in court.seen] == [400, 404]
    assert court.found() == []


def test_the_referee_sees_a_question_of_the_wrong_type(court: Court) -> None:
    court.ask("POST", data={"To": PERSON, "From": court.number, "Body": "hello", "ValidityPeriod": "soon"})
    court.ask("POST", data={"From": court.number, "Body": "hello"})
    court.ask("GET", params={"PageSize": "many"})
    assert court.found() == [
        ("request.body", "required"),
        ("request.body.ValidityPeriod", "type"),
        ("request.query.pagesize", "type"),
    ]


def test_the_referee_sees_an_answer_of_the_wrong_type(courts: Callable[[str], Court], lies: _Lies) -> None:
    court = courts("simulator")
    gateway = court.gateway()
    lies.words = {b'"num_segments":"1"': b'"num_segments":1', b'"outbound-api"': b'"sideways"'}
    try:
        gateway.send(Outgoing(1, PERSON, "hello"))
    finally:
        lies.words = {}
        gateway.close()
    assert court.found() == [("response.body.direction", "enum"), ("response.body.num_segments", "type")]
