"""The coordinators of a rehearsal: at fixed hours they look at the open tasks, call, explain and resolve."""

import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from pro_service.core.protocol import Protocol, Site
from pro_service.core.schedule.calendar import is_working, local_day
from pro_service.core.schedule.windows import local_instant, within
from pro_service.rehearsal.habits import Habits
from pro_service.rehearsal.people import Person
from pro_service.rehearsal.temperaments import CoordinatorHabits
from pro_service.rehearsal.virtual_time import VirtualTime
from pro_service.reports import ledger
from pro_service.reports.ledger import OpenTask
from pro_service.runtime import holidays_of
from pro_service.store.audit import Actor
from pro_service.use_cases.participants import entry
from pro_service.use_cases.tasks import calls

NEXT_TIME = timedelta(hours=20)
"""So long a call that left its task open is not made again."""
FOR_GOOD = timedelta(days=3650)
BUSY = 0.15
"""Of the calls in vain so many find the line busy or the telephone off."""
RINGS_BACK = (20, 180)
"""Minutes until somebody rings back."""
ENTRY_REASON = "told on the telephone"


@dataclass(slots=True)
class Coordinators:
    """The coordinators of one site: one call or task after the other, in working hours."""

    virtual: VirtualTime
    study_id: int
    site_id: int
    protocol: Protocol
    site: Site
    actor: Actor
    habits: Habits
    people: Mapping[str, Person]
    """By code."""
    working_habits: CoordinatorHabits
    chance: random.Random
    rests: dict[int, datetime] = field(default_factory=dict)
    """Task -> until when it is not taken up again."""
    calls_by_day: dict[date, int] = field(default_factory=dict)
    """Calls by day."""
    full_days: set[date] = field(default_factory=set)
    """Days on which calls were still open when the day's calls were used up."""
    at_work: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.site.zone)

    def plan_days(self, first: date, last: date) -> None:
        """Plan the rounds of every working day."""
        holidays = holidays_of(self.site.country)
        for ahead in range((last - first).days + 1):
            day = first + timedelta(days=ahead)
            if is_working(day, holidays):
                for at in self.working_habits.rounds:
                    self.virtual.schedule(local_instant(day, at, self.zone), self._start_round)

    def _start_round(self) -> None:
        if not self.at_work:
            self._work()

    def _work(self) -> None:
        """Do one task, then the next, until none is left that can be done now."""
        self.at_work = False
        if not within(self.virtual.now, self.protocol.working_hours, self.zone):
            return
        task = self._next_task()
        if task is None:
            return
        minutes = self._work_on(task)
        self.at_work = True
        self.virtual.schedule_after(timedelta(minutes=minutes), self._work)

    def _next_task(self) -> OpenTask | None:
        """Return the next task: safety first, then calls that can save a window, then the rest.

        Of those calls the one with the least time left comes first.
        """
        now, today = self.virtual.now, local_day(self.virtual.now, self.zone)
        with self.virtual.rt.sessions.reading() as session:
            tasks = ledger.open_tasks(session, self.study_id, self.site_id)
        # A window whose call became urgent has two of them open, and is one call to make.
        urgent = {(task.participant, task.window) for task in tasks if task.level == "E2"}
        ready = [
            task
            for task in tasks
            if self._is_ready(task, now) and not (task.level == "E1" and (task.participant, task.window) in urgent)
        ]
        if self.calls_by_day.get(today, 0) >= self.working_habits.calls_a_day:
            if any(_is_call(task) for task in ready):
                self.full_days.add(today)
            ready = [task for task in ready if not _is_call(task)]
        return min(ready, key=_priority, default=None)

    def _is_ready(self, task: OpenTask, now: datetime) -> bool:
        later = max((m for m in (task.look_again_at, self.rests.get(task.id)) if m is not None), default=now)
        return later <= now

    def _work_on(self, task: OpenTask) -> int:
        """Work on one task; return the minutes it took."""
        person = self.people.get(task.participant or "")
        if person is None or not _is_call(task):
            self._resolve(task, person)
            return self.working_habits.minutes_a_task
        today = local_day(self.virtual.now, self.zone)
        self.calls_by_day[today] = self.calls_by_day.get(today, 0) + 1
        self.rests[task.id] = self.virtual.now + NEXT_TIME
        self._call(task, person)
        return self.working_habits.minutes_a_call

    def _resolve(self, task: OpenTask, person: Person | None) -> None:
        with suppress(calls.WorkRefusedError):
            if task.level == "E3":
                calls.explain_missing(self.virtual.rt, self.actor, task.id, _missing_reason(person))
            else:
                calls.resolve(self.virtual.rt, self.actor, task.id)

    # The telephone ---------------------------------------------------------------------------------------------------

    def _call(self, task: OpenTask, person: Person) -> None:
        kind = person.temperament
        lost = person.lost_at is not None and self.virtual.now >= person.lost_at
        if lost or kind.number == "wrong":
            self._record_call(task, "not_in_service" if lost else "wrong_person")
            self.rests[task.id] = self.virtual.now + FOR_GOOD
        elif not self._chance(kind.often("picks_up")):
            self._record_call(task, "busy" if self._chance(BUSY) else "no_answer")
            if self._chance(kind.often("rings_back")):
                wait = timedelta(minutes=self.chance.randint(*RINGS_BACK))
                self.virtual.schedule_after(wait, partial(self._take_call, task, person))
        elif task.window is None:
            self._resolve(task, person)
        elif self._chance(kind.often("tells")):
            self._enter_answers(task, person)
        elif self._chance(kind.often("declines")):
            self._record_call(task, "refused_this_time")
        else:
            self._record_call(task, "will_do_it")
            if self._chance(kind.often("keeps_word")):
                self.habits.answer_as_promised(person, task.window)

    def _chance(self, share: float) -> bool:
        return self.chance.random() < share

    def _record_call(self, task: OpenTask, outcome: calls.Outcome) -> None:
        with suppress(calls.WorkRefusedError):
            calls.record(self.virtual.rt, self.actor, task.id, calls.CallResult(outcome))

    def _take_call(self, task: OpenTask, person: Person) -> None:
        """Take a call from a participant: the answers are entered if it is working time and the window is open."""
        there = within(self.virtual.now, self.protocol.working_hours, self.zone)
        if there and task.window is not None and (task.closes_at is None or self.virtual.now < task.closes_at):
            self._enter_answers(task, person)

    def _enter_answers(self, task: OpenTask, person: Person) -> None:
        code = task.window
        if code is None:
            return
        items = self.protocol.time_point(code).items
        values = {item: str(person.answer_in_mind(self.protocol, code, item, self.chance)) for item in items}
        filled = entry.Filled(values=values, mode="telephone", task=task.id, reason=ENTRY_REASON)
        entry.enter(self.virtual.rt, self.actor, self.study_id, person.code, code, filled)

    # The clinic ------------------------------------------------------------------------------------------------------

    def enter_clinic_values(self, person: Person, window: str) -> None:
        """Enter what was measured in the clinic; now and then nobody does."""
        if not self._chance(self.working_habits.clinic_entered / 100):
            return
        items = self.protocol.time_point(window).items
        values = {item: str(person.answer_in_mind(self.protocol, window, item, self.chance)) for item in items}
        entry.enter(self.virtual.rt, self.actor, self.study_id, person.code, window, entry.Filled(values=values))


def _is_call(task: OpenTask) -> bool:
    """Whether this task is a telephone call."""
    return task.level in ("E1", "E2") or task.reason == "asked_for_call"


def _priority(task: OpenTask) -> tuple[bool, bool, datetime]:
    """Return the key by which tasks are sorted."""
    return task.level != "ES", not _is_call(task), task.save_by or task.due_at


def _missing_reason(person: Person | None) -> calls.MissingReason:
    """Return why a window stayed empty, as far as the coordinators can find out."""
    number = "right" if person is None else person.temperament.number
    return "unreachable" if number == "right" else "not_delivered"
