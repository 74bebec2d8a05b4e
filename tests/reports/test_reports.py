"""What the dashboard shows: the tallies equal the full count, pages are cut by key, sites see their own."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import event, select

from pro_service.core.schedule.status import participant_status, settled_as
from pro_service.reports import compliance, story, today
from pro_service.reports import grid as report_grid
from pro_service.reports.compliance import ComplianceRow
from pro_service.reports.grid import Look
from pro_service.runtime import Runtime
from pro_service.store import studies
from pro_service.store.audit import Actor
from pro_service.store.participants import cases
from pro_service.store.schema import participants
from pro_service.use_cases import reporting
from pro_service.use_cases.participants import entry
from pro_service.use_cases.participants.entry import Filled
from pro_service.use_cases.tasks import calls
from pro_service.use_cases.tasks.calls import CallResult
from pro_service.use_cases.tick import beat, tick
from tests import support
from tests.peers import databases

pytestmark = databases.ON_BOTH

START = support.at("2026-01-05 15:00")
FIRST = date(2026, 1, 5)


def full_count(rt: Runtime, study_id: int) -> dict[str, Counter[str]]:
    """Every closed window of a confirmed procedure, judged one by one."""
    now, counts = rt.clock(), dict[str, Counter[str]]()
    with rt.sessions.reading() as session:
        ids = session.scalars(select(participants.c.id).where(participants.c.study_id == study_id)).all()
        for loaded in rt.loader.load(session, ids, lock=False):
            case = loaded.case
            for window in case.current if case.participant.confirmed_at is not None else ():
                if window.span.closes_at <= now:
                    settled = settled_as(window, case.participant, case.protocol.primary(window.point), now)
                    counts.setdefault(window.code, Counter())[settled] += 1
    return counts


def assert_equal(rows: list[ComplianceRow], counts: dict[str, Counter[str]]) -> None:
    for row in rows:
        count = counts.get(row["code"], Counter())
        assert row["completed_in_window"] == count["completed_in_window"]
        assert row["late"] == count["completed_late"]
        assert (row["missed"], row["partial"], row["declined"]) == (
            count["missed"], count["partial"], count["declined"],
        )  # fmt: skip
        assert row["missed_before_enrolment"] == count["missed_before_enrolment"]
        assert compliance.left_during(row) == count["withdrawn_after_opening"] + count["died_after_opening"]
        assert row["due"] == sum(count.values()) - sum(
            count[name] for name in ("missed_before_enrolment", "withdrawn", "died")
        )


def something_happens(rt: Runtime, study_id: int, actor: Actor, chance: random.Random) -> None:
    """Staff enter something, or somebody leaves."""
    with rt.sessions.reading() as session:
        ids = session.scalars(select(participants.c.id).order_by(participants.c.id)).all()
        case = rt.loader.one(session, chance.choice(ids), lock=False).case
    opened = [window for window in case.current if window.span.opens_at <= rt.clock()]
    task = next((e.id for e in case.escalations if e.open), None)
    if task is not None and chance.random() < 0.2:
        calls.record(
            rt, actor, task, CallResult(chance.choice(("withdraws", "died", "refused_this_time")), note="told")
        )
    elif opened:
        window = chance.choice(opened)
        given = {item: str(chance.randint(1, 7)) for item in window.point.items if chance.random() < 0.7}
        declined = set(window.point.items) - set(given) if chance.random() < 0.3 else set[str]()
        if given or declined:
            filled = Filled(given, declined, reason="as told", mode="telephone")
            entry.enter(rt, actor, study_id, case.participant.code, window.code, filled)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_tallies_equal_the_full_count_through_random_histories(
    rt: Runtime, clock: support.SetClock, study_id: int, actor: Actor, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 -- repeatable histories
    for number in range(12):
        day = FIRST + timedelta(days=chance.randint(-40, 6))
        site = chance.choice(("IST", "BER"))
        support.enrolled(rt, study_id, f"P-{number:03}", day, site=site, messaging_consent=FIRST.isoformat())
    for _ in range(30):
        clock.now += timedelta(hours=chance.randint(6, 120))
        if chance.random() < 0.8:  # else the scheduler stood still, and windows closed unsettled
            tick(rt)
        something_happens(rt, study_id, actor, chance)
        assert_equal(reporting.compliance_rows(rt, study_id), full_count(rt, study_id))


def test_rates_are_said_of_what_was_due(rt: Runtime, clock: support.SetClock, study_id: int, actor: Actor) -> None:
    for number in range(3):
        support.enrolled(rt, study_id, f"P-00{number}", FIRST)
    clock.now = support.at("2026-01-12 10:00")
    entry.enter(rt, actor, study_id, "P-000", "W1", Filled({"NRS-AVG": "3", "PGIC": "2"}))
    clock.now = support.at("2026-01-17 10:00")
    tick(rt)
    entry.enter(rt, actor, study_id, "P-001", "W1", Filled({"NRS-AVG": "5", "PGIC": "2"}, reason="called later"))
    week = next(row for row in reporting.compliance_rows(rt, study_id) if row["code"] == "W1")
    assert week == ComplianceRow(
        code="W1", due=3, completed_in_window=1, late=1, missed=1, missed_before_enrolment=0, partial=0, declined=0,
        rate_in_window=0.3333, rate_any=0.6667,
    )  # fmt: skip


def test_a_story_has_the_keys_that_others_build_on(
    rt: Runtime, clock: support.SetClock, study_id: int, actor: Actor
) -> None:
    support.enrolled(rt, study_id, "P-001", FIRST)
    entry.enter(rt, actor, study_id, "P-001", "V0", Filled({"NRS-AVG": "8", "NRS-NOW": "6"}))
    clock.now = support.at("2026-01-14 10:00")
    tick(rt)
    entry.enter(rt, actor, study_id, "P-001", "W1", Filled({"NRS-AVG": "4", "PGIC": "2"}, mode="telephone"))
    story = reporting.participant_story(rt, study_id, "P-001")
    assert story is not None
    assert (story["participant"], story["status"]) == ("P-001", "active")
    keys = {"code", "target", "opens_at", "closes_at", "status", "schedule", "why", "moved"}
    assert set(story["windows"][0]) == keys
    assert story["windows"][0]["opens_at"] == "2026-01-04T21:00:00Z"
    assert story["windows"][1]["status"] == "completed_in_window"
    assert story["responses"][-1] == {
        "window": "W1", "item": "PGIC", "value": 2, "source": "telephone", "received_at": "2026-01-14T07:00:00Z",
        "in_window": True, "version": 1, "mode": "telephone",
    }  # fmt: skip
    assert story["derived"] == [
        {
            "window": "W1", "item": "NRS-AVG", "percent_reduction": 50.0, "absolute_change": 4, "responder30": True,
            "responder50": True, "pgic_responder": None, "clinical_improvement": None,
            "reason": None, "formula_version": "1",
        },
        {
            "window": "W1", "item": "PGIC", "percent_reduction": None, "absolute_change": None, "responder30": None,
            "responder50": None, "pgic_responder": True, "clinical_improvement": True,
            "reason": None, "formula_version": "1",
        },
    ]  # fmt: skip
    assert [e["outcome"] for e in story["escalations"]] == [None, "completed_now"], "there is no telephone number"
    assert (story["asked_by"], story["card_made_at"], story["card_handed_at"]) == ("no-number", None, None)


@pytest.mark.parametrize(
    "facts, expected",
    [
        ({"confirmed_at": None}, "planned"),
        ({}, "active"),
        ({"paused_at": START}, "paused"),
        ({"opted_out_at": START}, "opted_out"),
        ({"opted_out_at": START, "withdrawn_at": START}, "withdrawn"),
        ({"withdrawn_at": START, "died_at": START}, "died"),
    ],
)
def test_a_participant_is_what_cannot_change_first(
    rt: Runtime, study_id: int, facts: dict[str, object], expected: str
) -> None:
    participant_id = support.enrolled(rt, study_id, "P-001", FIRST)
    with rt.sessions.begin() as session:
        if facts:
            session.execute(participants.update().where(participants.c.id == participant_id).values(**facts))
    assert participant_status(support.loaded(rt, participant_id).case, START) == expected


def test_a_participant_whose_windows_have_closed_is_finished(rt: Runtime, study_id: int) -> None:
    participant_id = support.enrolled(rt, study_id, "P-001", FIRST)
    case = support.loaded(rt, participant_id).case
    assert participant_status(case, support.at("2026-08-01 10:00")) == "finished"


def page(rt: Runtime, study_id: int, look: Look, sites: set[int] | None = None, size: int = 2) -> report_grid.Grid:
    with rt.sessions.reading() as session:
        return report_grid.participants_page(session, rt.loader, study_id, rt.clock(), sites, look, size=size)


@pytest.mark.parametrize(
    "order, expected", [("code", "01234"), ("-code", "43210"), ("procedure", "13024"), ("-procedure", "42031")]
)
@pytest.mark.parametrize("channel", [None, "calls"])
def test_pages_are_cut_in_every_order_and_meet_without_a_gap(
    rt: Runtime, study_id: int, order: report_grid.Order, expected: str, channel: str | None
) -> None:
    for number in range(5):
        support.enrolled(rt, study_id, f"P-00{number}", FIRST - timedelta(days=number % 2))
    seen: list[str] = []
    after: str | None = None
    for _ in range(3):
        grid = page(rt, study_id, Look(after=after, order=order, channel=channel))
        seen += [row.code for row in grid.rows]
        after = grid.after
    assert (seen, after) == ([f"P-00{number}" for number in expected], None)


def test_a_state_is_looked_for_by_the_rules(rt: Runtime, clock: support.SetClock, study_id: int, actor: Actor) -> None:
    support.enrolled(rt, study_id, "P-001", FIRST)
    support.enrolled(rt, study_id, "P-002", FIRST)
    clock.now = support.at("2026-01-14 10:00")
    entry.enter(rt, actor, study_id, "P-002", "W1", Filled({"NRS-AVG": "4", "PGIC": "2"}))
    assert [row.code for row in page(rt, study_id, Look(state="at_risk")).rows] == ["P-001"]
    assert [row.code for row in page(rt, study_id, Look(state="completed_in_window")).rows] == ["P-002"]
    assert [row.code for row in page(rt, study_id, Look(state="missed")).rows] == ["P-001", "P-002"]
    assert page(rt, study_id, Look(state="declined")).rows == ()


def test_a_code_is_found_by_how_it_begins(rt: Runtime, study_id: int) -> None:
    for code in ("A-001", "P-001", "P_001"):
        support.enrolled(rt, study_id, code, FIRST)
    assert [row.code for row in page(rt, study_id, Look(search="P_")).rows] == ["P_001"]


def test_a_site_sees_its_own(rt: Runtime, clock: support.SetClock, study_id: int) -> None:
    support.enrolled(rt, study_id, "P-001", FIRST)
    support.enrolled(rt, study_id, "P-002", FIRST, site="BER")
    clock.now = support.at("2026-01-14 12:00")
    tick(rt)
    with rt.sessions.reading() as session:
        berlin = {studies.site_ids(session, study_id)["BER"]}
        shown = today.today(session, rt.loader, study_id, clock.now, berlin)
        assert cases.load_by_code(session, rt.loader, study_id, "P-001", berlin) is None
        assert story.participant_story(session, rt.vault, rt.loader, study_id, "P-001", clock.now, berlin) is None
    assert [task.participant for task in shown.queue] == ["P-002"]
    assert [row.code for row in page(rt, study_id, Look(), berlin).rows] == ["P-002"]
    assert {e["participant"] for e in reporting.escalation_rows(rt, study_id, berlin)} == {"P-002"}
    assert sum(row["due"] for row in reporting.compliance_rows(rt, study_id, berlin)) == 1


def test_today_puts_the_least_time_left_first_and_what_was_put_off_last(
    rt: Runtime, clock: support.SetClock, study_id: int, actor: Actor
) -> None:
    for number in range(2):
        support.enrolled(rt, study_id, f"P-00{number}", FIRST - timedelta(days=number))
    clock.now = support.at("2026-01-14 12:00")
    tick(rt)
    beat(rt, "tick")
    with rt.sessions.reading() as session:
        before = today.today(session, rt.loader, study_id, clock.now)
    assert [task.participant for task in before.queue] == ["P-001", "P-000"]
    # The second has both a call and an urgent call open: one card.
    assert (before.queue[0].level, before.queue_count) == ("E2", 2)
    calls.record(rt, actor, before.queue[0].id, CallResult("no_answer"))
    clock.now += timedelta(minutes=16)
    with rt.sessions.reading() as session:
        after = today.today(session, rt.loader, study_id, clock.now)
    assert [task.participant for task in after.queue] == ["P-000", "P-001"]
    assert [attempt.result for attempt in after.queue[-1].attempts] == ["no_answer"]


def test_an_empty_day_says_which_window_opens_next(rt: Runtime, study_id: int) -> None:
    support.enrolled(rt, study_id, "P-001", FIRST)
    with rt.sessions.reading() as session:
        shown = today.today(session, rt.loader, study_id, START)
    assert shown.queue == ()
    assert shown.next_opening is not None
    assert shown.next_opening[:2] == (support.at("2026-01-11 00:00"), "P-001")


def test_pages_ask_the_database_as_often_at_any_size(rt: Runtime, clock: support.SetClock, study_id: int) -> None:
    asked: list[int] = []
    for first, last in ((0, 2), (2, 12)):
        clock.now = START
        for number in range(first, last):
            support.enrolled(rt, study_id, f"P-{number:03}", FIRST)
        clock.now = support.at("2026-01-14 12:00")
        tick(rt)
        statements: list[str] = []

        def count(_conn: object, _cursor: object, statement: str, *_: object, seen: list[str] = statements) -> None:
            seen.append(statement)

        event.listen(rt.sessions.engine, "before_cursor_execute", count)
        with rt.sessions.reading() as session:
            today.today(session, rt.loader, study_id, clock.now)
            report_grid.participants_page(session, rt.loader, study_id, clock.now)
        event.remove(rt.sessions.engine, "before_cursor_execute", count)
        asked.append(len([statement for statement in statements if statement.startswith(("SELECT", "WITH"))]))
    assert asked[0] == asked[1]
    assert asked[0] < 25


def test_a_way_of_asking_is_looked_for_page_by_page(rt: Runtime, study_id: int) -> None:
    for number in range(4):
        cells = {"phone": f"+1202555010{number}", "channel": "sms-reply"} if number % 2 else {}
        support.enrolled(rt, study_id, f"P-00{number}", FIRST, **cells)
    first = page(rt, study_id, Look(channel="sms-reply"), size=1)
    assert [row.code for row in first.rows] == ["P-001"]
    rest = page(rt, study_id, Look(channel="sms-reply", after=first.after), size=1)
    assert ([row.code for row in rest.rows], rest.after) == (["P-003"], None)
    assert [row.code for row in page(rt, study_id, Look(channel="calls")).rows] == ["P-000", "P-002"]
    assert page(rt, study_id, Look(channel="sms-link")).rows == ()
