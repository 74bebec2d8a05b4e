"""The morning's digest: at the start of a site's working hours, each of its staff who has work gets one mail a day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pro_service import logs
from pro_service.core.conversation.inbox import READING
from pro_service.core.protocol import LADDER_ROLES, LevelCode, Protocol, Role
from pro_service.core.schedule.calendar import local_day
from pro_service.core.schedule.digest import LISTED, Task, next_start, ordered, saves, working_until
from pro_service.core.trail.seals import Anchor, anchor_of
from pro_service.reports import digest, inbox
from pro_service.reports.inbox import Reader
from pro_service.runtime import Runtime, holidays_of
from pro_service.store import erasure_requests, seals, studies
from pro_service.store.audit import Entry
from pro_service.store.messages import digests, outbox
from pro_service.store.participants.cases import zone_of
from pro_service.store.schema import AnyRow
from pro_service.store.staff import approvals
from pro_service.store.staff.accounts import Grant, Login
from pro_service.store.studies import Sites
from pro_service.use_cases import mails
from pro_service.use_cases.mails import Morning
from pro_service.use_cases.staff.accounts import staff
from pro_service.use_cases.transaction import SCHEDULER, Transaction, transaction
from pro_service.use_cases.watch import alarms

READERS: tuple[Role, ...] = (*LADDER_ROLES, "administrator")
"""Roles that have work of their own here; the others measure when they come."""
ANCHORED: frozenset[Role] = frozenset({"investigator", "monitor"})
"""Roles whose morning mail holds the newest seal's anchor."""
UTC = ZoneInfo("UTC")


def send(rt: Runtime) -> int:
    """Queue the digests of every site at which a working day has begun; return how many mails.

    One transaction a site. After an outage at most one goes out: today's, while working hours last.
    """
    if rt.mail is None:
        return 0
    now = rt.clock()
    with rt.sessions.reading() as session:
        due = digests.due(session, now)
    sent = 0
    failing = tuple(alarm.code for alarm in alarms(rt)) if due else ()
    for site in due:
        try:
            with transaction(rt, SCHEDULER, now) as tx:
                sent += _Round(tx, failing).write_to(site)
        except Exception as fault:  # noqa: BLE001 -- one site's fault must not keep the others' mails back
            logs.fault("digest", fault, site=site.id)
    return sent


def choose_digest(rt: Runtime, login: Login, *, wanted: bool) -> bool:
    """Have the digest from now on, or no more; False if that was so before."""
    with transaction(rt, staff(login.user_id), rt.clock()) as tx:
        if not digests.set_wanted(tx.session, login.user_id, wanted=wanted):
            return False
        tx.writer.audit(Entry("choose_digest", "user", login.user_id, {"digest": (not wanted, wanted)}), UTC)
    return True


def wants_digest(rt: Runtime, login: Login) -> bool:
    """Whether somebody gets the digest."""
    with rt.sessions.reading() as session:
        return digests.wants_digest(session, login.user_id)


@dataclass(slots=True)
class _Round:
    """One site's morning, in one transaction."""

    tx: Transaction
    failing: Sequence[str]
    """Alarms of the service itself."""
    _tasks: dict[tuple[int, frozenset[LevelCode], int | None], list[Task]] = field(default_factory=dict)
    _studies: dict[int, Protocol] = field(default_factory=dict)
    _pending: Sequence[approvals.Pending] = ()
    _erasures: Sequence[AnyRow] = ()
    _anchor: Anchor | None = None

    def write_to(self, site: AnyRow) -> int:
        """Take the round over, and write to those who have something to do."""
        protocol = digest.protocol_with(self.tx.session, self.tx.rt.loader, site.study_id, site.code)
        zone = UTC if protocol is None else zone_of(protocol.sites[site.code].zone)
        if protocol is None:
            return 0  # being loaded: looked at again by the next tick
        holidays = holidays_of(protocol.sites[site.code].country)
        following = next_start(self.tx.now, protocol.working_hours, zone, holidays)
        if not digests.move_to_next(self.tx.session, site, following) or site.digest_at is None:
            return 0
        until = working_until(self.tx.now, protocol.working_hours, zone, holidays)
        return 0 if until is None else self._write(site, local_day(self.tx.now, zone), until)

    def _write(self, site: AnyRow, day: date, until: datetime) -> int:
        readers = digests.readers(self.tx.session, site.study_id, site.id, READERS, self.tx.now)
        keys = {user.id: f"d:{user.id}:{day.isoformat()}" for user in readers}
        before = outbox.existing_keys(self.tx.session, keys.values())
        held = digests.grants_of(self.tx.session, keys)
        self._studies, self._pending = self._protocols(), approvals.pending(self.tx.session)
        self._erasures = erasure_requests.waiting(self.tx.session)
        newest = seals.newest(self.tx.session)
        self._anchor = None if newest is None else anchor_of(newest)
        sent = 0
        for user in readers:
            if keys[user.id] in before:
                continue
            morning = self._morning(user.id, held[user.id], day, until)
            if morning.empty:
                continue
            body = mails.digest(user.language, morning, self.tx.rt.settings.public_base_url)
            row_id = digests.queue(self.tx.writer, user.id, keys[user.id], body, until)
            self.tx.writer.audit(Entry("digest", "message", row_id, {"user": (None, user.id)}), UTC)
            sent += 1
        return sent

    def _morning(self, user_id: int, held: Sequence[Grant], day: date, until: datetime) -> Morning:
        texts = self._texts(held)
        of_texts = {self._studies[study_id].study for study_id, waiting in texts.items() if waiting}
        tasks = ordered(
            # "Read this" is said once, by how many texts wait; a call that it has become is another matter.
            (
                task
                for grant in held
                for task in self._of_grant(grant, until)
                if task.reason not in READING or task.study not in of_texts or saves(task, self.tx.now)
            ),
            self.tx.now,
        )
        runs = any(grant.role == "administrator" for grant in held)
        return Morning(
            day=day,
            now=self.tx.now,
            tasks=tasks[:LISTED],
            more=len(tasks) > LISTED,
            several_studies=len(self._named(held)) > 1,
            texts=sum(texts.values()),
            cards=self._cards(held),
            approvals=sum(approvals.may_decide(held, user_id, one) for one in self._pending),
            erasures=sum(erasure_requests.may_decide(held, user_id, one) for one in self._erasures),
            waiting_roles=len(self._pending) if runs else 0,
            alarms=self.failing if runs else (),
            anchor=self._anchor if any(grant.role in ANCHORED for grant in held) else None,
        )

    def _protocols(self) -> dict[int, Protocol]:
        found = {}
        for study in studies.all_studies(self.tx.session):
            protocol = studies.newest_protocol(self.tx.session, self.tx.rt.loader, study.id)
            if protocol is not None:
                found[study.id] = protocol
        return found

    def _named(self, held: Sequence[Grant]) -> frozenset[int]:
        """The studies that somebody works in."""
        own = {grant.study_id for grant in held if grant.role != "administrator"}
        return frozenset(study for study in self._studies if None in own or study in own)

    def _of_grant(self, grant: Grant, until: datetime) -> list[Task]:
        """The open tasks that one role has to do with, by the ladder of the newest protocol."""
        found: list[Task] = []
        for study_id in self._named([grant]):
            levels = self._studies[study_id].levels_of(grant.role)
            key = (study_id, levels, grant.site_id)
            if key not in self._tasks:
                sites: Sites = None if grant.site_id is None else frozenset({grant.site_id})
                span = (self.tx.now, until)
                self._tasks[key] = digest.tasks(self.tx.session, self.tx.rt.loader, study_id, levels, sites, span)
            found += self._tasks[key]
        return found

    def _cards(self, held: Sequence[Grant]) -> int:
        """Cards that a coordinator is to print, before which no text is sent."""
        grants, due = [grant for grant in held if grant.role == "coordinator"], 0
        for study_id in self._named(grants):
            mine = {grant.site_id for grant in grants if grant.study_id in (None, study_id)}
            sites = None if None in mine else frozenset(site for site in mine if site is not None)
            due += digest.cards_to_print(self.tx.session, study_id, sites, self.tx.now)
        return due

    def _texts(self, held: Sequence[Grant]) -> Mapping[int, int]:
        """Texts that wait for a coordinator, by study; where somebody assesses too, what was typed is not theirs."""
        waiting: dict[int, int] = {}
        for study_id in self._named([grant for grant in held if grant.role == "coordinator"]):
            own = {g.role: set[int | None]() for g in held}
            for grant in held:
                if grant.study_id in (None, study_id):
                    own[grant.role].add(grant.site_id)
            if own.get("assessor"):
                continue
            mine = own["coordinator"]
            every = None in mine
            sites = None if every else frozenset(site for site in mine if site is not None)
            waiting[study_id] = inbox.count(self.tx.session, Reader(study_id, sites, strangers=every), self.tx.now)
        return waiting
