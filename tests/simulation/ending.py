"""What must be true when a run is over: every window has its end, every answer its meaning, every text its fate."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from pro_service.core import problems
from pro_service.core.case import PROMPTS, REPLIED, WRONG_CLOCK, Case, WindowFacts
from pro_service.core.protocol import Protocol
from pro_service.core.providers import MAIL, STAFF_MAIL
from pro_service.core.schedule.causes import cause_gone
from pro_service.core.schedule.status import settled_as
from pro_service.gateways.codes import kind_of
from pro_service.runtime import Runtime
from pro_service.store.messages.staff_mail import CONDITIONAL
from pro_service.store.schema import (
    AnyRow,
    attempts,
    escalations,
    inbound,
    messages,
    participants,
    responses,
    tallies,
    windows,
)
from pro_service.use_cases.failures import is_retried
from pro_service.use_cases.trail.verify import verify
from tests.simulation import losses
from tests.simulation.carrier import Carrier
from tests.simulation.people import Given, Meant, Person
from tests.simulation.watch import HANDED_OVER
from tests.simulation.world import World

ENDS = frozenset(
    {"completed_in_window", "completed_late", "partial", "declined", "missed", "missed_before_enrolment"}
    | {"withdrawn", "died", "withdrawn_after_opening", "died_after_opening"}
)
LEFT = frozenset({"accepted", "sent", "delivered", "undelivered", "failed"})
LONGEST_DOUBT = timedelta(hours=1)
SHOWN_AFTER = timedelta(minutes=1)
"""A text that is handed over so long after another shows what the list knows of that one."""
SLACK = timedelta(minutes=30)
"""So late a question to the provider may come that was due."""
FAILED = frozenset({"undelivered", "failed", "refused", "dead"})
p, t, w = participants.c, tallies.c, windows.c


@dataclass(slots=True)
class Ending:
    """Looks at everything there is, once everything has come to rest."""

    world: World
    rt: Runtime
    protocol: Protocol
    carrier: Carrier
    people: Mapping[str, Person]
    given_back: set[str]
    """Ids of texts that were reported as not delivered for want of room or of a registration."""

    def look(self) -> None:
        """Write down every promise that was not kept."""
        with self.rt.sessions.reading() as session:
            ids = session.scalars(select(p.id)).all()
            cases = {
                loaded.case.participant.code: loaded.case for loaded in self.rt.loader.load(session, ids, lock=False)
            }
            raised = session.execute(select(escalations)).all()
            texts = session.execute(select(messages)).all()
            heard = {row.provider_id: row for row in session.execute(select(inbound)).all()}
            answers = session.execute(
                select(responses, p.code.label("participant"), w.code.label("window"))
                .join(participants, p.id == responses.c.participant_id)
                .outerjoin(windows, w.id == responses.c.window_id)
                .order_by(responses.c.id)
            ).all()
            settled = session.execute(
                select(w.study_id, p.site_id, w.code, w.settled).join(participants, p.id == w.participant_id)
            ).all()
            counted = session.execute(select(t.study_id, t.site_id, t.code, t.status, t.count.label("windows"))).all()
        for code, case in cases.items():
            self._windows(code, case)
            self._once(code, case)
            self._causes(code, case)
        self._tallies(settled, counted)
        self._meanings(answers, heard)
        self._heard(heard)
        self._fates(texts, raised)
        for found in verify(self.rt).findings:
            what = f"{found.kind} {found.entity} {found.id}: {problems.words(found.problem)[0]}"
            self._broken("the trail tells of every fact as it is", str(found.participant), what)
        done = losses.done(answers, self.protocol)
        for code, case in cases.items():
            person, taken = self.people[code], self.carrier.taken
            for step, at in losses.lost(person, case, self.protocol, self.world.weather, taken, done):
                self.world.ledger.broken("no prompt is lost", code, f"{step} at {at}", at + timedelta(days=1))
            for window, at in losses.unasked(person, case, self.protocol, self.world.weather, taken, done):
                self.world.ledger.broken("whoever can be asked is asked while the window is open", code, window, at)
            for what, at in losses.untold(person, case, self.protocol, self.world.weather, done):
                promise = "nobody is without a way to be asked and nobody told"
                self.world.ledger.broken(promise, code, f"{what} is missing at {at}", at + losses.SOON)

    def _windows(self, code: str, case: Case) -> None:
        """Every window of a confirmed participant has ended in one way, and a missed one is somebody's work once."""
        now = self.world.clock.now
        for window in case.current:
            if window.span.closes_at > now or case.participant.confirmed_at is None:
                continue
            primary = case.protocol.primary(window.point)
            if window.settled not in ENDS:
                self._broken("every window ends", code, f"{window.code} is settled as {window.settled}")
            elif window.settled != settled_as(window, case.participant, primary, now):
                self._broken("a window is counted as what it is", code, f"{window.code} as {window.settled}")
            self._missed(code, case, window)

    def _missed(self, code: str, case: Case, window: WindowFacts) -> None:
        raised = [one for one in case.escalations if one.window_id == window.id]
        missed = [one for one in raised if one.level == "E3"]
        late = any(answer.received_at >= window.span.closes_at for answer in window.answers.values())
        wanted = {1} if window.settled == "missed" else {0, 1} if late else {0}
        if len(missed) not in wanted:
            self._broken("a missed window is escalated exactly once", code, f"{window.code}: {len(missed)} times")
        if late and any(one.open for one in missed) and window.settled != "missed":
            self._broken("a late answer ends the work about it", code, window.code)
        calm = not self.world.weather.over(window.span.opens_at, window.span.closes_at)
        started = case.participant.started_at
        early = started is not None and started <= window.span.opens_at
        if window.settled == "missed" and calm and early and not any(one.level in ("E1", "E2") for one in raised):
            self._broken("a window is called for before it is missed", code, window.code)

    def _once(self, code: str, case: Case) -> None:
        """What may exist once a window and level exists once."""
        of_window = (one for one in case.escalations if one.key.startswith(f"{one.level}:w{one.window_id}"))
        levels = Counter((one.window_id, one.level) for one in of_window)
        for (_, level), count in levels.items():
            if count > 1:
                self._broken("an escalation exists once", code, f"{level} {count} times")
        person = self.people[code]
        asked = sum((one.level, one.reason) == ("E0", "confirm_procedure") for one in case.escalations)
        unconfirmed = case.participant.confirmed_at is None and person.left_at is None
        if asked > 1 or (unconfirmed and asked == 0):
            self._broken("an unconfirmed procedure is asked about once", code, f"{asked} times")

        self._visits(code, case)

    def _visits(self, code: str, case: Case) -> None:
        """A visit that has no window, because nobody said when the procedure ended, is somebody's work."""
        told = [one for one in case.escalations if one.reason == "no_procedure_time"]
        laid = {window.code for window in case.current}
        counted = [point.code for point in case.protocol.time_points if point.minutes is not None]
        started, until = case.participant.started_at, max(window.span.closes_at for window in case.current)
        long = started is not None and until - started > timedelta(days=14)
        if long and case.without_end and not told:
            self._broken("a visit without a window is somebody's work", code, ", ".join(counted))
        if case.participant.procedure_end is not None and not laid.issuperset(counted):
            self._broken("a visit has its window once the procedure's end is known", code, ", ".join(counted))
        if sum(one.open for one in told if one.level == "E0") > 1:
            self._broken("a procedure's end is asked for by one task at a time", code, f"{len(told)} times")

    def _causes(self, code: str, case: Case) -> None:
        """A task whose cause is gone has ended: what is open is somebody's work."""
        for task in case.escalations:
            gone = cause_gone(case, task, self.world.clock.now) if task.open else None
            if gone is not None:
                self._broken("no open task is without a cause", code, f"{task.level} {task.reason}: {gone}")

    def _tallies(self, settled: Sequence[AnyRow], counted: Sequence[AnyRow]) -> None:
        """Running counts are equal to the full count."""
        full = Counter(tuple(row) for row in settled if row.settled is not None)
        kept = {(row.study_id, row.site_id, row.code, row.status): row.windows for row in counted if row.windows}
        if dict(full) != kept:
            self._broken("tallies equal the full count", "tallies", f"{kept} against {dict(full)}")

    # Answers ---------------------------------------------------------------------------------------------------------

    def _meanings(self, answers: Sequence[AnyRow], heard: Mapping[str, AnyRow]) -> None:
        """Every version of every answer is what its participant meant: nothing is guessed."""
        texts = {row.id: row.provider_id for row in heard.values()}
        for row in answers:
            person = self.people[row.participant]
            kept = Meant(row.window, row.item, None if row.declined else row.value)
            if row.source == "import":
                good = person.values.get(("V0", row.item)) == row.value
            elif row.source in REPLIED:
                meant = person.said[texts[row.inbound_id]]
                good = _same(meant, kept) or (row.window is None and self._misled(row, meant, kept))
            else:
                good = Given(row.source, row.received_at, kept) in person.given
            if not good:
                said = person.said.get(texts.get(row.inbound_id, ""))
                how = f"kept {kept} by {row.source}, meant {said}"
                self.world.ledger.broken("no answer is guessed", row.participant, how, row.recorded_at)

    def _misled(self, row: AnyRow, meant: Meant | None, kept: Meant) -> bool:
        """Whether the newest prompt left by a wrong clock: nobody can say which window its answer is about."""
        phone = self.people[row.participant].phone
        before = [one for one in self.carrier.taken if one.outgoing.to == phone and one.left_at < row.received_at]
        newest = max(before, key=lambda one: one.left_at, default=None)
        wrong = newest is not None and newest.handed_at != newest.left_at
        return wrong and meant is not None and (meant.item, meant.value) == (kept.item, kept.value)

    def _heard(self, heard: Mapping[str, AnyRow]) -> None:
        """Every text that somebody sent was kept, once, and read."""
        for person in self.people.values():
            for sid in person.said:
                if sid not in heard:
                    self._broken("no reply is lost", person.code, f"…{sid[-4:]} was never kept")
                elif heard[sid].interpreted_at is None:
                    self._broken("every reply is read", person.code, f"…{sid[-4:]}")
                elif heard[sid].faults:
                    self._broken("no reply is a riddle to the rules", person.code, f"…{sid[-4:]}: {heard[sid].faults}")

    # Texts -----------------------------------------------------------------------------------------------------------

    def _fates(self, texts: Sequence[AnyRow], raised: Sequence[AnyRow]) -> None:
        """What the database says of a text is what became of it, and who could not be reached is somebody's work."""
        told = {row.participant_id for row in raised if row.level == "E0"}
        untrue = {row.id for row in raised if row.outcome == WRONG_CLOCK}
        codes = {row.id: code for code, row in self._rows().items()}
        taken = {one.outgoing.message_id for one in self.carrier.taken}
        kept = {one.outgoing.message_id for one in self.carrier.taken if one.sid not in self.given_back}
        with self.rt.sessions.reading() as session:
            started = session.execute(select(attempts.c.message_id, attempts.c.started_at).order_by(attempts.c.number))
            begun = {row.message_id: row.started_at for row in started}
        for row in texts:
            who, name = codes.get(row.participant_id, "staff"), f"message {row.id} ({row.frame})"
            if row.state in ("ready", "sending", "uncertain"):
                self._broken("every text has its end", who, f"{name} is {row.state}")
            if row.channel == STAFF_MAIL:
                # The list of a day that is over is of use to nobody; each of its tasks was mailed for itself.
                over = row.frame == "digest" and row.state == "expired"
                # A task that a wrong clock had raised is nobody's work.
                over = over or (row.escalation_id in untrue and row.state == "cancelled")
                # What says that nobody took a task up leaves no more once somebody has, or the next alert is due.
                over = over or (row.frame in CONDITIONAL and row.state in ("cancelled", "expired"))
                if row.state != "accepted" and not over:
                    self._broken("every alert reaches its reader", who, f"{name} is {row.state}")
                continue
            if row.state in LEFT and row.id not in taken:
                self._broken("nothing counts as sent that was not", who, f"{name} is {row.state}")
            in_doubt = row.channel == MAIL and row.resends > 0
            if row.id in kept and row.state not in LEFT and not in_doubt:
                self._broken("nothing that was sent is forgotten", who, f"{name} is {row.state}")
            handed_over = kind_of(row.error) in HANDED_OVER and self.people[who].ladder
            if (
                row.state in FAILED
                and row.participant_id not in told
                and not in_doubt
                and not (is_retried(row.error or "") or handed_over)
            ):
                self._broken("a text that cannot arrive is a task", who, f"{name} is {row.state}")
            if row.state == "expired" and row.kind in PROMPTS and row.attempt == 0:
                self._expired(who, row)
            if row.state == "dead" and row.participant_id is not None and not in_doubt:
                self._given_up(who, row, begun.get(row.id, row.queued_at))

    def _given_up(self, who: str, row: AnyRow, begun: datetime) -> None:
        """Nobody could tell whether a text left: only where no later one of ours showed in time that the list works."""
        # By a wrong clock a text was handed over later than it was: it shows nothing of what came after it.
        mine = (one for one in self.carrier.taken if one.facts.way == row.channel)
        later = (one.at for one in mine if begun + SHOWN_AFTER < one.handed_at <= one.left_at)
        shown = min(later, default=None)
        if shown is None or row.useful_until is None:
            return
        certain = max(shown, begun + LONGEST_DOUBT) + SLACK
        if certain < row.useful_until and not self.world.weather.over(begun, certain):
            self._broken("what never left is sent while it is of use", who, f"message {row.id} ({row.frame}) is dead")

    def _expired(self, who: str, row: AnyRow) -> None:
        """A prompt nobody tried to send expires only where something was down, or texts were not wanted."""
        weather, until = self.world.weather, row.useful_until
        hindered = any(start <= until and end >= row.queued_at for start, end in self.people[who].unasked)
        if not hindered and not weather.over(row.queued_at, until):
            self._broken("no prompt is lost", who, f"message {row.id} ({row.kind}) expired untried")

    def _rows(self) -> Mapping[str, AnyRow]:
        with self.rt.sessions.reading() as session:
            return {row.code: row for row in session.execute(select(p.id, p.code)).all()}

    def _broken(self, promise: str, who: str, how: str) -> None:
        self.world.ledger.broken(promise, who, how)


def _same(meant: Meant | None, kept: Meant) -> bool:
    """Whether what was kept is what was meant; how it is now may be kept for whichever window asks just then."""
    if meant is None:
        return False
    return kept == meant or (meant.window is None and (kept.item, kept.value) == (meant.item, meant.value))
