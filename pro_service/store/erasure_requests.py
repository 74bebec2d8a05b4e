"""Requests to erase a participant: the one that waits, the newest one, and whose decision each waits for."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from pro_service.store.participants.writer import Writer
from pro_service.store.schema import ERASURE_WAITS, AnyRow, erasure_requests, participants, users
from pro_service.store.session import Session
from pro_service.store.staff import approvals
from pro_service.store.staff.accounts import Grant

q, p = erasure_requests.c, participants.c


def add(writer: Writer, study_id: int, participant_id: int, user_id: int, reason: str) -> int:
    """Queue a request; a unique key allows one that waits for each participant."""
    row = {"study_id": study_id, "participant_id": participant_id, "asked_by": user_id, "reason": reason}
    return writer.add(erasure_requests, row | {"asked_at": writer.now})


def newest(session: Session, participant_id: int) -> AnyRow | None:
    """Return a participant's newest request, with the e-mail addresses of who asked and who ended it."""
    by = users.alias("by")
    statement = (
        select(erasure_requests, users.c.email, by.c.email.label("ended_email"))
        .join(users, users.c.id == q.asked_by)
        .outerjoin(by, by.c.id == q.ended_by)
        .where(q.participant_id == participant_id)
        .order_by(q.id.desc())
        .limit(1)
    )
    return session.execute(statement).first()


def end(
    session: Session, participant_id: int, now: datetime, outcome: str, by: int | None, answer: str | None = None
) -> None:
    """End the request that waits for a participant, if one does. `by`: who; None = not staff on a page."""
    values = {"ended_at": now, "ended_by": by, "outcome": outcome, "answer": answer}
    session.execute(update(erasure_requests).where(q.participant_id == participant_id, ERASURE_WAITS).values(values))


def waiting(connection: Session | Connection) -> Sequence[AnyRow]:
    """Return the requests that nobody has decided about, oldest first, with whose and at which site; they are few."""
    statement = (
        select(q.id, q.study_id, q.asked_at, q.asked_by, p.code, p.site_id)
        .join(participants, p.id == q.participant_id)
        .where(ERASURE_WAITS)
        .order_by(q.id)
    )
    return connection.execute(statement).all()


def may_decide(held: Iterable[Grant], user_id: int, request: AnyRow) -> bool:
    """Return whether this user is an investigator of the site, and did not ask for the erasure themselves."""
    place = Grant("investigator", request.study_id, request.site_id)
    return request.asked_by != user_id and approvals.covers(held, place)
