"""Studies, their protocol versions and their sites."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, Select, bindparam, func, select, update

from pro_service.core.protocol import Protocol
from pro_service.store.bulk import rows
from pro_service.store.participants.cases import Loader
from pro_service.store.participants.writer import Writer
from pro_service.store.schema import audit_trail, confirmations, participants, protocol_versions, sites, studies, users
from pro_service.store.session import Session

v = protocol_versions.c

Sites: TypeAlias = Collection[int] | None
"""Ids of the sites one may see; None = every site of the study."""


@dataclass(frozen=True, slots=True)
class Study:
    """A study of this installation."""

    id: int
    code: str


@dataclass(frozen=True, slots=True)
class Overview:
    """A study with what every page asks of it."""

    id: int
    version_id: int | None
    """Of its newest protocol; None while none is loaded."""
    sites: dict[int, str]
    """Ids with their codes, ordered by code."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a study is closed and its data locked, since when, and after which day its contact data are erased."""

    closed_at: datetime | None
    locked_at: datetime | None
    erase_after: date | None


@dataclass(frozen=True, slots=True)
class Version:
    """One stored version of a study's protocol and wording, without their texts."""

    id: int
    number: int
    sha256: str
    loaded_at: datetime
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None
    """The investigator's e-mail address."""
    confirmed_for: str | None = None
    """Their reason."""
    ran_unconfirmed_at: datetime | None = None
    """When confirmations were introduced, if the study was running then."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What is stored of a version: canonical JSON."""

    protocol: str
    wording: str
    sha256: str
    """Of both."""
    marks: str
    """What its file calls unsettled."""
    file: str | None = None
    """Its file as it was loaded."""


def all_studies(session: Session) -> tuple[Study, ...]:
    """All studies, by code."""
    return tuple(Study(row.id, row.code) for row in session.execute(_EVERY))


def overviews(connection: Connection) -> dict[str, Overview]:
    """All studies by code; one question, asked before every page."""
    found: dict[str, Overview] = {}
    for study_id, code, version_id, site_id, site in rows(connection, _OVERVIEWS, {}):
        study = found.setdefault(code, Overview(study_id, version_id, {}))
        if site_id is not None:
            study.sites[site_id] = site
    return found


def lock_study(session: Session, study_id: int) -> None:
    """Take the study's row, so that two imports or loads stand in line; participants' rows may still refer to it."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(studies.c.id).where(studies.c.id == study_id).with_for_update(key_share=True))


def hold_answers(session: Session, study_id: int) -> None:
    """Lock the study's row against answers too: those being saved finish first, later ones wait."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(studies.c.id).where(studies.c.id == study_id).with_for_update())


def standing(asking: Session | Connection, study_id: int) -> Standing:
    """Return whether a study is closed, its data are locked, and when its contact data are erased."""
    s = studies.c
    asked = select(s.closed_at, s.locked_at, s.erase_after).where(s.id == study_id)
    return Standing(*asking.execute(asked).one())


def set_standing(session: Session, study_id: int, **values: datetime | date | None) -> None:
    """Change what `standing` returns."""
    session.execute(update(studies).where(studies.c.id == study_id).values(**values))


def newest(session: Session, study_id: int) -> Version | None:
    """The version that new participants get."""
    return _version(session, _VERSION.where(v.study_id == study_id).order_by(v.number.desc()).limit(1))


def versions(session: Session, study_id: int) -> list[Version]:
    """Every version there ever was, newest first."""
    found = session.execute(_VERSION.where(v.study_id == study_id).order_by(v.number.desc())).all()
    return [Version(*row) for row in found]


def with_digest(session: Session, study_id: int, sha256: str) -> Version | None:
    """The version with this digest."""
    return _version(session, _VERSION.where(v.study_id == study_id, v.sha256 == sha256))


def site_ids(session: Session, study_id: int) -> Mapping[str, int]:
    """Site code -> row id."""
    found = session.execute(select(sites.c.code, sites.c.id).where(sites.c.study_id == study_id))
    return {row.code: row.id for row in found}


def enrolled(session: Session, study_id: int) -> int:
    """How many participants a study has."""
    counted = select(func.count()).select_from(participants).where(participants.c.study_id == study_id)
    return session.execute(counted).scalar_one()


def add_study(writer: Writer, code: str) -> Study:
    """Queue a new study."""
    return Study(writer.add(studies, {"code": code, "created_at": writer.now}), code)


def add_version(writer: Writer, study: Study, number: int, bundle: Bundle) -> Version:
    """Queue a new version of its protocol and wording."""
    row = {"study_id": study.id, "number": number, **asdict(bundle), "loaded_at": writer.now}
    return Version(writer.add(protocol_versions, row), number, bundle.sha256, writer.now)


def add_sites(writer: Writer, study: Study, codes: Sequence[str]) -> None:
    """Queue new sites."""
    for code in codes:
        writer.add(sites, {"study_id": study.id, "code": code})


_EVERY = select(studies.c.id, studies.c.code).order_by(studies.c.code)
_NEWEST = select(v.id).where(v.study_id == studies.c.id).order_by(v.number.desc()).limit(1).scalar_subquery()
_OVERVIEWS = (
    select(studies.c.id, studies.c.code, _NEWEST, sites.c.id, sites.c.code)
    .outerjoin(sites, sites.c.study_id == studies.c.id)
    .order_by(studies.c.code, sites.c.code)
)
_c = confirmations.c
_VERSION = (
    select(
        *(v.id, v.number, v.sha256, v.loaded_at),
        *(_c.confirmed_at, users.c.email, _c.reason, v.ran_unconfirmed_at),
    )
    .outerjoin(confirmations, _c.protocol_version_id == v.id)
    .outerjoin(users, users.c.id == _c.user_id)
)


def _version(session: Session, statement: Select[*tuple[Any, ...]]) -> Version | None:
    row = session.execute(statement).first()
    return None if row is None else Version(*row)


def study_code(session: Session, study_id: int) -> str:
    """Return the code of a study; raise NoResultFound if there is none with this id."""
    return str(session.execute(select(studies.c.code).where(studies.c.id == study_id)).scalar_one())


_NEWEST_VERSION = select(v.id).where(v.study_id == bindparam("study")).order_by(v.number.desc()).limit(1)


def newest_protocol(session: Session, loader: Loader, study_id: int) -> Protocol | None:
    """Return the study's newest protocol version; None while none is loaded."""
    newest_id = session.scalar(_NEWEST_VERSION, {"study": study_id})
    return None if newest_id is None else loader.protocol_of(session, newest_id)


@dataclass(frozen=True, slots=True)
class PassedColumn:
    """The name of an export's column that somebody let pass, as a row of the audit trail says."""

    name: str
    at: datetime
    actor: str
    reason: str


def passed_columns(session: Session, study_id: int) -> tuple[PassedColumn, ...]:
    """Return the names of columns that were let pass in a study, oldest first."""
    a = audit_trail.c
    about = (a.study_id == study_id, a.entity == "study", a.action == "let_column_pass")
    rows = session.execute(select(a.at, a.actor, a.reason, a.changes).where(*about).order_by(a.id))
    return tuple(
        PassedColumn(json.loads(row.changes)["column"][1], row.at, row.actor, row.reason or "") for row in rows
    )
