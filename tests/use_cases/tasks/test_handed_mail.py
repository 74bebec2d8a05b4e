"""The mail to whom a task is handed: one a hand-over, its code, window and link, and none once it is not theirs."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy import event, select

from pro_service.gateways.outgoing import Unavailable
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.participants import tasks
from pro_service.store.schema import messages, roles
from pro_service.store.staff import accounts
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.staff import administration
from pro_service.use_cases.tasks import calls, hand_over
from pro_service.use_cases.tasks.calls import CallResult, WorkRefusedError
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

PHONE = "+12025550123"


@dataclass
class Stage:
    """One participant who is to be called, two coordinators at their site, and one of another."""

    rt: Runtime
    clock: support.SetClock
    who: int
    task: int
    me: Actor
    colleague: int
    stranger: int


def by(user: int) -> Actor:
    return Actor(kind="staff", id=f"user:{user}", source="dashboard", user_id=user)


@pytest.fixture
def stage(rt: Runtime, study_id: int, clock: support.SetClock) -> Stage:
    """Return the stage on the day of the call, whose own mails were not sent."""
    cells = {"phone": PHONE, "baseline_nrs_avg": "6", "baseline_nrs_now": "5"}
    who = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), **cells)
    me, *others = (
        support.coordinator(rt, f"{name}@example.org", site=site)
        for name, site in (("me", "IST"), ("colleague", "IST"), ("stranger", "BER"))
    )
    clock.now = support.at("2026-03-11 11:00")
    tick(rt)
    task = next(e.id for e in support.loaded(rt, who).case.escalations if e.level == "E1")
    return Stage(rt, clock, who, task, by(me), *others)


@pytest.fixture
def letters(stage: Stage) -> Telephones:
    """Return the letter boxes of the stage, emptied; from now on the stage can send mail."""
    made = Telephones(kind="mail-")
    stage.rt = replace(stage.rt, mail=made)
    return made


def hand(stage: Stage, to: int) -> None:
    stage.clock.now += timedelta(minutes=1)
    hand_over.hand_over(stage.rt, stage.me, stage.task, to)


def holder(stage: Stage) -> int | None:
    with stage.rt.sessions.reading() as session:
        return tasks.holder(session, stage.task).handed_to


def mails(stage: Stage) -> list[tuple[int, str]]:
    """(to whom, state) of every mail, oldest first."""
    m = messages.c
    with stage.rt.sessions.reading() as session:
        rows = session.execute(select(m.user_id, m.state).where(m.channel == "email").order_by(m.queued_at, m.id))
        return [(row.user_id, row.state) for row in rows]


@pytest.mark.parametrize("language, subject", [("en", "handed to you"), ("tr", "size devredildi")])
@databases.ON_BOTH
def test_whom_it_is_handed_to_gets_one_mail_with_code_window_and_link(
    stage: Stage, letters: Telephones, language: str, subject: str
) -> None:
    with stage.rt.sessions.begin() as session:
        accounts.set_language(session, stage.colleague, language)
    hand(stage, stage.colleague)
    hand(stage, stage.colleague)
    for _ in range(2):
        deliver(stage.rt)
    [mail] = letters.sent
    assert (mail.to, mail.subject) == ("colleague@example.org", f"P-001 · W1: {subject}")
    assert f"{stage.rt.settings.public_base_url}/escalations/{stage.task}\n" in mail.body
    said = mail.body.replace(mail.body[mail.body.index("http") :].partition("\n")[0], "")
    assert not re.search(rf"@|{re.escape(PHONE)}|NRS|PGIC", said), "nobody's address, telephone or score"
    assert mails(stage) == [(stage.colleague, "accepted")]


@pytest.mark.usefixtures("letters")
def test_a_refused_hand_over_brings_no_mail(stage: Stage) -> None:
    assert stage.me.user_id is not None
    for to in (stage.me.user_id, stage.stranger):
        with pytest.raises(WorkRefusedError):
            hand(stage, to)
    assert mails(stage) == []


@pytest.mark.usefixtures("letters")
@databases.ON_BOTH
def test_taken_back_and_handed_over_again_in_the_same_instant_is_one_mail(stage: Stage) -> None:
    hand(stage, stage.colleague)
    calls.acknowledge(stage.rt, stage.me, stage.task)
    hand_over.hand_over(stage.rt, stage.me, stage.task, stage.colleague)
    assert mails(stage) == [(stage.colleague, "ready")]
    deliver(stage.rt)
    assert mails(stage) == [(stage.colleague, "accepted")]


@databases.ON_BOTH
def test_handed_to_and_fro_only_the_last_hand_over_is_told(stage: Stage, letters: Telephones) -> None:
    third = support.coordinator(stage.rt, "third@example.org", site="IST")
    for to in (stage.colleague, third, stage.colleague):
        hand(stage, to)
    deliver(stage.rt)
    assert mails(stage) == [(stage.colleague, "cancelled"), (third, "cancelled"), (stage.colleague, "accepted")]
    assert [sent.to for sent in letters.sent] == ["colleague@example.org"]


@pytest.mark.parametrize("what", ["ended", "taken back", "taken up", "role ended", "account shut"])
def test_what_is_no_longer_theirs_to_take_up_is_not_mailed(stage: Stage, letters: Telephones, what: str) -> None:
    hand(stage, stage.colleague)
    assert mails(stage) == [(stage.colleague, "ready")]  # and the relay is away
    r = roles.c
    with stage.rt.sessions.reading() as session:
        role = session.scalars(select(r.id).where(r.user_id == stage.colleague)).one()
    acts: dict[str, Callable[[], object]] = {
        "ended": partial(calls.record, stage.rt, stage.me, stage.task, CallResult("refused_this_time")),
        "taken back": partial(calls.acknowledge, stage.rt, stage.me, stage.task),
        "taken up": partial(calls.acknowledge, stage.rt, by(stage.colleague), stage.task),
        "role ended": partial(administration.revoke, stage.rt, support.SETUP, stage.colleague, role),
        "account shut": partial(administration.disable, stage.rt, support.SETUP, stage.colleague),
    }
    acts[what]()
    deliver(stage.rt)
    assert mails(stage)[0] == (stage.colleague, "cancelled")
    assert [sent for sent in letters.sent if "/escalations/" in sent.body] == []


def test_a_relay_that_comes_back_brings_it_once(stage: Stage, letters: Telephones) -> None:
    letters.faults.append(Unavailable(421))
    hand(stage, stage.colleague)
    deliver(stage.rt)
    assert mails(stage) == [(stage.colleague, "ready")]
    stage.clock.now += timedelta(hours=1)
    deliver(stage.rt)
    assert [sent.to for sent in letters.sent] == ["colleague@example.org"]


def test_without_a_mail_host_it_is_handed_over_all_the_same(stage: Stage) -> None:
    hand(stage, stage.colleague)
    assert holder(stage) == stage.colleague
    assert mails(stage) == []


@pytest.mark.usefixtures("letters")
@databases.ON_BOTH
def test_the_mail_and_the_hand_over_are_written_together_or_not_at_all(stage: Stage) -> None:
    def ends(_: object) -> None:
        raise KeyboardInterrupt

    before = support.rows_of(stage.rt)
    event.listen(stage.rt.sessions.engine, "commit", ends)
    with pytest.raises(KeyboardInterrupt):
        hand(stage, stage.colleague)
    event.remove(stage.rt.sessions.engine, "commit", ends)
    assert support.rows_of(stage.rt) == before
    assert holder(stage) is None
