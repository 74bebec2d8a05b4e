"""What should have happened and what did: the facts that show a silent failure.

`flow` reads the facts for the watch, which runs with every beat; `condition` reads what waits, since when, and which
tasks are open.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, ColumnElement, case, func, not_, or_, select

from pro_service.reports import statements
from pro_service.store import guards, heartbeats, seals, standing, throttle
from pro_service.store.confirmations import HELD
from pro_service.store.messages import channels, overdue
from pro_service.store.messages.channels import Channel
from pro_service.store.messages.outbox import may_go
from pro_service.store.messages.overdue import TakenUp
from pro_service.store.messages.waiting import READY, unconfirmed_since
from pro_service.store.schema import (
    IS_TEXT,
    AnyRow,
    escalations,
    inbound,
    messages,
    on_ladder,
    participants,
    protocol_versions,
    sites,
    studies,
    windows,
)
from pro_service.store.session import Session

REPORTED_AFTER = timedelta(hours=1)
"""By then a provider has said what became of nearly every text."""
SAMPLE = 200
"""How many of a study's latest texts are compared."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Instants: since when, None = not at all."""

    in_use: bool
    """Whether anybody is enrolled."""
    beats: Mapping[str, datetime]
    """When each beat was last alive."""
    undecided_since: datetime | None
    """The earliest moment at which the rules should have looked at a participant, and did not."""
    waiting_since: datetime | None
    """The earliest moment at which a message should have left, and did not."""
    unread_since: datetime | None
    """When the oldest text came that nobody has read."""
    states: Mapping[str, int]
    """State -> how many of the latest texts that left an hour ago or earlier."""
    channels: Mapping[str, Channel]
    codes_owed_until: datetime | None
    """Until when wrong card codes are paid off."""
    safety_overdue_since: datetime | None
    """When the oldest safety task fell due that is still open."""
    safety_taken_up: TakenUp | None = None
    """Who has the overdue safety tasks, if somebody has each."""
    clock_doubt: str | None = None
    """Why nothing is decided by the clock."""
    trail_changed: bool = False
    """Whether a trigger is not as it should be, or the last check of either kind found something."""
    unconfirmed_since: datetime | None = None
    """Since when the oldest text waits for the confirmation of its version."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Counts and instants; None where there is nothing."""

    studies_in_use: bool
    """Whether anybody is enrolled."""
    beat_at: datetime | None
    unread: int
    """Texts that nobody has read yet."""
    unread_since: datetime | None
    ready_since: datetime | None
    """Since when the oldest message waits that is due, or that failed and was put off."""
    dead_channels: int
    """Open tasks of level E0."""
    faulty: int
    """The number of participants not processed because the rules ended with an error."""
    cards_to_print: int
    """Participants who get no text before their card is made; up to TASKS_CAP a study."""


def flow(session: Session, now: datetime, ways: Sequence[str], *, leaves: bool) -> Flow:
    """Return the facts at `now`, by index look-ups alone; `ways` names the channels that are configured.

    `leaves`: texts go to a provider that is not on this machine.
    """
    known = channels.all_channels(session)
    m, p, i = messages.c, participants.c, inbound.c
    # The earliest moment tells both apart: a busy study has thousands due, a service that stands still has an old one.
    undecided = select(p.next_check_at).where(p.next_check_at <= now).order_by(p.next_check_at).limit(1)
    going = [name for name in ways if known[name].goes(now)]

    def waits(since: Column[datetime], *which: ColumnElement[bool]) -> datetime | None:
        statement = select(since).outerjoin(participants, p.id == m.participant_id)
        joined = statement.outerjoin(windows, windows.c.id == m.window_id)
        oldest = joined.where(READY, m.channel.in_(going), may_go(now, leaves=leaves), *which).order_by(since).limit(1)
        return session.scalar(oldest)

    # A failed attempt puts the next one off. Counted from then, a provider that is away would look like nothing to do.
    waiting = [waits(m.next_try_at, m.next_try_at <= now), waits(m.queued_at, m.attempt > 0)]
    unread = select(i.received_at).where(i.interpreted_at.is_(None)).order_by(i.received_at).limit(1)
    safety_since = overdue.since(session, now)
    return Flow(
        in_use=session.execute(select(p.id).limit(1)).first() is not None,
        beats=heartbeats.all_beats(session),
        undecided_since=session.scalar(undecided),
        waiting_since=min((at for at in waiting if at is not None), default=None),
        unread_since=session.scalar(unread),
        states=_states(session, now),
        channels=known,
        codes_owed_until=throttle.everybody_owes_until(session),
        safety_overdue_since=safety_since,
        safety_taken_up=None if safety_since is None else overdue.taken_up(session, now),
        clock_doubt=standing.clock_doubt(session),
        trail_changed=bool(guards.faults(session.connection()))
        or any(check.findings for check in seals.last_checks(session).values()),
        unconfirmed_since=unconfirmed_since(session) if leaves else None,
    )


def condition(session: Session, beat: str, now: datetime, *, leaves: bool) -> Condition:
    """Return the condition at `now`; `beat` names the heartbeat that must go on, for `leaves` see `flow`."""
    i, m, e, p = inbound.c, messages.c, escalations.c, participants.c
    unread = session.execute(select(func.count(), func.min(i.received_at)).where(i.interpreted_at.is_(None))).one()
    # A failed attempt puts the next one off. Counted from then, a provider that is away would look like nothing to do.
    since = case((m.attempt > 0, m.queued_at), else_=m.next_try_at)
    ready = select(func.min(since)).where(m.state == "ready", or_(m.next_try_at <= now, m.attempt > 0))
    if leaves:
        ready = ready.where(not_(HELD))
    open_e0 = select(func.count()).select_from(escalations).where(e.level == "E0", e.resolved_at.is_(None))
    return Condition(
        studies_in_use=session.execute(select(p.id).limit(1)).first() is not None,
        beat_at=heartbeats.last(session, beat),
        unread=unread[0],
        unread_since=unread[1],
        ready_since=session.scalar(ready),
        dead_channels=session.execute(open_e0).scalar_one(),
        faulty=session.execute(select(func.count()).select_from(participants).where(p.faults > 0)).scalar_one(),
        cards_to_print=sum(_cards_to_print(session, study, now) for study in session.scalars(select(studies.c.id))),
    )


def sites_asked_by_reply(session: Session) -> Sequence[AnyRow]:
    """Return the sites that still follow a participant who answers texts by reply."""
    p = participants.c
    statement = select(studies.c.id.label("study_id"), studies.c.code.label("study"), sites.c.code.label("site"))
    joined = statement.join(sites, sites.c.study_id == studies.c.id)
    asked = select(p.id).where(p.site_id == sites.c.id, *_ASKED_BY_REPLY).exists()
    return session.execute(joined.where(asked).order_by(studies.c.code, sites.c.code)).all()


def versions_asked_by_reply(session: Session) -> Sequence[AnyRow]:
    """Return the versions by which a participant is still asked who answers texts by reply: (id, study, number)."""
    v = protocol_versions.c
    statement = select(v.id, studies.c.code.label("study"), v.number).join(studies, studies.c.id == v.study_id)
    asked = select(participants.c.id).where(participants.c.protocol_version_id == v.id, *_ASKED_BY_REPLY).exists()
    return session.execute(statement.where(asked).order_by(studies.c.code, v.number)).all()


def asked_by(session: Session, channel: str) -> bool:
    """Whether the ladder of somebody who is still followed has this channel."""
    return session.scalar(select(participants.c.id).where(*_has_rung(channel)).limit(1)) is not None


def _has_rung(channel: str) -> tuple[ColumnElement[bool], ...]:
    return (
        on_ladder(channel),
        participants.c.opted_out_at.is_(None),
        participants.c.next_check_at.is_not(None),
    )


_ASKED_BY_REPLY = _has_rung("sms-reply")
"""A participant who is still followed, and answers texts by reply."""


def _cards_to_print(session: Session, study_id: int, now: datetime) -> int:
    due = statements.cards_due(limited=False, made=False, limit=statements.TASKS_CAP)
    return len(session.scalars(due, statements.parameters(study_id, None) | {"now": now}).all())


def _states(session: Session, now: datetime) -> Counter[str]:
    found: Counter[str] = Counter()
    for study_id in session.scalars(select(studies.c.id)).all():
        found.update(_latest(session, study_id, now))
    return found


def _latest(session: Session, study_id: int, now: datetime) -> Sequence[str]:
    m = messages.c
    statement = (
        select(m.state)
        .where(m.study_id == study_id, m.queued_at < now - REPORTED_AFTER, IS_TEXT)
        .order_by(m.queued_at.desc())
        .limit(SAMPLE)
    )
    return session.scalars(statement).all()
