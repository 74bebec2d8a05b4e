"""The simulated Verimor: what it refuses as Verimor does, and telephones that two providers write to."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pro_service.simulator import Faults, Pace, VerimorAccount, create_simulator, verimor
from tests.gateways.conftest import until

PERSON = "+905321234567"
LOGIN = {"username": "908501234567", "password": "s3cret"}
ACCOUNT, TOKEN = "AC" + "0" * 32, "12345"
NEVER = Pace(queued=3600, sent=3600, delivered=3600)


class Clock:
    """A clock that is set by hand."""

    now = datetime(2026, 3, 9, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def simulated(
    clock: Clock, *, limits: bool = False, faults: Faults | None = None, pace: Pace = NEVER, **account: Any
) -> Flask:
    made: dict[str, Any] = {**LOGIN, "headers": ("KLINIK", "908501112233"), "reply_to": "4609", "keyword": "PRO"}
    return create_simulator(
        account_sid=ACCOUNT,
        auth_token=TOKEN,
        webhook_base="http://127.0.0.1:9",
        clock=clock,
        pace=pace,
        faults=faults,
        verimor=VerimorAccount(**(made | account)),
        limits=limits,
    )


@pytest.fixture
def app(clock: Clock) -> Iterator[Flask]:
    made = simulated(clock)
    yield made
    made.extensions["carrier"].postman.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def sent(client: FlaskClient, to: str = PERSON, body: str = "Ağrınız kaç?", **more: Any) -> str:
    said = {**LOGIN, "source_addr": "KLINIK", "custom_id": "t1", "messages": [{"msg": body, "dest": to[1:]}], **more}
    answer = client.post("/v2/send.json", json=said)
    return answer.text if answer.status_code == 400 else str(answer.status_code)


def by_twilio(client: FlaskClient, to: str) -> None:
    form = {"To": to, "From": "+15005550006", "Body": "How bad is the pain?"}
    answer = client.post(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", data=form, auth=(ACCOUNT, TOKEN))
    assert answer.status_code == 201


def test_the_same_words_under_one_header_go_to_a_number_once_a_day(client: FlaskClient, clock: Clock) -> None:
    assert sent(client) == "200"
    assert sent(client) == "MUKERRER_RAPORLAMA"
    assert sent(client, to="+905329999999") == sent(client, body="Ağrınız?") == "200"
    assert sent(client, source_addr="908501112233") == "200"
    clock.now += timedelta(hours=24)
    assert sent(client) == "200"


def test_a_repetition_may_be_taken_and_refused_afterwards(clock: Clock) -> None:
    app = simulated(clock, faults=Faults(repeats_refused_late=1.0), pace=Pace(queued=0, sent=0, delivered=0))
    client, verimor = app.test_client(), app.extensions["verimor"]
    assert [sent(client), sent(client, custom_id="t2")] == ["200", "200"]

    def statuses() -> list[str]:
        (first,), (second,) = (
            client.get("/v2/status", query_string={**LOGIN, "custom_id": token}).json or [{}] for token in ("t1", "t2")
        )
        return [first["status"], second["status"]]

    until(lambda: statuses() == ["DELIVERED", "DOUBLE_SEND_ERROR"])
    verimor.postman.close()


@pytest.mark.parametrize(
    "changed, words",
    [
        ({"source_addr": "SOMEBODY"}, "INVALID_SOURCE_ADDRESS"),
        ({"valid_for": "00:00"}, "INVALID_PERIOD"),
        ({"valid_for": "48:01"}, "INVALID_PERIOD"),
        ({"datacoding": "7"}, "INVALID_DATACODING"),
        ({"messages": []}, "MISSING_MESSAGE"),
        ({"messages": [{"msg": "7"}]}, "MISSING_DESTINATION_ADDRESS"),
        ({"messages": [{"msg": "7", "dest": "12"}]}, "INVALID_DESTINATION_ADDRESS"),
        ({"messages": [{"msg": "ş" * 1044, "dest": "905321234567"}], "datacoding": "1"}, "MESSAGE_TOO_LONG"),
        ({"password": "wrong"}, "401"),
    ],
)
def test_what_verimor_refuses_is_refused_in_its_words(client: FlaskClient, changed: dict[str, Any], words: str) -> None:
    assert sent(client, **changed) == words


def test_a_letter_that_the_coding_does_not_know_arrives_as_a_question_mark(app: Flask, client: FlaskClient) -> None:
    for coding, body in (("0", "Ağrı, Çok"), ("1", "hâlâ ağrı"), ("2", "hâlâ ağrı")):
        sent(client, body=body, datacoding=coding)
    assert [text.body for text in app.extensions["verimor"].network.thread(PERSON)] == [
        "A?r?, Çok",
        "h?l? ağrı",
        "hâlâ ağrı",
    ]


def test_limits_are_kept_where_they_are_asked_for(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 1_000.0
    monkeypatch.setattr(verimor, "monotonic", lambda: moment)
    app = simulated(clock, limits=True)
    client = app.test_client()
    asked = [client.get("/v2/balance", query_string=LOGIN).status_code for _ in range(12)]
    assert asked == [200] * 10 + [429] * 2
    assert {sent(client, body=str(n)) for n in range(80)} == {"200"}
    assert sent(client, body="one too many") == "429"
    moment += 1
    assert [sent(client, body=f"a second later {n}") for n in range(5)] == ["200"] * 4 + ["429"]
    app.extensions["carrier"].postman.close()


def test_the_account_says_what_it_has(client: FlaskClient) -> None:
    assert client.get("/v2/balance", query_string=LOGIN).text == "100000"
    assert client.get("/v2/headers", query_string=LOGIN).json == ["KLINIK", "908501112233"]
    assert client.get("/v2/headers", query_string={"username": "x"}).status_code == 401
    client.post("/v2/blacklists", query_string={**LOGIN, "phones": "905321234567,905329999999"})
    client.delete("/v2/blacklists/905329999999", query_string=LOGIN)
    assert client.get("/v2/blacklists", query_string=LOGIN).json == {
        "total": 1,
        "records": [{"phone": "905321234567", "source": "api"}],
    }


def test_a_telephone_shows_both_providers_and_answers_the_last_or_the_chosen_one(client: FlaskClient) -> None:
    person = "+447700900123"
    by_twilio(client, person)
    assert sent(client, to=f"+00{person[1:]}") == "200"

    def reply(**form: str) -> str:
        assert client.post(f"/telephones/{person}/reply", data={"body": "PRO 7", **form}).status_code == 303
        return str(texts()[-1]["provider"])

    def texts() -> list[dict[str, Any]]:
        (phone,) = client.get("/telephones.json").json or []
        return list(phone["texts"])

    assert [text["provider"] for text in texts()] == ["Twilio", "Verimor"]
    assert [reply(), reply(way="Twilio"), reply(way="Verimor"), reply(way="nobody")] == [
        "Verimor",
        "Twilio",
        "Verimor",
        "Verimor",
    ]
    page = client.get(f"/telephones/{person}").text
    assert "texts come from KLINIK, +15005550006" in page
    assert page.index("4609 (Verimor)") < page.index("+15005550006 (Twilio)")


def test_a_turkish_telephone_answers_by_verimor_and_to_a_shared_code_with_its_word(client: FlaskClient) -> None:
    by_twilio(client, PERSON)
    assert "no two-way texting in Turkey" in client.get(f"/telephones/{PERSON}").text
    sent(client)
    assert "no two-way texting in Turkey" not in client.get(f"/telephones/{PERSON}").text
    refused = client.post(f"/telephones/{PERSON}/reply", data={"body": "7"})
    assert (refused.status_code, "begins with PRO" in refused.text) == (409, True)
    assert client.post(f"/telephones/{PERSON}/reply", data={"body": "pro 7"}).status_code == 303
    (text,) = client.get("/v2/inbound_messages", query_string=LOGIN).json or []
    assert (text["content"], text["source_addr"], text["received_at"]) == (
        "pro 7",
        "905321234567",
        "2026-03-09T15:00:00.000+03:00",
    )


def test_nobody_can_answer_a_header_that_is_a_name(clock: Clock) -> None:
    app = simulated(clock, reply_to="", keyword="")
    client = app.test_client()
    sent(client)
    assert "it cannot be answered" in client.get(f"/telephones/{PERSON}").text
    app.extensions["carrier"].postman.close()
