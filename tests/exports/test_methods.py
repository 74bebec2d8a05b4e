"""The methods paragraph says what the protocol says, in both languages and of both study files that ship."""

import re

import pytest

from pro_service.exports.paper import methods
from tests.exports.made_set import protocol

FILES = ("nct07326982.toml", "demo.toml")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("language", ["en", "tr"])
def test_it_says_every_number_and_word_of_the_protocol(file: str, language: str) -> None:
    study = protocol(file)
    text = methods.in_language(study, 3, language)
    for item in study.items.values():
        assert item.short[language] in text
        assert all(f"{value} {label}" in text for value, label in enumerate(item.choices.get(language, ()), 1))
        assert item.choices or (f"{item.minimum} ({item.low[language]})" in text)
        assert item.choices or (f"{item.maximum} ({item.high[language]})" in text)
        assert all(line in text for words in item.question.values() for line in words.strip().splitlines())
    lines = text.splitlines()
    for point in study.time_points:
        said, *asked = (line for line in lines if line.startswith(f"- {point.label[language]}"))
        found = set(map(int, re.findall(r"\d+", said)))
        wanted = point.minutes or (point.planned_day, *filter(None, (point.before, point.after)))
        assert set(wanted) <= found, said
        assert len(asked) == point.prompted
        if point.prompted:
            times = [step.at for step in point.steps] + [point.call_at]
            assert re.findall(r"\d\d:\d\d", asked[0]) == [f"{at:%H:%M}" for at in times]
            days = [step.after for step in point.steps[1:]] + [point.call_after]
            assert [int(day) for day in re.findall(r"\+(\d+)", asked[0])] == days
            assert {point.call_due_working_days, int(point.lead_before.total_seconds() // 3600)} - {0} <= set(
                map(int, re.findall(r"\d+", asked[0]))
            )


def test_both_languages_stand_in_one_file_and_a_draft_or_a_demonstration_says_so() -> None:
    real, demo = (methods.methods(protocol(file), 1) for file in FILES)
    for text in (real, demo):
        assert text.index("PATIENT-REPORTED OUTCOMES: METHODS") < text.index("HASTA BİLDİRİMLİ SONUÇLAR: YÖNTEM")
        assert not re.search(r"[{}]| \n|\n{4}|  ", text)
    assert ("is a draft" in real, "is a demonstration" in real) == (True, False)
    assert ("is a draft" in demo, "is a demonstration" in demo) == (False, True)
    assert ("between 09:00 and 20:00" in real, "at every hour" in demo) == (True, True)
