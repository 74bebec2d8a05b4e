"""What monitoring asks for: counts, ages and how long the last tick took. Nothing here is about one person."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import get_args

from sqlalchemy import func, select

from pro_service.core.case import State
from pro_service.core.protocol import LevelCode
from pro_service.core.providers import WayOut
from pro_service.gateways.codes import kind_of
from pro_service.gateways.kinds import Kind
from pro_service.reports import health
from pro_service.reports.compliance import ComplianceRow, compliance, left_during
from pro_service.store import heartbeats, studies
from pro_service.store.participants.cases import Loader
from pro_service.store.schema import attempts, escalations, messages
from pro_service.store.session import Session

a, e, m = attempts.c, escalations.c, messages.c

UNSETTLED = 100
"""So many participants of each study whose windows have just closed are judged, as for the compliance page."""

NOT_SAID = ("not_begun", "no_gateway", "fault", str(None))
"""Errors of attempts that no provider said: there was no call, or no answer."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is looked up quickly in a database of any size; None where there is nothing."""

    tasks: Mapping[str, int]
    """Every level -> open tasks."""
    ready_for: timedelta | None
    """How long the oldest message waits that is due."""
    unread: int
    """Texts that nobody has read yet."""
    tick_age: timedelta | None
    tick_took: timedelta | None


@dataclass(frozen=True, slots=True)
class Counts:
    """What takes longer the more rows there are.

    Every state and class of the ways out that are configured is there, also with none: a program that looks for an
    increase finds none in a figure that was not there before.
    """

    messages: Mapping[tuple[str, str], int]
    """(way out, state) -> how many."""
    windows: Mapping[tuple[str, str], int]
    """(time point, how it is counted) -> how many, of all studies together."""
    refusals: Mapping[tuple[str, str], int]
    """(way out, class) -> how many calls a provider answered with a no."""


def standing(session: Session, beat: str, now: datetime, *, leaves: bool) -> Standing:
    """Return what stands at `now`; for `beat` and `leaves` see `health.condition`."""
    seen = health.condition(session, beat, now, leaves=leaves)
    tasks = select(e.level, func.count().label("n")).where(e.resolved_at.is_(None)).group_by(e.level)
    began = heartbeats.last(session, heartbeats.began(beat))
    return Standing(
        tasks=dict.fromkeys(get_args(LevelCode), 0) | {row.level: row.n for row in session.execute(tasks)},
        ready_for=None if seen.ready_since is None else now - seen.ready_since,
        unread=seen.unread,
        tick_age=None if seen.beat_at is None else now - seen.beat_at,
        tick_took=None if began is None or seen.beat_at is None else seen.beat_at - began,
    )


def counts(session: Session, loader: Loader, now: datetime, ways: Sequence[WayOut]) -> Counts:
    """Count every message, every window that was due, and every no of a provider; `ways` are those configured."""
    sent = Counter({(way, state): 0 for way in ways for state in get_args(State)})
    by_state = select(m.channel, m.state, func.count()).group_by(m.channel, m.state)
    sent.update({(channel, state): n for channel, state, n in session.execute(by_state)})
    windows: Counter[tuple[str, str]] = Counter()
    for study in studies.all_studies(session):
        for row in compliance(session, loader, study.id, now, cap=UNSETTLED):
            windows.update({(row["code"], status): n for status, n in _by_status(row).items()})
    said_no = (
        select(m.channel, a.error, func.count())
        .join(messages, m.id == a.message_id)
        .where(a.error.is_not(None), a.outcome.in_(("refused", "ready")), a.error.not_in(NOT_SAID))
        .group_by(m.channel, a.error)
    )
    refusals = Counter({(way, kind): 0 for way in ways for kind in get_args(Kind)})
    for channel, error, n in session.execute(said_no):
        refusals[channel, kind_of(error)] += n
    return Counts(sent, windows, refusals)


def _by_status(row: ComplianceRow) -> dict[str, int]:
    """Return how often each status stands in a row. All but the last were due, and add up to `due`."""
    return {
        "completed_in_window": row["completed_in_window"],
        "late": row["late"],
        "partial": row["partial"],
        "declined": row["declined"],
        "missed": row["missed"],
        "left_during": left_during(row),
        "missed_before_enrolment": row["missed_before_enrolment"],
    }
