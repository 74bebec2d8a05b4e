"""Today: which windows can still be saved, other open tasks, how the windows stand, and whether the scheduler runs."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, Row, false, or_, select

from pro_service.core.case import Part
from pro_service.core.protocol import LevelCode, Protocol, Site, TimePoint
from pro_service.core.schedule.causes import SPOKEN_TO
from pro_service.reports import statements
from pro_service.reports.compliance import ComplianceRow, compliance
from pro_service.reports.statements import LEVELS
from pro_service.store import heartbeats
from pro_service.store.participants.cases import Loader
from pro_service.store.schema import escalations
from pro_service.store.session import Session
from pro_service.store.studies import Sites

SAFETY: LevelCode = "ES"
UNSETTLED = 200
"""How many participants' windows are judged for the rates while a scheduler that stood still catches up."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that was tried: a text (`kind`, its state) or a call (`call`, its outcome)."""

    kind: str
    result: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Task:
    """One open escalation, with what a person needs to know before they take it up."""

    id: int
    level: LevelCode
    reason: str
    participant: str | None
    site: Site | None
    point: TimePoint | None
    opens_at: datetime | None
    closes_at: datetime | None
    raised_at: datetime
    due_at: datetime
    save_by: datetime | None
    look_again_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    attempts: tuple[Attempt, ...] = ()
    revision: int | None = None
    """Of the participant."""
    handed_at: datetime | None = None
    handed_to: str | None = None
    handed_by: str | None = None
    """The colleagues who handed it over and have it now; None if nobody handed it over."""
    asked_at: datetime | None = None
    """When the participant last asked for this call."""
    part_of_day: Part | None = None

    @property
    def is_missed_window(self) -> bool:
        """Whether it asks why a window was missed: it still does one rung up, for nobody has said so."""
        return self.level == "E3" or (self.level, self.reason) == ("E4", "missed")

    @property
    def wish(self) -> Part | Literal["any"] | None:
        """Return the part of the day in which they ask to be called; None if they do not, or were spoken to since."""
        spoken_to = any(
            one.kind == "call" and one.result in SPOKEN_TO and self.asked_at is not None and one.at > self.asked_at
            for one in self.attempts
        )
        return None if self.asked_at is None or spoken_to else self.part_of_day or "any"


@dataclass(frozen=True, slots=True)
class Today:
    """What the first page shows, at one instant."""

    now: datetime
    heartbeat: datetime | None
    mine: tuple[Task, ...]
    """What colleagues handed to the reader; not listed again below."""
    queue: tuple[Task, ...]
    """Open calls that can still save a window, least time left first; those put off until later come last."""
    queue_count: int
    tasks: tuple[Task, ...]
    """Everything else that is open: safety first, then by level, by when it is due."""
    counts: dict[LevelCode, int]
    """Open escalations per level, up to TASKS_CAP."""
    rates: list[ComplianceRow]
    open_windows: int
    """Up to CAP."""
    cards_to_print: int
    cards_to_hand: int
    """Printed, and nobody says that they were handed over; both up to TASKS_CAP."""
    cards_to_renew: int
    """Of an earlier release, with a short code; up to TASKS_CAP."""
    next_opening: tuple[datetime, str, Site] | None
    """(when, participant, site) of a window that opens next; looked up only when nobody is to be called."""


@dataclass(frozen=True, slots=True)
class Worklist:
    """Open tasks that the ladder gives to roles of the reader's: safety first, then the longest due."""

    tasks: tuple[Task, ...]
    more: bool
    """Whether more wait than are shown at once."""


Share: TypeAlias = tuple[frozenset[LevelCode], Sites]
"""What one role makes the reader's: levels of the ladder, and the sites where it holds (None: all of the study)."""


def today(
    session: Session, loader: Loader, study_id: int, now: datetime, sites: Sites = None, *, reader: int | None = None
) -> Today:
    """Return the first page for a `reader` (id of a user) at `now`; a fixed number of statements."""
    given = statements.parameters(study_id, sites) | {"now": now}
    limited = sites is not None
    parts: dict[str, list[int]] = {"saving": [], "rest": [], "mine": []}
    for part, task_id in session.execute(statements.first_page_tasks(limited=limited), given | {"reader": reader}):
        parts[part].append(task_id)
    found = {task.id: task for task in _tasks(session, loader, {key for ids in parts.values() for key in ids})}
    mine = parts["mine"]
    in_queue, open_windows, to_print, to_hand, to_renew, *by_level = session.execute(
        statements.counts(limited=limited), given
    ).one()
    return Today(
        now=now,
        heartbeat=heartbeats.last(session, "tick"),
        mine=tuple(sorted((found[key] for key in mine), key=lambda task: (_until(task), task.id))),
        queue=tuple(
            sorted(
                (found[key] for key in parts["saving"] if key not in mine),
                key=lambda task: (_put_off(task, now), _until(task)),
            )
        ),
        queue_count=in_queue,
        tasks=tuple(
            sorted((found[key] for key in parts["rest"] if key not in mine), key=lambda task: _turn(task, now))
        ),
        counts=dict(zip(LEVELS, by_level, strict=True)),
        rates=compliance(session, loader, study_id, now, sites, cap=UNSETTLED),
        open_windows=open_windows,
        cards_to_print=to_print,
        cards_to_hand=to_hand,
        cards_to_renew=to_renew,
        next_opening=None if parts["saving"] else _next_opening(session, loader, given, limited=limited),
    )


def _until(task: Task) -> datetime:
    return task.save_by or task.due_at


def _turn(task: Task, now: datetime) -> tuple[bool, int, datetime]:
    """Return the sort key: safety first, then by level, by due date; what is put off until later comes last."""
    return _put_off(task, now), LEVELS.index(task.level), task.due_at


def _put_off(task: Task, now: datetime) -> bool:
    return task.look_again_at is not None and task.look_again_at > now


def task(session: Session, loader: Loader, study_id: int, escalation_id: int, sites: Sites = None) -> Task | None:
    """Return one escalation, open or not; None if there is none that may be seen."""
    e = escalations.c
    statement = select(e.id).where(e.id == escalation_id, e.study_id == study_id)
    if sites is not None:
        statement = statement.where(e.site_id.in_(sites))
    found = _tasks(session, loader, session.scalars(statement).all())
    return found[0] if found else None


def worklist(
    session: Session, loader: Loader, study_id: int, shares: Sequence[Share], *, wanted: int | None = None
) -> Worklist:
    """Return what waits for somebody with these shares of the ladder.

    A `wanted` task is included where it waits for them, however many others fell due before it.
    """
    ids = open_tasks(session.connection(), study_id, shares)
    shown = list(ids[: statements.WORKLIST])
    if wanted is not None and wanted not in shown:
        shown += _waiting(session, study_id, shares, wanted)
    tasks = sorted(_tasks(session, loader, shown), key=lambda task: (task.level != SAFETY, task.due_at, task.id))
    return Worklist(tuple(tasks), more=len(ids) > statements.WORKLIST)


def open_tasks(connection: Connection, study_id: int, shares: Sequence[Share]) -> Sequence[int]:
    """Return ids of the open tasks that wait for somebody with these shares: safety first, then the longest due.

    Of each level at most TASKS_CAP.
    """
    found: dict[int, tuple[bool, datetime, int]] = {}
    for levels, sites in shares:
        if levels:
            given = statements.parameters(study_id, sites)
            for row in connection.execute(statements.worklist(levels, limited=sites is not None), given):
                found[row.id] = (row.level != SAFETY, row.due_at, row.id)
    return sorted(found, key=found.__getitem__)


def count_open(connection: Connection, study_id: int, share: Share) -> int:
    """Return how many open tasks wait for somebody with this share, up to TASKS_CAP."""
    levels, sites = share
    statement = statements.worklist_count(levels, limited=sites is not None)
    return connection.scalar(statement, statements.parameters(study_id, sites)) or 0


def _waiting(session: Session, study_id: int, shares: Sequence[Share], task_id: int) -> Sequence[int]:
    """Return this one task's id, if it is open and waits for somebody with these shares."""
    e = escalations.c
    theirs = (
        e.level.in_(levels) if sites is None else e.level.in_(levels) & e.site_id.in_(sites) for levels, sites in shares
    )
    statement = select(e.id).where(e.id == task_id, e.study_id == study_id, e.resolved_at.is_(None))
    return session.scalars(statement.where(e.participant_id.is_not(None), or_(false(), *theirs))).all()


def _tasks(session: Session, loader: Loader, ids: Collection[int]) -> list[Task]:
    rows = session.execute(statements.tasks(), {"ids": list(ids)}).all() if ids else []
    tried = _attempts(session, rows)
    return [_task(session, loader, row, tuple(tried[row.window_id])) for row in rows]


def _task(session: Session, loader: Loader, row: Row[Any], attempts: tuple[Attempt, ...]) -> Task:
    protocol: Protocol | None = None
    if row.protocol_version_id is not None:
        protocol = loader.protocol_of(session, row.protocol_version_id)
    return Task(
        id=row.id,
        level=row.level,
        reason=row.reason,
        participant=row.participant,
        site=None if protocol is None else protocol.sites.get(row.site),
        point=None if protocol is None else next((p for p in protocol.time_points if p.code == row.window), None),
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        raised_at=row.raised_at,
        due_at=row.due_at,
        save_by=row.save_by,
        look_again_at=row.look_again_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.who,
        attempts=attempts,
        revision=row.revision,
        handed_at=row.handed_at,
        handed_to=row.receiver,
        handed_by=row.giver,
        asked_at=row.asked_at,
        part_of_day=row.part_of_day,
    )


def _attempts(session: Session, rows: Sequence[Row[Any]]) -> dict[int | None, list[Attempt]]:
    """Return texts and calls about these escalations' windows, oldest first."""
    tried: dict[int | None, list[Attempt]] = defaultdict(list)
    about = [row for row in rows if row.window_id is not None]
    if not about:
        return tried
    given = {
        "window_ids": [row.window_id for row in about],
        "participant_ids": [row.participant_id for row in about],
    }
    for window_id, kind, state, at in session.execute(statements.texts(), given):
        tried[window_id].append(Attempt(kind, state, at))
    for window_id, outcome, at in session.execute(statements.calls_made(), given):
        tried[window_id].append(Attempt("call", outcome, at))
    for attempts in tried.values():
        attempts.sort(key=lambda attempt: attempt.at)
    return tried


def _next_opening(
    session: Session, loader: Loader, given: dict[str, Any], *, limited: bool
) -> tuple[datetime, str, Site] | None:
    row = session.execute(statements.next_opening(limited=limited), given).first()
    if row is None:
        return None
    return row.opens_at, row.code, loader.protocol_of(session, row.protocol_version_id).sites[row.site]
