"""The frames of texts: the same in both languages, and nothing in them that must not be read over a shoulder."""

from dataclasses import replace
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
from phonenumbers import SUPPORTED_SHORT_REGIONS, is_emergency_number

from pro_service.core.emergency import number_in
from pro_service.core.problems import words
from pro_service.core.protocol import Channel
from pro_service.core.study_file.file import check
from pro_service.core.study_file.frames import check_emergency, required_frames
from pro_service.core.texts import contains_address, encoding, fill, placeholders
from tests.core.world import STUDY

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "templates" / "sms"
NAMES = sorted(path.stem for path in (FOLDER / "en").glob("*.txt"))
PROMPTS = ("invitation", "reminder-1", "reminder-2", "reminder-3")
EXPECTED = {
    *(f"{prompt}.{channel}" for prompt in PROMPTS for channel in get_args(Channel)),
    *("first", "question", "reask", "reask-2", "confirm-zero", "confirm-repeat", "confirm-change", "corrected"),
    *("already", "thanks", "thanks-late", "unscheduled", "stopped", "started", "help", "safety", "call-me", "snoozed"),
    *("media", "proxy", "declined", "handed-over", "unknown-sender", "turn", "turn-link", "first.sms-card"),
    *("not-counted", "which-participant", "call-me-at", "will-call", "will-call-at"),
    *("reply-to", "reply-to-word", "reach-test", "reach-test.sms-reply", "reach-test.sms-link", "reach-test.whatsapp"),
}
KNOWN = {
    "stop_link",
    "reply_to",
    "reply_word",
    "code",
    "question",
    "label",
    "closes",
    "emergency",
    "link",
    "telephone",
    "contact",
    "study",
    "item",
    "answer",
    "low",
    "high",
    "when",
    "until",
}
FORBIDDEN = (
    *("dextrose", "dekstroz", "needl", "iğne", "hydrodis", "hidrodis", "injec", "enjek", "blok", "lidoca", "lidoka"),
    *("piriformis", "syndrom", "sendrom", "myofas", "miyofas", "gluteal", "sciat", "siyatik", "pain", "ağrı"),
    *("patient", "hasta", "placebo", "plasebo", "group", "grup", "random"),
)
PROTOCOL, _ = check((ROOT / "pro_service" / "protocols" / "nct07326982.toml").read_text(encoding="utf-8"))


def frame(language: str, name: str) -> str:
    return (FOLDER / language / f"{name}.txt").read_text(encoding="utf-8").strip()


def longest(language: str) -> dict[str, str]:
    assert PROTOCOL is not None
    items = PROTOCOL.items.values()
    return {
        "question": max((item.question[language] for item in items), key=len),
        "item": max((item.short[language] for item in items), key=len),
        "label": max((point.label[language] for point in PROTOCOL.time_points), key=len),
        "closes": "15 Ağustos 2026 23:59" if language == "tr" else "15 September 2026 23:59",
        "when": "15 Ağustos 2026 23:59" if language == "tr" else "15 September 2026 23:59",
        "until": "17:00",
        "reply_to": "08501234567",
        "reply_word": "PRO",
        "link": "https://outcomes.hospital.example/q/" + "x" * 32,
        "stop_link": "https://outcomes.hospital.example/q/x/stop",
        "telephone": "+90 212 555 01 99",
        "contact": "Istanbul University Outcomes Clinic",
        "study": PROTOCOL.study,
        "code": "P-0123456789",
        "emergency": "112",
        "answer": "10",
        "low": "0",
        "high": "10",
    }


def test_every_frame_is_there_in_both_languages() -> None:
    for language in ("tr", "en"):
        assert {path.stem for path in (FOLDER / language).glob("*.txt")} == EXPECTED


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_ask_for_the_same_placeholders(name: str) -> None:
    asked = {language: placeholders(frame(language, name)) for language in ("tr", "en")}
    assert asked["tr"] == asked["en"] <= KNOWN
    assert {field for _, field, _, _ in Formatter().parse(frame("en", name)) if field} == asked["en"]


@pytest.mark.parametrize("language", ["tr", "en"])
@pytest.mark.parametrize("name", NAMES)
def test_no_frame_names_a_treatment_or_a_disease(name: str, language: str) -> None:
    text = frame(language, name).lower()
    assert [word for word in FORBIDDEN if word in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_english_needs_no_letters_beyond_gsm(name: str) -> None:
    assert encoding(frame("en", name)) == "GSM-7"


@pytest.mark.parametrize("language", ["tr", "en"])
@pytest.mark.parametrize("name", NAMES)
def test_an_address_is_only_in_a_text_with_a_link(name: str, language: str) -> None:
    with_link = name.endswith(("sms-link", "email-link"))
    assert contains_address(fill(frame(language, name), longest(language))) == with_link
    assert ("link" in placeholders(frame(language, name))) == with_link


@pytest.mark.parametrize("language", ["tr", "en"])
@pytest.mark.parametrize("channel", get_args(Channel))
def test_each_prompt_differs_from_the_others(language: str, channel: str) -> None:
    texts = {frame(language, f"{prompt}.{channel}") for prompt in PROMPTS}
    assert len(texts) == len(PROMPTS)


@pytest.mark.parametrize("language", ["tr", "en"])
def test_asking_again_differs_each_time(language: str) -> None:
    assert frame(language, "reask") != frame(language, "reask-2")


@pytest.mark.parametrize("language, word", [("tr", "DUR"), ("en", "STOP")])
def test_the_first_text_names_the_telephone_the_way_out_and_the_emergency_number(language: str, word: str) -> None:
    text = frame(language, "first")
    assert "telephone" in placeholders(text)
    assert word in text
    assert "emergency" in placeholders(text)


def test_a_text_that_names_another_country_s_emergency_number_is_minded() -> None:
    site = STUDY.sites["IUC"]
    abroad = replace(STUDY, sites={"IUC": replace(site, country="US")})
    shipped = {language: {name: frame(language, name) for name in required_frames(abroad)} for language in ("tr", "en")}
    assert list(check_emergency(abroad, shipped)) == []
    shipped["en"]["help"] = "12 of 911 call 1123\nin an emergency call 112."
    (found,) = check_emergency(abroad, shipped)
    assert (found.path, found.line) == ("templates/sms/en/help.txt", 2)
    assert "IUC: 911" in words(found)[0]
    unknown = replace(abroad, sites={"IUC": replace(site, country="GN")})
    assert {one.code for one in check_emergency(unknown, shipped)} == {"emergency_of_elsewhere", "emergency_unknown"}
    own = replace(abroad, sites={"IUC": replace(site, country="GN", emergency="112")})
    assert list(check_emergency(own, shipped | {"en": shipped["en"] | {"help": "call 112"}})) == []


def test_every_emergency_number_is_one_of_that_country() -> None:
    numbers = {region: number for region in SUPPORTED_SHORT_REGIONS if (number := number_in(region)) is not None}
    assert len(numbers) > 1
    assert [region for region, number in numbers.items() if not is_emergency_number(number, region)] == []


@pytest.mark.parametrize("language", ["tr", "en"])
def test_a_stranger_learns_nothing_about_the_study(language: str) -> None:
    assert placeholders(frame(language, "unknown-sender")) == frozenset()


def test_a_call_is_offered_by_word_or_by_number() -> None:
    assert " ARA " in frame("tr", "reminder-2.sms-reply")
    assert " CALL" in frame("en", "reminder-2.sms-reply")
    assert "telephone" in placeholders(frame("tr", "reminder-2.sms-link"))
