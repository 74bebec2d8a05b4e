"""What the rules say of a participant's channels (`Participant`), as conditions on the row."""

from sqlalchemy import ColumnElement, and_, case, func

from pro_service.core.case import CONSENTED, UNREACHABLE
from pro_service.core.protocol import MEDIA, Medium
from pro_service.store.schema import LADDER, participants

p = participants.c


def agreed_to(medium: Medium) -> ColumnElement[bool]:
    """Return `Participant.agreed_to` as a condition."""
    address = p.email if medium == "email" else p.phone
    return and_(address.is_not(None), p[CONSENTED[medium]].is_not(None))


def reached_by(medium: Medium) -> ColumnElement[bool]:
    """Return `Participant.reached_by` as a condition."""
    return and_(agreed_to(medium), p[UNREACHABLE[medium]].is_(None))


def led_to() -> ColumnElement[str | None]:
    """Return `Participant.led_to` as a column."""
    rungs = [
        (rung.in_([channel for channel, kind in MEDIA.items() if kind == medium]), rung, medium)
        for rung in LADDER
        for medium in CONSENTED
    ]
    first = case(*((and_(goes_by, reached_by(medium)), rung) for goes_by, rung, medium in rungs))
    return func.coalesce(first, case(*((and_(goes_by, agreed_to(medium)), rung) for goes_by, rung, medium in rungs)))
