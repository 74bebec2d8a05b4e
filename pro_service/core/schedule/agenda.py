"""What the passing of time calls for, when to look again, and what a failed text calls for.

Both questions about time are answered from one agenda: pairs of (instant, command). What is due is done; the earliest
instant that is still ahead is when to look again. A pair without a command only says "look then".

A text that was refused or did not arrive calls for a person, and for no more of what cannot work.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from pro_service.core.case import (
    PROMPTS,
    UNREACHABLE,
    Case,
    EscalationFacts,
    MessageFacts,
    Participant,
    WindowFacts,
)
from pro_service.core.commands import (
    CallWish,
    CancelTexts,
    Command,
    Escalate,
    OptOut,
    Resolve,
    Send,
    Settle,
    Unreachable,
)
from pro_service.core.protocol import MEDIA, Channel, LevelCode, Medium
from pro_service.core.schedule.calendar import call_moment, due_instant
from pro_service.core.schedule.call_times import promised_hours
from pro_service.core.schedule.causes import (
    CLEARED,
    NEW_NUMBER,
    NO_CARD,
    NO_END,
    NO_NUMBER,
    cause_gone,
    is_call_of_window,
    is_of_window,
)
from pro_service.core.schedule.ending import on_end_of_study
from pro_service.core.schedule.prompts import NOT_SENT, Agenda, may_prompt, prompts, step_moment
from pro_service.core.schedule.status import primary_open, settled_as, status
from pro_service.core.schedule.windows import local_instant

PERMANENT_FAILURES = frozenset({"bad_number"})
"""Classes of failure (`gateways.codes`) after which nothing is sent to this address again."""
STOPPED = "stopped"
"""The reason of the task after a stop."""
OTHER_CHANNEL = "other_channel"
"""The class of a failure after which another channel has to ask, where the ladder has one."""


class Look(NamedTuple):
    """What time calls for at an instant, and when to look again."""

    commands: tuple[Command, ...]
    again_at: datetime | None


def on_time(case: Case, now: datetime) -> tuple[Command, ...]:
    """Return what the passing of time calls for at `now`. Once it is done, asking again returns nothing."""
    return look(case, now).commands


def next_moment(case: Case, now: datetime) -> datetime | None:
    """Return when time alone next calls for something; None = never, `now` if something is due already.

    Never later than the first instant at which `on_time` returns a command.
    """
    return look(case, now).again_at


def look(case: Case, now: datetime) -> Look:
    """Answer both questions, `on_time` and `next_moment`, from one agenda."""
    # A window calls for nothing before it opens, nor once it has closed and is counted.
    windows = [one for one in case.current if one.settled is None or now < one.span.closes_at]
    agenda = list(_agenda(case, [window for window in windows if window.span.opens_at <= now], now))
    due = [command for at, command in agenda if command is not None and at <= now]
    if due:
        return Look(tuple(_without_repeats(due)), now)
    again_at = min((at for at, _ in agenda if at >= now), default=None)
    for window in windows:
        opens_at = window.span.opens_at
        # One that opens after that moment cannot bring it forward.
        if now < opens_at and (again_at is None or opens_at < again_at):
            ahead = [max(at, opens_at) for at, _ in _agenda_of_windows(case, [window], now)]
            again_at = min(ahead if again_at is None else [again_at, *ahead], default=None)
    return Look((), again_at)


def on_failure(case: Case, text: MessageFacts | None, medium: Medium, kind: str, now: datetime) -> tuple[Command, ...]:
    """Return what a failed text calls for: a task, once for each window, reason and address.

    `kind` is the class of the failure (`gateways.codes`). An address that is wrong or opted out gets no more texts.
    Where the ladder has another channel that leads to the participant, that one asks from now on, and nobody has to do
    anything about a mail or a message; a telephone number that is wrong is a task even so, for it cannot be called.
    What is said of an address that another one has replaced calls for nothing.
    """
    commands: list[Command] = []
    person = case.participant
    if text is not None and text.before(person.since(medium)):
        return ()
    reason = "not_delivered"
    fact: dict[str, Any] = {UNREACHABLE[medium]: now}
    without = replace(person, **fact)
    if kind == "opted_out":
        reason = "opted_out_at_provider"
        if person.opted_out_at is None:
            commands += [OptOut(), CancelTexts()]
    elif kind in PERMANENT_FAILURES or (kind == OTHER_CHANNEL and without.asked_by is not None):
        if getattr(person, UNREACHABLE[medium]) is None:
            commands += [Unreachable(kind, medium), CancelTexts()]
        reason = "bad_number" if medium == "sms" else "bad_address"
        if without.asked_by is not None and (medium != "sms" or kind == OTHER_CHANNEL):
            return tuple(commands)
    window = None if text is None or text.window_id is None else case.window(text.window_id)
    task = escalate(case, "E0", reason, now, window)
    known = [e for e in case.escalations if (e.level, e.reason, e.window_id) == ("E0", reason, task.window_id)]
    # What has just become known is news, whatever was said before; so is what is said of another address.
    since = None if commands else person.since(medium)
    told = any(e.open or (not commands and (since is None or e.raised_at >= since)) for e in known)
    return (*commands, *(() if told else (replace(task, key=case.free_key(task.key)),)))


def opt_out(case: Case, now: datetime) -> tuple[Command, ...]:
    """Return what a stop calls for, by whatever medium it came: no prompt on any of them, and a task for a person.

    The windows go on, and somebody finds out whether the participant may be called instead; where none is left, nobody
    has to. A second stop calls for nothing.
    """
    if case.participant.opted_out_at is not None:
        return ()
    if case.asks_no_more(now):
        return OptOut(), CancelTexts()
    task = escalate(case, "E0", STOPPED, now)
    return OptOut(), CancelTexts(), replace(task, key=case.free_key(task.key))


def wrong_telephone(person: Participant, reason: str) -> tuple[Command, ...]:
    """Return what follows where the telephone is not this participant's: nothing more goes to it, by any medium."""
    of_telephone: tuple[Medium, ...] = ("sms", "whatsapp")
    standing = [one for one in of_telephone if getattr(person, UNREACHABLE[one]) is None]
    closed = [Unreachable(reason, one) for one in standing if one == "sms" or person.agreed_to(one)]
    return (*closed, CancelTexts()) if closed else ()


def wanted_again(case: Case, message_id: int, now: datetime) -> bool:
    """Whether a text that failed after the provider had taken it is still to be sent.

    It is not once its time is over, another text was written after it, or what it asks for was answered.
    """
    text = next((one for one in case.messages if one.id == message_id), None)
    if text is None or (text.useful_until is not None and text.useful_until <= now):
        return False
    return not any(other.queued_at > text.queued_at for other in case.messages) and not overtaken(case, text)


def overtaken(case: Case, text: MessageFacts) -> bool:
    """Whether nobody waits for a text any more, however much time is left.

    Its participant is not to be written to, a later text asks something, its window gave way to another, or what it
    asks for was answered.
    """
    if text.frame != "stopped" and not _may_have(case.participant, text):
        return True
    later = (other for other in case.messages if other.queued_at > text.queued_at and other.state not in NOT_SENT)
    if _asks(text) and any(_asks(other) for other in later):
        return True
    if text.window_id is None:
        return False
    window = case.window(text.window_id)
    if text.kind in (*PROMPTS, "question") and text.item is not None and window.has_answer(text.item):
        return True
    opened = window.span.opens_at
    return text.kind in PROMPTS and (window.cancelled_at is not None or not may_prompt(case, window, opened))


def _asks(text: MessageFacts) -> bool:
    return text.item is not None or text.kind in PROMPTS


def may_text(participant: Participant, *media: Medium) -> bool:
    """Whether this participant may be written to: consent, an address, and nothing that stopped the texts.

    By one of the media at least; by SMS if none is named. This is the gate of every text that answers, as `asked_by` is
    that of prompts; the acknowledgement of an opt-out is the one exception. The delivery checks it again in the
    database when it claims a text.
    """
    if participant.opted_out_at is not None or participant.left_at is not None:
        return False
    return any(participant.reached_by(medium) for medium in media or ("sms",))


def may_converse(participant: Participant) -> bool:
    """Whether what this participant writes may be answered, wherever they write it."""
    return may_text(participant, "sms", "whatsapp")


def _may_have(participant: Participant, text: MessageFacts) -> bool:
    if text.channel not in MEDIA:
        return may_converse(participant)
    return may_text(participant, MEDIA[cast("Channel", text.channel)])


def savable(case: Case, window: WindowFacts, now: datetime) -> bool:
    """Whether a call can still bring this window its answer."""
    stands = window.cancelled_at is None and case.participant.left_at is None
    return stands and now < window.span.closes_at and primary_open(case, window)


def escalate(case: Case, level: LevelCode, reason: str, now: datetime, window: WindowFacts | None = None) -> Escalate:
    """Return an escalation about this case, due by the protocol's ladder.

    Its key is the same for one level and window (or participant), and also for one reason on the levels E0 and ES: as
    each key is raised once, nothing is raised twice. A call for want of a card has a key of its own: it ends once the
    card is made, and the window may still need its call. A window's task takes over the wish to be called from its open
    calls, and is not due before the participant asked to be called.
    """
    subject = f"w{window.id}" if window is not None else f"p{case.participant.id}"
    of_reason = level in ("E0", "ES") or reason == NO_CARD
    key = f"{level}:{reason}:{subject}" if of_reason else f"{level}:{subject}"
    task = Escalate(
        key=key,
        level=level,
        reason=reason,
        due_at=_due_at(case, level, now, window),
        window_id=None if window is None else window.id,
        save_by=None if window is None or window.span.closes_at <= now else window.span.closes_at,
    )
    asked = None if window is None or level not in ("E2", "E3") else _asked_call(case, window)
    if asked is None:
        return task
    return replace(task, due_at=max(task.due_at, asked.due_at), wish=_wish_of(case, asked, now))


def _asked_call(case: Case, window: WindowFacts) -> EscalationFacts | None:
    """Return the open call of a window that the participant asked for last; None if they did not."""
    own = (e for e in case.escalations if e.open and e.window_id == window.id)
    asked = (e for e in own if e.asked_at is not None and (is_of_window(e) or is_call_of_window(e)))
    return max(asked, key=lambda task: task.asked_at or task.raised_at, default=None)


def _wish_of(case: Case, task: EscalationFacts, now: datetime) -> CallWish | None:
    """Return the wish to be called that a task carries, for the task that follows it."""
    if task.asked_at is None:
        return None
    hours = promised_hours(case, task)
    return CallWish(task.asked_at, task.part_of_day, hours.starts if hours is not None and hours.starts > now else None)


def _due_at(case: Case, level: LevelCode, now: datetime, window: WindowFacts | None) -> datetime:
    rung = case.protocol.ladder[level]
    if level == "E1" and window is not None:
        days = window.point.call_due_working_days
        return due_instant(days, None, now, case.site_zone, case.protocol.working_hours, case.holidays)
    hours = case.protocol.working_hours
    return due_instant(rung.due_working_days, rung.due_hours, now, case.site_zone, hours, case.holidays)


# The agenda -----------------------------------------------------------------------------------------------------------


def _agenda(case: Case, windows: Sequence[WindowFacts], now: datetime) -> Agenda:
    """Yield everything that time calls for about the participant, and about these windows."""
    yield from _on_ladder(case, now)
    if case.closed_at is not None:
        for command in on_end_of_study(case, case.closed_at):
            yield case.closed_at, command
        return
    yield from _on_missing_number(case, now)
    if case.participant.confirmed_at is None:
        yield from _on_confirmation(case, now)
        return
    yield from _on_missing_end(case, now)
    yield from _agenda_of_windows(case, windows, now)


def _agenda_of_windows(case: Case, windows: Sequence[WindowFacts], now: datetime) -> Agenda:
    """Yield what time calls for about these windows; nothing where the participant is not asked yet, or no more."""
    participant = case.participant
    if case.closed_at is not None or participant.confirmed_at is None:
        return
    for window in windows:
        if window.settled is None:
            yield from _on_closing(case, window, now)
        if participant.left_at is None and window.point.prompted:
            yield from _on_calls(case, window, now)
    if participant.asked_by is not None:
        asked = prompts(case, windows, now)
        yield from _calls_for_want_of_a_card(case, asked, now) if participant.lacks_card else asked


def _without_repeats(commands: Iterable[Command]) -> Iterator[Command]:
    """Yield each text and escalation once, even if two rules call for it at the same instant."""
    seen: set[str] = set()
    for command in commands:
        if isinstance(command, Send | Escalate):
            if command.key in seen:
                continue
            seen.add(command.key)
        yield command


def _on_missing_number(case: Case, now: datetime) -> Agenda:
    """Ask for a telephone number from the enrolment on, where without one neither a message nor a call asks anybody.

    A person who ends the task knows of it, and is not told again; a number that was given and taken away is a new task.
    """
    person = case.participant
    asked = person.has_phone or person.asked_by is not None
    until = None if asked or person.left_at is not None else case.asks_until
    if until is None or until <= now:
        return
    yield until, None
    task = escalate(case, "E0", NO_NUMBER, now)
    before = [e.outcome for e in case.escalations if (e.level, e.reason) == (task.level, task.reason)]
    if all(outcome in (CLEARED, NEW_NUMBER) for outcome in before):
        yield person.enrolled_at, replace(task, key=case.free_key(task.key))


def _on_missing_end(case: Case, now: datetime) -> Agenda:
    """Ask when the procedure ended, once for each of its dates: without that a visit an hour later has no window.

    Nobody is asked once the last window has closed.
    """
    started = case.participant.started_at
    if not case.without_end or started is None:
        return
    until = max((window.span.closes_at for window in case.current), default=None)
    if until is None or until <= now:
        return
    if any(task.open and task.reason == NO_END for task in case.escalations):
        return
    task = _of_schedule(case, escalate(case, "E0", NO_END, now))
    if not case.escalated(task.key):
        yield started, task


def _of_schedule(case: Case, task: Escalate) -> Escalate:
    """Return a task about the procedure; its key is new each time the procedure gets another date."""
    schedule = max((window.schedule for window in case.current), default=1)
    return replace(task, key=f"{task.key}:s{schedule}") if schedule > 1 else task


def _on_confirmation(case: Case, now: datetime) -> Agenda:
    """Ask staff to confirm the procedure, from the start of working hours on its day."""
    start = case.protocol.working_hours.start
    task = _of_schedule(case, escalate(case, "E0", "confirm_procedure", now))
    if case.participant.left_at is None and not case.escalated(task.key):
        yield local_instant(case.participant.procedure_date, start, case.site_zone), task


def _on_closing(case: Case, window: WindowFacts, now: datetime) -> Agenda:
    """Count a window once when it closes, and escalate it if it was missed."""
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
    """Return how many windows that ask by message were missed in a row, up to and with this one."""
    count = 1
    before = [other for other in case.current if other.point.prompted and other.span.closes_at < window.span.closes_at]
    for other in sorted(before, key=lambda other: other.span.closes_at, reverse=True):
        primary = case.protocol.primary(other.point)
        if status(other, case.participant, primary, other.span.closes_at) != "missed":
            break
        count += 1
    return count if window.point.prompted else 0


def _on_calls(case: Case, window: WindowFacts, now: datetime) -> Agenda:
    """Raise a telephone call for an open window without an answer, while a call can still save it."""
    closes = window.span.closes_at
    if window.point.call_after is None or now >= closes or not primary_open(case, window):
        return
    if case.escalated(f"E2:w{window.id}"):
        return
    moment, stand_in = _call_moment(case, window)
    raised = next((e for e in case.escalations if e.key == f"E1:w{window.id}"), None)
    # Somebody who had no card when it was time to ask is called already.
    under_way = {e.level for e in _open_calls(case, window, now)}
    if raised is None and ("E2" if stand_in else "E1") not in under_way:
        yield moment, _call(case, window, now, moment, to_lead=stand_in)
    if not stand_in and (raised is None or raised.open) and "E2" not in under_way:
        last = max(moment, closes - window.point.lead_before)
        yield last, _call(case, window, now, last, to_lead=True)


def _call(case: Case, window: WindowFacts, now: datetime, at: datetime, *, to_lead: bool) -> Escalate | None:
    """Return the task of a call; None before its time, because most agendas only ask when that is."""
    if at > now:
        return None
    if to_lead:
        return escalate(case, "E2", "little_time_left", now, window)
    asked = any(text.kind in PROMPTS and text.accepted_at is not None for text in case.texts(window.id))
    return escalate(case, "E1", "unanswered" if asked else "by_telephone", now, window)


def _calls_for_want_of_a_card(case: Case, asked: Agenda, now: datetime) -> Agenda:
    """Yield a call, once a window, in the place of each prompt: its text would point to a card nobody has.

    None where the window's own call has come.
    """
    for at, command in asked:
        if not isinstance(command, Send) or command.window_id is None:
            yield at, command
            continue
        window = case.window(command.window_id)
        call = escalate(case, "E1", NO_CARD, now, window)
        own_call = window.point.call_after is not None and _call_moment(case, window)[0] <= now
        called_for = own_call or case.escalated(call.key) or any(_open_calls(case, window, now))
        if savable(case, window, now) and not called_for:
            yield at, call


def _open_calls(case: Case, window: WindowFacts, now: datetime) -> Iterator[EscalationFacts]:
    """Yield the calls that somebody has to make in this window; one whose cause is gone ends at this instant."""
    for escalation in case.escalations:
        of_window = escalation.window_id == window.id and escalation.level in ("E1", "E2")
        if of_window and escalation.open and cause_gone(case, escalation, now) is None:
            yield escalation


def _call_moment(case: Case, window: WindowFacts) -> tuple[datetime, bool]:
    # A participant who gets no texts is called first: the call does not wait for an invitation.
    invited = case.participant.asked_by is not None and window.point.steps
    asked = step_moment(case, window, window.point.steps[0]) if invited else None
    moment, stand_in = call_moment(window.point, window.span, asked, case.site_zone, case.holidays)
    return min(moment, window.span.closes_at - timedelta(hours=1)), stand_in


def _on_ladder(case: Case, now: datetime) -> Agenda:
    """End tasks whose cause is gone; raise what nobody acknowledged in time one rung up, once."""
    for escalation in case.escalations:
        rung = case.protocol.ladder[escalation.level]
        if not escalation.open:
            continue
        gone = cause_gone(case, escalation, now)
        if escalation.reason == STOPPED and case.asks_until is not None:
            # Nobody has to find out any more whether they may be called.
            yield case.asks_until, None
        if gone is not None:
            yield now, Resolve(escalation.id, gone)
        elif escalation.acknowledged_at is None and rung.next is not None:
            higher = _next_rung(case, escalation, rung.next, now)
            if higher is not None:
                yield escalation.due_at, higher


def _next_rung(case: Case, escalation: EscalationFacts, level: LevelCode, now: datetime) -> Escalate | None:
    """Return the task one rung up, for the same reason; None if it was raised already.

    Each rung exists once in a window. So a failed channel (E0) goes up to the window's urgent call as long as a call
    can save the window, and to a task about the participant after that.
    """
    window = None if escalation.window_id is None else case.window(escalation.window_id)
    if window is not None and case.escalated(f"{level}:w{window.id}"):
        return None
    if window is not None and not is_of_window(escalation) and not savable(case, window, now):
        window = None
    subject = f"e{escalation.id}" if window is None else f"w{window.id}"
    higher = Escalate(
        # A call for want of a card ends with the card on every rung; the window's own urgent call does not.
        key=f"{level}:{NO_CARD}:{subject}" if escalation.reason == NO_CARD and window else f"{level}:{subject}",
        level=level,
        reason=escalation.reason,
        due_at=_due_at(case, level, now, window),
        window_id=None if window is None else window.id,
        save_by=None if window is None or window.span.closes_at <= now else window.span.closes_at,
        wish=_wish_of(case, escalation, now),
    )
    return None if case.escalated(higher.key) else higher
