"""The run of a rehearsal: participants are enrolled, asked, and answer or do not; coordinators call; days go by."""

import random
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from pro_service.core.routes import CARD
from pro_service.core.schedule.windows import local_instant
from pro_service.gateways.outgoing import Accepted, Outgoing
from pro_service.rehearsal.coordinators import Coordinators
from pro_service.rehearsal.habits import Habits
from pro_service.rehearsal.people import ENROLLED_AT, Person, days_of_procedures, invent
from pro_service.rehearsal.plan import Plan
from pro_service.rehearsal.virtual_time import Progress, Telephones, VirtualTime
from pro_service.runtime import Runtime
from pro_service.store import studies
from pro_service.store.audit import Actor
from pro_service.store.participants import cases
from pro_service.use_cases import study
from pro_service.use_cases.enrolment import enrol
from pro_service.use_cases.participants import card
from pro_service.use_cases.staff import accounts

REHEARSAL = Actor(kind="system", id="rehearsal", source="cli")
AFTER_ENROLMENT = timedelta(minutes=5)


@dataclass(slots=True)
class Letterbox:
    """Takes mails: those to participants are read as texts are, others are dropped. Nothing leaves the process."""

    telephones: Telephones | None = None

    def send(self, outgoing: Outgoing) -> Accepted:
        """Take a mail."""
        if outgoing.unsubscribe and self.telephones is not None:
            self.telephones.arrived.append(outgoing)
        return Accepted(f"mail-{outgoing.message_id}", "accepted")


class Rehearsal:
    """One rehearsal in its own database."""

    def __init__(self, rt: Runtime, plan: Plan) -> None:
        self.plan, self.protocol = plan, plan.protocol
        self.chance = random.Random(f"rehearsal {plan.seed}")  # noqa: S311 -- the same people for the same seed
        zone = ZoneInfo(next(iter(self.protocol.sites.values())).zone)
        mails = Letterbox()
        self.virtual = VirtualTime(rt, local_instant(plan.first, ENROLLED_AT, zone), mails, ("sms", "whatsapp"))
        mails.telephones = self.virtual.telephones
        self.rt = self.virtual.rt
        self.study_id = study.store_version(self.rt, REHEARSAL, plan.checked).study.id
        days = days_of_procedures(self.protocol, plan.first, plan.enrolling)
        kinds = plan.crowd.temperaments
        people = invent(self.protocol, kinds, plan.channels, days, plan.participants, self.chance)
        self.people = {person.code: person for person in people}
        telephones = {address: person for person in people for address in (person.phone, person.email)}
        self.habits = Habits(self.virtual, self.protocol, plan.crowd, telephones, self.chance)
        self.coordinators = self._make_coordinators()
        self._add_user("investigator", None)

    def run(self, progress: Progress) -> None:
        """Run from the first enrolment to the end of the last day."""
        for person in self.people.values():
            self.virtual.schedule(person.enrolled_at, partial(self._enrol, person))
        for team in self.coordinators.values():
            team.plan_days(self.plan.first, self.plan.last)
        self.virtual.run(self.plan.end, self.habits.read_text, progress)
        self.virtual.clock.now = self.plan.end

    def _make_coordinators(self) -> dict[str, Coordinators]:
        with self.rt.sessions.reading() as session:
            ids = studies.site_ids(session, self.study_id)
        by_code, manner = self.people, self.plan.crowd.office
        found = {}
        for code, site in self.protocol.sites.items():
            actor = self._add_user("coordinator", code)
            where = (self.study_id, ids[code], self.protocol, site)
            found[code] = Coordinators(self.virtual, *where, actor, self.habits, by_code, manner, self.chance)
        return found

    def _add_user(self, role: str, site: str | None) -> Actor:
        """Add an account, so that mails have a reader; nobody can sign in with it."""
        email, password = f"{role}-{site or 'study'}@rehearsal.invalid".lower(), secrets.token_urlsafe(24)
        added = accounts.add_user(self.rt, REHEARSAL, email, password, role, self.protocol.study, site)
        return Actor("staff", f"user:{added.user_id}", "dashboard", user_id=added.user_id)

    def _enrol(self, person: Person) -> None:
        enrol.enrol_one(self.rt, REHEARSAL, self.study_id, person.cells(self.protocol))
        if CARD in person.ladder:
            # Printed and handed over before they leave the clinic.
            person.card = card.show(self.rt, REHEARSAL, self.study_id, person.code).scanned
            card.hand_over(self.rt, REHEARSAL, self.study_id, [person.code])
        with self.rt.sessions.reading() as session:
            row_id = cases.find(session, self.study_id, person.code)
            loaded = None if row_id is None else self.rt.loader.one(session, row_id, lock=False)
        baseline = self.protocol.baseline
        for window in () if loaded is None else loaded.case.current:
            if not window.point.prompted and window.point != baseline:
                moment = self._measured_at(window.span.opens_at, window.span.closes_at)
                team = self.coordinators[person.site]
                self.virtual.schedule(moment, partial(team.enter_clinic_values, person, window.code))

    def _measured_at(self, opens_at: datetime, closes_at: datetime) -> datetime:
        """Return when staff measure in a clinic window: in its middle, if that is still to come."""
        return max(opens_at + (closes_at - opens_at) / 2, self.virtual.now + AFTER_ENROLMENT)
