"""Twilio's signature: its own published vector, and the addresses that break careless checks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from pro_service.gateways.twilio.signatures import CALLBACK_RETRIES, sign, valid_signature

TOKEN = "12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
PARAMS = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
    "Caller": "+14158675309",
}
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_twilios_own_vector_is_valid() -> None:
    assert valid_signature([TOKEN], URL, PARAMS, SIGNATURE)
    assert valid_signature([TOKEN], URL, MultiDict(PARAMS), SIGNATURE)
    assert sign(TOKEN, URL, PARAMS) == SIGNATURE


def test_either_token_is_valid_while_they_rotate() -> None:
    assert valid_signature(["new", TOKEN], URL, PARAMS, SIGNATURE)
    assert valid_signature([TOKEN, "old"], URL, PARAMS, SIGNATURE)


@pytest.mark.parametrize("signature", [None, "", "x", SIGNATURE[:-1], SIGNATURE.lower(), "ş" * 28])
def test_no_signature_or_a_wrong_one_is_not_valid(signature: str | None) -> None:
    assert not valid_signature([TOKEN], URL, PARAMS, signature)


def test_without_a_token_nothing_is_valid() -> None:
    assert not valid_signature([], URL, PARAMS, SIGNATURE)
    assert not valid_signature([""], URL, PARAMS, sign("", URL, PARAMS))


def test_a_changed_parameter_or_address_is_not_valid() -> None:
    assert not valid_signature([TOKEN], URL, PARAMS | {"Digits": "1235"}, SIGNATURE)
    assert not valid_signature([TOKEN], URL, PARAMS | {"More": ""}, SIGNATURE)
    assert not valid_signature([TOKEN], URL + "&more", PARAMS, SIGNATURE)


@pytest.mark.parametrize(
    "url",
    [
        "https://pro.example.org/hooks/twilio/inbound?",
        "https://pro.example.org/hooks/twilio/inbound?a=%2F%7E&b=%C5%9F",
        "https://pro.example.org/hooks/twilio/status/a%20b",
        "http://127.0.0.1:8000/hooks/twilio/inbound",
    ],
)
def test_an_address_is_signed_to_the_letter(url: str) -> None:
    assert valid_signature([TOKEN], url, PARAMS, sign(TOKEN, url, PARAMS))


def test_the_wish_for_retries_may_be_signed_along() -> None:
    url = "https://pro.example.org/hooks/twilio/inbound"
    assert valid_signature([TOKEN], url, PARAMS, sign(TOKEN, url + CALLBACK_RETRIES, PARAMS))


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
HOST, PORTED = "https://pro.example.org", "https://pro.example.org:443"
ADDRESSES = st.builds(str.__add__, st.sampled_from([HOST, PORTED]), st.sampled_from(["/h", "/h?", "/h?a=%2F&b=1"]))


@given(st.lists(st.tuples(WORDS, WORDS), max_size=6), ADDRESSES, ADDRESSES)
def test_what_the_sdk_lets_in_is_valid_here(said: list[tuple[str, str]], told: str, signed: str) -> None:
    params, more = MultiDict(said), MultiDict([*said, ("one", "more")])
    signature = sign(TOKEN, signed, params)
    if signed == told or RequestValidator(TOKEN).validate(told, params, signature):
        assert valid_signature([TOKEN], told, params, signature)
    assert not valid_signature([TOKEN], told, more, signature)
    assert not valid_signature([TOKEN], f"{told}x", params, signature)
