"""A rehearsal is lived: participants are enrolled, asked, answer or do not; coordinators telephone; days go by."""

import random
import secrets
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from pro_service.core.routes import CARD
from pro_service.core.schedule.windows import local_instant
from pro_service.gateways.outgoing import Accepted, Outgoing
from pro_service.rehearsal.habits import Habits
from pro_service.rehearsal.office import Office
from pro_service.rehearsal.people import ENROLLED_AT, Person, days_of_procedures, invent
from pro_service.rehearsal.plan import Plan
from pro_service.rehearsal.virtual_time import Life, Progress
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


class Letterbox:
    """Takes the mails to staff, and keeps them inside the process."""

    def send(self, outgoing: Outgoing) -> Accepted:
        """Take a mail."""
        return Accepted(f"mail-{outgoing.message_id}", "accepted")


class Rehearsal:
    """One rehearsal on its stage."""

    def __init__(self, rt: Runtime, plan: Plan) -> None:
        self.plan, self.protocol = plan, plan.protocol
        self.chance = random.Random(f"rehearsal {plan.seed}")  # noqa: S311 -- the same people for the same seed
        zone = ZoneInfo(next(iter(self.protocol.sites.values())).zone)
        self.life = Life(rt, local_instant(plan.first, ENROLLED_AT, zone), Letterbox())
        self.rt = self.life.rt
        self.study_id = study.store_version(self.rt, REHEARSAL, plan.checked).study.id
        days = days_of_procedures(self.protocol, plan.first, plan.enrolling)
        kinds = plan.crowd.temperaments
        people = invent(self.protocol, kinds, plan.channels, days, plan.participants, self.chance)
        self.people = {person.code: person for person in people}
        telephones = {person.phone: person for person in people}
        self.habits = Habits(self.life, self.protocol, plan.crowd, telephones, self.chance)
        self.offices = self._offices()
        self._staff("investigator", None)

    def live(self, progress: Progress) -> None:
        """Live from the first enrolment to the end of the last day."""
        for person in self.people.values():
            self.life.at(person.enrolled_at, partial(self._enrols, person))
        for office in self.offices.values():
            office.opens(self.plan.first, self.plan.last)
        self.life.live(self.plan.end, self.habits.read, progress)
        self.life.clock.now = self.plan.end

    def _offices(self) -> dict[str, Office]:
        with self.rt.sessions.reading() as session:
            ids = studies.site_ids(session, self.study_id)
        by_code, manner = self.people, self.plan.crowd.office
        found = {}
        for code, site in self.protocol.sites.items():
            actor = self._staff("coordinator", code)
            where = (self.study_id, ids[code], self.protocol, site)
            found[code] = Office(self.life, *where, actor, self.habits, by_code, manner, self.chance)
        return found

    def _staff(self, role: str, site: str | None) -> Actor:
        """Give somebody an account, so that mails have a reader; nobody can sign in with it."""
        email, password = f"{role}-{site or 'study'}@rehearsal.invalid".lower(), secrets.token_urlsafe(24)
        added = accounts.add_user(self.rt, REHEARSAL, email, password, role, self.protocol.study, site)
        return Actor("staff", f"user:{added.user_id}", "dashboard", user_id=added.user_id)

    def _enrols(self, person: Person) -> None:
        enrol.enrol_one(self.rt, REHEARSAL, self.study_id, person.cells(self.protocol))
        if person.channel == CARD:
            # Printed and handed over before they leave the clinic.
            person.card = card.show(self.rt, REHEARSAL, self.study_id, person.code).scanned
        with self.rt.sessions.reading() as session:
            row_id = cases.find(session, self.study_id, person.code)
            loaded = None if row_id is None else self.rt.loader.one(session, row_id, lock=False)
        baseline = self.protocol.baseline
        for window in () if loaded is None else loaded.case.current:
            if not window.point.prompted and window.point != baseline:
                moment = self._measured_at(window.span.opens_at, window.span.closes_at)
                self.life.at(moment, partial(self.offices[person.site].measures, person, window.code))

    def _measured_at(self, opens_at: datetime, closes_at: datetime) -> datetime:
        """When staff measure in a clinic window: in its middle, if that is still to come."""
        return max(opens_at + (closes_at - opens_at) / 2, self.life.now + AFTER_ENROLMENT)
