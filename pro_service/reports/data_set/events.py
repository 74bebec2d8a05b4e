"""The rows of what happened to participants: themselves, texts, calls, tasks, changes and revealed treatments."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, select

from pro_service.core.case import CONSENTED
from pro_service.core.ladder import RUNGS
from pro_service.core.protocol import Protocol
from pro_service.core.providers import FACTS
from pro_service.core.trail.as_of import Earlier
from pro_service.exports.data_tables import REPLACED
from pro_service.exports.tables import Cell
from pro_service.gateways.codes import KIND_BY_CODE, kind_of
from pro_service.reports.data_set import texts
from pro_service.reports.data_set.frame import Frame, earlier_facts, everybody, instant
from pro_service.store.participants import queries
from pro_service.store.participants.cases import Loader
from pro_service.store.schema import (
    AnyRow,
    calls,
    escalations,
    participants,
    reach_tests,
    revelations,
    schedule_changes,
    windows,
)
from pro_service.store.session import Session

Cells = Sequence[Cell]
COMMAND = "cli"
"""Who acted, where it was somebody at the command line."""
c, e, p, t, s, v = calls.c, escalations.c, participants.c, reach_tests.c, schedule_changes.c, revelations.c
_IDS: BindParameter[Sequence[int]] = bindparam("ids", expanding=True)
_AS_OF: BindParameter[datetime] = bindparam("as_of", type_=c.called_at.type)
_HAPPENED = (*CONSENTED.values(), "opted_out_at", "paused_at", "withdrawn_at", "died_at")
_PARTICIPANTS = select(
    *(
        p.id,
        p.language,
        p.zone,
        *(p[name] for name in RUNGS),
        p.procedure_date,
        p.procedure_end,
        p.confirmed_at,
        p.enrolled_at,
    ),
    *(p[name] for name in _HAPPENED),
    *(p.schedule, p.protocol_version_id.label("protocol_version"), p.erased_at),
).where(p.id.in_(_IDS))
_TESTS = (
    select(t.participant_id, t.confirmed_at, t.failed_at)
    .where(t.participant_id.in_(_IDS), t.started_at <= _AS_OF)
    .order_by(t.id)
)
_CALLS = (
    select(c.id, c.participant_id, windows.c.code.label("visit"), c.called_at, c.user_id, c.outcome, c.call_back_at)
    .outerjoin(windows, windows.c.id == c.window_id)
    .where(c.participant_id.in_(_IDS), c.called_at <= _AS_OF)
    .order_by(c.id)
)
_TASK = (
    select(e.id, e.participant_id, windows.c.code.label("visit"), e.level, e.reason, e.raised_at, e.due_at)
    .add_columns(e.acknowledged_at, e.resolved_at, e.outcome)
    .outerjoin(windows, windows.c.id == e.window_id)
)
_TASKS = _TASK.where(e.participant_id.in_(_IDS)).order_by(e.id)
_UNOWNED = (
    _TASK.where(e.participant_id.is_(None), e.study_id == bindparam("study"))
    .where(e.raised_at <= _AS_OF)
    .order_by(e.id)
)
_CHANGES = (
    select(s.id, s.changed_at, s.participant_id, s.cause, s.old_procedure_date, s.procedure_date)
    .add_columns(s.old_version_id, s.version_id, s.actor)
    .where(s.participant_id.in_(_IDS), s.changed_at <= _AS_OF)
    .order_by(s.id)
)
_REVEALED = (
    select(v.id, v.participant_id, v.at, v.source).where(v.participant_id.in_(_IDS), v.at <= _AS_OF).order_by(v.id)
)
_REVEALED_BY_UNKNOWN = (
    select(v.id, v.at, v.source)
    .where(v.study_id == bindparam("study"), v.participant_id.is_(None), v.at <= _AS_OF)
    .order_by(v.id)
)


def user(row_id: int | None) -> str | None:
    """Return how the data set calls a member of staff: never by name or address."""
    return None if row_id is None else f"U{row_id}"


def participant_rows(session: Session, loader: Loader, frame: Frame) -> Iterator[Cells]:
    """Yield the rows of `data/participants.csv`."""
    for members in everybody(session, frame):
        ids = [one.id for one in members]
        asked = {"ids": ids, "as_of": frame.as_of}
        found = {row["id"]: dict(row) for row in session.execute(_PARTICIPANTS, asked).mappings()}
        then = earlier_facts(session, frame, ids)
        tests = {row.participant_id: _tested(row, frame.as_of) for row in session.execute(_TESTS, asked)}
        for one in members:
            earlier = then[one.id].person if one.id in then else {}
            facts = found[one.id] | {name: _read(name, told) for name, told in earlier.items()}
            protocol: Protocol = loader.protocol_of(session, facts["protocol_version"])
            yield (
                one.code,
                one.site,
                facts["language"],
                facts["zone"],
                *(facts[name] for name in RUNGS),
                protocol.sites[one.site].country,
                facts["procedure_date"].isoformat(),
                instant(facts["procedure_end"]),
                instant(facts["confirmed_at"]),
                instant(facts["enrolled_at"]),
                *(instant(facts[name]) for name in _HAPPENED),
                tests.get(one.id, "none"),
                facts["schedule"],
                frame.version_numbers[facts["protocol_version"]],
                int(facts["erased_at"] is not None),
            )


def _read(name: str, told: object) -> object:
    """Return a fact from how the trail writes it."""
    if told is None or name in ("language", "zone", *RUNGS, "schedule", "protocol_version"):
        return told
    if name == "procedure_date":
        return datetime.fromisoformat(str(told)).date()
    return datetime.fromisoformat(str(told)) if name.endswith(("_at", "_end", "_until")) else told


def _tested(row: AnyRow, as_of: datetime) -> str:
    if row.confirmed_at is not None and row.confirmed_at <= as_of:
        return "confirmed"
    return "failed" if row.failed_at is not None and row.failed_at <= as_of else "none"


def message_rows(session: Session, frame: Frame) -> Iterator[Cells]:
    """Yield the rows of `data/messages.csv`: texts to participants, never their words."""
    for members in everybody(session, frame):
        codes = {one.id: one.code for one in members}
        for one in sorted(
            texts.about(session, frame, list(codes)), key=lambda one: (codes[one.participant_id], one.id)
        ):
            yield (
                one.id,
                codes[one.participant_id],
                one.visit,
                REPLACED.get(one.kind, one.kind),
                FACTS[one.channel].medium,
                FACTS[one.channel].provider,
                one.segments,
                one.state,
                instant(one.queued_at),
                instant(one.accepted_at),
                instant(one.sent_at),
                instant(one.ended_at),
                one.attempts,
                one.error,
                _class_of(one.error),
            )


def _class_of(error: str | None) -> str | None:
    return kind_of(error) if error is not None and (error.isdecimal() or error in KIND_BY_CODE) else None


def call_rows(session: Session, frame: Frame) -> Iterator[Cells]:
    """Yield the rows of `data/calls.csv`, never their notes."""
    for members in everybody(session, frame):
        codes = {one.id: one.code for one in members}
        for row in _by_code(session, _CALLS, frame, codes):
            at, back = instant(row.called_at), instant(row.call_back_at)
            yield row.id, codes[row.participant_id], row.visit, at, user(row.user_id), row.outcome, back


def task_rows(session: Session, frame: Frame) -> Iterator[Cells]:
    """Yield the rows of `data/tasks.csv`; first, where all sites are meant, those about no participant."""
    if frame.site is None:
        for row in session.execute(_UNOWNED, {"study": frame.study_id, "as_of": frame.as_of}).mappings():
            over = row["resolved_at"] is not None and row["resolved_at"] <= frame.as_of
            yield _task({**row} if over else {**row, "resolved_at": None, "outcome": None}, None)
    for members in everybody(session, frame):
        codes = {one.id: one.code for one in members}
        then = earlier_facts(session, frame, codes)
        found = session.execute(_TASKS, {"ids": list(codes)}).mappings()
        for row in sorted(found, key=lambda row: codes[row["participant_id"]]):
            earlier = then.get(row["participant_id"], Earlier())
            if row["id"] not in earlier.unborn:
                since = {name: _read(name, told) for name, told in earlier.tasks.get(row["id"], {}).items()}
                yield _task({**row, **since}, codes[row["participant_id"]])


def _task(facts: Mapping[str, Any], participant: str | None) -> Cells:
    return (
        facts["id"],
        participant,
        facts["visit"],
        facts["level"],
        facts["reason"],
        *(instant(facts[name]) for name in ("raised_at", "due_at", "acknowledged_at", "resolved_at")),
        facts["outcome"],
    )


def change_rows(session: Session, frame: Frame) -> Iterator[Cells]:
    """Yield the rows of `data/changes.csv`."""
    for members in everybody(session, frame):
        codes = {one.id: one.code for one in members}
        for row in _by_code(session, _CHANGES, frame, codes):
            yield (
                row.id,
                instant(row.changed_at),
                codes[row.participant_id],
                row.cause,
                row.old_procedure_date.isoformat(),
                row.procedure_date.isoformat(),
                frame.version_numbers[row.old_version_id],
                frame.version_numbers[row.version_id],
                _actor(row.actor),
            )


def _actor(told: str) -> str:
    """Return who changed something: a member of staff by number, else only which program."""
    kind, _, name = told.partition(":")
    return f"U{name}" if kind == "user" else kind


def query_rows(session: Session, frame: Frame) -> Iterator[Cells]:
    """Yield the rows of `data/queries.csv`: states and instants, never words."""
    as_of, slugs = frame.as_of, {key: item.slug for key, item in frame.shape.items.items()}
    for members in everybody(session, frame):
        for one in queries.facts(session, frame.study_id, [member.code for member in members]):
            if one.opened_at > as_of:
                continue
            answered = one.answered_at if one.answered_at is not None and one.answered_at <= as_of else None
            closed = one.closed_at if one.closed_at is not None and one.closed_at <= as_of else None
            yield (
                one.id,
                one.participant,
                one.visit,
                None if one.item is None else slugs[one.item],
                "closed" if closed else "answered" if answered else "open",
                instant(one.opened_at),
                instant(answered),
                instant(closed),
                user(one.opened_by) or COMMAND,
                (user(one.answered_by) or COMMAND) if answered else None,
            )


def revelation_rows(session: Session, frame: Frame) -> Iterator[Cells]:
    """Yield the rows of `data/revelations.csv`: that and when, never what."""
    if frame.site is None:
        for row in session.execute(_REVEALED_BY_UNKNOWN, {"study": frame.study_id, "as_of": frame.as_of}):
            yield row.id, None, instant(row.at), row.source
    for members in everybody(session, frame):
        codes = {one.id: one.code for one in members}
        for row in _by_code(session, _REVEALED, frame, codes):
            yield row.id, codes[row.participant_id], instant(row.at), row.source


def _by_code(session: Session, statement: Any, frame: Frame, codes: Mapping[int, str]) -> list[Any]:
    """Return rows by their participant's code and their number: the order that a check of the set expects."""
    found = session.execute(statement, {"ids": list(codes), "as_of": frame.as_of}).all()
    return sorted(found, key=lambda row: (codes[row.participant_id], row.id))
