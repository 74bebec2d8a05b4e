"""What a rehearsal's report says is what its database holds."""

from collections import Counter
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from pro_service.core.schedule.calendar import is_working
from pro_service.runtime import holidays_of
from tests.rehearsal.conftest import PRICE, Rehearsed

ISTANBUL = ZoneInfo("Europe/Istanbul")
SENT = (
    "SELECT count(*) FROM messages JOIN windows ON windows.id = messages.window_id "
    "WHERE windows.code = :window AND kind = :kind AND state LIKE :state AND accepted_at > ''"
)
SETTLED = "SELECT count(*) FROM windows WHERE code = :code AND settled LIKE :settled"


def test_texts_and_segments_are_those_of_the_outbox(rehearsed: Rehearsed) -> None:
    report = rehearsed.report
    assert report.texts == rehearsed.number("SELECT count(*) FROM messages WHERE channel = 'sms' AND accepted_at > ''")
    assert report.segments == rehearsed.number("SELECT sum(segments) FROM messages WHERE accepted_at > ''")
    assert report.cost == round(float(report.segments * PRICE), 2)
    assert report.mails == rehearsed.number("SELECT count(*) FROM messages WHERE kind = 'alert'")
    assert report.replies == rehearsed.number("SELECT count(*) FROM inbound")
    assert min(report.texts, report.mails, report.replies) > 0


@pytest.mark.parametrize("group", ["kinds", "languages", "channels"])
def test_however_texts_are_grouped_none_is_lost(rehearsed: Rehearsed, group: str) -> None:
    rows = getattr(rehearsed.report, group)
    assert sum(row.sent for row in rows) == rehearsed.report.texts
    assert sum(row.segments for row in rows) == rehearsed.report.segments
    assert sum(row.answered for row in rows) == sum(step.answered for step in rehearsed.report.steps)
    assert sum(row.prompts for row in rows) == sum(step.sent for step in rehearsed.report.steps)
    if group != "kinds":
        assert sum(row.expected for row in rows) == sum(step.expected for step in rehearsed.report.steps)
    assert round(sum(row.cost for row in rows), 2) == rehearsed.report.cost


def test_every_step_is_as_the_outbox_has_it(rehearsed: Rehearsed) -> None:
    for step in rehearsed.report.steps:
        given = {"window": step.window, "kind": step.kind}
        assert step.sent == rehearsed.number(SENT, **given, state="%"), step
        assert step.delivered == rehearsed.number(SENT, **given, state="delivered"), step
        assert 0 <= step.answered <= step.delivered <= step.sent <= step.expected == 24, step


def test_compliance_is_what_the_windows_are_settled_as(rehearsed: Rehearsed) -> None:
    for window in rehearsed.report.windows:
        assert window.due == rehearsed.number(SETTLED, code=window.code, settled="%") == 24
        assert window.in_window == rehearsed.number(SETTLED, code=window.code, settled="completed_in_window")
        assert window.late == rehearsed.number(SETTLED, code=window.code, settled="completed_late")
        assert window.missed == rehearsed.number(SETTLED, code=window.code, settled="missed")
        named = window.in_window + window.late + window.partial + window.declined + window.missed + window.left
        assert (named, window.not_closed) == (24, 0)


def test_the_overview_counts_to_the_same(rehearsed: Rehearsed) -> None:
    for at, window in enumerate(rehearsed.report.windows):
        states = Counter(row.statuses[at] for row in rehearsed.report.rows)
        assert (states["completed_in_window"], states["missed"]) == (window.in_window, window.missed), window.code


def test_calls_and_tasks_are_all_there(rehearsed: Rehearsed) -> None:
    report = rehearsed.report
    assert sum(report.calls.values()) == rehearsed.number("SELECT count(*) FROM calls") > 0
    for outcome, n in report.calls.items():
        assert n == rehearsed.number("SELECT count(*) FROM calls WHERE outcome = :outcome", outcome=outcome)
    assert sum(day.calls for desk in report.desks for day in desk.days) == sum(report.calls.values())
    for level in report.levels:
        raised = rehearsed.number("SELECT count(*) FROM escalations WHERE level = :level", level=level.code)
        assert level.raised == raised == level.in_time + level.too_late + level.untouched
        assert level.raised == sum(level.reasons.values())
    assert sum(kind.calls for kind in report.temperaments) == sum(report.calls.values())
    assert sum(kind.texts for kind in report.temperaments) == report.texts


def test_no_safety_task_is_overdue_in_silence(rehearsed: Rehearsed) -> None:
    with rehearsed.engine.connect() as connection:
        statement = text(
            "SELECT e.id, e.due_at, min(m.queued_at), count(DISTINCT m.queued_at) FROM escalations e "
            "LEFT JOIN messages m ON m.escalation_id = e.id AND m.frame = 'overdue' "
            "WHERE e.level = 'ES' AND coalesce(e.acknowledged_at, e.resolved_at, '9999') > e.due_at GROUP BY e.id"
        )
        late = connection.execute(statement).all()
    assert all(alerted == due for _, due, alerted, _ in late)
    assert max(alerts for *_, alerts in late) > 1


def test_times_to_answer_are_counted_once_each(rehearsed: Rehearsed) -> None:
    for one in rehearsed.report.times:
        assert sum(one.classes) == one.answers
        assert one.quarter is not None
        assert one.half is not None
        assert one.three_quarters is not None
        assert 0 <= one.quarter <= one.half <= one.three_quarters


def test_coordinators_keep_their_hours_and_their_limit(rehearsed: Rehearsed) -> None:
    with rehearsed.engine.connect() as connection:
        called = connection.execute(text("SELECT called_at FROM calls")).scalars().all()
    local = [datetime.fromisoformat(at).astimezone(ISTANBUL) for at in called]
    hours = rehearsed.plan.protocol.working_hours
    assert all(hours.start <= at.time() < hours.end for at in local)
    assert all(is_working(at.date(), holidays_of("TR")) for at in local)
    assert max(Counter(at.date() for at in local).values()) <= rehearsed.plan.crowd.office.calls_a_day


def test_prompts_keep_the_contact_hours_and_come_once_a_day(rehearsed: Rehearsed) -> None:
    with rehearsed.engine.connect() as connection:
        statement = text(
            "SELECT participant_id, accepted_at FROM messages "
            "WHERE accepted_at IS NOT NULL AND (kind = 'invitation' OR kind LIKE 'reminder%')"
        )
        prompts = [(who, datetime.fromisoformat(at).astimezone(ISTANBUL)) for who, at in connection.execute(statement)]
    assert all(time(9) <= at.time() < time(20) for _, at in prompts)
    assert max(Counter((who, at.date()) for who, at in prompts).values()) == 1
    said = {finding.code for finding in rehearsed.report.findings if finding.severity == "good"}
    assert {"inside_hours", "one_a_day"} <= said
