"""Participants at an instant, with all that their visits say: every version of every answer, prompts and calls."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, bindparam, select

from pro_service.core.case import CONSENTED, PROMPTS, UNREACHABLE, Answer, Case, Source, WindowFacts
from pro_service.core.ladder import RUNGS
from pro_service.core.trail.as_of import Earlier
from pro_service.reports.data_set import texts
from pro_service.reports.data_set.frame import Frame, Member, earlier_facts, everybody
from pro_service.reports.data_set.texts import Text
from pro_service.store.participants.cases import Loaded, Loader, zone_of
from pro_service.store.schema import calls, responses, windows
from pro_service.store.session import Session

c, r, w = calls.c, responses.c, windows.c
_IDS: BindParameter[Sequence[int]] = bindparam("ids", expanding=True)
_AS_OF: BindParameter[datetime] = bindparam("as_of", type_=r.recorded_at.type)
_ANSWERS = (
    select(r.window_id, r.item, r.version, r.value, r.declined, r.source)
    .add_columns(r.received_at, r.recorded_at, r.in_window, r.entered_by)
    .where(r.participant_id.in_(_IDS), r.recorded_at <= _AS_OF, r.window_id.is_not(None))
    .order_by(r.version)
)
_CALLS = (
    select(c.window_id, c.called_at)
    .where(c.participant_id.in_(_IDS), c.window_id.is_not(None), c.called_at <= _AS_OF)
    .order_by(c.called_at, c.id)
)
_REASONS = select(w.id, w.missing_reason).where(w.participant_id.in_(_IDS), w.missing_reason.is_not(None))
_INSTANTS = (
    *("confirmed_at", "opted_out_at", "paused_at", "paused_until", "withdrawn_at", "died_at"),
    *CONSENTED.values(),
    *UNREACHABLE.values(),
)


class Given(NamedTuple):
    """One version of an answer."""

    item: str
    version: int
    value: int | None
    declined: bool
    source: Source
    received_at: datetime
    recorded_at: datetime
    in_window: bool
    entered_by: int | None


@dataclass(frozen=True, slots=True)
class Person:
    """A participant at the instant of the data set."""

    case: Case
    """Without messages, tasks and calls; nothing may be decided on it."""
    version: int
    """Number of the protocol version."""
    schedule: int
    site_id: int
    """Of the site now: who had a role there is asked by it."""
    given: Mapping[int, Sequence[Given]] = field(default_factory=dict)
    """Window -> versions of its answers, lower versions first."""
    prompts: Mapping[int, Sequence[Text]] = field(default_factory=dict)
    """Window -> invitation and reminders, oldest first."""
    called_at: Mapping[int, Sequence[datetime]] = field(default_factory=dict)
    """Window -> calls, oldest first."""
    missing: Mapping[int, str | None] = field(default_factory=dict)
    """Window -> why it is empty, as far as somebody said."""


def people(session: Session, loader: Loader, frame: Frame) -> Iterator[list[Person]]:
    """Yield the participants in the order of their codes, some at a time."""
    for members in everybody(session, frame):
        yield _batch(session, loader, frame, members)


def _batch(session: Session, loader: Loader, frame: Frame, members: Sequence[Member]) -> list[Person]:
    ids = [one.id for one in members]
    asked = {"ids": ids, "as_of": frame.as_of}
    then = earlier_facts(session, frame, ids)
    given: dict[int, list[Given]] = defaultdict(list)
    for window_id, *values in session.execute(_ANSWERS, asked):
        given[window_id].append(Given._make(values))
    called: dict[int, list[datetime]] = defaultdict(list)
    for window_id, at in session.execute(_CALLS, asked):
        called[window_id].append(at)
    prompts: dict[int, list[Text]] = defaultdict(list)
    for text in texts.about(session, frame, ids, PROMPTS):
        if text.window_id is not None:
            prompts[text.window_id].append(text)
    missing: dict[int, str | None] = {row.id: row.missing_reason for row in session.execute(_REASONS, {"ids": ids})}
    loaded = {one.case.participant.id: one for one in loader.load(session, ids, lock=False, whole=False)}
    made = []
    for member in members:
        one = loaded[member.id]
        case, version_id, schedule = one.case, one.protocol_version_id, one.schedule
        if member.id in then:
            facts = then[member.id]
            case, version_id, schedule = _at_that_time(session, loader, one, facts, given)
            missing |= facts.missing
        if case.closed_at is not None and case.closed_at > frame.as_of:
            case = replace(case, closed_at=None)
        number = frame.version_numbers[version_id]
        made.append(Person(case, number, schedule, one.site_id, given, prompts, called, missing))
    return made


def _at_that_time(
    session: Session, loader: Loader, one: Loaded, facts: Earlier, given: Mapping[int, Sequence[Given]]
) -> tuple[Case, int, int]:
    """Return the case as it was, the row id of its protocol version, and the number of its schedule."""
    person = dict(facts.person)
    version_id = person.pop("protocol_version", one.protocol_version_id)
    schedule = person.pop("schedule", one.schedule)
    assert isinstance(version_id, int)  # noqa: S101 -- for the type checker
    assert isinstance(schedule, int)  # noqa: S101 -- for the type checker
    protocol = loader.protocol_of(session, version_id)
    changed: dict[str, Any] = {name: person[name] for name in ("language", *RUNGS) if name in person}
    changed["site"] = protocol.sites[str(person.get("site", one.case.participant.site.code))]
    if "zone" in person:
        changed["zone"] = zone_of(str(person["zone"]))
    if "procedure_date" in person:
        changed["procedure_date"] = date.fromisoformat(str(person["procedure_date"]))
    for name in (*_INSTANTS, "procedure_end", "erased_at"):
        if name in person:
            changed[name] = _instant(person[name])
    case = one.case
    kept = tuple(
        replace(
            window,
            answers=_newest(given.get(window.id, ())),
            cancelled_at=None if window.id in facts.standing else window.cancelled_at,
            settled=facts.settled.get(window.id, window.settled),
            point=protocol.time_point(window.code) if window.id in facts.following else window.point,
        )
        for window in case.windows
        if window.id not in facts.unborn
    )
    participant = replace(case.participant, **changed)
    holidays = loader.holidays_of(participant.site.country)
    return (
        replace(case, participant=participant, protocol=protocol, holidays=holidays, windows=kept),
        version_id,
        schedule,
    )


def _newest(given: Sequence[Given]) -> dict[str, Answer]:
    """Return item -> the version that stands; lower versions come first."""
    return {
        one.item: Answer(one.item, one.value, one.declined, one.version, one.source, one.received_at, one.in_window)
        for one in given
    }


def _instant(told: object) -> datetime | None:
    return None if told is None else datetime.fromisoformat(str(told))


def current_windows(person: Person) -> dict[str, WindowFacts]:
    """Return code -> the window that counts; of a study that has ended also the windows that ended with it."""
    case = person.case
    found = {window.code: window for window in case.current}
    if case.closed_at is not None:
        ended = (window for window in case.windows if window.cancelled_at is not None)
        for window in ended:
            if window.cancelled_at is not None and window.cancelled_at >= case.closed_at:
                found.setdefault(window.code, window)
    return found
