"""What a digest mail lists for one user: their open tasks, and how many texts wait for them."""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, SelectBase, bindparam, or_, select, union_all

from pro_service.core.protocol import LevelCode, Protocol
from pro_service.core.schedule.digest import CALLS, LISTED, Task
from pro_service.reports import statements
from pro_service.store import studies
from pro_service.store.participants.cases import Loader, zone_of
from pro_service.store.schema import escalations, protocol_versions
from pro_service.store.session import Session
from pro_service.store.studies import Sites

e, v = escalations.c, protocol_versions.c

Span: TypeAlias = tuple[datetime, datetime]
"""From now until the end of the working day."""


def tasks(
    session: Session, loader: Loader, study_id: int, levels: Collection[LevelCode], sites: Sites, span: Span
) -> list[Task]:
    """Return open escalations of these levels and sites: calls with the least time left, and the first of each level.

    Tasks that are put off beyond the end of the span are left out.
    """
    if not levels:
        return []
    limited, (now, until) = sites is not None, span
    given = statements.parameters(study_id, sites) | {"now": now, "until": until}
    ids = set(session.scalars(_open(tuple(sorted(levels)), limited=limited), given))
    if CALLS & set(levels):
        ids |= set(session.scalars(statements.queue(limited=limited, limit=LISTED + 1), given))
    rows = session.execute(statements.tasks(), {"ids": sorted(ids)}).all() if ids else []
    rows = [row for row in rows if row.level in levels and (row.look_again_at is None or row.look_again_at < until)]
    study = studies.study_code(session, study_id)
    newest = studies.newest_protocol(session, loader, study_id)
    return [_task(session, loader, row, study, newest) for row in rows]


def cards_to_print(session: Session, study_id: int, sites: Sites, now: datetime) -> int:
    """Return how many cards are to be printed at these sites, up to TASKS_CAP."""
    due = statements.cards_due(limited=sites is not None, made=False, limit=statements.TASKS_CAP)
    return len(session.scalars(due, statements.parameters(study_id, sites) | {"now": now}).all())


def protocol_with(session: Session, loader: Loader, study_id: int, site: str) -> Protocol | None:
    """Return the newest protocol version of a study that has this site; None if none has."""
    for version_id in session.scalars(select(v.id).where(v.study_id == study_id).order_by(v.number.desc())):
        found = loader.protocol_of(session, version_id)
        if site in found.sites:
            return found
    return None


@lru_cache(maxsize=32)
def _open(levels: tuple[LevelCode, ...], *, limited: bool) -> Select[Any]:
    """Build the ids; one index range for each level, as on the first page."""
    until = bindparam("until", type_=e.due_at.type)
    parts: list[SelectBase] = []
    for level in levels:
        first = select(e.id).where(e.study_id == bindparam("study"), e.resolved_at.is_(None), e.level == level)
        first = first.where(or_(e.look_again_at.is_(None), e.look_again_at < until), ~statements.climbed(levels))
        if limited:
            first = first.where(e.site_id.in_(bindparam("sites", expanding=True)))
        parts.append(select(first.order_by(e.due_at).limit(LISTED + 1).subquery()))
    return select(union_all(*parts).subquery().c.id)


def _task(session: Session, loader: Loader, row: Row[Any], study: str, newest: Protocol | None) -> Task:
    protocol = newest if row.protocol_version_id is None else loader.protocol_of(session, row.protocol_version_id)
    return Task(
        id=row.id,
        study=study,
        participant=row.participant,
        window=row.window,
        level=row.level,
        due_at=row.due_at,
        save_by=row.save_by,
        zone=_zone(row.site, (protocol, newest)),
        reason=row.reason,
    )


def _zone(site: str | None, protocols: Iterable[Protocol | None]) -> ZoneInfo:
    for protocol in protocols:
        if protocol is not None and protocol.sites:
            known = protocol.sites.get(site or "") or (None if site else next(iter(protocol.sites.values())))
            if known is not None:
                return zone_of(known.zone)
    return zone_of("UTC")
