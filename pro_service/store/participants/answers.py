"""Answers as they are stored, for comparison with the audit trail."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from pro_service.store.schema import audit_trail, responses

r, a = responses.c, audit_trail.c
PAGE = 1_000
IMPORTED = "import"
"""The source of answers that came with an enrolment: the trail holds them in the enrolment's row alone."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One version of one answer."""

    participant_id: int
    item: str
    version: int
    said: int | str | None
    """The value; `declined`; None for an answer that was taken away."""


def by_id(session: Session, ids: Sequence[int]) -> dict[int, Answer]:
    """Return row id -> answer, for those that exist."""
    found: dict[int, Answer] = {}
    statement = select(r.id, r.participant_id, r.item, r.version, r.value, r.declined)
    for first in range(0, len(ids), PAGE):
        for row in session.execute(statement.where(r.id.in_(ids[first : first + PAGE]))):
            said = "declined" if row.declined else row.value
            found[row.id] = Answer(row.participant_id, row.item, row.version, said)
    return found


def imported(session: Session, participant_ids: Sequence[int]) -> dict[int, dict[tuple[int, str], int | None]]:
    """Return participant's row id -> (row id, item) -> value, of answers that came with an enrolment."""
    found: dict[int, dict[tuple[int, str], int | None]] = {}
    statement = select(r.id, r.participant_id, r.item, r.value).where(r.source == IMPORTED)
    for first in range(0, len(participant_ids), PAGE):
        wanted = r.participant_id.in_(participant_ids[first : first + PAGE])
        for row in session.execute(statement.where(wanted)):
            found.setdefault(row.participant_id, {})[row.id, row.item] = row.value
    return found


def count(session: Session) -> int:
    """Return how many versions of answers there are."""
    return session.scalar(select(func.count()).select_from(responses)) or 0


def untold(session: Session) -> Iterator[tuple[int, int]]:
    """Return (row id, participant's row id) of answers that no row of the trail tells of."""
    told = exists().where(
        a.participant_id == r.participant_id, a.entity == "response", a.action == "answer", a.entity_id == r.id
    )
    for row in session.execute(select(r.id, r.participant_id).where(r.source != IMPORTED, ~told).order_by(r.id)):
        yield row.id, row.participant_id
