"""What a change by staff brings about: facts, windows, commands, and what to mind about it. Nothing is written.

The preview and the change are this one computation; `case_after` shows the case as it will be.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any, assert_never, cast
from zoneinfo import ZoneInfo

from pro_service.core import ladder as ladders
from pro_service.core.case import CONSENTED, Case, Participant, WindowFacts
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
    Reinstate,
    Reschedule,
    Resume,
    Withdraw,
)
from pro_service.core.changes.reschedule import Rescheduled, consequences, replace_windows
from pro_service.core.commands import CancelTexts, Command, Resolve
from pro_service.core.ladder import Ladder
from pro_service.core.problems import ChangeRefusedError, ChannelCode, Problem, problem
from pro_service.core.protocol import MEDIA, Medium, Protocol
from pro_service.core.schedule import projection
from pro_service.core.schedule.asking import rungs
from pro_service.core.schedule.calendar import local_day
from pro_service.core.schedule.causes import CLEARED, NEW_NUMBER, NO_NUMBER
from pro_service.core.schedule.forecast import procedure_date_notes
from pro_service.core.schedule.windows import schedule

ABOUT_THE_NUMBER = frozenset({"bad_number", "wrong_number", "not_delivered"})
"""Reasons of tasks that another number settles."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a change brings about."""

    action: str
    """What the audit trail calls it."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """Fact of the participant -> new value, of those that change; `procedure_end` and `site` among them."""
    rescheduled: Rescheduled = field(default_factory=Rescheduled)
    commands: tuple[Command, ...] = ()
    notes: tuple[Problem, ...] = ()
    protocol: Protocol | None = None
    """The version that holds from now on, where it changes."""

    @property
    def unchanged(self) -> bool:
        """Whether the change would change nothing."""
        return not (self.facts or self.rescheduled.ended or self.rescheduled.new_windows or self.protocol)


def plan_change(case: Case, change: Change, now: datetime) -> Plan:
    """Return everything a change brings about; raise ChangeRefusedError if it cannot be made."""
    if case.participant.erased_at is not None:
        raise ChangeRefusedError((problem("erased"),))
    if case.closed_at is not None and isinstance(change, Reschedule | Migrate | Move):
        raise ChangeRefusedError((problem("study_closed"),))
    planned = _plan_by_kind(case, change, now)
    before = {one.name: getattr(case.participant, one.name) for one in fields(Participant)}
    differing = {name: value for name, value in planned.facts.items() if before[name] != value}
    return replace(planned, facts=differing)


def _plan_by_kind(case: Case, change: Change, now: datetime) -> Plan:
    match change:
        case Reschedule():
            return _plan_reschedule(case, change, now)
        case Migrate() | Move():
            return _plan_transfer(case, change, now)
        case Withdraw() | Die() | Reinstate():
            return _plan_leaving(case, change, now)
        case Pause() | Resume():
            return _plan_pause(case, change, now)
        case NewTelephone() | NewAddress() | NewConsent():
            return _plan_contact(case, change, now)
        case NewLanguage(language):
            return Plan("language", {"language": language}, commands=_cancel_if_changed(case, language=language))
        case NewZone(zone):
            return Plan("zone", {"zone": zone}, commands=_cancel_if_changed(case, zone=zone))
        case NewChannel(ladder):
            return _plan_ladder(case, ladder)
        case _:
            assert_never(change)


def case_after(case: Case, planned: Plan, now: datetime) -> Case:
    """Return the case as it will be once the plan is written; new windows have negative ids."""
    known = {one.name for one in fields(Participant)}
    facts: dict[str, Any] = {name: value for name, value in planned.facts.items() if name in known}
    ended = {window.id for window in planned.rescheduled.ended}
    cancelled = tuple(replace(w, cancelled_at=now) if w.id in ended else w for w in case.windows)
    number = max((window.schedule for window in case.windows), default=0) + 1
    protocol = planned.protocol or case.protocol
    new_windows = tuple(
        WindowFacts(
            id=-place,
            schedule=number,
            span=one.span,
            point=one.point,
            answers={j.answer.item: j.answer._replace(version=1, in_window=j.in_window) for j in one.kept_answers},
        )
        for place, one in enumerate(planned.rescheduled.new_windows, start=1)
    )
    windows = (*_with_new_points(cancelled, planned, now), *new_windows)
    case = replace(
        case,
        participant=replace(case.participant, **facts),
        protocol=protocol,
        windows=tuple(sorted(windows, key=lambda window: window.span.opens_at)),
    )
    return projection.apply_commands(case, planned.commands, now)


def _with_new_points(windows: tuple[WindowFacts, ...], planned: Plan, now: datetime) -> Iterator[WindowFacts]:
    """Yield the windows that stay; those that are still to close get the time point of the new version."""
    points = {} if planned.protocol is None else {point.code: point for point in planned.protocol.time_points}
    for window in windows:
        yield replace(window, point=points[window.code]) if follows_new_version(window, points, now) else window


def follows_new_version(window: WindowFacts, codes: Container[str], now: datetime) -> bool:
    """Whether a window that stays gets the new version's time point: it is still to close, and has one there."""
    return window.cancelled_at is None and now < window.span.closes_at and window.code in codes


# Another date, site or protocol --------------------------------------------------------------------------------------


def _plan_reschedule(case: Case, change: Reschedule, now: datetime) -> Plan:
    """Return the plan of another procedure date; a date to come is confirmed again on its day."""
    person, zone, day = case.participant, case.site_zone, change.day
    ahead = day > local_day(now, zone)
    end = None if ahead else change.end
    spans = schedule(case.protocol, day, zone, end)
    rescheduled = replace_windows(case, spans, case.protocol, moves=lambda _: True, joins=lambda _: True)
    facts: dict[str, object] = {"procedure_date": day, "procedure_end": end}
    if ahead:
        # What is still to come has not taken place: nothing is sent before somebody confirms it.
        facts["confirmed_at"] = None
    tasks = (Resolve(e.id, "rescheduled") for e in case.escalations if e.open and e.reason == "confirm_procedure")
    notes = [*procedure_date_notes(case.protocol, day, spans, zone, case.holidays), *_baseline_notes(case, day, zone)]
    notes += [
        problem("window_over", "procedure_date", window=one.span.code)
        for one in rescheduled.new_windows
        if one.point.prompted and one.span.closes_at <= now and one.span.closes_at > person.enrolled_at
    ]
    if ahead or person.confirmed_at is None:
        notes.append(problem("to_be_confirmed", day=day))
    notes += [problem("has_left")] if person.left_at is not None else []
    commands = (*consequences(case, rescheduled), *(tasks if ahead else ()))
    return Plan("reschedule", facts, rescheduled, commands, tuple(notes))


def _baseline_notes(case: Case, day: date, zone: ZoneInfo) -> Iterator[Problem]:
    """Yield a note if a baseline was measured after the new procedure date, or before it on another day."""
    point = case.protocol.baseline
    for window in case.current:
        given = [answer for answer in window.answers.values() if answer.given and answer.source != "import"]
        if point is not None and window.code == point.code and given:
            measured = max(local_day(answer.received_at, zone) for answer in given)
            if measured > day:
                yield problem("baseline_after", "procedure_date", measured=measured, day=day)
            elif measured < day:
                yield problem("baseline_before", "procedure_date", measured=measured, day=day)


def _plan_transfer(case: Case, change: Migrate | Move, now: datetime) -> Plan:
    """Return the plan of another site or protocol version.

    Another site replaces the windows to come; another version replaces the windows that have not closed.
    """
    day, end = case.participant.procedure_date, case.participant.procedure_end
    if isinstance(change, Move):
        site = change.site
        spans = schedule(case.protocol, day, ZoneInfo(site.zone), end)
        moved = site.zone != case.participant.site.zone
        rescheduled = replace_windows(
            case, spans, case.protocol, moves=lambda w: moved and w.span.opens_at > now, joins=lambda _: False
        )
        notes = [] if case.participant.zone.key == site.zone else [problem("zone_stays", zone=case.participant.zone)]
        return Plan("move", {"site": site}, rescheduled, tuple(consequences(case, rescheduled)), tuple(notes))
    protocol = change.protocol
    _refuse_version(case, protocol)
    if protocol == case.protocol:
        return Plan("migrate")
    spans = schedule(protocol, day, ZoneInfo(protocol.sites[case.participant.site.code].zone), end)
    rescheduled = replace_windows(
        case, spans, protocol, moves=lambda w: w.span.closes_at > now, joins=lambda span: span.closes_at > now
    )
    over = [problem("not_laid", window=code) for code in _windows_left_out(case, protocol, rescheduled)]
    closed = [one for one in rescheduled.new_windows if one.span.closes_at <= now]
    over += [problem("window_over", window=one.span.code) for one in closed]
    facts = {"site": protocol.sites[case.participant.site.code]}
    return Plan("migrate", facts, rescheduled, tuple(consequences(case, rescheduled)), tuple(over), protocol)


def _windows_left_out(case: Case, protocol: Protocol, rescheduled: Rescheduled) -> list[str]:
    """Return the time points of the new version that get no window, because it would be over already."""
    there = {window.code for window in case.current} | {one.span.code for one in rescheduled.new_windows}
    return [point.code for point in protocol.time_points if point.code not in there and point.minutes is None]


def _refuse_version(case: Case, protocol: Protocol) -> None:
    """Raise ChangeRefusedError if the new version lacks the participant's site, language, or an item asked before."""
    person = case.participant
    notes: list[Problem] = []
    if person.site.code not in protocol.sites:
        notes.append(problem("site_gone", site=person.site.code))
    if person.language not in protocol.languages:
        notes.append(problem("language_gone", language=person.language))
    asked = {item for window in case.windows for item in (*window.point.items, *window.answers)}
    notes += [problem("item_gone", item=item) for item in sorted(asked - protocol.items.keys())]
    if notes:
        raise ChangeRefusedError(tuple(notes))


# Leaving, pausing, being reached -------------------------------------------------------------------------------------


def _plan_leaving(case: Case, change: Withdraw | Die | Reinstate, now: datetime) -> Plan:
    """Return the plan of a withdrawal or a death; a withdrawal from messages alone is an opt-out."""
    person = case.participant
    if isinstance(change, Reinstate):
        return _plan_reinstatement(case, now)
    if isinstance(change, Withdraw) and person.died_at is not None:
        raise ChangeRefusedError((problem("has_died"),))
    if isinstance(change, Withdraw) and change.origin == "messages":
        facts = {"opted_out_at": person.opted_out_at or now}
        return Plan("opt_out", facts, commands=(CancelTexts(),))
    at = change.at or now
    if at > now:
        raise ChangeRefusedError((problem("in_future", "on"),))
    name, action = ("died_at", "died") if isinstance(change, Die) else ("withdrawn_at", "withdraw")
    before = getattr(person, name)
    if before is not None and change.at is None:
        return Plan(action)
    fact: dict[str, Any] = {name: at}
    return Plan(action, fact, commands=projection.leaving_commands(case, replace(person, **fact), now))


def _plan_reinstatement(case: Case, now: datetime) -> Plan:
    """Return the plan of undoing a death, or else a withdrawal: a withdrawal before a death that is undone holds."""
    person = case.participant
    if person.left_at is None:
        return Plan("reinstate")
    fact: dict[str, Any] = {"withdrawn_at" if person.died_at is None else "died_at": None}
    return Plan("reinstate", fact, commands=projection.returning_commands(case, replace(person, **fact), now))


def _plan_pause(case: Case, change: Pause | Resume, now: datetime) -> Plan:
    """Return the plan of a pause, or of its end."""
    person = case.participant
    if person.left_at is not None:
        raise ChangeRefusedError((problem("has_left_for_good"),))
    if isinstance(change, Resume):
        # A member of staff has looked: a hold after a stop word inside a sentence ends with it.
        return Plan("resume", {"paused_at": None, "paused_until": None, "texts_held_until": None})
    if change.until <= now:
        raise ChangeRefusedError((problem("not_ahead", "until"),))
    running = person.paused_at is not None and (person.paused_until is None or person.paused_until > now)
    facts = {"paused_at": person.paused_at if running else now, "paused_until": change.until}
    return Plan("pause", facts, notes=tuple(_pause_notes(case, change.until, now)))


def _pause_notes(case: Case, until: datetime, now: datetime) -> Iterator[Problem]:
    """Yield what to mind about a pause: windows that close in it, or that none is left after it."""
    last = max((w.span.closes_at for w in case.current if w.point.prompted), default=now)
    if until >= last:
        yield problem("paused_to_the_end", "until")
        return
    for window in case.current:
        if window.point.prompted and now < window.span.closes_at <= until and window.missing():
            yield problem("window_in_pause", "until", window=window.code)


def _plan_contact(case: Case, change: NewTelephone | NewAddress | NewConsent, now: datetime) -> Plan:
    """Return the plan of another number, address or consent.

    Another number ends the tasks about the old one. What waits for the old number or address is cancelled. A consent
    that is given after a stop undoes it; on the media that nothing was said about the stop stands, as after a START.
    """
    person = case.participant
    consents = _consents(change)
    given = [at for at in consents.values() if at is not None]
    if given and person.died_at is not None:
        raise ChangeRefusedError((problem("consent_of_dead", "consent"),))
    facts: dict[str, Any] = {CONSENTED[medium]: at for medium, at in consents.items()}
    new = any(at is not None and at != getattr(person, CONSENTED[medium]) for medium, at in consents.items())
    if person.opted_out_at is not None and new:
        stopped = local_day(person.opted_out_at, case.site_zone)
        if local_day(max(given), case.site_zone) < stopped:
            raise ChangeRefusedError((problem("before_opt_out", "consent", day=stopped),))
        facts["opted_out_at"] = None
    if isinstance(change, NewTelephone):
        facts |= {"has_phone": change.given, "phone_since": now}
        facts |= {"unreachable_at": None, "whatsapp_unreachable_at": None}
    elif isinstance(change, NewAddress):
        facts |= {"has_email": change.given, "email_unreachable_at": None, "email_since": now}
    if "opted_out_at" in facts:
        facts |= {CONSENTED[other]: None for other in replace(person, **facts).still_stopped(consents)}
    return Plan(
        _CONTACT_ACTIONS[type(change)],
        facts,
        commands=tuple(_contact_commands(case, change, facts)),
        notes=tuple(_contact_notes(case, change, facts)),
    )


_CONTACT_ACTIONS: Mapping[type, str] = {
    NewTelephone: "new_telephone",
    NewAddress: "new_address",
    NewConsent: "consent",
}


def _consents(change: NewTelephone | NewAddress | NewConsent) -> Mapping[Medium, datetime | None]:
    match change:
        case NewTelephone(_, consents):
            return consents
        case NewAddress(_, consented_at):
            return {"email": consented_at}
        case NewConsent(consented_at, medium):
            return {medium: consented_at}


def _contact_commands(
    case: Case, change: NewTelephone | NewAddress | NewConsent, facts: Mapping[str, Any]
) -> Iterator[Command]:
    if isinstance(change, NewConsent):
        if change.consented_at is None:
            yield CancelTexts(replies=change.medium != "email")
        return
    yield CancelTexts(replies=isinstance(change, NewTelephone))
    settled: frozenset[str] = frozenset()
    if isinstance(change, NewTelephone):
        settled = ABOUT_THE_NUMBER | ({NO_NUMBER} if change.given else frozenset())
    yield from (Resolve(e.id, NEW_NUMBER) for e in case.escalations if e.open and e.reason in settled)
    if replace(case.participant, **facts).asked_by is not None:
        asked = frozenset({"bad_address", NO_NUMBER}) - settled
        yield from (Resolve(e.id, CLEARED) for e in case.escalations if e.open and e.reason in asked)


def _contact_notes(
    case: Case, change: NewTelephone | NewAddress | NewConsent, facts: Mapping[str, Any]
) -> Iterator[Problem]:
    then, code = replace(case.participant, **facts), case.participant.code
    agreed = [medium for medium, at in _consents(change).items() if at is not None]
    asking = {MEDIA[channel] for channel in then.ladder}
    yield from (problem("consent_without_rung", "consent", code=code) for medium in agreed if medium not in asking)
    if then.asked_by is not None:
        if isinstance(change, NewTelephone) and not change.given:
            yield problem("no_phone_but_mail", "number", code=code)
        yield from _card_notes(case, **facts)
    elif not then.has_phone:
        yield problem("no_number", "number")
    elif isinstance(change, NewTelephone) and not agreed:
        yield problem("calls_only", "consent")
    elif not agreed:
        yield problem("reached_by_none", "consent", code=code)


def _plan_ladder(case: Case, ladder: Ladder) -> Plan:
    """Return the plan of another ladder; what to mind about it are the rungs that will be skipped."""
    facts = ladders.facts(ladder)
    then: Participant = replace(case.participant, **cast("dict[str, Any]", facts))
    skipped = {"no-consent": "rung_without_consent", "no-address": "rung_without_address"}
    notes = [
        problem(skipped[rung.standing], "channel", code=then.code, channel=ChannelCode(rung.channel))
        for rung in rungs(then)
        if rung.standing in skipped
    ]
    if then.led_to is None and then.has_phone:
        notes.append(problem("reached_by_none", "channel", code=then.code))
    return Plan(
        "channel", facts, commands=_cancel_if_changed(case, **facts), notes=(*notes, *_card_notes(case, **facts))
    )


def _card_notes(case: Case, **facts: Any) -> tuple[Problem, ...]:
    """Return the note that texts wait for a card, where they would go with these facts and there is none."""
    person = replace(case.participant, **facts)
    return (problem("no_card"),) if person.lacks_card else ()


def _cancel_if_changed(case: Case, **facts: object) -> tuple[Command, ...]:
    """Return the cancelling of waiting prompts if a fact changes.

    The rules decide again about the prompts; those that were sent are not repeated.
    """
    changed = any(getattr(case.participant, name) != value for name, value in facts.items())
    return (CancelTexts(),) if changed else ()
