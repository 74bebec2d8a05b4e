"""What the dashboard and the command line show: read only, a fixed number of queries at any size.

Rates come from the tallies of settled windows, plus the few windows that have closed since the last tick, judged by the
same rules. Everything is ready for JSON: instants as UTC ISO 8601 with Z.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias, TypedDict

from sqlalchemy import Row, Select, bindparam, select
from sqlalchemy.orm import Session

from pro_service.core.case import Case, Participant, WindowFacts
from pro_service.core.protocol import Protocol
from pro_service.core.schedule.agenda import primary_open
from pro_service.core.schedule.status import AFTER_OPENING, settled_as
from pro_service.reports import statements as queries
from pro_service.store import schema
from pro_service.store.participants.cases import Loaded, Loader
from pro_service.store.schema import heartbeats, participants, protocol_versions, studies, windows
from pro_service.store.studies import Sites

ParticipantStatus: TypeAlias = Literal["planned", "active", "paused", "opted_out", "withdrawn", "died", "finished"]

BATCH = 500
AT_RISK = timedelta(hours=48)
"""So close to its end an open window without an answer may shout."""


class ComplianceRow(TypedDict):
    """One time point: what was due and what came of it. Rates are n/N between 0 and 1, None where nothing was due."""

    code: str
    due: int
    completed_in_window: int
    late: int
    missed: int
    missed_before_enrolment: int
    partial: int
    declined: int
    rate_in_window: float | None
    rate_any: float | None


def instant(moment: datetime | None) -> str | None:
    """UTC ISO 8601 with Z, microseconds only where there are some."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def protocol_of(session: Session, loader: Loader, study_id: int) -> Protocol | None:
    """The study's newest protocol version; None while none is loaded."""
    newest = session.scalar(_NEWEST, {"study": study_id})
    return None if newest is None else loader.protocol_of(session, newest)


def study_code(session: Session, study_id: int) -> str:
    """The code of a study; NoResultFound if there is none with this id."""
    return str(session.execute(select(studies.c.code).where(studies.c.id == study_id)).scalar_one())


def heartbeat(session: Session, name: str = "tick") -> datetime | None:
    """When this beat was last felt; None = never."""
    return session.scalar(_HEARTBEAT, {"name": name})


def compliance(
    session: Session, loader: Loader, study_id: int, now: datetime, sites: Sites = None, *, cap: int | None = None
) -> list[ComplianceRow]:
    """What was due in each time point of the newest protocol, and what came of it, at `now`.

    Windows that closed and are not settled yet are judged here; at most `cap` participants' (a page stays quick while a
    scheduler that stood still catches up; the page says "as of"). Windows of a procedure that nobody confirmed are not
    counted: nobody could answer them.
    """
    counts = _settled(session, study_id, sites)
    for code, settled in _unsettled(session, loader, study_id, now, sites, cap):
        counts[code, settled] += 1
    protocol = protocol_of(session, loader, study_id)
    known = [] if protocol is None else [point.code for point in protocol.time_points]
    codes = [*known, *sorted({code for code, _ in counts} - set(known))]
    return [counted(code, {settled: n for (of, settled), n in counts.items() if of == code}) for code in codes]


def _settled(session: Session, study_id: int, sites: Sites) -> Counter[tuple[str, str]]:
    statement = queries.tallied(limited=sites is not None)
    rows = session.execute(statement, queries.parameters(study_id, sites))
    return Counter({(code, settled): int(count) for code, settled, count in rows})


def _unsettled(
    session: Session, loader: Loader, study_id: int, now: datetime, sites: Sites, cap: int | None
) -> Iterator[tuple[str, str]]:
    """(code, how it will be counted) of windows that have closed since the last tick."""
    closed = queries.closed(limited=sites is not None, cap=cap)
    ids = session.scalars(closed, queries.parameters(study_id, sites) | {"now": now}).all()
    for start in range(0, len(ids), BATCH):
        for loaded in loader.load(session, ids[start : start + BATCH], lock=False, whole=False):
            yield from _judged(loaded.case, now)


def _judged(case: Case, now: datetime) -> Iterator[tuple[str, str]]:
    for window in case.current:
        if window.settled is None and window.span.closes_at <= now:
            yield window.code, settled_as(window, case.participant, case.protocol.primary(window.point), now)


def counted(code: str, counts: Mapping[str, int]) -> ComplianceRow:
    """The figures of windows that are counted so: how (`settled_as`) -> how many."""
    left = sum(count for settled, count in counts.items() if settled.endswith(AFTER_OPENING))
    in_window, late = counts.get("completed_in_window", 0), counts.get("completed_late", 0)
    missed, partial, declined = (counts.get(name, 0) for name in ("missed", "partial", "declined"))
    due = in_window + late + missed + partial + declined + left
    return ComplianceRow(
        code=code,
        due=due,
        completed_in_window=in_window,
        late=late,
        missed=missed,
        missed_before_enrolment=counts.get("missed_before_enrolment", 0),
        partial=partial,
        declined=declined,
        rate_in_window=round(in_window / due, 4) if due else None,
        rate_any=round((in_window + late) / due, 4) if due else None,
    )


def left_during(row: ComplianceRow) -> int:
    """Windows that were due of participants who died or withdrew while they were open."""
    named = row["completed_in_window"] + row["late"] + row["missed"] + row["partial"] + row["declined"]
    return row["due"] - named


class EscalationRow(TypedDict):
    """One escalation, for JSON."""

    id: int
    participant: str | None
    window: str | None
    level: str
    raised_at: str | None
    due_at: str | None
    acknowledged_at: str | None
    resolved_at: str | None
    outcome: str | None


def escalations(
    session: Session,
    study_id: int,
    sites: Sites = None,
    *,
    open_only: bool = False,
    participant_id: int | None = None,
) -> list[EscalationRow]:
    """Escalations of a study in the order they were raised; one query."""
    e = schema.escalations.c
    statement: Select[Any] = (
        select(schema.escalations, participants.c.code.label("participant"), windows.c.code.label("window"))
        .outerjoin(participants, participants.c.id == e.participant_id)
        .outerjoin(windows, windows.c.id == e.window_id)
        .where(e.study_id == study_id)
        .order_by(e.id)
    )
    if sites is not None:
        statement = statement.where(e.site_id.in_(sites))
    if open_only:
        statement = statement.where(e.resolved_at.is_(None))
    if participant_id is not None:
        statement = statement.where(e.participant_id == participant_id)
    return [_escalation(row) for row in session.execute(statement)]


def _escalation(row: Row[Any]) -> EscalationRow:
    return EscalationRow(
        id=row.id,
        participant=row.participant,
        window=row.window,
        level=row.level,
        raised_at=instant(row.raised_at),
        due_at=instant(row.due_at),
        acknowledged_at=instant(row.acknowledged_at),
        resolved_at=instant(row.resolved_at),
        outcome=row.outcome,
    )


def participant_status(case: Case, now: datetime) -> ParticipantStatus:
    """What a participant is at `now`; the first that fits, from what cannot change to what can."""
    person: Participant = case.participant
    if person.died_at is not None:
        return "died"
    if person.withdrawn_at is not None:
        return "withdrawn"
    if person.confirmed_at is None:
        return "planned"
    current = case.current
    if current and all(window.span.closes_at <= now for window in current):
        return "finished"
    if person.opted_out_at is not None:
        return "opted_out"
    if person.paused_at is not None and (person.paused_until is None or person.paused_until > now):
        return "paused"
    return "active"


def at_risk(case: Case, window: WindowFacts, state: str, now: datetime) -> bool:
    """Whether little time is left to save an open window: 48 hours or less, and the deciding item unanswered."""
    running = window.span.opens_at <= now < window.span.closes_at
    return (
        running
        and state in ("open", "partial")
        and window.point.prompted
        and window.span.closes_at - now <= AT_RISK
        and primary_open(case, window)
    )


def loaded_by_code(session: Session, loader: Loader, study_id: int, code: str, sites: Sites = None) -> Loaded | None:
    """The participant with this code, whole, without taking its row; None if there is none one may see."""
    p = participants.c
    found = session.scalar(select(p.id).where(p.study_id == study_id, p.code == code))
    if found is None:
        return None
    loaded = loader.one(session, found, lock=False)
    return loaded if sites is None or loaded.site_id in sites else None


_NEWEST = (
    select(protocol_versions.c.id)
    .where(protocol_versions.c.study_id == bindparam("study"))
    .order_by(protocol_versions.c.number.desc())
    .limit(1)
)
_HEARTBEAT = select(heartbeats.c.at).where(heartbeats.c.name == bindparam("name"))
