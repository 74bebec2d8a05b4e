"""Escalations of a study, ready for JSON: every task there is or was."""

from typing import Any, TypedDict

from sqlalchemy import Row, Select, select

from pro_service.core.iso8601 import instant_text
from pro_service.store import schema
from pro_service.store.schema import participants, windows
from pro_service.store.session import Session
from pro_service.store.studies import Sites


class EscalationRow(TypedDict):
    """One escalation; instants are UTC ISO 8601 texts."""

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
    """Return the escalations of a study in the order they were raised; one query.

    `sites` are ids of sites, None = every site; with `participant_id` only those about this participant.
    """
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
        raised_at=instant_text(row.raised_at),
        due_at=instant_text(row.due_at),
        acknowledged_at=instant_text(row.acknowledged_at),
        resolved_at=instant_text(row.resolved_at),
        outcome=row.outcome,
    )
