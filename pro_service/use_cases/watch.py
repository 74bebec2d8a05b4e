"""Silent failures speak: what should have been sent, what was accepted and what arrived are compared.

One list of alarms for the dashboard, the doctor, the health page and the mail to those who run the service.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pro_service.core.providers import WayOut
from pro_service.core.schedule.safety_alerts import DAY
from pro_service.core.throttle import EVERYBODY
from pro_service.gateways.codes import kind_of
from pro_service.gateways.kinds import MARKETING
from pro_service.reports import health
from pro_service.reports.health import Flow
from pro_service.runtime import Runtime
from pro_service.store import manifests, readiness
from pro_service.store.audit import Entry
from pro_service.store.disk import disks
from pro_service.store.messages import staff_mail
from pro_service.store.messages.overdue import TakenUp
from pro_service.store.unavailable import Cause
from pro_service.use_cases import keys, mails
from pro_service.use_cases.transaction import SCHEDULER, transaction

SILENT = timedelta(minutes=15)
UNREAD = timedelta(minutes=5)
WEB_BEAT = "web"
WRITE_EVERY = timedelta(seconds=10)
FEWEST = 10
"""Texts from which on a share says something."""
MOST_FAILED = 0.5
SAFETY = "safety_overdue"
"""The alarm about people's work; every other one is about the service."""
TRAIL = "trail"
"""The alarm that the audit trail is not as it was written."""
UNCONFIRMED = "unconfirmed"
"""The alarm that texts wait for a confirmation; pages say for which study."""
BACKUP = "backup"
"""The alarm that backups were made, and no longer are."""
HELD = "quarantine"
"""The alarm that a way out is in quarantine; its name follows, because each ends in its own way."""
DISK = "disk"
"""The alarm that a disk on which this service writes is nearly full."""
CLOCK = "clock"
"""The alarm that nothing is decided or sent, because the clock may be wrong."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that should happen does not. `code` names it; `since`: from when on, where that is known."""

    code: str
    since: datetime | None = None
    taken_up: TakenUp | None = None
    """Who has what it is about, if that is people's work and somebody has all of it."""


def alarms(rt: Runtime) -> tuple[Alarm, ...]:
    """Everything that fails in silence now, the worst first."""
    now = rt.clock()
    with rt.sessions.reading() as session:
        seen = health.flow(
            session,
            now,
            rt.ways,
            leaves=rt.texts_leave,
        )
    found = _alarms(seen, now, {way: rt.pace(way).per_day for way in rt.texts})
    minded = any(disk.minded for disk in disks(rt.settings.database_url, rt.settings.backup_dir))
    return (
        *found,
        *_no_backup(rt, now, in_use=seen.in_use and seen.clock_doubt is None),
        *([Alarm(DISK)] if minded else []),
    )


def _no_backup(rt: Runtime, now: datetime, *, in_use: bool) -> Iterator[Alarm]:
    """A timer that fails every night is silent. Where there never was a backup, they are made by other means."""
    age = manifests.age(rt.settings.backup_dir, now) if in_use else None
    if age is not None and age > manifests.OLD:
        yield Alarm(BACKUP, now - age)


def not_writable(rt: Runtime) -> Cause | None:
    """Return why nothing can be saved; None if it can. Reading goes on when the disk is full: only a write shows it."""
    return readiness.write(rt.sessions, WEB_BEAT, rt.clock(), WRITE_EVERY)


def watch(rt: Runtime) -> tuple[Alarm, ...]:
    """The same, mailed to those who run the service: each alarm once a day, and not again within a day."""
    keys.beat(rt)
    found, now = alarms(rt), rt.clock()
    to_mail = [alarm for alarm in found if not _rests(alarm, now)]
    if to_mail and rt.mail is not None:
        with transaction(rt, SCHEDULER, now) as tx:
            for alarm in to_mail:
                for user in staff_mail.operators(tx.session):
                    body = mails.alarm(user.language, alarm.code, rt.settings.public_base_url)
                    row_id = staff_mail.queue_alarm(tx.session, tx.writer, user.id, alarm.code, body)
                    if row_id is not None:
                        changes = {"alarm": (None, alarm.code), "user": (None, user.id)}
                        tx.writer.audit(Entry("alarm", "message", row_id, changes), ZoneInfo("UTC"))
    return found


def _rests(alarm: Alarm, now: datetime) -> bool:
    """Whether nobody is to be written to: somebody has taken it up, and has a day for it as with its other alerts."""
    return alarm.taken_up is not None and now < alarm.taken_up.at + DAY


def _alarms(seen: Flow, now: datetime, per_day: Mapping[WayOut, int | None]) -> Iterator[Alarm]:
    if seen.clock_doubt is not None:
        # What the others say of time may be wrong too.
        yield Alarm(CLOCK)
        return
    if seen.trail_changed:
        yield Alarm(TRAIL)
    if seen.safety_overdue_since is not None:
        yield Alarm(SAFETY, seen.safety_overdue_since, seen.safety_taken_up)
    yield from _scheduler(seen, now)
    yield from _sending(seen, now, per_day)
    if seen.unread_since is not None and now - seen.unread_since > UNREAD:
        yield Alarm("unread", seen.unread_since)
    if EVERYBODY.nearly_spent(seen.codes_owed_until, now):
        yield Alarm("guessing", None)
    yield from _arrival(seen)


def _sending(seen: Flow, now: datetime, per_day: Mapping[WayOut, int | None]) -> Iterator[Alarm]:
    """What holds texts back, and whether some wait that nothing holds back."""
    if seen.unconfirmed_since is not None:
        yield Alarm(UNCONFIRMED, seen.unconfirmed_since)
    for way in per_day:
        if (since := seen.channels[way].quarantined_at) is not None:
            yield Alarm(f"{HELD}_{way}", since)
    for name, channel in seen.channels.items():
        if channel.stopped_by is not None:
            marketing = kind_of(channel.stopped_by) == MARKETING
            yield Alarm(MARKETING if marketing else f"stopped_{name}", None)
    today = now.date()
    full = any(most is not None and seen.channels[way].sent_on(today) >= most for way, most in per_day.items())
    if full and seen.waiting_since is not None:
        yield Alarm("daily_limit", None)
    elif seen.waiting_since is not None and now - seen.waiting_since > SILENT:
        yield Alarm("waiting", seen.waiting_since)


def _scheduler(seen: Flow, now: datetime) -> Iterator[Alarm]:
    """Whether the rules are asked at all, and get through."""
    beat = seen.beats.get("tick")
    if (seen.in_use and beat is None) or (beat is not None and now - beat > SILENT):
        yield Alarm("scheduler", beat)
    elif seen.undecided_since is not None and now - seen.undecided_since > SILENT:
        yield Alarm("undecided", seen.undecided_since)


def _arrival(seen: Flow) -> Iterator[Alarm]:
    """Compare what was accepted with what arrived."""
    arrived = seen.states.get("delivered", 0)
    failed = seen.states.get("undelivered", 0) + seen.states.get("failed", 0)
    unknown = seen.states.get("accepted", 0) + seen.states.get("sent", 0)
    if arrived + failed >= FEWEST and failed >= MOST_FAILED * (arrived + failed):
        yield Alarm("undelivered", None)
    if not arrived + failed and unknown >= FEWEST:
        yield Alarm("no_receipts", None)
