"""The erasure of a participant by two people: staff ask for it, and an investigator of the site approves or refuses it.

An approval is the erasure itself, in the same transaction. However a participant is erased, a request that waits ends.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from pro_service.core.problems import RejectedError, problem
from pro_service.runtime import Runtime
from pro_service.store import erasure_requests as store
from pro_service.store import erasures
from pro_service.store.audit import Actor
from pro_service.store.participants import cases, typed_reasons
from pro_service.store.participants.cases import Loaded
from pro_service.store.schema import AnyRow
from pro_service.store.staff import accounts, approvals
from pro_service.store.staff.accounts import Grant
from pro_service.store.studies import Sites
from pro_service.use_cases.participants import erase
from pro_service.use_cases.participants.erase import Copies, Erasure
from pro_service.use_cases.transaction import Transaction, transaction

ENTITY = "erasure_request"


@dataclass(frozen=True, slots=True)
class Request:
    """A request, and what became of it."""

    id: int
    asked_at: datetime
    asked_by: int
    asker: str
    """E-mail."""
    reason: str
    ended_at: datetime | None
    ended_by: str | None
    """E-mail; None: it waits, or the erasure was a command."""
    outcome: str | None
    answer: str | None
    """Why it was refused."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known about a participant's erasure."""

    loaded: Loaded
    erasure: Erasure | None
    """What it would do; None once it is done."""
    request: Request | None
    """The newest."""
    copies: Copies
    """What became of the provider's copies."""

    @property
    def waits(self) -> bool:
        """Whether a request waits for an investigator."""
        return self.request is not None and self.request.ended_at is None


def look(rt: Runtime, study_id: int, code: str, sites: Sites) -> Standing | None:
    """Return what is known about a participant's erasure; None if there is none with this code that may be seen."""
    with rt.sessions.reading() as session:
        loaded = cases.load_by_code(session, rt.loader, study_id, code, sites)
        if loaded is None:
            return None
        person = loaded.case.participant
        row = store.newest(session, person.id)
        words = typed_reasons.known(session, rt.vault, () if row is None else (row.reason, row.answer))
        return Standing(
            loaded=loaded,
            erasure=None if person.erased_at is not None else erase.preview_of(session, loaded),
            request=None if row is None else _request(row, words),
            copies=erase.copies_of(session, person.id),
        )


def waiting(rt: Runtime, study_id: int, held: Sequence[Grant], user_id: int) -> list[AnyRow]:
    """Return the requests of a study that somebody with these roles may decide about, oldest first."""
    with rt.sessions.glance() as connection:
        found = store.waiting(connection)
    return [one for one in found if one.study_id == study_id and store.may_decide(held, user_id, one)]


def ask(rt: Runtime, actor: Actor, study_id: int, code: str, reason: str, *, sites: Sites = None) -> None:
    """Ask for an erasure. RejectedError: no reason, nobody to erase, or it was asked for and waits."""
    erase.refuse_reason(reason)
    with _about(rt, actor, study_id, code, sites) as (tx, loaded, before):
        person = loaded.case.participant
        if before is not None:
            raise RejectedError((problem("erasure_asked_already", "", code=person.code),))
        if actor.user_id is None:
            raise KeyError("user")
        said = tx.writer.sealed_reason(loaded, reason.strip()) or ""
        row_id = store.add(tx.writer, loaded.study_id, person.id, actor.user_id, said)
        tx.writer.note(loaded, "ask_erasure", ENTITY, row_id, {}, said)


def withdraw(rt: Runtime, actor: Actor, study_id: int, code: str, request_id: int, *, sites: Sites = None) -> None:
    """Take a request back. RejectedError: it has ended."""
    with _about(rt, actor, study_id, code, sites) as (tx, loaded, before):
        _refuse_ended(before, request_id)
        store.end(tx.session, loaded.case.participant.id, tx.now, "withdrawn", actor.user_id)
        tx.writer.note(loaded, "withdraw_erasure", ENTITY, request_id, {})


def decide(
    rt: Runtime,
    actor: Actor,
    study_id: int,
    code: str,
    request_id: int,
    reason: str,
    *,
    approved: bool,
    sites: Sites = None,
) -> None:
    """Erase the participant whose erasure was asked for, or refuse it; the scheduler goes on with what follows.

    KeyError: it is not the actor's to decide. RejectedError: no reason, it has ended, or it is the actor's own request.
    """
    erase.refuse_reason(reason)
    with _about(rt, actor, study_id, code, sites) as (tx, loaded, before):
        place = Grant("investigator", loaded.study_id, loaded.site_id)
        if actor.user_id is None or not approvals.covers(accounts.grants(tx.session, actor.user_id), place):
            raise KeyError("investigator")
        found, person = _refuse_ended(before, request_id), loaded.case.participant
        if found.asked_by == actor.user_id:
            raise RejectedError((problem("erasure_own", ""),))
        if approved:
            asker: dict[str, tuple[object, object]] = {"asked_by": (None, f"user:{found.asked_by}")}
            tx.writer.note(loaded, "approve_erasure", ENTITY, request_id, asker)
            erase.carry_out(tx, loaded, tx.now, reason.strip())
        else:
            said = tx.writer.sealed_reason(loaded, reason.strip())
            store.end(tx.session, person.id, tx.now, "refused", actor.user_id, said)
            tx.writer.note(loaded, "refuse_erasure", ENTITY, request_id, {}, said)


@contextmanager
def _about(
    rt: Runtime, actor: Actor, study_id: int, code: str, sites: Sites
) -> Iterator[tuple[Transaction, Loaded, AnyRow | None]]:
    """One transaction about somebody who is not erased, with their row taken, and the request that waits."""
    with transaction(rt, actor, rt.clock()) as tx:
        erasures.stand_in_line(tx.session)
        loaded = erase.find_person(rt, tx.session, study_id, code, sites, lock=True)
        row = store.newest(tx.session, loaded.case.participant.id)
        yield tx, loaded, None if row is None or row.ended_at is not None else row


def _refuse_ended(before: AnyRow | None, request_id: int) -> AnyRow:
    if before is None or before.id != request_id:
        raise RejectedError((problem("erasure_not_waiting", ""),))
    return before


def _request(row: AnyRow, words: Mapping[str | None, str]) -> Request:
    return Request(
        id=row.id,
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        asker=row.email,
        reason=words.get(row.reason, row.reason),
        ended_at=row.ended_at,
        ended_by=row.ended_email,
        outcome=row.outcome,
        answer=words.get(row.answer, row.answer),
    )
