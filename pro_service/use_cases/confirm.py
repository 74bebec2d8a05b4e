"""The procedure took place: from now on this participant is asked; on another day than planned, by new windows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from pro_service.core.calendar import local_day
from pro_service.core.case import Case, WindowFacts
from pro_service.core.commands import CancelTexts, Command, Record, Resolve, Settle
from pro_service.core.enrolment_cells import shown
from pro_service.core.faults import Fault, RejectedError
from pro_service.core.windows import local_instant, schedule
from pro_service.runtime import Runtime
from pro_service.store import cases, schedules
from pro_service.store.audit import Actor
from pro_service.store.cases import Loaded
from pro_service.use_cases.carrying import Work, work

EARLIEST = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What came of it; `windows` counts those laid out anew."""

    participant: str
    procedure_date: date
    confirmed_at: datetime
    unchanged: bool
    rescheduled: bool
    windows: int


def confirm(rt: Runtime, actor: Actor, study_id: int, code: str, procedure_date: date | None = None) -> Confirmed:
    """Say that the procedure took place, on the planned day or on `procedure_date`. Twice changes nothing.

    Another date lays new windows out and cancels the old ones; the baseline's answers go with it. RejectedError if
    there is no such participant, the day is still to come, or later answers already hang on the old date.
    """
    now = rt.clock()
    with work(rt, actor, now) as unit:
        found = cases.find(unit.session, study_id, code)
        if found is None:
            raise _rejected("CODE", f"there is no participant {shown(code)}", "see pro-service participant list")
        loaded = rt.loader.one(unit.session, found)
        person = loaded.case.participant
        day = procedure_date or person.procedure_date
        _refuse(loaded.case, day, now)
        moved = day != person.procedure_date
        if not moved and person.confirmed_at is not None:
            return Confirmed(person.code, day, person.confirmed_at, unchanged=True, rescheduled=False, windows=0)
        if person.confirmed_at is None:
            unit.writer.change(loaded, {"confirmed_at": now}, "confirm_procedure")
        unit.carry_out(loaded, _ended(loaded.case, moved=moved))
        laid = _move(rt, unit, loaded, day) if moved else 0
        unit.writer.look_anew(loaded)
    return Confirmed(person.code, day, person.confirmed_at or now, unchanged=False, rescheduled=moved, windows=laid)


def _refuse(case: Case, day: date, now: datetime) -> None:
    person, today = case.participant, local_day(now, case.site_zone)
    if person.left_at is not None:
        raise _rejected("CODE", f"{person.code} has left the study", "nothing is asked of this participant any more")
    if day > today:
        fault = f"{day} is still to come (today at the site: {today})"
        raise _rejected(
            "--procedure-date", fault, "confirm once the procedure has taken place; name the day if it moved"
        )
    if day < EARLIEST:
        raise _rejected("--procedure-date", f"{day} is not a date of a study", "write year-month-day, e.g. 2026-05-11")
    baseline = case.protocol.baseline
    answered = [
        window.code
        for window in case.current
        if window.point != baseline and any(answer.given for answer in window.answers.values())
    ]
    if day != person.procedure_date and person.confirmed_at is not None and answered:
        fault = f"{person.code} was confirmed for {person.procedure_date} and has answers ({', '.join(answered)})"
        remedy = (
            "a change of the date under answers needs a preview of what becomes of each, which this release does not "
            "have yet: leave the date, and note the right one in the site's file"
        )
        raise _rejected("--procedure-date", fault, remedy)


def _ended(case: Case, *, moved: bool) -> Iterator[Command]:
    """Tasks that are done with this; where the date moved, all that hung on the old windows."""
    for escalation in case.escalations:
        if escalation.open and escalation.reason == "confirm_procedure":
            yield Resolve(escalation.id, "confirmed")
        elif escalation.open and moved and escalation.window_id is not None:
            yield Resolve(escalation.id, "rescheduled")
    if moved:
        yield CancelTexts()
        # A window that was counted leaves its tally.
        yield from (Settle(window.id, "cancelled") for window in case.current if window.settled is not None)


def _move(rt: Runtime, unit: Work, loaded: Loaded, day: date) -> int:
    """Lay the windows out from `day`, and take the answers there are along; gives the number of windows."""
    zone, person = loaded.case.site_zone, loaded.case.participant
    before = schedules.procedure_end(unit.session, person.id)
    at = None if before is None else before.astimezone(zone).time()
    end = None if at is None else local_instant(day, at, zone)
    laid = schedule(loaded.case.protocol, day, zone, end)
    old = {window.code: window for window in loaded.case.current}
    schedules.lay_anew(unit.writer, loaded, day, (before, end), laid)
    again = rt.loader.one(unit.session, person.id, lock=False)
    unit.carry_out(again, _taken_along(old, again.case))
    return len(laid)


def _taken_along(old: Mapping[str, WindowFacts], case: Case) -> Iterator[Command]:
    """A baseline was measured before the procedure, whatever day that became: it belongs to the new window too."""
    for window in case.current:
        for answer in old[window.code].answers.values() if window.code in old else ():
            if answer.given:
                yield Record(
                    window_id=window.id,
                    item=answer.item,
                    value=answer.value,
                    declined=answer.declined,
                    source=answer.source,
                    received_at=answer.received_at,
                    in_window=answer.in_window,
                    reason="procedure date changed",
                )


def _rejected(path: str, fault: str, remedy: str) -> RejectedError:
    return RejectedError((Fault(path, None, fault, remedy),))
