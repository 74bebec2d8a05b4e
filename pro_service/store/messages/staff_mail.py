"""Mails to staff about work: alerts, alarms and hand-overs, and who gets them.

They carry the participant's code, the window and a link; nothing else. What is said about a task that waits for
somebody does not leave once that is over: `still_holds`, for texts to their telephones as well.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, and_, bindparam, func, or_, select, true, update

from pro_service.core.case import EscalationFacts
from pro_service.core.commands import Escalate
from pro_service.core.protocol import Level, LevelCode
from pro_service.core.schedule.safety_alerts import DAY
from pro_service.core.schedule.safety_alerts import KIND as STAFF
from pro_service.store.messages.waiting import READY
from pro_service.store.participants.cases import Loaded
from pro_service.store.participants.writer import Writer
from pro_service.store.schema import AnyRow, escalations, messages, participants, roles, users
from pro_service.store.session import Session
from pro_service.store.staff.accounts import HOLDS
from pro_service.store.vault import sealed

LEAD: LevelCode = "E2"
"""The rung of those who stand in: the other coordinators and the lead."""

CONDITIONAL = frozenset({"handed", "overdue", "unfinished"})
"""Frames that say of a task what may be over before they leave."""

Place: TypeAlias = tuple[int, int]
"""Ids of a study and of one of its sites."""

Ladder: TypeAlias = Mapping[LevelCode, Level]

MailText = Callable[[str, Loaded, Escalate, int], str]
"""(language, whose, what, escalation id) -> subject, blank line, body."""

m, e, u = messages.c, escalations.c, users.c


# --- who hears of it -------------------------------------------------------------------------------------------------


def recipients(
    session: Session, study_id: int, site_id: int, wanted: Sequence[str], *, there_at: datetime | None = None
) -> Sequence[AnyRow]:
    """Staff with one of these roles for this site, or for all of them: (id, language); not those away `there_at`."""
    there = true() if there_at is None else or_(users.c.away_until.is_(None), users.c.away_until <= there_at)
    r = roles.c
    statement = (
        select(users.c.id, users.c.language)
        .join(roles, r.user_id == users.c.id)
        .where(
            r.role.in_(wanted),
            HOLDS,
            users.c.disabled_at.is_(None),
            there,
            or_(r.study_id.is_(None), r.study_id == study_id),
            or_(r.site_id.is_(None), r.site_id == site_id),
        )
        .distinct()
        .order_by(users.c.id)
    )
    return session.execute(statement).all()


def stand_ins(session: Session, place: Place, ladder: Ladder, level: LevelCode, now: datetime) -> Sequence[AnyRow]:
    """Return who a task of this level is mailed to: those of its roles at work, else the lead, else all its roles."""
    for wanted in (ladder[level].roles, ladder[ladder[level].next or LEAD].roles, ladder[LEAD].roles):
        found = recipients(session, *place, wanted, there_at=now)
        if found:
            return found
    return recipients(session, *place, ladder[level].roles)


def everybody(session: Session, place: Place, ladder: Ladder) -> Sequence[AnyRow]:
    """Return who a safety task is for in the end, at work or not: all of its roles, and the investigators."""
    return recipients(session, *place, sorted({*ladder["ES"].roles, "investigator"}))


def operators(session: Session) -> Sequence[AnyRow]:
    """Those who run the service, or where nobody does every coordinator: (id, language)."""
    for role in ("administrator", "coordinator"):
        statement = (
            select(users.c.id, users.c.language)
            .join(roles, roles.c.user_id == users.c.id)
            .where(roles.c.role == role, HOLDS, users.c.disabled_at.is_(None))
            .distinct()
            .order_by(users.c.id)
        )
        found = session.execute(statement).all()
        if found:
            return found
    return ()


# --- what is queued and taken back -----------------------------------------------------------------------------------


def queue_alerts(session: Session, writer: Writer, text: MailText) -> None:
    """Queue one mail per escalation this writer raised and member of staff it is for."""
    cache: dict[tuple[int, int, int, LevelCode], Sequence[AnyRow]] = {}
    for loaded, command, escalation_id in writer.raised:
        key = (loaded.study_id, loaded.site_id, loaded.protocol_version_id, command.level)
        if key not in cache:
            place, ladder = (loaded.study_id, loaded.site_id), loaded.case.protocol.ladder
            cache[key] = stand_ins(session, place, ladder, command.level, writer.now)
        for user in cache[key]:
            about = About(loaded, escalation_id, command.window_id, f"a:{escalation_id}:{command.level}:{user.id}")
            queue_about_task(writer, about, user.id, "alert", text(user.language, loaded, command, escalation_id))
    writer.raised.clear()


class About(NamedTuple):
    """The task that a mail is about, and the key under which the mail exists once."""

    loaded: Loaded
    escalation_id: int
    window_id: int | None
    key: str


def queue_about_task(
    writer: Writer, about: About, user_id: int, frame: str, body: str, useful_until: datetime | None = None
) -> None:
    """Queue a mail about a task to one member of staff; `body`: subject, blank line, body."""
    loaded, row_id = about.loaded, next(writer.ids)
    row: dict[str, Any] = {"id": row_id, "study_id": loaded.study_id, "participant_id": loaded.case.participant.id}
    row |= {"window_id": about.window_id, "escalation_id": about.escalation_id, "user_id": user_id}
    row |= {"dedup_key": about.key, "kind": "alert", "frame": frame, "channel": "email", "segments": 0}
    row |= {"body": sealed(writer.vault.system_key, body.encode(), f"messages|body|{row_id}")}
    row |= {"state": "ready", "queued_at": writer.now, "next_try_at": writer.now, "useful_until": useful_until}
    writer.add(messages, row)
    writer.note(loaded, "queue", "message", row_id, {"kind": (None, "alert"), "user": (None, user_id)})


def queue_alarm(session: Session, writer: Writer, user_id: int, code: str, body: str) -> int | None:
    """Queue one mail about the service itself; None if there was one about this alarm today (UTC) or within a day.

    The day in the key is what guards against twice; that alone would write at 23:50 and again at 00:10, in one night.
    """
    today = writer.now.date()
    key, before = (f"s:{code}:{day.isoformat()}:{user_id}" for day in (today, today - DAY))
    lately = or_(m.dedup_key == key, and_(m.dedup_key == before, m.queued_at > writer.now - DAY))
    if session.scalar(select(m.id).where(lately)) is not None:
        return None
    row_id = next(writer.ids)
    row = {"id": row_id, "user_id": user_id, "dedup_key": key, "kind": "alert", "frame": "alarm", "channel": "email"}
    row |= {"body": sealed(writer.vault.system_key, body.encode(), f"messages|body|{row_id}"), "segments": 0}
    return writer.add(messages, row | {"state": "ready", "queued_at": writer.now, "next_try_at": writer.now})


def withdraw(session: Session, user_id: int, now: datetime) -> int:
    """End mails and texts that wait for somebody who has no access left to what they are about; return how many.

    Asked when a role has ended or an account is shut: a relay that was away for hours must not bring them all the same.
    """
    of = roles.alias("of")
    # A text names its task alone.
    study, site = func.coalesce(m.study_id, e.study_id), func.coalesce(participants.c.site_id, e.site_id)
    covers = and_(
        or_(of.c.study_id.is_(None), study.is_(None), of.c.study_id == study),
        or_(of.c.site_id.is_(None), site.is_(None), of.c.site_id == site),
    )
    holds = and_(of.c.user_id == user_id, of.c.revoked_at.is_(None), of.c.approved_at.is_not(None))
    open_to = (
        select(of.c.id).join(users, users.c.id == of.c.user_id).where(holds, covers, users.c.disabled_at.is_(None))
    )
    waiting = (
        select(m.id)
        .outerjoin(participants, participants.c.id == m.participant_id)
        .outerjoin(escalations, e.id == m.escalation_id)
        .where(READY, m.state == "ready", m.user_id == user_id, m.kind.in_(("alert", "digest", STAFF)))
        .where(or_(m.kind == "digest", ~open_to.correlate(messages, participants, escalations).exists()))
    )
    ids = session.scalars(waiting).all()
    ended = update(messages).where(m.id.in_(ids), m.state == "ready").values(state="cancelled", ended_at=now)
    return session.execute(ended).rowcount if ids else 0


# --- the mail about a hand-over --------------------------------------------------------------------------------------


def hand_over_key(escalation_id: int, to: int, at: datetime) -> str:
    """What one hand-over is called: the same task comes to the same person again, at another instant."""
    return f"h:{escalation_id}:{to}:{at:%Y%m%d%H%M%S%f}"


def queue_hand_over(writer: Writer, loaded: Loaded, task: EscalationFacts, to: int, text: Callable[[str], str]) -> None:
    """Queue the mail about a hand-over of this instant, `text` (language -> subject, blank line, body); once."""
    key = hand_over_key(task.id, to, writer.now)
    if writer.session.scalar(select(m.id).where(m.dedup_key == key)) is not None:
        return
    language = writer.session.scalar(select(u.language).where(u.id == to)) or ""
    queue_about_task(writer, About(loaded, task.id, task.window_id, key), to, "handed", text(language))


# --- what holds no more does not leave -------------------------------------------------------------------------------


def still_holds(connection: Connection, message_id: int) -> bool:
    """Whether what a mail or text of a CONDITIONAL frame says of its task still holds.

    The task is open, and nobody has taken it up, or somebody has, as the frame says; a hand-over's is this very one.
    """
    return connection.execute(_STILL, {"message": message_id}).first() is not None


_SAYS = or_(
    and_(m.frame == "handed", e.acknowledged_at.is_(None), e.handed_to == m.user_id, e.handed_at == m.queued_at),
    and_(m.frame == "overdue", e.acknowledged_at.is_(None)),
    and_(m.frame == "unfinished", e.acknowledged_at.is_not(None)),
)
_STILL = (
    select(m.id)
    .join(escalations, e.id == m.escalation_id)
    .join(users, u.id == m.user_id)
    .where(m.id == bindparam("message"), e.resolved_at.is_(None), u.disabled_at.is_(None), _SAYS)
)
