"""Texts that point to a card: no address in any of them, whatever the study's own words are."""

from dataclasses import replace

import pytest

from pro_service.core.problems import words
from pro_service.core.study_file.frames import addressed, check_frames, unfit_for_cards
from pro_service.core.texts import contains_address
from tests.core.study_file.test_frames_of_a_study import frames, protocol

LANGUAGES = pytest.mark.parametrize("language", ["tr", "en"])
STEPS = ("invitation", "reminder-1", "reminder-2", "reminder-3")


@LANGUAGES
def test_a_text_of_the_card_names_the_card_and_the_telephone(language: str) -> None:
    for step in STEPS:
        text = frames()[language][f"{step}.sms-card"]
        assert "{telephone}" in text
        assert ("kart" if language == "tr" else "card") in text.lower()


@LANGUAGES
def test_the_first_text_says_how_to_stop_where_no_reply_arrives(language: str) -> None:
    text = frames()[language]["first.sms-card"]
    assert "{emergency}" in text
    assert ("mesaj istemezseniz arayın" if language == "tr" else "to end these texts, call the same number") in text
    assert not {"DUR", "STOP"} & set(text.replace(":", " ").split())


@LANGUAGES
def test_every_shipped_text_may_go_to_somebody_with_a_card(language: str) -> None:
    assert unfit_for_cards(protocol(), language, frames()[language]) == ()


@pytest.mark.parametrize("name", [*(f"{step}.sms-card" for step in STEPS), "first.sms-card"])
@pytest.mark.parametrize("address", ["see anket.org", "https://x", "a@b.com", "192.0.2.1", "okutun.Info {closes}"])
def test_an_address_in_a_text_of_the_card_is_refused(name: str, address: str) -> None:
    changed = frames()
    changed["en"][name] = f"{{contact}} {{telephone}} {address}"
    (fault,) = check_frames(protocol(), changed)
    assert fault.path == f"templates/sms/en/{name}.txt"
    assert "internet address" in words(fault)[0]
    assert unfit_for_cards(protocol(), "en", changed["en"]) == (name,)


def test_a_text_of_the_card_without_a_telephone_is_refused() -> None:
    changed = frames()
    changed["tr"]["reminder-1.sms-card"] = "{contact}: Kartınızı okutun."
    (fault,) = check_frames(protocol(), changed)
    assert "no telephone" in words(fault)[0]


def test_an_address_in_the_studys_own_words_is_found() -> None:
    study = protocol()
    site = next(iter(study.sites.values()))
    telephone = replace(study, sites={**study.sites, site.code: replace(site, telephone="212.55.1.99")})
    assert not contains_address("call {telephone}")
    assert addressed(telephone, "en", "call {telephone}")
    assert any("internet address" in words(fault)[0] for fault in check_frames(telephone, frames()))
    named = replace(
        study, sites={**study.sites, site.code: replace(site, short_name=dict.fromkeys(study.languages, "Klinik.com"))}
    )
    assert unfit_for_cards(named, "en", frames()["en"])


def test_a_text_that_cannot_be_filled_in_is_another_fault() -> None:
    assert not addressed(protocol(), "en", "{nothing} anket.org")


def test_a_version_of_an_earlier_release_has_no_texts_for_cards() -> None:
    old = {name: text for name, text in frames()["en"].items() if not name.endswith(".sms-card")}
    assert set(unfit_for_cards(protocol(), "en", old)) == {*(f"{step}.sms-card" for step in STEPS), "first.sms-card"}


def test_only_texts_that_somebody_with_a_card_gets_are_judged() -> None:
    changed = frames()["en"] | {"first": "see anket.org", "invitation.sms-link": "{link} anket.org"}
    assert unfit_for_cards(protocol(), "en", changed) == ()
    assert unfit_for_cards(protocol(), "en", changed | {"thanks": "anket.org"}) == ("thanks",)
