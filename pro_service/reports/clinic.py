"""What can be entered in the clinic now: open windows about which no text is sent. No answer is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from pro_service.store.schema import participants, windows
from pro_service.store.schema import sites as sites_table
from pro_service.store.session import Session
from pro_service.store.studies import Sites

p, w = participants.c, windows.c
MOST = 200


@dataclass(frozen=True, slots=True)
class Visit:
    """One window of one participant that is open now."""

    participant: str
    window: str
    site: str
    closes_at: datetime


def visits(session: Session, study_id: int, codes: Sequence[str], now: datetime, sites: Sites) -> tuple[Visit, ...]:
    """Return up to `MOST` open windows of these time points, the one that closes first on top."""
    statement = (
        select(p.code, w.code.label("window"), sites_table.c.code, w.closes_at)
        .join(participants, p.id == w.participant_id)
        .join(sites_table, sites_table.c.id == p.site_id)
        .where(
            w.study_id == study_id,
            w.settled.is_(None),
            w.cancelled_at.is_(None),
            w.code.in_(codes),
            w.opens_at <= now,
            w.closes_at > now,
            p.withdrawn_at.is_(None),
            p.died_at.is_(None),
        )
        .order_by(w.closes_at, p.code)
        .limit(MOST)
    )
    if sites is not None:
        statement = statement.where(p.site_id.in_(sites))
    return tuple(Visit(*row) for row in session.execute(statement))
