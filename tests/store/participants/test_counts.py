"""Closed windows by site, channel and month, and complete cases: equal to the full count through random histories."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from pro_service.core.case import Case
from pro_service.core.schedule.status import settled_as
from pro_service.reports import breakdown
from pro_service.reports.breakdown import Breakdown, Chosen
from pro_service.runtime import Runtime
from pro_service.store import schema as tables
from pro_service.store.audit import Actor
from pro_service.store.participants import counts
from pro_service.store.schema import participants, sites
from pro_service.use_cases import reporting
from pro_service.use_cases.participants import entry
from pro_service.use_cases.participants.confirm import confirm
from pro_service.use_cases.participants.entry import Filled
from pro_service.use_cases.tasks import calls
from pro_service.use_cases.tasks.calls import CallResult
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases

pytestmark = databases.ON_BOTH

FIRST = date(2026, 1, 5)
DECIDING = {"V0", "W1", "M1", "M3"}
NOT_DUE = {"missed_before_enrolment", "withdrawn", "died"}
DONE = {"completed_in_window", "completed_late"}


def everybody(rt: Runtime) -> list[Case]:
    with rt.sessions.reading() as session:
        ids = session.scalars(select(participants.c.id).order_by(participants.c.id)).all()
        return [loaded.case for loaded in rt.loader.load(session, ids, lock=False)]


def judged(case: Case, rt: Runtime) -> dict[str, str]:
    """Time point -> how its window is counted, of those that have closed."""
    now = rt.clock()
    if case.participant.confirmed_at is None:
        return {}
    return {
        window.code: settled_as(window, case.participant, case.protocol.primary(window.point), now)
        for window in case.current
        if window.span.closes_at <= now
    }


def full_count(rt: Runtime, channel_then: dict[str, str]) -> tuple[Counter[tuple[str, ...]], Counter[str]]:
    """(site, time point, channel, month, how) of every closed window, and complete and incomplete cases."""
    found: Counter[tuple[str, ...]] = Counter()
    whole: Counter[str] = Counter()
    for case in everybody(rt):
        state, person = judged(case, rt), case.participant
        for window in case.current:
            if window.code in state:
                month = f"{window.span.target:%Y-%m}"
                key = (person.site.code, window.code, channel_then[person.code], month, state[window.code])
                found[key] += 1
        deciding = [state[code] for code in DECIDING if code in state]
        if len(deciding) == len(DECIDING) and not NOT_DUE & set(deciding):
            whole["complete" if set(deciding) <= DONE else "incomplete"] += 1
    return found, whole


def shown(rt: Runtime, study_id: int, look: Chosen) -> Breakdown:
    with rt.sessions.reading() as session:
        return breakdown.breakdown(session, rt.loader, study_id, rt.clock(), look)


def site_ids(rt: Runtime) -> dict[str, int]:
    with rt.sessions.reading() as session:
        return {row.code: row.id for row in session.execute(select(sites.c.code, sites.c.id))}


def assert_equal(rt: Runtime, study_id: int, channel_then: dict[str, str]) -> None:
    full, whole = full_count(rt, channel_then)
    named = {row_id: code for code, row_id in site_ids(rt).items()}
    found = shown(rt, study_id, Chosen())
    assert found.complete == (whole["complete"], whole.total())

    def due(part: int, value: str) -> tuple[int, int]:
        of = [(key[4], n) for key, n in full.items() if key[part] == value]
        return sum(n for how, n in of if how in DONE), sum(n for how, n in of if how not in NOT_DUE)

    for part, rows in (
        (0, {named[key]: row for key, row in found.sites.items()}),
        (1, {row["code"]: row for row in found.windows}),
        (2, found.channels),
        (3, found.months),
    ):
        for value in {key[part] for key in full} | set(rows):
            row = rows.get(value)
            got = (0, 0) if row is None else (row["completed_in_window"] + row["late"], row["due"])
            assert got == due(part, value), value
    # The command line's report counts the same.
    assert sum(row["due"] for row in reporting.compliance_rows(rt, study_id)) == found.all["due"]
    last = list(found.so_far.values())[-1:]
    assert [row["due"] for row in last] == ([found.all["due"]] if last else [])


def something_happens(rt: Runtime, study_id: int, actor: Actor, chance: random.Random) -> None:
    """Staff enter something, somebody leaves, or a procedure date turns out to be another."""
    case = chance.choice(everybody(rt))
    opened = [window for window in case.current if window.span.opens_at <= rt.clock()]
    task = next((e.id for e in case.escalations if e.open), None)
    if task is not None and chance.random() < 0.15:
        calls.record(
            rt, actor, task, CallResult(chance.choice(("withdraws", "died", "refused_this_time")), note="told")
        )
    elif opened:
        window = chance.choice(opened)
        given = {item: str(chance.randint(1, 7)) for item in window.point.items if chance.random() < 0.85}
        declined = set(window.point.items) - set(given) if chance.random() < 0.3 else set[str]()
        if given or declined:
            filled = Filled(given, declined, reason="as told", mode="telephone")
            entry.enter(rt, actor, study_id, case.participant.code, window.code, filled)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_part_equals_the_full_count_through_random_histories(
    rt: Runtime, clock: support.SetClock, study_id: int, actor: Actor, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 -- repeatable histories
    channels: dict[str, str] = {}
    for number in range(12):
        code, day = f"P-{number:03}", FIRST + timedelta(days=chance.randint(-40, 6))
        cells = {"site": chance.choice(("IST", "BER")), "messaging_consent": FIRST.isoformat()}
        channels[code] = chance.choice(("sms-reply", "sms-link", "calls"))
        if channels[code] != "calls":
            cells |= {"phone": f"+120255501{number:02}", "channel": channels[code]}
        support.enrolled(rt, study_id, code, day, **cells)
    for _ in range(30):
        clock.now += timedelta(hours=chance.randint(6, 120))
        if chance.random() < 0.8:  # else the scheduler stood still, and windows closed unsettled
            tick(rt)
        something_happens(rt, study_id, actor, chance)
        assert_equal(rt, study_id, channels)


def test_a_window_stays_where_it_was_counted_when_the_channel_changes(
    rt: Runtime, clock: support.SetClock, study_id: int, actor: Actor
) -> None:
    row_id = support.enrolled(rt, study_id, "P-001", FIRST, phone="+12025550101", channel="sms-reply")
    clock.now = support.at("2026-01-17 10:00")
    tick(rt)
    with rt.sessions.begin() as session:
        session.execute(update(participants).where(participants.c.id == row_id).values(channel="sms-link"))
    entry.enter(rt, actor, study_id, "P-001", "W1", Filled({"NRS-AVG": "5", "PGIC": "2"}, reason="called later"))
    found = shown(rt, study_id, Chosen(window="W1"))
    assert {channel: (row["late"], row["missed"]) for channel, row in found.channels.items()} == {"sms-reply": (1, 0)}


def test_a_participant_takes_what_was_counted_to_another_site(
    rt: Runtime, clock: support.SetClock, study_id: int
) -> None:
    row_id = support.enrolled(rt, study_id, "P-001", FIRST)
    clock.now = support.at("2026-06-01 10:00")
    tick(rt)
    there = site_ids(rt)["BER"]
    before = shown(rt, study_id, Chosen())
    with rt.sessions.begin() as session:
        counts.move(session, rt.loader.one(session, row_id), there)
    after = shown(rt, study_id, Chosen())
    assert {key: row["due"] for key, row in after.sites.items() if row["due"]} == {there: before.all["due"]}
    assert shown(rt, study_id, Chosen(frozenset({there}))).complete == before.complete == (0, 1)


def test_another_procedure_date_takes_a_case_out_until_its_windows_have_closed_again(
    rt: Runtime, clock: support.SetClock, study_id: int
) -> None:
    support.enrolled(rt, study_id, "P-001", FIRST)
    clock.now = support.at("2026-06-01 10:00")
    tick(rt)
    assert shown(rt, study_id, Chosen()).complete == (0, 1)
    confirm(rt, support.SETUP, study_id, "P-001", date(2026, 5, 28))
    assert shown(rt, study_id, Chosen()).complete == (0, 0)
    with rt.sessions.reading() as session:
        c = tables.closings.c
        left = session.execute(select(c.status, c.count).where(c.code == counts.WHOLE, c.count != 0)).all()
    assert left == []


def test_filters_choose_what_is_counted(rt: Runtime, clock: support.SetClock, study_id: int) -> None:
    support.enrolled(rt, study_id, "P-001", FIRST, phone="+12025550101", channel="sms-reply")
    support.enrolled(rt, study_id, "P-002", FIRST, site="BER")
    clock.now = support.at("2026-01-20 10:00")
    tick(rt)
    berlin = frozenset({site_ids(rt)["BER"]})
    assert shown(rt, study_id, Chosen()).all["due"] == 4
    assert shown(rt, study_id, Chosen(berlin)).all["due"] == 2
    assert shown(rt, study_id, Chosen(channel="calls")).all["due"] == 2
    assert shown(rt, study_id, Chosen(berlin, "sms-reply")).all["due"] == 0
    week = shown(rt, study_id, Chosen(window="W1"))
    assert ([row["code"] for row in week.windows], week.all["missed"], week.complete) == (["W1"], 2, None)
    assert list(week.months) == ["2026-01"]
