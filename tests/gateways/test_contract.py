"""What the gateway counts on from Twilio, run against our simulator and against an emulator that is not ours."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from pro_service.core.providers import FACTS
from pro_service.gateways.outgoing import Outgoing, Refused, Unavailable
from pro_service.gateways.twilio.hooks import receipt_of
from pro_service.gateways.twilio.signatures import valid_signature
from pro_service.gateways.twilio.texts import TwilioTexts
from tests.gateways.conftest import ACCOUNT, LONG_AGO, NUMBER, SERVICE, TOKEN, Scripted, simulator
from tests.peers import emulate

PERSON, OTHER = "+447700900123", "+447700900456"
STATUS = "/hooks/twilio/status"


@dataclass
class Twilio:
    """One of the two peers, and how things are made to happen in it."""

    url: str
    account: str
    token: str
    number: str
    service: str
    person_writes: Callable[[str, str], None]
    deliver: Callable[[str], None]
    callbacks: str

    def gateway(self, token: str | None = None, *, by_service: bool = False, way: str = "sms") -> TwilioTexts:
        return TwilioTexts(
            self.account,
            facts=FACTS[way],
            auth_token=token or self.token,
            messaging_service_sid=self.service if by_service else None,
            from_number=None if by_service else self.number,
            base_url=self.url,
            callbacks=self.callbacks,
        )


@contextmanager
def _simulated(webhooks: Scripted) -> Iterator[Twilio]:
    with simulator(webhooks, whatsapp=NUMBER) as (_, url):

        def person_writes(number: str, body: str) -> None:
            requests.post(f"{url}/telephones/{number}/reply", data={"body": body}, timeout=10).raise_for_status()

        calls = webhooks.url + STATUS
        yield Twilio(url, ACCOUNT, TOKEN, NUMBER, SERVICE, person_writes, lambda _: None, calls)


@contextmanager
def _emulated(webhooks: Scripted, folder: Path) -> Iterator[Twilio]:
    with emulate.running(folder, webhooks.url + "/hooks/twilio/inbound") as peer:
        owner = (peer.account_sid, peer.auth_token)

        def post(path: str, **form: str) -> dict[str, str]:
            answer = requests.post(peer.url + path, data=form, auth=owner, timeout=10)
            answer.raise_for_status()
            return dict(answer.json())

        owned = f"/2010-04-01/Accounts/{peer.account_sid}/IncomingPhoneNumbers.json"
        number = requests.get(peer.url + owned, auth=owner, timeout=10).json()["incoming_phone_numbers"][0]["sid"]
        service = post("/messaging/v1/Services", FriendlyName="study")["sid"]
        post(f"/messaging/v1/Services/{service}/PhoneNumbers", PhoneNumberSid=number)

        def person_writes(person: str, body: str) -> None:
            post("/_twilio/simulate/inbound-message", From=person, To=peer.number, Body=body)

        def deliver(sid: str) -> None:
            post("/_twilio/simulate/message-status", MessageSid=sid, Status="delivered")

        mine = (peer.url, peer.account_sid, peer.auth_token, peer.number, service)
        yield Twilio(*mine, person_writes, deliver, webhooks.url + STATUS)


@pytest.fixture(scope="module", params=["simulator", "emulate"])
def twilio(
    request: pytest.FixtureRequest, _catcher: Scripted, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Twilio]:
    peer = (
        _simulated(_catcher)
        if request.param == "simulator"
        else _emulated(_catcher, tmp_path_factory.mktemp("emulate"))
    )
    with peer as running:
        yield running


@pytest.fixture
def gateway(twilio: Twilio) -> Iterator[TwilioTexts]:
    made = twilio.gateway()
    yield made
    made.close()


def test_a_text_is_accepted_and_can_be_read_back(gateway: TwilioTexts) -> None:
    accepted = gateway.send(Outgoing(1, PERSON, "Ağrınız nasıl? 0–10"))
    kept = gateway.fetch(accepted.sid)
    assert kept is not None
    assert accepted.status == "queued"
    assert (kept.sid, kept.to, kept.body) == (accepted.sid, PERSON, "Ağrınız nasıl? 0–10")
    assert kept.created_at is not None


def test_a_text_goes_by_the_messaging_service(twilio: Twilio) -> None:
    gateway = twilio.gateway(by_service=True)
    sid = gateway.send(Outgoing(1, PERSON, "by service")).sid
    kept = gateway._client.messages(sid).fetch()  # noqa: SLF001 -- whom it is from nobody asks but this test
    gateway.close()
    assert kept.from_ == twilio.number


def test_texts_are_found_by_recipient_and_body(gateway: TwilioTexts) -> None:
    mine = gateway.send(Outgoing(1, PERSON, "look for this one"))
    gateway.send(Outgoing(2, OTHER, "look for this one"))
    gateway.send(Outgoing(3, PERSON, "and not for this"))
    assert [record.sid for record in gateway.recall("", PERSON, "look for this", LONG_AGO)] == [mine.sid]


def test_the_list_is_read_past_its_first_page(gateway: TwilioTexts) -> None:
    sent = {gateway.send(Outgoing(n, "+447700900789", "one of many")).sid for n in range(130)}
    assert {record.sid for record in gateway.recall("", "+447700900789", "one of many", LONG_AGO)} == sent


def test_an_unknown_sid_is_nothing(gateway: TwilioTexts) -> None:
    assert gateway.fetch("SM" + "f" * 32) is None


def test_the_status_callback_is_signed(twilio: Twilio, gateway: TwilioTexts, webhooks: Scripted) -> None:
    address = webhooks.url + "/hooks/twilio/status/abc-123"
    sid = gateway.send(Outgoing(1, PERSON, "with callback", "abc-123")).sid
    twilio.deliver(sid)
    call = webhooks.until(MessageSid=sid, MessageStatus="delivered")
    assert call.path == "/hooks/twilio/status/abc-123"
    assert valid_signature([twilio.token], address, call.form, call.signature)
    assert not valid_signature(["another"], address, call.form, call.signature)


def test_a_reply_is_signed_and_can_be_pulled_too(twilio: Twilio, gateway: TwilioTexts, webhooks: Scripted) -> None:
    gateway.send(Outgoing(1, PERSON, "how is the pain?"))
    twilio.person_writes(PERSON, "yedi, ağrı çok & kötü")
    call = webhooks.until(Body="yedi, ağrı çok & kötü")
    assert call.path == "/hooks/twilio/inbound"
    assert valid_signature(["another", twilio.token], webhooks.url + call.path, call.form, call.signature)
    assert {"MessageSid", "AccountSid", "From", "To", "NumMedia", "NumSegments"} <= call.form.keys()
    assert (call.form["From"], call.form["To"]) == (PERSON, twilio.number)
    assert call.form["MessageSid"] in {arrival.provider_id for arrival in gateway.pull(LONG_AGO)}


def test_whatsapp_messages_and_texts_of_one_account_are_told_apart(twilio: Twilio, webhooks: Scripted) -> None:
    texts, messages = twilio.gateway(), twilio.gateway(way="whatsapp")
    text = texts.send(Outgoing(1, PERSON, "the same words to both"))
    message = messages.send(Outgoing(2, PERSON, "the same words to both", "abc-456"))
    kept = messages.fetch(message.sid)
    assert kept is not None
    assert (kept.sid, kept.to, message.sid.partition(":")[0]) == (message.sid, PERSON, "whatsapp")
    for gateway, sid in ((texts, text.sid), (messages, message.sid)):
        assert [one.sid for one in gateway.recall("", PERSON, "the same words to both", LONG_AGO)] == [sid]
    twilio.deliver(message.sid.removeprefix("whatsapp:"))
    call = webhooks.until(MessageSid=message.sid.removeprefix("whatsapp:"))
    assert receipt_of("abc-456", call.form).provider_id == message.sid
    texts.close()
    messages.close()


def test_wrong_credentials_are_refused_as_such(twilio: Twilio) -> None:
    gateway = twilio.gateway("wrong")
    with pytest.raises(Refused) as refused:
        gateway.send(Outgoing(1, PERSON, "hello"))
    gateway.close()
    assert (refused.value.code, refused.value.kind) == (20003, "credentials")


def test_a_copy_is_deleted_and_one_that_is_on_its_way_waits(twilio: Twilio) -> None:
    gateway = twilio.gateway()
    sid = gateway.send(Outgoing(1, PERSON, "Please forget me")).sid
    twilio.deliver(sid)
    assert _forgotten(gateway, sid) == "deleted"
    assert gateway.fetch(sid) is None
    assert gateway.forget(sid) == "unknown"


def _forgotten(gateway: TwilioTexts, sid: str) -> str:
    """Have a copy deleted, as soon as its text has arrived."""
    for _ in range(50):
        try:
            return gateway.forget(sid)
        except Unavailable:
            time.sleep(0.1)
    return "never"
