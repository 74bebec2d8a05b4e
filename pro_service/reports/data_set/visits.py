"""The rows of `data/visits.csv`: one for each participant and planned visit, also where there is no window yet."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import or_, select

from pro_service.core.case import Case, WindowFacts
from pro_service.core.schedule.status import settled_as, status
from pro_service.core.scores import FORMULA_VERSION, Derived, derive, derive_impression
from pro_service.exports.data_tables import REPLACED, Shape
from pro_service.exports.tables import Cell
from pro_service.reports.data_set.frame import Frame, instant
from pro_service.reports.data_set.people import Given, Person, current_windows, people
from pro_service.store.participants.cases import Loader
from pro_service.store.participants.counts import NOT_DUE
from pro_service.store.schema import roles
from pro_service.store.session import Session

NO_WINDOW = "not_scheduled"
NOT_EXPLAINED = "not_explained"
UNEXPLAINED = frozenset({"missed", "partial"})
"""Statuses of visits that have a reason, or none yet."""
IMPORTED = "import"
ENTERING = ("coordinator", "assessor", "investigator", "data-manager", "monitor", "administrator")
"""Roles in the order in which one is named of somebody who had several."""
Row = list[Cell]


def rows(session: Session, loader: Loader, frame: Frame) -> Iterator[Row]:
    """Yield the rows in the order of codes and visits, cells as `exports.data_tables.visits` names them."""
    made = _Rows(frame, _roles(session, frame.study_id))
    for page in people(session, loader, frame):
        for person in page:
            yield from made.of(person)


class _Held(NamedTuple):
    """A role, from when until when and where; a site of None is every site."""

    role: str
    site_id: int | None
    since: datetime
    until: datetime | None


def _roles(session: Session, study_id: int) -> dict[int, list[_Held]]:
    held: dict[int, list[_Held]] = {}
    r = roles.c
    asked = select(r.user_id, r.role, r.site_id, r.approved_at, r.revoked_at).where(
        or_(r.study_id == study_id, r.study_id.is_(None)), r.approved_at.is_not(None)
    )
    for row in session.execute(asked):
        held.setdefault(row.user_id, []).append(_Held(row.role, row.site_id, row.approved_at, row.revoked_at))
    return held


class _Rows:
    def __init__(self, frame: Frame, held: Mapping[int, Sequence[_Held]]) -> None:
        self.frame, self.shape, self.held = frame, frame.shape, held
        self.names = {code: _names(frame.shape, code) for code in frame.shape.points}

    def of(self, person: Person) -> Iterator[Row]:
        """Yield the rows of one participant."""
        windows = current_windows(person)
        planned = {point.code for point in person.case.protocol.time_points} | windows.keys()
        base = _baseline(person.case)
        for code, number in self.shape.numbers.items():
            if code in planned:
                yield self._row(person, code, number, windows.get(code), base)

    def _row(
        self, person: Person, code: str, number: int, window: WindowFacts | None, base: Mapping[str, int | None]
    ) -> Row:
        case = person.case
        row: Row = [
            self.shape.study,
            case.participant.site.code,
            case.participant.code,
            number,
            code,
            *self.names[code],
            person.schedule if window is None else window.schedule,
            person.version,
        ]
        if window is None:
            row += [NO_WINDOW, 0, *([None] * 9), *([None] * 2)]
            row += [case.participant.language, None, 0, 0, 0, None, 0, None]
        else:
            row += self._window(person, window)
        row += self._items(person, code, window)
        row += self._compared(case, code, window, base)
        row.append(FORMULA_VERSION)
        return row

    def _window(self, person: Person, window: WindowFacts) -> Row:
        """Return the cells from `status` to `answered_after`."""
        case, span, now = person.case, window.span, self.frame.as_of
        primary = case.protocol.primary(window.point)
        state = status(window, case.participant, primary, now)
        reason = None
        if state in UNEXPLAINED and self._closed(window):
            reason = person.missing.get(window.id) or NOT_EXPLAINED
        answer = _deciding(person.given.get(window.id, ()), primary)
        imported = answer is None or answer.source == IMPORTED
        answered_at = None if answer is None or imported else answer.received_at
        day = _day(case, answer)
        modes = {one.source for one in window.answers.values() if one.given}
        mode = None if answer is None else answer.source if primary or len(modes) == 1 else "mixed"
        prompts, calls = _asked(person, window)
        return [
            state,
            int(self._due(case, window, primary)),
            reason,
            span.target.isoformat(),
            instant(span.opens_at),
            instant(span.closes_at),
            instant(span.late_until),
            instant(answered_at),
            None if answer is None else instant(answer.recorded_at),
            None if day is None else _study_day(day, case.participant.procedure_date),
            None if answer is None or day is None else 0 if imported else (day - span.target).days,
            None if answer is None else int(answer.in_window),
            mode,
            case.participant.language,
            self._entered_by(person, answer),
            len(prompts),
            sum(one.kind != "invitation" for one in prompts),
            sum(one.delivered for one in prompts),
            instant(min((one.at for one in prompts), default=None)),
            len(calls),
            _answered_after(prompts, calls, answer),
        ]

    def _closed(self, window: WindowFacts) -> bool:
        return window.settled is not None or window.span.closes_at <= self.frame.as_of

    def _due(self, case: Case, window: WindowFacts, primary: str | None) -> bool:
        """Whether a visit counts, as in the rates: closed, its procedure confirmed, and not left before it opened."""
        if window.cancelled_at is not None:
            return False
        settled = window.settled
        if settled is None:
            if window.span.closes_at > self.frame.as_of or case.participant.confirmed_at is None:
                return False
            settled = settled_as(window, case.participant, primary, self.frame.as_of)
        return settled not in NOT_DUE

    def _entered_by(self, person: Person, answer: Given | None) -> str | None:
        """Return the role of who entered an answer, at that time and at that site."""
        if answer is None or answer.entered_by is None:
            return None
        at = answer.recorded_at
        found = {
            one.role
            for one in self.held.get(answer.entered_by, ())
            if one.site_id in (None, person.site_id) and one.since <= at and (one.until is None or at < one.until)
        }
        return next((role for role in ENTERING if role in found), None)

    def _items(self, person: Person, code: str, window: WindowFacts | None) -> Row:
        """Return value, declined and versions of every item; nothing of items that the visit does not ask."""
        point = self.shape.points[code] if window is None else window.point
        versions = {} if window is None else _versions(person, code)
        cells: Row = []
        for item in self.shape.items:
            if item not in point.items:
                cells += [None, None, None]
                continue
            answer = None if window is None else window.answers.get(item)
            value = None if answer is None else answer.value
            cells += [value, int(answer is not None and answer.declined), versions.get(item, 0)]
        return cells

    def _compared(self, case: Case, code: str, window: WindowFacts | None, base: Mapping[str, int | None]) -> Row:
        """Return the derived values of every item, of visits after the baseline that have opened."""
        first = case.protocol.baseline
        judged = (
            window is not None
            and first is not None
            and code != first.code
            and window.cancelled_at is None
            and window.span.opens_at <= self.frame.as_of
        )
        cells: Row = []
        for item in self.shape.items:
            asked = judged and window is not None and item in window.point.items
            answer = window.answers.get(item) if asked and window is not None else None
            value = None if answer is None else answer.value
            if item in self.shape.compared:
                shown = asked and first is not None and item in first.items
                cells += _comparison(derive(item, base.get(item), value) if shown else None)
            else:
                cells.append(_yes(derive_impression(item, value).pgic_responder if asked else None))
        return cells


class _Prompt(NamedTuple):
    at: datetime
    kind: str
    delivered: bool


def _asked(person: Person, window: WindowFacts) -> tuple[list[_Prompt], list[datetime]]:
    """Return the prompts that left and the calls, of a window; and of those it replaced, since it opened."""
    prompts, calls = [], []
    for other in person.case.windows:
        if other.code != window.code or other.schedule > window.schedule:
            continue
        since = None if other.id == window.id else window.span.opens_at
        prompts += [
            _Prompt(one.accepted_at, one.kind, one.state == "delivered")
            for one in person.prompts.get(other.id, ())
            if one.accepted_at is not None and (since is None or one.accepted_at >= since)
        ]
        calls += [at for at in person.called_at.get(other.id, ()) if since is None or at >= since]
    return prompts, calls


def _answered_after(prompts: Sequence[_Prompt], calls: Sequence[datetime], answer: Given | None) -> str | None:
    """Return what came last before an answer: a prompt, or a call; None of one from the clinic or a file."""
    if answer is None or answer.source in (IMPORTED, "clinic"):
        return None
    if answer.source == "telephone":
        return "call"
    before = [(one.at, REPLACED.get(one.kind, one.kind)) for one in prompts if one.at <= answer.received_at]
    before += [(at, "call") for at in calls if at <= answer.received_at]
    return max(before, default=(None, None))[1]


def _names(shape: Shape, code: str) -> tuple[str, ...]:
    label = shape.points[code].label
    return (shape.label(label), *(label.get(language, "") for language in shape.languages))


def _baseline(case: Case) -> dict[str, int | None]:
    first = case.protocol.baseline
    return {} if first is None else {item: case.baseline(item) for item in first.items}


def _deciding(given: Sequence[Given], primary: str | None) -> Given | None:
    """Return the version that stands of the item that decides; without one, the newest that stands of any item."""
    standing = {one.item: one for one in given}
    answered = [one for one in standing.values() if one.declined or one.value is not None]
    if primary is not None:
        return next((one for one in answered if one.item == primary), None)
    return max(answered, key=lambda one: one.received_at, default=None)


def _day(case: Case, answer: Given | None) -> date | None:
    """Return the day of an answer at the site; of a baseline that was imported, that of the procedure."""
    if answer is None:
        return None
    if answer.source == IMPORTED:
        return case.participant.procedure_date
    return answer.received_at.astimezone(case.site_zone).date()


def _study_day(day: date, procedure: date) -> int:
    """Return the study day: there is no day 0 (SDTM)."""
    days = (day - procedure).days
    return days + 1 if days >= 0 else days


def _versions(person: Person, code: str) -> dict[str, int]:
    """Return item -> how many versions were ever given for a visit; one carried to a new schedule counts once."""
    found: dict[str, set[tuple[object, ...]]] = {}
    count: dict[str, int] = {}
    windows = [window for window in person.case.windows if window.code == code]
    for window in sorted(windows, key=lambda one: one.schedule):
        fresh: dict[str, set[tuple[object, ...]]] = {}
        for one in person.given.get(window.id, ()):
            same = (one.received_at, one.source, one.value, one.declined)
            if one.version == 1 and same in found.get(one.item, ()):
                continue
            fresh.setdefault(one.item, set()).add(same)
            count[one.item] = count.get(one.item, 0) + 1
        for item, seen in fresh.items():
            found.setdefault(item, set()).update(seen)
    return count


def _comparison(found: Derived | None) -> Row:
    if found is None:
        return [None] * 6
    return [
        found.baseline,
        found.absolute_change,
        found.percent_reduction,
        _yes(found.responder30),
        _yes(found.responder50),
        found.reason,
    ]


def _yes(value: bool | None) -> Cell:  # noqa: FBT001 -- a value, not a switch
    return None if value is None else int(value)
