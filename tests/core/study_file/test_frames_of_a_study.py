"""The texts a study needs: complete, fillable, and honest about who writes and how to stop."""

from copy import deepcopy

import pytest

from pro_service import paths
from pro_service.core.problems import words
from pro_service.core.protocol import Protocol
from pro_service.core.study_file.file import check
from pro_service.core.study_file.frames import check_frames, required_frames


def protocol() -> Protocol:
    found, faults = check((paths.protocols() / "demo.toml").read_text(encoding="utf-8"))
    assert found is not None, faults
    return found


def frames() -> dict[str, dict[str, str]]:
    return {
        language: {
            file.name.removesuffix(".txt"): file.read_text(encoding="utf-8")
            for file in (paths.templates() / "sms" / language).glob("*.txt")
        }
        for language in ("tr", "en")
    }


def said(changed: dict[str, dict[str, str]]) -> str:
    return "\n".join(f"{f.path}:{f.line} {' → '.join(words(f))}" for f in check_frames(protocol(), changed))


def test_the_shipped_texts_have_no_faults() -> None:
    assert said(frames()) == ""


def test_no_shipped_text_is_one_that_nothing_asks_for() -> None:
    assert set(frames()["tr"]) == set(required_frames(protocol()))


@pytest.mark.parametrize(
    "name, text, fault",
    [
        ("question", None, "is missing"),
        ("question", "  ", "is empty"),
        ("question", "a\n{qestion}", 'question.txt:2 unknown placeholder {qestion} → did you mean "question"?'),
        ("question", "{question} {", "belongs to no"),
        ("invitation.sms-link", "go to the page", "does not name it"),
        ("invitation.sms-reply", "{label}: {question}", "does not say who writes → write {contact}"),
        ("reminder-3.sms-link", "{label}: {link}", "does not say who writes"),
        ("reminder-2.sms-card", "{label}: {telephone}", "does not say who writes"),
        ("reach-test", "{{contact}}: do our texts reach you?", "does not say who writes"),
        ("thanks", "see {link}", "no address to give"),
        ("unknown-sender", "call {telephone}", "may be a stranger"),
        ("first", "STOP. This line is not monitored.", "study's contact"),
        ("first", "{telephone}. This line is not monitored.", "how to stop"),
        ("first", "{telephone}. STOP.", "not monitored"),
    ],
)
def test_each_fault_of_a_text_is_named(name: str, text: str | None, fault: str) -> None:
    changed = deepcopy(frames())
    changed["en"].pop(name)
    if text is not None:
        changed["en"][name] = text
    assert fault in said(changed)


def test_a_language_without_texts_is_one_fault() -> None:
    assert said({"tr": frames()["tr"]}).count("→") == 1
