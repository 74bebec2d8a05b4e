"""What an investigator reads before confirming: every value that differs, and every mark of the file's comments."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pro_service import paths
from pro_service.core.protocol import Protocol
from pro_service.core.study_file.differences import differences
from pro_service.core.study_file.file import check
from pro_service.core.study_file.marks import marks
from pro_service.core.study_file.protocol_json import from_json, to_json

FILE = (paths.protocols() / "nct07326982.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    """Return the shipped study's protocol."""
    found, faults = check(FILE)
    assert found is not None, faults
    return found


def altered(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every way to alter one value of a stored protocol: (where, the whole with it)."""
    if isinstance(value, dict):
        for key, part in value.items():
            for place, other in altered(part, (*path, key)):
                yield place, {**value, key: other}
    elif isinstance(value, list):
        for number, part in enumerate(value):
            for place, other in altered(part, (*path, str(number))):
                yield place, [*value[:number], other, *value[number + 1 :]]
        yield ".".join(path), value[:-1]
    elif isinstance(value, bool):
        yield ".".join(path), not value
    elif isinstance(value, int):
        yield ".".join(path), value + 60
    else:
        yield ".".join(path), 3 if value is None else f"{value}x"


def test_no_value_of_a_version_differs_unseen(protocol: Protocol) -> None:
    seen, unseen = 0, []
    for place, values in altered(json.loads(to_json(protocol))):
        try:
            other = from_json(json.dumps(values))
        except (ValueError, TypeError, AttributeError):
            continue  # no protocol: a role or a time that there is not
        if to_json(other) == to_json(protocol) or re.fullmatch(r"time_points\.[01]\.(call|lead)_.*", place):
            continue  # the same; or about the call of a time point that has none
        seen += 1
        if not differences((protocol, {}), (other, {})):
            unseen.append(place)
    assert seen > 250
    assert unseen == []


def test_a_difference_is_said_in_the_words_of_the_file(protocol: Protocol) -> None:
    changed = FILE.replace('first_day = "-P1D"', 'first_day = "-P2D"').replace('    "ambulans",\n', "")
    changed = changed.replace('useful_for = "PT24H"', 'useful_for = "PT20H"').replace("due_hours = 2", "due_hours = 1")
    other, _ = check(changed)
    assert other is not None
    other = replace(other, time_points=other.time_points[:-1])
    texts = ({"tr": {"help": "a", "thanks": "b"}}, {"tr": {"help": "a", "thanks": "c"}})
    found = [(one.place, one.old, one.new) for one in differences((protocol, texts[0]), (other, texts[1]))]
    assert ("time_point · M3 · reminder-2 · at", "12:30", None) in found
    assert [one for one in found if "M3 ·" not in one[0]] == [
        ("useful_for", "PT24H", "PT20H"),
        ("time_point", "V0, V1H, W1, M1, M3", "V0, V1H, W1, M1"),
        ("time_point · W1 · first_day", "-P1D", "-P2D"),
        ("ladder · ES · due_hours", "2", "1"),
        ("safety_words · tr · ambulans", "ambulans", None),
        ("tr/thanks", "b", "c"),
    ]


def test_every_mark_of_the_shipped_file_is_found_with_its_place() -> None:
    found = {mark.place: mark.words for mark in marks(FILE)}
    assert list(found) == [
        "prompts",
        "item[0]",
        "item[0].review_at",
        "item[0].review_rise",
        "time_point[0]",
        "time_point[3].reminder[0]",
        "time_point[4].reminder[0]",
        "ladder.E0",
        "site[0]",
        "safety_words",
    ]
    assert found["safety_words"] == "The principal investigator owns this list: to be confirmed."
    assert found["prompts"].startswith("When texts may be sent, and when people can telephone. To be confirmed")
    lines = FILE.splitlines()
    assert all("confirmed" in lines[mark.line - 1] or "draft" in lines[mark.line - 1] for mark in marks(FILE))


def test_what_only_looks_like_a_mark_is_none() -> None:
    text = 'a = "# to be confirmed"\nb = """\n# a draft\n"""\n# Whatever is marked "to be confirmed" is ours.\n'
    assert marks(f"{text}# redrafted\n") == ()
    assert [(one.line, one.place) for one in marks("# taslak\n\na = 1  # SMS metni onaylanacak\n")] == [
        (1, "a"),
        (3, "a"),
    ]
