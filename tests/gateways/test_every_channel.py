"""What the product counts on from every channel, run over each with its emulator: one contract, whoever carries."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from flask import Flask, abort, request

from pro_service.core.providers import FACTS, Arrival, Receipt, way_of
from pro_service.gateways.codes import kind_of
from pro_service.gateways.hooks import HookRequest, Hooks
from pro_service.gateways.outgoing import Channel, Outgoing, Refused, Template, Unavailable, Uncertain
from pro_service.gateways.twilio.hooks import TwilioHooks
from pro_service.gateways.twilio.signatures import sign
from pro_service.gateways.twilio.texts import TwilioTexts
from pro_service.gateways.verimor.hooks import VerimorHooks
from pro_service.gateways.verimor.texts import VerimorTexts
from pro_service.simulator import Content, Faults, VerimorAccount, create_simulator
from tests.gateways.conftest import ACCOUNT, FAST, LONG_AGO, NUMBER, TOKEN, served, until
from tests.peers.servers import free_port

SECRET = "verimor-pushes-come-to-this-address"
USER, PASSWORD, HEADER, REPLY_TO = "908501234567", "pa55/w&rd", "KLINIK", "908507654321"
LETTERS = "Ağrınız kaç? Şimdi ÇOK İYİ: ıİğĞşŞçÇöÖüÜ – â €"
WHOLE = "HX" + "0" * 32
"""A template that is nothing but a blank: what is sent by it is what would be sent without."""
ATTEMPT = "0123456789abcdef0123456789abcdef"
Brought = Arrival | Receipt


@dataclass
class Study:
    """What providers call: the real hooks behind a small web server, which keeps what they bring."""

    url: str = ""
    hooks: dict[str, Hooks] = field(default_factory=dict)
    brought: list[Brought] = field(default_factory=list)
    refused: int = 0
    failing: int = 0
    """How many calls are answered with 500 from now on."""

    def receipts(self, sid: str) -> list[Receipt]:
        return [one for one in self.brought if isinstance(one, Receipt) and one.provider_id == sid]

    def statuses(self, sid: str) -> list[str]:
        return [one.status for one in self.receipts(sid)]

    def texts(self) -> list[Arrival]:
        return [one for one in self.brought if isinstance(one, Arrival)]


def app_of(study: Study) -> Flask:
    app = Flask(__name__)

    @app.post("/hooks/<provider>/<path:path>")
    def called(provider: str, path: str) -> tuple[bytes, int]:
        hooks = study.hooks[provider]
        form = request.form if request.mimetype == "application/x-www-form-urlencoded" else None
        asked = HookRequest(
            url=study.url + request.full_path.rstrip("?"),
            path=path,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=b"" if form is not None else request.get_data(),
            form=form,
            address=request.remote_addr or "",
        )
        if study.failing:
            study.failing -= 1
            abort(500)
        if not hooks.genuine(asked):
            study.refused += 1
            abort(403)
        study.brought += hooks.read(asked)
        answer = hooks.answer(asked)
        return answer.body, answer.status

    return app


@dataclass
class Line:
    """One channel, its emulator, and how things are made to happen there."""

    way: str
    channel: Channel
    person: str
    study: Study
    network: Any
    strangers: Callable[..., Channel]
    """The channel once more, otherwise configured."""
    push: Callable[..., requests.Response]
    """Call the study as the provider would, with a status of our choice."""
    write: Callable[[str], None]

    @property
    def facts(self) -> Any:
        return FACTS[self.way]

    def text(self, body: str = "How bad is the pain?", token: str = ATTEMPT) -> Outgoing:
        # Nobody there has written: on WhatsApp nothing but a template goes to them.
        template = Template(WHOLE, (body,)) if self.way == "whatsapp" else None
        return Outgoing(1, self.person, body, token=token, validity_seconds=3600, template=template)


Maker = Callable[..., Line]


@pytest.fixture(params=["sms", "verimor", "whatsapp"])
def line(request: pytest.FixtureRequest) -> Iterator[Maker]:
    """Return a maker of a channel and its emulator, with the faults that are asked for."""
    with ExitStack() as opened:

        def make(**faults: Any) -> Line:
            study = Study()
            study.url = opened.enter_context(served(app_of(study)))
            study.hooks = {"twilio": TwilioHooks([TOKEN]), "verimor": VerimorHooks(SECRET, ["127.0.0.0/8"])}
            app = create_simulator(
                account_sid=ACCOUNT,
                auth_token=TOKEN,
                webhook_base=study.url,
                clock=lambda: datetime.now(UTC),
                pace=FAST,
                faults=Faults(**faults),
                verimor=VerimorAccount(
                    username=USER,
                    password=PASSWORD,
                    headers=(HEADER,),
                    hook_url=f"{study.url}/hooks/verimor/{SECRET}",
                    reply_to=REPLY_TO,
                    pauses=(0.02, 0.02, 0.02),
                ),
                whatsapp=NUMBER,
                contents={WHOLE: Content("{{1}}")}.get,
            )
            url = opened.enter_context(served(app))
            made = _verimor(url, study) if request.param == "verimor" else _twilio(url, study, request.param)
            opened.callback(made.channel.close)
            made.network = app.extensions["carrier"].network
            return made

        yield make


def _writer(url: str, person: str, provider: str) -> Callable[[str], None]:
    def write(body: str) -> None:
        form = {"body": body, "way": provider}
        requests.post(f"{url}/telephones/{person}/reply", data=form, timeout=10).raise_for_status()

    return write


def _twilio(url: str, study: Study, way: str) -> Line:
    def channel(**changed: Any) -> Channel:
        made: dict[str, Any] = {"auth_token": TOKEN, "from_number": NUMBER, "base_url": url, "timeouts": (1.0, 0.3)}
        return TwilioTexts(ACCOUNT, facts=FACTS[way], callbacks=f"{study.url}/hooks/twilio/status", **(made | changed))

    def push(status: str, *, signed_by: str = TOKEN) -> requests.Response:
        address, form = f"{study.url}/hooks/twilio/status/{ATTEMPT}", {"MessageSid": "SM1", "MessageStatus": status}
        headers = {"X-Twilio-Signature": sign(signed_by, address, form)}
        return requests.post(address, data=form, headers=headers, timeout=10)

    person = "+447700900123"
    said_to = {"sms": "Twilio", "whatsapp": "WhatsApp"}[way]
    return Line(way, channel(), person, study, None, channel, push, _writer(url, person, said_to))


def _verimor(url: str, study: Study) -> Line:
    def channel(**changed: Any) -> Channel:
        made: dict[str, Any] = {
            "sender": HEADER,
            "base_url": url,
            "timeouts": (1.0, 0.3),
            "clock": lambda: datetime.now(UTC),
        }
        password = changed.pop("auth_token", PASSWORD)
        return VerimorTexts(USER, password, **(made | changed))

    def push(status: str, *, signed_by: str = SECRET) -> requests.Response:
        said: Any = [{"type": "outbound", "campaign_id": 1, "campaign_custom_id": ATTEMPT, "status": status}]
        return requests.post(f"{study.url}/hooks/verimor/{signed_by}", json=said, timeout=10)

    person = "+905321234567"
    return Line("verimor", channel(), person, study, None, channel, push, _writer(url, person, "Verimor"))


def last_text(line: Line) -> str:
    return str(line.network.thread(line.person)[-1].body)


def test_a_text_is_taken_arrives_letter_by_letter_and_is_reported(line: Maker) -> None:
    one = line()
    sent = one.channel.send(one.text(LETTERS))
    assert (way_of(sent.sid), sent.status, one.channel.facts) == (one.way, "queued", one.facts)
    assert last_text(one) == LETTERS
    until(lambda: "delivered" in one.study.statuses(sent.sid))
    assert {receipt.token for receipt in one.study.receipts(sent.sid)} == {ATTEMPT}
    assert set(one.study.statuses(sent.sid)) <= {"queued", "sending", "sent", "delivered"}


def test_a_reply_comes_letter_by_letter_and_is_pulled_under_the_same_id(line: Maker) -> None:
    one = line()
    one.channel.send(one.text())
    one.write(f"7, {LETTERS}")
    until(lambda: bool(one.study.texts()))
    (came,) = one.study.texts()
    assert (came.way, came.sender, came.body) == (one.way, one.person, f"7, {LETTERS}")
    assert way_of(came.provider_id) == one.way
    (pulled,) = one.channel.pull(LONG_AGO)
    assert (pulled.provider_id, pulled.sender, pulled.body) == (came.provider_id, came.sender, came.body)
    assert pulled.at is not None
    assert abs((pulled.at - datetime.now(UTC)).total_seconds()) < 60
    assert came.at is None or came.at == pulled.at.replace(microsecond=0)


REFUSED: Mapping[str, dict[str, str]] = {
    "sms": {"+15005550001": "bad_number", "+15005550003": "route", "+15005550004": "opted_out"},
    "whatsapp": {"+1": "bad_number"},
    "verimor": {"+905550000001": "bad_number", "+905550000002": "configuration", "+905550000003": "blocked"},
}
"""The emulator's numbers that are refused at once, and of which class that is."""


def test_each_refusal_has_its_class(line: Maker) -> None:
    one = line()

    def refused(channel: Channel, text: Outgoing) -> str:
        with pytest.raises(Refused) as caught:
            channel.send(text)
        assert str(kind_of(caught.value.code)) in (caught.value.kind, "other")
        return caught.value.kind

    found = {to: refused(one.channel, replace(one.text(), to=to)) for to in REFUSED[one.way]}
    assert found == REFUSED[one.way]
    assert refused(one.channel, one.text("7" * 2000)) == "template"
    stranger = one.strangers(auth_token="wrong")
    assert refused(stranger, one.text()) == "credentials"
    with pytest.raises((Refused, Unavailable)):
        stranger.pull(LONG_AGO)
    stranger.close()


LOST: Mapping[str, dict[str, tuple[str, str]]] = {
    "sms": {"+905321234567": ("undelivered", "blocked")},
    "whatsapp": {
        "+12025550190": ("undelivered", "other_channel"),
        "+12025550191": ("undelivered", "other_channel"),
        "+12025550192": ("undelivered", "opted_out"),
        "+12025550193": ("undelivered", "marketing"),
    },
    "verimor": {
        "+905550000011": ("undelivered", "bad_number"),
        "+905550000012": ("failed", "opted_out"),
        "+905550000013": ("undelivered", "blocked"),
        "+905550000014": ("undelivered", "later"),
        "+905550000015": ("undelivered", "later"),
    },
}
"""The emulator's numbers whose texts are taken and lost, how that is reported, and of which class it is."""


def test_each_failure_on_the_way_is_reported_with_its_class(line: Maker) -> None:
    one = line()
    for to, wanted in LOST[one.way].items():
        sid = one.channel.send(replace(one.text("see https://pro.example.org/q"), to=to)).sid

        def found(sid: str = sid) -> list[tuple[str, str]]:
            return [(said.status, kind_of(said.error)) for said in one.study.receipts(sid) if said.error]

        until(lambda found=found: bool(found()))  # type: ignore[misc]
        assert found() == [wanted]


@pytest.mark.parametrize("fault", ["accept_then_hang", "accept_then_500"])
def test_what_was_taken_though_the_answer_was_lost_is_recalled_once(line: Maker, fault: str) -> None:
    one = line(**{fault: 1.0}, hang_seconds=0.6)
    with pytest.raises(Uncertain):
        one.channel.send(one.text())
    until(lambda: any(isinstance(said, Receipt) and said.status == "delivered" for said in one.study.brought))
    (recalled,) = one.channel.recall(ATTEMPT, one.person, one.text().body, LONG_AGO)
    assert one.study.statuses(recalled.sid)[-1] == "delivered"
    assert recalled.status == "delivered"
    assert one.channel.recall("f" * 32, one.person, "never sent", LONG_AGO) == []


def test_a_receipt_may_come_before_the_answer_and_says_whose_it_is(line: Maker) -> None:
    one = line(callback_first=1.0)
    sent = one.channel.send(one.text())
    assert [(said.token, said.provider_id) for said in one.study.receipts(sent.sid)[:1]] == [(ATTEMPT, sent.sid)]


def test_receipts_come_twice_and_out_of_order_as_they_were_pushed(line: Maker) -> None:
    one = line(duplicate_callbacks=1.0, reordered_callbacks=1.0)
    sid = one.channel.send(one.text()).sid
    until(lambda: one.study.statuses(sid).count("sent") + one.study.statuses(sid).count("delivered") >= 3)
    assert one.study.statuses(sid).count("delivered") == 2


def test_what_the_study_could_not_take_comes_again(line: Maker) -> None:
    one = line()
    one.channel.send(one.text())
    until(lambda: any(isinstance(said, Receipt) and said.status == "delivered" for said in one.study.brought))
    one.study.failing = 1
    one.write("7")
    until(lambda: bool(one.study.texts()))
    assert one.study.failing == 0
    assert [came.body for came in one.study.texts()] == ["7"]


def test_too_many_requests_wait_as_long_as_is_wished(line: Maker) -> None:
    one = line(too_many_requests=1.0, retry_after=7)
    with pytest.raises(Unavailable) as caught:
        one.channel.send(one.text())
    assert (caught.value.retry_after, caught.value.kind) == (7.0, "busy")


def test_nobody_there_and_a_claim_grown_old_leave_nothing_behind(line: Maker) -> None:
    one = line()
    nowhere = one.strangers(base_url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable):
        nowhere.send(one.text())
    nowhere.close()
    with pytest.raises(Unavailable):
        one.channel.send(replace(one.text(), may_leave=lambda: False))
    assert one.network.thread(one.person) == []


def test_a_status_that_nobody_knows_is_brought_as_it_is_and_fails_nothing(line: Maker) -> None:
    one = line()
    assert one.push("BEAMED_UP").status_code in (200, 204)
    (said,) = one.study.brought
    assert isinstance(said, Receipt)
    assert (said.token, said.error) == (ATTEMPT, "")
    assert said.status not in {"queued", "sending", "sent", "delivered", "undelivered", "failed"}


def test_a_forged_push_is_refused(line: Maker) -> None:
    one = line()
    assert one.push("DELIVERED", signed_by="somebody-elses-secret-that-is-long-enough").status_code == 403
    assert (one.study.refused, one.study.brought) == (1, [])


def test_a_channel_that_lists_or_deletes_nothing_says_so(line: Maker) -> None:
    one = line()
    sid = one.channel.send(one.text()).sid
    assert bool(one.channel.list_sent(LONG_AGO)) is one.facts.lists_sent
    until(lambda: "delivered" in one.study.statuses(sid))
    if one.facts.lists_sent:
        assert one.channel.forget(sid) == "deleted"
    else:
        with pytest.raises(Refused):
            one.channel.forget(sid)


def test_nothing_names_anybody(line: Maker, caplog: pytest.LogCaptureFixture) -> None:
    one = line(accept_then_500=1.0)
    caplog.set_level("DEBUG")
    said = [repr(one.text("a body")), repr(one.channel)]
    for ask in (
        lambda: one.channel.send(one.text("a body")),
        lambda: one.strangers(base_url=f"http://127.0.0.1:{free_port()}").pull(LONG_AGO),
        lambda: one.strangers(auth_token="wrong").pull(LONG_AGO),
    ):
        with pytest.raises((Uncertain, Unavailable, Refused)) as caught:
            ask()
        fault = caught.value
        assert fault.__cause__ is None
        assert fault.__context__ is None or fault.__suppress_context__
        said.append(f"{fault} {fault!r}")
    # What is asked well stands in no log either: some providers want a password in the address.
    one.channel.pull(LONG_AGO)
    one.channel.recall(ATTEMPT, one.person, "a body", LONG_AGO)
    mine = [record.getMessage() for record in caplog.records if not record.name.startswith(("waitress", "werkzeug"))]
    secrets = ("a body", one.person, one.person[1:], PASSWORD, "pa55", SECRET, ATTEMPT)
    assert [secret for secret in secrets if any(secret in words for words in (*said, *mine))] == []


def test_a_push_of_a_thousand_is_read_whole() -> None:
    said = [
        {"type": "outbound", "campaign_id": number, "campaign_custom_id": f"{number:032x}", "status": "DELIVERED"}
        for number in range(1000)
    ]
    asked = HookRequest(url="", path=SECRET, headers={}, body=json.dumps(said).encode(), address="127.0.0.1")
    assert len(VerimorHooks(SECRET, ["127.0.0.1"]).read(asked)) == 1000


def test_texts_and_whatsapp_messages_of_one_account_do_not_mix() -> None:
    with ExitStack() as opened:
        study = Study()
        study.url = opened.enter_context(served(app_of(study)))
        study.hooks = {"twilio": TwilioHooks([TOKEN])}
        contents = {WHOLE: Content("Say {{1}}: {{2}}", ("7", "Later"))}
        app = create_simulator(
            account_sid=ACCOUNT,
            auth_token=TOKEN,
            webhook_base=study.url,
            clock=lambda: datetime.now(UTC),
            pace=FAST,
            whatsapp=NUMBER,
            contents=contents.get,
        )
        url = opened.enter_context(served(app))
        texts, messages = (_twilio(url, study, way) for way in ("sms", "whatsapp"))
        by_service = texts.strangers(from_number=None, messaging_service_sid="MG" + "0" * 32)
        for one in (texts, messages):
            opened.callback(one.channel.close)
        opened.callback(by_service.close)
        text = texts.channel.send(Outgoing(1, texts.person, "Say 7:\nnow"))
        # A value of a template is one line; the words that we look for have more.
        said = Outgoing(2, texts.person, "Say 7:\nnow", token=ATTEMPT, template=Template(WHOLE, ("7", "now\nor never")))
        sent = messages.channel.send(said)
        free = messages.channel.send(Outgoing(3, texts.person, "nothing but a template goes", token="f" * 32))
        until(lambda: bool(study.receipts(free.sid)[-1:]) and study.statuses(free.sid)[-1] == "undelivered")
        assert [kind_of(one.error) for one in study.receipts(free.sid) if one.error] == ["template"]
        sids = [one.sid for one in messages.channel.recall("", texts.person, "Say 7:\nnow", LONG_AGO)]
        assert (sids, sent.sid[:11]) == ([sent.sid], "whatsapp:SM")
        assert messages.channel.fetch(sent.sid).body == "Say 7: now or never"  # type: ignore[union-attr]
        assert [record.sid for record in texts.channel.list_sent(LONG_AGO)] == [text.sid]
        assert [record.sid for record in by_service.list_sent(LONG_AGO)] == [text.sid]
        requests.post(
            f"{url}/telephones/{texts.person}/press", data={"button": f"{sent.sid[9:]}:0"}, timeout=10
        ).raise_for_status()
        until(lambda: bool(study.texts()))
        (pressed,) = study.texts()
        assert (pressed.way, pressed.sender, pressed.body) == ("whatsapp", texts.person, "7")
        assert not {"ProfileName", "WaId", "ChannelMetadata"} & pressed.raw.keys()
        assert texts.channel.pull(LONG_AGO) == []
        assert [one.provider_id for one in messages.channel.pull(LONG_AGO)] == [pressed.provider_id]
        # Now that they have written anything may be said.
        anything = messages.channel.send(replace(said, template=None))
        until(lambda: "delivered" in study.statuses(anything.sid))
