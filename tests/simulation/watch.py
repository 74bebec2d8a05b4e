"""What is looked at while a run goes on: every text when it is handed to the provider, and when it is taken."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from sqlalchemy import and_, bindparam, case, func, select

from pro_service.core.case import PROMPTS
from pro_service.core.protocol import Protocol
from pro_service.core.providers import MAIL
from pro_service.core.schedule.agenda import OTHER_CHANNEL, PERMANENT_FAILURES
from pro_service.gateways.codes import kind_of
from pro_service.gateways.outgoing import Outgoing
from pro_service.gateways.twilio.hooks import receipt_of
from pro_service.runtime import Runtime
from pro_service.store.schema import AnyRow, attempts, escalations, inbound, messages, participants, responses, windows
from pro_service.use_cases.failures import is_retried
from pro_service.use_cases.idle import TickReport
from tests.simulation import words
from tests.simulation.carrier import Taken
from tests.simulation.people import Person
from tests.simulation.world import World

HOURS = (time(9), time(20))
"""Contact hours of the simulated study, on the participant's clock."""
DAY = timedelta(days=1)
FRESH = timedelta(milliseconds=200)
"""How old the look at consent may be when a text leaves (the product's documented residue)."""
ALERTS = timedelta(hours=2)
"""A safety task that is overdue alerts so often on its first day, and then once a day."""
HANDED_OVER = PERMANENT_FAILURES | {OTHER_CHANNEL}
"""Classes of failure after which the next channel of a ladder asks."""
SLOW = timedelta(minutes=10)
"""A stop that was received this long ago has been read, unless something was down."""

Key = TypeVar("Key")
m, p, w = messages.c, participants.c, windows.c
_TEXT = (
    select(
        m.id, m.kind, m.frame, m.state, m.window_id, m.channel, p.code, p.opted_out_at,
        case(
            (m.channel == MAIL, p.email_unreachable_at), (m.channel == "whatsapp", p.whatsapp_unreachable_at),
            else_=p.unreachable_at,
        ).label("unreachable_at"),
        w.code.label("window"), attempts.c.started_at,
    )
    .join(participants, p.id == m.participant_id)
    .outerjoin(windows, w.id == m.window_id)
    .outerjoin(attempts, and_(attempts.c.message_id == m.id, attempts.c.number == m.attempt))
    .where(m.id == bindparam("message"))
)  # fmt: skip
r = responses.c
_ANSWERS = (
    select(r.item, r.value, r.declined)
    .where(r.window_id == bindparam("window"), r.recorded_at < bindparam("before"))
    .order_by(r.version)
)


_UNREAD = select(inbound.c.id).where(
    inbound.c.interpreted_at.is_(None),
    inbound.c.sender_index == bindparam("index"),
    inbound.c.received_at < bindparam("before"),
)
_CLAIMED = select(m.participant_id, p.code).join(participants, p.id == m.participant_id).where(m.state == "sending")
e = escalations.c
_OVERDUE = (
    select(e.id, e.due_at, p.code, func.max(m.queued_at).label("alerted_at"))
    .join(participants, p.id == e.participant_id)
    .outerjoin(messages, and_(m.escalation_id == e.id, m.frame == "overdue", m.queued_at <= bindparam("until")))
    .where(e.level == "ES", e.resolved_at.is_(None), e.acknowledged_at.is_(None), e.due_at <= bindparam("now"))
    .group_by(e.id, e.due_at, p.code)
)
_KEPT = select(inbound.c.id).where(inbound.c.provider_id == bindparam("sid"))


@dataclass(slots=True)
class Watch:
    """Holds what happens against what was promised, at the moment it happens."""

    world: World
    rt: Runtime
    protocol: Protocol
    people: Mapping[str, Person]
    texts: dict[int, str] = field(default_factory=dict)
    """Message -> id under which it was taken."""
    steps: dict[tuple[int, str], str] = field(default_factory=dict)
    """(window, kind of prompt) -> id under which it was taken."""
    days: dict[tuple[str, date, date], str] = field(default_factory=dict)
    """(participant, local day, the same by the product's clock) -> id of the prompt of that day."""
    overdue: set[int] = field(default_factory=set)
    """Safety tasks that were seen to be overdue."""
    given_back: set[str] = field(default_factory=set)
    """Ids of texts that were reported as not delivered for want of room or of a registration: these go again. And of
    those whose telephone takes none: another channel asks."""
    undelivered: dict[str, datetime] = field(default_factory=dict)
    """Id of a text that was reported as not delivered -> when."""

    def handed(self, outgoing: Outgoing) -> None:
        """Look at a text whose call to the provider begins now."""
        with self.rt.sessions.glance() as connection:
            row = connection.execute(_TEXT, {"message": outgoing.message_id}).one()
        person = self.people[row.code]
        self.world.ledger.note(row.code, f"message {row.id}: {row.frame} {row.window or ''} is handed over")
        if outgoing.to != (person.mail if row.channel == MAIL else person.phone):
            self._broken("a text goes to its own telephone", row, "another number")
        if row.state != "sending" or row.started_at is None:
            self._broken("a text is claimed before it leaves", row, row.state)
        if row.frame.endswith(".sms-card") and not person.card:
            self._broken("no text points to a card before it is made", row, row.frame)
        if row.frame != "stopped":
            self._wanted(row, person)
        if row.kind in PROMPTS:
            self._prompt(row, person)

    def claimed(self) -> list[str]:
        """Return the telephones of those whose texts are claimed now."""
        with self.rt.sessions.glance() as connection:
            return [self.people[row.code].phone for row in connection.execute(_CLAIMED)]

    def _wanted(self, row: AnyRow, person: Person) -> None:
        """Nothing goes to those who do not want it, or cannot get it."""
        now = self.world.now
        agreed = {MAIL: bool(person.mail), "whatsapp": person.chats}
        if not agreed.get(row.channel, person.consents):
            self._broken("no text without consent", row, row.frame)
        if person.left_at is not None and now - person.left_at > FRESH:
            self._broken("no text after leaving", row, row.frame)
        known = [at for at in (row.opted_out_at, row.unreachable_at) if at is not None]
        if any(at < (row.started_at or now) or now - at > FRESH for at in known):
            self._broken("no text after an opt-out", row, row.frame)
        lost = None if row.channel == MAIL else person.lost_at
        for said in (at for at in (person.stopped_at, lost) if at is not None):
            if now - said > SLOW and not self.world.weather.over(said, now):
                self._broken("no text after an opt-out", row, f"{row.frame}; said at {said}")

    def _prompt(self, row: AnyRow, person: Person) -> None:
        now, claimed = self.world.clock.now, row.started_at or self.world.clock.now
        if person.confirmed_at is None:
            self._broken("no prompt before the procedure is confirmed", row, row.kind)
        span = person.spans[row.window]
        if not span.opens_at <= claimed < span.closes_at:
            self._broken("no prompt outside its window", row, f"{row.kind}: {span.opens_at} to {span.closes_at}")
        local = claimed.astimezone(person.zone).time()
        if not HOURS[0] <= local < HOURS[1]:
            self._broken("no prompt outside contact hours", row, f"{row.kind} at {local} {person.zone}")
        looked = max(claimed, now - FRESH)
        if self._complete(row.window_id, row.window, looked):
            self._broken("no prompt after completion", row, row.kind)
        with self.rt.sessions.glance() as connection:
            unread = connection.execute(
                _UNREAD, {"index": self.rt.vault.index("phone", person.phone), "before": looked}
            )
            if unread.first() is not None:
                self._broken("no prompt while what may be its answer is unread", row, row.kind)
        if now - claimed > timedelta(seconds=60):
            self._broken("nothing leaves after its lease", row, f"claimed at {claimed}")

    def _complete(self, window_id: int, code: str, before: datetime) -> bool:
        """Whether a window had all its answers, or its deciding one refused, before this instant."""
        asked = {"window": window_id, "before": before}
        with self.rt.sessions.glance() as connection:
            newest = {row.item: row for row in connection.execute(_ANSWERS, asked)}
        point = self.protocol.time_point(code)
        primary = self.protocol.primary(point)
        refused = primary in newest and newest[primary].declined
        return refused or all(item in newest for item in point.items)

    def took(self, taken: Taken) -> None:
        """Look at a text that the provider takes now: nothing is taken twice."""
        with self.rt.sessions.glance() as connection:
            row = connection.execute(_TEXT, {"message": taken.outgoing.message_id}).one()
        if (first := self._first(self.texts, row.id, taken.sid)) != taken.sid:
            self._broken("no text is doubled", row, f"taken as {first} and as {taken.sid}")
        if row.kind not in PROMPTS:
            return
        person = self.people[row.code]
        # What a wrong clock asked before the window opened is asked again in it.
        early = taken.left_at < person.spans[row.window].opens_at
        if not early and self._first(self.steps, (row.window_id, row.kind), taken.sid, person) != taken.sid:
            self._broken("no prompt is doubled", row, f"{row.kind} of {row.window}")
        zone = person.zone
        day, by_its_clock = (at.astimezone(zone).date() for at in (taken.left_at, taken.handed_at))
        if self._first(self.days, (row.code, day, by_its_clock), taken.sid, person) != taken.sid:
            self._broken("at most one prompt a day", row, f"{row.kind} of {row.window} on {day}")

    def _first(self, known: dict[Key, str], key: Key, sid: str, person: Person | None = None) -> str:
        """Return the id under which this was taken first, and may have arrived."""
        first = known.get(key, "")
        if first in self.given_back or (person is not None and self._in_vain(first, person)):
            known[key] = sid
        return known.setdefault(key, sid)

    def _in_vain(self, sid: str, person: Person) -> bool:
        """Whether a text did not arrive, and its number was then found not to be theirs: another address is asked."""
        failed_at = self.undelivered.get(sid)
        return failed_at is not None and (person.lost_at is not None or person.number_at >= failed_at)

    def reported(self, said: Mapping[str, str]) -> None:
        """Take note of a delivery report."""
        code, sid = said.get("ErrorCode", ""), receipt_of("", said).provider_id
        if said["MessageStatus"] != "undelivered":
            return
        self.undelivered[sid] = self.world.now
        if is_retried(code) or kind_of(code) in HANDED_OVER:
            self.given_back.add(sid)

    def heard(self, person: Person, body: str) -> None:
        """Take note of what the product has been told by text."""
        if body in words.STOP[person.language]:
            person.stops(self.world.clock.now)

    def silent_tasks(self, now: datetime, until: datetime) -> Iterator[datetime]:
        """Right after the alerts, which took from `now` `until` then: no safety task is overdue in silence.

        Give the moments at which one may be next.
        """
        with self.rt.sessions.glance() as connection:
            rows = connection.execute(_OVERDUE, {"now": now, "until": until}).all()
        for row in rows:
            young = now < row.due_at + DAY
            if row.alerted_at is None or now - row.alerted_at > (ALERTS if young else DAY):
                how = f"task {row.id}, due {row.due_at}, alerted {row.alerted_at}"
                self.world.ledger.broken("no safety task is overdue in silence", row.code, how)
            if row.id not in self.overdue:
                self.overdue.add(row.id)
                yield from (row.due_at + ALERTS, row.due_at + DAY)

    def kept(self, sid: str) -> bool:
        """Whether the product has kept a text that somebody sent."""
        with self.rt.sessions.glance() as connection:
            return connection.execute(_KEPT, {"sid": sid}).first() is not None

    def asked_twice(self, report: object) -> None:
        """A second tick at the same instant does nothing new."""
        if isinstance(report, TickReport) and (report.commands or report.texts_read or report.faults):
            self.world.ledger.broken("a second tick does nothing new", "tick", str(report))

    def _broken(self, promise: str, row: AnyRow, how: str) -> None:
        self.world.ledger.broken(promise, row.code, f"message {row.id}: {how}")
