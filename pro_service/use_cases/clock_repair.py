"""Undo what a clock that ran ahead has decided: at start, once an hour, and after a clock was not believed.

A step of up to two weeks is believed if no second clock says otherwise, because it may have been an outage. When the
time is right again, no participant may miss a question because of the step.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pro_service import logs
from pro_service.core.case import WRONG_CLOCK, Participant
from pro_service.core.commands import Redate, Reopen, Retract, Unresolve
from pro_service.core.schedule.agenda import next_moment
from pro_service.core.schedule.digest import next_start
from pro_service.core.schedule.wrong_clock import undo
from pro_service.core.trusted_time import AGREES
from pro_service.reports import digest
from pro_service.runtime import Runtime, holidays_of
from pro_service.store import future, heartbeats
from pro_service.store.audit import Entry
from pro_service.store.messages import digests
from pro_service.store.participants.cases import Loaded, zone_of
from pro_service.store.session import Session
from pro_service.use_cases import trusted_time
from pro_service.use_cases.transaction import SCHEDULER, transaction

BEAT = trusted_time.REPAIR
BATCH = 200
PUT_OFF = timedelta(minutes=15)
HELD, SNOOZED = timedelta(hours=24), timedelta(days=3)
"""No text of a participant holds their prompts for longer than this."""
HAPPENED = (
    *("enrolled_at", "confirmed_at", "consented_at", "opted_out_at", "paused_at", "withdrawn_at", "died_at"),
    *("unreachable_at", "first_text_at", "card_made_at", "card_handed_at"),
    *("email_consented_at", "email_unreachable_at", "whatsapp_consented_at", "whatsapp_unreachable_at"),
)
UTC = ZoneInfo("UTC")


@dataclass(slots=True)
class RepairReport:
    """What was undone."""

    windows: int = 0
    """Counted before their close."""
    tasks: int = 0
    """Raised or ended by a clock that ran ahead."""
    participants: int = 0
    """Participants who would have been checked too late, or had a fact from the future."""
    rows: int = 0
    """Texts, beats and other rows from the future."""


def repair_now_and_then(rt: Runtime) -> RepairReport:
    """Do it where it is time to: once an hour, and at once after a doubt or when a beat comes from the future."""
    return repair(rt) if trusted_time.repair_is_due(rt) else RepairReport()


def repair(rt: Runtime) -> RepairReport:
    """Look at everybody, a few hundred at a time, and take back what a clock that ran ahead has decided."""
    report, after = RepairReport(), 0
    while trusted_time.is_believed(rt):
        # Read anew for each batch: what others decide meanwhile is not from the future.
        now = rt.clock()
        with rt.sessions.reading() as session:
            ids = future.participants_ahead(session, after, BATCH)
            loaded = rt.loader.load(session, ids, lock=False)
        if wrong := [one.case.participant.id for one in loaded if _is_wrong(one, now)]:
            _repair(rt, wrong, report)
        if len(ids) < BATCH:
            _finish(rt, report)
            break
        after = ids[-1]
    if any(asdict(report).values()):
        logs.event("clock.undone", **asdict(report))
    return report


def _finish(rt: Runtime, report: RepairReport) -> None:
    now = rt.clock()
    with transaction(rt, SCHEDULER, now) as tx:
        report.rows = future.bring_back(tx.session, now) + _mornings(rt, tx.session, now)
        if any(asdict(report).values()):
            changes = {name: (None, count) for name, count in asdict(report).items() if count}
            tx.writer.audit(Entry("undo", "clock", None, changes, reason=WRONG_CLOCK), UTC)
        heartbeats.beat(tx.session, BEAT, now)


def _is_wrong(loaded: Loaded, now: datetime) -> bool:
    if any(True for _ in undo(loaded.case, now)) or _ahead(loaded.case.participant, now):
        return True
    following, planned = next_moment(loaded.case, now), loaded.next_check_at
    if loaded.faults and planned is not None and planned <= now + PUT_OFF:
        return False
    return following is not None and (planned is None or planned > following)


def _repair(rt: Runtime, ids: Sequence[int], report: RepairReport) -> None:
    now = rt.clock()
    with transaction(rt, SCHEDULER, now) as tx:
        for loaded in rt.loader.load(tx.session, ids, skip_locked=True):
            if not _is_wrong(loaded, now):
                continue
            commands = tuple(undo(loaded.case, now))
            tx.carry_out(loaded, commands)
            if values := _ahead(loaded.case.participant, now):
                tx.writer.change(loaded, values, "redate", WRONG_CLOCK)
            tx.writer.check_again(loaded)
            report.participants += 1
            report.windows += sum(isinstance(command, Reopen) for command in commands)
            report.tasks += sum(isinstance(command, Retract | Redate | Unresolve) for command in commands)


def _ahead(person: Participant, now: datetime) -> dict[str, datetime]:
    """Return what of a participant says that it is still to come, with what it is to say."""
    found = {name: now for name in HAPPENED if (at := getattr(person, name)) is not None and at > now + AGREES}
    for name, longest in (("texts_held_until", HELD), ("snoozed_until", SNOOZED)):
        until = getattr(person, name)
        if until is not None and until > now + longest:
            found[name] = now
    return found


def _mornings(rt: Runtime, session: Session, now: datetime) -> int:
    """Have each site's next digest worked out again that comes later than its next morning."""
    moved = 0
    for site in digests.later_than(session, now):
        protocol = digest.protocol_with(session, rt.loader, site.study_id, site.code)
        if protocol is None:
            continue
        place = protocol.sites[site.code]
        following = next_start(now, protocol.working_hours, zone_of(place.zone), holidays_of(place.country))
        if site.digest_at > following:
            moved += digests.move_to_next(session, site, following)
    return moved
