"""Before somebody is enrolled: what the row that was filled in would bring, and what a procedure date alone would."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import cast
from zoneinfo import ZoneInfo

from pro_service.core.problems import Problem, RejectedError
from pro_service.core.protocol import Channel, Protocol
from pro_service.core.routes import CHANNELS
from pro_service.core.schedule.forecast import PlannedParticipant, WhatIf, what_if
from pro_service.core.schedule.windows import local_instant
from pro_service.core.texts import masked
from pro_service.runtime import Runtime, holidays_of
from pro_service.store.audit import Actor
from pro_service.store.participants.enrolment import Enrolment
from pro_service.use_cases.enrolment import enrol
from pro_service.use_cases.enrolment.rows import RowReader


@dataclass(frozen=True, slots=True)
class Preview:
    """One participant as they would be enrolled."""

    enrolment: Enrolment
    phone: str | None
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
    participant = PlannedParticipant(
        bundle.protocol.sites[found.site],
        found.language,
        ZoneInfo(found.zone),
        cast("Channel", found.channel),
        found.phone is not None,
        found.consented_at,
    )
    holidays = holidays_of(participant.site.country)
    return Preview(
        enrolment=found,
        phone=None if found.phone is None else masked(found.phone),
        warnings=tuple(warning for warning in done.warnings if warning.path != "procedure_date"),
        outlook=what_if(bundle.protocol, participant, found.procedure_date, found.procedure_end, holidays, now),
        unchanged=bool(done.unchanged),
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
    consented_at: datetime | None = now if asked.texts else None
    participant = PlannedParticipant(site, protocol.languages[0], zone, CHANNELS[1], asked.texts, consented_at)
    end = None if asked.at is None else local_instant(asked.day, asked.at, zone)
    return what_if(protocol, participant, asked.day, end, holidays_of(site.country), now)
