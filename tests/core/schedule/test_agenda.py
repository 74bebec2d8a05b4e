"""What time calls for, in random lives: once, never too late, never too often."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pro_service.core.case import PROMPTS, WindowFacts
from pro_service.core.commands import Command, Escalate, Send, Settle
from pro_service.core.protocol import Step
from pro_service.core.schedule.agenda import next_moment, on_time
from pro_service.core.schedule.calendar import local_day
from pro_service.core.schedule.prompts import NOT_SENT
from pro_service.core.schedule.windows import local_instant, next_allowed, within
from tests.core.histories import Happening, happen, histories, worlds
from tests.core.world import World

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
PROBES = (
    timedelta(microseconds=1),
    timedelta(seconds=1),
    MINUTE,
    2 * MINUTE,
    timedelta(hours=1),
    6 * timedelta(hours=1),
)


class Watched(World):
    """A world that checks at every beat that looking again is never too late."""

    def tick(self) -> tuple[Command, ...]:
        before = self.case
        commands = on_time(self.case, self.now)
        prompts = [command for command in commands if isinstance(command, Send)]
        assert all(command.kind in PROMPTS for command in prompts)
        for send in prompts:
            _check_prompt(self, send)
        assert World.tick(self) == commands
        assert (before == self.case) == (commands == ())
        self._check_quiet()
        self._check_told()
        return commands

    def beat(self) -> None:
        # What has just happened may call for something at once: then we look at once.
        assert not on_time(self.case, self.now) or next_moment(self.case, self.now) == self.now
        World.beat(self)

    def _check_told(self) -> None:
        """Whoever cannot be asked for want of a number is somebody's task; a window has one call, and one urgent."""
        who, until = self.case.participant, self.case.asks_until
        if not who.has_phone and who.left_at is None and until is not None and self.now < until:
            assert any(one.reason == "no_way_to_ask" and one.open for one in self.case.escalations)
        calls = Counter(
            (one.window_id, one.level)
            for one in self.case.escalations
            if one.open and one.window_id is not None and one.level in ("E1", "E2")
        )
        assert max(calls.values(), default=1) == 1

    def _check_quiet(self) -> None:
        """Nothing is called for before the moment at which we look again."""
        ahead = next_moment(self.case, self.now)
        last = max(window.span.closes_at for window in self.case.current) + 60 * DAY
        end = ahead if ahead is not None else last
        probes = {self.now + (end - self.now) * part / 8 for part in range(8)}
        probes |= {self.now + step for step in PROBES} | {end - step for step in PROBES}
        for probe in probes:
            if self.now <= probe < end:
                assert on_time(self.case, probe) == (), (self.now, probe, ahead)


def _planned(world: World, window: WindowFacts, step: Step) -> datetime:
    zone = world.case.participant.zone
    planned = max(local_instant(window.span.target + step.after * DAY, step.at, zone), window.span.opens_at)
    return next_allowed(planned, world.case.protocol.contact_hours, zone)


def _check_prompt(world: World, send: Send) -> None:
    """Everything that must hold at the instant a prompt is queued."""
    who, now = world.case.participant, world.now
    assert send.window_id is not None
    window = world.case.window(send.window_id)
    assert who.confirmed_at is not None
    assert who.consented_at is not None
    assert who.has_phone
    assert not who.lacks_card
    assert who.opted_out_at is None
    assert who.left_at is None
    assert who.paused_at is None or (who.paused_until is not None and who.paused_until <= now)
    assert window.missing()
    assert window.span.opens_at <= now
    assert now < window.span.closes_at - timedelta(hours=6)
    assert send.useful_until is not None
    assert now < send.useful_until <= window.span.closes_at - timedelta(hours=6)
    assert within(now, world.case.protocol.contact_hours, who.zone)
    steps = {step.name: _planned(world, window, step) for step in window.point.steps}
    if who.snoozed_until is not None:
        assert now >= who.snoozed_until
        return
    started = who.started_at
    assert started is not None
    texts = [text for text in world.case.texts(window.id) if text.kind in PROMPTS]
    if not any(text.accepted_at is not None or text.state not in NOT_SENT for text in texts):
        # Nobody is reminded of what they were not asked: the invitation stays due.
        assert send.kind == "invitation"
        assert min(steps["invitation"], started) <= now
        assert send.useful_until <= now + DAY
        return
    invited_now = send.kind == "invitation" and steps["invitation"] < started
    moment = started if invited_now else steps[send.kind]
    assert moment <= now < moment + DAY
    newest = [name for name, planned in steps.items() if planned <= now]
    assert send.kind == (newest[-1] if newest else "invitation") or started > steps[newest[-1]]


def watched(life: World) -> Watched:
    return Watched(life.case, life.now)


def live(world: World, history: list[Happening]) -> World:
    """Live a whole life through, up to a month after the last window."""
    world.until(world.now)
    for happening in history:
        happen(world, happening)
    world.ticking = True
    world.until(max(window.span.closes_at for window in world.case.current) + 30 * DAY)
    return world


lives = st.builds(live, worlds(), histories)


@settings(max_examples=100)
@given(worlds(), histories)
def test_looking_again_is_never_too_late_and_every_prompt_has_its_reasons(
    life: World, history: list[Happening]
) -> None:
    """`Watched` checks both at every beat; when all has closed, nothing is left to be done."""
    lived = live(watched(life), history)
    assert lived.beats
    assert on_time(lived.case, lived.now) == ()


@settings(max_examples=40)
@given(lives)
def test_no_participant_gets_two_prompts_on_one_day(world: World) -> None:
    zone = world.case.participant.zone
    days = Counter(local_day(moment, zone) for moment, text in world.accepted if text.kind in PROMPTS)
    assert not [day for day, count in days.items() if count > 1]


@settings(max_examples=40)
@given(lives)
def test_every_window_is_counted_exactly_once(world: World) -> None:
    confirmed = world.case.participant.confirmed_at is not None
    assert all((window.settled is not None) == confirmed for window in world.case.current)
    counted: dict[int, list[str]] = {}
    for _, command in world.done:
        if isinstance(command, Settle):
            counted.setdefault(command.window_id, []).append(command.settled)
    for settled in counted.values():
        # A late answer moves it, never to the same count again.
        assert all(one != other for one, other in pairwise(settled))


@settings(max_examples=40)
@given(lives)
def test_a_window_counted_as_missed_is_escalated_once_and_no_other_is(world: World) -> None:
    missed = {
        command.window_id for _, command in world.done if isinstance(command, Settle) and command.settled == "missed"
    }
    escalated = [
        command.window_id for _, command in world.done if isinstance(command, Escalate) and command.level == "E3"
    ]
    assert sorted(missed) == sorted(window_id for window_id in escalated if window_id is not None)


@settings(max_examples=100)
@given(
    worlds(),
    st.lists(
        st.builds(
            Happening,
            after=st.integers(1, 900).map(lambda n: n * timedelta(hours=1)),
            what=st.sampled_from(("outage", "back", "acknowledge")),
        ),
        max_size=8,
    ),
)
def test_who_does_not_answer_is_telephoned_before_the_close_if_there_is_time(
    life: World, history: list[Happening]
) -> None:
    world = live(life, history)
    calls = {e.window_id: e.raised_at for e in world.case.escalations if e.level in ("E1", "E2")}
    for window in world.case.current:
        if window.point.prompted and window.settled == "missed":
            closes, started = window.span.closes_at, world.case.participant.started_at
            beats = [moment for moment in world.beats if closes - timedelta(hours=1) <= moment < closes]
            if beats and started is not None and started <= beats[-1]:
                assert calls[window.id] < closes


@settings(max_examples=40)
@given(lives)
def test_steps_only_go_forward(world: World) -> None:
    for window in world.case.current:
        names = [step.name for step in window.point.steps]
        texts = [text for text in world.case.texts(window.id) if text.kind in names]
        # What never left, or was refused, may be tried again; what may have been read is not.
        left = [text for text in texts if text.state not in NOT_SENT or text.accepted_at is not None]
        read = [names.index(text.kind) for text in left]
        assert read == sorted(set(read))


@pytest.mark.shows("case: after a window")
@settings(max_examples=40)
@given(lives)
def test_windows_that_closed_before_the_enrolment_cause_nothing(world: World) -> None:
    for window in world.case.current:
        if window.span.closes_at <= world.case.participant.enrolled_at and window.settled == "missed_before_enrolment":
            assert not [text for text in world.case.texts(window.id) if text.kind in PROMPTS]
            assert not [
                e for e in world.case.escalations if e.window_id == window.id and e.level in ("E1", "E2", "E3", "E4")
            ]


@settings(max_examples=40)
@given(lives)
def test_no_call_stays_open_after_its_window(world: World) -> None:
    assert not [e for e in world.case.escalations if e.open and e.key.startswith(("E1:w", "E2:w"))] or (
        world.case.participant.confirmed_at is None
    )
