"""One participant's story as JSON: windows and why they are where they are, texts, answers, derived values.

The answer to "why these dates?" is what a window was counted from, and each time it was rescheduled.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select

from pro_service.core.case import REPLIED, Case, Participant, WindowFacts
from pro_service.core.iso8601 import instant_text
from pro_service.core.schedule.asking import Way, rungs, way_of_asking
from pro_service.core.schedule.status import ParticipantStatus, participant_status, status
from pro_service.core.schedule.windows import explain_point
from pro_service.core.scores import Derived, derive, derive_impression
from pro_service.reports.escalations import EscalationRow, escalations
from pro_service.store.participants import schedules
from pro_service.store.participants.cases import Loader, load_by_code
from pro_service.store.participants.schedules import Basis, ScheduleChange
from pro_service.store.schema import messages, responses, users, windows
from pro_service.store.session import Session
from pro_service.store.studies import Sites
from pro_service.store.vault import Vault


class Story(TypedDict):
    """`participant show CODE --json`."""

    participant: str
    status: ParticipantStatus
    asked_by: Way
    ladder: list[dict[str, str | None]]
    card_made_at: str | None
    card_handed_at: str | None
    windows: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    responses: list[dict[str, Any]]
    derived: list[dict[str, Any]]
    escalations: list[EscalationRow]


@dataclass(frozen=True, slots=True)
class Moved:
    """One time this window was rescheduled: who, when and why, and what it was counted from before and since."""

    at: datetime
    by: str
    cause: str
    reason: str | None
    changes: tuple[tuple[str, object, object], ...]
    """(what, before, since): `procedure_date`, `procedure_end`, `zone`, `version`, of those that changed."""


@dataclass(frozen=True, slots=True)
class WindowExplanation:
    """The answer to "why these dates?"."""

    facts: dict[str, str]
    """Anchor, rule, clamp, zone …: name -> value; see `core.schedule.windows.explain_point`."""
    moved: tuple[Moved, ...]
    """Oldest first; empty for a window that is where it was at enrolment."""


def participant_story(
    session: Session, vault: Vault, loader: Loader, study_id: int, code: str, now: datetime, sites: Sites = None
) -> Story | None:
    """Return one participant's story; None if there is no participant with this code (at these sites)."""
    loaded = load_by_code(session, loader, study_id, code, sites)
    if loaded is None:
        return None
    case = loaded.case
    history = schedules.history(session, vault, case.participant.id)
    return Story(
        participant=case.participant.code,
        status=participant_status(case, now),
        asked_by=way_of_asking(case.participant),
        ladder=ladder(case.participant),
        card_made_at=instant_text(case.participant.card_made_at),
        card_handed_at=instant_text(case.participant.card_handed_at),
        windows=[_window(case, window, now, history) for window in case.windows],
        messages=[
            {
                "kind": row.kind,
                "window": row.window,
                "state": row.state,
                "queued_at": instant_text(row.queued_at),
                "sent_at": instant_text(row.sent_at),
            }
            for row in message_rows(session, case.participant.id)
        ],
        responses=[
            {
                "window": row.window,
                "item": row.item,
                "value": row.value,
                "source": row.source,
                "mode": "staff-from-text" if row.source in REPLIED and row.entered_by is not None else row.source,
                "received_at": instant_text(row.received_at),
                "in_window": row.in_window,
                "version": row.version,
            }
            for row in response_rows(session, case.participant.id)
        ],
        derived=[_derived(window, value) for window, value in derived_values(case, now)],
        escalations=escalations(session, study_id, participant_id=case.participant.id),
    )


def ladder(person: Participant) -> list[dict[str, str | None]]:
    """Return each channel of the ladder with what stands of it, and since when it leads nowhere."""
    return [
        {"channel": rung.channel, "standing": rung.standing, "since": instant_text(rung.since)}
        for rung in rungs(person)
    ]


def explain_window(case: Case, window: WindowFacts, history: Sequence[ScheduleChange]) -> WindowExplanation:
    """Return why a window has its dates; `history` is the participant's, oldest first."""
    changes = _rescheduling_changes(history)
    basis = _basis(case, window, history, changes)
    facts = explain_point(window.span, window.point, basis.procedure_date, ZoneInfo(basis.zone))
    mine = {other.schedule for other in case.windows if other.code == window.code and other.schedule <= window.schedule}
    moved = tuple(_move_of(change) for change in changes if change.schedule in mine)
    return WindowExplanation({fact.name: fact.value for fact in facts}, moved)


def moves_as_json(found: WindowExplanation) -> list[dict[str, Any]]:
    """Return what moved a window, ready for JSON."""
    return [
        {
            "at": instant_text(one.at),
            "by": one.by,
            "cause": one.cause,
            "reason": one.reason,
            "changes": {name: [_plain(before), _plain(since)] for name, before, since in one.changes},
        }
        for one in found.moved
    ]


def derived_values(case: Case, now: datetime) -> Iterator[tuple[str, Derived]]:
    """Yield (window code, value) for every item of every window that has opened, after the baseline.

    An item that the baseline asks too is compared with it; an item that it does not ask carries its own comparison.
    """
    baseline = case.protocol.baseline
    if baseline is None:
        return
    for window in case.current:
        if window.code == baseline.code or window.span.opens_at > now:
            continue
        for item in window.point.items:
            answer = window.answers.get(item)
            value = None if answer is None else answer.value
            if item in baseline.items:
                yield window.code, derive(item, case.baseline(item), value)
            else:
                yield window.code, derive_impression(item, value)


def message_rows(session: Session, participant_id: int) -> list[Row[Any]]:
    """Return every text and mail about one participant, oldest first; never their words."""
    m = messages.c
    statement = (
        select(
            m.kind,
            m.state,
            m.channel,
            m.queued_at,
            m.sent_at,
            m.accepted_at,
            m.ended_at,
            m.error,
            m.window_id,
            windows.c.code.label("window"),
        )
        .outerjoin(windows, windows.c.id == m.window_id)
        .where(m.participant_id == participant_id)
        .order_by(m.queued_at, m.id)
    )
    return list(session.execute(statement))


def response_rows(session: Session, participant_id: int) -> list[Row[Any]]:
    """Return every version of every answer of one participant, oldest first, with who entered it."""
    r = responses.c
    statement = (
        select(responses, windows.c.code.label("window"), users.c.email.label("who"))
        .outerjoin(windows, windows.c.id == r.window_id)
        .outerjoin(users, users.c.id == r.entered_by)
        .where(r.participant_id == participant_id)
        .order_by(r.recorded_at, r.id)
    )
    return list(session.execute(statement))


def _window(case: Case, window: WindowFacts, now: datetime, history: Sequence[ScheduleChange]) -> dict[str, Any]:
    span = window.span
    found = explain_window(case, window, history)
    return {
        "code": window.code,
        "target": instant_text(span.target_at) or span.target.isoformat(),
        "opens_at": instant_text(span.opens_at),
        "closes_at": instant_text(span.closes_at),
        "status": status(window, case.participant, case.protocol.primary(window.point), now),
        "schedule": window.schedule,
        "why": "; ".join(f"{name} {value}" for name, value in found.facts.items()),
        "moved": moves_as_json(found),
    }


def _derived(window: str, value: Derived) -> dict[str, Any]:
    percent = value.percent_reduction
    return {
        "window": window,
        "item": value.item,
        "percent_reduction": None if percent is None else float(percent),
        "absolute_change": value.absolute_change,
        "responder30": value.responder30,
        "responder50": value.responder50,
        "pgic_responder": value.pgic_responder,
        "clinical_improvement": value.clinical_improvement,
        "reason": value.reason,
        "formula_version": value.formula_version,
    }


def _rescheduling_changes(history: Sequence[ScheduleChange]) -> list[ScheduleChange]:
    """Return the changes that rescheduled windows: the first of each schedule; a later one left it in force."""
    number, found = 1, []
    for change in history:
        if change.schedule > number:
            number = change.schedule
            found.append(change)
    return found


def _basis(
    case: Case, window: WindowFacts, history: Sequence[ScheduleChange], changes: Sequence[ScheduleChange]
) -> Basis:
    """Return what this window was counted from when it got its dates."""
    for change in changes:
        if change.schedule == window.schedule:
            return change.then
    if history:
        return history[0].before
    person = case.participant
    return Basis(person.procedure_date, None, person.site.zone, 0)


def _move_of(change: ScheduleChange) -> Moved:
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
        return instant_text(value)
    return value if value is None or isinstance(value, int) else str(value)
