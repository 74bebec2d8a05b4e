"""A rehearsal gives the same for the same seed, leaves nothing behind, and reaches nobody."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from pro_service import paths
from pro_service.rehearsal.plan import Plan
from pro_service.rehearsal.rehearse import rehearse
from pro_service.rehearsal.report import Report, page
from pro_service.rehearsal.temperaments import shipped_temperaments
from pro_service.use_cases import study
from tests.rehearsal.conftest import REAL, Rehearsed, plan

SMALL = {"participants": 3, "days": 14, "enrolment_days": 2}
_heard: list[str] = []
_listening: list[bool] = []


def small(**more: object) -> Report:
    """A rehearsal of a few participants in their first window."""
    return rehearse(plan(**(SMALL | more)), lambda _done, _days: None)


def _hears(event: str, _arguments: tuple[object, ...]) -> None:
    if _listening and event.startswith("socket."):
        _heard.append(event)


@cache
def _listen() -> None:
    """An audit hook cannot be taken away again: one is enough."""
    sys.addaudithook(_hears)


@contextmanager
def listening() -> Iterator[list[str]]:
    """Hear of every socket that is made, used or looked up meanwhile."""
    _listen()
    _heard.clear()
    _listening.append(True)
    yield _heard
    _listening.clear()


def test_the_same_seed_gives_the_same_bytes() -> None:
    once, again, other = small(seed=3), small(seed=3), small(seed=4)
    assert once == again
    assert page(once, "en") == page(again, "en")
    assert page(once, "en") != page(other, "en")


def test_no_socket_is_touched() -> None:
    with listening() as heard, socket.socket():
        assert heard == ["socket.__new__"]
    with listening() as heard:
        report = small()
    assert report.texts > 0
    assert heard == []


def test_nothing_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert small().texts > 0
    assert list(tmp_path.iterdir()) == []


def test_progress_goes_from_day_to_day_to_the_last() -> None:
    seen: list[tuple[int, int]] = []
    rehearse(plan(**SMALL), lambda done, days: seen.append((done, days)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1] > 10


def test_virtual_time_begins_where_the_study_does_unless_told_otherwise() -> None:
    protocol = plan().protocol
    assert plan().first == protocol.starts
    assert plan(starts=date(2026, 3, 2)).first == date(2026, 3, 2)
    undated = replace(plan(), checked=replace(plan().checked, protocol=replace(protocol, starts=None)))
    assert undated.first == date(2026, 1, 5)


def test_as_many_days_are_for_enrolment_as_leave_time_for_the_last_window() -> None:
    # 25 December and 92 days, 14 days and the day of the close: 107.
    assert plan(days=120).enrolling + 105 <= 120
    assert plan(days=20).enrolling == 7
    assert plan(days=120, enrolment_days=60).enrolling == 60


def test_what_is_unfinished_or_does_not_work_is_said(rehearsed: Rehearsed) -> None:
    found = {finding.code: finding for finding in small(most_segments=1).findings}
    assert found["long_texts"].severity == found["route_refused"].severity == "attention"
    assert found["not_closed"].severity == "note"
    assert "not_closed" not in {finding.code for finding in rehearsed.report.findings}


def test_what_is_in_order_is_not_complained_of() -> None:
    found = {finding.code for finding in small(most_segments=20, channels=("sms-reply", "calls")).findings}
    assert not found & {"long_texts", "faults", "outside_hours", "two_a_day", "no_contact", "no_working_day"}
    assert "route_refused" not in {finding.code for finding in small(channels=("calls",)).findings}


def test_who_is_asked_by_mail_answers_by_its_link_and_a_mail_costs_nothing() -> None:
    found = small(channels=("email-link",), price=Decimal("0.01"))
    (of_mails,) = found.channels
    assert (of_mails.name, of_mails.segments, of_mails.cost, found.cost) == ("email-link", 0, 0, 0)
    assert of_mails.answered > 0
    assert "no_contact" not in {finding.code for finding in found.findings}


def test_a_window_without_a_working_day_is_named() -> None:
    # Ramadan's feast, with its eve: 19 to 22 March 2026, a Thursday to a Sunday; windows of three days around it.
    text = plan().protocol
    points = tuple(replace(point, before=0, after=0) if point.code == "W1" else point for point in text.time_points)
    checked = replace(plan().checked, protocol=replace(text, time_points=points))
    report = rehearse(
        replace(plan(**SMALL), checked=checked, starts=date(2026, 3, 12), enrolment_days=2), lambda _done, _days: None
    )
    found = [finding for finding in report.findings if finding.code == "no_working_day"]
    assert [finding.values["window"] for finding in found] == ["W1"]


def test_a_missing_contact_is_named() -> None:
    bare = study.check(REAL.read_text(encoding="utf-8"))
    report = rehearse(replace(plan(**SMALL), checked=bare), lambda _done, _days: None)
    assert [finding.values["sites"] for finding in report.findings if finding.code == "no_contact"] == [("IUC",)]


def test_who_has_too_few_calls_a_day_is_told() -> None:
    planned = plan(participants=12, days=16, enrolment_days=1, channels=("calls",))
    busy = replace(planned, crowd=replace(planned.crowd, office=replace(planned.crowd.office, calls_a_day=2)))
    report = rehearse(busy, lambda _done, _days: None)
    assert "too_many_calls" in {finding.code for finding in report.findings}
    assert max(day.calls for desk in report.desks for day in desk.days) == 2


def test_a_ladder_is_rehearsed_with_the_figures_and_the_cost_of_each_channel() -> None:
    demo = study.check((paths.protocols() / "demo.toml").read_text(encoding="utf-8"))
    shipped = shipped_temperaments()
    kinds = tuple(
        replace(kind, lost_after=timedelta()) for kind in shipped.temperaments if kind.code in ("punctual", "lost")
    )
    planned = Plan(
        demo,
        replace(shipped, temperaments=kinds),
        participants=4,
        days=20,
        enrolment_days=3,
        channels=("whatsapp>sms-reply>email-link",),
        price=Decimal("0.05"),
        price_whatsapp=Decimal("0.02"),
    )
    report = rehearse(planned, lambda _done, _days: None)
    found = {one.name: one for one in report.channels}
    # Whose number is lost is asked by each channel in turn, and in the end by mail.
    assert found.keys() == {"whatsapp", "sms-reply", "email-link"}
    assert found["whatsapp"].failed == found["sms-reply"].failed > 0
    assert found["email-link"].answered > 0
    assert found["whatsapp"].cost == round(0.02 * found["whatsapp"].sent, 2)
    assert found["sms-reply"].cost == round(0.05 * found["sms-reply"].segments, 2)
    assert report.cost == round(sum(one.cost or 0 for one in report.channels), 2)
    assert {"two_a_day", "faults"} & {finding.code for finding in report.findings} == set()
    assert any("whatsapp" in window.sources for window in report.windows)
    assert "0.02" in page(report, "en")
