"""What a batch foresees of its participants is what a reload would show, through months of random histories."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest

from pro_service.core.case import Case
from pro_service.core.commands import OptOut
from pro_service.core.conversation.answers import on_answers
from pro_service.core.schedule.agenda import look, next_moment
from pro_service.runtime import Runtime
from pro_service.store import due
from pro_service.store.participants import cases
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.transaction import SCHEDULER, transaction
from tests import support
from tests.peers import databases

pytestmark = databases.ON_BOTH

START = support.at("2026-03-02 15:00")
MONTHS = timedelta(days=110)
ENDLESS = 600
"""Steps in which a hundred days must have passed."""


@pytest.mark.parametrize("seed", [1])
def test_a_batch_foresees_what_a_reload_shows(rt: Runtime, clock: support.SetClock, study_id: int, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    for number in range(6):
        phone = "" if number == 5 else f"+4915123450{number:03}"
        channel = ("sms-link", "sms-reply")[number % 2]
        support.enrolled(rt, study_id, f"P-{number}", date(2026, 3, 2), phone=phone, channel=channel)
    seen: Counter[str] = Counter()
    for _ in range(ENDLESS):
        with rt.sessions.reading() as session:
            moment = cases.earliest_check(session)
        if moment is None or moment > START + MONTHS:
            break
        clock.now = max(moment, clock.now)
        for expected, one in one_batch(rt, clock, seen):
            after = support.loaded(rt, one)
            assert after.case == expected
            assert after.next_check_at == next_moment(expected, clock.now)
        if dice.random() < 0.8:
            deliver(rt)
        for expected, one in _happen(rt, clock, dice):
            assert support.loaded(rt, one).case == expected
            seen["answered"] += 1
    assert {"Send", "Settle", "Escalate", "Resolve", "answered"} <= seen.keys(), seen
    assert seen["foreseen"] > seen["reloaded"]


def one_batch(rt: Runtime, clock: support.SetClock, seen: Counter[str]) -> list[tuple[Case, int]]:
    """Do what a tick does in one batch; gives what was foreseen, of whom."""
    found = []
    with rt.sessions.reading() as session:
        ids = due.participants_due(session, clock.now, 500)
    with transaction(rt, SCHEDULER, clock.now) as tx:
        for loaded in rt.loader.load(tx.session, ids):
            looked = look(loaded.case, clock.now)
            tx.carry_out(loaded, looked.commands)
            seen.update(type(command).__name__ for command in looked.commands)
            case = tx.writer.foreseen(loaded)
            seen["reloaded" if case is None else "foreseen"] += 1
            if case is not None:
                found.append((case, case.participant.id))
            tx.foresee_next_check(loaded, looked)
    return found


def _happen(rt: Runtime, clock: support.SetClock, dice: random.Random) -> list[tuple[Case, int]]:
    """Somebody answers, or wants no more texts, or nothing happens; gives what was foreseen, of whom."""
    found = []
    with transaction(rt, SCHEDULER, clock.now) as tx:
        ids = due.participants_due(tx.session, START + 10 * MONTHS, 500)
        for loaded in rt.loader.load(tx.session, ids):
            opened = [w for w in loaded.case.current if w.span.opens_at <= clock.now < w.span.closes_at and w.missing()]
            if opened and dice.random() < 0.1:
                answers = {opened[0].missing()[0]: 3}
                told = on_answers(loaded.case, opened[0], answers, source="web", received_at=clock.now, now=clock.now)
                tx.carry_out(loaded, told)
                case = tx.writer.foreseen(loaded)
                found += [] if case is None else [(case, case.participant.id)]
            elif dice.random() < 0.002:
                tx.carry_out(loaded, [OptOut()])
    return found
