"""The procedure took place: from now on this participant is asked; on another day than planned, by new windows."""

from dataclasses import dataclass
from datetime import date, datetime

from pro_service.core.case import Case
from pro_service.core.changes.model import Reschedule
from pro_service.core.changes.plan import plan_change
from pro_service.core.commands import Resolve
from pro_service.core.enrolment import cells
from pro_service.core.enrolment.cells import CellError, quoted
from pro_service.core.problems import RejectedError, problem
from pro_service.core.schedule.calendar import local_day
from pro_service.core.schedule.windows import local_instant
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.participants import cases
from pro_service.use_cases.participants.change import PreparedChange, carry_out
from pro_service.use_cases.transaction import transaction

EARLIEST = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What came of it; `windows` counts the new ones."""

    participant: str
    procedure_date: date
    confirmed_at: datetime
    unchanged: bool
    rescheduled: bool
    windows: int
    without_end: tuple[str, ...]
    """Time points that are counted from the end of the procedure, as long as that is not known."""


def confirm(
    rt: Runtime,
    actor: Actor,
    study_id: int,
    code: str,
    procedure_date: date | None = None,
    procedure_time: str = "",
) -> Confirmed:
    """Say that the procedure took place, on the planned day or on `procedure_date`. Twice changes nothing.

    Another date lays new windows out and cancels the old ones; the baseline's answers go with it. `procedure_time` is
    when it ended, on the site's clock: the windows that are counted from it are laid out. RejectedError if there is no
    such participant, the day or the end is still to come or cannot be read, or later answers already depend on the
    old date: then `change.preview` shows first what becomes of them.
    """
    now = rt.clock()
    with transaction(rt, actor, now) as tx:
        found = cases.find(tx.session, study_id, code)
        if found is None:
            raise RejectedError((problem("no_participant", "CODE", code=quoted(code)),))
        loaded = rt.loader.one(tx.session, found)
        case, person = loaded.case, loaded.case.participant
        day = procedure_date or person.procedure_date
        _refuse(case, day, now)
        end = _end(case, day, procedure_time, now)
        counted = tuple(point.code for point in case.protocol.time_points if point.minutes is not None)
        without_end = counted if end is None else ()
        moved = day != person.procedure_date or end != person.procedure_end
        _refuse_to_move_answers(case, day, end)
        if not moved and person.confirmed_at is not None:
            return Confirmed(
                person.code,
                day,
                person.confirmed_at,
                unchanged=True,
                rescheduled=False,
                windows=0,
                without_end=without_end,
            )
        if person.confirmed_at is None:
            tx.writer.change(loaded, {"confirmed_at": now}, "confirm_procedure")
        tasks = [e for e in case.escalations if e.open and e.reason == "confirm_procedure"]
        tx.carry_out(loaded, [Resolve(task.id, "confirmed") for task in tasks])
        laid = 0
        if moved:
            planned = plan_change(case, Reschedule(day, end), now)
            carry_out(tx, loaded, PreparedChange(planned, cause="confirm"), None)
            laid = len(planned.rescheduled.new_windows)
        tx.writer.check_again(loaded)
    at = person.confirmed_at or now
    return Confirmed(person.code, day, at, unchanged=False, rescheduled=moved, windows=laid, without_end=without_end)


def _end(case: Case, day: date, given: str, now: datetime) -> datetime | None:
    """Return when the procedure ended on this day: at the given time, else at the time known before."""
    before, zone = case.participant.procedure_end, case.site_zone
    if not given and day == case.participant.procedure_date:
        return before
    try:
        at = cells.clock(given) if given else None if before is None else before.astimezone(zone).time()
    except CellError as error:
        raise RejectedError((error.problem.at("--procedure-time"),)) from None
    end = None if at is None else local_instant(day, at, zone)
    if given and end is not None and end > now:
        raise RejectedError((problem("end_ahead", "--procedure-time", given=quoted(given)),))
    return end


def _refuse(case: Case, day: date, now: datetime) -> None:
    person, today = case.participant, local_day(now, case.site_zone)
    if case.closed_at is not None:
        raise RejectedError((problem("study_closed", "CODE"),))
    if person.left_at is not None:
        raise RejectedError((problem("has_left_already", "CODE", code=person.code),))
    if day > today:
        raise RejectedError((problem("procedure_ahead", "--procedure-date", day=day, today=today),))
    if day < EARLIEST:
        raise RejectedError((problem("not_of_a_study", "--procedure-date", given=day),))


def _refuse_to_move_answers(case: Case, day: date, end: datetime | None) -> None:
    person, baseline = case.participant, case.protocol.baseline
    answered = [
        window.code
        for window in case.current
        if window.point != baseline and any(answer.given for answer in window.answers.values())
    ]
    # A first time of day moves no window: it only adds those that are counted from it.
    moves = day != person.procedure_date or person.procedure_end not in (None, end)
    if moves and person.confirmed_at is not None and answered:
        facts = {"code": person.code, "confirmed": person.procedure_date, "windows": tuple(answered), "day": day}
        raise RejectedError((problem("confirmed_with_answers", "--procedure-date", **facts),))
