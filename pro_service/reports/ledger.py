"""The ledger of a study: every text with its step and outcome, every reply, call and answer, row by row.

One query for each table, oldest first. Words are read only by the functions named for them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select

from pro_service.core.protocol import LevelCode
from pro_service.core.providers import WayOut
from pro_service.store.messages import inbox
from pro_service.store.schema import (
    IS_TEXT,
    calls,
    escalations,
    inbound,
    messages,
    participants,
    responses,
    sites,
    windows,
)
from pro_service.store.session import Session
from pro_service.store.vault import Vault, opened

m, p, w, i = messages.c, participants.c, windows.c, inbound.c


@dataclass(frozen=True, slots=True)
class TextFacts:
    """What a text to a participant is about."""

    kind: str
    frame: str
    item: str | None
    window: str | None
    closes_at: datetime | None
    way: WayOut = "sms"


@dataclass(frozen=True, slots=True)
class OpenTask:
    """An open escalation, with what decides when it is worked on."""

    id: int
    level: LevelCode
    reason: str
    participant: str | None
    window: str | None
    closes_at: datetime | None
    save_by: datetime | None
    due_at: datetime
    look_again_at: datetime | None


def text_facts(session: Session, message_id: int) -> TextFacts:
    """Return what this text is about; raise NoResultFound if there is none."""
    statement = (
        select(m.kind, m.frame, m.item, w.code, w.closes_at, m.channel)
        .outerjoin(windows, w.id == m.window_id)
        .where(m.id == message_id)
    )
    return TextFacts(*session.execute(statement).one())


def texts(session: Session, study_id: int) -> list[Row[Any]]:
    """Return every text to a participant and mail to staff of a study."""
    statement = (
        select(
            m.id,
            m.kind,
            m.frame,
            m.channel.label("way"),
            m.state,
            m.segments,
            m.queued_at,
            m.accepted_at,
            m.ended_at,
            m.window_id,
            m.participant_id,
            p.code.label("participant"),
            p.language,
            p.channel,
            p.zone,
            w.code.label("window"),
        )
        .outerjoin(participants, p.id == m.participant_id)
        .outerjoin(windows, w.id == m.window_id)
        .where(m.study_id == study_id)
        .order_by(m.queued_at, m.id)
    )
    return list(session.execute(statement))


def first_answers(session: Session, study_id: int) -> list[Row[Any]]:
    """Return the first version of every item's answer, with how and when it came."""
    r = responses.c
    statement = (
        select(r.window_id, r.item, r.source, r.received_at, r.in_window, r.participant_id)
        .where(r.study_id == study_id, r.version == 1, r.window_id.is_not(None))
        .order_by(r.received_at, r.id)
    )
    return list(session.execute(statement))


def calls_made(session: Session, study_id: int) -> list[Row[Any]]:
    """Return every telephone call."""
    c = calls.c
    statement = (
        select(
            c.id,
            c.called_at,
            c.outcome,
            c.participant_id,
            p.code.label("participant"),
            sites.c.code.label("site"),
            w.code.label("window"),
        )
        .join(participants, p.id == c.participant_id)
        .join(sites, sites.c.id == p.site_id)
        .outerjoin(windows, w.id == c.window_id)
        .where(c.study_id == study_id)
        .order_by(c.called_at, c.id)
    )
    return list(session.execute(statement))


def tasks(session: Session, study_id: int) -> list[Row[Any]]:
    """Return every escalation with its site and who ended it."""
    e = escalations.c
    statement = (
        select(
            e.id,
            e.level,
            e.reason,
            e.raised_at,
            e.due_at,
            e.acknowledged_at,
            e.resolved_at,
            e.resolved_by,
            e.outcome,
            sites.c.code.label("site"),
            p.code.label("participant"),
            w.code.label("window"),
        )
        .outerjoin(participants, p.id == e.participant_id)
        .outerjoin(sites, sites.c.id == e.site_id)
        .outerjoin(windows, w.id == e.window_id)
        .where(e.study_id == study_id)
        .order_by(e.raised_at, e.id)
    )
    return list(session.execute(statement))


def replies(session: Session, study_id: int) -> int:
    """Return how many texts participants wrote."""
    return session.scalar(select(func.count()).select_from(inbound).where(i.study_id == study_id)) or 0


def open_tasks(session: Session, study_id: int, site_id: int) -> list[OpenTask]:
    """Return every open task of a site, by due date."""
    e = escalations.c
    statement = (
        select(
            e.id,
            e.level,
            e.reason,
            p.code,
            w.code.label("window"),
            w.closes_at,
            e.save_by,
            e.due_at,
            e.look_again_at,
        )
        .outerjoin(participants, p.id == e.participant_id)
        .outerjoin(windows, w.id == e.window_id)
        .where(e.study_id == study_id, e.site_id == site_id, e.resolved_at.is_(None))
        .order_by(e.due_at, e.id)
    )
    return [OpenTask(*row) for row in session.execute(statement)]


def words_sent(session: Session, vault: Vault, participant_id: int) -> list[tuple[datetime, str, str, int, str]]:
    """Return what was sent to a participant: (when, frame, words, segments, state)."""
    statement = (
        select(m.id, m.accepted_at, m.frame, m.body, m.segments, m.state, p.data_key)
        .join(participants, p.id == m.participant_id)
        .where(m.participant_id == participant_id, IS_TEXT, m.accepted_at.is_not(None))
        .order_by(m.accepted_at, m.id)
    )
    found = []
    for row in session.execute(statement):
        key = vault.data_key(row.data_key, participant_id)
        words = opened(key, row.body, f"messages|body|{row.id}").decode()
        found.append((row.accepted_at, row.frame, words, row.segments, row.state))
    return found


def words_received(session: Session, vault: Vault, participant_id: int) -> list[tuple[datetime, str, str]]:
    """Return what a participant wrote: (when, words, how it was read)."""
    statement = inbox.TEXTS.where(i.participant_id == participant_id).order_by(i.received_at, i.id)
    rows = session.execute(statement).all()
    return [(row.received_at, inbox.said(vault, row).body, row.reading or "") for row in rows]


def everybody(session: Session, study_id: int) -> list[int]:
    """Return the ids of all participants, by their codes."""
    return list(session.scalars(select(p.id).where(p.study_id == study_id).order_by(p.code)))
