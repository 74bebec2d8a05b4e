"""The staff of a run: they read their mail, telephone, explain, decide and resolve; or they do not."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from pro_service.core.protocol import Protocol
from pro_service.reports import today
from pro_service.reports.escalations import EscalationRow
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.use_cases import reporting
from pro_service.use_cases.participants import card, change, confirm, entry
from pro_service.use_cases.participants.change_form import STANDS, ChangeForm
from pro_service.use_cases.tasks import calls, decisions
from tests import support
from tests.simulation.people import FOREVER, Given, Meant, Person, feels
from tests.simulation.world import World

OUTCOMES: tuple[calls.Outcome, ...] = (
    *("no_answer",) * 8, *("will_do_it",) * 4, "busy", "call_back_at", "refused_this_time", "wants_no_messages",
    "withdraws", "died", "moved", "not_in_service", "wrong_person", "hospitalised",
)  # fmt: skip
NOT_THEIRS = frozenset({"not_in_service", "wrong_person"})
LEAVES = frozenset({"withdraws", "died"})


@dataclass(slots=True)
class Office:
    """Works through what is open, now and then."""

    world: World
    protocol: Protocol
    rt: Runtime
    study_id: int
    actor: Actor
    lead: Actor
    """The investigator."""
    people: Mapping[str, Person]
    diligence: float
    """How likely a task is worked on once somebody looks."""
    expected: list[None] = field(default_factory=list)
    """Visits to the office that are coming."""

    def mail(self) -> None:
        """Come in some time after a mail."""
        if not self.expected and self.world.chance.random() < self.diligence:
            self.expected.append(None)
            hours = self.world.chance.choice((0.5, 3, 20, 40, 90))
            self.world.at(self.world.clock.now + timedelta(hours=hours), self._works)

    def _works(self) -> None:
        self.expected.clear()
        if self.world.weather.down("webhooks", at=self.world.clock.now):
            return
        tasks = reporting.escalation_rows(self.rt, self.study_id, open_only=True)
        theirs = self.protocol.levels_of("coordinator")
        for task in [task for task in tasks if task["level"] in theirs][:12]:
            if self.world.chance.random() < self.diligence:
                # The row may have ended meanwhile: a participant answered, a tick found the call pointless.
                # What stands in its place after another date for the procedure may not be open yet.
                with suppress(calls.WorkRefusedError), support.rejected_for("window_not_open", "nothing_entered"):
                    self._work_on(task)
        self._investigate()

    def _investigate(self) -> None:
        """The investigator goes through what the ladder gives to them: takes a task up, or says what was decided."""
        chance = self.world.chance
        with self.rt.sessions.glance() as connection:
            share = (self.protocol.levels_of("investigator"), None)
            waiting = today.open_tasks(connection, self.study_id, [share])
        for task in waiting[:12]:
            if chance.random() < self.diligence:
                self.world.ledger.note("investigator", f"works on {task}")
                with suppress(calls.WorkRefusedError):
                    if chance.random() < 0.3:
                        calls.acknowledge(self.rt, self.lead, task)
                    else:
                        decisions.decide(self.rt, self.lead, task, "seen to")

    def _work_on(self, task: EscalationRow) -> None:
        chance = self.world.chance
        person = self.people.get(task["participant"] or "")
        self.world.ledger.note("office", f"works on {task['level']} {task['window']} of {task['participant']}")
        if chance.random() < 0.3:
            calls.acknowledge(self.rt, self.actor, task["id"])
        elif task["level"] in ("E1", "E2") and person is not None:
            self._call(person, task)
        elif task["level"] == "E3":
            calls.explain_missing(self.rt, self.actor, task["id"], "unreachable")
        else:
            calls.resolve(self.rt, self.actor, task["id"])

    def _call(self, person: Person, task: EscalationRow) -> None:
        chance, now, window = self.world.chance, self.world.clock.now, task["window"]
        if chance.random() < 0.3 and window is not None:
            self.enter(person, window, "telephone", task["id"])
            return
        outcome = chance.choice(OUTCOMES)
        back = now + timedelta(hours=5) if outcome == "call_back_at" else None
        calls.record(self.rt, self.actor, task["id"], calls.CallResult(outcome, back, "said so"))
        self.world.ledger.note(person.code, f"telephone: {outcome}")
        if outcome == "wants_no_messages":
            person.stops(now)
        elif outcome in NOT_THEIRS:
            person.loses_number(now)
        elif outcome in LEAVES:
            person.left_at = person.left_at or now  # a call about somebody who has left changes nothing
        elif outcome == "refused_this_time" and window is not None:
            person.given.append(Given("telephone", now, Meant(window, "NRS-AVG", None)))

    def enter(self, person: Person, window: str, mode: entry.Mode, task: int | None = None) -> None:
        """Enter what somebody says, or what was measured in the clinic."""
        items = self.protocol.time_point(window).items
        values = {item: feels(person, window, item, self.world.chance, self.protocol) for item in items}
        filled = entry.Filled({item: str(v) for item, v in values.items()}, reason="told so", mode=mode, task=task)
        now = self.world.clock.now
        person.given += [Given(mode, now, Meant(window, item, value)) for item, value in values.items()]
        entry.enter(self.rt, self.actor, self.study_id, person.code, window, filled)

    def confirm(self, person: Person) -> None:
        """Say that the procedure took place; try again where the system is down."""
        now = self.world.clock.now
        if person.left_at is not None or person.confirmed_at is not None:
            return
        if self.world.weather.down("webhooks", at=now):
            self.world.at(now + timedelta(hours=3), partial(self.confirm, person))
            return
        ended = "09:30" if int(person.code[-1]) % 2 else ""
        confirm.confirm(self.rt, self.actor, self.study_id, person.code, person.took_place, ended)
        person.confirmed_at = now
        person.asked = person.wanted = None
        person.lay_out(self.protocol, person.took_place)
        self.world.ledger.note(person.code, f"confirmed for {person.took_place}")

    # What somebody needs to be asked ---------------------------------------------------------------------------------

    def hand_card(self, person: Person) -> None:
        """Print a card and hand it over; try again where the system is down."""
        if self._down(partial(self.hand_card, person)):
            return
        made = card.show_many(self.rt, self.actor, self.study_id, [person.code])
        card.hand_over(self.rt, self.actor, self.study_id, [person.code])
        person.card, person.card_at = made[0].scanned, self.world.clock.now
        self.world.ledger.note(person.code, "has a card")

    def give_number(self, person: Person) -> None:
        """Enter the telephone number of somebody who was enrolled without one; try again where the system is down."""
        if person.left_at is not None or self._down(partial(self.give_number, person)):
            person.number_at = FOREVER if person.left_at is not None else person.number_at
            return
        given = {"number": person.phone, "consent": STANDS if person.consents or person.chats else ""}
        change.change(self.rt, self.actor, self.study_id, person.code, ChangeForm("phone", given, "asked for it"))
        person.gets_number(self.world.clock.now)
        self.world.ledger.note(person.code, "has a number")

    def _down(self, again: Callable[[], None]) -> bool:
        """Whether the dashboard is down; then the same is tried again in some hours."""
        now = self.world.clock.now
        if not self.world.weather.down("webhooks", at=now):
            return False
        self.world.at(now + timedelta(hours=3), again)
        return True
