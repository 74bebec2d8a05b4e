"""Which passwords others would guess: those that take fewer than five parts to say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pro_service.core.passwords import is_guessed

OWN = ("ayse.yilmaz@hospital.example",)


@pytest.mark.parametrize(
    "password",
    [
        *("password1234", "administrator", "sifre1234567", "galatasaray1905", "iloveyou1234", "parola parola"),
        *("Şifre1234567!", "FENERBAHÇE1907", "İstanbul2024!", "P@ssw0rd1234", "pa-ss-wo-rd-1", "drowssap4321"),
        *("123456789012", "987654321098", "112233445566", "abcdefghijkl", "qwertyuiopas", "1q2w3e4r5t6y"),
        *("asdfghjklşi12", "fgğıodrnhpqw", "aaaaaaaaaaaa", "------------", "kedikedikedi", "x7!qx7!qx7!q"),
        *("!@#$%^&*()!@", "ayse.yilmaz@hospital.example", "AyseYilmaz1987", "yilmaz-2026!", "hospital.example"),
        *("ProService2026!", "pro-service-12", "Hastane-2026-", "pass\u200bword\u00ad1234"),
    ],
)
def test_what_others_would_guess_is_refused(password: str) -> None:
    assert is_guessed(password, OWN)


@pytest.mark.parametrize(
    "password",
    [
        *("a quiet morning in April", "üç kedi bir gemide uyur", "ankara hastane doktor kedi mavi", "Kopuz-Cam-Yayla"),
        *("583920174655", "tr0ub4dor&3xy", "bjzq-4kxw-91tn", "mehmet.kaya@hospital.test"),
    ],
)
def test_a_sentence_or_signs_at_random_are_taken(password: str) -> None:
    assert not is_guessed(password, OWN)


@given(st.text(max_size=60), st.text(max_size=20))
def test_no_password_and_no_address_is_too_odd_to_be_looked_at(password: str, own: str) -> None:
    is_guessed(password, [own])
    assert is_guessed(own * 3, [own])
