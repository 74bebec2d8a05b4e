"""Participants who share a telephone."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from sqlalchemy import BindParameter, bindparam, select

from pro_service.core.case import Case, Other
from pro_service.core.conversation.shared_phone import seen_by_others
from pro_service.store.schema import participants
from pro_service.store.session import Session

p = participants.c


class HasCase(Protocol):
    """Whatever was loaded of a participant."""

    @property
    def case(self) -> Case:
        """Their facts."""


def with_telephone(session: Session, index: bytes) -> Sequence[int]:
    """Participants with this telephone (blind index); couples share one."""
    return session.scalars(select(p.id).where(p.phone_index == index).order_by(p.id)).all()


def with_telephones(session: Session, indexes: Collection[bytes]) -> Mapping[bytes, list[int]]:
    """For each of these telephones (blind indexes): the participants who have it."""
    found: dict[bytes, list[int]] = {index: [] for index in indexes}
    for index, who in session.execute(_WHOSE, {"indexes": list(indexes)}):
        found[bytes(index)].append(who)
    return found


def sharers(session: Session, ids: Sequence[int]) -> Mapping[int, list[int]]:
    """For each of these participants who shares a telephone: the others."""
    found: dict[int, list[int]] = defaultdict(list)
    if ids:
        for mine, other in session.execute(_WITH_WHOM, {"ids": ids}):
            found[mine].append(other)
    return found


def others(
    session: Session, ids: Sequence[int], load: Callable[[Sequence[int]], Sequence[HasCase]]
) -> Mapping[int, tuple[Other, ...]]:
    """For each of these participants who shares a telephone: the others, as the rules see them."""
    sharing = sharers(session, ids)
    if not sharing:
        return {}
    loaded = load(sorted({other for ids_of in sharing.values() for other in ids_of}))
    known = {one.case.participant.id: seen_by_others(one.case) for one in loaded}
    return {mine: tuple(known[other] for other in them if other in known) for mine, them in sharing.items()}


def lock_free(session: Session, ids: Sequence[int]) -> Sequence[int]:
    """Those of these participants whose rows nobody else holds, taken."""
    statement = select(p.id).where(p.id.in_(ids)).order_by(p.id)
    if session.get_bind().dialect.name == "postgresql":
        statement = statement.with_for_update(skip_locked=True)
    return session.scalars(statement).all()


_IDS: BindParameter[Sequence[int]] = bindparam("ids", expanding=True)
_WHOSE = select(p.phone_index, p.id).where(p.phone_index.in_(bindparam("indexes", expanding=True))).order_by(p.id)
_SHARER = participants.alias("sharer")
_WITH_WHOM = (
    select(p.id, _SHARER.c.id)
    .join(_SHARER, _SHARER.c.phone_index == p.phone_index)
    .where(p.id.in_(_IDS), _SHARER.c.id != p.id)
    .order_by(p.id, _SHARER.c.id)
)
