"""What the doctor says of the codes on cards: how many there are, and whether guessing stays hopeless."""

from datetime import date

import pytest

from pro_service.runtime import Runtime
from pro_service.settings import Settings
from pro_service.use_cases import doctor
from pro_service.use_cases.participants import card
from tests import support
from tests.peers import databases


@databases.ON_BOTH
def test_the_codes_on_cards_are_counted_with_the_chance_to_hit_one(
    settings: Settings, rt: Runtime, study_id: int
) -> None:
    before = [found for found in doctor.examine(settings) if found.part == "cards"]
    assert [found.finding for found in before] == ["none has a code yet"]
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone="+12025550123", channel="sms-link")
    card.show(rt, support.SETUP, study_id, "P-001")
    (found,) = (found for found in doctor.examine(settings) if found.part == "cards")
    assert found.finding.startswith("1 codes; in a year somebody hits one with a chance of at most 3.")
    assert found.colour == "green"


@pytest.mark.parametrize(
    "long, short, colour, remedy",
    [
        (42, 0, "green", ""),
        (3000, 0, "green", ""),
        (4000, 0, "yellow", "FLOOD.every"),
        (41, 1, "yellow", "print these cards again"),
        (0, 2000, "yellow", "print these cards again"),
    ],
)
def test_old_cards_and_so_many_codes_that_one_may_be_hit_are_to_be_minded(
    long: int, short: int, colour: str, remedy: str
) -> None:
    found = doctor.codes_of(long, short)
    assert found.colour == colour
    assert remedy in found.remedy
