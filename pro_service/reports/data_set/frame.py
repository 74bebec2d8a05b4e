"""What every table of a data set needs: the study, the instant, the versions in force, and who is in it, by code."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from json import loads
from typing import NamedTuple

from sqlalchemy import BindParameter, bindparam, func, select

from pro_service.core.trail.as_of import Earlier, earlier
from pro_service.core.trail.facts import TrailRow
from pro_service.exports.data_tables import Shape
from pro_service.store.audit import as_written
from pro_service.store.participants.cases import Loader
from pro_service.store.schema import audit_seals, audit_trail, participants, protocol_versions, sites
from pro_service.store.session import Session

BATCH = 400
"""Participants read together."""
a, p, v = audit_trail.c, participants.c, protocol_versions.c


class Member(NamedTuple):
    """Somebody in the data set: row id, code, and the code of their site at its instant."""

    id: int
    code: str
    site: str
    erased: bool
    """Whether their contact data and typed words are gone by now."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A study at an instant."""

    study_id: int
    as_of: datetime
    shape: Shape
    version_numbers: Mapping[int, int]
    """Row id of a protocol version -> its number."""
    site: str | None
    """Only participants of this site; None = of all."""
    changed: frozenset[int]
    """Participants who have rows in the trail after the instant."""

    @property
    def instant(self) -> str:
        """The instant as the trail writes it."""
        return str(as_written(self.as_of))


def instant(moment: datetime | None) -> str | None:
    """Return an instant as the data set writes it, in UTC to the second; None stays None."""
    return None if moment is None else f"{moment.isoformat()[:19]}Z"


def frame_of(session: Session, loader: Loader, study_id: int, study: str, as_of: datetime, site: str | None) -> Frame:
    """Return the frame of a study at an instant (in UTC); LookupError if no version of it had been loaded by then."""
    asked = select(v.id, v.number).where(v.study_id == study_id, v.loaded_at <= as_of).order_by(v.number.desc())
    numbers = {row.id: row.number for row in session.execute(asked)}
    if not numbers:
        raise LookupError(study)
    shape = Shape(study, tuple(loader.protocol_of(session, version) for version in numbers))
    return Frame(study_id, as_of, shape, numbers, site, _changed(session, study_id, as_of))


def _changed(session: Session, study_id: int, as_of: datetime) -> frozenset[int]:
    """Return the participants that the trail names after an instant; what a seal covered by then is not looked at."""
    s = audit_seals.c
    settled = select(s.settled_below).where(s.sealed_at <= as_of).order_by(s.number.desc()).limit(1)
    floor = session.scalar(settled) or 0
    asked = select(a.participant_id).where(a.study_id == study_id, a.id >= floor, a.at > as_of).distinct()
    return frozenset(one for one in session.scalars(asked) if one is not None)


def everybody(session: Session, frame: Frame) -> Iterator[list[Member]]:
    """Yield those who had been enrolled by then, in the order of their codes, some at a time."""
    # By code points, on every database: PostgreSQL would sort by its own language.
    by_code = p.code if session.get_bind().dialect.name == "sqlite" else func.convert_to(p.code, "UTF8")
    asked = (
        select(p.id, p.code, sites.c.code.label("site"), p.erased_at.is_not(None))
        .join(sites, sites.c.id == p.site_id)
        .where(p.study_id == frame.study_id, p.enrolled_at <= frame.as_of)
        .order_by(by_code)
    )
    # One cursor that stays open: the database sorts once, however many batches there are.
    for page in session.execute(asked, execution_options={"yield_per": BATCH}).partitions():
        members = [Member._make(row) for row in page]
        then = earlier_facts(session, frame, [one.id for one in members])
        moved = {key: str(facts.person["site"]) for key, facts in then.items() if "site" in facts.person}
        members = [one._replace(site=moved.get(one.id, one.site)) for one in members]
        if kept := [one for one in members if frame.site in (None, one.site)]:
            yield kept


_IDS: BindParameter[Sequence[int]] = bindparam("ids", expanding=True)
_TRAIL = (
    select(a.participant_id, a.id, a.at, a.action, a.entity, a.entity_id, a.changes, a.reason)
    .where(a.participant_id.in_(_IDS), a.entity.in_(("participant", "window", "escalation")))
    .order_by(a.participant_id, a.id)
)


def earlier_facts(session: Session, frame: Frame, ids: Collection[int]) -> dict[int, Earlier]:
    """Return row id -> what was different at the instant, of those participants who have rows in the trail after it."""
    wanted = sorted(frame.changed.intersection(ids))
    rows: dict[int, list[TrailRow]] = {one: [] for one in wanted}
    if wanted:
        for who, row_id, at, action, entity, entity_id, changes, reason in session.execute(_TRAIL, {"ids": wanted}):
            row = TrailRow(row_id, str(as_written(at)), action, entity, entity_id, loads(changes), reason)
            rows[who].append(row)
    return {one: earlier(told, frame.instant) for one, told in rows.items()}
