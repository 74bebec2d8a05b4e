"""Queries: questions that data managers and monitors ask a site about one value or one visit of a participant.

A row holds instants, each set once, and no state: what stood at an earlier instant is read off them. The words are
sealed as typed reasons are, and go with the participant's key.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias

from sqlalchemy import Connection, Select, bindparam, exists, func, or_, select, update

from pro_service.store.participants import typed_reasons
from pro_service.store.participants.cases import Loaded
from pro_service.store.participants.writer import Writer
from pro_service.store.schema import participants, queries, sites, users, windows
from pro_service.store.session import Session
from pro_service.store.vault import Vault

q, p, w = queries.c, participants.c, windows.c

Sites: TypeAlias = Collection[int] | None
"""Ids of sites; None = every site of the study."""

State: TypeAlias = Literal["open", "answered", "closed"]
"""Whose turn it is: the site's, the askers', nobody's. Never stored."""


class QueryFacts(NamedTuple):
    """One query without its words, for files: who asked and answered by the ids of their accounts."""

    id: int
    participant: str
    visit: str
    item: str | None
    """None: about the visit."""
    opened_at: datetime
    answered_at: datetime | None
    closed_at: datetime | None
    opened_by: int | None
    answered_by: int | None
    """None: not answered, or by a command."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query with its words, for people; dots where they cannot be read any more."""

    id: int
    participant_id: int
    participant: str
    site_id: int
    site: str
    visit: str
    item: str | None
    question: str
    opened_at: datetime
    asker: str | None
    """E-mail."""
    answer: str | None
    answered_at: datetime | None
    answerer: str | None
    """E-mail; None for a command."""
    closed_at: datetime | None
    has_window: bool
    """Whether the visit has a window: without one no value can be entered."""

    @property
    def state(self) -> State:
        """Whose turn it is now."""
        return "closed" if self.closed_at else "answered" if self.answered_at else "open"


def facts(session: Session, study_id: int, codes: Collection[str]) -> list[QueryFacts]:
    """Return the queries about these participants of a study, ordered by the participant's code, then as asked.

    A query stood at an instant if it was opened by then; it was answered or closed then if that had happened by then.
    """
    statement = (
        select(q.id, p.code, q.visit, q.item, q.opened_at, q.answered_at, q.closed_at, q.opened_by, q.answered_by)
        .join(participants, p.id == q.participant_id)
        .where(q.study_id == study_id, p.code.in_(codes))
    )
    # In Python: the two databases order letters differently.
    return sorted((QueryFacts(*row) for row in session.execute(statement)), key=lambda one: (one.participant, one.id))


def ask(writer: Writer, loaded: Loaded, visit: str, item: str | None, question: str) -> int:
    """Queue a new query; return its row id."""
    return writer.add(
        queries,
        {
            "study_id": loaded.study_id,
            "participant_id": loaded.case.participant.id,
            "visit": visit,
            "item": item,
            "question": writer.sealed_reason(loaded, question),
            "opened_at": writer.now,
            "opened_by": writer.actor.user_id,
        },
    )


def answer(writer: Writer, loaded: Loaded, query_id: int, words: str | None) -> bool:
    """Answer an open query, without words where a new value says it; False if it is not open any more."""
    values = {"answer": writer.sealed_reason(loaded, words), "answered_at": writer.now}
    return _step(writer, query_id, values | {"answered_by": writer.actor.user_id}, q.answered_at.is_(None))


def close(writer: Writer, query_id: int) -> bool:
    """Close a query; False if it is closed already."""
    return _step(writer, query_id, {"closed_at": writer.now, "closed_by": writer.actor.user_id})


def _step(writer: Writer, query_id: int, values: dict[str, Any], *still: Any) -> bool:
    statement = update(queries).where(q.id == query_id, q.closed_at.is_(None), *still).values(values)
    return writer.session.execute(statement).rowcount == 1


def open_about(session: Session, participant_id: int, visit: str, items: Collection[str]) -> Sequence[int]:
    """Return the open queries about one of these items of a visit, or about the visit as a whole."""
    about = or_(q.item.is_(None), q.item.in_(items))
    statement = select(q.id).where(q.participant_id == participant_id, q.visit == visit, about)
    return session.scalars(statement.where(q.answered_at.is_(None), q.closed_at.is_(None)).order_by(q.id)).all()


def not_closed(
    session: Session, participant_id: int, visit: str, item: str | None
) -> list[tuple[int, datetime | None]]:
    """Return (id, when it was answered) of the queries about exactly this that are not closed."""
    statement = select(q.id, q.answered_at).where(q.participant_id == participant_id, q.visit == visit, q.item == item)
    return [(row.id, row.answered_at) for row in session.execute(statement.where(q.closed_at.is_(None)))]


def one(session: Session, vault: Vault, study_id: int, query_id: int) -> Query | None:
    """Return one query of a study."""
    return next(iter(_read(session, vault, _QUERIES.where(q.id == query_id, q.study_id == study_id))), None)


def of_participant(session: Session, vault: Vault, participant_id: int) -> list[Query]:
    """Return the queries about one participant, as they were asked."""
    return _read(session, vault, _QUERIES.where(q.participant_id == participant_id).order_by(q.id))


def of_study(session: Session, vault: Vault, study_id: int, seen: Sites, *, closed: bool, limit: int) -> list[Query]:
    """Return a study's queries of the sites that are `seen`: those not closed, or the newest closed."""
    statement = _QUERIES.where(q.study_id == study_id, *_at(seen)).limit(limit)
    waiting = statement.where(q.closed_at.is_(None)).order_by(q.id)
    return _read(session, vault, statement.where(q.closed_at.is_not(None)).order_by(q.id.desc()) if closed else waiting)


def waiting(connection: Connection, study_id: int, answering: Sites, asking: Sites) -> int:
    """Return how many queries wait: for an answer of the sites `answering`, or to be closed for the sites `asking`."""
    statement = _waiting(few_answer=answering is not None, few_ask=asking is not None)
    given = {"answering": list(answering or ()), "asking": list(asking or ()), "study": study_id}
    return sum(connection.execute(statement, given).one())


@lru_cache(maxsize=4)
def _waiting(*, few_answer: bool, few_ask: bool) -> Select[Any]:
    """Made once: every page asks this, and building it costs more than the answer."""
    counted = select(func.count()).select_from(queries.join(participants, p.id == q.participant_id))
    of_study = counted.where(q.study_id == bindparam("study"), q.closed_at.is_(None))
    theirs, ours = of_study.where(q.answered_at.is_(None)), of_study.where(q.answered_at.is_not(None))
    if few_answer:
        theirs = theirs.where(p.site_id.in_(bindparam("answering", expanding=True)))
    if few_ask:
        ours = ours.where(p.site_id.in_(bindparam("asking", expanding=True)))
    return select(theirs.scalar_subquery(), ours.scalar_subquery())


def _at(seen: Sites) -> list[Any]:
    return [] if seen is None else [p.site_id.in_(seen)]


def _read(session: Session, vault: Vault, statement: Select[Any]) -> list[Query]:
    rows: Sequence[Any] = session.execute(statement).all()
    known = typed_reasons.known(session, vault, (words for row in rows for words in (row.question, row.answer)))
    said = {words: known.get(words, words) for row in rows for words in (row.question, row.answer)}
    return [Query(**row._asdict() | {"question": said[row.question] or "", "answer": said[row.answer]}) for row in rows]


_asker, _answerer = users.alias("asker"), users.alias("answerer")
_QUERIES: Select[Any] = (
    select(
        q.id,
        q.participant_id,
        p.code.label("participant"),
        p.site_id,
        sites.c.code.label("site"),
        q.visit,
        q.item,
        q.question,
        q.opened_at,
        _asker.c.email.label("asker"),
        q.answer,
        q.answered_at,
        _answerer.c.email.label("answerer"),
        q.closed_at,
        exists()
        .where(w.participant_id == q.participant_id, w.code == q.visit, w.cancelled_at.is_(None))
        .label("has_window"),
    )
    .join(participants, p.id == q.participant_id)
    .join(sites, sites.c.id == p.site_id)
    .outerjoin(_asker, _asker.c.id == q.opened_by)
    .outerjoin(_answerer, _answerer.c.id == q.answered_by)
)
