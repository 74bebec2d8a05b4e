"""A few participants whose past months the product itself has lived through: what every crowd is copied from."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Table, select

from pro_service.core.case import Source
from pro_service.core.commands import Send
from pro_service.core.conversation.answers import on_answers
from pro_service.core.schedule.agenda import next_moment, on_time
from pro_service.runtime import Runtime
from pro_service.store import schema
from pro_service.store.session import Session
from pro_service.use_cases import study
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.enrolment.enrol import enrol_file
from pro_service.use_cases.tick import tick
from pro_service.use_cases.transaction import transaction
from tests.bench.places import ACTOR, NOW, STUDY, Places, check

TABLES: tuple[Table, ...] = (
    schema.participants,
    schema.windows,
    schema.escalations,
    schema.messages,
    schema.attempts,
    schema.links,
    schema.responses,
)
"""Where a participant's facts lie, parents before children."""
COLUMNS = (
    "participant,site,procedure_date,language,messaging_consent,phone,timezone,channel,procedure_time,baseline_nrs_avg"
)
ZONES = ("Europe/Istanbul", "Europe/Berlin", "Europe/London", "Asia/Tbilisi", "Asia/Baku")
DAYS = (1, 2, 4, 5, 7, 7, 8, 12, 20, 29, 33, 36, 45, 60, 75, 88, 95, 100, 110, 125)
"""Days since the procedure; 7 twice, for their first invitation is due."""
SILENT = (8, 33, 60, 95)
"""Those who never answer, among these."""
STEP = timedelta(hours=6)
FIRST = timedelta(minutes=30)
"""Six-hourly, from half past midnight: the last step before noon is before anybody's ten o'clock."""


@dataclass(frozen=True, slots=True)
class Story:
    """One participant with everything that happened; `due` when time calls for the first invitation at NOW."""

    rows: Mapping[str, tuple[Mapping[str, Any], ...]]
    """Table name -> rows, column -> value."""
    due: bool
    next_check_at: datetime
    silent: bool

    @property
    def id(self) -> int:
        """The participant's row id."""
        return int(self.rows["participants"][0]["id"])


@dataclass(slots=True)
class _Hand:
    """A clock that is set by hand."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at


def lived(places: Places) -> tuple[Story, ...]:
    """Enrol, tick, deliver and answer from the first procedure to NOW; then read everybody's rows."""
    with places.runtime("sqlite") as fixed:
        today = NOW.replace(hour=0) + FIRST
        clock = _Hand(today - timedelta(days=max(DAYS)))
        rt = dataclasses.replace(fixed, clock=clock)
        study_id = study.chosen(rt, STUDY).id
        while clock.at <= today:
            if clock.at.hour >= today.hour + 18:  # the evening of the procedure
                day = clock.at.date()
                rows = [row for row in _file() if row.split(",")[2] == day.isoformat()]
                if rows:
                    enrol_file(rt, ACTOR, study_id, "\n".join([COLUMNS, *rows]).encode())
            tick(rt)
            deliver(rt)
            _answer(rt, clock.at)
            clock.at += STEP
        found = _read(rt)
    check(sum(story.due for story in found) >= len(ZONES), "too few stories wait for their first invitation")
    check(sum(not story.due for story in found) >= len(DAYS) * 2, "too few stories have a past and a future")
    return found


def _file() -> list[str]:
    """The rows of the enrolment file: every day in every zone."""
    rows = []
    for number, (ago, zone) in enumerate((ago, zone) for ago in DAYS for zone in ZONES):
        day: date = NOW.date() - timedelta(days=ago)
        site, channel = ("IST", "BER")[number % 2], ("sms-reply", "sms-link")[number // 2 % 2]
        cells = (f"B-{ago}-{number}", site, day, ("tr", "en")[number % 2], day, f"+49151{23450000 + number}")
        rows.append(",".join(map(str, (*cells, zone, channel, "10:00", 4 + number % 5))))
    return rows


def _answer(rt: Runtime, now: datetime) -> None:
    """Have all but the silent answer what they were asked."""
    p, w = schema.participants.c, schema.windows.c
    with rt.sessions.begin() as session:
        opened = select(p.id, p.code).join(schema.windows, w.participant_id == p.id)
        found = session.execute(opened.where(w.opens_at <= now, w.closes_at > now).distinct()).all()
    able = [row.id for row in found if int(row.code.split("-")[1]) not in SILENT]
    with transaction(rt, ACTOR, now) as tx:
        for loaded in rt.loader.load(tx.session, able):
            for window in loaded.case.current:
                open_now = window.span.opens_at <= now < window.span.closes_at
                asked = not window.point.prompted or loaded.case.texts(window.id)
                if open_now and asked and window.missing():
                    answers: dict[str, int | None] = dict.fromkeys(window.missing(), 3)
                    source: Source = "sms" if window.point.prompted else "clinic"
                    commands = on_answers(loaded.case, window, answers, source=source, received_at=now, now=now)
                    tx.carry_out(loaded, commands)


def _read(rt: Runtime) -> tuple[Story, ...]:
    """Everybody of whom time calls for nothing but a first invitation, or for nothing at all yet."""
    stories = []
    with rt.sessions.reading() as session:
        ids = session.scalars(select(schema.participants.c.id)).all()
        for loaded in rt.loader.load(session, ids, lock=False):
            case = loaded.case
            commands = on_time(case, NOW)
            next_check_at = loaded.next_check_at if commands else next_moment(case, NOW)
            due = [command.kind for command in commands if isinstance(command, Send)] == ["invitation"]
            if next_check_at is None or (commands and not (due and len(commands) == 1 and len(case.messages) == 0)):
                continue
            rows = {table.name: _rows(session, table, case.participant.id) for table in TABLES}
            silent = int(case.participant.code.split("-")[1]) in SILENT
            stories.append(Story(rows, due, next_check_at, silent))
    return tuple(stories)


def _rows(session: Session, table: Table, participant_id: int) -> tuple[Mapping[str, Any], ...]:
    """One participant's rows of a table."""
    statement = select(table).order_by(table.c.id)
    if table is schema.participants:
        statement = statement.where(table.c.id == participant_id)
    elif table is schema.attempts:
        statement = statement.join(schema.messages).where(schema.messages.c.participant_id == participant_id)
    else:
        statement = statement.where(table.c.participant_id == participant_id)
    return tuple(dict(row._mapping) for row in session.execute(statement))  # noqa: SLF001 -- SQLAlchemy's public name
