"""Why a window has its dates: what it was counted from, and each time its schedule was laid out anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pro_service.core.case import Case, WindowFacts
from pro_service.core.schedule.windows import explain_point
from pro_service.store.reports import instant
from pro_service.store.schedules import Basis, ScheduleChange


@dataclass(frozen=True, slots=True)
class Moved:
    """One time this window was laid out anew: who, when and why, and what it was counted from before and since."""

    at: datetime
    by: str
    cause: str
    reason: str | None
    changes: tuple[tuple[str, object, object], ...]
    """(what, before, since): `procedure_date`, `procedure_end`, `zone`, `version`, of those that changed."""


@dataclass(frozen=True, slots=True)
class Why:
    """The answer to "why these dates?"."""

    facts: dict[str, str]
    """Anchor, rule, clamp, zone …: name -> value; see `core.windows.explain`."""
    moved: tuple[Moved, ...]
    """Oldest first; empty for a window that is where it was laid at enrolment."""


def why(case: Case, window: WindowFacts, history: Sequence[ScheduleChange]) -> Why:
    """Explain one window, of whichever schedule."""
    made = _made(history)
    basis = _basis(case, window, history, made)
    facts = explain_point(window.span, window.point, basis.procedure_date, ZoneInfo(basis.zone))
    mine = {other.schedule for other in case.windows if other.code == window.code and other.schedule <= window.schedule}
    moved = tuple(_moved(change) for change in made if change.schedule in mine)
    return Why({fact.name: fact.value for fact in facts}, moved)


def told(found: Why) -> list[dict[str, Any]]:
    """What moved a window, as JSON."""
    return [
        {
            "at": instant(one.at),
            "by": one.by,
            "cause": one.cause,
            "reason": one.reason,
            "changes": {name: [_plain(before), _plain(since)] for name, before, since in one.changes},
        }
        for one in found.moved
    ]


def _made(history: Sequence[ScheduleChange]) -> list[ScheduleChange]:
    """The changes that laid windows out: of each schedule the first; a later one left it in force."""
    number, found = 1, []
    for change in history:
        if change.schedule > number:
            number = change.schedule
            found.append(change)
    return found


def _basis(case: Case, window: WindowFacts, history: Sequence[ScheduleChange], made: Sequence[ScheduleChange]) -> Basis:
    """What this window was counted from, at the time it was laid out."""
    for change in made:
        if change.schedule == window.schedule:
            return change.then
    if history:
        return history[0].before
    person = case.participant
    return Basis(person.procedure_date, None, person.site.zone, 0)


def _moved(change: ScheduleChange) -> Moved:
    before, then = change.before, change.then
    pairs = (
        ("procedure_date", before.procedure_date, then.procedure_date),
        ("procedure_end", before.procedure_end, then.procedure_end),
        ("zone", before.zone, then.zone),
        ("version", before.version_id, then.version_id),
    )
    changes = tuple((name, old, new) for name, old, new in pairs if old != new)
    return Moved(change.changed_at, change.actor, change.cause, change.reason, changes)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return instant(value)
    return value if value is None or isinstance(value, int) else str(value)
