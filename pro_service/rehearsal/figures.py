"""The figures of a rehearsal, read from its database: the product's own reports, and the ledger row by row."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import quantiles
from typing import Literal

from pro_service.core.case import BY_THEMSELVES, PROMPTS, Case, Participant
from pro_service.core.protocol import MEDIA, Medium
from pro_service.core.providers import FACTS, STAFF_MAIL
from pro_service.core.schedule.prompts import step_moment
from pro_service.core.schedule.status import status
from pro_service.rehearsal.report import BINS, Kind, Level, Row, Step, Times, Traffic, Window
from pro_service.rehearsal.run import Rehearsal
from pro_service.reports import compliance, ledger
from pro_service.reports.compliance import ComplianceRow
from pro_service.store.schema import AnyRow

MINUTE = timedelta(minutes=1)
ARRIVED, FAILED = "delivered", frozenset({"undelivered", "failed", "refused"})
FEWEST = 2
"""Answers from which quartiles can be worked out."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All rows of the rehearsal's database that figures are worked out from, at its end."""

    now: datetime
    compliance: list[ComplianceRow]
    cases: list[Case]
    texts: list[AnyRow]
    """To participants, accepted or not."""
    mails: int
    replies: int
    answers: list[AnyRow]
    calls: list[AnyRow]
    tasks: list[AnyRow]

    @property
    def leads(self) -> dict[int, AnyRow]:
        """Return window id -> the first answer to its deciding item; if no item decides, to any."""
        deciding = {w.id: case.protocol.primary(w.point) for case in self.cases for w in case.windows}
        found: dict[int, AnyRow] = {}
        for row in self.answers:
            if row.item == (deciding.get(row.window_id) or row.item):
                found.setdefault(row.window_id, row)
        return found

    @property
    def prompts(self) -> dict[int, list[AnyRow]]:
        """Window id -> the prompts that left, oldest first."""
        found: dict[int, list[AnyRow]] = defaultdict(list)
        for row in self.texts:
            if row.kind in PROMPTS and row.accepted_at is not None:
                found[row.window_id].append(row)
        return found


def facts(rehearsal: Rehearsal) -> Facts:
    """Read everything at once, as it is at the end."""
    rt, study_id, now = rehearsal.rt, rehearsal.study_id, rehearsal.virtual.now
    with rt.sessions.reading() as session:
        rows = ledger.texts(session, study_id)
        ids = ledger.everybody(session, study_id)
        return Facts(
            now=now,
            compliance=compliance.compliance(session, rt.loader, study_id, now),
            cases=[loaded.case for loaded in rt.loader.load(session, ids, lock=False)],
            texts=[row for row in rows if row.way != STAFF_MAIL],
            mails=sum(row.way == "email" and row.accepted_at is not None for row in rows),
            replies=ledger.replies(session, study_id),
            answers=ledger.first_answers(session, study_id),
            calls=ledger.calls_made(session, study_id),
            tasks=ledger.tasks(session, study_id),
        )


def windows(rehearsal: Rehearsal, found: Facts) -> tuple[Window, ...]:
    """Return the compliance of each time point, and how the answers came."""
    leads = found.leads
    sources: dict[str, Counter[str]] = defaultdict(Counter)
    not_closed: Counter[str] = Counter()
    for case in found.cases:
        for window in case.current:
            not_closed[window.code] += window.span.closes_at > found.now
            if window.id in leads:
                sources[window.code][leads[window.id].source] += 1
    return tuple(
        Window(
            code=row["code"],
            label=point.label,
            prompted=point.prompted,
            due=row["due"],
            in_window=row["completed_in_window"],
            late=row["late"],
            partial=row["partial"],
            declined=row["declined"],
            missed=row["missed"],
            left=compliance.left_during(row),
            before_enrolment=row["missed_before_enrolment"],
            not_closed=not_closed[row["code"]],
            sources=dict(sorted(sources[row["code"]].items())),
        )
        for row in found.compliance
        for point in (rehearsal.protocol.time_point(row["code"]),)
    )


def rows(rehearsal: Rehearsal, found: Facts) -> tuple[Row, ...]:
    """Return every participant with the state of every window at the end."""
    overview = []
    for case in found.cases:
        person = rehearsal.people[case.participant.code]
        states = {w.code: status(w, case.participant, case.protocol.primary(w.point), found.now) for w in case.current}
        codes = (point.code for point in rehearsal.protocol.time_points)
        shown = tuple(states.get(code, "not_applicable") for code in codes)
        overview.append(Row(case.participant.code, person.temperament.label, person.channel, shown))
    return tuple(overview)


# The ledger ----------------------------------------------------------------------------------------------------------


def answered_after(found: Facts) -> dict[int, AnyRow]:
    """Return message id of a prompt -> the answer between it and the next one, by text or form."""
    prompts, answered = found.prompts, {}
    for window_id, lead in found.leads.items():
        before = [row for row in prompts.get(window_id, ()) if row.accepted_at <= lead.received_at]
        if lead.source in BY_THEMSELVES and before:
            answered[before[-1].id] = lead
    return answered


def steps(rehearsal: Rehearsal, found: Facts) -> tuple[Step, ...]:
    """Return every prompt of the protocol: how often it was expected, sent, delivered and answered."""
    expected = Counter((code, step) for _, code, step in _expected(found))
    answered = answered_after(found)
    entries = []
    for point in rehearsal.protocol.time_points:
        for step in point.steps:
            key = (point.code, step.name)
            of_step = [row for row in found.texts if (row.window, row.kind) == key]
            left = [row for row in of_step if row.accepted_at is not None]
            entries.append(
                Step(
                    window=point.code,
                    kind=step.name,
                    expected=expected[key],
                    sent=len(left),
                    delivered=sum(row.state == ARRIVED for row in left),
                    failed=sum(row.state in FAILED for row in of_step),
                    answered=sum(row.id in answered for row in left),
                    segments=_segments(left),
                )
            )
    return tuple(entries)


def _expected(found: Facts) -> Iterable[tuple[Participant, str, str]]:
    """Yield (who, window, step) for each participant who gets texts and has reached the step's moment."""
    for case in found.cases:
        for window in case.current if case.participant.led_to is not None else ():
            for step in window.point.steps:
                if step_moment(case, window, step) < found.now:
                    yield case.participant, window.code, step.name


def _segments(rows: Iterable[AnyRow]) -> int:
    """Return the segments of texts; neither a mail nor a WhatsApp message is paid for by its length."""
    return sum(row.segments for row in rows if FACTS[row.way].medium == "sms")


def cost(rows: Iterable[AnyRow], prices: Mapping[Medium, float]) -> float | None:
    """Return what these messages cost: texts by the segment, others by the message; None where nobody said a price."""
    paid = sum(row.segments * prices.get(FACTS[row.way].medium, 0) for row in rows)
    return round(paid, 2) if prices else None


def _channel(rehearsal: Rehearsal, row: AnyRow) -> str:
    """Return the channel a message went by: the prompt's own, else the one of the ladder that goes by its medium."""
    asked_by: str = row.frame.partition(".")[2]
    ladder = rehearsal.people[row.participant].ladder
    mine = (channel for channel in ladder if MEDIA[channel] == FACTS[row.way].medium)
    return asked_by if asked_by in ladder else next(mine, row.channel)


def traffic(rehearsal: Rehearsal, found: Facts, field: Literal["kind", "language", "channel"]) -> tuple[Traffic, ...]:
    """Return messages by kind, language or channel."""
    answered = answered_after(found)
    prices = rehearsal.plan.prices
    groups: dict[str, list[AnyRow]] = defaultdict(list)
    for row in found.texts:
        groups[_channel(rehearsal, row) if field == "channel" else str(getattr(row, field))].append(row)
    expected = {} if field == "kind" else Counter(getattr(who, field) for who, _, _ in _expected(found))
    entries = []
    for name, group in groups.items():
        left = [row for row in group if row.accepted_at is not None]
        entries.append(
            Traffic(
                name=name,
                expected=None if field == "kind" else expected[name],
                prompts=sum(row.kind in PROMPTS for row in left),
                sent=len(left),
                delivered=sum(row.state == ARRIVED for row in left),
                failed=sum(row.state in FAILED for row in group),
                answered=sum(row.id in answered for row in left),
                segments=_segments(left),
                cost=cost(left, prices),
            )
        )
    return tuple(sorted(entries, key=lambda one: (-one.sent, one.name)))


# Time, escalations, temperaments -------------------------------------------------------------------------------------


def times(rehearsal: Rehearsal, found: Facts) -> tuple[Times, ...]:
    """Return how long after the first text of its window an answer by text or form came."""
    minutes: dict[str, list[int]] = defaultdict(list)
    prompts = found.prompts
    for window_id, lead in found.leads.items():
        first = prompts.get(window_id)
        if lead.source in BY_THEMSELVES and first and first[0].accepted_at <= lead.received_at:
            minutes[first[0].window].append(int((lead.received_at - first[0].accepted_at) / MINUTE))
    asked = [point.code for point in rehearsal.protocol.time_points if point.prompted]
    return tuple(_times(code, sorted(minutes[code])) for code in asked)


def _times(code: str, minutes: list[int]) -> Times:
    classes = Counter(bisect_left(BINS, n) for n in minutes)
    counted = tuple(classes[index] for index in range(len(BINS) + 1))
    if len(minutes) < FEWEST:
        only = minutes[0] if minutes else None
        return Times(code, len(minutes), only, only, only, counted)
    low, half, high = (round(value) for value in quantiles(minutes, n=4, method="inclusive"))
    return Times(code, len(minutes), low, half, high, counted)


def levels(rehearsal: Rehearsal, found: Facts) -> tuple[Level, ...]:
    """Return escalations by level: acknowledged in time, too late, or not at all."""
    ladder = []
    for code in rehearsal.protocol.ladder:
        raised = [task for task in found.tasks if task.level == code]
        taken = [(task, moment) for task in raised if (moment := taken_up(task)) is not None]
        in_time = sum(moment <= task.due_at for task, moment in taken)
        reasons = Counter(task.reason for task in raised)
        untouched = len(raised) - len(taken)
        ladder.append(Level(code, len(raised), in_time, len(taken) - in_time, untouched, dict(reasons.most_common())))
    return tuple(ladder)


def taken_up(task: AnyRow) -> datetime | None:
    """Return when a task was acknowledged or ended by itself; None = neither yet."""
    moment: datetime | None = task.acknowledged_at or task.resolved_at
    return moment


def kinds(rehearsal: Rehearsal, found: Facts) -> tuple[Kind, ...]:
    """Return what was assumed of each temperament, and what came of it in the windows that ask by message."""
    states: dict[str, Counter[str]] = defaultdict(Counter)
    for case in found.cases:
        kind = rehearsal.people[case.participant.code].temperament.code
        for window in case.current:
            if window.point.prompted and window.settled is not None:
                states[kind][window.settled] += 1
    people = Counter(person.temperament.code for person in rehearsal.people.values())
    of = {code: person.temperament.code for code, person in rehearsal.people.items()}
    texts = Counter(of[row.participant] for row in found.texts if row.accepted_at is not None)
    called = Counter(of[row.participant] for row in found.calls)
    return tuple(
        Kind(
            code=kind.code,
            label=kind.label,
            people=people[kind.code],
            assumed={name: share for name, share in kind.percent.items() if share},
            after=int(kind.after / MINUTE),
            within=int(kind.within / MINUTE),
            due=_due(states[kind.code]),
            in_window=states[kind.code]["completed_in_window"],
            late=states[kind.code]["completed_late"],
            texts=texts[kind.code],
            calls=called[kind.code],
        )
        for kind in rehearsal.plan.crowd.temperaments
        if people[kind.code]
    )


def _due(settled: Counter[str]) -> int:
    """Return the windows that count as due: not those of participants who had left before, or came after the close."""
    return settled.total() - sum(settled[name] for name in ("withdrawn", "died", "missed_before_enrolment"))
