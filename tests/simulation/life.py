"""One run: a seed becomes a trial of some months, lived through from one moment that matters to the next."""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from pro_service.core.protocol import Protocol
from pro_service.core.providers import FACTS, Facts, WayOut
from pro_service.gateways.outgoing import Outgoing
from pro_service.runtime import Runtime
from pro_service.store import heartbeats, studies
from pro_service.use_cases import trusted_time
from pro_service.use_cases.clock_repair import repair_now_and_then
from pro_service.use_cases.delivery import quarantine
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.delivery.reconcile import reconcile
from pro_service.use_cases.enrolment import enrol
from pro_service.use_cases.safety_alerts import alert
from pro_service.use_cases.tick import tick
from tests import support
from tests.simulation import moments
from tests.simulation.breaking import Boundary, BreakingSessions, KilledError
from tests.simulation.carrier import Carrier, Mail, Taken
from tests.simulation.clocks import SETTLED, Clocks, left_behind
from tests.simulation.data_sets import DataSets
from tests.simulation.doors import Doors
from tests.simulation.ending import Ending
from tests.simulation.habits import Habits, Ways
from tests.simulation.ledger import Ledger
from tests.simulation.office import Office
from tests.simulation.people import FOREVER, Person, invent
from tests.simulation.places import Made
from tests.simulation.watch import Watch
from tests.simulation.weather import CALM, Outage, forecast, long_outage
from tests.simulation.world import World

DAYS = 118
"""Ten days of procedures, three months, and two weeks until the last window has closed."""
MOST = 6
"""So many participants has a run at the most, unless told otherwise."""
AGAIN = tuple(timedelta(seconds=seconds) for seconds in (5, 60, 600, 3600, 6 * 3600))
"""How soon a beat follows one that could not do what is due: texts may be held, a provider away."""
STANDSTILLS = tuple(timedelta(seconds=seconds) for seconds in (0, 0, 0, 0.1, 5, 30, 40, 90, 1800))
"""How long one worker may stand still between its claim and its call: in a lease, past it, and far past it."""
SCHEDULED = frozenset({"repair", "tick", "alert"})
"""Beats that stand still with the scheduler; the others do with the delivery."""
Beat = Callable[[Runtime], object]


class Life:
    """A trial that is lived through. Beats, doors and gateways can be replaced by faulty ones before it is."""

    def __init__(self, seed: int, made: Made, most: int = MOST) -> None:
        self.made, self.most = made, most
        chance = random.Random(f"simulation {seed}")  # noqa: S311 -- the same run for the same seed
        # The delivery's own jitter must be the same too.
        random.seed(seed)
        first = date(2026, 1, 1) + timedelta(days=chance.randrange(365))
        start = datetime.combine(first, time(), tzinfo=UTC)
        end = start + timedelta(days=DAYS)
        clock = support.SetClock(start)
        self.ledger = Ledger(clock)
        weather = forecast(chance, start, end)
        # Chance of its own: the rest of the weather does not change with it.
        long = long_outage(random.Random(f"outage {seed}"), start, end)  # noqa: S311
        outages = sorted([*weather.outages, *long], key=lambda outage: outage.start)
        self.world = World(clock, end, chance, replace(weather, outages=tuple(outages)), self.ledger)
        # Chance of its own: whatever else happens in a run does not change with it.
        self.slow = random.Random(f"slow {seed}")  # noqa: S311
        self.mailing = random.Random(f"mail {seed}")  # noqa: S311
        self.chatting = random.Random(f"chat {seed}")  # noqa: S311
        # Chance of its own: whatever else happens in a run does not change with the clock's jumps.
        self.clocks = Clocks(random.Random(f"clock {seed}"), start, end)  # noqa: S311
        self.beats: dict[str, Beat] = {
            "repair": self._repair,
            "tick": tick,
            "alert": alert,
            "deliver": _deliver,
            "reconcile": _reconcile,
        }
        self.data_sets = DataSets(seed, self.ledger, made.study_id)
        self.people: dict[str, Person] = {}
        self.at_work = ""
        """The use case that runs now, where the process may be killed in it."""
        self.met = False
        """Whether another worker is at work in the middle of what one does."""
        self.meetings = 0
        """How often another worker was."""
        self.first = first

    def open(self, rt: Runtime) -> None:
        """Take up a database, and invent the participants."""
        self.carrier = Carrier(self.world, self.meanwhile, self._handed, self._took, self._arrived, self._callback)
        carrier = self.carrier
        # The same telephones, and one list of what was taken.
        self.chats = replace(carrier, facts=FACTS["whatsapp"], records=[], written=[], interrupted=set())
        self.mail = Mail(self.world, self._mailed, carrier, self.mailing)
        self.rt = replace(
            rt,
            clock=self.world.clock,
            monotonic=self.world.seconds,
            texts={"sms": carrier, "whatsapp": self.chats},
            mail=self.mail,
        )
        with self.rt.sessions.reading() as session:
            protocol = studies.newest_protocol(session, self.rt.loader, self.made.study_id)
        if protocol is None:
            raise LookupError("the template holds no study")
        self.protocol: Protocol = protocol
        self.watch = Watch(self.world, self.rt, protocol, self.people)
        carriers: Mapping[WayOut, Carrier] = {"sms": carrier, "whatsapp": self.chats}
        doors = self.doors = Doors(self.world, self.rt, carriers, self.watch, self._killable)
        ways = Ways(doors.text, doors.form, doors.card, doors.stop, carrier.on_the_way.__getitem__, carrier.unseen)
        self.habits = Habits(self.world, protocol, ways)
        diligence = self.world.chance.choice((0.0, 0.3, 0.9))
        self.office = Office(
            self.world,
            protocol,
            self.rt,
            self.made.study_id,
            self.made.coordinator,
            self.made.investigator,
            self.people,
            diligence,
        )
        self.ending = Ending(self.world, self.rt, protocol, self.carrier, self.people, self.watch.given_back)
        for outage in self.world.weather.outages:
            if outage.down in ("scheduler", "everything"):
                self.world.at(outage.end, self._accept_clock)
            if outage.down in ("delivery", "everything") and self.world.chance.random() < 0.5:
                self.world.at(outage.end, partial(self._starts_again, outage))
        for number in range(self.world.chance.randint(2, self.most)):
            self._plan(invent(number, self.world.chance, self.first, protocol, self.mailing, self.chatting))

    def _plan(self, person: Person) -> None:
        chance, at = self.world.chance, self.world.at
        self.people[person.code] = person
        at(person.enrols_at, partial(self._enrol, person))
        if person.confirms_at is not None:
            at(person.confirms_at, partial(self.office.confirm, person))
        if person.enrols_at < person.number_at < FOREVER:
            at(person.number_at, partial(self.office.give_number, person))
        if person.enrols_at < person.card_at < FOREVER:
            at(person.card_at, partial(self.office.hand_card, person))
        for _ in range(chance.randrange(3)):
            spoken = person.enrols_at + timedelta(minutes=chance.randrange(105 * 24 * 60))
            at(spoken, partial(self.habits.speaks_up, person))

    def _enrol(self, person: Person) -> None:
        enrol.enrol_one(self.rt, support.SETUP, self.made.study_id, person.cells())
        # What was to happen before the run began happens at its beginning.
        begun = max(person.enrols_at, self.world.now)
        if person.card_at <= person.enrols_at:
            self.office.hand_card(person)
        person.enrols_at = begun
        if person.planned <= self.world.clock.now.astimezone(person.site_zone).date():
            # Who is enrolled on the day or after it needs no confirmation, however late the row was imported.
            person.confirmed_at = self.world.clock.now
        self.ledger.note(person.code, f"enrolled: {person.habit}, {person.channel}, {person.zone}, {person.planned}")

    # Time ------------------------------------------------------------------------------------------------------------

    def live(self) -> Ledger:
        """Live through the whole run, or to the first promise that is broken."""
        self._until(self.world.end)
        # Whatever was down is up again, and what waited for it gets its chance.
        weather, self.world.weather = self.world.weather, CALM
        self._until(self.world.end + timedelta(days=2))
        self.world.weather = weather
        if not self.ledger.violations:
            self.ending.look()
            self.data_sets.look_again(self.rt)
        return self.ledger

    def _until(self, end: datetime) -> None:
        idle, before = 0, None
        while not self.ledger.violations:
            upcoming, due = self.world.next(), self._due()
            now = self.world.clock.now
            if due is not None and due <= now:
                # It was due at the beat before already.
                idle = idle + 1 if due == before else 0
                before, due = due, now + AGAIN[min(idle, len(AGAIN) - 1)]
            elif due is not None and self.world.chance.random() < 0.3:
                due += timedelta(seconds=self.world.chance.randrange(60))
            moment = min((m for m in (upcoming, due) if m is not None), default=end)
            if moment >= end:
                break
            self.world.clock.now = max(now, moment)
            self._wake()
            self.world.happen()
            self.beat()
        self.world.clock.now = max(self.world.clock.now, end)

    def _wake(self) -> None:
        """Sleep on where everything is down: the machine wakes at the end of the outage."""
        now = self.world.clock.now
        ends = [o.end for o in self.world.weather.outages if o.down == "everything" and o.start <= now < o.end]
        self.world.clock.now = max([now, *ends])

    def _due(self) -> datetime | None:
        return moments.next_due(self.rt, self.world.weather, self.world.clock.now)

    def beat(self) -> None:
        """One beat of the scheduler, unless it is down."""
        now = self.world.clock.now
        self.clocks.alive(self.rt, self.world.weather, now)
        for name, work in self.beats.items():
            if self.world.weather.down("scheduler" if name in SCHEDULED else "delivery", at=now):
                continue
            if name == "tick" and not self.met and (by := self.clocks.jump(now)) is not None:
                self._beat_by_a_wrong_clock(now, by)
                continue
            if name == "reconcile" and not moments.in_doubt(self.rt, now):
                continue
            started, met = self.world.clock.now, self.meetings
            with self._killable(name) as done:
                work(self.rt)
                done.append(name)
            if name == "alert" and done:
                self._alerted(started)
            if name == "tick" and done and not self.met:
                self.data_sets.perhaps(self.rt)
            if name == "tick" and done and self.world.chance.random() < 0.1 and met == self.meetings:
                # Twice in a row: another worker's delivery in between is news.
                self.watch.asked_twice(work(self.rt))

    def _alerted(self, started: datetime) -> None:
        """See that no safety task is silent, and that somebody beats when the next alert is due."""
        for at in self.watch.silent_tasks(started, self.world.clock.now):
            self.world.at(at, lambda: None)

    def _beat_by_a_wrong_clock(self, right: datetime, by: timedelta) -> None:
        """One beat by a clock that is wrong, which is right again before anybody else does anything."""
        names = ["tick"] if self.world.weather.down("delivery", at=right) else ["tick", "deliver"]
        self.ledger.note("clock", f"is wrong by {by} for one beat")
        self.met, self.world.wrong_by, self.world.clock.now = True, by, right + by
        try:
            for name in names:
                with self._killable(name):
                    self.beats[name](self.rt)
                    trusted_time.beat(self.rt, name)
        finally:
            self.met, self.world.wrong_by, self.world.clock.now = False, timedelta(), right
        # A tick that was killed before it beat leaves nothing that says at once that the clock was wrong.
        for after in (1, 10, 30, 61, 70, 90):
            self.world.at(right + timedelta(minutes=after), lambda: None)
        self.world.at(right + SETTLED, partial(self._all_undone, right))

    def _repair(self, rt: Runtime) -> None:
        report = repair_now_and_then(rt)
        if any(asdict(report).values()) and self.clocks.quiet_until is None:
            self.ledger.broken("nothing is undone that no wrong clock did", "clock", str(report))

    def _all_undone(self, since: datetime) -> None:
        now = self.world.clock.now
        if not self.world.weather.over(since, now):
            for who, what in left_behind(self.rt, now):
                self.ledger.broken("what a wrong clock did is undone", who, what)

    def meanwhile(self, lasts: timedelta) -> None:
        """Let another worker, and everybody else, go on in the middle of what one worker does."""
        if self.met:
            return
        self.met, self.meetings, before = True, self.meetings + 1, self.at_work
        self.ledger.note("worker A", f"stands still for {lasts}, in {before}")
        until = self.world.clock.now + lasts
        self.beat()
        self._until(until)
        self.ledger.note("worker A", "goes on")
        self.met, self.at_work = False, before

    def _accept_clock(self) -> None:
        """Whoever starts the machine again after an outage says that its clock is right, where that is in doubt."""
        if trusted_time.accept(self.rt, support.SETUP, "the machine was away"):
            self.ledger.note("clock", "is accepted after an outage")

    def _starts_again(self, outage: Outage) -> None:
        """The sending process comes back after an outage, and knows for how long it was silent."""
        with self.rt.sessions.begin() as session:
            heartbeats.beat(session, quarantine.BEAT, outage.start)
        with self._killable("start"):
            quarantine.on_start(self.rt)

    # Kills -----------------------------------------------------------------------------------------------------------

    def boundary(self, which: Boundary) -> None:
        """End the process here, or let another worker meet this one, if chance wants it."""
        if not self.at_work:
            return
        chance = self.world.chance
        if chance.random() < self.world.weather.kills:
            raise KilledError(which)
        beating = self.at_work in self.beats
        if which == "after the commit" and beating and chance.random() < self.world.weather.meetings:
            self.meanwhile(chance.choice(STANDSTILLS))

    @contextmanager
    def _killable(self, work: str) -> Iterator[list[str]]:
        """A process that may be killed; what it leaves undone is due again in a moment. Empty: it was killed."""
        before, self.at_work = self.at_work, work
        try:
            yield []
        except KilledError as where:
            self.ledger.note(work, f"killed {where}")
            self.world.at(self.world.clock.now + timedelta(seconds=5), lambda: None)
        finally:
            self.at_work = before

    # The doors -------------------------------------------------------------------------------------------------------

    def _handed(self, outgoing: Outgoing) -> None:
        sessions = self.rt.sessions
        if isinstance(sessions, BreakingSessions) and sessions.open:
            self.ledger.broken("no transaction is open while a provider is called", "carrier", str(sessions.open))
        self.watch.handed(outgoing)
        if self.world.chance.random() < self.world.weather.meetings:
            self.meanwhile(timedelta())
        elif self.slow.random() < self.world.weather.faults and not self.met:
            self._answer_meanwhile(outgoing)

    def _answer_meanwhile(self, outgoing: Outgoing) -> None:
        """Let the provider take its time; those whose texts wait behind this one answer what they were asked before."""
        waiting = [one for one in self.watch.claimed() if one != outgoing.to]
        for person in (one for one in self.people.values() if one.phone in waiting and self.slow.random() < 0.7):
            at = self.world.clock.now + timedelta(seconds=self.slow.uniform(0, 2))
            self.world.at(at, partial(self.habits.answers_at_last, person))
        self.meanwhile(timedelta(seconds=self.slow.choice((2, 10, 25, 45))))

    def _callback(self, token: str, said: dict[str, str]) -> None:
        self.watch.reported(said)
        self.doors.callback(token, said)

    def _took(self, taken: Taken) -> None:
        self.watch.took(taken)

    def _mailed(self) -> None:
        self.office.mail()

    def _arrived(self, outgoing: Outgoing, by: Facts) -> None:
        person = next(p for p in self.people.values() if outgoing.to in (p.phone, p.mail))
        if by.medium != "email":
            person.writes_by = by.way
        self.habits.arrives(person, outgoing)


def _deliver(rt: Runtime) -> object:
    # No thread waits for another: what happens in a run hangs on its seed alone, on a machine of any pace.
    return deliver(rt, pool=support.InTurn())


def _reconcile(rt: Runtime) -> None:
    quarantine.settle(rt)
    reconcile(rt)
