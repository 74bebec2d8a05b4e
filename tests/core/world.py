"""A small world without a database: one participant's case, a clock that is moved, a telephone network that obeys.

It folds commands into the case as the store does, and refuses what the store refuses: a key that exists already.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pro_service.core.case import PROMPTS, Case, MessageFacts, Participant, Source, State, WindowFacts
from pro_service.core.commands import Command, Record, Send
from pro_service.core.conversation.answers import on_answers
from pro_service.core.conversation.rules import Reply, on_reply
from pro_service.core.protocol import Protocol
from pro_service.core.schedule.agenda import may_text, next_moment, on_time
from pro_service.core.schedule.causes import cause_gone
from pro_service.core.schedule.status import Status, status
from pro_service.core.schedule.windows import schedule, within
from pro_service.core.study_file.file import check
from tests.core.ledger import fold, marked, with_facts

FOLDER = Path(__file__).parents[2] / "pro_service" / "protocols"
ISTANBUL = ZoneInfo("Europe/Istanbul")
MONDAY = date(2026, 1, 12)
"""The procedure date of most examples: W1 is aimed at Monday 19 January, open from the 18th, closed on the 23rd."""


def read_protocol(name: str) -> Protocol:
    """Read a protocol of ours."""
    protocol, faults = check((FOLDER / name).read_text(encoding="utf-8"))
    assert faults == ()
    assert protocol is not None
    return protocol


STUDY = read_protocol("nct07326982.toml")
DEMO = read_protocol("demo.toml")


def at(text: str, zone: ZoneInfo = ISTANBUL) -> datetime:
    """`2026-01-19 10:00` on a local clock, as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def person(**facts: object) -> Participant:
    """Return somebody in Istanbul, confirmed on the day of the procedure, who agreed to texts and has a card."""
    site = next(iter(STUDY.sites.values()))
    usual = Participant(
        id=1,
        code="P-001",
        site=site,
        language="en",
        zone=ISTANBUL,
        channel="sms-reply",
        has_phone=True,
        procedure_date=MONDAY,
        enrolled_at=at("2026-01-12 12:00"),
        confirmed_at=at("2026-01-12 12:00"),
        consented_at=at("2026-01-12 12:00"),
        card_made_at=at("2026-01-12 12:00"),
        # Known, so that nobody asks for it; the windows of minutes are left out all the same.
        procedure_end=at("2026-01-12 11:00"),
    )
    return replace(usual, **facts)  # type: ignore[arg-type]


def case_of(
    participant: Participant, protocol: Protocol = STUDY, holidays: frozenset[date] = frozenset(), *, number: int = 1
) -> Case:
    """Lay a participant's windows out; no window of minutes among them."""
    zone = ZoneInfo(participant.site.zone)
    spans = schedule(protocol, participant.procedure_date, zone)
    windows = tuple(
        WindowFacts(
            id=number * 100 + place, schedule=number, span=span, point=protocol.time_point(span.code), answers={}
        )
        for place, span in enumerate(spans)
    )
    return Case(participant, protocol, holidays, tuple(sorted(windows, key=lambda window: window.span.opens_at)))


@dataclass(slots=True)
class World:
    """One participant, and everything that happened, in order."""

    case: Case
    now: datetime
    delay: timedelta | None = timedelta(seconds=2)
    """How long the provider takes to accept a text; None: it accepts nothing."""
    ticking: bool = True
    done: list[tuple[datetime, Command]] = field(default_factory=list)
    accepted: list[tuple[datetime, MessageFacts]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    beats: list[datetime] = field(default_factory=list)
    """When the scheduler looked."""
    last_id: int = 1000

    # Time -----------------------------------------------------------------------------------------------------------

    def until(self, to: datetime) -> None:
        """Live through every instant up to this one at which something may happen."""
        while True:
            due = [moment for moment in (self._next_tick(), self._next_delivery()) if moment is not None]
            moment = min(due, default=None)
            if moment is None or moment > to:
                break
            self.now = max(self.now, moment)
            self.beat()
        self.now = max(self.now, to)
        self.beat()

    def beat(self) -> None:
        """One beat of the scheduler and of the delivery, at this instant."""
        if self.ticking:
            self.tick()
        self.deliver()

    def tick(self) -> tuple[Command, ...]:
        """Carry out what time calls for; asking again calls for nothing."""
        self.beats.append(self.now)
        commands = on_time(self.case, self.now)
        self.carry_out(commands)
        assert on_time(self.case, self.now) == ()
        # Whatever the life: no task is left open whose cause is gone.
        assert [one for one in self.case.escalations if one.open and cause_gone(self.case, one, self.now)] == []
        return commands

    def _next_tick(self) -> datetime | None:
        return next_moment(self.case, self.now) if self.ticking else None

    def _next_delivery(self) -> datetime | None:
        waiting = [text for text in self.case.messages if text.state == "ready" and self._goes(text)]
        if self.delay is None or not waiting:
            return None
        return max(self.now, min(text.queued_at + self.delay for text in waiting))

    # The telephone network ------------------------------------------------------------------------------------------

    def deliver(self) -> None:
        """Send what waits and may go; end what is too late."""
        for text in self.case.messages:
            if text.state == "ready" and text.useful_until is not None and text.useful_until <= self.now:
                self.mark(text.id, "expired")
            elif text.state == "ready" and self.delay is not None and text.queued_at + self.delay <= self.now:
                if self._goes(text):
                    self.mark(text.id, "accepted")
                elif not self._ever(text):
                    self.mark(text.id, "cancelled")

    def mark(self, message_id: int, state: State, at: datetime | None = None) -> None:
        """Move one message to another state, now or at an earlier instant."""
        self.case = marked(self.case, message_id, state, at or self.now)
        if state == "accepted":
            self.accepted += [(self.now, text) for text in self.case.messages if text.id == message_id]

    def _ever(self, text: MessageFacts) -> bool:
        person = self.case.participant
        return person.died_at is None and (text.frame == "stopped" or may_text(person))

    def _goes(self, text: MessageFacts) -> bool:
        """Repeat the gate of the outbox."""
        who, now = self.case.participant, self.now
        if text.kind not in PROMPTS or text.window_id is None:
            return self._ever(text)
        paused = who.paused_at is not None and (who.paused_until is None or who.paused_until > now)
        held = who.texts_held_until is not None and who.texts_held_until > now
        open_now = self.case.window(text.window_id).span.closes_at > now
        hours = within(now, self.case.protocol.contact_hours, who.zone)
        return self._ever(text) and open_now and hours and not paused and not held and not who.lacks_card

    # What people do -------------------------------------------------------------------------------------------------

    def text(self, words: str, *, opt_out: str | None = None, after: float = 0, media: int = 0) -> list[str]:
        """Send us a text, `after` seconds from now; gives the frames of our replies, once they are accepted."""
        self.until(self.now + timedelta(seconds=after))
        self.last_id += 1
        reply = Reply(self.last_id, words, self.now, media=media, opt_out=opt_out)
        _, commands = on_reply(self.case, reply, self.now)
        self.carry_out(commands)
        return [command.frame for command in commands if isinstance(command, Send)]

    def answer(self, code: str, answers: dict[str, int | None], source: Source = "web") -> tuple[Command, ...]:
        """Answer by another way than a text; the items are the window's."""
        commands = on_answers(self.case, self.window(code), answers, source=source, received_at=self.now, now=self.now)
        self.carry_out(commands)
        return commands

    def change(self, **facts: object) -> None:
        """Change what is known of the participant."""
        self.case = with_facts(self.case, **facts)

    # What one can see -----------------------------------------------------------------------------------------------

    def window(self, code: str) -> WindowFacts:
        """The window of this code that holds."""
        return next(window for window in self.case.current if window.code == code)

    def values(self, code: str) -> dict[str, int | None]:
        """Item -> value of what was answered."""
        return {item: answer.value for item, answer in self.window(code).answers.items()}

    def status(self, code: str) -> Status:
        """What a window is now."""
        window = self.window(code)
        return status(window, self.case.participant, self.case.protocol.primary(window.point), self.now)

    def records(self) -> list[Record]:
        """Every version of every answer, in order."""
        return [command for _, command in self.done if isinstance(command, Record)]

    def prompts(self) -> list[str]:
        """`W1 invitation` … in the order they were accepted."""
        return [
            f"{self.case.window(text.window_id).code} {text.kind}"
            for _, text in self.accepted
            if text.kind in PROMPTS and text.window_id is not None
        ]

    def escalations(self, *, open_only: bool = False) -> list[str]:
        """`W1 E3 missed` … in the order they were raised."""
        return [
            " ".join((*([] if e.window_id is None else [self.case.window(e.window_id).code]), e.level, e.reason))
            for e in self.case.escalations
            if e.open or not open_only
        ]

    def outcome(self, level: str) -> str | None:
        """How the newest escalation of a level ended."""
        return [e for e in self.case.escalations if e.level == level][-1].outcome

    # Folding --------------------------------------------------------------------------------------------------------

    def carry_out(self, commands: tuple[Command, ...]) -> None:
        """Write commands down, as the store would: a text's key exists once."""
        for command in commands:
            if isinstance(command, Send):
                assert command.key not in self.keys, command.key
                self.keys.add(command.key)
            self.done.append((self.now, command))
            self.last_id += 1
            self.case = fold(self.case, command, self.now, self.last_id)

    def acknowledge(self) -> None:
        """Somebody takes all open work up."""
        taken = tuple(
            replace(e, acknowledged_at=e.acknowledged_at or self.now) if e.open else e for e in self.case.escalations
        )
        self.case = replace(self.case, escalations=taken)


def world(**facts: object) -> World:
    """Return a world in which somebody was enrolled on the day of the procedure, at that instant."""
    case = case_of(person(**facts))
    return World(case, case.participant.enrolled_at)


def invited(**facts: object) -> World:
    """Return a world at the invitation of W1, accepted a moment ago."""
    life = world(**facts)
    life.until(at("2026-01-19 10:00:10"))
    assert life.prompts() == ["W1 invitation"]
    return life


def completed(**facts: object) -> World:
    """Return a world in which W1 was answered by text, 7 and 2."""
    life = invited(**facts)
    assert life.text("7", after=60) == ["question"]
    assert life.text("2", after=60) == ["thanks"]
    life.until(life.now + timedelta(seconds=10))
    return life
