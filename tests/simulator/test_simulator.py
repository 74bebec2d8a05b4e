"""Our own Twilio: its rules, its reports, its replies, and the faults it has when it is told to."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pro_service.gateways.outgoing import Outgoing, Refused, Unavailable, Uncertain
from pro_service.gateways.twilio.signatures import valid_signature
from pro_service.gateways.twilio.texts import TwilioTexts
from pro_service.simulator import Faults
from tests.gateways.conftest import ACCOUNT, LONG_AGO, NUMBER, SERVICE, TOKEN, Answer, Scripted

PERSON = "+447700900123"
TURKISH = "+905321234567"
Simulate = Callable[..., tuple[Flask, TwilioTexts]]
ATTEMPT = "abc-123"
LINK = "Formunuz: https://pro.example.org/q/abc"


def text(to: str = PERSON, body: str = "how is the pain?", token: str = "") -> Outgoing:
    return Outgoing(1, to, body, token)


def here(app: Flask) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_HOST"] = "127.0.0.1"
    return client


def reply(app: Flask, number: str, body: str) -> int:
    return here(app).post(f"/telephones/{number}/reply", data={"body": body}).status_code


def refusal(gateway: TwilioTexts, message: Outgoing) -> int | str | None:
    with pytest.raises(Refused) as refused:
        gateway.send(message)
    return refused.value.code


@pytest.mark.parametrize(
    "to, code",
    [
        ("+15005550001", 21211),
        ("+15005550002", 21612),
        ("+15005550003", 21408),
        ("+15005550004", 21610),
        ("+15005550009", 21614),
        ("05321234567", 21211),
        ("+9053212345", 21211),
        ("+9991234567", 21211),
        ("", 21604),
        (NUMBER, 21266),
        ("+902121234567", 21614),
        ("+905338123456", 21408),
    ],
)
def test_a_number_that_cannot_be_texted_is_refused(simulate: Simulate, to: str, code: int) -> None:
    _, gateway = simulate()
    assert refusal(gateway, text(to)) == code


def test_a_text_needs_a_body_of_at_most_1600_characters(simulate: Simulate) -> None:
    _, gateway = simulate()
    assert refusal(gateway, text(body="")) == 21602
    assert refusal(gateway, text(body="x" * 1601)) == 21617
    assert gateway.send(text(body="x" * 1600)).status == "queued"


def test_a_sender_is_a_number_a_name_or_a_service(simulate: Simulate) -> None:
    app, _ = simulate()
    address = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"

    def code(**sender: str) -> object:
        form = {"To": PERSON, "Body": "hello", **sender}
        return here(app).post(address, data=form, auth=(ACCOUNT, TOKEN)).get_json().get("code")

    assert code(From="PROStudy") is None
    assert code(MessagingServiceSid=SERVICE) is None
    assert code() == 21603
    assert code(From="a name too long") == 21212
    assert code(MessagingServiceSid="MG1") == 21701


def test_another_account_is_not_found(simulate: Simulate) -> None:
    app, _ = simulate()
    answer = here(app).get("/2010-04-01/Accounts/AC1/Messages.json", auth=(ACCOUNT, TOKEN))
    assert (answer.status_code, answer.get_json()["code"]) == (404, 20404)


def test_an_api_key_opens_the_account_too(simulate: Simulate) -> None:
    app, _ = simulate(api_key=("SK1", "secret"))
    address = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert here(app).get(address, auth=("SK1", "secret")).status_code == 200
    assert here(app).get(address, auth=("SK1", TOKEN)).status_code == 401


def test_a_text_goes_through_its_states_in_order(simulate: Simulate, webhooks: Scripted) -> None:
    _, gateway = simulate()
    sid = gateway.send(text(token=ATTEMPT)).sid
    calls = [webhooks.next() for _ in range(3)]
    assert [call.form["MessageStatus"] for call in calls] == ["queued", "sent", "delivered"]
    kept = gateway.fetch(sid)
    assert kept is not None
    assert (kept.status, kept.error) == ("delivered", "")


def test_a_link_never_arrives_in_turkey(simulate: Simulate, webhooks: Scripted) -> None:
    _, gateway = simulate()
    lost = gateway.send(text(TURKISH, LINK, ATTEMPT)).sid
    assert webhooks.until(MessageStatus="undelivered").form["ErrorCode"] == "30007"
    kept = gateway.fetch(lost)
    assert kept is not None
    assert (kept.status, kept.error) == ("undelivered", "30007")
    gateway.send(text(TURKISH, "Ağrınız nasıl?", webhooks.url + "/status"))
    webhooks.until(MessageStatus="delivered")
    gateway.send(text(PERSON, LINK, webhooks.url + "/status"))
    webhooks.until(MessageStatus="delivered")


def test_nobody_answers_from_turkey_or_to_a_name(simulate: Simulate, webhooks: Scripted) -> None:
    app, gateway = simulate()
    gateway.send(text(TURKISH))
    assert reply(app, TURKISH, "7") == 409
    form = {"To": PERSON, "From": "PROStudy", "Body": "hello"}
    here(app).post(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", data=form, auth=(ACCOUNT, TOKEN))
    assert reply(app, PERSON, "7") == 409
    assert webhooks.calls.empty()


def test_a_reply_is_tried_again_until_the_study_takes_it(simulate: Simulate, webhooks: Scripted) -> None:
    app, _ = simulate()
    webhooks.script = [Answer(500), Answer(503), Answer(200, "<Response/>")]
    assert reply(app, PERSON, "7") == 303
    calls = [webhooks.next() for _ in range(3)]
    assert len({call.form["MessageSid"] for call in calls}) == 1
    assert all(valid_signature([TOKEN], webhooks.url + call.path, call.form, call.signature) for call in calls)


def test_a_reply_that_is_forbidden_is_not_tried_again(simulate: Simulate, webhooks: Scripted) -> None:
    app, _ = simulate()
    webhooks.script = [Answer(403)]
    reply(app, PERSON, "7")
    webhooks.next()
    reply(app, PERSON, "8")
    assert webhooks.next().form["Body"] == "8"


@pytest.mark.parametrize("body", ["", "   ", "x" * 1601])
def test_a_reply_has_between_1_and_1600_characters(simulate: Simulate, body: str) -> None:
    app, _ = simulate()
    assert reply(app, PERSON, body) == 400


def test_the_words_of_opt_out_mean_something_only_when_asked(simulate: Simulate, webhooks: Scripted) -> None:
    app, gateway = simulate(advanced_opt_out=True)
    reply(app, PERSON, "stop ")
    assert webhooks.next().form["OptOutType"] == "STOP"
    assert refusal(gateway, text()) == 21610
    reply(app, PERSON, "START")
    assert webhooks.next().form["OptOutType"] == "START"
    assert gateway.send(text()).sid
    plain, _ = simulate()
    reply(plain, PERSON, "STOP")
    assert "OptOutType" not in webhooks.next().form


def test_a_text_can_be_emptied_and_deleted_once_it_is_delivered(simulate: Simulate, webhooks: Scripted) -> None:
    app, gateway = simulate()
    sid = gateway.send(text(token=ATTEMPT)).sid
    webhooks.until(MessageStatus="delivered")
    address, auth = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}.json", (ACCOUNT, TOKEN)
    assert here(app).post(address, data={"Body": "rewritten"}, auth=auth).status_code == 400
    assert here(app).post(address, data={"Body": ""}, auth=auth).get_json()["body"] == ""
    assert here(app).delete(address, auth=auth).status_code == 204
    assert gateway.fetch(sid) is None


def test_only_so_many_texts_are_kept(simulate: Simulate) -> None:
    app, gateway = simulate(keep=3)
    for n in range(5):
        gateway.send(text(f"+44770090010{n}", f"text {n}"))
    kept = here(app).get("/telephones.json").get_json()
    assert [telephone["texts"][0]["body"] for telephone in kept] == ["text 4", "text 3", "text 2"]


def test_what_is_not_accepted_is_not_there(simulate: Simulate) -> None:
    for faults in (Faults(too_many_requests=1, retry_after=3), Faults(unavailable=1)):
        _, gateway = simulate(faults)
        with pytest.raises((Unavailable, Uncertain)) as fault:
            gateway.send(text())
        assert gateway.recall("", PERSON, "", LONG_AGO) == []
        assert getattr(fault.value, "retry_after", 3.0) == 3.0


def test_what_is_accepted_without_an_answer_is_there(simulate: Simulate) -> None:
    for faults in (Faults(accept_then_500=1), Faults(accept_then_hang=1, hang_seconds=5)):
        _, gateway = simulate(faults)
        with pytest.raises(Uncertain):
            gateway.send(text())
        assert len(gateway.recall("", PERSON, "how is", LONG_AGO)) == 1


def test_what_is_accepted_late_is_not_there_at_first(simulate: Simulate) -> None:
    _, gateway = simulate(Faults(late_accept=1, hang_seconds=5))
    with pytest.raises(Uncertain):
        gateway.send(text())
    assert gateway.recall("", PERSON, "how is", LONG_AGO) == []


def test_a_list_can_lag(simulate: Simulate) -> None:
    _, gateway = simulate(Faults(list_lag_seconds=60))
    sid = gateway.send(text()).sid
    assert gateway.recall("", PERSON, "how is", LONG_AGO) == []
    assert gateway.fetch(sid) is not None


def test_callbacks_can_come_twice(simulate: Simulate, webhooks: Scripted) -> None:
    _, gateway = simulate(Faults(duplicate_callbacks=1))
    gateway.send(text(token=ATTEMPT))
    statuses = sorted(webhooks.next().form["MessageStatus"] for _ in range(6))
    assert statuses == ["delivered", "delivered", "queued", "queued", "sent", "sent"]


def test_callbacks_can_come_in_another_order(simulate: Simulate, webhooks: Scripted) -> None:
    _, gateway = simulate(Faults(reordered_callbacks=1))
    sid = gateway.send(text(token=ATTEMPT)).sid
    assert [webhooks.next().form["MessageStatus"] for _ in range(3)] == ["queued", "delivered", "sent"]
    kept = gateway.fetch(sid)
    assert kept is not None
    assert kept.status == "delivered"


def test_a_callback_can_come_before_the_response(simulate: Simulate, webhooks: Scripted) -> None:
    _, gateway = simulate(Faults(callback_first=1))
    webhooks.script = [Answer(hang=True)]
    with pytest.raises(Uncertain):  # the response waits for the callback, which is held here
        gateway.send(text(token=ATTEMPT))
    assert webhooks.next().form["MessageStatus"] == "queued"
    webhooks.released.set()


def test_the_same_seed_has_the_same_bad_day(simulate: Simulate) -> None:
    def day() -> list[bool]:
        _, gateway = simulate(Faults(seed=7, accept_then_500=0.5))
        good = []
        for _ in range(12):
            try:
                gateway.send(text())
                good.append(True)
            except Uncertain:
                good.append(False)
        return good

    first = day()
    assert first == day()
    assert set(first) == {True, False}


@pytest.mark.parametrize("host", ["pro.example.org", "127.0.0.1.example.org:4010", "example.org:80"])
def test_only_this_machine_is_answered(simulate: Simulate, host: str) -> None:
    app, _ = simulate()
    assert app.test_client().get("/", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:4010", "localhost", "[::1]:4010"])
def test_this_machine_is_answered_under_its_names(simulate: Simulate, host: str) -> None:
    app, _ = simulate()
    assert app.test_client().get("/", headers={"Host": host}).status_code == 200


def test_another_page_cannot_reply(simulate: Simulate, webhooks: Scripted) -> None:
    app, _ = simulate()
    answer = here(app).post(
        f"/telephones/{PERSON}/reply", data={"body": "7"}, headers={"Origin": "https://example.org"}
    )
    assert answer.status_code == 403
    assert webhooks.calls.empty()


def test_the_clock_is_the_one_it_was_given(simulate: Simulate) -> None:
    noon = datetime(2026, 1, 20, 12, tzinfo=UTC)
    app, gateway = simulate(clock=lambda: noon)
    kept = gateway.fetch(gateway.send(text()).sid)
    assert kept is not None
    assert kept.created_at == noon
    assert here(app).get("/telephones.json").get_json()[0]["texts"][0]["at"] == "2026-01-20T12:00:00Z"


def test_the_simulator_needs_no_proxy(simulate: Simulate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    _, gateway = simulate()
    assert gateway.send(text()).sid
