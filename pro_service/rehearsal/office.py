"""The coordinators of a rehearsal: they look at what is open at fixed hours, telephone, explain and resolve."""

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
from pro_service.rehearsal.temperaments import OfficeHabits
from pro_service.rehearsal.virtual_time import Life
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
TOLD = "told on the telephone"


@dataclass(slots=True)
class Office:
    """The desk of one site: one call or task after the other, in working hours."""

    life: Life
    study_id: int
    site_id: int
    protocol: Protocol
    site: Site
    actor: Actor
    habits: Habits
    people: Mapping[str, Person]
    """By code."""
    manner: OfficeHabits
    chance: random.Random
    rests: dict[int, datetime] = field(default_factory=dict)
    """Task -> until when nobody takes it up again."""
    made: dict[date, int] = field(default_factory=dict)
    """Calls by day."""
    full: set[date] = field(default_factory=set)
    """Days on which somebody was still to be called when the day's calls were made."""
    at_work: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """The site's clock."""
        return ZoneInfo(self.site.zone)

    def opens(self, first: date, last: date) -> None:
        """Come in on every working day."""
        holidays = holidays_of(self.site.country)
        for ahead in range((last - first).days + 1):
            day = first + timedelta(days=ahead)
            if is_working(day, holidays):
                for at in self.manner.rounds:
                    self.life.at(local_instant(day, at, self.zone), self._begins)

    def _begins(self) -> None:
        if not self.at_work:
            self._goes_on()

    def _goes_on(self) -> None:
        """One piece of work, then the next, until nothing is left that can be done now."""
        self.at_work = False
        if not within(self.life.now, self.protocol.working_hours, self.zone):
            return
        task = self._next()
        if task is None:
            return
        minutes = self._does(task)
        self.at_work = True
        self.life.after(timedelta(minutes=minutes), self._goes_on)

    def _next(self) -> OpenTask | None:
        """Safety first, then calls that can still save a window (the least time left first), then everything else."""
        now, today = self.life.now, local_day(self.life.now, self.zone)
        with self.life.rt.sessions.reading() as session:
            tasks = ledger.open_tasks(session, self.study_id, self.site_id)
        # A window whose call became urgent has two of them open, and is one call to make.
        urgent = {(task.participant, task.window) for task in tasks if task.level == "E2"}
        ready = [
            task
            for task in tasks
            if self._ready(task, now) and not (task.level == "E1" and (task.participant, task.window) in urgent)
        ]
        if self.made.get(today, 0) >= self.manner.calls_a_day:
            if any(_calls(task) for task in ready):
                self.full.add(today)
            ready = [task for task in ready if not _calls(task)]
        return min(ready, key=_turn, default=None)

    def _ready(self, task: OpenTask, now: datetime) -> bool:
        later = max((m for m in (task.look_again_at, self.rests.get(task.id)) if m is not None), default=now)
        return later <= now

    def _does(self, task: OpenTask) -> int:
        """Work on one task; gives the minutes it took."""
        person = self.people.get(task.participant or "")
        if person is None or not _calls(task):
            self._settles(task, person)
            return self.manner.minutes_a_task
        today = local_day(self.life.now, self.zone)
        self.made[today] = self.made.get(today, 0) + 1
        self.rests[task.id] = self.life.now + NEXT_TIME
        self._telephones(task, person)
        return self.manner.minutes_a_call

    def _settles(self, task: OpenTask, person: Person | None) -> None:
        with suppress(calls.WorkRefusedError):
            if task.level == "E3":
                calls.explain_missing(self.life.rt, self.actor, task.id, _why(person))
            else:
                calls.resolve(self.life.rt, self.actor, task.id)

    # The telephone ---------------------------------------------------------------------------------------------------

    def _telephones(self, task: OpenTask, person: Person) -> None:
        kind = person.temperament
        lost = person.lost_at is not None and self.life.now >= person.lost_at
        if lost or kind.number == "wrong":
            self._notes(task, "not_in_service" if lost else "wrong_person")
            self.rests[task.id] = self.life.now + FOR_GOOD
        elif not self._chance(kind.often("picks_up")):
            self._notes(task, "busy" if self._chance(BUSY) else "no_answer")
            if self._chance(kind.often("rings_back")):
                wait = timedelta(minutes=self.chance.randint(*RINGS_BACK))
                self.life.after(wait, partial(self._is_rung, task, person))
        elif task.window is None:
            self._settles(task, person)
        elif self._chance(kind.often("tells")):
            self._enters(task, person)
        elif self._chance(kind.often("declines")):
            self._notes(task, "refused_this_time")
        else:
            self._notes(task, "will_do_it")
            if self._chance(kind.often("keeps_word")):
                self.habits.keeps_word(person, task.window)

    def _chance(self, share: float) -> bool:
        return self.chance.random() < share

    def _notes(self, task: OpenTask, outcome: calls.Outcome) -> None:
        with suppress(calls.WorkRefusedError):
            calls.record(self.life.rt, self.actor, task.id, calls.CallResult(outcome))

    def _is_rung(self, task: OpenTask, person: Person) -> None:
        """Somebody rings back: the answers are taken if anybody is there and the window is open."""
        there = within(self.life.now, self.protocol.working_hours, self.zone)
        if there and task.window is not None and (task.closes_at is None or self.life.now < task.closes_at):
            self._enters(task, person)

    def _enters(self, task: OpenTask, person: Person) -> None:
        code = task.window
        if code is None:
            return
        items = self.protocol.time_point(code).items
        values = {item: str(person.feels(self.protocol, code, item, self.chance)) for item in items}
        filled = entry.Filled(values=values, mode="telephone", task=task.id, reason=TOLD)
        entry.enter(self.life.rt, self.actor, self.study_id, person.code, code, filled)

    # The clinic ------------------------------------------------------------------------------------------------------

    def measures(self, person: Person, window: str) -> None:
        """Enter what was measured in the clinic, unless the ward was too busy."""
        if not self._chance(self.manner.clinic_entered / 100):
            return
        items = self.protocol.time_point(window).items
        values = {item: str(person.feels(self.protocol, window, item, self.chance)) for item in items}
        entry.enter(self.life.rt, self.actor, self.study_id, person.code, window, entry.Filled(values=values))


def _calls(task: OpenTask) -> bool:
    """Whether this work is a telephone call."""
    return task.level in ("E1", "E2") or task.reason == "asked_for_call"


def _turn(task: OpenTask) -> tuple[bool, bool, datetime]:
    """What comes first when this is sorted."""
    return task.level != "ES", not _calls(task), task.save_by or task.due_at


def _why(person: Person | None) -> calls.MissingReason:
    """Why a window stayed empty, as far as the office can find out."""
    number = "right" if person is None else person.temperament.number
    return "unreachable" if number == "right" else "not_delivered"
