"""Who may read which texts of the inbox, and how many wait for them.

A text belongs to the site of the participant whose it is; where that is open, to the sites of all who have the
telephone; where nobody has it, to those who see every site of the study.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session

from pro_service.store import report_queries as queries
from pro_service.store.reports import Sites
from pro_service.store.schema import inbound, participants

CAP = 100
"""Counted up to here."""
SLOW = timedelta(minutes=15)
"""A text that nobody has read for so long is a matter for a person."""
i, p = inbound.c, participants.c


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks: the sites they may read texts of, and whether they may read what reveals the treatment."""

    study_id: int
    sites: Sites
    """None = all of the study."""
    strangers: bool
    """Whether texts from telephones that nobody has are theirs to read."""
    revealing: bool = False


def count(asking: Session | Connection, reader: Reader, now: datetime) -> int:
    """How many wait for a person, up to CAP."""
    statement = _count(limited=reader.sites is not None, strangers=reader.strangers)
    return asking.scalar(statement, queries.given(reader.study_id, reader.sites) | {"slow": now - SLOW}) or 0


@lru_cache(maxsize=4)
def _count(*, limited: bool, strangers: bool) -> Select[int]:
    """How many wait; every page asks it, and building the question costs more than the answer."""
    given = _given(bindparam("slow", type_=i.received_at.type))
    here = [p.study_id == bindparam("study"), *([p.site_id.in_(bindparam("sites", expanding=True))] if limited else [])]
    waiting = select(i.id).where(given, _whose(here, strangers=strangers), i.handled_at.is_(None)).limit(CAP)
    return select(func.count()).select_from(waiting.subquery())


def seen(reader: Reader, now: datetime) -> Select[Any]:
    """The texts of the inbox that are a reader's."""
    return select(inbound).where(_given(now - SLOW), _theirs(reader))


def _given(slow: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Handed to a person, or unread for longer than reading takes."""
    return or_(i.handed_at.is_not(None), and_(i.interpreted_at.is_(None), i.received_at < slow))


def _theirs(reader: Reader) -> ColumnElement[bool]:
    here = [p.study_id == reader.study_id]
    if reader.sites is not None:
        here.append(p.site_id.in_(reader.sites))
    return _whose(here, strangers=reader.strangers)


def _whose(here: list[ColumnElement[bool]], *, strangers: bool) -> ColumnElement[bool]:
    """Of participants here, of a telephone that they share, and of nobody's where strangers are seen too."""
    whose = exists().where(p.id == i.participant_id, *here)
    may_be = and_(i.participant_id.is_(None), exists().where(p.phone_index == i.sender_index, *here))
    if not strangers:
        return or_(whose, may_be)
    nobodys = and_(i.participant_id.is_(None), ~exists().where(p.phone_index == i.sender_index))
    return or_(whose, may_be, nobodys)
