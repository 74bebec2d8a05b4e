"""What the passing of time calls for, and when to look again.

Both questions are answered from one agenda: pairs of (instant, command). What is due is done; the earliest instant that
is still ahead is when to look again. A pair without a command only says "look then".
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import TypeAlias

from pro_service.core.calendar import call_moment, due, local_day
from pro_service.core.case import PENDING, PROMPTS, Case, Participant, WindowFacts, settled_as, status
from pro_service.core.commands import CancelTexts, Command, Escalate, Resolve, Send, Settle
from pro_service.core.protocol import Hours, LevelCode, Step
from pro_service.core.windows import local_instant, next_allowed

Agenda: TypeAlias = Iterator[tuple[datetime, Command | None]]

NEVER = datetime(9999, 1, 1, tzinfo=UTC)


def on_time(case: Case, now: datetime) -> tuple[Command, ...]:
    """Say what the passing of time calls for. Asking twice calls for nothing new."""
    return tuple(command for at, command in _agenda(case, now) if command is not None and at <= now)


def next_moment(case: Case, now: datetime) -> datetime | None:
    """Say when time alone may next call for something; None = never. Never later than `on_time` would answer."""
    return min((at for at, _ in _agenda(case, now) if at > now), default=None)


def may_text(participant: Participant) -> bool:
    """The gate of every outbound text: consent, a telephone, and nothing that stopped them.

    The acknowledgement of an opt-out is the one exception; the claim repeats this in the database.
    """
    return (
        participant.has_phone
        and participant.consented_at is not None
        and participant.opted_out_at is None
        and participant.left_at is None
        and participant.unreachable_at is None
    )


def primary_open(case: Case, window: WindowFacts) -> bool:
    """Whether the item that decides completion still has no answer."""
    primary = case.protocol.primary(window.point)
    return bool(window.missing()) if primary is None else not window.given(primary)


def escalate(case: Case, level: LevelCode, reason: str, now: datetime, window: WindowFacts | None = None) -> Escalate:
    """An escalation about this case, due by the ladder; named so that it can exist once a window and level."""
    subject = f"w{window.id}" if window is not None else f"p{case.participant.id}"
    key = f"{level}:{reason}:{subject}" if level in ("E0", "ES") else f"{level}:{subject}"
    return Escalate(
        key=key,
        level=level,
        reason=reason,
        due_at=_due(case, level, now, window),
        window_id=None if window is None else window.id,
        save_by=None if window is None or window.span.closes_at <= now else window.span.closes_at,
    )


def _due(case: Case, level: LevelCode, now: datetime, window: WindowFacts | None) -> datetime:
    rung = case.protocol.ladder[level]
    if level == "E1" and window is not None:
        days = window.point.call_due_working_days
        return due(days, None, now, case.site_zone, case.protocol.working_hours, case.holidays)
    hours = case.protocol.working_hours
    return due(rung.due_working_days, rung.due_hours, now, case.site_zone, hours, case.holidays)


def _agenda(case: Case, now: datetime) -> Agenda:
    participant = case.participant
    if participant.confirmed_at is None:
        yield from _confirmation(case, now)
        return
    for window in case.current:
        if window.settled is None:
            yield from _closing(case, window, now)
        if participant.left_at is None and window.point.prompted:
            yield from _calls(case, window, now)
    yield from _ladder(case, now)
    if may_text(participant):
        yield from _prompts(case, now)


def _confirmation(case: Case, now: datetime) -> Agenda:
    """Nobody said that the procedure took place: somebody should, from the morning of the day on."""
    if case.participant.left_at is not None:
        return
    start = case.protocol.working_hours.start
    task = escalate(case, "E0", "confirm_procedure", now)
    if not case.escalated(task.key):
        yield local_instant(case.participant.procedure_date, start, case.site_zone), task


def _closing(case: Case, window: WindowFacts, now: datetime) -> Agenda:
    """A window that closed is counted once, and escalated when it was missed."""
    closes = window.span.closes_at
    if now < closes:
        yield closes, None
        return
    primary = case.protocol.primary(window.point)
    settled = settled_as(window, case.participant, primary, now)
    reason = {"withdrawn": "withdrew", "died": "died"}.get(settled.split("_", 1)[0])
    if settled == "missed_before_enrolment":
        reason = "enrolled_after_window"
    yield closes, Settle(window.id, settled, reason)
    yield closes, CancelTexts(window.id)
    for escalation in case.escalations:
        if escalation.open and escalation.window_id == window.id and escalation.level in ("E1", "E2"):
            yield closes, Resolve(escalation.id, "window_closed")
    if settled == "missed":
        missed = escalate(case, "E3", "missed", now, window)
        if not case.escalated(missed.key):
            yield closes, missed
        if _missed_in_a_row(case, window) >= case.protocol.missed_in_a_row:
            pattern = escalate(case, "E4", "missed_in_a_row", now, window)
            if not case.escalated(pattern.key):
                yield closes, pattern


def _missed_in_a_row(case: Case, window: WindowFacts) -> int:
    """How many windows that ask by message were missed in a row, up to and with this one."""
    count = 1
    before = [other for other in case.current if other.point.prompted and other.span.closes_at < window.span.closes_at]
    for other in sorted(before, key=lambda other: other.span.closes_at, reverse=True):
        primary = case.protocol.primary(other.point)
        if status(other, case.participant, primary, other.span.closes_at) != "missed":
            break
        count += 1
    return count if window.point.prompted else 0


def _calls(case: Case, window: WindowFacts, now: datetime) -> Agenda:
    """An open window without an answer becomes a telephone call while it can still be saved."""
    started = case.participant.started_at
    if started is None or now >= window.span.closes_at or not primary_open(case, window):
        return
    first = escalate(case, "E1", "unanswered", now, window)
    second = escalate(case, "E2", "little_time_left", now, window)
    if case.escalated(second.key):
        return
    nominal, stand_in = _call_moment(case, window)
    nominal = max(nominal, started)
    if not case.escalated(first.key):
        yield nominal, second if stand_in else first
        return
    opened = next(e for e in case.escalations if e.key == first.key)
    if opened.open:
        yield max(nominal, window.span.closes_at - window.point.lead_before), second


def _call_moment(case: Case, window: WindowFacts) -> tuple[datetime, bool]:
    steps = window.point.steps
    invited = _moment(case, window, steps[0]) if steps else window.span.opens_at
    moment, stand_in = call_moment(window.point, window.span, invited, case.site_zone, case.holidays)
    return min(moment, window.span.closes_at - timedelta(hours=1)), stand_in


def _ladder(case: Case, now: datetime) -> Agenda:
    """What nobody acknowledged in time goes one rung up, once."""
    for escalation in case.escalations:
        rung = case.protocol.ladder[escalation.level]
        if not escalation.open or escalation.acknowledged_at is not None or rung.next is None:
            continue
        window = None if escalation.window_id is None else case.window(escalation.window_id)
        subject = f"e{escalation.id}" if window is None or escalation.level == "E0" else f"w{window.id}"
        if case.escalated(f"{rung.next}:{subject}"):
            continue
        higher = Escalate(
            key=f"{rung.next}:{subject}",
            level=rung.next,
            reason="not_acknowledged",
            due_at=_due(case, rung.next, now, window),
            window_id=escalation.window_id,
            save_by=None if window is None or window.span.closes_at <= now else window.span.closes_at,
        )
        yield escalation.due_at, higher


def _moment(case: Case, window: WindowFacts, step: Step) -> datetime:
    """The instant of a step: counted on the site's calendar, told in the participant's zone, inside contact hours."""
    day = window.span.target + timedelta(days=step.after)
    zone = case.participant.zone
    return next_allowed(local_instant(day, step.at, zone), case.protocol.contact_hours, zone)


def _prompts(case: Case, now: datetime) -> Agenda:
    """The newest prompt that is still useful; at most one a day, none while another is on its way."""
    for window in case.current:
        if window.point.prompted and now < window.span.closes_at and window.missing():
            primary = case.protocol.primary(window.point)
            if status(window, case.participant, primary, now) != "declined":
                yield from _steps(case, window, now)


def _steps(case: Case, window: WindowFacts, now: datetime) -> Agenda:
    plan = _plan(case, window)
    yield from ((moment, None) for moment, _ in plan if moment > now)
    passed = [pair for pair in plan if pair[0] <= now]
    if not passed:
        return
    moment, step = passed[-1]
    last = min(moment + case.protocol.useful_for, window.span.closes_at - case.protocol.useless_before_close)
    earliest = _earliest(case, now)
    if earliest >= last:
        return
    yield (
        earliest,
        Send(
            key=f"p:{window.id}:{step.name}",
            kind=step.name,
            frame=f"{step.name}.{case.participant.channel}",
            window_id=window.id,
            item=window.missing()[0] if case.participant.channel == "sms-reply" else None,
            useful_until=last,
            contact_hours=True,
        ),
    )


def _plan(case: Case, window: WindowFacts) -> list[tuple[datetime, Step]]:
    """Steps that are still to be taken, each with its moment, in order."""
    started = case.participant.started_at
    names = [step.name for step in window.point.steps]
    taken = [names.index(m.kind) for m in case.texts(window.id) if m.kind in names]
    plan = [(_moment(case, window, step), step) for step in window.point.steps[max(taken, default=-1) + 1 :]]
    if taken or started is None or not plan or plan[0][0] >= started:
        return plan
    # Enrolled inside the window: one message now, then the steps that still fit.
    return [(started, plan[0][1]), *(pair for pair in plan[1:] if pair[0] > started)]


def _earliest(case: Case, now: datetime) -> datetime:
    """The first instant from `now` on at which a prompt may be queued."""
    participant, hours = case.participant, case.protocol.contact_hours
    moment = now
    if participant.paused_at is not None:
        # A pause without an end is ended by a person, never by time.
        moment = max(moment, participant.paused_until or NEVER)
    for gate in (participant.texts_held_until, participant.snoozed_until):
        moment = max(moment, gate) if gate is not None else moment
    for message in case.messages:
        if message.kind not in PROMPTS:
            continue
        if message.state in PENDING:
            moment = max(moment, message.useful_until or moment)
        if message.state != "expired":
            asked = message.accepted_at or message.queued_at
            moment = max(moment, _next_day(asked, participant, hours))
    if moment >= NEVER:
        return moment
    return next_allowed(moment, hours, participant.zone)


def _next_day(asked: datetime, participant: Participant, hours: Hours) -> datetime:
    day = local_day(asked, participant.zone) + timedelta(days=1)
    return local_instant(day, max(hours.start, time.min), participant.zone)
