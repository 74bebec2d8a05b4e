"""Which prompts should have gone out in a run, worked out anew from the protocol; whether they did; and who was told.

What cannot be asked for want of a number or a card is somebody's work.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from pro_service.core.case import PROMPTS, UNREACHABLE, Case, WindowFacts
from pro_service.core.protocol import MEDIA, Protocol, Step
from pro_service.store.schema import AnyRow
from tests.simulation.carrier import Taken
from tests.simulation.people import FOREVER, Person
from tests.simulation.watch import HOURS
from tests.simulation.weather import Weather

Done: TypeAlias = dict[tuple[str, int], datetime]
"""(participant, window id) -> when nothing more was to be asked."""
DAY = timedelta(days=1)
SOON = timedelta(hours=1)
"""So soon a person is told of what hinders us, where nothing is down."""
BEFORE = 2 * DAY
"""A prompt of the day before, or the day before that, may put this one off."""
SETTLED = timedelta(hours=3)
"""So long after an outage texts go again: what may have left before it is asked about first."""
EARLY = timedelta(hours=1)
"""What a wrong clock sent sooner than this before a window opened has asked nothing of it."""
USELESS = timedelta(hours=6)
"""A prompt is useless with less time than this before the close."""


def lost(
    person: Person, case: Case, protocol: Protocol, weather: Weather, taken: Sequence[Taken], ends: Done
) -> Iterator[tuple[str, datetime]]:
    """Give every step (with its moment) that was due, allowed and useful, and neither left nor became a task."""
    confirmed = person.confirmed_at
    if confirmed is None or not person.agrees:
        return
    started = max(confirmed, person.enrols_at, person.reached_at)
    prompts = {text.id: text for text in case.messages if text.kind in PROMPTS}
    mine = [(one, prompts[one.outgoing.message_id]) for one in taken if one.outgoing.message_id in prompts]
    days = {at.astimezone(person.zone).date() for one, _ in mine for at in (one.handed_at, one.left_at)}
    for code, span in person.spans.items():
        window = next(one for one in case.current if one.code == code)
        steps = protocol.time_point(code).steps
        names = [step.name for step in steps]
        own = [(one.left_at >= span.opens_at - EARLY, text.kind) for one, text in mine if text.window_id == window.id]
        kinds = {kind for in_it, kind in own if in_it}
        # Somebody who asked for another moment may have got a later step before its time.
        reached = max((names.index(kind) for kind in kinds), default=-1)
        # No reminder stands for an invitation that a wrong clock sent before the window.
        early = any(not in_it for in_it, _ in own)
        again = steps[:1] if early and reached > 0 and names[0] not in kinds else ()
        for step in (*again, *steps[reached + 1 :]):
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
    ends = (done, person.left_at, _unreachable_at(case), case.participant.opted_out_at)
    return any(end is not None and end <= at + DAY for end in ends)


def _unreachable_at(case: Case) -> datetime | None:
    """Since when no channel of the participant leads to them; None while one does, or none ever did."""
    facts = case.participant
    led_to = facts.led_to
    if led_to is None or facts.reached_by(MEDIA[led_to]):
        return None
    media = {MEDIA[channel] for channel in facts.ladder if facts.agreed_to(MEDIA[channel])}
    ends: list[datetime | None] = [getattr(facts, UNREACHABLE[medium]) for medium in media]
    return max(end for end in ends if end is not None)


def _hindered(person: Person, at: datetime) -> bool:
    return any(start <= at + DAY and end >= at - BEFORE for start, end in person.unasked)


def _explained(person: Person, case: Case, window: WindowFacts, at: datetime) -> bool:
    """Whether something else says why it did not go: a wish, or a task."""
    if _hindered(person, at):
        return True
    told = (one for one in case.escalations if one.level == "E0" and one.raised_at <= at + DAY)
    # What cannot arrive is a task once a window and reason.
    return any(one.window_id == window.id or one.raised_at >= at - BEFORE for one in told)


def unasked(
    person: Person, case: Case, protocol: Protocol, weather: Weather, taken: Sequence[Taken], ends: Done
) -> Iterator[tuple[str, datetime]]:
    """Give every window (with its close) of somebody who could be asked on a whole day of it, and was not.

    A day counts on which nothing is down in contact hours, or shortly before them, and an answer is still of use. Who
    cannot be asked, or does not get what is sent, is somebody's work: there is a task which says so.
    """
    confirmed = person.confirmed_at
    if confirmed is None or not person.agrees:
        return
    started = max(confirmed, person.enrols_at, person.reached_at)
    texts = {text.id: text for text in case.messages if text.kind in PROMPTS}
    left = [(texts[one.outgoing.message_id], one.left_at) for one in taken if one.outgoing.message_id in texts]
    told = [(one.window_id, one.raised_at) for one in case.escalations if one.level == "E0"]
    facts = case.participant
    stops = [person.left_at, _unreachable_at(case), facts.opted_out_at]
    for code, span in person.spans.items():
        window, until = next(one for one in case.current if one.code == code), span.closes_at - USELESS
        begins = max(started, _moment(person, window, protocol.time_point(code).steps[0]))
        wished = any(start < span.closes_at and end > begins for start, end in person.unasked)
        over = any(end is not None and end <= until for end in (*stops, ends.get((person.code, window.id))))
        asked = any(text.window_id == window.id and at >= span.opens_at - EARLY for text, at in left)
        if window.settled is None or asked or wished or over:
            continue
        known = any(of == window.id or begins - BEFORE <= at <= span.closes_at for of, at in told)
        if not known and any(not weather.over(a - SETTLED, b) for a, b in _days(person, begins, until)):
            yield f"{code}, from {begins}", span.closes_at


def _days(person: Person, begins: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Give the contact hours of each day that lie in this stretch of time as a whole."""
    day = begins.astimezone(person.zone).date()
    while (end := datetime.combine(day, HOURS[1], tzinfo=person.zone).astimezone(UTC)) <= until:
        start = datetime.combine(day, HOURS[0], tzinfo=person.zone).astimezone(UTC)
        if start >= begins:
            yield start, end
        day += DAY


def untold(
    person: Person, case: Case, protocol: Protocol, weather: Weather, ends: Done
) -> Iterator[tuple[str, datetime]]:
    """Give what was missing to ask somebody (with its moment) and was nobody's work: a number, or a card in a window.

    A number is asked for from the enrolment on; a card is missed at the first prompt of each window.
    """
    until = case.asks_until
    without = not person.mail and person.enrols_at < person.number_at
    if without and until is not None and person.enrols_at + SOON < until:
        told = [one for one in case.escalations if one.reason == "no_way_to_ask"]
        soon = any(one.raised_at <= person.enrols_at + SOON for one in told)
        still = person.number_at == FOREVER and told and told[-1].outcome in ("cleared", "new_number")
        if still or (not soon and not weather.over(person.enrols_at - DAY, person.enrols_at + SOON)):
            yield "a number", person.enrols_at
    if person.channel != "sms-card" or not person.consents or person.confirmed_at is None:
        return
    started = max(person.confirmed_at, person.enrols_at, person.number_at)
    for code, span in person.spans.items():
        window = next(one for one in case.current if one.code == code)
        at = _moment(person, window, protocol.time_point(code).steps[0])
        missing = started <= at < person.card_at - SOON and at <= span.closes_at - USELESS
        # Who has just answered by text without being asked is asked the rest by text.
        writes = any(at - DAY < answer.received_at <= at for answer in window.answers.values())
        ended = _ended(person, case, ends.get((person.code, window.id)), at)
        # Once the item that decides has its answer nobody is called for the others.
        deciding = window.answers.get(protocol.primary(protocol.time_point(code)) or "")
        ended = ended or (deciding is not None and deciding.received_at <= at)
        if not missing or ended or writes or weather.over(at - BEFORE, at + DAY) or _hindered(person, at):
            continue
        calls = (one for one in case.escalations if one.window_id == window.id and one.level in ("E1", "E2"))
        if not any(one.raised_at <= at + SOON for one in calls):
            yield f"a card in {code}", at
