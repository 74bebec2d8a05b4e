"""The audit trail as each role may read it: filtered, in pages, with values masked that the role may not see."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, false, func, or_, select

from pro_service.reports.participant import SHOWN, Change
from pro_service.store import audit
from pro_service.store.participants import typed_reasons
from pro_service.store.schema import audit_trail, participants
from pro_service.store.schema import sites as sites_table
from pro_service.store.session import Session
from pro_service.store.staff import members
from pro_service.store.studies import Sites
from pro_service.store.vault import UNREADABLE, Vault

a, p = audit_trail.c, participants.c
PAGE = 50
SYSTEM = ("user", "role", "login", "channel", "clock", "data_keys")
"""Entities that are of the installation, whatever study they name."""
ACCOUNT_FIELDS = frozenset(
    {
        "address_tried",
        "role",
        "site",
        "user",
        "sessions_ended",
        "second_factor",
        "mailed",
        "channel",
        "code",
        "approval",
        "digest",
        "mails_ended",
        "texts_ended",
        "hours",
        "cause",
    }
)
CODE = re.compile(r"[a-z][a-z0-9_.-]*")
"""What a reason looks like that a program gave; every other one was typed."""
APART = timedelta(hours=1)
"""By how much a row's id may be ahead of its instant: ids are taken at the start of a transaction."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Which rows of the trail somebody may read, and how much of each."""

    study_id: int | None
    """The study looked at; None: none of any."""
    sites: Sites
    """None = the whole study; else only rows about participants of these sites."""
    system: bool
    """Rows of the installation itself: accounts, roles, logins."""
    values: bool
    free_text: bool


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """What to search for; None = anything. Instants: from inclusive, to exclusive."""

    actor: str | None = None
    action: str | None = None
    participant_id: int | None = None
    begin: datetime | None = None
    end: datetime | None = None
    before: int | None = None
    """Only rows with a lower id: the next page."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the trail, as far as it may be read."""

    id: int
    change: Change
    who: str
    participant: str | None
    site: str | None
    """The participant's."""
    on_behalf_of: str | None
    source: str
    genuine: bool = True
    """Whether its HMAC fits what it says."""


def page(
    session: Session, reach: Reach, asked: AuditQuery, vault: Vault, size: int = PAGE
) -> tuple[tuple[Line, ...], int | None]:
    """Return up to `size` rows, newest first, and the id to go on from, or None."""
    statement = (
        select(audit_trail, p.code.label("participant_code"), sites_table.c.code.label("site_code"))
        .outerjoin(participants, p.id == a.participant_id)
        .outerjoin(sites_table, sites_table.c.id == p.site_id)
    )
    statement = statement.where(_reached(reach), *_filters(session, asked)).order_by(a.id.desc()).limit(size + 1)
    rows = session.execute(statement).all()
    ids = {int(row.actor[5:]) for row in rows if re.fullmatch(r"user:\d{1,18}", row.actor)}
    names = {f"user:{key}": email for key, email in members.emails(session, ids).items()}
    reasons = typed_reasons.known(session, vault, (row.reason for row in rows[:size]))
    lines = tuple(
        replace(_line(row, reach, names, reasons), genuine=audit.is_genuine(_said(row), vault)) for row in rows[:size]
    )
    return lines, lines[-1].id if len(rows) > size else None


def actions(session: Session, reach: Reach) -> tuple[str, ...]:
    """Return the actions among the newest rows that may be read, for a filter to offer."""
    newest = select(a.action).where(_reached(reach)).order_by(a.id.desc()).limit(2000).subquery()
    return tuple(session.scalars(select(newest.c.action).distinct().order_by(newest.c.action)))


def _said(row: Row[Any]) -> dict[str, Any]:
    """Return what a row of the trail itself says."""
    return {column.name: getattr(row, column.name) for column in audit_trail.c}


def _reached(reach: Reach) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = []
    if reach.study_id is not None and reach.sites is None:
        parts.append(a.study_id == reach.study_id)
    elif reach.study_id is not None:
        own = select(p.id).where(p.site_id.in_(reach.sites or ()))
        parts.append(and_(a.study_id == reach.study_id, a.participant_id.in_(own)))
    if reach.system:
        parts.append(and_(a.participant_id.is_(None), or_(a.study_id.is_(None), a.entity.in_(SYSTEM))))
    return or_(*parts) if parts else false()


def _filters(session: Session, asked: AuditQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.actor is not None:
        found.append(a.actor == asked.actor)
        if asked.actor.startswith("user:"):
            found.append(a.actor_kind == "staff")  # for which there is an index
    if asked.action is not None:
        found.append(a.action == asked.action)
    if asked.participant_id is not None:
        found.append(a.participant_id == asked.participant_id)
    if asked.begin is not None:
        found += [a.at >= asked.begin, a.id >= _first_after(session, asked.begin - APART)]
    if asked.end is not None:
        found += [a.at < asked.end, a.id <= _first_after(session, asked.end + APART)]
    if asked.before is not None:
        found.append(a.id < asked.before)
    return found


def _first_after(session: Session, moment: datetime) -> int:
    """Return about the first row since then.

    Found by halving: ids rise with time, so no index on time is needed.
    """
    low, high = session.execute(select(func.min(a.id), func.max(a.id))).one()
    if low is None:
        return 0
    while low < high:
        middle = (low + high) // 2
        probe = session.execute(select(a.id, a.at).where(a.id >= middle).order_by(a.id).limit(1)).one()
        if probe.at < moment:
            low = max(probe.id, middle) + 1
        else:
            high = middle
    return int(low)


def _line(row: Row[Any], reach: Reach, names: Mapping[str, str], reasons: Mapping[str | None, str]) -> Line:
    changes = json.loads(row.changes)
    change = Change(
        at=row.at,
        actor_kind=row.actor_kind,
        actor=row.actor,
        action=row.action,
        entity=row.entity,
        entity_id=row.entity_id,
        fields=tuple(_field(name, old, new, row.entity, reach) for name, (old, new) in changes.items()),
        reason=_typed(reasons[row.reason], reach) if row.reason in reasons else _reason(row.reason, reach),
    )
    who = names.get(row.actor, row.actor)
    return Line(row.id, change, who, row.participant_code, row.site_code, row.on_behalf_of, row.source)


def _field(name: str, old: object, new: object, entity: str, reach: Reach) -> tuple[str, object, object]:
    if reach.values or name in SHOWN or (entity in SYSTEM and name in ACCOUNT_FIELDS):
        return name, old, new
    return name, None if old is None else "•••", None if new is None else "•••"


def _typed(words: str, reach: Reach) -> str:
    return words if reach.free_text else UNREADABLE


def _reason(reason: str | None, reach: Reach) -> str | None:
    """Return a reason; typed words may unblind and are masked, codes are not."""
    return reason if reason is None or reach.free_text or CODE.fullmatch(reason) else "•••"
