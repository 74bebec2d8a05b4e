"""WhatsApp templates in a study file: one for each text that begins a conversation, and every fault named."""

import tomllib

import pytest

from pro_service import paths
from pro_service.core.problems import RejectedError
from pro_service.core.study_file.frames import whatsapp_frames
from pro_service.core.study_file.protocol_json import from_json, to_json
from pro_service.core.texts import values_in
from pro_service.use_cases import study

DEMO = (paths.protocols() / "demo.toml").read_text(encoding="utf-8")


def templates(text: str) -> str:
    """Return the demonstration's file with these templates in the place of its own."""
    return DEMO.partition("[[whatsapp_template]]")[0] + text


def faults(text: str) -> list[tuple[str, str]]:
    with pytest.raises(RejectedError) as caught:
        study.check(text)
    assert all(fault.line is not None for fault in caught.value.faults)
    return [(fault.path, fault.code) for fault in caught.value.faults]


def test_a_study_that_asks_on_whatsapp_has_a_template_for_each_beginning_and_language() -> None:
    checked = study.check(DEMO).protocol
    assert {(one.frame, one.language) for one in checked.whatsapp_templates} == {
        (frame, language) for frame in whatsapp_frames(checked) for language in checked.languages
    }
    assert from_json(to_json(checked)) == checked
    assert study.check(templates("")).protocol.whatsapp_templates == ()
    assert "whatsapp_templates" not in to_json(study.check(templates("")).protocol)


def test_every_fault_of_the_templates_is_named_at_once() -> None:
    one = tomllib.loads(DEMO)["whatsapp_template"][0]
    first, sound = (
        f"""
[[whatsapp_template]]
frame = "{frame}"
language = "{language}"
content_sid = "{sid}"
variables = ["contact", "code"]
buttons = ["{label}"]
"""
        for frame, language, sid, label in (
            ("invitation.sms-reply", "de", "HX1", "Please telephone me later"),
            (one["frame"], one["language"], one["content_sid"], "Later"),
        )
    )
    found = faults(templates(first + sound + sound))
    assert {one for one in found if one[1] != "template_missing"} == {
        ("whatsapp_template[0].frame", "choice_unknown"),
        ("whatsapp_template[0].language", "choice_unknown"),
        ("whatsapp_template[0].content_sid", "content_sid_unfit"),
        ("whatsapp_template[0].buttons[0]", "button_unfit"),
        ("whatsapp_template[2]", "template_twice"),
    }
    assert sum(code == "template_missing" for _, code in found) == 9


def test_a_blank_is_filled_by_what_stands_in_the_text() -> None:
    wrong = DEMO.replace('variables = ["contact", "code"', 'variables = ["patient", "code"', 1)
    assert faults(wrong) == [("whatsapp_template[0].variables[0]", "choice_unknown")]


def test_the_values_of_a_template_are_read_in_the_words_that_it_says() -> None:
    frame = "{contact} asks {code}:\n{question}\n({low}-{high}, {code}) {{sic}}"
    said = "A: b asks P-1:\nHow bad?\n0 = none\n(0-10, P-1) {sic}"
    values = values_in(frame, said)
    assert values == {"contact": "A: b", "code": "P-1", "question": "How bad?\n0 = none", "low": "0", "high": "10"}
    assert values_in(frame, said.replace("(0-10, P-1)", "(0-10, P-2)")) is None
