"""Random lives in which the office changes things: nothing is sent twice or to nobody, no answer is lost."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from pro_service.core.case import PROMPTS, Case
from pro_service.core.changes.model import (
    Change,
    Die,
    Migrate,
    Move,
    NewAddress,
    NewChannel,
    NewConsent,
    NewLanguage,
    NewTelephone,
    NewZone,
    Pause,
    Reschedule,
    Resume,
    Withdraw,
)
from pro_service.core.changes.plan import case_after, plan_change
from pro_service.core.commands import Command
from pro_service.core.problems import ChangeRefusedError
from pro_service.core.protocol import Offset, Protocol
from pro_service.core.schedule.agenda import next_moment, on_time
from pro_service.core.schedule.calendar import local_day
from pro_service.core.schedule.windows import local_instant
from tests.core.histories import Happening, gaps, happen, happenings, worlds
from tests.core.world import World

DAY = timedelta(days=1)
PROBES = (timedelta(microseconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(hours=6))


@dataclass(frozen=True, slots=True)
class Changed:
    """After so long, the office changes this; `number` says to what."""

    case_after: timedelta
    what: str
    number: int = 0
    asked: bool = False
    """Not before the next prompt was accepted."""


CHANGES = (
    *("reschedule",) * 6,
    *("pause", "resume", "language", "channel", "telephone", "consent", "consent back", "mails", "messages"),
    *("move", "migrate", "migrate"),
)
changes = st.one_of(
    st.builds(Changed, case_after=gaps, what=st.sampled_from(CHANGES), number=st.integers(-40, 40)),
    st.builds(
        Changed,
        case_after=st.integers(0, 30).map(lambda hours: timedelta(hours=hours)),
        what=st.sampled_from(("reschedule", "reschedule", "migrate", "language")),
        number=st.integers(-4, 4),
        asked=st.just(True),
    ),
)
leavings = st.builds(Changed, case_after=gaps, what=st.sampled_from(("study", "died")), number=st.integers(-20, 0))
zones = st.builds(Changed, case_after=gaps, what=st.just("zone"), number=st.integers(0, 2))
turns = st.lists(st.one_of(happenings, changes, changes), min_size=1, max_size=16)
"""What happens to somebody who stays, on one clock."""


def change_of(world: World, changed: Changed) -> Change:
    """The change itself, as the case stands."""
    case, number = world.case, changed.number
    person = case.participant
    today = local_day(world.now, case.site_zone)
    instant = local_instant(today + number * DAY, world.now.time().min, case.site_zone)
    sites = list(case.protocol.sites.values())
    found: dict[str, Change] = {
        "reschedule": Reschedule(person.procedure_date + number * DAY, None),
        "pause": Pause(world.now + abs(number) * DAY),
        "resume": Resume(),
        "language": NewLanguage("en" if person.language == "tr" else "tr"),
        "channel": NewChannel(("sms-link",) if person.channel == "sms-reply" else ("sms-reply", "email-link")),
        "telephone": NewTelephone(number % 4 != 0, {"sms": world.now if number % 2 else None, "whatsapp": None}),
        "consent": NewConsent(world.now),
        "mails": NewAddress(number % 4 != 0, world.now if number % 2 else None),
        "consent back": NewConsent(None),
        "messages": Withdraw("messages"),
        "study": Withdraw("study", min(instant, world.now)),
        "died": Die(min(instant, world.now)),
        "zone": NewZone(ZoneInfo(("Europe/Berlin", "Australia/Lord_Howe", "Pacific/Honolulu")[number % 3])),
        "move": Move(sites[number % len(sites)]),
        "migrate": Migrate(longer(case, abs(number) % 5)),
    }
    return found[changed.what]


def longer(case: Case, days: int) -> Protocol:
    """Another version of the protocol, in which every message window is aimed some days later."""
    points = (
        replace(point, target=Offset(point.target.months, point.target.days + days)) if point.prompted else point
        for point in case.protocol.time_points
    )
    return replace(case.protocol, time_points=tuple(points))


def make(world: World, change: Change) -> None:
    """Write a change down as the store does, with its rows' ids; refused ones change nothing."""
    try:
        made = plan_change(world.case, change, world.now)
    except ChangeRefusedError:
        return
    if made.unchanged:
        return
    before = {window.id: window.answers for window in world.case.windows}
    then = case_after(world.case, made, world.now)
    assert {window.id: window.answers for window in then.windows if window.id in before} == before
    ids = count(world.last_id + 1)
    windows = tuple(replace(window, id=next(ids)) if window.id < 0 else window for window in then.windows)
    world.last_id = next(ids)
    world.case = replace(then, windows=windows)
    dated = ("pause", "new_telephone", "new_address", "consent")
    assert plan_change(world.case, change, world.now).unchanged or made.action in dated


@dataclass(slots=True)
class Watched(World):
    """A world that checks that looking again is never too late, and remembers when a death was told."""

    told: datetime | None = None

    def tick(self) -> tuple[Command, ...]:
        commands = World.tick(self)
        if self.told is None and self.case.participant.died_at is not None:
            self.told = self.now
        ahead = next_moment(self.case, self.now)
        end = ahead or self.now + 200 * DAY
        for probe in {self.now + (end - self.now) * part / 5 for part in range(5)} | {end - one for one in PROBES}:
            if self.now <= probe < end:
                assert on_time(self.case, probe) == (), (self.now, probe, ahead)
        return commands


def asked(life: World) -> None:
    """Live until another prompt was accepted, if one comes."""
    before = len(life.prompts())
    for _ in range(60):
        if len(life.prompts()) > before:
            return
        life.until(life.now + timedelta(hours=12))


def live(world: World, turns: list[Happening | Changed]) -> Watched:
    """Live a whole life through, up to a month after the last window."""
    life = Watched(world.case, world.now)
    life.until(life.now)
    for turn in turns:
        if isinstance(turn, Changed):
            if turn.asked:
                asked(life)
            life.until(life.now + turn.case_after)
            make(life, change_of(life, turn))
            life.beat()
        else:
            happen(life, turn)
    life.ticking, life.delay = True, timedelta(seconds=2)
    life.until(max([window.span.closes_at for window in life.case.current], default=life.now) + 30 * DAY)
    return life


@settings(max_examples=25)
@given(worlds(), turns)
def test_no_step_is_accepted_twice_for_a_window(life: World, turned: list[Happening | Changed]) -> None:
    world = live(life, turned)
    windows = {window.id: window for window in world.case.windows}
    asked_before: dict[tuple[str, str], datetime] = {}
    for text in sorted(world.case.messages, key=lambda text: text.accepted_at or world.now):
        if text.kind in PROMPTS and text.accepted_at is not None and text.window_id is not None:
            window = windows[text.window_id]
            last = asked_before.get((window.code, text.kind))
            assert last is None or last < window.span.opens_at, (window.code, text.kind)
            asked_before[window.code, text.kind] = text.accepted_at


@settings(max_examples=25)
@given(worlds(), turns)
def test_no_participant_gets_two_prompts_on_one_day(life: World, turned: list[Happening | Changed]) -> None:
    world = live(life, turned)
    zone = world.case.participant.zone
    days = Counter(local_day(moment, zone) for moment, text in world.accepted if text.kind in PROMPTS)
    assert not [day for day, times in days.items() if times > 1]


@settings(max_examples=25)
@given(worlds(), st.lists(st.one_of(happenings, changes, leavings, zones), min_size=1, max_size=16))
def test_every_window_that_holds_is_counted_and_nothing_leaves_after_a_death(
    life: World, turned: list[Happening | Changed]
) -> None:
    world = live(life, turned)
    person = world.case.participant
    if person.confirmed_at is not None:
        assert all(window.settled is not None for window in world.case.current)
    assert len({window.code for window in world.case.current}) == len(world.case.current)
    assert not [text for moment, text in world.accepted if world.told is not None and moment > world.told]
