"""Twilio's answers, good, bad and missing, sorted into what the outbox can do about them."""

import json
import logging
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import requests
from urllib3.connection import HTTPConnection
from urllib3.exceptions import MaxRetryError, NameResolutionError, ProtocolError, ReadTimeoutError, SSLError

from pro_service.gateways.codes import kind_of
from pro_service.gateways.http import never_left, retry_after
from pro_service.gateways.nowhere import NowhereGateway
from pro_service.gateways.outgoing import GatewayError, Outgoing, Refused, Unavailable, Uncertain
from pro_service.gateways.twilio.texts import TwilioTexts
from tests.gateways.conftest import ACCOUNT, LONG_AGO, NUMBER, TOKEN, Answer, Scripted
from tests.peers.servers import free_port

CALLS = "https://pro.example.org/s"
TEXT = Outgoing(7, "+447700900123", "how is the pain?", "abc", validity_seconds=50_000)


@pytest.fixture
def gateway(scripted: Scripted) -> Iterator[TwilioTexts]:
    made = TwilioTexts(
        ACCOUNT, auth_token=TOKEN, base_url=scripted.url, timeouts=(0.5, 0.3), from_number=NUMBER, callbacks=CALLS
    )
    yield made
    made.close()


def twilio_says(status: int, code: int | None, **headers: str) -> Answer:
    body = {"code": code, "message": "to +447700900123", "more_info": "", "status": status}
    return Answer(status, json.dumps(body), {"Content-Type": "application/json", **headers})


def outcome(gateway: TwilioTexts) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        gateway.send(TEXT)
    return caught.value


def test_the_message_asks_for_what_the_study_needs(gateway: TwilioTexts, scripted: Scripted) -> None:
    scripted.script = [Answer(201, '{"sid": "SM1", "status": "queued"}')]
    assert gateway.send(TEXT).sid == "SM1"
    assert scripted.next().form == {
        "To": TEXT.to,
        "From": NUMBER,
        "Body": TEXT.body,
        "SmartEncoded": "false",
        "ValidityPeriod": "36000",
        "StatusCallback": "https://pro.example.org/s/abc#rc=3&rp=5xx,ct,rt",
    }


def test_too_many_requests_is_unavailable_for_as_long_as_twilio_says(gateway: TwilioTexts, scripted: Scripted) -> None:
    scripted.script = [twilio_says(429, 20429, **{"Retry-After": "7"})]
    error = outcome(gateway)
    assert isinstance(error, Unavailable)
    assert (error.code, error.retry_after, error.kind) == (20429, 7.0, "busy")


@pytest.mark.parametrize(
    "answer",
    [
        twilio_says(500, 20500),
        twilio_says(503, 20503),
        Answer(504, "<html>gateway time-out</html>"),
        Answer(408, ""),
        Answer(200, "<html>welcome to our hotel</html>"),
        Answer(201, ""),
        Answer(201, "[]"),
        Answer(201, "{}"),
        Answer(201, '{"sid": null, "status": "queued"}'),
        Answer(201, '{"sid": "SM1", "status": "queued"'),
        Answer(302, "", {"Location": "/elsewhere"}),
        Answer(400, "<html>a proxy's page</html>"),
        Answer(404, '{"detail": "not Twilio"}'),
        Answer(hang=True),
        Answer(drop=True),
    ],
)
def test_an_answer_that_does_not_say_no_is_uncertain(gateway: TwilioTexts, scripted: Scripted, answer: Answer) -> None:
    scripted.script = [answer]
    assert isinstance(outcome(gateway), Uncertain)


def test_nothing_is_ever_sent_twice_on_its_own(gateway: TwilioTexts, scripted: Scripted) -> None:
    scripted.script = [Answer(drop=True)]
    outcome(gateway)
    scripted.next()
    assert scripted.calls.empty()


def test_a_claim_that_grew_old_on_the_way_sends_nothing(gateway: TwilioTexts, scripted: Scripted) -> None:
    with pytest.raises(Unavailable):
        gateway.send(replace(TEXT, may_leave=lambda: False))
    assert scripted.calls.empty()
    # It was that one's alone: the next call of this thread leaves.
    scripted.script = [Answer(201, '{"sid": "SM1", "status": "queued"}')]
    assert gateway.send(TEXT).sid


@pytest.mark.parametrize(
    "status, code, kind",
    [
        (401, 20003, "credentials"),
        (400, 21211, "bad_number"),
        (400, 21614, "bad_number"),
        (400, 21408, "route"),
        (400, 21606, "configuration"),
        (400, 21660, "configuration"),
        (400, 21610, "opted_out"),
        (400, 21617, "template"),
        (400, 99_999, "other"),
    ],
)
def test_a_refusal_has_a_class(gateway: TwilioTexts, scripted: Scripted, status: int, code: int, kind: str) -> None:
    scripted.script = [twilio_says(status, code)]
    error = outcome(gateway)
    assert isinstance(error, Refused)
    assert (error.code, error.kind) == (code, kind)


@pytest.mark.parametrize("status", [400, 429])
@pytest.mark.parametrize(
    "code, kind",
    [
        (21611, "busy"),
        (30001, "busy"),
        (30022, "busy"),
        (63018, "busy"),
        (30023, "daily_limit"),
        (63038, "daily_limit"),
    ],
)
def test_a_busy_network_is_unavailable_under_either_status(
    gateway: TwilioTexts, scripted: Scripted, status: int, code: int, kind: str
) -> None:
    scripted.script = [twilio_says(status, code)]
    error = outcome(gateway)
    assert isinstance(error, Unavailable)
    assert (error.code, error.kind) == (code, kind)


@pytest.mark.parametrize("body", ["", "<html>slow down</html>", "[]", '{"code": null}'])
def test_too_many_requests_without_a_code_is_busy(gateway: TwilioTexts, scripted: Scripted, body: str) -> None:
    scripted.script = [Answer(429, body)]
    error = outcome(gateway)
    assert isinstance(error, Unavailable)
    assert (error.code, error.kind) == (429, "busy")


def test_nobody_there_is_unavailable() -> None:
    gateway = TwilioTexts(ACCOUNT, auth_token=TOKEN, from_number=NUMBER, base_url=f"http://127.0.0.1:{free_port()}")
    assert isinstance(outcome(gateway), Unavailable)
    gateway.close()


CONNECTION = HTTPConnection("api.twilio.com")


@pytest.mark.parametrize(
    "fault, left",
    [
        (requests.ConnectionError(MaxRetryError(None, "/", NameResolutionError("h", CONNECTION, OSError()))), False),  # type: ignore[arg-type]
        (requests.exceptions.SSLError(MaxRetryError(None, "/", SSLError(ssl.SSLCertVerificationError()))), False),  # type: ignore[arg-type]
        (requests.exceptions.SSLError(MaxRetryError(None, "/", SSLError(ssl.SSLEOFError()))), True),  # type: ignore[arg-type]
        (requests.ReadTimeout(ReadTimeoutError(None, "/", "slow")), True),  # type: ignore[arg-type]
        (requests.ConnectionError(ProtocolError("aborted", ConnectionResetError())), True),
        (requests.RequestException(), True),
    ],
)
def test_only_what_never_connected_never_left(fault: requests.RequestException, left: bool) -> None:  # noqa: FBT001
    assert never_left(fault) is not left


def test_a_question_without_an_answer_may_be_asked_again(gateway: TwilioTexts, scripted: Scripted) -> None:
    questions: list[Callable[[], object]] = [
        lambda: gateway.fetch("SM1"),
        lambda: gateway.recall("", TEXT.to, TEXT.body, LONG_AGO),
        lambda: gateway.pull(LONG_AGO),
    ]
    for question in questions:
        for answer in (twilio_says(500, 20500), Answer(200, "no JSON"), Answer(200, "[]"), Answer(drop=True)):
            scripted.script = [answer]
            with pytest.raises(Unavailable):
                question()


@pytest.mark.parametrize("answer", [twilio_says(400, 21211), twilio_says(503, 1), Answer(hang=True)])
def test_an_error_names_nobody(
    gateway: TwilioTexts, scripted: Scripted, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    scripted.script = [answer]
    error = outcome(gateway)
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
    scripted.script = [answer]
    with pytest.raises(GatewayError):
        gateway.recall("", TEXT.to, TEXT.body, LONG_AGO)
    assert "447700" not in f"{error}{error!r}{TEXT!r}{caplog.text}"


def test_a_wish_for_patience_is_read_as_seconds_or_as_a_date() -> None:
    dated = {"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}
    assert retry_after({"Retry-After": "5"}) == 5.0
    assert retry_after(dated) == 30.0
    assert retry_after({"Retry-After": "soon"}) is None
    assert retry_after({}) is None


def test_an_unknown_code_has_a_class_too() -> None:
    assert (kind_of(30007), kind_of(123), kind_of(None)) == ("blocked", "other", "other")


def test_nowhere_takes_everything_under_new_names() -> None:
    nowhere = NowhereGateway()
    assert nowhere.send(TEXT).sid != nowhere.send(TEXT).sid
