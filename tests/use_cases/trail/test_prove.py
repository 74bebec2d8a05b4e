"""What the trail says of a participant is proved to somebody who has neither the database nor a key."""

import json
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from pro_service.core.problems import RejectedError
from pro_service.core.trail.proof import from_text, held, to_json
from pro_service.core.trail.seals import Anchor, anchor
from pro_service.runtime import Runtime
from pro_service.use_cases.trail.prove import prove
from pro_service.use_cases.trail.seal import seal
from tests import support


@pytest.fixture
def text(rt: Runtime, study_id: int, clock: support.SetClock) -> str:
    """Return the proof about P-001, whose rows stand in two of three seals."""
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2))
    seal(rt)
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 2))
    clock.now = support.at("2026-03-09 10:00")
    support.answered(rt, "P-001", "W1", {"NRS-AVG": "4", "PGIC": "2"})
    support.answered(rt, "P-002", "W1", {"NRS-AVG": "4", "PGIC": "2"})
    seal(rt)
    clock.now += timedelta(minutes=5)
    support.enrolled(rt, study_id, "P-003", date(2026, 3, 2))
    seal(rt)
    return to_json(prove(rt, study_id, "P-001"))


def test_a_proof_holds_every_row_about_its_participant(text: str) -> None:
    found = held(from_text(text), None)
    assert (found.participant, found.anchored, found.newest.number) == ("P-001", False, 3)
    assert [row["action"] for row in found.rows].count("answer") == 2
    assert {row["participant_id"] for row in found.rows} == {found.rows[0]["participant_id"]}
    assert held(from_text(text), found.newest).anchored


def _edited(change: Callable[[dict[str, object]], None], text: str) -> str:
    said = json.loads(text)
    change(said)
    return json.dumps(said)


def _payload(said: dict) -> None:  # type: ignore[type-arg]
    said["rows"][0]["payload"] = said["rows"][0]["payload"].replace("P-001", "P-009")


def _sibling(said: dict) -> None:  # type: ignore[type-arg]
    said["rows"][0]["path"][0][1] = "00" * 32


def _moved(said: dict) -> None:  # type: ignore[type-arg]
    said["rows"][0]["seal"] = 3


def _root(said: dict) -> None:  # type: ignore[type-arg]
    said["seals"][0]["root"] = "00" * 32


def _gap(said: dict) -> None:  # type: ignore[type-arg]
    del said["seals"][1]


def _somebody_else(said: dict) -> None:  # type: ignore[type-arg]
    said["participant"] = "P-002"


def _twice(said: dict) -> None:  # type: ignore[type-arg]
    said["rows"].append(said["rows"][-1])


def _nobody(said: dict) -> None:  # type: ignore[type-arg]
    said["rows"] = []


@pytest.mark.parametrize("change", [_payload, _sibling, _moved, _root, _gap, _somebody_else, _twice, _nobody])
def test_a_proof_that_was_changed_does_not_hold(text: str, change: Callable[[dict[str, object]], None]) -> None:
    with pytest.raises(RejectedError, match="proof_differs"):
        held(from_text(_edited(change, text)), None)


def test_a_proof_of_another_history_does_not_fit_the_anchor(text: str) -> None:
    newest = held(from_text(text), None).newest
    for kept in (Anchor(newest.number, bytes(32)), Anchor(99, newest.hash)):
        with pytest.raises(RejectedError, match="proof_differs"):
            held(from_text(text), kept)


def test_a_row_of_somebody_else_does_not_stand_in_a_proof(text: str, rt: Runtime, study_id: int) -> None:
    mine, other = json.loads(text), json.loads(to_json(prove(rt, study_id, "P-002")))
    mine["rows"].append(next(row for row in other["rows"] if '"enrol"' not in row["payload"]))
    with pytest.raises(RejectedError, match="proof_differs"):
        held(from_text(json.dumps(mine)), None)


@pytest.mark.parametrize("cut", ["", "{}", "[]", '{"format": "x"}'])
def test_what_is_no_proof_is_named(cut: str) -> None:
    with pytest.raises(RejectedError, match="not_a_proof"):
        from_text(cut)


def test_a_proof_that_is_cut_is_named(text: str) -> None:
    with pytest.raises(RejectedError, match="not_a_proof"):
        from_text(text[:-20])


def test_nothing_is_proved_of_nobody_or_before_it_is_sealed(rt: Runtime, study_id: int) -> None:
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2))
    for code, fault in (("P-001", "nothing_sealed"), ("P-007", "no_participant")):
        with pytest.raises(RejectedError, match=fault):
            prove(rt, study_id, code)


@pytest.mark.parametrize("given", ["", "12", "x:12", "0:" + "ab" * 32, "12:" + "ab" * 31])
def test_what_is_no_anchor_is_named(given: str) -> None:
    with pytest.raises(RejectedError, match="not_an_anchor"):
        anchor(given)
