"""Faults planted on purpose: a simulation that does not find them would prove nothing.

Each replaces one part of a run by one that breaks a promise, as a careless version of this product would.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from sqlalchemy import select, update

from pro_service.core.case import Case, WindowFacts
from pro_service.core.providers import FACTS, Arrival, Facts
from pro_service.core.schedule.prompts import step_moment
from pro_service.gateways.outgoing import Accepted, Forgotten, Outgoing, Record, Uncertain
from pro_service.runtime import Runtime
from pro_service.store.messages import overdue
from pro_service.store.participants.cases import Loaded, Loader
from pro_service.store.schema import escalations, messages, participants, windows
from pro_service.use_cases.idle import TickReport
from pro_service.use_cases.tick import tick
from tests.simulation.carrier import Carrier
from tests.simulation.life import Life
from tests.simulation.weather import Outage

Plant = Callable[[Life], None]
REOPENED = timedelta(days=2)


@dataclass(slots=True)
class Planted:
    """A gateway that hands everything on; the faulty ones differ in how they send."""

    carrier: Carrier
    life: Life
    elsewhere: bool = False
    facts: Facts = FACTS["sms"]
    pace: float | None = None

    def send(self, outgoing: Outgoing) -> Accepted:
        """Hand the text on."""
        return self.carrier.send(outgoing)

    def fetch(self, sid: str) -> Record | None:
        """Read one text back."""
        return self.carrier.fetch(sid)

    def recall(self, token: str, to: str, body: str, created_after: datetime) -> list[Record]:
        """List what one telephone got."""
        return self.carrier.recall(token, to, body, created_after)

    def list_sent(self, created_after: datetime) -> list[Record]:
        """List what was sent."""
        return self.carrier.list_sent(created_after)

    def pull(self, created_after: datetime) -> list[Arrival]:
        """List what people wrote."""
        return self.carrier.pull(created_after)

    def forget(self, sid: str) -> Forgotten:
        """Forget one text."""
        return self.carrier.forget(sid)

    def close(self) -> None:
        """There is nothing to close."""


class BlindRetry(Planted):
    """Takes an error of the provider for a text that never left, and sends it again at once."""

    def send(self, outgoing: Outgoing) -> Accepted:
        """Send, and where nobody knows what happened, send again."""
        try:
            return self.carrier.send(outgoing)
        except Uncertain:
            return self.carrier.send(outgoing)


class Unclaimed(Planted):
    """Sends without a claim that others can see: a second worker finds the same text ready."""

    def send(self, outgoing: Outgoing) -> Accepted:
        """Put the text back as if nobody had taken it; another worker beats before ours gets to send it."""
        m = messages.c
        with self.life.rt.sessions.begin() as session:
            session.execute(update(messages).where(m.id == outgoing.message_id).values(state="ready"))
        if not self.life.met:
            self.life.meanwhile(timedelta())
        return self.carrier.send(outgoing)


class Forgetful(Planted):
    """Says that a text was accepted before anybody took it, and now and then forgets to send it."""

    def send(self, outgoing: Outgoing) -> Accepted:
        """Forget every seventh text."""
        if outgoing.message_id % 7 == 0:
            return Accepted(f"SMforgotten{outgoing.message_id}", "queued")
        return self.carrier.send(outgoing)


class Dawdling(Planted):
    """Looks whether a text is still wanted, and then takes its time before it sends it."""

    def send(self, outgoing: Outgoing) -> Accepted:
        """Have everybody whose text waits answer between the look and the call."""
        if not self.life.met:
            person = next(one for one in self.life.people.values() if one.phone == outgoing.to)
            self.life.world.at(self.life.world.clock.now, partial(self.life.habits.answers_at_last, person))
            self.life.meanwhile(timedelta(seconds=10))
        return self.carrier.send(outgoing)


def _through(way: type[Planted]) -> Plant:
    def plant(life: Life) -> None:
        life.rt = replace(life.rt, texts={**life.rt.texts, "sms": way(life.carrier, life)})

    return plant


def _reopen(life: Life) -> None:
    """A window that has closed is opened again for two days, so that somebody can still be reminded."""

    def reopening(rt: Runtime) -> TickReport:
        now, w = rt.clock(), windows.c
        with rt.sessions.begin() as session:
            closing = (w.settled.is_(None)) & (w.closes_at <= now) & (w.closes_at > now - REOPENED)
            for row in session.execute(select(w.id, w.participant_id, w.closes_at).where(closing)).all():
                longer = {"closes_at": row.closes_at + REOPENED, "late_until": row.closes_at + 20 * REOPENED}
                session.execute(update(windows).where(w.id == row.id).values(longer))
                again = {"next_check_at": now}
                session.execute(update(participants).where(participants.c.id == row.participant_id).values(again))
        return tick(rt)

    life.beats["tick"] = reopening


def _guess(life: Life) -> None:
    """Take the first digit of whatever somebody writes for the answer."""
    hear = life.doors.hear

    def guessing(rt: Runtime, arrival: Arrival) -> object:
        digits = [sign for sign in arrival.body if sign.isascii() and sign.isdigit()]
        return hear(rt, replace(arrival, body=digits[0]) if digits else arrival)

    life.doors.hear = guessing


def _deaf(life: Life) -> None:
    """Answer the webhook, and lose the text if it is a wish to get no more."""
    hear = life.doors.hear

    def deaf(rt: Runtime, arrival: Arrival) -> object:
        return None if arrival.body.strip(".").casefold() in {"stop", "dur", "iptal"} else hear(rt, arrival)

    life.doors.hear = deaf


def _cling(life: Life) -> None:
    """Leave a task open whose cause is gone: what time ends is raised again."""
    beat = life.beats["tick"]

    def clinging(rt: Runtime) -> object:
        done, e = beat(rt), escalations.c
        with rt.sessions.begin() as session:
            again = {"resolved_at": None, "resolved_by": None, "outcome": None}
            ended = e.outcome.in_(("window_closed", "answered", "confirmed", "rescheduled"))
            session.execute(update(escalations).where(ended, e.resolved_by.is_(None)).values(again))
        return done

    life.beats["tick"] = clinging


def _cards_for_all(life: Life) -> None:
    """Take everybody for somebody with a card, as a version that never asks whether it was printed."""

    def blindly(rt: Runtime) -> TickReport:
        with rt.sessions.begin() as session:
            session.execute(update(participants).values(card_made_at=rt.clock()))
        return tick(rt)

    life.beats["tick"] = blindly


class Numbered(Loader):
    """Takes everybody for somebody with a telephone number."""

    __slots__ = ()

    def load(self, *args: Any, **more: Any) -> list[Loaded]:
        """Load as ever, and see a number where there is none."""
        found = super().load(*args, **more)
        return [
            replace(one, case=replace(one.case, participant=replace(one.case.participant, has_phone=True)))
            for one in found
        ]


def _numbers_for_all(life: Life) -> None:
    life.rt = replace(life.rt, loader=Numbered(life.rt.loader.protocol_of, life.rt.loader.holidays_of))


@dataclass(frozen=True)
class Overtaken(Loader):
    """Takes everybody for asked whose invitation fell into an outage, as a version that never looks back."""

    outages: tuple[Outage, ...] = ()

    def load(self, *args: Any, **more: Any) -> list[Loaded]:
        """Load as ever, and leave the prompts of such windows out."""
        return [replace(one, case=self._seen(one.case)) for one in super().load(*args, **more)]

    def _seen(self, case: Case) -> Case:
        windows = tuple(
            replace(window, point=replace(window.point, steps=())) if self._fell(case, window) else window
            for window in case.windows
        )
        return replace(case, windows=windows)

    def _fell(self, case: Case, window: WindowFacts) -> bool:
        if not window.point.steps:
            return False
        moment = step_moment(case, window, window.point.steps[0])
        return any(one.down != "webhooks" and one.start <= moment < one.end for one in self.outages)


def _skip_after_an_outage(life: Life) -> None:
    of = life.rt.loader
    life.rt = replace(life.rt, loader=Overtaken(of.protocol_of, of.holidays_of, life.world.weather.outages))


def _give_up(life: Life) -> None:
    """Give a text up that was interrupted twice, although it certainly never left."""
    beat, m = life.beats["reconcile"], messages.c

    def giving_up(rt: Runtime) -> object:
        with rt.sessions.begin() as session:
            twice = (m.state == "uncertain") & (m.resends >= 1) & (m.ask_at <= rt.clock())
            ended = {"state": "dead", "ended_at": rt.clock(), "ask_at": None}
            session.execute(update(messages).where(twice).values(ended))
        return beat(rt)

    life.beats["reconcile"] = giving_up


def _never_look_back(life: Life) -> None:
    """Leave what a wrong clock has decided as it is."""
    life.beats["repair"] = lambda _: None


def _alert_once(life: Life) -> None:
    """Alert about a safety task when it falls due, and never again."""
    beat, alerted = life.beats["alert"], set[int]()

    def once(rt: Runtime) -> object:
        with rt.sessions.reading() as session:
            due = {task.id for task in overdue.tasks(session, rt.clock())}
        fresh = due - alerted
        alerted.update(due)
        return beat(rt) if fresh else None

    life.beats["alert"] = once


PLANTS: Mapping[str, Plant] = MappingProxyType(
    {
        "blind-retry": _through(BlindRetry),
        "send-without-claim": _through(Unclaimed),
        "forget-to-send": _through(Forgetful),
        "reopen-after-close": _reopen,
        "guess-a-number": _guess,
        "deaf-to-stop": _deaf,
        "cling-to-tasks": _cling,
        "point-to-no-card": _cards_for_all,
        "see-no-missing-number": _numbers_for_all,
        "look-and-dawdle": _through(Dawdling),
        "give-up-after-two": _give_up,
        "skip-after-an-outage": _skip_after_an_outage,
        "alert-once": _alert_once,
        "never-look-back": _never_look_back,
    }
)
"""Name of a fault -> what plants it in a run."""
