"""Before somebody is enrolled: what the row that was filled in would bring, and what a procedure date alone would."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from pro_service.core import ladder as ladders
from pro_service.core.case import CONSENTED, Participant
from pro_service.core.problems import Problem, RejectedError
from pro_service.core.protocol import Protocol, Site
from pro_service.core.schedule.forecast import WhatIf, what_if
from pro_service.core.schedule.windows import local_instant
from pro_service.core.texts import masked, masked_address
from pro_service.runtime import Runtime, holidays_of
from pro_service.store.audit import Actor
from pro_service.store.participants.enrolment import Enrolment
from pro_service.use_cases.enrolment import enrol
from pro_service.use_cases.enrolment.rows import RowReader


@dataclass(frozen=True, slots=True)
class Preview:
    """One participant as they would be enrolled."""

    enrolment: Enrolment
    person: Participant
    phone: str | None
    """Masked."""
    email: str | None
    """Masked."""
    warnings: tuple[Problem, ...]
    """But those about the windows, which `outlook` says better."""
    outlook: WhatIf
    unchanged: bool
    """Enrolled already, with the same data."""


def preview(
    rt: Runtime, actor: Actor, study_id: int, cells: Mapping[str, str], *, sites: Collection[str] | None = None
) -> Preview:
    """What enrolling this row would bring; nothing is written. RejectedError with every fault, as enrolling raises."""
    done = enrol.enrol_one(rt, actor, study_id, cells, dry_run=True, sites=sites)
    now = rt.clock()
    with rt.sessions.reading() as session:
        version = enrol.newest_of(session, study_id)
        bundle = rt.bundles.get(session, version.id)
    reader = RowReader(bundle.protocol, bundle.wording.frames, now, sites, carriers=rt.carriers)
    row = reader.read(enrol.record_of(cells))
    if row.enrolment is None:
        raise RejectedError(row.faults)
    found = row.enrolment
    person = _as_enrolled(bundle.protocol.sites[found.site], found, now)
    return Preview(
        enrolment=found,
        person=person,
        phone=None if found.phone is None else masked(found.phone),
        email=None if found.email is None else masked_address(found.email),
        warnings=tuple(warning for warning in done.warnings if warning.path != "procedure_date"),
        outlook=what_if(bundle.protocol, person, holidays_of(person.site.country), now),
        unchanged=bool(done.unchanged),
    )


def _as_enrolled(site: Site, found: Enrolment, now: datetime) -> Participant:
    consents: dict[str, Any] = {CONSENTED[medium]: at for medium, at in found.consents.items()}
    rungs: dict[str, Any] = ladders.facts(found.ladder)
    return Participant(
        id=0,
        code=found.code,
        site=site,
        language=found.language,
        zone=ZoneInfo(found.zone),
        has_phone=found.phone is not None,
        procedure_date=found.procedure_date,
        enrolled_at=now,
        confirmed_at=now if found.confirmed else None,
        procedure_end=found.procedure_end,
        has_email=found.email is not None,
        **rungs,
        **consents,
    )


@dataclass(frozen=True, slots=True)
class Question:
    """A procedure that is only thought of."""

    site: str
    day: date
    at: time | None = None
    """When it ends, at the site."""
    texts: bool = True
    """Whether texts are sent; else people telephone."""


def ask(rt: Runtime, protocol: Protocol, asked: Question) -> WhatIf:
    """What a procedure on this day would bring to anybody at this site. KeyError for a site there is not."""
    site, now = protocol.sites[asked.site], rt.clock()
    zone = ZoneInfo(site.zone)
    person = Participant(
        id=0,
        code="",
        site=site,
        language=protocol.languages[0],
        zone=zone,
        channel="sms-link",
        has_phone=True,
        procedure_date=asked.day,
        enrolled_at=now,
        procedure_end=None if asked.at is None else local_instant(asked.day, asked.at, zone),
        consented_at=now if asked.texts else None,
    )
    return what_if(protocol, person, holidays_of(site.country), now)
