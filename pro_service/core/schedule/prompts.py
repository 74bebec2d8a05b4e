"""When a prompt goes out: a protocol's steps in one window, the gates before them, and at most one a day."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TypeAlias
from zoneinfo import ZoneInfo

from pro_service.core.case import PENDING, PROMPTS, UNREACHABLE, Case, MessageFacts, Participant, State, WindowFacts
from pro_service.core.commands import Command, Send
from pro_service.core.protocol import CONVERSING, MEDIA, Hours, Step
from pro_service.core.schedule.calendar import local_day
from pro_service.core.schedule.windows import SHARED, local_instant, next_allowed

Agenda: TypeAlias = Iterator[tuple[datetime, Command | None]]
"""(instant, what it calls for). Without a command it says "look again then"."""

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
NEVER_LEFT: frozenset[State] = frozenset({"cancelled", "expired"})
"""Withdrawn, or useless before it could go; what was refused would be refused again."""
NOT_SENT: frozenset[State] = NEVER_LEFT | {"refused"}
"""Ended before the participant can have seen it."""
FAILED: frozenset[State] = frozenset({"refused", "undelivered", "failed"})
"""The provider did not take it, or says that it did not arrive."""


def in_vain(case: Case, text: MessageFacts) -> bool:
    """Whether a prompt failed, and another is to ask in its place: it counts as none of its step, nor of its day.

    It went to an address that another one has replaced since, or its channel leads nowhere and the ladder has a next.
    """
    person = case.participant
    if text.state not in FAILED or (medium := text.medium) is None:
        return False
    if text.before(person.since(medium)):
        return True
    return person.channel_2 is not None and not person.reached_by(medium)


def may_prompt(case: Case, window: WindowFacts, now: datetime) -> bool:
    """Whether this window still wants answers: open or to come, something missing, not declined."""
    primary = case.protocol.primary(window.point)
    declined = primary is not None and primary in window.answers and window.answers[primary].declined
    return window.point.prompted and now < window.span.closes_at and bool(window.missing()) and not declined


def prompts(case: Case, windows: Sequence[WindowFacts], now: datetime) -> Agenda:
    """Yield the newest step of each of these windows that is still useful, and every moment at which that changes."""
    for window in windows:
        if may_prompt(case, window, now):
            yield from _steps(case, window, now)


def step_moment(case: Case, window: WindowFacts, step: Step) -> datetime:
    """Return the instant of a step.

    Its day is counted on the site's calendar, its time is in the participant's zone, inside contact hours.
    """
    span, hours = window.span, case.protocol.contact_hours
    return _step_moment(span.target, step.after, step.at, span.opens_at, case.participant.zone, hours.start, hours.end)


@lru_cache(maxsize=SHARED)
def _step_moment(
    target: date, after: int, at: time, opens_at: datetime, zone: ZoneInfo, start: time, end: time
) -> datetime:
    planned = local_instant(target + timedelta(days=after), at, zone)
    # In a zone far east of the site's the target day begins before the window does.
    return next_allowed(max(planned, opens_at), Hours(start, end), zone)


def skipped_prompts(case: Case, window: WindowFacts, now: datetime) -> Iterator[tuple[datetime, str]]:
    """Yield (moment, kind) of prompts that were due while an answer was wanted, and are not sent any more.

    Not those before the participant could be asked, after they said that they want no texts, or after an answer.
    """
    person, started = case.participant, _started(case, window)
    if started is None or not window.point.prompted:
        return
    reached = replace(person, opted_out_at=None, unreachable_at=None, withdrawn_at=None, died_at=None)
    reached = replace(reached, email_unreachable_at=None, whatsapp_unreachable_at=None)
    if reached.asked_by is None:
        return
    ends = [person.opted_out_at, person.left_at, _reached_until(person)]
    ends += [answer.received_at for answer in window.answers.values()]
    until = min((end for end in ends if end is not None), default=now)
    kinds = {text.kind for text in case.texts(window.id) if text.state not in NOT_SENT or text.accepted_at is not None}
    names = [step.name for step in window.point.steps]
    newest = max((names.index(kind) for kind in kinds if kind in names), default=-1)
    for place, step in enumerate(window.point.steps):
        moment = step_moment(case, window, step)
        over = place < newest or now >= min(moment + case.protocol.useful_for, _last_useful(case, window))
        waits = not kinds and place == 0 and now < _last_useful(case, window)
        if step.name not in kinds and started <= moment < until and moment <= now and over and not waits:
            yield moment, step.name


def _reached_until(person: Participant) -> datetime | None:
    """Return since when no channel of the ladder leads to this participant; None while one does."""
    ends = [getattr(person, UNREACHABLE[medium]) for medium in {MEDIA[channel] for channel in person.ladder}]
    return None if None in ends else max(ends)


def moved_prompt(case: Case, window: WindowFacts, wish: datetime) -> datetime | None:
    """Return when the next prompt goes if the participant wants it at `wish`; None if none is left that fits."""
    if not _untaken(case, window) or not may_prompt(case, window, wish):
        return None
    unhurried = replace(case, participant=replace(case.participant, snoozed_until=None))
    moment = _earliest(unhurried, wish)
    return moment if moment < _last_useful(case, window) else None


def _steps(case: Case, window: WindowFacts, now: datetime) -> Agenda:
    plan = _plan(case, window)
    yield from ((moment, None) for moment, _ in plan if moment > now)
    passed = [pair for pair in plan if pair[0] <= now]
    if not passed:
        return
    (moment, step), earliest = passed[-1], _earliest(case, now)
    asked = _was_asked(case, window)
    if asked is None:
        return
    if not asked:
        # Nobody is reminded of what they were not asked: the invitation stays due as long as an answer is of use.
        step, moment = window.point.steps[0], max(moment, earliest)
    last = min(moment + case.protocol.useful_for, _last_useful(case, window))
    if earliest >= last:
        return
    channel = case.participant.asked_by
    if channel is None:
        return
    send = Send(
        key=_key(case, window, step),
        kind=step.name,
        frame=f"{step.name}.{channel}",
        window_id=window.id,
        item=window.missing()[0] if channel in CONVERSING else None,
        useful_until=last,
        contact_hours=True,
        skipped=tuple(other.name for _, other in passed if other is not step),
    )
    yield earliest, send


def _last_useful(case: Case, window: WindowFacts) -> datetime:
    return window.span.closes_at - case.protocol.useless_before_close


def _plan(case: Case, window: WindowFacts) -> list[tuple[datetime, Step]]:
    """Return the steps that are still to be taken, each with its moment, in order."""
    started, snoozed = _started(case, window), case.participant.snoozed_until
    steps = _untaken(case, window)
    plan = [(step_moment(case, window, step), step) for step in steps]
    if started is not None and len(steps) == len(window.point.steps) and plan and plan[0][0] < started:
        # Enrolled inside the window, or rescheduled over this day: one message now, then the steps that still fit.
        plan = [(started, plan[0][1]), *(pair for pair in plan[1:] if pair[0] > started)]
    if snoozed is not None and plan and window.span.opens_at <= snoozed < window.span.closes_at:
        # Asked for another moment: the step that would be newest then comes then.
        newest = [step for moment, step in plan if moment <= snoozed]
        plan = sorted([*plan, (snoozed, newest[-1] if newest else plan[0][1])], key=lambda pair: pair[0])
    # What fell due before the last prompt was taken was skipped for it: an invitation may leave as late as a reminder.
    taken = [text.accepted_at or text.queued_at for text in _prompted(case, window) if text.kind in PROMPTS]
    return [pair for pair in plan if not taken or pair[0] > max(taken)]


def _was_asked(case: Case, window: WindowFacts) -> bool | None:
    """Return whether a prompt of this window was taken by the provider, or may have been; None while one waits.

    What waits ends by being sent or by being of no use any more, and each of these has the rules look again.
    """
    texts = [text for text in case.texts(window.id) if text.kind in PROMPTS and text.state not in NEVER_LEFT]
    texts = [text for text in texts if not in_vain(case, text)]
    if any(text.accepted_at is not None or text.state not in ("ready", "sending", "refused") for text in texts):
        return True
    return None if any(text.state != "refused" for text in texts) else False


def _started(case: Case, window: WindowFacts) -> datetime | None:
    """Return from when on this window could ask."""
    started, replaced_at = case.participant.started_at, case.replaced_at(window)
    return replaced_at if started is None else started if replaced_at is None else max(started, replaced_at)


def _untaken(case: Case, window: WindowFacts) -> tuple[Step, ...]:
    """Return the steps after the last one that was taken."""
    names = [step.name for step in window.point.steps]
    taken = [names.index(text.kind) for text in _prompted(case, window) if text.kind in names]
    return window.point.steps[max(taken, default=-1) + 1 :]


def _prompted(case: Case, window: WindowFacts) -> Iterator[MessageFacts]:
    """Return the prompts of this window that were taken; one that never left is decided again."""
    if not case.messages:
        return
    for text in case.texts(window.id):
        if (text.state not in NEVER_LEFT or text.accepted_at is not None) and not in_vain(case, text):
            yield text


def _key(case: Case, window: WindowFacts, step: Step) -> str:
    """Return the key under which this step exists once. Each time it was in vain, it may exist once more."""
    earlier = sum(text.window_id == window.id and text.kind == step.name for text in case.messages)
    return f"p:{window.id}:{step.name}" + (f":{earlier + 1}" if earlier else "")


def _earliest(case: Case, now: datetime) -> datetime:
    """Return the first instant from `now` on at which a prompt may be queued."""
    participant = case.participant
    gates = [now, participant.texts_held_until, participant.snoozed_until]
    if participant.paused_at is not None:
        # A pause without an end is ended by a person, never by time.
        gates.append(participant.paused_until or NEVER)
    gates += [_next_possible(case, text) for text in case.messages if text.kind in PROMPTS]
    if participant.asked_by in CONVERSING:
        # One conversation at a time on a telephone that is shared.
        gates += [other.busy_until(now) for other in case.others]
    moment = max(gate for gate in gates if gate is not None)
    return moment if moment >= NEVER else next_allowed(moment, case.protocol.contact_hours, participant.zone)


def _next_possible(case: Case, text: MessageFacts) -> datetime | None:
    """Return when another prompt may follow this one: on the next day, and not while this one may still leave."""
    if (text.state in NOT_SENT and text.accepted_at is None) or in_vain(case, text):
        return None
    latest = text.accepted_at or text.queued_at
    if text.useful_until is None or text.state not in PENDING:
        return _next_day(case, latest)
    if text.state == "uncertain":
        # It may have left at any instant until it was useless.
        return _next_day(case, text.useful_until - timedelta(microseconds=1))
    return max(text.useful_until, _next_day(case, latest))


def _next_day(case: Case, asked: datetime) -> datetime:
    zone = case.participant.zone
    return local_instant(local_day(asked, zone) + timedelta(days=1), case.protocol.contact_hours.start, zone)
