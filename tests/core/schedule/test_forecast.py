"""What a procedure date would bring, held against what the rules do once it has come."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from pro_service import paths
from pro_service.core.case import Participant
from pro_service.core.protocol import Protocol
from pro_service.core.schedule.forecast import WhatIf, what_if
from pro_service.core.schedule.windows import schedule
from pro_service.core.study_file.file import check
from tests import support

ISTANBUL = ZoneInfo("Europe/Istanbul")
KURBAN = frozenset({date(2026, 5, 27), date(2026, 5, 28), date(2026, 5, 29), date(2026, 5, 30)})


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    """Return the study that ships with the service."""
    found, faults = check((paths.protocols() / "nct07326982.toml").read_text(encoding="utf-8"))
    assert found is not None, faults
    return found


def asked(protocol: Protocol, day: str, now: datetime, *, texts: bool = True) -> WhatIf:
    site = next(iter(protocol.sites.values()))
    person = Participant(
        0,
        "P",
        site,
        "tr",
        ISTANBUL,
        "sms-card",
        texts,
        date.fromisoformat(day),
        now,
        consented_at=now if texts else None,
    )
    return what_if(protocol, person, KURBAN, now)


def test_windows_are_those_of_an_enrolment(protocol: Protocol) -> None:
    plan = asked(protocol, "2026-01-31", support.at("2026-01-31 15:00"))
    laid = [one.span for one in plan.windows if one.span is not None]
    assert tuple(laid) == schedule(protocol, date(2026, 1, 31), ISTANBUL)
    assert [span.code for span in laid if span.clamped] == ["M1", "M3"]
    assert [one.point.code for one in plan.windows if one.span is None] == ["V1H"]


def test_a_window_without_a_working_day_is_told_with_its_days(protocol: Protocol) -> None:
    plan = asked(protocol, "2026-05-21", support.at("2026-05-21 15:00"))
    week = next(one for one in plan.windows if one.point.code == "W1")
    assert [day.kind for day in week.days] == ["holiday"] * 4 + ["weekend"]
    assert week.working == 0
    assert {"no_working_day", "last_after_end"} <= {note.code for note in plan.notes}


def test_a_procedure_after_the_studys_end_is_said(protocol: Protocol) -> None:
    assert "after_end" in {note.code for note in asked(protocol, "2026-07-01", support.at("2026-07-01 15:00")).notes}


def test_texts_and_the_call_come_at_the_protocols_moments(protocol: Protocol) -> None:
    plan = asked(protocol, "2026-03-02", support.at("2026-03-02 15:00"))
    week = next(one for one in plan.windows if one.point.code == "W1")
    assert [one.at for one in week.prompts] == [
        support.at(moment) for moment in ("2026-03-09 10:00", "2026-03-10 18:30", "2026-03-11 12:30")
    ]
    assert week.call == support.at("2026-03-11 09:00")
    assert plan.first_text == week.prompts[0]


def test_who_gets_no_texts_is_called_alone(protocol: Protocol) -> None:
    plan = asked(protocol, "2026-03-02", support.at("2026-03-02 15:00"), texts=False)
    assert plan.first_text is None
    assert all(one.call is not None for one in plan.windows if one.span is not None and one.point.prompted)


def test_a_late_enrolment_is_asked_once_now_and_never_about_what_is_over(protocol: Protocol) -> None:
    now = support.at("2026-04-03 11:00")
    plan = asked(protocol, "2026-03-02", now)
    stages = {one.point.code: one.stage for one in plan.windows if one.point.prompted}
    assert stages == {"W1": "over", "M1": "open", "M3": "ahead"}
    week, month = (next(one for one in plan.windows if one.point.code == code) for code in ("W1", "M1"))
    assert week.steps == ()
    assert [one.at.date() for one in month.prompts].count(now.date()) == 1
    assert month.prompts[0].at == now


def test_a_procedure_to_come_is_asked_about_once_it_is_confirmed(protocol: Protocol) -> None:
    now = support.at("2026-02-20 15:00")
    plan = asked(protocol, "2026-03-02", now)
    assert plan.to_come
    assert plan.first_text is not None
    assert plan.first_text.at == support.at("2026-03-09 10:00")
