"""The keys of the settings: a rotation wraps everything anew, and the old key may go once nothing needs it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from pro_service.core.problems import RejectedError
from pro_service.core.problems import words as problem_words
from pro_service.runtime import Runtime, open_runtime
from pro_service.settings import Settings
from pro_service.store.schema import audit_trail, participants
from pro_service.store.vault import WrongKeyError, opened
from pro_service.use_cases import doctor, keys
from pro_service.use_cases.trail.seal import seal
from pro_service.use_cases.trail.verify import verify
from tests import support
from tests.peers import databases

pytestmark = databases.ON_BOTH
PHONE = "+12025550123"
NEW = ("k2", bytes(range(1, 33)))


@pytest.fixture
def both(settings: Settings) -> Settings:
    """Return settings with a new key before the old one, of a database with three participants of the old."""
    rt = open_runtime(settings)
    study_id = support.load_demo(rt)
    for code in ("P-001", "P-002", "P-003"):
        support.enrolled(rt, study_id, code, date(2026, 3, 2), phone=PHONE, procedure_time="")
    rt.close()
    return replace(settings, data_keys=(NEW, *settings.data_keys))


@pytest.fixture
def rt(both: Settings) -> Iterator[Runtime]:
    """Return a runtime that has both keys."""
    runtime = open_runtime(both)
    yield runtime
    runtime.close()


def telephones(rt: Runtime) -> set[str]:
    with rt.sessions.reading() as session:
        rows = session.execute(select(participants.c.id, participants.c.data_key, participants.c.phone)).all()
    return {
        opened(rt.vault.data_key(row.data_key, row.id), row.phone, f"participants|phone|{row.id}").decode()
        for row in rows
    }


def test_everything_is_wrapped_anew_and_the_old_key_may_go(both: Settings, rt: Runtime) -> None:
    support.enrolled(rt, support.load_demo(rt, "OTHER"), "P-004", date(2026, 3, 2), phone=PHONE, procedure_time="")
    index, before = rt.vault.index("phone", PHONE), keys.all_keys(rt)
    assert [(one.key, one.newest, one.values, one.may_go) for one in before] == [
        ("k2", True, 1, False),
        ("k1", False, 5, False),
    ]
    assert before[1].uses == {"installation.value": 2, "participants.data_key": 3}
    assert "k1 still wraps 5 keys" in [one.finding for one in doctor.examine(both) if one.part == "keys"]
    assert keys.rotate(rt, support.SETUP, dry_run=True).values == 5
    assert keys.all_keys(rt) == before
    steps = list[tuple[int, int]]()
    done = keys.rotate(rt, support.SETUP, progress=lambda n, total: steps.append((n, total)))
    assert (done.key, done.values, done.damaged, steps[-1]) == ("k2", 5, {}, (5, 5))
    assert keys.rotate(rt, support.SETUP).values == 0, "a second one finds nothing to do"
    new, old = keys.all_keys(rt)
    assert (new.values, old.values, old.may_go) == (6, 0, True)
    assert new.since is not None
    assert "nothing needs k1 any more: it may go" in [one.finding for one in doctor.examine(both)]
    alone = open_runtime(replace(both, data_keys=(NEW,)))
    assert telephones(alone) == {PHONE}
    assert alone.vault.index("phone", PHONE) == index, "numbers are found as before"
    seal(alone)
    assert verify(alone).findings == (), "rows of the trail from before are still genuine"
    with alone.sessions.reading() as session:
        actions = session.scalars(select(audit_trail.c.action).where(audit_trail.c.entity == "data_keys")).all()
    assert actions == ["rotate"]
    alone.close()


def test_the_service_does_not_start_without_a_key_that_is_still_needed(both: Settings, rt: Runtime) -> None:
    keys.rotate(rt, support.SETUP)
    study_id = support.load_demo(rt, "OTHER")
    behind = replace(both, data_keys=(both.data_keys[1], NEW))
    old = open_runtime(behind)
    support.enrolled(old, study_id, "P-004", date(2026, 3, 2), phone=PHONE, procedure_time="")
    old.close()
    with pytest.raises(WrongKeyError) as refused:
        open_runtime(replace(both, data_keys=(NEW,)))
    what, remedy = problem_words(refused.value.problem)
    assert what == "DATA_KEYS has no key 'k1', and 1 wrapped keys need it"
    assert "keys rotate" in remedy
    with pytest.raises(WrongKeyError) as other:
        open_runtime(replace(both, data_keys=(("k2", bytes(32)), both.data_keys[1])))
    assert other.value.problem.code == "data_key_wrong"
    assert keys.rotate(rt, support.SETUP).values == 1
    open_runtime(replace(both, data_keys=(NEW,))).close()


def test_nothing_is_wrapped_anew_while_a_running_program_knows_the_old_key_only(both: Settings, rt: Runtime) -> None:
    clock = support.SetClock(rt.clock())
    rt = replace(rt, clock=clock)
    old = replace(open_runtime(replace(both, data_keys=both.data_keys[1:])), clock=clock)
    keys.beat(old)
    clock.now += timedelta(seconds=90)
    with pytest.raises(RejectedError) as refused:
        keys.rotate(rt, support.SETUP)
    [fault] = refused.value.faults
    assert (fault.code, fault.values["key"], fault.values["seconds"]) == ("data_key_outdated", "'k1'", 90)
    clock.now += timedelta(seconds=60)
    keys.beat(rt)
    assert keys.rotate(rt, support.SETUP).values == 5
    keys.beat(old)
    assert [one.may_go for one in keys.all_keys(rt)] == [False, False], "that program would still wrap with it"
    old.close()


def test_a_damaged_value_stays_as_it_is_and_is_named(rt: Runtime) -> None:
    with rt.sessions.begin() as session:
        p = participants.c
        row_id, value = session.execute(select(p.id, p.data_key).where(p.code == "P-002")).one()
        session.execute(update(participants).where(p.id == row_id).values(data_key=value[:-1] + b"\0"))
    done = keys.rotate(rt, support.SETUP)
    assert (done.values, done.damaged) == (4, {"participants.data_key": [row_id]})
    assert [one.may_go for one in keys.all_keys(rt)] == [False, False]
    open_runtime(rt.settings).close()
