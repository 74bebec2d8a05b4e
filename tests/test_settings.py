"""Settings that decide how safe an installation is, as they are read."""

from pathlib import Path
from typing import get_args

import pytest

from pro_service.core.protocol import Role
from pro_service.settings import SettingsError
from tests.peers.configuration import settings_for

EVERY_ROLE = frozenset(get_args(Role))
HTTP, HTTPS = "http://127.0.0.1:8025", "https://pro.example.org"


@pytest.mark.parametrize(
    "address, given, roles",
    [
        (HTTPS, "", EVERY_ROLE),
        ("HTTPS://pro.example.org", "", EVERY_ROLE),
        (HTTPS, "none", frozenset()),
        (HTTPS, "monitor", {"monitor"}),
        (HTTP, "", frozenset()),
        (HTTP, "all", EVERY_ROLE),
    ],
)
def test_over_https_everybody_needs_a_second_factor_unless_told_otherwise(
    tmp_path: Path, address: str, given: str, roles: frozenset[str]
) -> None:
    read = settings_for("sqlite:///:memory:", tmp_path, PUBLIC_BASE_URL=address, SECOND_FACTOR_ROLES=given)
    assert read.second_factor_roles == roles


@pytest.mark.parametrize("given", ["none, monitor", "nobody", "all none"])
def test_a_slip_in_the_roles_leaves_nobody_without_one(tmp_path: Path, given: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_for("sqlite:///:memory:", tmp_path, SECOND_FACTOR_ROLES=given)
    assert [fault.code for fault in caught.value.faults] == ["setting_no_role"]


@pytest.mark.parametrize(
    "name, given, code",
    [
        ("TWILIO_BASE_URL", "http://twilio.example.org", "address_in_clear"),
        ("TWILIO_BASE_URL", "HTTP://127.0.0.1.example.org:8026", "address_in_clear"),
        ("TWILIO_BASE_URL", "http://localhost.example.org", "address_in_clear"),
        ("TWILIO_BASE_URL", "https://somebody:s3cret@twilio.example.org", "address_with_login"),
        ("TWILIO_BASE_URL", "http://127.0.0.1:s3cret@twilio.example.org", "address_with_login"),
        ("PUBLIC_BASE_URL", "https://s3cret@pro.example.org", "address_with_login"),
        ("PUBLIC_BASE_URL", "https://[s3cret", "no_address"),
        ("PUBLIC_BASE_URL", "https://pro.example.org:s3cret", "no_address"),
        ("PUBLIC_BASE_URL", "https://:8025", "no_address"),
        ("SMTP_HOST", "smtp://somebody:s3cret@mail.example.org", "no_host"),
        ("SMTP_HOST", "mail.example.org:587", "no_host"),
    ],
)
def test_addresses_that_would_give_secrets_away_are_refused_and_not_repeated(
    tmp_path: Path, name: str, given: str, code: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_for("sqlite:///:memory:", tmp_path, **{name: given})
    assert code in [fault.code for fault in caught.value.faults if fault.path == name]
    assert "s3cret" not in f"{caught.value} {caught.value.faults}"


@pytest.mark.parametrize(
    "given", ["http://127.0.0.1:8026", "http://[::1]:8026", "http://localhost", "https://a.example"]
)
def test_this_machine_and_https_are_fit_for_a_provider(tmp_path: Path, given: str) -> None:
    assert settings_for("sqlite:///:memory:", tmp_path, TWILIO_BASE_URL=given).twilio_base_url == given


VERIMOR = {"VERIMOR_USERNAME": "908501234567", "VERIMOR_PASSWORD": "s3cret", "VERIMOR_SENDER": "KLINIK"}


def test_verimor_is_one_of_those_who_carry_texts(tmp_path: Path) -> None:
    told = {**VERIMOR, "VERIMOR_REPLY_TO": "08501234567", "VERIMOR_HOOK_ADDRESSES": "203.0.113.7,2001:db8::/32"}
    read = settings_for("sqlite:///:memory:", tmp_path, TWILIO_FROM="+15005550006", **told)
    assert (read.texts, read.twilio, read.carriers.configured) == (True, False, ("verimor",))
    assert read.carriers.named == frozenset()
    assert read.carriers.answered_at == {"verimor": ("08501234567", "")}
    assert {"KLINIK", "08501234567", "+908501234567", "+15005550006"} == read.carriers.senders
    assert read.verimor_hook_addresses == ("203.0.113.7/32", "2001:db8::/32")
    assert "s3cret" not in repr(read)
    unanswered = settings_for("sqlite:///:memory:", tmp_path, **VERIMOR)
    assert unanswered.carriers.named == {"verimor"}
    numbered = settings_for("sqlite:///:memory:", tmp_path, **VERIMOR | {"VERIMOR_SENDER": "908501234567"})
    assert numbered.carriers.named == frozenset()


@pytest.mark.parametrize(
    "told, faults",
    [
        ({"VERIMOR_USERNAME": "908501234567"}, {"PASSWORD": "setting_needed", "SENDER": "setting_needed"}),
        (
            {
                "VERIMOR_SENDER": "A NAME THAT IS TOO LONG",
                "VERIMOR_REPLY_TO": "the clinic",
                "VERIMOR_HOOK_SECRET": "s3cret",
                "VERIMOR_HOOK_ADDRESSES": "203.0.113.7/99",
                "VERIMOR_BASE_URL": "http://sms.example.org",
                "VERIMOR_TIMEOUT_SECONDS": "soon",
                "VERIMOR_PER_SECOND": "fast",
                "VERIMOR_PER_DAY": "0",
            },
            {
                "SENDER": "no_header",
                "REPLY_TO": "no_reply_number",
                "HOOK_SECRET": "secret_unfit",
                "HOOK_ADDRESSES": "no_network",
                "BASE_URL": "address_in_clear",
                "TIMEOUT_SECONDS": "setting_no_number",
                "PER_SECOND": "setting_no_number",
                "PER_DAY": "setting_no_count",
            },
        ),
        ({"VERIMOR_REPLY_TO": "4609"}, {"KEYWORD": "keyword_missing"}),
        ({"VERIMOR_HOOK_SECRET": "s3cret/" * 9}, {"HOOK_SECRET": "secret_unfit"}),
        ({"VERIMOR_TIMEOUT_SECONDS": "120"}, {}),
    ],
)
def test_every_fault_of_verimors_settings_is_named_at_once(
    tmp_path: Path, told: dict[str, str], faults: dict[str, str]
) -> None:
    given = told if set(told) == {"VERIMOR_USERNAME"} else {**VERIMOR, **told}
    with pytest.raises(SettingsError) as caught:
        settings_for("sqlite:///:memory:", tmp_path, **given)
    found = {fault.path.removeprefix("VERIMOR_"): fault.code for fault in caught.value.faults}
    assert found == (faults or {"DELIVERY_LEASE_SECONDS": "lease_too_short"})
    assert "s3cret" not in f"{caught.value} {caught.value.faults}"
