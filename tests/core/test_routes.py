"""The table of routes and the check before a study relies on one."""

from datetime import time

import pytest

from pro_service.core.problems import Problem, words
from pro_service.core.protocol import RouteOverride
from pro_service.core.routes import (
    BY_TEXT,
    CHANNELS,
    ROUTES,
    preflight,
    preflight_number,
    route,
    usual_channel,
)


def severities(findings: tuple[Problem, ...]) -> list[str]:
    return [finding.severity for finding in findings]


@pytest.mark.parametrize("channel", ["sms-reply", "sms-link"])
def test_turkey_is_refused_with_what_works_instead(channel: str) -> None:
    (finding,) = preflight("twilio", "TR", channel)
    assert finding.severity == "refuse"
    what, remedy = words(finding)
    assert "Turkey" in what
    assert "the consent to messages and the channel empty" in remedy
    assert "route override" in remedy


@pytest.mark.parametrize("country", ["US", "CA", "GB", "DE", "NL", "IT", "AU"])
@pytest.mark.parametrize("channel", CHANNELS)
def test_a_country_that_carries_both_has_no_findings(country: str, channel: str) -> None:
    assert preflight("twilio", country, channel) == ()


@pytest.mark.parametrize("country", ["ES", "CL", "JP", "", "??"])
@pytest.mark.parametrize("channel", BY_TEXT)
def test_a_country_of_which_nothing_was_read_is_allowed_with_a_warning(country: str, channel: str) -> None:
    assert severities(preflight("twilio", country, channel)) == ["warn"]


def test_morocco_takes_no_answers_by_text() -> None:
    assert severities(preflight("twilio", "MA", "sms-reply")) == ["refuse"]
    assert severities(preflight("twilio", "MA", "sms-link")) == ["warn"]


def test_a_caution_is_a_warning() -> None:
    (finding,) = preflight("twilio", "FR", "sms-reply")
    assert finding.severity == "warn"
    assert (finding.code, str(finding.values["country"])) == ("sender_to_agree", "France")


def test_another_provider_is_unknown_everywhere() -> None:
    assert severities(preflight("pigeon", "TR", "sms-reply")) == ["warn"]


def test_small_letters_name_the_same_country() -> None:
    assert preflight("twilio", "tr", "sms-reply") == preflight("twilio", "TR", "sms-reply")


def test_an_unknown_channel_is_refused() -> None:
    (finding,) = preflight("twilio", "US", "fax")
    assert words(finding) == ("'fax' is not a channel", "one of: sms-reply, sms-link, sms-card, email-link, whatsapp")


def test_a_stated_reason_turns_the_refusal_into_a_warning() -> None:
    overrides = [RouteOverride("tr", "sms-link", "local gateway under contract")]
    (finding,) = preflight("twilio", "TR", "sms-link", overrides)
    assert finding.severity == "warn"
    assert words(finding)[0].endswith("allowed by the study file: local gateway under contract")


@pytest.mark.parametrize(
    "override",
    [
        RouteOverride("TR", "sms-reply", "another channel"),
        RouteOverride("MA", "sms-link", "another country"),
        RouteOverride("TR", "sms-link", "  "),
    ],
)
def test_an_override_lifts_nothing_else(override: RouteOverride) -> None:
    assert severities(preflight("twilio", "TR", "sms-link", [override])) == ["refuse"]


@pytest.mark.parametrize("number", ["+905338123456", "+905488123456", "+903921234567"])
def test_northern_cyprus_is_refused_though_it_looks_turkish(number: str) -> None:
    (finding,) = preflight_number("twilio", "TR", number)
    assert finding.severity == "refuse"
    assert finding.code == "northern_cyprus"
    assert number not in "".join(words(finding))


def test_an_ordinary_turkish_mobile_number_has_no_findings_of_its_own() -> None:
    assert preflight_number("twilio", "TR", "+905321234567") == ()


def test_a_landline_is_refused_where_the_provider_refuses_it() -> None:
    assert severities(preflight_number("twilio", "TR", "+902121234567", landline=True)) == ["refuse"]
    assert preflight_number("twilio", "US", "+12025550100", landline=True) == ()


def test_the_table_has_one_row_for_each_provider_and_country() -> None:
    keys = [(row.provider, row.country) for row in ROUTES]
    assert len(keys) == len(set(keys))
    assert {"TR", "US", "CA", "GB", "DE", "NL", "FR", "ES", "IT", "CL", "AU", "MA"} <= {row.country for row in ROUTES}


def test_every_row_says_where_it_was_read() -> None:
    assert all(row.note and row.name and row.senders for row in ROUTES)


def test_turkey_keeps_room_for_the_operators_suffix() -> None:
    assert route("twilio", "TR").suffix == 5
    assert route("twilio", "IT").quiet == (time(22), time(8))


def test_in_turkey_a_card_is_allowed_with_a_registered_sender() -> None:
    (finding,) = preflight("twilio", "TR", "sms-card")
    assert finding.severity == "warn"
    assert finding.code == "registered_sender"
    assert "TWILIO_FROM" in words(finding)[1]


def test_what_turkey_refuses_names_the_card_as_a_way() -> None:
    for channel in ("sms-reply", "sms-link"):
        (finding,) = preflight("twilio", "TR", channel)
        assert "sms-card" in words(finding)[1]


@pytest.mark.parametrize(
    "country, channel",
    [
        *((country, "sms-reply") for country in ("US", "CA", "GB", "DE", "NL", "FR", "IT", "AU")),
        *((country, "sms-card") for country in ("TR", "tr", "MA")),
        # Nothing is known: the first that is not refused, with its warning.
        *((country, "sms-reply") for country in ("ES", "CL", "JP", "")),
    ],
)
def test_one_begins_with_a_channel_that_works_in_the_country(country: str, channel: str) -> None:
    assert usual_channel("twilio", country) == channel


def test_what_the_study_states_a_reason_for_counts_as_working() -> None:
    stated = RouteOverride("TR", "sms-reply", "a domestic gateway")
    assert usual_channel("twilio", "TR", (stated,)) == "sms-reply"
    assert usual_channel("twilio", "MA", (stated,)) == "sms-card"


@pytest.mark.parametrize("country", [row.country for row in ROUTES])
def test_no_country_begins_with_a_channel_that_is_refused_there(country: str) -> None:
    assert "refuse" not in severities(preflight("twilio", country, usual_channel("twilio", country)))
