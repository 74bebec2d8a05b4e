"""A safety task that is overdue goes on alerting: mails, and texts to the telephones that staff left for it.

Its alerts end when the task does. They go to the roles that the ladder names, in the end to every investigator as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from pro_service import logs
from pro_service.core.protocol import Hours
from pro_service.core.schedule.safety_alerts import DAY, KIND, Alert, is_agreed_hour, newest_alert, text_until
from pro_service.runtime import Runtime
from pro_service.store import studies
from pro_service.store.messages import outbox, overdue, staff_mail, staff_texts
from pro_service.store.messages.staff_mail import About
from pro_service.store.participants.cases import Loaded, zone_of
from pro_service.store.schema import AnyRow
from pro_service.store.session import Session
from pro_service.store.staff import telephones
from pro_service.use_cases import mails, trusted_time
from pro_service.use_cases.transaction import SCHEDULER, Transaction, transaction

HOUR = timedelta(hours=1)


@dataclass(slots=True)
class AlertReport:
    """What one look queued."""

    mails: int = 0
    texts: int = 0


class Wanted(NamedTuple):
    """One mail or text that is to be queued."""

    key: str
    user_id: int
    language: str
    until: datetime
    """It is of no use from then on: the next alert comes, or the hours its reader agreed to are over."""


@dataclass(frozen=True, slots=True)
class Due:
    """The newest alert of one task, and what of it is still to be queued."""

    alert: Alert
    mails: Sequence[Wanted]
    texts: Sequence[Wanted]


def alert(rt: Runtime) -> AlertReport:
    """Queue the newest alert of every safety task that is overdue, once for each reader and way. Safe side by side."""
    report, now = AlertReport(), rt.clock()
    with rt.sessions.glance() as connection:
        if overdue.since(connection, now) is None:
            return report
    if not trusted_time.is_believed(rt):
        return report
    with rt.sessions.reading() as session:
        found = overdue.tasks(session, now)
    for task in found:
        try:
            _alert_about(rt, task, now, report)
        except Exception as fault:  # noqa: BLE001 -- one task's fault must not keep the others' alerts back
            logs.fault("alert", fault, escalation=task.id)
    return report


def next_moment(rt: Runtime, session: Session) -> datetime | None:
    """Return when the next alert may be due: for a clock that jumps from one such moment to the next."""
    now = rt.clock()
    moments = [overdue.upcoming(session, now)]
    for task in overdue.tasks(session, now):
        ladder = rt.bundles.get(session, task.protocol_version_id).protocol.ladder
        newest = newest_alert(task.due_at, task.acknowledged_at, ladder["ES"], now)
        # Taken up, a task rests for a day.
        moments.append(now + DAY if newest is None else newest.until)
    return min((moment for moment in moments if moment is not None), default=None)


def _alert_about(rt: Runtime, task: AnyRow, now: datetime, report: AlertReport) -> None:
    with rt.sessions.reading() as session:
        due = _due(rt, session, task, now)
    if due is None or not (due.mails or due.texts):
        return
    with transaction(rt, SCHEDULER, now) as tx:
        # The participant first, as everywhere; another scheduler that looks at the same task waits here.
        loaded = rt.loader.one(tx.session, task.participant_id)
        still = overdue.task(tx.session, task.id, now)
        due = None if still is None else _due(rt, tx.session, still, now)
        if due is not None:
            _queue(tx, loaded, task.id, due)
            report.mails += len(due.mails)
            report.texts += len(due.texts)


def _due(rt: Runtime, session: Session, task: AnyRow, now: datetime) -> Due | None:
    protocol = rt.bundles.get(session, task.protocol_version_id).protocol
    found = newest_alert(task.due_at, task.acknowledged_at, protocol.ladder["ES"], now)
    if found is None:
        return None
    place = task.study_id, task.site_id
    if found.first:
        readers = staff_mail.stand_ins(session, place, protocol.ladder, "ES", now)
    else:
        readers = staff_mail.everybody(session, place, protocol.ladder)
    agreed = telephones.agreed(session, [user.id for user in readers]) if rt.texts else {}
    zone, name = zone_of(protocol.sites[task.site].zone), f"{task.id}:{found.at:%Y%m%d%H%M%S}"

    def until(hours: Hours | None) -> datetime:
        return text_until(found, now, hours, zone)

    letters = [Wanted(f"a:{name}:{user.id}", user.id, user.language, found.until) for user in readers if rt.mail]
    texts = [
        Wanted(f"t:{name}:{user.id}", user.id, user.language, until(agreed[user.id]))
        for user in readers
        if user.id in agreed and is_agreed_hour(now, agreed[user.id], zone)
    ]
    there = outbox.existing_keys(session, [one.key for one in (*letters, *texts)])
    return Due(found, *([one for one in ones if one.key not in there] for ones in (letters, texts)))


def _queue(tx: Transaction, loaded: Loaded, escalation_id: int, due: Due) -> None:
    task = next(one for one in loaded.case.escalations if one.id == escalation_id)
    frame, hours = due.alert.frame, (tx.now - task.raised_at) // HOUR
    for one in due.mails:
        body = mails.safety_alert(frame, loaded, task, hours, tx.rt.settings.public_base_url, one.language)
        about = About(loaded, task.id, task.window_id, one.key)
        staff_mail.queue_about_task(tx.writer, about, one.user_id, frame, body, one.until)
    # With the hours each text differs from the one before: some operators block one that is the same.
    said = {"site": loaded.case.participant.site.code, "code": loaded.case.participant.code, "hours": str(hours)}
    queued = []
    for one in due.texts:
        body = mails.text(one.language, frame, said)
        facts = tx.rt.carrier(telephones.country_of(tx.session, one.user_id))
        row_id = staff_texts.queue(tx.writer, one.user_id, one.key, frame, body, one.until, facts, task.id)
        tx.writer.note(loaded, "queue", "message", row_id, {"kind": (None, KIND), "user": (None, one.user_id)})
        queued.append((one.user_id, row_id))
    # A telephone refers to its last text, which has to be there first.
    tx.write_now()
    for user_id, row_id in queued:
        telephones.remember_text(tx.session, user_id, row_id)


# --- who would hear --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Coverage:
    """Who would hear of a safety task at one site where participants are still followed."""

    study: str
    site: str
    readers: int
    """Accounts that hold a role which the ladder names for safety there."""
    telephones: int
    """Those of them who left a telephone that may be texted."""


def coverage(rt: Runtime) -> tuple[Coverage, ...]:
    """Return it for every such site, by study and site."""
    found = []
    with rt.sessions.reading() as session:
        for study in studies.all_studies(session):
            protocol = studies.newest_protocol(session, rt.loader, study.id)
            if protocol is None:
                continue
            for site_id, code in overdue.followed_sites(session, study.id):
                roles = protocol.ladder["ES"].roles
                readers = [user.id for user in staff_mail.recipients(session, study.id, site_id, roles)]
                found.append(Coverage(study.code, code, len(readers), len(telephones.agreed(session, readers))))
    return tuple(found)
