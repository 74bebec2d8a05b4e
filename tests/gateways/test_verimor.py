"""What we ask Verimor, what its answers and pushes mean, and what a push must not be able to do."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pro_service.core.providers import Arrival, Receipt
from pro_service.gateways.hooks import HookRequest, NotOursError
from pro_service.gateways.kinds import REMEDIES
from pro_service.gateways.outgoing import GatewayError, Outgoing, Refused, Unavailable, Uncertain
from pro_service.gateways.verimor.codes import KINDS, STATUSES
from pro_service.gateways.verimor.hooks import VerimorHooks
from pro_service.gateways.verimor.texts import VerimorTexts
from pro_service.gateways.verimor.wire import dialled, e164, instant, without
from tests.gateways.conftest import Answer, Scripted
from tests.support import SetClock

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
TOKEN = "0123456789abcdef0123456789abcdef"
TEXT = Outgoing(7, "+905321234567", "Ağrınız kaç?", token=TOKEN, validity_seconds=50_000)
SECRET = "a-secret-of-thirty-two-characters"


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def channel(scripted: Scripted, clock: SetClock) -> Iterator[VerimorTexts]:
    made = VerimorTexts(
        "908501234567",
        "s3cret",
        sender="KLINIK",
        clock=clock,
        keyword="PRO",
        base_url=scripted.url,
        timeouts=(0.5, 0.3),
    )
    yield made
    made.close()


def outcome(channel: VerimorTexts, text: Outgoing = TEXT) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        channel.send(text)
    return caught.value


# --- sending ---------------------------------------------------------------------------------------------------------


def test_a_campaign_of_one_message_carries_what_the_study_needs(channel: VerimorTexts, scripted: Scripted) -> None:
    scripted.script = [Answer(200, "20212")]
    assert channel.send(TEXT).sid == "verimor:20212"
    call = scripted.next()
    assert call.path == "/v2/send.json"
    assert json.loads(call.body) == {
        "username": "908501234567",
        "password": "s3cret",
        "source_addr": "KLINIK",
        "valid_for": "13:53",
        "custom_id": TOKEN,
        "is_commercial": False,
        "datacoding": "1",
        "messages": [{"msg": "Ağrınız kaç?", "dest": "905321234567", "id": TOKEN}],
    }


@pytest.mark.parametrize(
    "to, body, coding, dest",
    [
        ("+905321234567", "Agriniz kac? ÖöÜüÇ", "0", "905321234567"),
        ("+905321234567", "şŞğĞçıİ €", "1", "905321234567"),
        ("+905321234567", "hâlâ ağrı", "2", "905321234567"),
        ("+447700900123", "hâlâ", None, "00447700900123"),
    ],
)
def test_a_text_says_its_coding_unless_it_goes_abroad(
    channel: VerimorTexts, scripted: Scripted, to: str, body: str, coding: str | None, dest: str
) -> None:
    scripted.script = [Answer(200, '{"campaign_id": 20212}')]
    assert channel.send(replace(TEXT, to=to, body=body)).sid == "verimor:20212"
    said = json.loads(scripted.next().body)
    assert (said.get("datacoding"), said["messages"][0]["dest"]) == (coding, dest)


@pytest.mark.parametrize("seconds, period", [(60, "00:01"), (3599, "00:59"), (999_999, "48:00"), (None, "48:00")])
def test_validity_is_kept_within_what_verimor_takes(
    channel: VerimorTexts, scripted: Scripted, seconds: int | None, period: str
) -> None:
    scripted.script = [Answer(200, '"20212"')]
    channel.send(replace(TEXT, validity_seconds=seconds))
    assert json.loads(scripted.next().body)["valid_for"] == period


def test_who_asks_for_texts_again_is_taken_off_the_blacklist_first(channel: VerimorTexts, scripted: Scripted) -> None:
    scripted.script += [Answer(200, "OK"), Answer(200, "55")]
    channel.send(replace(TEXT, restores=True))
    assert scripted.next().path.startswith("/v2/blacklists/90")
    assert scripted.next().path == "/v2/send.json"
    for answer, fault in ((Answer(503), Unavailable), (Answer(401), Refused), (Answer(drop=True), Unavailable)):
        scripted.script.append(answer)
        with pytest.raises(fault):
            channel.send(replace(TEXT, restores=True))
        assert scripted.next().path.startswith("/v2/blacklists/90")
    # Nothing more was said: the text has not left.
    assert scripted.calls.empty()


def test_with_less_than_a_minute_left_nothing_leaves(channel: VerimorTexts, scripted: Scripted) -> None:
    error = outcome(channel, replace(TEXT, validity_seconds=59))
    assert isinstance(error, Unavailable)
    assert error.retry_after == 59
    assert scripted.calls.empty()


@pytest.mark.parametrize(
    "status, body, code, kind",
    [
        (401, "Hesabınızda izinli IP ayarları yapılmamış", 401, "credentials"),
        (413, "", 413, "template"),
        *((400, f"{word}\n", word, kind) for word, kind in sorted(KINDS.items()) if word.isupper()),
        (400, "HEADER_IS_ASLEEP", "HEADER_IS_ASLEEP", "other"),
    ],
)
def test_a_refusal_has_a_class(
    channel: VerimorTexts, scripted: Scripted, status: int, body: str, code: int | str, kind: str
) -> None:
    scripted.script = [Answer(status, body)]
    error = outcome(channel)
    assert isinstance(error, Refused)
    assert (error.code, error.kind) == (code, kind)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500),
        Answer(503, "later"),
        Answer(408),
        Answer(302, "", {"Location": "/elsewhere"}),
        Answer(404, "not Verimor"),
        Answer(400, "<html>a proxy's page</html>"),
        Answer(400, "Bir hata oluştu"),
        *(
            Answer(200, said)
            for said in ("", "[]", "{}", "OK", "true", "1.5", "-3", '{"campaign_id": null}', "[" * 5000)
        ),
        Answer(200, "<html>welcome to our hotel</html>"),
        Answer(hang=True),
        Answer(drop=True),
    ],
)
def test_an_answer_that_does_not_say_no_is_uncertain(channel: VerimorTexts, scripted: Scripted, answer: Answer) -> None:
    scripted.script = [answer]
    assert isinstance(outcome(channel), Uncertain)
    scripted.next()
    assert scripted.calls.empty(), "and nothing is sent twice on its own"


def test_no_status_would_have_the_same_words_sent_again() -> None:
    failing = {word for word, status in STATUSES.items() if status in ("undelivered", "failed")}
    assert failing <= KINDS.keys()
    assert {REMEDIES[KINDS[word]] for word in failing}.isdisjoint({"wait", "tomorrow", "stop"})


# --- asking ----------------------------------------------------------------------------------------------------------


def test_an_attempt_is_recalled_by_its_token(channel: VerimorTexts, scripted: Scripted) -> None:
    said = {"campaign_id": 20121, "campaign_custom_id": TOKEN, "message_id": "1", "status": "DELIVERED"}
    times = {"sent_at": "2026-03-09 15:00:07", "done_at": "2026-03-09 15:00:09"}
    scripted.script = [Answer(200, json.dumps([said | times, "garbage", {"status": "DELIVERED"}]))]
    (found,) = channel.recall(TOKEN, TEXT.to, TEXT.body, NOW)
    assert (found.sid, found.status, found.created_at) == ("verimor:20121", "delivered", NOW + timedelta(seconds=7))
    asked = urlsplit(scripted.next().path)
    assert asked.path == "/v2/status"
    assert parse_qs(asked.query)["custom_id"] == [TOKEN]


@pytest.mark.parametrize(
    "answer", [Answer(401, "Bu kampanya size ait değil"), Answer(404, "Bu idye sahip kampanya bulunamadı")]
)
def test_a_campaign_that_is_not_ours_or_not_there_is_nothing(
    channel: VerimorTexts, scripted: Scripted, answer: Answer
) -> None:
    scripted.script = [answer]
    assert channel.recall(TOKEN, TEXT.to, TEXT.body, NOW) == []


def test_not_being_let_in_is_not_taken_for_nothing_known(channel: VerimorTexts, scripted: Scripted) -> None:
    scripted.script = [Answer(401, "Geçersiz kullanıcı adı/şifre")]
    with pytest.raises(Refused):
        channel.recall(TOKEN, TEXT.to, TEXT.body, NOW)


@pytest.mark.parametrize(
    "answer", [Answer(429), Answer(500), Answer(200, "no JSON"), Answer(200, "{}"), Answer(404, "?"), Answer(drop=True)]
)
def test_a_question_without_an_answer_may_be_asked_again(
    channel: VerimorTexts, scripted: Scripted, answer: Answer
) -> None:
    for ask in (lambda: channel.recall(TOKEN, TEXT.to, TEXT.body, NOW), lambda: channel.pull(NOW)):
        scripted.script = [answer]
        with pytest.raises(Unavailable):
            ask()


def _listed(*numbers: int) -> str:
    return json.dumps(
        [
            {
                "message_id": number,
                "created_at": "2026-03-09T15:00:00.000+03:00",
                "source_addr": "905321234567",
                "destination_addr": "4609",
                "content": f"pro {number}",
                "received_at": "2026-03-09T15:00:00.000+03:00",
            }
            for number in numbers
        ]
    )


def test_people_are_listed_page_by_page_each_text_once(channel: VerimorTexts, scripted: Scripted) -> None:
    scripted.script = [Answer(200, _listed(*range(1, 101))), Answer(200, _listed(*range(99, 120)))]
    found = channel.pull(NOW - timedelta(days=1))
    assert len(found) == len({one.provider_id for one in found}) == 119
    assert {one.at for one in found} == {NOW}
    assert ("verimor:in:7", "7", "4609") in {(one.provider_id, one.body, one.to) for one in found}
    first, second = (parse_qs(urlsplit(scripted.next().path).query) for _ in range(2))
    # On Istanbul's clock, with an overlap.
    assert (first["from_time"], first["to_time"]) == (["2026-03-08 14:00:00"], ["2026-03-09 16:00:00"])
    assert second["greater_than"] == ["100"]
    assert "from_time" not in second


def test_a_question_that_may_not_be_asked_yet_is_not_asked_and_peoples_texts_come_first(
    channel: VerimorTexts, scripted: Scripted, clock: SetClock
) -> None:
    def recalled() -> bool:
        return not channel.recall(TOKEN, TEXT.to, TEXT.body, NOW)

    scripted.script = [Answer(200, "[]")] * 12
    assert all(recalled() for _ in range(7))
    with pytest.raises(Unavailable):
        recalled()
    assert [channel.pull(NOW) for _ in range(3)] == [[]] * 3
    with pytest.raises(Unavailable):
        channel.pull(NOW)
    clock.now += timedelta(seconds=3)
    with pytest.raises(Unavailable):
        recalled()
    assert channel.pull(NOW) == []
    clock.now += timedelta(seconds=12)
    assert recalled()
    assert scripted.calls.qsize() == 12


# --- pushes ----------------------------------------------------------------------------------------------------------


def pushed(body: object, path: str = SECRET, address: str = "198.51.100.7") -> HookRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HookRequest(url="", path=path, headers={}, body=raw, address=address)


HOOKS = VerimorHooks(SECRET, ["198.51.100.0/24", "2001:db8::/32"], keyword="PRO")
INBOUND: dict[str, Any] = {
    "message_id": 1234,
    "type": "inbound",
    "created_at": "2026-03-09 15:00:00",
    "network": "TURKCELL",
    "source_addr": "905319876543",
    "destination_addr": "908501234567",
    "keyword": "",
    "content": "pro  yedi, çok ağrıyor",
    "received_at": "2026-03-09 15:00:01",
}
OUTBOUND: dict[str, Any] = {
    "type": "outbound",
    "campaign_id": 20121,
    "campaign_custom_id": TOKEN,
    "message_id": "13582302",
    "dest": "905319876543",
    "status": "DELIVERED",
    "gsm_error": "0",
    "sent_at": "2026-03-09 15:00:00",
    "done_at": "2026-03-09 15:00:00",
}


@pytest.mark.parametrize(
    "path, address, believed",
    [
        (SECRET, "198.51.100.7", True),
        (SECRET, "::ffff:198.51.100.7", True),
        (SECRET, "2001:db8::1", True),
        (SECRET, "198.51.101.7", False),
        (SECRET, "2001:db9::1", False),
        (SECRET, "", False),
        (SECRET, "unknown", False),
        (SECRET[:-1], "198.51.100.7", False),
        (f"{SECRET}/", "198.51.100.7", False),
        (f"{SECRET}ü", "198.51.100.7", False),
        ("", "198.51.100.7", False),
    ],
)
def test_a_push_is_believed_by_its_address_and_where_it_comes_from(path: str, address: str, believed: bool) -> None:  # noqa: FBT001
    assert HOOKS.genuine(pushed([], path, address)) is believed


def test_without_a_secret_or_addresses_nothing_is_believed() -> None:
    assert not VerimorHooks(SECRET, []).genuine(pushed([]))
    assert not VerimorHooks("", ["0.0.0.0/0"]).genuine(pushed([], ""))


def test_one_push_brings_texts_and_receipts() -> None:
    text, receipt = HOOKS.read(pushed([INBOUND, OUTBOUND, {"type": "voice"}, {"no": "type"}, "word", 7, None]))
    assert isinstance(text, Arrival)
    assert (text.provider_id, text.sender, text.to) == ("verimor:in:1234", "+905319876543", "+908501234567")
    assert (text.body, text.at, text.raw["network"]) == ("yedi, çok ağrıyor", NOW + timedelta(seconds=1), "TURKCELL")
    assert receipt == Receipt("verimor:20121", "delivered", "", TOKEN)
    assert HOOKS.read(pushed({"iys_campaign_id": 1})) == []
    assert (HOOKS.answer(pushed([])).status, HOOKS.answer(pushed([])).body) == (200, b"")


@pytest.mark.parametrize(
    "body", [b"", b"type=inbound", b"\xff\xfe", b"7", b'"x"', b"null", b"[" * 100_000, b"9" * 9_999]
)
def test_what_is_no_list_is_not_ours(body: bytes) -> None:
    with pytest.raises(NotOursError):
        HOOKS.read(pushed(body))


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(st.sampled_from([INBOUND, OUTBOUND]), st.data())
def test_fields_of_other_types_are_read_or_left_out(push: dict[str, Any], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(push)))
    value = data.draw(
        ODD | st.sampled_from(["9" * 70, "0001-01-01 00:00:00", "9999-12-31T23:59:59-14:00", "\ud800", "\0"])
    )
    for one in HOOKS.read(pushed([push | {name: value}])):
        # Whatever is left can be written down.
        if isinstance(one, Arrival):
            assert json.dumps([one.sender, one.body, dict(one.raw)])
            assert one.body.encode()
            assert len(one.provider_id) <= 64
            assert one.at is None or one.at.tzinfo is UTC
        else:
            assert "\0" not in f"{one.provider_id}{one.status}{one.error}"
            assert (len(one.provider_id) <= 64, len(one.status) <= 20, len(one.error) <= 40) == (True, True, True)


# --- how it writes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written, number",
    [
        ("905321234567", "+905321234567"),
        ("+905321234567", "+905321234567"),
        ("05321234567", "+905321234567"),
        ("5321234567", "+905321234567"),
        ("08501234567", "+908501234567"),
        ("00447700900123", "+447700900123"),
        ("4609", "4609"),
        ("TURKCELL", "TURKCELL"),
    ],
)
def test_numbers_are_written_with_a_plus_inside(written: str, number: str) -> None:
    assert e164(written) == number


def test_a_number_comes_back_as_it_was_dialled() -> None:
    assert [e164(dialled(one)) for one in ("+905321234567", "+447700900123")] == ["+905321234567", "+447700900123"]


@pytest.mark.parametrize(
    "content, said",
    [
        ("PRO 7", "7"),
        ("pro7", "7"),
        (" Pro: çok ağrı", "çok ağrı"),
        ("PRO", ""),
        ("PROBLEM VAR", "PROBLEM VAR"),
        ("7", "7"),
    ],
)
def test_the_word_of_a_shared_short_code_is_cut_off(content: str, said: str) -> None:
    assert without("PRO", content) == said
    assert without("", content) == content


def test_turkish_letters_do_not_hide_the_word() -> None:
    assert [without("KLİNİK", said) for said in ("klinik 7", "KLINIK 7", "Klinık 7")] == ["7", "7", "7"]


def test_an_instant_without_a_zone_is_istanbuls() -> None:
    assert instant("2026-03-09 15:00:00") == instant("2026-03-09T15:00:00.000+03:00") == NOW
    assert [instant(odd) for odd in ("", "yesterday", None, 7, "0001-01-01 00:00:00")] == [None] * 5
