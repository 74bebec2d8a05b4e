"""Which prompts should have gone out in a run, worked out anew from the protocol; and whether they did."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from pro_service.core.case import PROMPTS, Case, WindowFacts
from pro_service.core.protocol import Protocol, Step
from pro_service.store.schema import AnyRow
from tests.simulation.carrier import Taken
from tests.simulation.people import Person
from tests.simulation.weather import Weather

Done: TypeAlias = dict[tuple[str, int], datetime]
"""(participant, window id) -> when nothing more was to be asked."""
DAY = timedelta(days=1)
BEFORE = 2 * DAY
"""A prompt of the day before, or the day before that, may put this one off."""
USELESS = timedelta(hours=6)
"""A prompt is useless with less time than this before the close."""


def lost(
    person: Person, case: Case, protocol: Protocol, weather: Weather, taken: Sequence[Taken], ends: Done
) -> Iterator[tuple[str, datetime]]:
    """Give every step (with its moment) that was due, allowed and useful, and neither left nor became a task."""
    confirmed = person.confirmed_at
    if confirmed is None or not person.consents:
        return
    started = max(confirmed, person.enrols_at)
    prompts = {text.id: text for text in case.messages if text.kind in PROMPTS}
    mine = [(one, prompts[one.outgoing.message_id]) for one in taken if one.outgoing.message_id in prompts]
    days = {one.handed_at.astimezone(person.zone).date() for one, _ in mine}
    for code, span in person.spans.items():
        window = next(one for one in case.current if one.code == code)
        steps = protocol.time_point(code).steps
        names = [step.name for step in steps]
        # Somebody who asked for another moment may have got a later step before its time.
        reached = max((names.index(text.kind) for _, text in mine if text.window_id == window.id), default=-1)
        for step in steps[reached + 1 :]:
            at = _moment(person, window, step)
            wanted = started <= at <= span.closes_at - USELESS and not _ended(
                person, case, ends.get((person.code, window.id)), at
            )
            if not wanted or weather.over(at - BEFORE, at + DAY) or _explained(person, case, window, at):
                continue
            if at.astimezone(person.zone).date() not in days:
                yield f"{step.name} of {code}", at


def _moment(person: Person, window: WindowFacts, step: Step) -> datetime:
    day = window.span.target + step.after * DAY
    return datetime.combine(day, step.at, tzinfo=person.zone).astimezone(UTC)


def done(answers: Sequence[AnyRow], protocol: Protocol) -> Done:
    """When each window first wanted nothing more: all answered, or the deciding item declined. Answers in order."""
    given: dict[tuple[str, int], set[str]] = defaultdict(set)
    ends: Done = {}
    for row in answers:
        if row.window is None:
            continue
        point, key = protocol.time_point(row.window), (row.participant, row.window_id)
        given[key].add(row.item)
        declined = row.declined and row.item == protocol.primary(point)
        if declined or given[key].issuperset(point.items):
            ends.setdefault(key, row.received_at)
    return ends


def _ended(person: Person, case: Case, done: datetime | None, at: datetime) -> bool:
    facts = case.participant
    ends = (done, person.left_at, facts.unreachable_at, facts.opted_out_at)
    return any(end is not None and end <= at + DAY for end in ends)


def _explained(person: Person, case: Case, window: WindowFacts, at: datetime) -> bool:
    """Whether something else says why it did not go: a wish, or a task."""
    if any(start <= at + DAY and end >= at - BEFORE for start, end in person.hindered):
        return True
    told = (one for one in case.escalations if one.level == "E0" and one.raised_at <= at + DAY)
    # What cannot arrive is a task once a window and reason.
    return any(one.window_id == window.id or one.raised_at >= at - BEFORE for one in told)
