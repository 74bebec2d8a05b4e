"""Whether a look at a page is in the trail already."""

from collections.abc import Mapping

from sqlalchemy import select

from pro_service.store.audit import Actor, changes_as_text
from pro_service.store.schema import audit_trail
from pro_service.store.session import Session

a = audit_trail.c


def recorded(
    session: Session,
    actor: Actor,
    action: str,
    participant_id: int | None,
    changes: Mapping[str, tuple[object, object]],
) -> bool:
    """Whether a row says this already; `changes` names the session."""
    # By the index on what staff do.
    mine = select(a.id).where(a.actor_kind == "staff", a.actor == actor.id, a.action == action)
    same = mine.where(a.participant_id.is_not_distinct_from(participant_id), a.changes == changes_as_text(changes))
    return session.scalar(same.limit(1)) is not None
