"""Queries: a data manager or monitor asks a site about one value or one visit; the site answers; the askers close it.

Asking about the same again closes the query before it. A correction of the value answers it, too (`entry.enter`).
"""

from collections.abc import Collection
from dataclasses import dataclass

from pro_service.core.enrolment.blinding import spoken
from pro_service.core.problems import Problem, RejectedError, problem
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.participants import cases, queries
from pro_service.store.participants.cases import Loaded
from pro_service.store.participants.queries import Query
from pro_service.use_cases.transaction import Transaction, transaction

LONGEST = 500
"""Characters of a question or an answer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about one value (`item`), or about a whole visit."""

    visit: str
    item: str | None
    words: str


def items_of(loaded: Loaded, visit: str) -> tuple[str, ...] | None:
    """Return the items of a visit, as its window was laid out, or by the protocol; None if there is no such visit."""
    points = [window.point for window in loaded.case.current] + list(loaded.case.protocol.time_points)
    return next((point.items for point in points if point.code == visit), None)


def ask(
    rt: Runtime, actor: Actor, study_id: int, code: str, asked: Asked, *, sites: Collection[int] | None = None
) -> int:
    """Ask; return the query's row id.

    KeyError (no such participant, visit or item, or another site's); RejectedError (a fault of the words, or a query
    about the same is open).
    """
    with transaction(rt, actor, rt.clock()) as tx:
        found = cases.find(tx.session, study_id, code)
        loaded = None if found is None else rt.loader.one(tx.session, found)
        if loaded is None or (sites is not None and loaded.site_id not in sites):
            raise KeyError(code)
        items = items_of(loaded, asked.visit)
        if items is None or asked.item not in (None, *items):
            raise KeyError(asked.visit)
        words, faults = _words(asked.words, "question")
        before = queries.not_closed(tx.session, loaded.case.participant.id, asked.visit, asked.item)
        if any(answered_at is None for _, answered_at in before):
            faults.append(problem("query_open_already", ""))
        if faults:
            raise RejectedError(tuple(faults))
        for query_id, _ in before:
            _close(tx, loaded, query_id)
        row_id = queries.ask(tx.writer, loaded, asked.visit, asked.item, words)
        about: dict[str, tuple[object, object]] = {"window": (None, asked.visit), "item": (None, asked.item)}
        tx.writer.note(loaded, "ask_query", "query", row_id, about, words)
    return row_id


def answer(
    rt: Runtime, actor: Actor, study_id: int, query_id: int, words: str, *, sites: Collection[int] | None = None
) -> Query:
    """Answer an open query in words; return it. KeyError (not to be seen), RejectedError (the words, or not open)."""
    with transaction(rt, actor, rt.clock()) as tx:
        loaded, query = _found(tx, study_id, query_id, sites)
        said, faults = _words(words, f"answer-{query_id}")
        if faults:
            raise RejectedError(tuple(faults))
        if not queries.answer(tx.writer, loaded, query_id, said):
            raise RejectedError((problem("query_not_open", ""),))
        tx.writer.note(loaded, "answer_query", "query", query_id, {}, said)
    return query


def close(rt: Runtime, actor: Actor, study_id: int, query_id: int, *, sites: Collection[int] | None = None) -> Query:
    """Close a query, answered or not; return it. KeyError (not to be seen), RejectedError (closed already)."""
    with transaction(rt, actor, rt.clock()) as tx:
        loaded, query = _found(tx, study_id, query_id, sites)
        _close(tx, loaded, query_id)
    return query


def answer_by_entry(tx: Transaction, loaded: Loaded, visit: str, items: Collection[str], reason: str | None) -> None:
    """Answer the open queries about these items of a visit, or about the visit: what was entered is the answer."""
    for query_id in queries.open_about(tx.session, loaded.case.participant.id, visit, items):
        queries.answer(tx.writer, loaded, query_id, reason)
        tx.writer.note(loaded, "answer_query", "query", query_id, {}, reason)


def _close(tx: Transaction, loaded: Loaded, query_id: int) -> None:
    if not queries.close(tx.writer, query_id):
        raise RejectedError((problem("query_not_open", ""),))
    tx.writer.note(loaded, "close_query", "query", query_id, {})


def _found(tx: Transaction, study_id: int, query_id: int, sites: Collection[int] | None) -> tuple[Loaded, Query]:
    query = queries.one(tx.session, tx.rt.vault, study_id, query_id)
    if query is None or (sites is not None and query.site_id not in sites):
        raise KeyError(query_id)
    return tx.rt.loader.one(tx.session, query.participant_id), query


def _words(typed: str, field: str) -> tuple[str, list[Problem]]:
    """Return what was typed, in one line, and what is wrong with it."""
    words = " ".join(typed.split())
    faults = []
    if not words:
        faults.append(problem("query_words_missing", field))
    elif len(words) > LONGEST:
        faults.append(problem("reason_too_long", field, most=LONGEST))
    elif (told := spoken(words)) is not None:
        faults.append(problem("speaks_of_allocation", field, word=told))
    return words, faults
