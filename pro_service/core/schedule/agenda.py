"""What the passing of time calls for, and when to look again.

Both questions are answered from one agenda: pairs of (instant, command). What is due is done; the earliest instant that
is still ahead is when to look again. A pair without a command only says "look then".
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pro_service.core.case import Case, EscalationFacts, Participant, WindowFacts
from pro_service.core.commands import CancelTexts, Command, Escalate, OptOut, Resolve, Send, Settle, Unreachable
from pro_service.core.protocol import LevelCode
from pro_service.core.schedule.calendar import call_moment, due
from pro_service.core.schedule.prompts import Agenda, prompts, step_moment
from pro_service.core.schedule.status import settled_as, status
from pro_service.core.schedule.windows import local_instant


def on_time(case: Case, now: datetime) -> tuple[Command, ...]:
    """Say what the passing of time calls for. Asking twice calls for nothing new."""
    # Before it opens a window calls for nothing.
    opened = tuple(window for window in case.current if window.span.opens_at <= now)
    return tuple(_once(command for at, command in _agenda(case, opened, now) if command is not None and at <= now))


def next_moment(case: Case, now: datetime) -> datetime | None:
    """Say when time alone next calls for something; None = never, `now` where something is due already.

    Never later than the first instant at which `on_time` answers.
    """
    moments = (at if command is None else max(at, now) for at, command in _agenda(case, case.current, now))
    return min((at for at in moments if at >= now), default=None)


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


def savable(case: Case, window: WindowFacts, now: datetime) -> bool:
    """Whether a call can still bring this window its answer."""
    stands = window.cancelled_at is None and case.participant.left_at is None
    return stands and now < window.span.closes_at and primary_open(case, window)


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


def _once(commands: Iterator[Command]) -> Iterator[Command]:
    """What two rules call for at the same instant exists once."""
    seen: set[str] = set()
    for command in commands:
        if isinstance(command, Send | Escalate):
            if command.key in seen:
                continue
            seen.add(command.key)
        yield command


def _agenda(case: Case, windows: Sequence[WindowFacts], now: datetime) -> Agenda:
    participant = case.participant
    yield from _ladder(case, now)
    if participant.confirmed_at is None:
        yield from _confirmation(case, now)
        return
    for window in windows:
        if window.settled is None:
            yield from _closing(case, window, now)
        if participant.left_at is None and window.point.prompted:
            yield from _calls(case, window, now)
    if may_text(participant):
        yield from prompts(case, windows, now)


def _confirmation(case: Case, now: datetime) -> Agenda:
    """Nobody said that the procedure took place: somebody should, from the morning of the day on."""
    start = case.protocol.working_hours.start
    task = escalate(case, "E0", "confirm_procedure", now)
    schedule = max((window.schedule for window in case.current), default=1)
    if schedule > 1:
        # Another day is another question.
        task = replace(task, key=f"{task.key}:s{schedule}")
    if case.participant.left_at is None and not case.escalated(task.key):
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
    if settled == "missed":
        missed = escalate(case, "E3", "missed", now, window)
        if not case.escalated(missed.key):
            yield closes, missed
        pattern = escalate(case, "E4", "missed_in_a_row", now, window)
        if _missed_in_a_row(case, window) >= case.protocol.missed_in_a_row and not case.escalated(pattern.key):
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
    closes = window.span.closes_at
    if window.point.call_after is None or now >= closes or not primary_open(case, window):
        return
    if case.escalated(f"E2:w{window.id}"):
        return
    moment, stand_in = _call_moment(case, window)
    raised = next((e for e in case.escalations if e.key == f"E1:w{window.id}"), None)
    if raised is None:
        yield moment, _call(case, window, now, moment, to_lead=stand_in)
    if not stand_in and (raised is None or raised.open):
        last = max(moment, closes - window.point.lead_before)
        yield last, _call(case, window, now, last, to_lead=True)


def _call(case: Case, window: WindowFacts, now: datetime, at: datetime, *, to_lead: bool) -> Escalate | None:
    """The task of a call, worked out once its time has come: most agendas only ask when that is."""
    if at > now:
        return None
    if to_lead:
        return escalate(case, "E2", "little_time_left", now, window)
    return escalate(case, "E1", "unanswered", now, window)


def _call_moment(case: Case, window: WindowFacts) -> tuple[datetime, bool]:
    # Who gets no texts is telephoned first: the call need not wait for an invitation.
    invited = may_text(case.participant) and window.point.steps
    asked = step_moment(case, window, window.point.steps[0]) if invited else None
    moment, stand_in = call_moment(window.point, window.span, asked, case.site_zone, case.holidays)
    return min(moment, window.span.closes_at - timedelta(hours=1)), stand_in


def _ladder(case: Case, now: datetime) -> Agenda:
    """Calls that can save nothing any more end; what nobody acknowledged in time goes one rung up, once."""
    for escalation in case.escalations:
        rung = case.protocol.ladder[escalation.level]
        if not escalation.open:
            continue
        window = None if escalation.window_id is None else case.window(escalation.window_id)
        pointless = None if window is None else _pointless(case, escalation, window, now)
        if pointless is not None:
            yield now, Resolve(escalation.id, pointless)
        elif escalation.acknowledged_at is None and rung.next is not None:
            higher = _higher(case, escalation, rung.next, window, now)
            if higher is not None:
                yield escalation.due_at, higher


def _higher(
    case: Case, escalation: EscalationFacts, level: LevelCode, window: WindowFacts | None, now: datetime
) -> Escalate | None:
    """The task one rung up; None if it exists.

    In a window each rung exists once, so what goes up from a channel that failed is the window's urgent call, as long
    as a call can save the window, and a task about the participant after that.
    """
    if window is not None and case.escalated(f"{level}:w{window.id}"):
        return None
    if window is not None and not _of_window(escalation) and not savable(case, window, now):
        window = None
    subject = f"e{escalation.id}" if window is None else f"w{window.id}"
    higher = Escalate(
        key=f"{level}:{subject}",
        level=level,
        reason="not_acknowledged",
        due_at=_due(case, level, now, window),
        window_id=None if window is None else window.id,
        save_by=None if window is None or window.span.closes_at <= now else window.span.closes_at,
    )
    return None if case.escalated(higher.key) else higher


def _of_window(escalation: EscalationFacts) -> bool:
    """Whether it is the one escalation of its level in its window."""
    return escalation.key == f"{escalation.level}:w{escalation.window_id}"


def _pointless(case: Case, escalation: EscalationFacts, window: WindowFacts, now: datetime) -> str | None:
    """Why a call about this window can save nothing any more; None if it can, or if it is no call."""
    if escalation.level not in ("E1", "E2") or not _of_window(escalation):
        return None
    if window.cancelled_at is not None:
        return "rescheduled"
    if case.participant.left_at is not None:
        return "died" if case.participant.left_at == case.participant.died_at else "withdrew"
    return "window_closed" if window.span.closes_at <= now else None


FOR_GOOD = frozenset({"bad_number"})
"""Classes of failure after which this telephone is not written to again."""


def on_failure(case: Case, window_id: int | None, kind: str, now: datetime) -> tuple[Command, ...]:
    """Say what a failed text calls for; `kind` is its class (`gateways.codes`). Once a window and reason."""
    commands: list[Command] = []
    reason = "not_delivered"
    if kind == "opted_out":
        reason = "opted_out_at_provider"
        if case.participant.opted_out_at is None:
            commands += [OptOut(), CancelTexts()]
    elif kind in FOR_GOOD:
        reason = "bad_number"
        if case.participant.unreachable_at is None:
            commands += [Unreachable(kind), CancelTexts()]
    window = None if window_id is None else case.window(window_id)
    task = escalate(case, "E0", reason, now, window)
    return (*commands, *(() if case.escalated(task.key) else (task,)))
