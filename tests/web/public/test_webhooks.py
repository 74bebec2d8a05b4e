"""What Twilio calls: nothing unsigned gets in, nothing is lost, nothing is said."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from pro_service.gateways.twilio.signatures import sign
from pro_service.runtime import Runtime, open_runtime
from pro_service.store.schema import inbound, receipts, responses
from pro_service.web.app import create_app
from tests import support
from tests.peers import configuration, databases

pytestmark = databases.ON_BOTH

BASE = "https://pro.example.org"
TOKEN = configuration.AUTH_TOKEN
PHONE = "+12025550123"
PATIENCE = 30.0
TEXT = {"MessageSid": "SM" + "1" * 32, "From": PHONE, "To": "+15005550006", "Body": "7", "NumMedia": "0"}


@pytest.fixture
def rt(database_url: str, clock: support.SetClock, tmp_path: Path) -> Iterator[Runtime]:
    """Return a runtime behind a public https address, with two tokens during their rotation."""
    told = {"PUBLIC_BASE_URL": BASE, "TWILIO_AUTH_TOKEN": f"{'0' * 32},{TOKEN}"}
    settings = configuration.settings_for(database_url, tmp_path, **told)
    runtime = support.with_clock(open_runtime(settings), clock)
    yield runtime
    runtime.close()


@pytest.fixture
def app(rt: Runtime) -> Iterator[Flask]:
    """Return the web application."""
    made = create_app(rt)
    yield made
    made.extensions["intake"].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return Twilio, calling."""
    return app.test_client()


def post(
    client: FlaskClient, path: str, form: dict[str, str], *, signed: bool = True, token: str = TOKEN
) -> TestResponse:
    """Call a webhook as Twilio does."""
    headers = {"X-Twilio-Signature": sign(token, BASE + path, form)} if signed else {}
    return client.post(path, data=form, headers=headers)


def rows(rt: Runtime) -> tuple[int, int]:
    """How many texts and receipts are kept."""
    with rt.sessions.reading() as session:
        texts = session.scalar(select(func.count()).select_from(inbound))
        return int(texts or 0), int(session.scalar(select(func.count()).select_from(receipts)) or 0)


def test_a_signed_text_is_kept_and_answered_with_nothing(rt: Runtime, client: FlaskClient) -> None:
    response = post(client, "/hooks/twilio/inbound", TEXT)
    assert response.status_code == 200
    assert response.mimetype == "text/xml"
    assert response.text.endswith("<Response/>")
    assert rows(rt) == (1, 0)


@pytest.mark.parametrize("path", ["/hooks/twilio/inbound", "/hooks/twilio/status/anything"])
def test_a_forged_unsigned_or_malformed_call_is_403_and_stores_nothing(
    rt: Runtime, client: FlaskClient, path: str
) -> None:
    forged = post(client, path, TEXT, token="f" * 32)
    unsigned = post(client, path, TEXT, signed=False)
    other = client.post(path, data=TEXT | {"Body": "8"}, headers={"X-Twilio-Signature": sign(TOKEN, BASE + path, TEXT)})
    as_json = client.post(path, json=TEXT, headers={"X-Twilio-Signature": sign(TOKEN, BASE + path, {})})
    answers = [forged, unsigned, other, as_json]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert len({answer.text for answer in answers}) == 1
    assert rows(rt) == (0, 0)


@pytest.mark.parametrize("query", ["?", "?a=%2F%7E", "?ad=%C5%9F&x=1+2", "?bad=%"])
def test_a_genuine_signature_holds_over_the_raw_query(rt: Runtime, client: FlaskClient, query: str) -> None:
    assert post(client, f"/hooks/twilio/inbound{query}", TEXT).status_code == 200
    assert rows(rt) == (1, 0)


def test_a_text_without_an_id_cannot_be_kept_and_says_so(rt: Runtime, client: FlaskClient) -> None:
    assert post(client, "/hooks/twilio/inbound", {"Body": "7"}).status_code == 400
    assert rows(rt) == (0, 0)


def test_unknown_parameters_are_kept_and_a_receipt_for_nobody_is_answered_alike(
    rt: Runtime, client: FlaskClient
) -> None:
    more = TEXT | {"ApiVersion": "2010-04-01", "SomethingNew": "ş"}
    assert post(client, "/hooks/twilio/inbound", more).status_code == 200
    receipt = {"MessageSid": "SM" + "2" * 32, "MessageStatus": "delivered"}
    assert post(client, "/hooks/twilio/status/nobody", receipt).status_code == 204
    assert rows(rt) == (1, 0)


def test_a_signed_text_becomes_an_answer(rt: Runtime, app: Flask, client: FlaskClient, clock: support.SetClock) -> None:
    study_id = support.load_demo(rt)
    clock.now = support.at("2026-03-02 15:00")
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=PHONE, channel="sms-reply")
    clock.now = support.at("2026-03-09 10:00")
    post(client, "/hooks/twilio/inbound", TEXT)
    assert app.extensions["intake"].rest(PATIENCE)
    with rt.sessions.reading() as session:
        # Nothing was asked yet: a number alone is no answer.
        assert session.scalar(select(func.count()).select_from(responses)) == 0
        assert session.scalar(select(inbound.c.reading)) == "Score"
