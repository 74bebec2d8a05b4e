"""Facts are rebuilt from the rows of the trail, in whatever order these are read; earlier releases said less."""

from itertools import permutations
from typing import TypeAlias

from pro_service.core.trail.facts import PERSON, Comparison, Difference, Kept, Told, TrailRow

DAY = "2026-03-02"
BOUNDS = ["W1", "2026-03-09", None, "2026-03-08T07:00:00.000000Z", "2026-03-11T07:00:00.000000Z", "", False]
Changes: TypeAlias = dict[str, list[object]]
ENROLLED: Changes = {"code": [None, "P-001"], "procedure_date": [None, DAY], "baseline": [None, {"NRS": 8}]}
WHOLE: Changes = {"windows": [None, [[10, *BOUNDS]]], "answers": [None, [[20, "NRS", 10]]]}
AT = "2026-03-02T07:00:00.000000Z"
STORED = dict.fromkeys(PERSON) | {"code": "P-001", "procedure_date": DAY, "enrolled_at": AT, "schedule": 1}
NAMES = ("code", "target", "target_at", "opens_at", "closes_at", "late_until", "clamped")
LATER = ("cancelled_at", "settled", "missing_reason", "channel", "protocol_version")
WINDOW = dict(zip(NAMES, BOUNDS, strict=True)) | {"schedule": 1} | dict.fromkeys(LATER)
ANSWER = {
    "item": "NRS",
    "said": 8,
    "cleared": False,
    "version": 1,
    "window": 10,
    "source": "import",
    "received_at": AT,
    "recorded_at": AT,
    "in_window": True,
    "inbound": None,
    "entered_by": None,
}


def told(*rows: TrailRow) -> Told:
    found = Told()
    for row in rows:
        found.read(row)
    return found


def row(number: int, action: str, changes: Changes) -> TrailRow:
    return TrailRow(number, AT, action, "participant", 1, changes, None)


def kept(**other: object) -> Kept:
    return Kept({10: dict(WINDOW)}, {20: dict(ANSWER)}, STORED | other)


def differences(found: Told, stored: Kept) -> list[Difference]:
    return list(Comparison().differences(1, found, stored))


def test_the_order_of_rows_does_not_matter_and_a_value_that_no_row_gave_is_found() -> None:
    enrol = row(1, "enrol", ENROLLED | WHOLE)
    changes = [row(number, "pause", {"paused_at": [old, new]}) for number, old, new in ((2, None, "a"), (3, "a", None))]
    changes += [row(4, "pause", {"paused_at": [None, "c"]}), row(5, "redate", {"paused_at": ["c", "d"]})]
    for order in permutations(changes):
        assert differences(told(enrol, *order), kept(paused_at="d")) == []
        assert [one.names for one in differences(told(enrol, *order), kept(paused_at="c"))] == [("paused_at",)]
    laundered = row(6, "redate", {"paused_at": ["forged", "e"]})
    found = differences(told(enrol, *changes, laundered), kept(paused_at="e"))
    assert [(one.code, one.names) for one in found] == [("trail_participant_torn", ("paused_at",))]


def test_an_answer_that_was_taken_over_says_what_the_one_before_said() -> None:
    more: Changes = {"source": [None, "import"], "window": [None, 10], "carried_from": [None, 20]}
    for value, expected in ((8, []), (1, [("trail_answer_carried", (20,))])):
        taken = TrailRow(2, AT, "answer", "response", 21, {"NRS": [None, value], "version": [None, 1], **more}, None)
        stored = kept()
        stored.answers[21] = ANSWER | {"said": value, "received_at": None, "in_window": None}
        found = differences(told(row(1, "enrol", ENROLLED | WHOLE), taken), stored)
        assert [(one.code, one.names) for one in found] == expected


def test_facts_of_earlier_releases_are_compared_as_far_as_their_rows_go() -> None:
    compared = Comparison()
    rows = [row(1, "enrol", ENROLLED), row(2, "snooze", {"snoozed_until": ["never told", "a"]})]
    assert list(compared.differences(1, told(*rows), kept(snoozed_until="b", language="tr"))) == []
    assert compared.not_covered == len(("participant", "window", "answer"))
    found = differences(told(*rows), kept(procedure_date="2026-03-03"))
    assert [(one.entity, one.names) for one in found] == [("participant", ("procedure_date",))]
    wrong = kept()
    wrong.answers[20]["said"] = 3
    assert [(one.entity, one.id) for one in differences(told(*rows), wrong)] == [("response", 20)]
