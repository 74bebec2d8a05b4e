"""Which versions investigators have confirmed, and which texts wait because their version is not confirmed."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, and_, case, false, select, update

from pro_service.core.study_file.confirmation import NEVER_HELD, Standing
from pro_service.core.study_file.marks import Mark
from pro_service.store.participants.writer import Writer
from pro_service.store.schema import confirmations, messages, participants, protocol_versions
from pro_service.store.session import Session
from pro_service.store.studies import Version

c, m, p, v = confirmations.c, messages.c, participants.c, protocol_versions.c

_MAY_NOT_SEND = select(v.id).where(v.ran_unconfirmed_at.is_(None), v.id.not_in(select(c.protocol_version_id)))
HELD = and_(m.protocol_version_id.is_not(None), m.protocol_version_id.in_(_MAY_NOT_SEND), m.frame.not_in(NEVER_HELD))
"""The text must wait: the version that its words come from is not confirmed (`Standing.may_send`)."""


def may_send(session: Session, version_id: int) -> bool:
    """Return whether texts of a version may leave this machine."""
    return session.scalar(_MAY_NOT_SEND.where(v.id == version_id)) is None


def standings(connection: Session | Connection, study_id: int) -> tuple[Standing, ...]:
    """Return what is known about the confirmation of each version of a study, newest first."""
    used = select(p.id).where(p.study_id == study_id, p.protocol_version_id == v.id).exists()
    # A study has thousands of participants, and every page asks.
    held = and_(c.confirmed_at.is_(None), v.ran_unconfirmed_at.is_(None))
    found = (
        select(v.number, c.confirmed_at, v.ran_unconfirmed_at, case((held, used), else_=false()))
        .outerjoin(confirmations, c.protocol_version_id == v.id)
        .where(v.study_id == study_id)
        .order_by(v.number.desc())
    )
    return tuple(Standing(*row) for row in connection.execute(found))


def add(writer: Writer, study_id: int, version: Version, user_id: int, reason: str) -> int:
    """Queue a confirmation; a unique key allows one for each version."""
    row = {"study_id": study_id, "protocol_version_id": version.id, "sha256": version.sha256}
    return writer.add(confirmations, row | {"confirmed_at": writer.now, "user_id": user_id, "reason": reason})


def marks(session: Session, version_id: int) -> tuple[Mark, ...] | None:
    """Return what the file of a version leaves open; None if that was not kept."""
    stored = session.scalar(select(v.marks).where(v.id == version_id))
    return None if stored is None else tuple(Mark(**one) for one in json.loads(stored))


def marks_as_text(found: Sequence[Mark]) -> str:
    """Return marks as they are stored."""
    return json.dumps([asdict(one) for one in found], ensure_ascii=False)


def set_marks(session: Session, version_id: int, found: Sequence[Mark]) -> None:
    """Store what a newer file of the same version leaves open."""
    session.execute(update(protocol_versions).where(v.id == version_id).values(marks=marks_as_text(found)))
