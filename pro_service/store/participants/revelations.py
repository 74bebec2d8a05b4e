"""The log of revealed treatments: when, of which participant, where, who noted it. What was said is never in it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Select, func, select

from pro_service.store.participants.cases import Loaded
from pro_service.store.participants.writer import Writer
from pro_service.store.schema import inbound, participants, revelations, sites, users
from pro_service.store.session import Session

v, p, i = revelations.c, participants.c, inbound.c
Source = Literal["text", "call", "visit", "other"]
TOLD: tuple[Source, ...] = tuple(source for source in get_args(Source) if source != "text")
"""Where a person notes it; a text is marked in the inbox."""
PAGE = 50


@dataclass(frozen=True, slots=True)
class Revelation:
    """One line of the log."""

    id: int
    at: datetime
    participant: str | None
    """None: from a telephone that several use, or nobody has."""
    site: str | None
    source: Source
    who: str | None
    """E-mail; None for the command line."""


def note(writer: Writer, study_id: int, loaded: Loaded | None, source: Source, inbound_id: int | None = None) -> int:
    """Queue one line; return its row id. A text has one line, whatever happens."""
    return writer.add(
        revelations,
        {
            "study_id": study_id,
            "participant_id": None if loaded is None else loaded.case.participant.id,
            "inbound_id": inbound_id,
            "user_id": writer.actor.user_id,
            "at": writer.now,
            "source": source,
        },
    )


def list_revelations(
    session: Session, study_id: int, seen: Collection[int] | None, *, before: int | None = None, size: int = PAGE
) -> tuple[tuple[Revelation, ...], int | None]:
    """(up to `size` lines, newest first; the id to go on from, or None). Of some sites: what is of their people."""
    statement = _LINES.where(v.study_id == study_id).order_by(v.id.desc()).limit(size + 1)
    if seen is not None:
        statement = statement.where(p.site_id.in_(seen))
    if before is not None:
        statement = statement.where(v.id < before)
    lines = _lines(session, statement)
    return tuple(lines[:size]), lines[size - 1].id if len(lines) > size else None


def of_participant(session: Session, participant_id: int) -> Sequence[Revelation]:
    """What was noted of one participant, newest first."""
    return _lines(session, _LINES.where(p.id == participant_id).order_by(v.id.desc()))


def _lines(session: Session, statement: Select[Any]) -> list[Revelation]:
    return [Revelation(*row) for row in session.execute(statement)]


_LINES: Select[Any] = (
    select(v.id, v.at, p.code, sites.c.code.label("site"), v.source, users.c.email)
    .outerjoin(inbound, i.id == v.inbound_id)
    .outerjoin(participants, p.id == func.coalesce(v.participant_id, i.participant_id))
    .outerjoin(sites, sites.c.id == p.site_id)
    .outerjoin(users, users.c.id == v.user_id)
)
