"""One participant for the coordinators' page: windows and their reasons, calls, masked changes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from pro_service.core.case import Case, WindowFacts
from pro_service.core.schedule.status import ParticipantStatus, at_risk, participant_status, status
from pro_service.reports.story import Moved, explain_window
from pro_service.store.participants import schedules, typed_reasons
from pro_service.store.participants.cases import Loaded, Loader, load_by_code
from pro_service.store.participants.schedules import ScheduleChange
from pro_service.store.schema import audit_trail, calls, users, windows
from pro_service.store.session import Session
from pro_service.store.studies import Sites
from pro_service.store.vault import Vault

CHANGES = 100
SHOWN = frozenset(
    {
        "kind",
        "frame",
        "window",
        "item",
        "state",
        "level",
        "reason",
        "outcome",
        "due_at",
        "version",
        "settled",
        "confirmed_at",
        "consented_at",
        "opted_out_at",
        "paused_at",
        "paused_until",
        "withdrawn_at",
        "erased_at",
        "died_at",
        "procedure_date",
        "texts_held_until",
        "snoozed_until",
        "unreachable_at",
        "email_consented_at",
        "email_unreachable_at",
        "whatsapp_consented_at",
        "whatsapp_unreachable_at",
        "card_made_at",
        "card_handed_at",
        "channel",
        "channel_2",
        "channel_3",
        "language",
        "missing_reason",
        "acknowledged_at",
        "look_again_at",
        "part_of_day",
        "schedule",
        "site",
        "code",
        "zone",
        "procedure_end",
        "page",
    }
)
"""Fields of the audit trail whose values a coordinator may read; of every other field only that it changed."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the audit trail, as a coordinator may read it."""

    at: datetime
    actor_kind: str
    actor: str
    action: str
    entity: str
    entity_id: int | None
    fields: tuple[tuple[str, object, object], ...]
    """(field, old, new); values that are not for coordinators are "•••"."""
    reason: str | None


@dataclass(frozen=True, slots=True)
class ParticipantView:
    """What the participant's page shows of the case; what happened is in `events`."""

    loaded: Loaded
    status: ParticipantStatus
    windows: tuple["WindowView", ...]


@dataclass(frozen=True, slots=True)
class WindowView:
    """One window with its status and the reasons for its dates (name -> value)."""

    facts: WindowFacts
    status: str
    at_risk: bool
    why: dict[str, str]
    moved: tuple[Moved, ...] = ()
    """Each time it was rescheduled, oldest first."""


def participant_view(
    session: Session, vault: Vault, loader: Loader, study_id: int, code: str, now: datetime, sites: Sites = None
) -> ParticipantView | None:
    """Return one participant for the page; None if there is none with this code that may be seen."""
    loaded = load_by_code(session, loader, study_id, code, sites)
    if loaded is None:
        return None
    case = loaded.case
    history = schedules.history(session, vault, case.participant.id)
    return ParticipantView(
        loaded=loaded,
        status=participant_status(case, now),
        windows=tuple(_view(case, window, now, history) for window in case.windows),
    )


def _view(case: Case, window: WindowFacts, now: datetime, history: Sequence[ScheduleChange]) -> WindowView:
    found = explain_window(case, window, history)
    state = status(window, case.participant, case.protocol.primary(window.point), now)
    return WindowView(
        facts=window,
        status=state,
        at_risk=at_risk(case, window, state, now),
        why=found.facts,
        moved=found.moved,
    )


def call_rows(session: Session, participant_id: int, window_id: int | None = None) -> list[Row[Any]]:
    """Return the calls to one participant, newest first, with who called; notes stay encrypted."""
    c = calls.c
    statement = (
        select(
            c.id,
            c.called_at,
            c.outcome,
            c.call_back_at,
            c.note,
            c.window_id,
            windows.c.code.label("window"),
            users.c.email.label("who"),
        )
        .outerjoin(windows, windows.c.id == c.window_id)
        .join(users, users.c.id == c.user_id)
        .where(c.participant_id == participant_id)
        .order_by(c.called_at.desc(), c.id.desc())
    )
    if window_id is not None:
        statement = statement.where(c.window_id == window_id)
    return list(session.execute(statement))


def changes(session: Session, vault: Vault, participant_id: int, since: datetime | None = None) -> list[Change]:
    """Return the newest changes about one participant, newest first, masked for coordinators."""
    a = audit_trail.c
    # A look changes nothing.
    of = (a.participant_id == participant_id) & (a.entity != "page")
    statement = select(audit_trail).where(of).order_by(a.id.desc()).limit(CHANGES)
    if since is not None:
        statement = statement.where(a.at > since)
    rows = session.execute(statement).all()
    known = typed_reasons.known(session, vault, (row.reason for row in rows))
    return [
        Change(
            at=row.at,
            actor_kind=row.actor_kind,
            actor=row.actor,
            action=row.action,
            entity=row.entity,
            entity_id=row.entity_id,
            fields=tuple(_masked(name, old, new) for name, (old, new) in json.loads(row.changes).items()),
            reason=known.get(row.reason, row.reason),
        )
        for row in rows
    ]


def _masked(name: str, old: object, new: object) -> tuple[str, object, object]:
    if name in SHOWN:
        return name, old, new
    return name, None if old is None else "•••", None if new is None else "•••"
