"""The ladder in random lives of a small site: nothing goes up twice, nothing waits unseen, nothing ends silently."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from pro_service.core.case import EscalationFacts
from pro_service.core.problems import ChangeRefusedError
from pro_service.core.schedule.agenda import on_time
from pro_service.core.schedule.causes import rungs_below
from pro_service.reports import today
from pro_service.runtime import Runtime, open_runtime
from pro_service.settings import Settings
from pro_service.store.audit import Actor
from pro_service.store.schema import audit_trail
from pro_service.use_cases.participants import change, entry
from pro_service.use_cases.participants.change_form import ChangeForm
from pro_service.use_cases.tasks import calls, hand_over
from pro_service.use_cases.tasks.calls import OUTCOMES, CallResult, WorkRefusedError
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

START = support.at("2026-03-02 15:00")
HOURS = (1, 3, 8, 20, 30, 50, 24 * 5, 24 * 14)
ACTS = (
    "acknowledge",
    "later",
    "hand",
    "back",
    "call",
    "call",
    "call",
    "answer",
    "end",
    "explain",
    "reschedule",
    "leave",
)
ONCE = ("E1", "E2", "E3", "E4")


@dataclass
class Site:
    """One participant, two coordinators, and a clock that only goes forward."""

    rt: Runtime
    clock: support.SetClock
    study_id: int
    who: int
    staff: tuple[Actor, Actor]

    @property
    def tasks(self) -> tuple[EscalationFacts, ...]:
        return support.loaded(self.rt, self.who).case.escalations

    def later(self, hours: int) -> None:
        """Time passes, and the scheduler looks twice: the second time there is nothing left to do."""
        self.clock.now += timedelta(hours=hours)
        tick(self.rt)
        assert on_time(support.loaded(self.rt, self.who).case, self.clock.now) == ()

    def do(self, what: str, which: int) -> None:
        """Somebody does something about one of the tasks; what makes no sense is refused."""
        tasks, actor = self.tasks, self.staff[which % 2]
        refused = support.rejected_for("window_not_open", "nothing_entered")
        with suppress(WorkRefusedError, ChangeRefusedError, KeyError), refused:
            if what == "answer":
                codes = [window.code for window in support.loaded(self.rt, self.who).case.current]
                filled = entry.Filled({"NRS-AVG": "4"}, reason="told so", mode="telephone")
                entry.enter(self.rt, actor, self.study_id, "P-001", codes[which % len(codes)], filled)
            elif what in ("reschedule", "leave"):
                self._change(what, which)
            elif tasks:
                self._work(what, which, tasks[which % len(tasks)], actor)

    def _change(self, what: str, which: int) -> None:
        if what == "leave" and which % 4:
            return
        day = (START + timedelta(days=which % 9 - 4)).date().isoformat()
        wanted = {
            "reschedule": ChangeForm("reschedule", {"procedure_date": day}, "the file says so"),
            "leave": ChangeForm("withdraw", {"from": "study"}, "said so"),
        }[what]
        change.change(self.rt, self.staff[0], self.study_id, "P-001", wanted)

    def _work(self, what: str, which: int, task: EscalationFacts, actor: Actor) -> None:
        rt, colleague = self.rt, self.staff[(which + 1) % 2]
        if what == "acknowledge":
            calls.acknowledge(rt, actor, task.id)
        elif what == "later":
            hand_over.put_off(rt, actor, task.id, ("hour", "afternoon", "morning")[which % 3])
        elif what == "back":
            hand_over.put_off(rt, actor, task.id, None)
        elif what == "hand":
            hand_over.hand_over(rt, actor, task.id, colleague.user_id or 0)
        elif what == "call":
            back = self.clock.now + timedelta(hours=4)
            calls.record(rt, actor, task.id, CallResult(OUTCOMES[which % len(OUTCOMES)], back, "said so"))
        elif what == "explain" and task.level == "E3":
            calls.explain_missing(rt, actor, task.id, "too_ill")
        elif what == "end" and task.level != "E3":
            calls.resolve(rt, actor, task.id, reason="seen to" if which % 2 else "")

    def check(self) -> None:
        """What must be true whatever happened."""
        tasks = self.tasks
        rungs = Counter((task.window_id, task.level) for task in tasks if task.window_id and task.level in ONCE)
        assert not [rung for rung, times in rungs.items() if times > 1]
        ended = {task.id for task in tasks if not task.open}
        assert all(task.outcome for task in tasks if not task.open)
        a = audit_trail.c
        with self.rt.sessions.reading() as session:
            told = session.scalars(select(a.entity_id).where(a.action == "resolve", a.entity == "escalation")).all()
            pages = [
                today.today(session, self.rt.loader, self.study_id, self.clock.now, {self._site}, reader=actor.user_id)
                for actor in self.staff
            ]
        assert ended <= set(told)
        assert len(told) == len(set(told))
        for page in pages:
            shown = {task.id for task in (*page.mine, *page.queue, *page.tasks)}
            case = support.loaded(self.rt, self.who).case
            below = {lower.id for task in tasks if task.open for lower in rungs_below(case, task)}
            # What climbed is one row, and no open task is on none.
            assert {task.id for task in tasks if task.open and task.id not in shown} == below

    @property
    def _site(self) -> int:
        return support.loaded(self.rt, self.who).site_id


@pytest.fixture
def fresh(_sqlite_databases: databases.SqliteDatabases, settings: Settings) -> "Fresh":
    """Return what gives a site of its own to each life."""
    return Fresh(_sqlite_databases, settings)


@dataclass
class Fresh:
    """Sites in databases of their own."""

    databases: databases.SqliteDatabases
    settings: Settings

    @contextmanager
    def site(self, channel: str) -> Iterator[Site]:
        clock = support.SetClock(START)
        with ExitStack() as stack:
            url = stack.enter_context(self.databases.fresh())
            rt = replace(
                open_runtime(replace(self.settings, database_url=url)),
                clock=clock,
                texts={"sms": Telephones(clock=clock)},
            )
            stack.callback(rt.close)
            study_id = support.load_demo(rt)
            more = {} if channel == "calls" else {"phone": "+12025550123", "channel": channel}
            who = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), **more)
            users = [support.coordinator(rt, f"{name}@example.org", site="IST") for name in ("one", "two")]
            one, two = (Actor("staff", f"user:{user}", "dashboard", user) for user in users)
            yield Site(rt, clock, study_id, who, (one, two))


lives = st.lists(st.tuples(st.sampled_from(HOURS), st.sampled_from(ACTS), st.integers(0, 60)), min_size=3, max_size=18)


@settings(
    max_examples=12,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(life=lives, channel=st.sampled_from(("sms-reply", "sms-link", "calls")))
def test_nothing_is_escalated_twice_and_nothing_ends_silently(
    fresh: Fresh, life: list[tuple[int, str, int]], channel: str
) -> None:
    with fresh.site(channel) as site:
        for hours, what, which in life:
            site.later(hours)
            site.do(what, which)
            site.check()
        site.later(24 * 120)
        site.check()
