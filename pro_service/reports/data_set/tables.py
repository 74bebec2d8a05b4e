"""Every table of a study's data set with its rows, and what the manifest says of where they come from."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from json import loads
from typing import Any, TypedDict

from sqlalchemy import select

from pro_service.core.iso8601 import instant_text
from pro_service.core.trail.seals import anchor_of
from pro_service.exports.data_tables import data_tables
from pro_service.exports.tables import Cell, Table
from pro_service.reports.data_set import answers, events, visits
from pro_service.reports.data_set.frame import Frame
from pro_service.store import seals
from pro_service.store.participants.cases import Loader
from pro_service.store.schema import audit_trail, protocol_versions, users
from pro_service.store.session import Session

Rows = Iterable[Sequence[Cell]]
v = protocol_versions.c


class VersionFacts(TypedDict):
    """A version of the study, as the manifest lists it."""

    number: int
    sha256: str
    loaded_at: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A version of the study as it is stored: canonical JSON."""

    facts: VersionFacts
    protocol: str
    wording: str
    file: str | None
    """The study file as it was loaded, where it was kept."""


def tables_with_rows(session: Session, loader: Loader, frame: Frame) -> Iterator[tuple[Table, Rows]]:
    """Yield each table with its rows, which are read while they are taken."""
    rows: dict[str, Callable[[], Rows]] = {
        "visits": lambda: visits.rows(session, loader, frame),
        "answers": lambda: answers.rows(session, frame),
        "participants": lambda: events.participant_rows(session, loader, frame),
        "messages": lambda: events.message_rows(session, frame),
        "calls": lambda: events.call_rows(session, frame),
        "tasks": lambda: events.task_rows(session, frame),
        "changes": lambda: events.change_rows(session, frame),
        "queries": lambda: events.query_rows(session, frame),
        "revelations": lambda: events.revelation_rows(session, frame),
    }
    for table in data_tables(frame.shape):
        yield table, rows[table.name]()


def versions(session: Session, frame: Frame) -> list[Stored]:
    """Return the versions that had been loaded by then, oldest first."""
    asked = select(v.number, v.sha256, v.loaded_at, v.protocol, v.wording, v.file).where(
        v.id.in_(sorted(frame.version_numbers))
    )
    return [
        Stored(
            VersionFacts(number=row.number, sha256=row.sha256, loaded_at=instant_text(row.loaded_at)),
            row.protocol,
            row.wording,
            row.file,
        )
        for row in session.execute(asked.order_by(v.number))
    ]


def taken_out(session: Session, study_id: int, most: int) -> list[tuple[datetime, str, dict[str, Any]]]:
    """Return (when, who, what the trail says) of the newest sets that were taken out."""
    a = audit_trail.c
    asked = (
        select(a.at, a.actor, a.changes)
        .where(a.study_id == study_id, a.entity == "study", a.action == "export")
        .order_by(a.id.desc())
        .limit(most)
    )
    rows = session.execute(asked).all()
    ids = {int(row.actor.partition(":")[2]) for row in rows if row.actor.startswith("user:")}
    named = session.execute(select(users.c.id, users.c.email).where(users.c.id.in_(ids)))
    by = {f"user:{row.id}": row.email for row in named}
    return [(row.at, by.get(row.actor, row.actor), loads(row.changes)) for row in rows]


def seal_by(session: Session, moment: datetime) -> str | None:
    """Return number and hash of the newest seal of the audit trail that was made by then; None if there was none."""
    header = seals.newest_by(session, moment)
    return None if header is None else str(anchor_of(header))
